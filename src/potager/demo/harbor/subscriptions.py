"""Subscriptions: what an account agreed to pay for its plan, from its first deposit until it closes.

An account has up to two in a row: some cancel, and some of these come back. Each has a life, made here; what was agreed
on which of its days is in :mod:`potager.demo.harbor.agreements`. The plan of an account is the one it has at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from potager.demo.harbor import vocabulary
from potager.demo.harbor.accounts import Accounts
from potager.demo.harbor.calendar import Calendar, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.onboarding import Flags

START, TEAM, SCALE = range(len(vocabulary.PLANS))
BEGAN_FREE = 0.22
"""Share of Team accounts that were on the free plan for their first months."""
LEFT_FOR_FREE = 0.10
"""Share of free accounts that paid for Team at first, and canceled it for good."""
CAME_BACK = 0.09
"""Share of paying accounts that cancel and come back after a gap."""
SHORTEST_LIFE = 200
"""Days that an account has lived at the least, to be among those three."""
ASKED_BEFORE = 0.65
"""Share of cancellations that were asked for before the day they take effect; others end at once."""
LONGEST_NOTICE = 30
ENDING = 0.02
"""Share of the living that have asked to end soon after the last day."""
NEVER = np.iinfo(np.int64).max
"""A day that never comes."""


@dataclass(frozen=True, slots=True, eq=False)
class Subscriptions:
    """All subscriptions by account, and in time within each; days are numbers from the first day.

    ``ends`` and ``canceled`` are :data:`NEVER` where there is no end; ``first`` tells an account's first.
    """

    account: Whole
    number: Whole
    starts: Whole
    ends: Whole
    canceled: Whole
    plan: Whole
    currency: Whole
    size: Whole
    first: Flags

    def __len__(self) -> int:
        return len(self.account)


def subscribe(calendar: Calendar, held: Accounts) -> Subscriptions:
    """Return the subscriptions of the accounts that ever paid for a plan."""
    random = stream("subscriptions")
    count = len(held.starts)
    lived = np.maximum(held.ends - held.starts, 0)
    long = lived >= SHORTEST_LIFE
    fate, place, gap = random.random(count), random.random(count), random.random(count)
    plan = held.plan.astype(np.int64)
    free_first = long & (plan == TEAM) & (fate < BEGAN_FREE)
    left = long & (plan == START) & (fate < LEFT_FOR_FREE)
    back = long & (plan > START) & (fate >= BEGAN_FREE) & (fate < BEGAN_FREE + CAME_BACK)
    paying = (lived > 0) & ((plan > START) | left)
    # Everything that happens in between lies in the middle of the life, so that no stretch is empty.
    between = held.starts + (lived * (0.2 + 0.4 * place)).astype(np.int64)
    resumed = between + 20 + (lived * 0.3 * gap).astype(np.int64)
    closes = np.where(held.closed, held.ends, NEVER)
    starts = np.where(free_first, between, held.starts)
    ends = np.where(left | back, between, closes)
    account = np.concatenate([np.flatnonzero(paying), np.flatnonzero(back)])
    again = np.repeat([False, True], [int(paying.sum()), int(back.sum())])
    starts = np.where(again, resumed[account], starts[account])
    ends = np.where(again, closes[account], ends[account])
    order = np.lexsort((starts, account))
    account, again, starts, ends = account[order], again[order], starts[order], ends[order]
    ends, canceled = _canceled(calendar, random, starts, ends)
    return Subscriptions(
        account=account,
        number=again.astype(np.int64) + 1,
        starts=starts,
        ends=ends,
        canceled=canceled,
        plan=np.maximum(plan[account], TEAM),
        currency=_currencies(held)[account],
        size=held.size[account].astype(np.int64),
        first=~again,
    )


def _canceled(
    calendar: Calendar, random: np.random.Generator, starts: Whole, ends: Whole
) -> tuple[Whole, Whole]:
    """Return when subscriptions end and when that was asked for; some of the living end soon after the last day."""
    count = len(starts)
    notice = np.where(random.random(count) < ASKED_BEFORE, random.integers(1, LONGEST_NOTICE + 1, count), 0)
    soon = (ends == NEVER) & (random.random(count) < ENDING) & (calendar.days - starts > 60)
    asked = calendar.days - random.integers(1, 20, count)
    later = calendar.days + random.integers(1, LONGEST_NOTICE - 19, count)
    ends = np.where(soon, later, ends)
    canceled = np.where(ends == NEVER, NEVER, np.maximum(ends - notice, starts))
    return ends, np.where(soon, asked, canceled)


def _currencies(held: Accounts) -> Whole:
    """Return the currency that each account is billed in: euros, but for some near a border."""
    abroad = np.array(
        [vocabulary.BILLED_ABROAD.get(region, (0.0, 0.0, 0.0)) for region in vocabulary.REGIONS]
    )
    edges = np.cumsum(abroad[held.region], axis=1)
    drawn = stream("currencies").random(len(held.region))[:, None]
    place = (drawn >= edges).sum(axis=1)
    return np.where(place < edges.shape[1], place + 1, 0)
