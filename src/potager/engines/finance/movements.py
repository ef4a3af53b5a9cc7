"""Movements: what each change of a customer's monthly value was, and the proof that they add up.

A *movement table* has one row for each movement: ``customer``, ``currency``, ``date`` (date32), ``kind`` and ``cents``
(int64, signed: what it adds to monthly recurring revenue, so contraction and churn are negative). The rules are the
field's (domain page 3.3; gaspwiki.pages.dev/v1/metrics/core)::

    new           0 → paying, never paid before          expansion    paying → paying more
    reactivation  0 → paying, paid earlier               contraction  paying → paying less
    churn         paying → 0                             currency     the same price at another rate

    start + new + expansion + reactivation − contraction − churn + currency = end,

for every customer on every day. Where ``free_customers_stay``, a customer who comes to pay nothing but keeps a
subscription contracts and, on paying again, expands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from potager.engines.finance.arrow import codes, dates, day_number, day_of, days, flags, places, taken, whole
from potager.engines.finance.money import FinanceError, Flags, Whole, sums_by
from potager.engines.finance.valuation import running, shifted

MovementKind = Literal["new", "expansion", "reactivation", "contraction", "churn", "currency"]
KINDS: tuple[MovementKind, ...] = get_args(MovementKind)
_NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A step table as arrays of shape (rows,) in order of book (a customer in a currency) and day."""

    customers: pa.Array[Any]
    currencies: pa.Array[Any]
    book: Whole
    day: Whole
    cents: Whole
    active: Flags
    revaluation: Whole

    def customer(self, book: Whole) -> Whole:
        """Return the customer's place of each book."""
        return book // max(len(self.currencies), 1)

    def currency(self, book: Whole) -> Whole:
        """Return the currency's place of each book."""
        return book % max(len(self.currencies), 1)


class OutOfBalanceError(ArithmeticError):
    """Movements do not lead from step to step: the first place where they do not, with both figures."""

    def __init__(self, customer: str, currency: str, on: date, stated: int, moved: int) -> None:
        super().__init__(
            f"The movements of '{customer}' add up to {moved} {currency} on {on}, and the value stated is {stated}: "
            f"{stated - moved} is missing."
        )
        self.customer, self.currency, self.on, self.stated, self.moved = customer, currency, on, stated, moved


@dataclass(frozen=True, slots=True)
class Bridge:
    """From the value at the start of ``starts`` to the value at the end of the day before ``ends``, in one currency.

    All amounts are whole minor units and positive as the field writes them; ``currency_effect`` has a sign.
    """

    starts: date
    ends: date
    currency: str
    start: int
    new: int
    expansion: int
    reactivation: int
    contraction: int
    churn: int
    currency_effect: int
    end: int

    @property
    def net_new(self) -> int:
        """New + reactivation + expansion − contraction − churn (mowt.pages.dev/tools/mrr-calculator), without rates."""
        return self.new + self.reactivation + self.expansion - self.contraction - self.churn

    @property
    def holds(self) -> bool:
        """Whether the start and the movements give the end."""
        return self.start + self.net_new + self.currency_effect == self.end


def read_steps(table: pa.Table) -> Steps:
    """Read a step table (columns: :mod:`potager.engines.finance.valuation`) into order.

    Raises :class:`FinanceError` for a missing column, an unknown or negative value, and two rows of one customer,
    currency and day.
    """
    for name in ("customer", "date", "cents", "currency"):
        if name not in table.column_names:
            raise FinanceError(f"The step table has no column '{name}'.", "Add it.")
        if table[name].null_count:
            raise FinanceError(
                f"The column '{name}' of the steps has unknown values.", "Load what is missing."
            )
    customer, customers = codes(table["customer"])
    currency, currencies = codes(table["currency"])
    book = customer * max(len(currencies), 1) + currency
    day, cents = days(table["date"]), whole(table["cents"])
    order = np.arange(len(book))
    if len(book) > 1 and not bool(
        ((book[1:] > book[:-1]) | ((book[1:] == book[:-1]) & (day[1:] > day[:-1]))).all()
    ):
        order = np.lexsort((day, book))
    book, day, cents = book[order], day[order], cents[order]
    steps = Steps(
        customers,
        currencies,
        book,
        day,
        cents,
        flags(table["active"])[order] if "active" in table.column_names else cents > 0,
        whole(table["revaluation"])[order] if "revaluation" in table.column_names else np.zeros_like(cents),
    )
    twice = np.flatnonzero((book[1:] == book[:-1]) & (day[1:] == day[:-1])) if len(book) > 1 else np.zeros(0)
    for wrong, what in ((np.flatnonzero(cents < 0), "a negative value"), (twice, "two values")):
        if len(wrong):
            at = int(wrong[0])
            raise FinanceError(
                f"'{_name(steps, at)}' has {what} on {day_of(int(day[at]))}.",
                "Give one value of 0 or more for each customer, currency and day.",
            )
    return steps


def movements(table: pa.Table, *, free_customers_stay: bool = False) -> pa.Table:
    """Return the movement table of a step table, in order of customer, currency, date and kind.

    Raises :class:`FinanceError` as :func:`read_steps`.
    """
    steps = read_steps(table)
    before = shifted(steps.book, steps.cents)
    settled = before + steps.revaluation  # what the customer paid before, at today's rates
    kind = classify(steps, settled, free_customers_stay=free_customers_stay)
    real = steps.cents - settled
    has_kind, has_currency = kind != _NONE, steps.revaluation != 0
    book = np.concatenate([steps.book[has_currency], steps.book[has_kind]])
    day = np.concatenate([steps.day[has_currency], steps.day[has_kind]])
    kinds = np.concatenate([np.full(int(has_currency.sum()), KINDS.index("currency")), kind[has_kind]])
    cents = np.concatenate([steps.revaluation[has_currency], real[has_kind]])
    if has_currency.any():
        order = np.lexsort((kinds, day, book))
        book, day, kinds, cents = book[order], day[order], kinds[order], cents[order]
    return movement_table(steps, book, day, kinds, cents)


