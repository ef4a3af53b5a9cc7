"""Harbor's tables, generated in bulk from a fixed seed. The plant keeps its distance to the last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from potager.demo.truth import BROKEN_VERIFICATION

SEED = 20_240_229
DAYS = 3 * 365
ACCOUNTS = 8_000
PLATFORMS = ("android", "ios", "web")
COUNTRIES = ("Germany", "France", "Netherlands", "Spain", "Ireland")
CHANNELS = ("organic", "partner", "ads", "referral")
PLANS = ("Start", "Team", "Scale")
FEES = np.array([0.0, 19.0, 59.0])
EVENTS = ("signed in", "sent a payment", "made an invoice", "paid by card", "exported")


@dataclass(frozen=True)
class Harbor:
    """The generated tables, by name."""

    applications: pa.Table
    revenue: pa.Table
    events: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """Return the tables under the names they have in the lake."""
        return {
            "harbor.applications": self.applications,
            "harbor.revenue": self.revenue,
            "harbor.events": self.events,
        }


def generate(through: date, *, accounts: int = ACCOUNTS, days: int = DAYS) -> Harbor:
    """Return about ``accounts`` accounts over ``days`` days up to ``through``; the same for the same arguments."""
    random = np.random.default_rng(SEED)
    first = np.datetime64(through - timedelta(days=days - 1))
    applied, columns = _applications(random, accounts, days)
    activated = columns["activated"]
    opened = np.flatnonzero(activated)
    account = np.full(len(applied), -1)
    account[opened] = np.arange(len(opened))
    held = _Accounts(
        day=applied[opened],
        plan=random.choice(3, len(opened), p=[0.5, 0.36, 0.14]),
        country=columns["country"][opened],
        platform=columns["platform"][opened],
        activity=random.gamma(1.6, 0.62, len(opened)),
        ends=_ends(random, applied[opened], days),
    )
    return Harbor(
        applications=_application_table(random, first, applied, columns, account),
        revenue=_revenue(random, first, days, held),
        events=_events(random, first, days, held),
    )


@dataclass(frozen=True)
class _Accounts:
    day: Any
    plan: Any
    country: Any
    platform: Any
    activity: Any
    ends: Any


def _applications(random: np.random.Generator, accounts: int, days: int) -> tuple[Any, dict[str, Any]]:
    """Return the day of every application, and what it was like, sorted by day."""
    count = int(accounts / 0.56)
    weight = (
        np.linspace(0.5, 1.5, days) * np.tile([1.15, 1.2, 1.15, 1.1, 1.0, 0.55, 0.5], days // 7 + 1)[:days]
    )
    day = np.sort(random.choice(days, count, p=weight / weight.sum()))
    platform = random.choice(3, count, p=[0.42, 0.36, 0.22])
    version = 60 + (day * 15 // days)  # 6.0 … 7.4, one every ten weeks or so
    cause = BROKEN_VERIFICATION
    released = days - cause.days_before_the_end
    version = np.where((version >= 74) & (day < released), 73, version)
    version = np.where(day >= released, 74, version)
    broken = (platform == PLATFORMS.index(cause.platform)) & (version == 74)
    verified = random.random(count) < np.where(broken, cause.verified_after, cause.verified_before)
    channel = random.choice(4, count, p=[0.4, 0.22, 0.26, 0.12])
    approved = verified & (random.random(count) < 0.87)
    funded = np.array([0.78, 0.84, 0.62, 0.8])[channel]
    activated = approved & (random.random(count) < funded)
    return day, {
        "platform": platform,
        "version": version,
        "country": random.choice(5, count, p=[0.34, 0.24, 0.18, 0.15, 0.09]),
        "channel": channel,
        "verified": verified,
        "approved": approved,
        "activated": activated,
    }


def _ends(random: np.random.Generator, opened: Any, days: int) -> Any:
    life = random.exponential(1500, len(opened)) + 45
    return np.minimum(opened + life, days).astype(np.int64)


def _names(values: tuple[str, ...], codes: Any) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(values)).cast(pa.string())


def _days(first: np.datetime64, day: Any) -> Any:
    return pa.array(first + day.astype("timedelta64[D]"))


def _application_table(
    random: np.random.Generator, first: np.datetime64, day: Any, columns: dict[str, Any], account: Any
) -> pa.Table:
    moment = first.astype("datetime64[s]") + (
        day * 86_400 + random.integers(6 * 3600, 23 * 3600, len(day))
    ).astype("timedelta64[s]")
    versions = np.char.add(
        np.char.add((columns["version"] // 10).astype(str), "."), (columns["version"] % 10).astype(str)
    )
    return pa.table(
        {
            "application_id": pa.array(np.arange(len(day)) + 1),
            "applied_at": pa.array(moment.astype("datetime64[us]")),
            "platform": _names(PLATFORMS, columns["platform"]),
            "app_version": pa.array(np.where(columns["platform"] == 2, "web", versions)),
            "country": _names(COUNTRIES, columns["country"]),
            "channel": _names(CHANNELS, columns["channel"]),
            "verified": pa.array(columns["verified"]),
            "approved": pa.array(columns["approved"]),
            "activated": pa.array(columns["activated"]),
            "account_id": pa.array(account + 1, mask=account < 0),
        }
    )


def _spread(starts: Any, counts: Any) -> tuple[Any, Any]:
    """Return for every repetition whose it is, and which one of theirs."""
    owner = np.repeat(np.arange(len(starts)), counts)
    ordinal = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, ordinal


def _revenue(random: np.random.Generator, first: np.datetime64, days: int, held: _Accounts) -> pa.Table:
    """Return one line per monthly fee and per week of card and transfer fees, in whole cents."""
    months = np.maximum((held.ends - held.day + 29) // 30, 0)
    owner, ordinal = _spread(held.day, months)
    fee_day = held.day[owner] + ordinal * 30
    fee = FEES[held.plan[owner]]
    paid = (fee > 0) & (fee_day < held.ends[owner])
    weeks = np.maximum((held.ends - held.day) // 7, 0)
    user, week = _spread(held.day, weeks)
    use_day = held.day[user] + week * 7 + random.integers(0, 7, len(user))
    season = 1 + 0.18 * np.sin(2 * np.pi * (use_day / 365.25 - 0.2))
    amount = held.activity[user] * season * random.gamma(2.0, 1.1, len(user)) * (1 + 0.7 * held.plan[user])
    used = (use_day < days) & (amount > 0.02)
    kinds = np.where(random.random(len(user)) < 0.7, 1, 2)
    who = np.concatenate([owner[paid], user[used]])
    day = np.concatenate([fee_day[paid], use_day[used]])
    order = np.argsort(day, kind="stable")
    who = who[order]
    return pa.table(
        {
            "account_id": pa.array(who + 1),
            "occurred_on": _days(first, day[order]),
            "kind": _names(
                ("subscription", "card", "transfer"),
                np.concatenate([np.zeros(paid.sum(), int), kinds[used]])[order],
            ),
            "amount": pa.array(np.round(np.concatenate([fee[paid], amount[used]])[order], 2)),
            "plan": _names(PLANS, held.plan[who]),
            "country": _names(COUNTRIES, held.country[who]),
        }
    )


def _events(random: np.random.Generator, first: np.datetime64, days: int, held: _Accounts) -> pa.Table:
    """Return product events: busy accounts make more, most on weekdays."""
    counts = random.poisson(np.maximum(held.ends - held.day, 1) * held.activity * 0.42)
    owner, _ = _spread(held.day, counts)
    day = held.day[owner] + (random.random(len(owner)) * (held.ends[owner] - held.day[owner])).astype(
        np.int64
    )
    weekend = (day + int(first.astype("datetime64[D]").astype(int)) + 3) % 7 >= 5
    kept = (~weekend | (random.random(len(owner)) < 0.35)) & (day < days)
    owner, day = owner[kept], day[kept]
    order = np.argsort(day, kind="stable")
    owner, day = owner[order], day[order]
    second = day * 86_400 + random.integers(7 * 3600, 20 * 3600, len(day))
    return pa.table(
        {
            "account_id": pa.array(owner + 1),
            "occurred_at": pa.array(
                (first.astype("datetime64[s]") + second.astype("timedelta64[s]")).astype("datetime64[us]")
            ),
            "event": _names(EVENTS, random.choice(5, len(day), p=[0.45, 0.2, 0.12, 0.18, 0.05])),
            "platform": _names(PLATFORMS, held.platform[owner]),
            "plan": _names(PLANS, held.plan[owner]),
        }
    )
