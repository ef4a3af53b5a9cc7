"""What was agreed on which day of a subscription: plan, seats, price, discounts, billing, and when it was known.

Every attribute is a set of changes (which subscription, from which day, what value). Terms have a row wherever any of
them changes, so a new price, a seat more or the end of a discount is a new row, and the days before keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from potager.demo.harbor.accounts import repeated
from potager.demo.harbor.calendar import Calendar, Real, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.onboarding import Flags
from potager.demo.harbor.subscriptions import SCALE, TEAM, Subscriptions

TRIALS = 0.35
"""Share of first subscriptions that begin with a trial."""
TRIAL_DAYS = 14
YEARLY = 0.24
"""Share of subscriptions that are billed once a year, from the first day."""
TURNED_YEARLY = 0.05
"""Share of the others that turn to yearly billing after their first year."""
UPGRADED, DOWNGRADED = 0.22, 0.09
"""Shares of Scale subscriptions that began as Team, and of Team ones that began as Scale."""
SEATS_BY_SIZE = ((1, 1), (1, 2), (1, 5), (3, 9))
"""The fewest and the most seats at first, by the size of the business."""
SEAT_CHANGES_A_YEAR = (0.1, 0.9, 1.6, 2.5)
SEATS_ADDED = 0.7
"""Share of the changes of seats that add some; the others give some back."""
FOREVER, REPEATING, ONCE = 0.06, 0.16, 0.05
"""Shares of subscriptions with a discount that stays; of monthly ones with some months' discount; of yearly ones with
a first year's."""
PRICE_RISE_BEFORE_END = 400
"""Days from the rise of prices to the last day. New subscriptions pay more at once, others from their next renewal."""
PRICE_RISE = 12
"""Percent."""
RENEWALS = {False: 30, True: 365}
PAST_DUE = 0.05
"""Share of subscriptions of which an invoice was retried for some days, once."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Changes of one attribute: which subscription, from which day, to what; each has one on its first day."""

    subscription: Whole
    day: Whole
    value: Whole

    def at(self, subscription: Whole, day: Whole) -> Whole:
        """Return the value that holds for each subscription on each day."""
        most = int(max(self.day.max(initial=0), day.max(initial=0))) + 1
        keys = self.subscription * most + self.day
        # Of two changes on one day the later one given holds.
        order = np.argsort(keys, kind="stable")
        found = np.searchsorted(keys[order], subscription * most + day, side="right") - 1
        result: Whole = self.value[order][found]
        return result


def changes(made: Subscriptions, first: Whole, *later: tuple[Whole, Whole, Whole]) -> Changes:
    """Return the changes that begin with ``first`` and go on with (subscription, day, value), ``later`` ones last.

    A change before the first day or after the cancellation was asked for does not happen.
    """
    parts = [(np.arange(len(made)), made.starts, first)]
    for subscription, day, value in later:
        held = (day > made.starts[subscription]) & (day < made.canceled[subscription])
        parts.append((subscription[held], day[held], value[held]))
    columns = (np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True))
    return Changes(*columns)


def agree(calendar: Calendar, made: Subscriptions) -> dict[str, Changes]:
    """Return the changes of every attribute; no change lies after the last day."""
    random = stream("agreements")
    yearly = random.random(len(made)) < YEARLY
    return {
        "plan": _plans(calendar, random, made),
        "seats": _seats(calendar, random, made),
        "yearly": _billing(calendar, random, made, yearly),
        "risen": _prices(calendar, made, yearly),
        "state": _states(calendar, random, made),
        "forever": changes(made, _percents(random, made, FOREVER, (10, 15, 20))),
        **_passing_discounts(calendar, random, made, yearly),
    }


def _until(calendar: Calendar, made: Subscriptions) -> Whole:
    return np.minimum(made.canceled, calendar.days)


def _inside(calendar: Calendar, random: np.random.Generator, made: Subscriptions) -> Whole:
    """Return a day in the middle of each subscription."""
    share: Real = 0.2 + 0.6 * random.random(len(made))
    return made.starts + ((_until(calendar, made) - made.starts) * share).astype(np.int64)


