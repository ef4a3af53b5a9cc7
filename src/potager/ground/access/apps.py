"""The access context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class AccessConfig(Context):
    """Who may do what."""

    name = "potager.ground.access"
    label = "access"
    title = "Access"
    permissions = (
        Permission("access.read", "See people and teams", Role.VIEWER),
        Permission("access.grant", "Give somebody a role on a record", Role.MAINTAINER),
    )
