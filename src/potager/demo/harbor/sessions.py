"""Sessions: around each thing that people do on purpose, the screens and smaller acts on the way there and back.

The background of a busy app, ten times the events that figures are made of. It falls on the same people, accounts and
days, so who was active when is the same with it and without; and it has a random stream of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from potager.demo.harbor import chance, vocabulary
from potager.demo.harbor.accounts import repeated
from potager.demo.harbor.calendar import SECONDS, Calendar, Real, Whole
from potager.demo.harbor.events import Events, events_table
from potager.demo.harbor.onboarding import Codes
from potager.demo.harbor.vocabulary import choose

BACKGROUND = 10.2
"""Mean number of events around one that was done on purpose."""
SECONDS_BETWEEN = 24.0
SIGNED_OUT = 0.35
"""Share of the longer sessions that end with signing out; others are left open."""
FOLLOWED = 0.45
"""How often a screen leads to the one it suggests next, instead of any."""
AT_ONCE = 65_536
"""About how many things done on purpose are made into sessions at once."""
_BY_HOUR = np.array([0.8, 1.05, 1.3, 1.3, 1.15, 0.8, 0.75, 1.0, 1.1, 1.05, 1.0, 0.9, 0.8])
"""How long sessions are by the hour they fall into, from seven in the morning on, about 1."""
_FIRST_HOUR = 7


@dataclass(frozen=True, slots=True)
class Sessions:
    """Everything that happens in the app: ``done`` on purpose and around it, made anew each time it is read."""

    calendar: Calendar
    done: Events
    seed: int

    def reader(self) -> pa.RecordBatchReader:
        """Return all events by time, some days at once: memory stays that of a few days, however many there are."""
        empty = _part(self.done, slice(0, 0))
        schema = events_table(self.calendar, empty).schema
        return pa.RecordBatchReader.from_batches(schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        token = chance.seed.set(self.seed)
        try:
            random, eager = chance.stream("sessions"), chance.stream("eagerness")
        finally:
            chance.seed.reset(token)
        eagerness = eager.gamma(4.0, 0.25, self.done.users)
        for days in _whole_days(self.done.second):
            part = _part(self.done, days)
            table = events_table(self.calendar, _merged(part, _around(random, part, eagerness)))
            yield from table.to_batches()


def _whole_days(second: Whole) -> Iterator[slice]:
    """Yield slices of about :data:`AT_ONCE` events that end where a day ends; a session never goes past midnight."""
    begin = 0
    while begin < len(second):
        last = second[min(begin + AT_ONCE, len(second)) - 1]
        end = int(np.searchsorted(second, (last // SECONDS + 1) * SECONDS))
        yield slice(begin, end)
        begin = end


def _part(done: Events, rows: slice) -> Events:
    return replace(
        done,
        owner=done.owner[rows],
        user=done.user[rows],
        kind=done.kind[rows],
        second=done.second[rows],
        platform=done.platform[rows],
        version=done.version[rows],
    )


def _around(random: np.random.Generator, done: Events, eagerness: Real) -> Events:
    """Return what happens around each event, session after session, in order within each."""
    hour = done.second % SECONDS // 3600 - _FIRST_HOUR
    count = random.poisson(BACKGROUND * eagerness[done.user] * _BY_HOUR[hour])
    session, ordinal = repeated(count)
    gaps = 1 + (random.standard_exponential(len(session), dtype=np.float32) * SECONDS_BETWEEN).astype(
        np.int64
    )
    passed = np.cumsum(gaps)
    starts = np.cumsum(count) - count
    # Each session begins somewhat before what it is for, and goes on after it.
    before = random.integers(5, 120, len(done))
    begun = passed[np.minimum(starts, max(len(passed) - 1, 0))] if len(passed) else starts
    second = (done.second - before - begun)[session] + passed
    second = np.clip(second, *_day_of(done.second[session]))
    return Events(
        done.owner[session],
        done.user[session],
        _kinds(random, session, ordinal, count),
        second,
        done.platform[session],
        done.version[session],
        done.versions,
        done.users,
    )


def _day_of(second: Whole) -> tuple[Whole, Whole]:
    first = second // SECONDS * SECONDS
    return first, first + SECONDS - 1


def _kinds(random: np.random.Generator, session: Whole, ordinal: Whole, count: Whole) -> Codes:
    """Return what happens: opening first, then screens that lead to each other, some of the longer ones signed out."""
    opened = vocabulary.SCREENS.index("opened the app")
    kind = choose(random, vocabulary.SCREEN_SHARES, len(session))
    kind[ordinal == 0] = opened
    suggested = np.array(vocabulary.SUGGESTED, dtype=np.int8)
    leads = random.random(len(session), dtype=np.float32) < FOLLOWED
    kind[1:] = np.where(leads[1:], suggested[kind[:-1]], kind[1:])
    kind[ordinal == 0] = opened
    ends = random.random(len(count)) < SIGNED_OUT
    last = (ordinal == count[session] - 1) & (ordinal >= 3) & ends[session]
    kind[last] = vocabulary.SCREENS.index("signed out")
    return (kind + len(vocabulary.EVENTS)).astype(np.int8)


def _merged(done: Events, around: Events) -> Events:
    """Return both by time; what was done on purpose keeps its order."""
    second = np.concatenate([done.second, around.second])
    order = np.argsort(second, kind="stable")
    owner, user, kind, platform, version = (
        np.concatenate([getattr(done, name), getattr(around, name)])[order]
        for name in ("owner", "user", "kind", "platform", "version")
    )
    return Events(owner, user, kind, second[order], platform, version, done.versions, done.users)
