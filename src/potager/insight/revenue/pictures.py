"""What a book's page says and draws: the sentence, the waterfall, MRR over time, the ratios, the cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.finance import Bridge, CohortGrid
from potager.insight.revenue import readings
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.charts.heat import Cohort, cohort_grid
from potager.kit.charts.series import Series, time_series
from potager.kit.charts.waterfall import End, Movement, waterfall
from potager.kit.currencies import amount

PARTS = (
    ("new", "new", True),
    ("expansion", "expansion", True),
    ("reactivation", "reactivation", True),
    ("contraction", "contraction", False),
    ("churn", "churn", False),
)
SHOWN = (
    "net_revenue_retention", "gross_revenue_retention", "logo_churn", "quick_ratio", "quick_ratio_without_reactivation",
)  # fmt: skip


def _money(cents: int, currency: str) -> str:
    return words.human(amount(cents, currency), currency)


def _parts(bridge: Bridge) -> list[tuple[str, int, bool | None]]:
    """Return what moved, signed by what it adds to MRR."""
    found: list[tuple[str, int, bool | None]] = [
        (name, getattr(bridge, field) * (1 if good else -1), good) for field, name, good in PARTS
    ]
    found.append(("currency", bridge.currency_effect, None))
    return [part for part in found if part[1]]


def sentence(bridge: Bridge) -> str:
    """Return the answer: ``MRR is €12k, up 3.1 % in October 2024: €1k new, …``."""
    said = _money(bridge.end, bridge.currency)
    month = f"{bridge.starts:%B %Y}"
    if not bridge.start and not bridge.end:
        return f"Nobody paid in {month}." if not _parts(bridge) else f"Whoever came in {month} left in it."
    if not bridge.start:
        how = f"from nothing in {month}"
    else:
        how = f"{words.change((bridge.end - bridge.start) / bridge.start)} in {month}"
    parts = [
        f"{words.signed(amount(cents, bridge.currency), bridge.currency)} {name}"
        for name, cents, _ in _parts(bridge)
    ]
    return f"MRR is {said}, {how}" + (f": {words.listing(parts)}." if parts else ".")


def waterfall_of(bridge: Bridge) -> Chart | None:
    """Return the waterfall of a month; none where nothing was there and nothing moved."""
    parts = _parts(bridge)
    if not parts and not bridge.start:
        return None
    unit = bridge.currency
    before, last = bridge.starts - timedelta(days=1), bridge.ends - timedelta(days=1)
    return waterfall(
        End(f"{before:%B %Y}", amount(bridge.start, unit)),
        [Movement(name.capitalize(), amount(cents, unit), good) for name, cents, good in parts],
        End(f"{last:%B %Y}", amount(bridge.end, unit)),
        title=f"How MRR moved in {last:%B %Y}",
        unit=unit,
    )


def series_of(months: Sequence[Bridge]) -> Chart | None:
    """Return MRR at the end of each month; none where nobody ever paid."""
    if not any(one.end for one in months):
        return None
    unit = months[0].currency
    return time_series(
        Series("MRR", tuple(one.starts for one in months), tuple(amount(one.end, unit) for one in months)),
        title="MRR at the end of each month",
        unit=unit,
    )


def cohorts_of(grid: CohortGrid) -> Chart | None:
    """Return the share of the first month's revenue that cohorts still pay; what is not reached stays blank."""
    named = [
        Cohort(
            f"{one.label:%b %Y}" if not isinstance(one.label, str) else one.label,
            one.customers,
            tuple(cell.revenue_share for cell in one.cells),
        )
        for one in grid.cohorts
    ]
    if not any(value is not None for one in named for value in one.values):
        return None
    return cohort_grid(named, title="What cohorts still pay of their first month", size_unit="customers")


def said_ratios(told: Sequence[readings.Told]) -> list[dict[str, Any]]:
    """Return the ratios of the page in words, each refusal with its reason."""
    shown = []
    for one in told:
        if one.key not in SHOWN:
            continue
        if isinstance(one.found, CannotTell):
            shown.append(
                {"title": one.title, "value": "", "because": one.found.because, "mend": one.found.mend}
            )
        else:
            unit = "share" if one.found.unit == "share" else ""
            value = words.human(one.found.value, unit) + ("" if unit else " ×")
            shown.append({"title": one.title, "value": value, "because": "", "mend": ""})
    return shown
