"""The usage context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class UsageConfig(Context):
    """What people and accounts do."""

    name = "potager.insight.usage"
    label = "usage"
    pillar = "insight"
    title = "Usage"
    permissions = (
        Permission("usage.read", "See usage, and the people and accounts behind it", Role.VIEWER),
        Permission("usage.edit", "Describe streams, import events, keep analyses", Role.CONTRIBUTOR),
    )
