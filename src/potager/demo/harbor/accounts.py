"""Accounts: one for every approved application, with what the bank knows about it and how long it stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from potager.demo.harbor import vocabulary
from potager.demo.harbor.calendar import SECONDS, Calendar, Real, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.onboarding import Applications, Codes, Flags
from potager.demo.harbor.vocabulary import choose, words

LIFE = 2_000
"""Mean days that an account stays after its first six weeks."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts, in the order of their applications.

    ``starts`` is the day of the first deposit, ``ends`` the first day gone. An account without a first deposit never
    starts: ``starts`` is then the day after the last.
    """

    opened: Whole
    starts: Whole
    ends: Whole
    closed: Flags
    plan: Codes
    industry: Codes
    country: Codes
    region: Codes
    channel: Codes
    platform: Codes
    size: Codes
    activity: Real


def open_accounts(calendar: Calendar, made: Applications) -> Accounts:
    """Return the accounts of the approved applications."""
    random = stream("accounts")
    approved = np.flatnonzero(made.approved)
    count = len(approved)
    size = choose(random, vocabulary.SIZE_SHARES, count)
    chance = random.random(count)
    # The larger the business, the larger the plan, more often than not.
    plan = np.searchsorted([0.52, 0.88], chance + np.array([-0.06, 0.0, 0.14, 0.3])[size]).astype(np.int8)
    funded = made.funded[approved]
    starts = np.where(funded, made.deposited_at[approved] // SECONDS, calendar.days)
    ends = starts + 45 + random.exponential(LIFE, count).astype(np.int64)
    return Accounts(
        opened=made.approved_at[approved],
        starts=starts,
        ends=np.minimum(ends, calendar.days),
        closed=funded & (ends < calendar.days),
        plan=plan,
        industry=choose(random, vocabulary.INDUSTRY_SHARES, count),
        country=made.country[approved],
        region=_regions(made.country[approved]),
        channel=made.channel[approved],
        platform=made.platform[approved],
        size=size,
        activity=random.gamma(2.0, 0.5, count),
    )


def accounts_table(calendar: Calendar, held: Accounts) -> pa.Table:
    """Return one row per account."""
    return pa.table(
        {
            "account_id": vocabulary.account_keys(np.arange(len(held.opened))),
            "name": _names(held),
            "opened_at": calendar.moments(held.opened),
            "closed_on": calendar.dates(held.ends, known=held.closed),
            "plan": words(vocabulary.PLANS, held.plan),
            "industry": words(vocabulary.INDUSTRIES, held.industry),
            "country": words(vocabulary.COUNTRIES, held.country),
            "region": words(vocabulary.REGIONS, held.region),
            "channel": words(vocabulary.CHANNELS, held.channel),
            "size_band": words(vocabulary.SIZES, held.size),
        }
    )


def _regions(country: Codes) -> Codes:
    """Return the region of every account: one of the four of its country."""
    nearest = choose(stream("regions"), vocabulary.REGION_SHARES, len(country))
    return (country * len(vocabulary.REGION_SHARES) + nearest).astype(np.int8)


def _names(held: Accounts) -> pa.Array[Any]:
    """Return the names of the businesses: two words; the popular ones are numbered."""
    random = stream("names")
    # Some words are far more popular than others, as names are.
    popular = 1.0 / np.arange(1, len(vocabulary.FIRST_WORDS) + 1) ** 0.6
    first = random.choice(len(vocabulary.FIRST_WORDS), len(held.opened), p=popular / popular.sum())
    second = random.integers(0, len(vocabulary.TRADES[0]), len(held.opened))
    made = np.char.add(
        np.char.add(np.array(vocabulary.FIRST_WORDS)[first], " "),
        np.array(vocabulary.TRADES)[held.industry, second],
    )
    _, inverse, counts = np.unique(made, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    nth = np.empty(len(made), dtype=np.int64)
    nth[order] = np.arange(len(made)) - np.repeat(np.cumsum(counts) - counts, counts)
    numbered = np.char.add(np.char.add(made, " "), (nth + 1).astype(str))
    return pa.array(np.where(nth > 0, numbered, made), type=pa.string())


def repeated(counts: Whole) -> tuple[Whole, Whole]:
    """Return, for every repetition, whose it is and which one of theirs (from 0)."""
    owner = np.repeat(np.arange(len(counts)), counts)
    ordinal = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, ordinal
