"""The impact context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class ImpactConfig(Context):
    """The bet ledger."""

    name = "potager.insight.impact"
    label = "impact"
    pillar = "insight"
    title = "Impact"
    permissions = (
        Permission("impact.read", "See bets, what they cost and what they did", Role.VIEWER),
        Permission("impact.edit", "Register, launch and close bets, and record costs", Role.CONTRIBUTOR),
    )
