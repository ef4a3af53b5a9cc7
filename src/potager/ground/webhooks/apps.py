"""The webhooks context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class WebhooksConfig(Context):
    """Outgoing webhooks."""

    name = "potager.ground.webhooks"
    label = "webhooks"
    title = "Webhooks"
    permissions = (
        Permission("webhooks.read", "See webhooks and deliveries", Role.MAINTAINER),
        Permission("webhooks.edit", "Register webhooks", Role.MAINTAINER),
    )
