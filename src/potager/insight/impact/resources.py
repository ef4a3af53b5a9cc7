"""Investments, changes shipped and outside movements are plain nouns."""

from potager.ground.resources.resource import Resource
from potager.insight.impact.models import Change, Investment, Outside

investments = Resource(
    model=Investment,
    purpose="What was paid, for which bet, in which period; people's time at a loaded rate, as a range.",
    fields=(
        "name", "bet", "team_name", "start", "end", "people_months", "rate_low", "rate", "rate_high", "tools",
        "cloud", "vendors", "other_spread", "currency",
    ),
    columns=("name", "bet", "team_name", "start", "end", "people_months"),
    filters=("bet", "team_name"),
    search=("name", "bet", "team_name"),
    order="-start",
    door=False,
)  # fmt: skip
changes = Resource(
    model=Change,
    purpose="What was shipped, when, and for which bet.",
    fields=("name", "shipped_at", "shipped_as", "reference", "repository", "author", "note", "bet"),
    columns=("name", "shipped_at", "shipped_as", "reference", "bet"),
    filters=("bet", "repository", "shipped_as"),
    search=("name", "reference", "bet"),
    order="-shipped_at",
    door=False,
)
outside = Resource(
    model=Outside,
    purpose="What is known to have moved a metric from elsewhere, so that no bet claims it.",
    fields=("name", "metric", "start", "end", "amount", "error", "because"),
    columns=("name", "metric", "start", "end", "amount"),
    filters=("metric",),
    search=("name", "metric"),
    order="-end",
    door=False,
)
