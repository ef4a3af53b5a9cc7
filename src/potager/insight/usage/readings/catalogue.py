"""Every kind of reading, in the order of the menu; importing it enters them."""

from potager.insight.usage.readings import (
    activation,
    adoption,
    funnel,
    lifecycle,
    paths,
    retention,
    risk,
    stickiness,
    trends,
    worth,
)

ORDER = tuple(
    module.READING.name
    for module in (
        trends, funnel, retention, lifecycle, stickiness, paths, adoption, activation, worth, risk,
    )
)  # fmt: skip
