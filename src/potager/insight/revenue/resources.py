"""An organization's own policies are a plain noun."""

from potager.ground.resources.resource import Resource
from potager.insight.revenue.models import Policy

policies = Resource(
    model=Policy,
    purpose="What counts as recurring revenue, where you decided otherwise than Stripe, ChartMogul or ProfitWell.",
    fields=("name", "based_on", "because", *Policy.KNOBS),
    columns=("name", "based_on", "because"),
    filters=("based_on",),
    search=("name", "because"),
    order="name",
    door=False,
)
