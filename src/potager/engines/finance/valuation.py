"""What terms are worth a month under a policy, on every day: the step table that movements are made of.

A *step table* has one row for each day on which a customer's monthly value changes:

=========== ======= =====================================================================================
customer    any     whose
date        date32  the first day of the new value
cents       int64   monthly recurring revenue from that day on, in whole minor units
currency    string  of ``cents``; a customer who pays in two has two histories until they are converted
active      bool    whether a subscription is alive, even at a price of nothing; optional when read
revaluation int64   how much of the change is due to rates of currencies alone; optional when read
=========== ======= =====================================================================================

Before its first row a customer is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from potager.engines.finance.arrow import OPEN, dates, day_number, taken
from potager.engines.finance.intervals import UNITS
from potager.engines.finance.money import Flags, Whole, scaled
from potager.engines.finance.policies import Policy
from potager.engines.finance.terms import KINDS, STATES, Terms, read_terms


@dataclass(frozen=True, slots=True)
class TermValue:
    """What one row of terms is worth on a day: ``cents`` a month, and how it came about.

    ``gross`` and ``discount`` are for one billing interval; ``because`` says why it counts or does not.
    """

    customer: str
    subscription: str
    currency: str
    gross: int
    discount: int
    cents: int
    because: str


def discounts_counted(terms: Terms, policy: Policy) -> Whole:
    """Return what the policy lets discounts take off the price of one interval, shape (rows,)."""
    counted: Whole = np.zeros(len(terms), dtype=np.int64)
    for duration in sorted(policy.discounts):
        counted = counted + terms.offs[duration]
    return counted


def monthly_cents(terms: Terms, policy: Policy) -> Whole:
    """Return each row's monthly value if it counts, (rows,): (price × quantity − discounts) × months, rounded once.

    ``months`` is 1/12 for a year, 1/24 for two years, 26/12 for two weeks where the policy's year has 52 of them.
    """
    return _normalized(terms, policy, 1)


def yearly_cents(terms: Terms, policy: Policy) -> Whole:
    """Return each row's value a year if it counts, rounded once: $2,000.00 a year stays that, and not 12 × $166.67."""
    return _normalized(terms, policy, 12)


def _normalized(terms: Terms, policy: Policy, months: int) -> Whole:
    factors = [policy.months(unit) * months for unit in UNITS]
    numerator = np.array([factor.numerator for factor in factors], dtype=np.int64)[terms.unit]
    denominator = np.array([factor.denominator for factor in factors], dtype=np.int64)[terms.unit]
    return scaled(
        terms.gross - discounts_counted(terms, policy), numerator, denominator * terms.interval_count
    )


def counts(terms: Terms, policy: Policy) -> Flags:
    """Return whether each row counts under the policy by its state and kind, shape (rows,)."""
    states = {
        "active": True,
        "trialing": policy.trials,
        "past_due": policy.past_due,
        "unpaid": policy.unpaid,
        "paused": policy.paused,
    }
    kinds = {"recurring": True, "metered": policy.metered, "one_time": False}
    by_state = np.array([states[state] for state in STATES])[terms.state]
    result: Flags = by_state & np.array([kinds[kind] for kind in KINDS])[terms.kind]
    return result


def stretch(terms: Terms, policy: Policy) -> tuple[Whole, Whole]:
    """Return the first day each row counts and the first it does not, as the policy dates churn; shape (rows,) each."""
    match policy.churn_dated:
        case "request":
            return terms.starts, np.maximum(np.minimum(terms.ends, terms.canceled_on), terms.starts)
        case "period_end":
            paid = np.where(terms.paid_until < OPEN, terms.paid_until, terms.ends)
            return terms.starts, np.maximum(terms.ends, paid)
        case _:
            return terms.starts, terms.ends


def value_on(table: pa.Table, on: date, policy: Policy) -> tuple[TermValue, ...]:
    """Return what every row of terms that stands on a day is worth, and why; for showing, a handful of rows at a time.

    Raises :class:`FinanceError` as :func:`~potager.engines.finance.terms.read_terms`.
    """
    terms, day = read_terms(table), day_number(on)
    cents, counted, offs = (
        monthly_cents(terms, policy),
        counts(terms, policy),
        discounts_counted(terms, policy),
    )
    first, last = stretch(terms, policy)
    found = []
    for row in np.flatnonzero((terms.starts <= day) & (day < np.maximum(terms.ends, last))):
        state, kind = STATES[int(terms.state[row])], KINDS[int(terms.kind[row])]
        inside = bool(first[row] <= day < last[row])
        worth = int(cents[row]) if counted[row] and inside else 0
        if not inside:
            because = f"Asked to be canceled, which ends it under '{policy.name}'."
        elif not counted[row]:
            because = f"A {kind.replace('_', '-')} price that is {state.replace('_', ' ')} does not count."
        else:
            because = f"{state.replace('_', ' ').capitalize()} and counted."
        found.append(
            TermValue(
                customer=str(table["customer"][int(row)]),
                subscription=str(table["subscription"][int(row)]),
                currency=str(table["currency"][int(row)]),
                gross=int(terms.gross[row]),
                discount=int(offs[row]),
                cents=worth,
                because=because,
            )
        )
    return tuple(found)


