"""The connecting context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class ConnectingConfig(Context):
    """Bringing data in."""

    name = "potager.ground.connecting"
    label = "connecting"
    pillar = "insight"
    title = "Data"
    permissions = (
        Permission("connecting.read", "See imports and tables", Role.VIEWER),
        Permission("connecting.import", "Import data", Role.CONTRIBUTOR),
    )