def movement_table(steps: Steps, book: Whole, day: Whole, kinds: Whole, cents: Whole) -> pa.Table:
    """Return the movement table of arrays of shape (rows,), with the names ``steps`` knows."""
    return pa.table(
        {
            "customer": taken(steps.customers, steps.customer(book)),
            "currency": taken(steps.currencies, steps.currency(book)),
            "date": dates(day),
            "kind": taken(pa.array(KINDS), kinds),
            "cents": pa.array(cents),
        }
    )


def classify(steps: Steps, before: Whole, *, free_customers_stay: bool) -> Whole:
    """Return the place in :data:`KINDS` of each step from ``before`` to its value; −1 where nothing moved."""
    after = steps.cents
    paid = (running(steps.book, (after > 0).astype(np.int64)) - (after > 0)) > 0
    was_active = shifted(steps.book, steps.active.astype(np.int64)) > 0
    stays = steps.active & free_customers_stay
    place = KINDS.index
    return np.select(
        [
            after == before,
            (before <= 0) & ~paid,
            (before <= 0) & was_active & free_customers_stay,
            before <= 0,
            (after == 0) & ~stays,
            after > before,
        ],
        [_NONE, place("new"), place("expansion"), place("reactivation"), place("churn"), place("expansion")],
        place("contraction"),
    ).astype(np.int64)


def balance(steps: pa.Table, moved: pa.Table) -> int:
    """Check that the movements lead from step to step for every customer, currency and day; return how many days held.

    Raises :class:`OutOfBalanceError` at the first place, in order of date and then customer, where they do not.
    """
    keys = ["customer", "currency", "date"]
    both = pa.concat_tables([steps.select(keys), moved.select(keys)], promote_options="permissive")
    customer, customers = codes(both["customer"])
    currency, currencies = codes(both["currency"])
    day = days(both["date"])
    book = customer * max(len(currencies), 1) + currency
    order = np.lexsort((day, book))
    book, day = book[order], day[order]
    stated_here = order < len(steps)
    amount = np.concatenate([whole(steps["cents"]), whole(moved["cents"])])[order]
    if not len(book):
        return 0
    new = np.concatenate([[True], (book[1:] != book[:-1]) | (day[1:] != day[:-1])])
    place = np.cumsum(new) - 1
    count = int(place[-1]) + 1
    moved_to = running(book[new], sums_by(place, np.where(stated_here, 0, amount), count))
    is_step = np.zeros(count, dtype=np.bool_)
    np.logical_or.at(is_step, place, stated_here)
    level = sums_by(place, np.where(stated_here, amount, 0), count)
    # On a day without a step the last stated value still stands.
    last = np.maximum.accumulate(np.where(is_step, np.arange(count), -1))
    start = np.maximum.accumulate(
        np.where(np.concatenate([[True], book[new][1:] != book[new][:-1]]), np.arange(count), 0)
    )
    expected = np.where(last >= start, level[np.maximum(last, 0)], 0)
    wrong = np.flatnonzero(moved_to != expected)
    if len(wrong):
        at = int(wrong[np.lexsort((book[new][wrong], day[new][wrong]))[0]])
        whose, unit = divmod(int(book[new][at]), max(len(currencies), 1))
        raise OutOfBalanceError(
            str(customers[whose]),
            str(currencies[unit]),
            day_of(int(day[new][at])),
            int(expected[at]),
            int(moved_to[at]),
        )
    return count


def bridges(moved: pa.Table, boundaries: Sequence[date], currency: str) -> tuple[Bridge, ...]:
    """Return the bridge of each period [boundaries[i], boundaries[i + 1]) in one currency; all movements are counted.

    Raises :class:`FinanceError` where there are fewer than two boundaries or they do not rise.
    """
    edges = rising(boundaries)
    kept = moved.filter(pa.array(places(moved["currency"], (currency,)) == 0))
    day, cents = days(kept["date"]), whole(kept["cents"])
    kind = places(kept["kind"], KINDS)
    period = np.searchsorted(edges, day, side="right")  # 0 is before the first boundary
    width = len(KINDS)
    totals = sums_by(period * width + kind, cents, (len(edges) + 1) * width).reshape(len(edges) + 1, width)
    start = int(totals[0].sum())
    found = []
    for at in range(1, len(edges)):
        amount = {name: int(totals[at, place]) for place, name in enumerate(KINDS)}
        end = start + sum(amount.values())
        found.append(
            Bridge(
                starts=boundaries[at - 1],
                ends=boundaries[at],
                currency=currency,
                start=start,
                new=amount["new"],
                expansion=amount["expansion"],
                reactivation=amount["reactivation"],
                contraction=-amount["contraction"],
                churn=-amount["churn"],
                currency_effect=amount["currency"],
                end=end,
            )
        )
        start = end
    return tuple(found)


def rising(boundaries: Sequence[date]) -> Whole:
    """Return boundaries of periods as day numbers. Raises :class:`FinanceError` for too few or falling ones."""
    edges = np.array([day_number(day) for day in boundaries], dtype=np.int64)
    if len(edges) < 2 or bool((np.diff(edges) <= 0).any()):
        raise FinanceError("Periods need two boundaries or more, each after the one before.", "Sort them.")
    return edges


def _name(steps: Steps, row: int) -> str:
    return str(steps.customers[int(steps.customer(steps.book[row : row + 1])[0])])
