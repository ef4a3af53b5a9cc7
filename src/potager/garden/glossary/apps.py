"""The glossary context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class GlossaryConfig(Context):
    """The words."""

    name = "potager.garden.glossary"
    label = "glossary"
    pillar = "garden"
    title = "Glossary"
    permissions = (
        Permission("glossary.read", "See terms", Role.VIEWER),
        Permission("glossary.edit", "Write terms", Role.CONTRIBUTOR),
    )
