"""Values on chosen days: of every customer on a day, between two days, and at the ends of periods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from potager.engines.finance.arrow import OPEN, dates, day_number, taken
from potager.engines.finance.money import FinanceError, Whole, sums_by
from potager.engines.finance.movements import Steps, read_steps, rising
from potager.engines.finance.valuation import running, shifted


@dataclass(frozen=True, slots=True, eq=False)
class LevelPair:
    """What every customer was worth a month at the end of two days, in one currency, whole minor units.

    ``customers`` has n names; ``before`` and ``after`` have shape (n,). Who is worth nothing on both is left out.
    """

    starts: date
    ends: date
    currency: str
    customers: pa.Array[Any]
    before: Whole
    after: Whole


def dense_levels(steps: Steps, on: int, currency: int) -> Whole:
    """Return what each customer is worth at the end of day ``on`` in the currency at that place, shape (customers,)."""
    level: Whole = np.zeros(len(steps.customers), dtype=np.int64)
    rows = np.flatnonzero((steps.day <= on) & (steps.currency(steps.book) == currency))
    if len(rows):
        whose = steps.customer(steps.book[rows])
        last = np.append(whose[1:] != whose[:-1], True)  # rows are in order of customer and day
        level[whose[last]] = steps.cents[rows[last]]
    return level


def levels_between(table: pa.Table, starts: date, ends: date, currency: str) -> LevelPair:
    """Return each customer's value at the end of ``starts`` and at the end of ``ends``, from a step table.

    Raises :class:`FinanceError` where the days are the wrong way round.
    """
    return next(levels_in_windows(table, [(starts, ends)], currency))


def levels_in_windows(
    table: pa.Table, windows: Iterable[tuple[date, date]], currency: str
) -> Iterator[LevelPair]:
    """Yield :func:`levels_between` of each window, reading the steps once; for a series of trailing windows."""
    steps = read_steps(table)
    place = currency_place(steps, currency)
    for starts, ends in windows:
        if ends < starts:
            raise FinanceError(
                f"The window ends on {ends}, before it starts on {starts}.", "Swap the two days."
            )
        before = dense_levels(steps, day_number(starts), place)
        after = dense_levels(steps, day_number(ends), place)
        some = (before != 0) | (after != 0)
        names = taken(steps.customers, np.flatnonzero(some))
        yield LevelPair(starts, ends, currency, names, before[some], after[some])


def currency_place(steps: Steps, currency: str) -> int:
    """Return the currency's place among those of the steps; −1 where no row is in it."""
    names = steps.currencies.to_pylist()
    return names.index(currency) if currency in names else -1


def at_period_ends(table: pa.Table, boundaries: Sequence[date]) -> pa.Table:
    """Return the step table with at most one row a customer, currency and period [boundaries[i], boundaries[i + 1]).

    Each row is dated the period's last day and holds the value at its end, so movements within the period are netted (a
    customer who is new and gone within it does not appear). Days before the first boundary make the opening value,
    dated the day before it; days from the last boundary on are left out. Rates: where a customer pays at both ends of
    the period, the period's revaluations are carried; where not, all of the change is the customer's.
    """
    steps, edges = read_steps(table), rising(boundaries)
    inside = steps.day < edges[-1]
    book, cents, active = steps.book[inside], steps.cents[inside], steps.active[inside]
    period = np.searchsorted(edges, steps.day[inside], side="right")
    if not len(book):
        return _steps_table(steps, book, period, cents, active, cents)
    new = np.concatenate([[True], (book[1:] != book[:-1]) | (period[1:] != period[:-1])])
    last = np.append(new[1:], True)
    group = np.cumsum(new) - 1
    revalued = sums_by(group, steps.revaluation[inside], int(group[-1]) + 1)
    book, period, cents, active = book[last], period[last], cents[last], active[last]
    before = shifted(book, cents)
    both = (before > 0) & (cents > 0)
    # The kept value stays above nothing: rates alone never make a customer.
    revalued = np.where(both, np.maximum(before + revalued, 1) - before, 0)
    return _steps_table(steps, book, edges[period] - 1, cents, active, revalued)


def _steps_table(
    steps: Steps, book: Whole, day: Whole, cents: Whole, active: Any, revalued: Whole
) -> pa.Table:
    return pa.table(
        {
            "customer": taken(steps.customers, steps.customer(book)),
            "date": dates(day),
            "cents": pa.array(cents),
            "currency": taken(steps.currencies, steps.currency(book)),
            "active": pa.array(active, pa.bool_()),
            "revaluation": pa.array(revalued),
        }
    )


def without_brief_signups(table: pa.Table) -> pa.Table:
    """Return the step table without customers' first days where those began and ended in one calendar month.

    A customer who signs up, is gone within the month and later returns is new on the day of return; two brief stays at
    the beginning are both left out.
    """
    steps = read_steps(table)
    paying = steps.cents > 0
    was = shifted(steps.book, paying.astype(np.int64)) > 0
    begins = paying & ~was
    if not begins.any():
        return table
    stay = np.cumsum(begins) - 1  # which stay each row is in, counted over all customers
    book, since = steps.book[begins], steps.day[begins]
    until: Whole = np.full(len(since), OPEN, dtype=np.int64)
    gone = ~paying & was
    until[stay[gone]] = steps.day[gone]
    brief = (until < OPEN) & (_month(until) == _month(since))
    lasting_so_far = running(book, (~brief).astype(np.int64))
    left_out = lasting_so_far == 0
    own = (stay >= 0) & (book[np.maximum(stay, 0)] == steps.book)  # rows before a first stay belong to none
    keep = ~(own & left_out[np.maximum(stay, 0)])
    return _steps_table(
        steps,
        steps.book[keep],
        steps.day[keep],
        steps.cents[keep],
        steps.active[keep],
        steps.revaluation[keep],
    )


def _month(day: Whole) -> Whole:
    return np.asarray(day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))
