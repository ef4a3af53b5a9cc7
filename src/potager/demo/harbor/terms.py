"""Terms: what accounts agreed to pay, one row per stretch of days, as the finance engine reads them.

They are the source of recurring revenue. What :mod:`potager.demo.harbor.fees` charges for a plan is its base fee in
euros, whatever its seats, discounts and prices since: the bets are measured on fees, and these stay as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from potager.demo.harbor import vocabulary
from potager.demo.harbor.accounts import Accounts
from potager.demo.harbor.agreements import PRICE_RISE, agree, stretches
from potager.demo.harbor.calendar import Calendar, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.onboarding import Flags
from potager.demo.harbor.subscriptions import NEVER, subscribe
from potager.demo.harbor.vocabulary import account_keys, words
from potager.engines.finance import SCHEMA

MONTHS_PAID_A_YEAR = 10
"""What a year costs in months, where it is billed once a year."""
LATE = 0.04
"""Share of subscriptions that were written down days after they began."""
CORRECTED = 0.02
"""Share of stretches that were first written down with a seat too many, and corrected later."""
LATEST = 75
"""Days until the last of those was known."""
STATES = ("active", "trialing", "past_due")
UNITS = ("month", "year")


def terms_table(calendar: Calendar, held: Accounts) -> pa.Table:
    """Return the terms with their ``plan`` and the day they were known, ``known_at``; the free plan has none.

    Where a stretch was corrected it has two rows: the one known last (of an account, subscription and first day) holds.
    """
    made = subscribe(calendar, held)
    who, starts, ends, agreed = stretches(made, agree(calendar, made))
    known, wrong = _known(calendar, made.starts, who, starts, ends)
    # The rows that were wrong come once more, as they were first known.
    rows = np.concatenate([np.arange(len(who)), np.flatnonzero(wrong)])
    before = np.arange(len(rows)) >= len(who)
    order = np.lexsort((before, rows))
    rows, before = rows[order], before[order]
    who, starts, ends = who[rows], starts[rows], ends[rows]
    agreed = {name: value[rows] for name, value in agreed.items()}
    known = np.where(before, starts, known[rows])
    seats = agreed["seats"] + before
    unit = _unit_cents(agreed, made.currency[who])
    forever, repeating, once = _discounts(unit * seats, agreed)
    customers = account_keys(made.account[who])
    # An end is known on the rows that it ends, and on those that begin after it was asked for.
    canceled = made.canceled[who]
    asked = (canceled < NEVER) & (ends >= canceled)
    columns: dict[str, Any] = {
        "customer": customers,
        "subscription": _subscription_keys(customers, made.number[who]),
        "starts": calendar.dates(starts),
        "ends": calendar.dates(np.where(ends < NEVER, ends, 0), known=ends < NEVER),
        "currency": words(vocabulary.CURRENCIES, made.currency[who]),
        "unit_cents": pa.array(unit),
        "quantity": pa.array(seats),
        "interval_count": pa.array(np.ones(len(rows), dtype=np.int64)),
        "interval_unit": words(UNITS, agreed["yearly"]),
        "forever_off": pa.array(forever),
        "repeating_off": pa.array(repeating),
        "once_off": pa.array(once),
        "state": words(STATES, agreed["state"]),
        "kind": words(("recurring",), np.zeros(len(rows), dtype=np.int64)),
        "canceled_on": calendar.dates(np.where(asked, canceled, 0), known=asked),
        "paid_until": pa.nulls(len(rows), pa.date32()),
    }
    table = pa.table(columns, schema=SCHEMA)
    table = table.append_column("plan", words(vocabulary.PLANS, agreed["plan"]))
    return table.append_column("known_at", calendar.dates(known))


def _known(calendar: Calendar, begins: Whole, who: Whole, starts: Whole, ends: Whole) -> tuple[Whole, Flags]:
    """Return when each stretch was known as it is told now, and which ones were told otherwise before.

    ``begins`` is by subscription, the rest by stretch. Of a subscription written down late nothing was known before.
    """
    random = stream("known")
    late = random.random(len(begins)) < LATE
    written = np.where(late, begins + random.integers(5, LATEST + 1, len(begins)), begins)
    wrong = ~late[who] & (random.random(len(who)) < CORRECTED) & (ends - starts > 5)
    known = np.where(
        wrong, starts + random.integers(5, LATEST + 1, len(who)), np.maximum(starts, written[who])
    )
    # What is not known on the last day is not in the books: such a stretch is known in time, and rightly.
    possible = known < calendar.days
    return np.where(possible, known, starts), wrong & possible


def _unit_cents(agreed: dict[str, Whole], currency: Whole) -> Whole:
    price = np.array(vocabulary.SEAT_PRICES, dtype=np.int64)[agreed["plan"], currency]
    # Raised prices are whole: to the next ten.
    risen = -(-price * (100 + PRICE_RISE) // 1000) * 10
    monthly = np.where(agreed["risen"] == 1, risen, price)
    result: Whole = np.where(agreed["yearly"] == 1, monthly * MONTHS_PAID_A_YEAR, monthly)
    return result


def _discounts(gross: Whole, agreed: dict[str, Whole]) -> tuple[Whole, Whole, Whole]:
    """Return what discounts take off, in the engine's order, each from what the one before it left; half a cent up."""
    left, taken = gross, []
    for name in ("forever", "repeating", "once"):
        off = (left * agreed[name] + 50) // 100
        left = left - off
        taken.append(off)
    return taken[0], taken[1], taken[2]


def _subscription_keys(customers: pa.Array[Any], number: Whole) -> pa.Array[Any]:
    numbers = np.char.add("-", number.astype(str))
    return pa.array(np.char.add(customers.to_numpy(zero_copy_only=False).astype(str), numbers), pa.string())
