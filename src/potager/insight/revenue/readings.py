"""What a book says: the bridge of each month, ratios over a window, cohorts; each over whole months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from potager.engines.answers import CannotTell
from potager.engines.finance import (
    Bridge,
    CohortGrid,
    FinanceError,
    Ratio,
    average_revenue,
    bridges,
    cohort_grid,
    gross_revenue_retention,
    levels_between,
    logo_churn,
    logo_retention,
    net_revenue_retention,
    quick_ratio,
    revenue_churn,
    run_rate,
)
from potager.insight.revenue import queries
from potager.insight.revenue.models import Book
from potager.kit.errors import Conflict, Invalid

MOST_MONTHS = 120
WINDOW = 12


@dataclass(frozen=True)
class Told:
    """A ratio by the name people use, or why there is none."""

    key: str
    title: str
    found: Ratio | CannotTell


def plus_months(day: date, count: int) -> date:
    """Return the first day of the month that is ``count`` months after a day's month."""
    number = day.year * 12 + day.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def whole_until(book: Book) -> date:
    """Return the first day after the last month that is over in a book's load. Conflict where it was never loaded."""
    if book.through is None:
        raise Conflict(f"{book.name} was not loaded yet.", mend="Load it first.")
    after = book.through + timedelta(days=1)
    return after.replace(day=1)


def months(book: Book, policy: str, count: int = WINDOW) -> tuple[Bridge, ...]:
    """Return the bridges of the last whole months, oldest first."""
    if not 1 <= count <= MOST_MONTHS:
        raise Invalid(f"{count} months cannot be shown.", mend=f"Ask for 1 to {MOST_MONTHS}.")
    end = whole_until(book)
    edges = [plus_months(end, at) for at in range(-count, 1)]
    sums = queries.month_sums(book, policy, edges[0], end)
    # A month without a row is one in which nobody paid and nothing moved.
    nothing = dict.fromkeys(queries.MONTH_SUMS, 0)
    return tuple(
        Bridge(starts, ends, book.currency, **_renamed(sums.get(starts, nothing)))
        for starts, ends in pairwise(edges)
    )


def _renamed(sums: dict[str, int]) -> dict[str, int]:
    return {"currency_effect" if name == "currency" else name: cents for name, cents in sums.items()}


def bridge_between(book: Book, policy: str, since: date, until: date) -> Bridge:
    """Return the bridge of the days from ``since`` to ``until``, both in it."""
    if until < since:
        raise Invalid(f"The period ends on {until}, before it starts on {since}.", mend="Swap the two days.")
    return bridges(queries.moved(book, policy), [since, until + timedelta(days=1)], book.currency)[0]


def ratios(book: Book, policy: str, since: date | None = None, until: date | None = None) -> tuple[Told, ...]:
    """Return the ratios of the days from ``since`` to ``until``, both in it; of the last twelve whole months else.

    What customers were worth at the end of the day before ``since`` is compared with the end of ``until``.
    """
    end = whole_until(book)
    last = until or end - timedelta(days=1)
    first = since or plus_months(last + timedelta(days=1), -WINDOW)
    bridge = bridge_between(book, policy, first, last)
    levels = levels_between(queries.steps(book, policy), first - timedelta(days=1), last, book.currency)
    paying = int((levels.after > 0).sum())
    return (
        Told("net_revenue_retention", "NRR", net_revenue_retention(levels)),
        Told("gross_revenue_retention", "GRR", gross_revenue_retention(levels)),
        Told("logo_retention", "Logo retention", logo_retention(levels)),
        Told("logo_churn", "Logo churn", logo_churn(levels)),
        Told("revenue_churn", "Revenue churn", revenue_churn(levels)),
        Told("quick_ratio", "Quick ratio", quick_ratio(bridge, with_reactivation=True)),
        Told(
            "quick_ratio_without_reactivation",
            "Quick ratio, no reactivation",
            quick_ratio(bridge, with_reactivation=False),
        ),
        Told("arr", "ARR", run_rate(bridge.end)),
        Told("arpa", "ARPA", average_revenue(bridge.end, paying)),
    )


def cohorts(book: Book, policy: str, count: int = WINDOW) -> CohortGrid:
    """Return the grid of customers by the month of their first paid day, over the last whole months."""
    if not 1 <= count <= MOST_MONTHS:
        raise Invalid(f"{count} months cannot be shown.", mend=f"Ask for 1 to {MOST_MONTHS}.")
    end = whole_until(book)
    edges = [plus_months(end, at) for at in range(-count, 1)]
    try:
        return cohort_grid(queries.steps(book, policy), edges, book.currency, through=end - timedelta(days=1))
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error
