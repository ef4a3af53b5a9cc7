"""What product bets did to the fees, and who was in their experiments and roll-outs."""

from __future__ import annotations

from contextvars import ContextVar

import numpy as np
import pyarrow as pa

from potager.demo.harbor import vocabulary
from potager.demo.harbor.accounts import Accounts
from potager.demo.harbor.calendar import Calendar, Real, Whole
from potager.demo.harbor.chance import stream
from potager.demo.harbor.onboarding import Codes, Flags
from potager.demo.harbor.truth import BETS, Bet
from potager.demo.harbor.vocabulary import account_keys, words

ARMS = ("control", "treatment")
planted: ContextVar[tuple[Bet, ...]] = ContextVar("planted", default=BETS)
"""The bets whose effects are in the fees; tests leave one out to see what it did."""


def launch_day(calendar: Calendar, bet: Bet) -> int:
    """Return the day a bet was launched on."""
    return calendar.days - bet.launch


def lifts(calendar: Calendar, held: Accounts, owner: Whole, day: Whole, kind: int) -> Real:
    """Return what the bets make of fees of a kind, by whose they are and when: 1 where nothing did anything."""
    factor: Real = np.ones(len(owner))
    for bet in planted.get():
        if bet.kind != vocabulary.KINDS[kind] or bet.lift == 0.0:
            continue
        starts = _starts(calendar, held, bet)[owner]
        factor[day >= starts] *= 1.0 + bet.lift
    return factor


def _starts(calendar: Calendar, held: Accounts, bet: Bet) -> Whole:
    """Return for every account the first day of a bet's effect; after the last day where it has none."""
    launch, never = launch_day(calendar, bet), calendar.days
    if bet.experiment:
        treated = _there(held, launch) & (_arms(held, bet) == 1)
        return np.where(treated, launch + bet.late, never)
    if bet.regions:
        by_region = np.array(
            [bet.regions.get(region, never) for region in vocabulary.REGIONS], dtype=np.int64
        )
        return launch + bet.late + by_region[held.region]
    return np.full(len(held.opened), launch + bet.late, dtype=np.int64)


def _there(held: Accounts, launch: int) -> Flags:
    """Return which accounts were customers for eight weeks at the launch: only those were in experiments."""
    return (held.starts + 56 <= launch) & (held.ends > launch)


def _arms(held: Accounts, bet: Bet) -> Codes:
    return stream(f"experiment {bet.key}").integers(0, len(ARMS), len(held.opened)).astype(np.int8)


def assignments_table(calendar: Calendar, held: Accounts) -> pa.Table:
    """Return one row per account in an experiment: its arm, and the day it was assigned."""
    tables = []
    for bet in BETS:
        if not bet.experiment:
            continue
        launch = launch_day(calendar, bet)
        inside = np.flatnonzero(_there(held, launch))
        tables.append(
            pa.table(
                {
                    "experiment": pa.array([bet.key] * len(inside), type=pa.string()),
                    "account_id": account_keys(inside),
                    "arm": words(ARMS, _arms(held, bet)[inside]),
                    "assigned_on": calendar.dates(np.full(len(inside), launch, dtype=np.int64)),
                }
            )
        )
    return pa.concat_tables(tables)


def rollouts_table(calendar: Calendar) -> pa.Table:
    """Return one row per region that a bet was rolled out to, with the day."""
    out = [
        (bet.key, region, launch_day(calendar, bet) + after)
        for bet in BETS
        for region, after in bet.regions.items()
    ]
    keys, regions, days = zip(*out, strict=True)
    return pa.table(
        {
            "rollout": pa.array(keys, type=pa.string()),
            "region": pa.array(regions, type=pa.string()),
            "started_on": calendar.dates(np.array(days, dtype=np.int64)),
        }
    )
