"""The links context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class LinksConfig(Context):
    """Typed links."""

    name = "potager.ground.links"
    label = "links"
    title = "Links"
    permissions = (
        Permission("links.read", "See links", Role.VIEWER),
        Permission("links.edit", "Link records", Role.CONTRIBUTOR),
    )
