"""What a page of buyers says and draws: the comparison as a sentence, and both grids."""

from __future__ import annotations

from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.behavior.shares import ShareDifference
from potager.insight.revenue.buyers import BuyersCell, BuyersGrid
from potager.insight.revenue.buyers_compare import BuyersComparison, Group
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.charts.heat import Cohort, cohort_grid

SMALLEST = 10
SHOWN = 13
KINDS = {
    "people": "Share of buyers who bought again, month by month",
    "revenue": "Net revenue of each month, as a share of the first month's",
}


def grid_chart(grid: BuyersGrid, kind: str) -> Chart | None:
    """Return the grid of the latest cohorts; none where there is no purchase.

    ``people``: who bought in a month of all of a cohort; ``revenue``: what a cohort brought in a month of its first.
    """
    named = []
    for one in grid.cohorts[-SHOWN:]:
        cells = [cell for cell in one.cells if cell.state != "unknown"]
        values = tuple(_share(cell, one.buyers, one.amount, kind) for cell in cells)
        named.append(
            Cohort(f"{one.month:%b %Y}", one.buyers, values, partial=cells[-1].state == "partial"),
        )
    if not any(one.size >= SMALLEST for one in named):
        return None
    return cohort_grid(named, title=KINDS[kind], size_unit="buyers", smallest=SMALLEST, as_of=grid.reach.last)


def _share(cell: BuyersCell, buyers: int, amount: float, kind: str) -> float | None:
    if kind == "people":
        return None if cell.buyers is None else cell.buyers / buyers
    return None if cell.amount is None or amount <= 0 else cell.amount / amount


def _points(difference: ShareDifference) -> str:
    """Return a range of a difference in percentage points."""
    low, high = sorted((abs(difference.low) * 100, abs(difference.high) * 100))
    return words.between(low, high, "pp")


def sentence(told: BuyersComparison) -> str:
    """Return which group came back more often, by how much, and how sure that is."""
    first, second = told.first.months.name, told.second.months.name
    found = told.difference
    if isinstance(found, CannotTell):
        return f"Whether buyers of {first} keep better than those of {second} cannot be told. {found.because}"
    shares = (
        f"{words.human(found.first.value, 'share')} of them bought again within {told.horizon} days, against "
        f"{words.human(found.second.value, 'share')}"
    )
    if found.low <= 0 <= found.high:
        return (
            f"Buyers of {first} cannot be told from those of {second} in how they keep: {shares}; the difference is "
            f"{words.between(found.low * 100, found.high * 100, 'pp')}."
        )
    better = "better" if found.value > 0 else "worse"
    by = words.human(abs(found.value) * 100, "pp")
    return (
        f"Buyers of {first} keep {better} than those of {second}: {shares}; {by} "
        f"{'more' if found.value > 0 else 'less'}, {_points(found)}."
    )


def group_rows(told: BuyersComparison) -> list[dict[str, Any]]:
    """Return both groups side by side: how many, who came back, the same by all who were watched for a while."""
    rows = []
    for group, found in zip((told.first, told.second), _shares(told), strict=True):
        curve = group.curve
        rows.append(
            {
                "name": group.months.name,
                "buyers": group.buyers,
                "watched": group.watched,
                "again": words.human(found.value, "share") if found else words.UNKNOWN,
                "again_range": words.between(found.low, found.high, "share") if found else "",
                "curve": words.UNKNOWN
                if isinstance(curve, CannotTell)
                else words.human(curve.value, "share"),
                "curve_range": ""
                if isinstance(curve, CannotTell)
                else words.between(curve.low, curve.high, "share"),
                "spent": _spent(group),
            }
        )
    return rows


def _shares(told: BuyersComparison) -> tuple[Any, Any]:
    found = told.difference
    return (None, None) if isinstance(found, CannotTell) else (found.first, found.second)


def _spent(group: Group) -> float | None:
    return group.spent.sum / group.spent.n if group.spent.n else None


def notes(told: BuyersComparison, currency: str) -> list[str]:
    """Return the other ways to look at it, each a sentence with its range or its refusal."""
    said = []
    curves = told.curves
    if isinstance(curves, CannotTell):
        said.append(f"By survival curves it cannot be told. {curves.because} {curves.mend}".strip())
    else:
        said.append(
            "By the survival curves of all buyers, each for as long as watched (Kaplan–Meier, Greenwood), the "
            f"difference is {words.signed(curves.value * 100, 'pp')}, "
            f"{words.between(curves.low * 100, curves.high * 100, 'pp')}."
        )
    spent = told.spent
    if isinstance(spent, CannotTell):
        said.append(f"What they spent cannot be compared. {spent.because} {spent.mend}".strip())
    else:
        ends = words.between(spent.difference.low, spent.difference.high, currency)
        told_apart = not spent.difference.low <= 0 <= spent.difference.high
        said.append(
            f"In the {told.horizon} days after the first day a buyer brought {words.human(spent.first, currency)} net "
            f"of cancellations on average, against {words.human(spent.second, currency)}: a difference {ends} (Welch"
            + ("; a few large buyers can make most of it)." if told_apart else ").")
        )
    if told.horizon > told.reached:
        said.append(
            f"Not everybody was watched for {told.horizon} days; the shares are of those who were, the curves of all."
        )
    return said


def age_rows(told: BuyersComparison) -> list[dict[str, Any]]:
    """Return the months that both groups have wholly lived, each with both shares and the difference."""
    return [
        {
            "age": one.age,
            "first": words.human(one.difference.first.value, "share"),
            "second": words.human(one.difference.second.value, "share"),
            "difference": words.signed(one.difference.value * 100, "pp"),
            "range": words.between(one.difference.low * 100, one.difference.high * 100, "pp"),
        }
        for one in told.ages
    ]
