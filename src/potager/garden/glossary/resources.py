"""Terms are a plain noun."""

from potager.garden.glossary.models import Term
from potager.ground.resources.resource import Resource

terms = Resource(
    model=Term,
    purpose="What the words of this organization mean, once and for all.",
    fields=("name", "definition", "also_called", "source"),
    columns=("name", "definition", "also_called"),
    search=("name", "definition", "also_called"),
    order="name",
)
