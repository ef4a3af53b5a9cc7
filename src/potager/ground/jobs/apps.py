"""The jobs context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class JobsConfig(Context):
    """Background work."""

    name = "potager.ground.jobs"
    label = "jobs"
    title = "Jobs"
    permissions = (
        Permission("jobs.read", "See background work", Role.VIEWER),
        Permission("jobs.steer", "Cancel and retry background work", Role.CONTRIBUTOR),
    )
