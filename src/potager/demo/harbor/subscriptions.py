"""Subscriptions: what an account agreed to pay for its plan, from its first deposit until it closes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from potager.demo.harbor import vocabulary
from potager.demo.harbor.accounts import Accounts
from potager.demo.harbor.calendar import Calendar
from potager.demo.harbor.vocabulary import account_keys, words
from potager.engines.finance import SCHEMA


def terms_table(calendar: Calendar, held: Accounts) -> pa.Table:
    """Return one row per paid plan, as the finance engine reads them; the smallest plan costs nothing and has none."""
    fee = np.array(vocabulary.PLAN_FEES, dtype=np.int64)[held.plan]
    paying = np.flatnonzero((fee > 0) & (held.starts < calendar.days))
    count = len(paying)
    customers = account_keys(paying)

    def same(text: str) -> pa.Array[Any]:
        return pa.array(np.full(count, text, dtype=object), type=pa.string())

    def nothing() -> pa.Array[Any]:
        return pa.array(np.zeros(count, dtype=np.int64))

    ends = calendar.dates(held.ends[paying], known=held.closed[paying])
    columns = {
        "customer": customers,
        "subscription": customers,
        "starts": calendar.dates(held.starts[paying]),
        "ends": ends,
        "currency": same("EUR"),
        "unit_cents": pa.array(fee[paying]),
        "quantity": pa.array(np.ones(count, dtype=np.int64)),
        "interval_count": pa.array(np.ones(count, dtype=np.int64)),
        "interval_unit": same("month"),
        "forever_off": nothing(),
        "repeating_off": nothing(),
        "once_off": nothing(),
        "state": same("active"),
        "kind": same("recurring"),
        "canceled_on": ends,
        "paid_until": pa.nulls(count, pa.date32()),
    }
    return pa.table(columns, schema=SCHEMA).append_column("plan", words(vocabulary.PLANS, held.plan[paying]))