def monthly_value(table: pa.Table | Terms, on: date, policy: Policy) -> dict[str, int]:
    """Return the monthly recurring revenue on a day under a policy, in minor units by currency."""
    return _total(read_terms(table), on, policy, monthly_cents)


def contracted_yearly_value(
    table: pa.Table | Terms, on: date, policy: Policy, *, shortest_months: int = 0
) -> dict[str, int]:
    """Return ARR in its second meaning: the sum of annualized contracts on a day, in minor units by currency.

    Each contract is taken for a year and rounded once, so it may differ by some cents from MRR × 12.
    ``shortest_months`` leaves out contracts billed for less time than that (12: yearly and longer only).
    """
    terms = read_terms(table)

    def of_contracts(terms: Terms, policy: Policy) -> Whole:
        months = (
            np.array([0, 0, 1, 12])[terms.unit] * terms.interval_count
        )  # days and weeks are below any month
        return np.where(months >= shortest_months, yearly_cents(terms, policy), 0)

    return _total(terms, on, policy, of_contracts)


def _total(terms: Terms, on: date, policy: Policy, value: Any) -> dict[str, int]:
    day = day_number(on)
    first, last = stretch(terms, policy)
    standing = counts(terms, policy) & (first <= day) & (day < last)
    cents = np.where(standing, value(terms, policy), 0)
    return {
        str(name): int(cents[terms.currency == code].sum())
        for code, name in enumerate(terms.currencies.to_pylist())
    }


def daily_steps(table: pa.Table | Terms, policy: Policy, *, through: date | None = None) -> pa.Table:
    """Return the step table of a table of terms under a policy, in order of customer, currency and date.

    ``through``: the last day to tell of; later changes that are already known (scheduled ends) are left out. A row
    appears only where the value or ``active`` changes. Raises :class:`FinanceError` for bad terms.
    """
    terms = read_terms(table)
    first, last = stretch(terms, policy)
    keep = counts(terms, policy) & (last > first)
    worth = monthly_cents(terms, policy)[keep]
    book = (terms.customer * max(len(terms.currencies), 1) + terms.currency)[keep]
    first, last = first[keep], last[keep]
    ended = last < OPEN
    books = np.concatenate([book, book[ended]])
    at = np.concatenate([first, last[ended]])
    change = np.concatenate([worth, -worth[ended]])
    alive = np.concatenate([np.ones(len(book), dtype=np.int64), -np.ones(int(ended.sum()), dtype=np.int64)])
    if through is not None:
        early = at <= day_number(through)
        books, at, change, alive = books[early], at[early], change[early], alive[early]
    books, at, (change, alive) = summed(books, at, (change, alive))
    level, living = running(books, change), running(books, alive)
    active = living > 0
    before, was = shifted(books, level), shifted(books, active.astype(np.int64)) > 0
    changed = (level != before) | (active != was)
    width = max(len(terms.currencies), 1)
    return pa.table(
        {
            "customer": taken(terms.customers, books[changed] // width),
            "date": dates(at[changed]),
            "cents": pa.array(level[changed]),
            "currency": taken(terms.currencies, books[changed] % width),
            "active": pa.array(active[changed]),
        }
    )


def summed(books: Whole, at: Whole, values: tuple[Whole, ...]) -> tuple[Whole, Whole, tuple[Whole, ...]]:
    """Return the values summed within each book and day, in order of book and day."""
    if not len(books):
        return books, at, values
    order = np.lexsort((at, books))
    books, at = books[order], at[order]
    new = np.flatnonzero(np.concatenate([[True], (books[1:] != books[:-1]) | (at[1:] != at[:-1])]))
    return books[new], at[new], tuple(np.add.reduceat(value[order], new) for value in values)


def running(books: Whole, change: Whole) -> Whole:
    """Return the running sum of ``change`` within each book; rows are in order of book and day."""
    if not len(books):
        return change
    total = np.cumsum(change)
    start = np.flatnonzero(np.concatenate([[True], books[1:] != books[:-1]]))
    carried = np.repeat(total[start] - change[start], np.diff(np.append(start, len(books))))
    result: Whole = total - carried
    return result


def shifted(books: Whole, value: Whole) -> Whole:
    """Return the value of the row before within each book, 0 for the first; rows are in order of book and day."""
    result: Whole = np.zeros(len(value), dtype=np.int64)
    if len(books):
        result[1:] = np.where(books[1:] == books[:-1], value[:-1], 0)
    return result
