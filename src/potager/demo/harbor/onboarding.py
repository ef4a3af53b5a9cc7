"""Applications for an account: started, verified, approved, first deposit. Here the cause is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from potager.demo.harbor import vocabulary
from potager.demo.harbor.calendar import SECONDS, Calendar, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.truth import APPROVED, BROKEN_VERIFICATION, FUNDED_BY_CHANNEL
from potager.demo.harbor.vocabulary import account_keys, choose, words

Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
STAGED = (0.4, 0.75)
"""Share of new installations that get a new version on the first days that it is out; then all do."""


@dataclass(frozen=True, slots=True)
class Applications:
    """All applications, by the time they were started. Times are seconds since the first day began."""

    started: Whole
    verified_at: Whole
    approved_at: Whole
    deposited_at: Whole
    verified: Flags
    approved: Flags
    funded: Flags
    platform: Codes
    version: Whole
    country: Codes
    channel: Codes


def apply(calendar: Calendar, accounts: int) -> Applications:
    """Return as many applications as it takes to open exactly ``accounts`` accounts."""
    random = stream("applications")
    # Drawn in no order of time, so that cutting after the last account that is needed leaves the calendar as it is.
    count = int(accounts / APPROVED / BROKEN_VERIFICATION.verified_before * 1.15) + 500
    demand = calendar.demand * random.lognormal(0.0, 0.07, calendar.days)
    day = np.searchsorted(np.cumsum(demand / demand.sum())[:-1], random.random(count), side="right")
    platform = choose(random, vocabulary.PLATFORM_SHARES, count)
    version, versions = _version(random, calendar, day)
    verified = random.random(count) < _passing(platform, version, versions)
    approved = verified & (random.random(count) < APPROVED)
    channel = choose(random, vocabulary.CHANNEL_SHARES, count)
    funding = np.array([FUNDED_BY_CHANNEL[name] for name in vocabulary.CHANNELS])[channel]
    funded = approved & (random.random(count) < funding)
    started = day * SECONDS + random.integers(6 * 3600, 21 * 3600, count)
    verified_at = started + random.integers(120, 1_800, count)
    approved_at = verified_at + random.integers(60, 5_400, count)
    deposited_at = approved_at + (600 + random.exponential(5 * 3600, count)).astype(np.int64)
    country = choose(random, vocabulary.COUNTRY_SHARES, count)
    enough = int(np.searchsorted(np.cumsum(approved), accounts)) + 1
    order = np.argsort(started[:enough], kind="stable")
    return Applications(
        started=started[order],
        verified_at=verified_at[order],
        approved_at=approved_at[order],
        deposited_at=deposited_at[order],
        verified=verified[order],
        approved=approved[order],
        # Who has not paid in by the end of the last day may still do so: not known, and so not counted.
        funded=(funded & (deposited_at < calendar.days * SECONDS))[order],
        platform=platform[order],
        version=version[order],
        country=country[order],
        channel=channel[order],
    )


def _version(random: np.random.Generator, calendar: Calendar, day: Whole) -> tuple[Whole, list[str]]:
    """Return the version that each new installation gets: the newest, once its roll-out has reached it."""
    out, versions = calendar.releases()
    newest = np.searchsorted(out, day, side="right") - 1
    since = day - out[newest]
    reached = np.array([*STAGED, 1.0])[np.minimum(since, len(STAGED))]
    waits = random.random(len(day)) >= reached
    return np.maximum(newest - waits, 0).astype(np.int64), versions


def _passing(platform: Codes, version: Whole, versions: list[str]) -> NDArray[np.float64]:
    """Return the share of applications that pass the identity check."""
    cause = BROKEN_VERIFICATION
    broken = (platform == vocabulary.PLATFORMS.index(cause.platform)) & (
        version == versions.index(cause.app_version)
    )
    return np.where(broken, cause.verified_after, cause.verified_before)


def onboarding_table(calendar: Calendar, made: Applications) -> pa.Table:
    """Return one row per application: how far it came as yes or no, and when; steps not reached have no time."""
    count = len(made.started)
    _, versions = calendar.releases()
    opened = np.cumsum(made.approved)
    version = np.where(made.platform == vocabulary.WEB, len(versions), made.version)
    return pa.table(
        {
            "application_id": pa.array(np.arange(1, count + 1)),
            "account_id": pc.if_else(pa.array(made.approved), account_keys(opened - 1), None),
            "started_at": calendar.moments(made.started),
            "verified_at": calendar.moments(made.verified_at, known=made.verified),
            "approved_at": calendar.moments(made.approved_at, known=made.approved),
            "first_deposit_at": calendar.moments(made.deposited_at, known=made.funded),
            "platform": words(vocabulary.PLATFORMS, made.platform),
            "app_version": words([*versions, "web"], version),
            "verified": pa.array(made.verified),
            "approved": pa.array(made.approved),
            "activated": pa.array(made.funded),
            "country": words(vocabulary.COUNTRIES, made.country),
            "channel": words(vocabulary.CHANNELS, made.channel),
        }
    )
