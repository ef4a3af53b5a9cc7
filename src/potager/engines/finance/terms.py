"""Terms: one row for every stretch of days on which a subscription's price, quantity and state stay the same.

The table (one row a stretch, [``starts``, ``ends``)), which loaders make in bulk and
:func:`~potager.engines.finance.subscriptions.terms_of` makes from described subscriptions:

======================== ======== ===========================================================================
customer, subscription   any      whose; a subscription of several items has one name an item
starts, ends             date32   the first day, and the first day no more; null is open
currency                 string   of all money in the row, which is whole minor units
unit_cents, quantity     int64    the list price of one for one interval, and how many
interval_count           int64    with ``interval_unit`` (day, week, month, year) how often it is billed
forever_off,             int64    what discounts of that duration take off the price of one interval;
repeating_off, once_off           taken in this order, each from what the one before it left
state                    string   active, trialing, past_due, unpaid or paused
kind                     string   recurring, metered or one_time
canceled_on              date32   the day cancellation was asked for, on every row it was known for; null is none
paid_until               date32   on the subscription's last row: the end of the period that is paid; null is ``ends``
======================== ======== ===========================================================================

A changed price is a new row: the days before it keep theirs, so a price change never rewrites history. Proration and
refunds change what was invoiced and not what is agreed, so they make no row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from potager.engines.finance.arrow import codes, days, places, whole
from potager.engines.finance.intervals import UNITS
from potager.engines.finance.money import MOST_CENTS, FinanceError, Flags, Whole

State = Literal["active", "trialing", "past_due", "unpaid", "paused"]
Kind = Literal["recurring", "metered", "one_time"]
STATES: tuple[State, ...] = get_args(State)
KINDS: tuple[Kind, ...] = get_args(Kind)

_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("customer", pa.string()),
    ("subscription", pa.string()),
    ("starts", pa.date32()),
    ("ends", pa.date32()),
    ("currency", pa.string()),
    ("unit_cents", pa.int64()),
    ("quantity", pa.int64()),
    ("interval_count", pa.int64()),
    ("interval_unit", pa.string()),
    ("forever_off", pa.int64()),
    ("repeating_off", pa.int64()),
    ("once_off", pa.int64()),
    ("state", pa.string()),
    ("kind", pa.string()),
    ("canceled_on", pa.date32()),
    ("paid_until", pa.date32()),
]
SCHEMA = pa.schema(_COLUMNS)
_MAY_BE_NULL = ("ends", "canceled_on", "paid_until")


@dataclass(frozen=True, slots=True)
class BadTerms:
    """A row no figure may be made of: its place in the table, whose it is, what is wrong, and how to mend it."""

    row: int
    customer: str
    subscription: str
    because: str
    mend: str


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The table as arrays of shape (rows,): codes for texts (``customers[customer]`` is the text), days since 1970."""

    customers: pa.Array[Any]
    currencies: pa.Array[Any]
    customer: Whole
    subscription: Whole
    currency: Whole
    starts: Whole
    ends: Whole
    gross: Whole
    offs: dict[str, Whole]
    interval_count: Whole
    unit: Whole
    state: Whole
    kind: Whole
    canceled_on: Whole
    paid_until: Whole

    def __len__(self) -> int:
        return len(self.starts)


def read_terms(table: pa.Table | Terms) -> Terms:
    """Read a table of terms (the columns are this module's). Raises :class:`FinanceError` for the first bad row.

    What is read already is returned as it is: who asks several questions of one table reads it once.

    To set bad rows aside and go on with the rest, ask :func:`check_terms` first.
    """
    if isinstance(table, Terms):
        return table
    bad = check_terms(table)
    if bad:
        more = f" {len(bad) - 1} more of {len(table)} rows are wrong too." if len(bad) > 1 else ""
        raise FinanceError(bad[0].because + more, bad[0].mend)
    return _arrays(table)


