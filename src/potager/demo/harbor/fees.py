"""What accounts pay: the plan every month, cards and transfers every week. All amounts are whole cents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from potager.demo.harbor import vocabulary
from potager.demo.harbor.accounts import Accounts, repeated
from potager.demo.harbor.bets import lifts
from potager.demo.harbor.calendar import Calendar, Real, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.truth import USE_BY_PLAN
from potager.demo.harbor.vocabulary import account_keys, words

NEW_FOR = 30
"""Days from its first deposit on for which an account is called new."""
CENTS_A_WEEK = (165.0, 80.0)
"""Mean fees of an account of the smallest plan: on card payments, on transfers."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """Fee lines of one kind."""

    owner: Whole
    day: Whole
    cents: Whole


def fees_table(calendar: Calendar, held: Accounts) -> pa.Table:
    """Return one row per fee charged, by day."""
    lines = [_subscriptions(held), *(_usage(calendar, held, kind) for kind in (1, 2))]
    owner, day, cents = (
        np.concatenate([getattr(part, name) for part in lines]) for name in ("owner", "day", "cents")
    )
    kind = np.repeat(np.arange(len(lines)), [len(part.owner) for part in lines])
    order = np.argsort(day, kind="stable")
    owner, day, cents, kind = owner[order], day[order], cents[order], kind[order]
    age = (day - held.starts[owner] >= NEW_FOR).astype(np.int64)
    return pa.table(
        {
            "fee_id": pa.array(np.arange(1, len(owner) + 1)),
            "account_id": account_keys(owner),
            "occurred_on": calendar.dates(day),
            "kind": words(vocabulary.KINDS, kind),
            "amount": _euros(cents),
            "plan": words(vocabulary.PLANS, held.plan[owner]),
            "country": words(vocabulary.COUNTRIES, held.country[owner]),
            "region": words(vocabulary.REGIONS, held.region[owner]),
            "account_age": words(vocabulary.AGES, age),
        }
    )


def _subscriptions(held: Accounts) -> _Lines:
    """Return the plan's fee on the first day and every 30 days after."""
    fee = np.array(vocabulary.PLAN_FEES)[held.plan]
    lived = np.maximum(held.ends - held.starts, 0)
    owner, month = repeated(np.where(fee > 0, (lived + 29) // 30, 0))
    return _Lines(owner, held.starts[owner] + 30 * month, fee[owner])


def _usage(calendar: Calendar, held: Accounts, kind: int) -> _Lines:
    """Return one line a week while the account lives, where anything was used."""
    random = stream(f"fees {vocabulary.KINDS[kind]}")
    lived = np.maximum(held.ends - held.starts, 0)
    owner, week = repeated((lived + 6) // 7)
    day = held.starts[owner] + 7 * week + random.integers(0, 7, len(owner))
    by_plan = np.array([USE_BY_PLAN[name] for name in vocabulary.PLANS])[held.plan]
    mean: Real = held.activity * by_plan * CENTS_A_WEEK[kind - 1]
    usual = mean[owner] * random.gamma(2.0, 0.5, len(owner))
    cents = np.rint(usual * lifts(calendar, held, owner, day, kind)).astype(np.int64)
    kept = (day < held.ends[owner]) & (cents > 0)
    # People use the bank as much on a busy day as its busyness says; the week's line lies on one of its days.
    kept[kept] &= random.random(int(kept.sum())) < 0.75 * calendar.busyness[day[kept]]
    return _Lines(owner[kept], day[kept], cents[kept])


def _euros(cents: NDArray[np.int64]) -> pa.Array[Any]:
    """Return exact euros with two decimals: sums agree to the cent, in whatever order they are added."""
    low_and_high = np.zeros((len(cents), 2), dtype=np.int64)
    low_and_high[:, 0] = cents  # amounts are not negative, so the high half of the 128 bits is zero
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(cents), [None, pa.py_buffer(low_and_high.data)])