def _known(calendar: Calendar, chosen: Flags, day: Whole, value: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the changes of the chosen subscriptions that lie before the end of the last day."""
    who = np.flatnonzero(chosen & (day < calendar.days))
    return who, day[who], value[who]


def _plans(calendar: Calendar, random: np.random.Generator, made: Subscriptions) -> Changes:
    drawn, day = random.random(len(made)), _inside(calendar, random, made)
    up = (made.plan == SCALE) & (drawn < UPGRADED)
    down = (made.plan == TEAM) & (drawn < DOWNGRADED)
    before = np.where(up, TEAM, np.where(down, SCALE, made.plan))
    return changes(made, before, _known(calendar, up | down, day, made.plan))


def _seats(calendar: Calendar, random: np.random.Generator, made: Subscriptions) -> Changes:
    fewest, most = np.array(SEATS_BY_SIZE).T
    first = random.integers(fewest[made.size], most[made.size] + 1)
    lived = np.maximum(_until(calendar, made) - made.starts, 0)
    count = random.poisson(np.array(SEAT_CHANGES_A_YEAR)[made.size] * lived / 365)
    who, _ = repeated(count)
    day = made.starts[who] + 1 + (random.random(len(who)) * lived[who]).astype(np.int64)
    order = np.lexsort((day, who))
    who, day = who[order], day[order]
    step = random.integers(1, 1 + np.maximum(first[who] // 3, 1), len(who))
    step = np.where(random.random(len(who)) < SEATS_ADDED, step, -step)
    total = np.cumsum(step)
    begins = np.cumsum(count) - count
    before = np.concatenate([[0], total])[begins]
    seats = np.maximum(first[who] + total - before[who], 1)
    inside = day < calendar.days
    return changes(made, first, (who[inside], day[inside], seats[inside]))


def _billing(calendar: Calendar, random: np.random.Generator, made: Subscriptions, yearly: Flags) -> Changes:
    turns = ~yearly & (random.random(len(made)) < TURNED_YEARLY)
    turned = _known(calendar, turns, made.starts + RENEWALS[True], np.ones(len(made), dtype=np.int64))
    return changes(made, yearly.astype(np.int64), turned)


def _prices(calendar: Calendar, made: Subscriptions, yearly: Flags) -> Changes:
    rise = calendar.days - PRICE_RISE_BEFORE_END
    every = np.where(yearly, RENEWALS[True], RENEWALS[False])
    renewal = made.starts + (np.maximum(rise - made.starts, 0) // every + 1) * every
    old = made.starts < rise
    return changes(
        made, (~old).astype(np.int64), _known(calendar, old, renewal, np.ones(len(made), dtype=np.int64))
    )


def _states(calendar: Calendar, random: np.random.Generator, made: Subscriptions) -> Changes:
    """Return the states: 0 active, 1 trialing, 2 past due."""
    zero = np.zeros(len(made), dtype=np.int64)
    trial = made.first & (random.random(len(made)) < TRIALS)
    owed = random.random(len(made)) < PAST_DUE
    begun = np.maximum(_inside(calendar, random, made), made.starts + TRIAL_DAYS + 1)
    settled = begun + random.integers(4, 22, len(made))
    return changes(
        made,
        trial.astype(np.int64),
        _known(calendar, trial, made.starts + TRIAL_DAYS, zero),
        _known(calendar, owed, begun, zero + 2),
        _known(calendar, owed, settled, zero),
    )


def _percents(
    random: np.random.Generator, made: Subscriptions, share: float, percents: Iterable[int]
) -> Whole:
    chosen = random.choice(np.array(list(percents)), len(made))
    result: Whole = np.where(random.random(len(made)) < share, chosen, 0)
    return result


def _passing_discounts(
    calendar: Calendar, random: np.random.Generator, made: Subscriptions, yearly: Flags
) -> dict[str, Changes]:
    """Return the discounts that end: some months' of monthly billing, the first year's of yearly billing."""
    zero = np.zeros(len(made), dtype=np.int64)
    repeating = np.where(yearly, 0, _percents(random, made, REPEATING, (20, 30, 50)))
    months = random.choice(np.array([3, 6, 12]), len(made))
    once = np.where(yearly, _percents(random, made, ONCE, (15, 25)), 0)
    return {
        "repeating": changes(
            made,
            repeating,
            _known(calendar, repeating > 0, made.starts + months * RENEWALS[False], zero),
        ),
        "once": changes(made, once, _known(calendar, once > 0, made.starts + RENEWALS[True], zero)),
    }


def stretches(
    made: Subscriptions, agreed: dict[str, Changes]
) -> tuple[Whole, Whole, Whole, dict[str, Whole]]:
    """Return the subscription, first day, first day no more and attributes of every stretch in which none changes."""
    most = int(max(part.day.max(initial=0) for part in agreed.values())) + 1
    keys = np.unique(np.concatenate([part.subscription * most + part.day for part in agreed.values()]))
    who, day = np.divmod(keys, most)
    held = {name: part.at(who, day) for name, part in agreed.items()}
    new = np.ones(len(who), dtype=np.bool_)
    new[1:] = who[1:] != who[:-1]
    for value in held.values():
        new[1:] |= value[1:] != value[:-1]
    who, day = who[new], day[new]
    ends = made.ends[who].copy()
    same = who[1:] == who[:-1]
    ends[:-1][same] = day[1:][same]
    return who, day, ends, {name: value[new] for name, value in held.items()}
