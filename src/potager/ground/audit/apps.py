"""The audit context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class AuditConfig(Context):
    """The log of actions."""

    name = "potager.ground.audit"
    label = "audit"
    title = "Audit"
    permissions = (Permission("audit.read", "Read the audit log", Role.MAINTAINER),)