def check_terms(table: pa.Table) -> tuple[BadTerms, ...]:
    """Return what is wrong with which rows, each with its sentence, in the order of the rows; empty where all is well.

    Raises :class:`FinanceError` where a column is missing or holds unknown values.
    """
    for name in SCHEMA.names:
        if name not in table.column_names:
            raise FinanceError(f"The table of terms has no column '{name}'.", "Add it; dates may be null.")
        if name not in _MAY_BE_NULL and table[name].null_count:
            raise FinanceError(
                f"The column '{name}' of the terms has unknown values.", "Load what is missing."
            )
    found: list[BadTerms] = []
    worded = {
        "unit": (table["interval_unit"], UNITS),
        "state": (table["state"], STATES),
        "kind": (table["kind"], KINDS),
    }
    for name, (column, allowed) in worded.items():
        _add(
            found,
            table,
            ~np.asarray(
                pc.is_in(column, value_set=pa.array(allowed)).to_numpy(zero_copy_only=False), dtype=np.bool_
            ),
            f"has a {name} that is none of {', '.join(allowed)}",
            "Map the source's word to one of these.",
        )
    if found:
        return tuple(sorted(found, key=lambda bad: bad.row))
    starts, ends = days(table["starts"]), days(table["ends"])
    price, quantity = whole(table["unit_cents"]), whole(table["quantity"])
    offs = [whole(table[name]) for name in ("forever_off", "repeating_off", "once_off")]
    sane = (price >= 0) & (quantity >= 0)
    # Checked in floating point first, as the product itself might not fit.
    huge = sane & (price.astype(np.float64) * quantity.astype(np.float64) >= MOST_CENTS)
    gross = np.where(sane & ~huge, price * np.where(huge, 0, quantity), 0)
    rules: list[tuple[Flags, str, str]] = [
        (
            ends < starts,
            "ends before it starts",
            "Check which of the two dates is wrong; it counts nowhere until then.",
        ),
        (quantity < 0, "has a negative quantity", "Write a refund as a refund, not as a negative sale."),
        (price < 0, "has a negative price", "Write what is taken off as a discount."),
        (huge, "has a price that is too large to be counted in 64 bits", "Check the price and the quantity."),
        (
            sane & ~huge & (sum(offs) > gross),
            "has a discount above the price",
            "Cap the discount at the price; a customer who pays nothing is on a free plan, not owed money.",
        ),
        (np.minimum.reduce(offs) < 0, "has a negative discount", "Write a surcharge as a price of its own."),
        (whole(table["interval_count"]) < 1, "has a billing interval below 1", "Write 1 or more."),
    ]
    for wrong, what, mend in rules:
        _add(found, table, wrong, what, mend)
    customer, subscription = codes(table["customer"])[0], codes(table["subscription"])[0]
    for wrong, what, mend in _rules_between_rows(
        customer, subscription, codes(table["currency"])[0], starts, ends
    ):
        _add(found, table, wrong, what, mend)
    return tuple(sorted(found, key=lambda bad: bad.row))


def _rules_between_rows(
    customer: Whole, subscription: Whole, currency: Whole, starts: Whole, ends: Whole
) -> list[tuple[Flags, str, str]]:
    """Return the rules that compare a row with the one before it of the same subscription."""
    overlaps, currencies = np.zeros(len(starts), dtype=np.bool_), np.zeros(len(starts), dtype=np.bool_)
    order = np.lexsort((ends, starts, subscription, customer))
    same = (customer[order][1:] == customer[order][:-1]) & (
        subscription[order][1:] == subscription[order][:-1]
    )
    # A stretch without days (ends on its start) holds nothing and overlaps nothing.
    held = (ends > starts)[order]
    over = same & (starts[order][1:] < ends[order][:-1]) & held[1:] & held[:-1]
    differ = currency[order][1:] != currency[order][:-1]
    overlaps[order[1:]] = over & ~differ
    currencies[order[1:]] = over & differ
    return [
        (
            overlaps,
            "has two prices on the same day",
            "End the earlier stretch where the later one starts, or name its items as subscriptions of their own.",
        ),
        (
            currencies,
            "is billed in two currencies at once",
            "Split it into one subscription a currency; amounts of two currencies are never added.",
        ),
    ]


def _add(found: list[BadTerms], table: pa.Table, wrong: NDArray[Any], what: str, mend: str) -> None:
    for row in np.flatnonzero(wrong):
        name, whose = str(table["subscription"][int(row)]), str(table["customer"][int(row)])
        because = f"The subscription '{name}' of '{whose}' {what} (row {int(row) + 1})."
        found.append(BadTerms(int(row), whose, name, because, mend))


def _arrays(table: pa.Table) -> Terms:
    customer, customers = codes(table["customer"])
    currency, currencies = codes(table["currency"])
    return Terms(
        customers=customers,
        currencies=currencies,
        customer=customer,
        subscription=codes(table["subscription"])[0],
        currency=currency,
        starts=days(table["starts"]),
        ends=days(table["ends"]),
        gross=whole(table["unit_cents"]) * whole(table["quantity"]),
        offs={name: whole(table[f"{name}_off"]) for name in ("forever", "repeating", "once")},
        interval_count=whole(table["interval_count"]),
        unit=places(table["interval_unit"], UNITS),
        state=places(table["state"], STATES),
        kind=places(table["kind"], KINDS),
        canceled_on=days(table["canceled_on"]),
        paid_until=days(table["paid_until"]),
    )
