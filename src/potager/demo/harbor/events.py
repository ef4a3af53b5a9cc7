"""What people do in the product: busy accounts do more, most of it on weekdays, on the version they have by then.

These are the things that are done on purpose. What is looked at on the way there, :mod:`potager.demo.harbor.sessions`
adds around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from potager.demo.harbor import vocabulary
from potager.demo.harbor.accounts import Accounts, repeated
from potager.demo.harbor.calendar import SECONDS, Calendar, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.onboarding import Codes
from potager.demo.harbor.vocabulary import choose

EVENTS_A_DAY = 1.0
USERS_BY_SIZE = (1, 2, 4, 7)
SLOWEST_UPDATE = 10.0
"""Mean days that a person waits before they update the app."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events as numbers, by time: ``second`` counts from the first day's begin, ``kind`` is a place in EVENTS.

    A web browser's version is the last of ``versions``.
    """

    owner: Whole
    user: Whole
    kind: Codes
    second: Whole
    platform: Codes
    version: Codes
    versions: tuple[str, ...]
    users: int

    def __len__(self) -> int:
        return len(self.second)


def happen(calendar: Calendar, held: Accounts) -> Events:
    """Return what people did on purpose, by time."""
    random = stream("events")
    users = np.array(USERS_BY_SIZE)[held.size]
    first_user = np.cumsum(users) - users
    lived = np.maximum(held.ends - held.starts, 0)
    owner, _ = repeated(random.poisson(lived * held.activity * EVENTS_A_DAY))
    day = held.starts[owner] + (random.random(len(owner)) * lived[owner]).astype(np.int64)
    busyness = calendar.busyness
    kept = random.random(len(owner)) < (busyness / busyness.max())[day]
    owner, day = owner[kept], day[kept]
    second = day * SECONDS + random.integers(7 * 3600, 20 * 3600, len(day))
    order = np.argsort(second, kind="stable")
    owner, day, second = owner[order], day[order], second[order]
    user = first_user[owner] + (random.random(len(owner)) * users[owner]).astype(np.int64)
    platform = _platforms(held, users)[user]
    version, versions = _versions(calendar, day, user, platform, int(users.sum()))
    kind = choose(random, vocabulary.EVENT_SHARES, len(day))
    return Events(owner, user, kind, second, platform, version, (*versions, "web"), int(users.sum()))


def events_table(calendar: Calendar, done: Events) -> pa.Table:
    """Return one row per event."""
    keys = vocabulary.account_keys(np.arange(int(done.owner.max(initial=0)) + 1))
    return pa.table(
        {
            "account_id": vocabulary.taken(keys, done.owner),
            "user_id": pa.array(done.user + 1),
            "event": vocabulary.taken(pa.array(vocabulary.EVERY_EVENT), done.kind),
            "occurred_at": calendar.moments(done.second),
            "platform": vocabulary.taken(pa.array(vocabulary.PLATFORMS), done.platform),
            "app_version": vocabulary.taken(pa.array(done.versions), done.version),
        }
    )


def _platforms(held: Accounts, users: Whole) -> Codes:
    """Return the platform of every user: the first keeps the one that they applied on, colleagues have their own."""
    owner, ordinal = repeated(users)
    own = choose(stream("users"), vocabulary.PLATFORM_SHARES, len(owner))
    return np.where(ordinal == 0, held.platform[owner], own).astype(np.int8)


def _versions(
    calendar: Calendar, day: Whole, user: Whole, platform: Codes, users: int
) -> tuple[Codes, list[str]]:
    """Return the version that a user had on a day: people update some days after a release, the web at once."""
    out, versions = calendar.releases()
    waits = stream("updates").exponential(SLOWEST_UPDATE, users).astype(np.int64)
    version = np.maximum(np.searchsorted(out, day - waits[user], side="right") - 1, 0)
    return np.where(platform == vocabulary.WEB, len(versions), version).astype(np.int8), versions
