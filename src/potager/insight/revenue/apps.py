"""The revenue context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class RevenueConfig(Context):
    """What customers pay, month by month."""

    name = "potager.insight.revenue"
    label = "revenue"
    pillar = "insight"
    title = "Revenue"
    permissions = (
        Permission("revenue.read", "See recurring revenue, and whose it is", Role.VIEWER),
        Permission("revenue.edit", "Describe books of revenue, publish their metrics", Role.CONTRIBUTOR),
        Permission("revenue.load", "Load books of revenue from their tables", Role.CONTRIBUTOR),
    )
