"""Goals are a plain noun."""

from potager.ground.resources.resource import Resource
from potager.insight.goals.models import Goal

goals = Resource(
    model=Goal,
    purpose="What should be different, for whom, by how much and by when.",
    fields=("name", "who", "does_what", "by_how_much", "measured_by", "by_when"),
    columns=("name", "who", "does_what", "by_how_much", "by_when"),
    filters=("measured_by",),
    search=("name", "who", "does_what"),
    order="name",
)
