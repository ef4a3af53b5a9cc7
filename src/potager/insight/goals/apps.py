"""The goals context."""

from potager.ground.access.roles import Permission, Role
from potager.ground.context import Context


class GoalsConfig(Context):
    """Outcome statements."""

    name = "potager.insight.goals"
    label = "goals"
    pillar = "insight"
    title = "Goals"
    permissions = (
        Permission("goals.read", "See goals", Role.VIEWER),
        Permission("goals.edit", "Write goals", Role.CONTRIBUTOR),
    )
