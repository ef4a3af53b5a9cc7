"""One Harbor from its seed: its bets read as the pages read them, beside what was planted in its fees."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from django.db import transaction

from potager.demo.chains import _DAYS
from potager.demo.harbor import chance
from potager.demo.harbor.accounts import open_accounts
from potager.demo.harbor.bets import planted
from potager.demo.harbor.calendar import DAYS, Calendar
from potager.demo.harbor.fees import fees_table
from potager.demo.harbor.generate import ACCOUNTS, Harbor, generate
from potager.demo.harbor.onboarding import apply
from potager.demo.harbor.truth import BETS, Bet
from potager.demo.loading import apply_tree
from potager.engines.causal import Ledger
from potager.ground.access.actors import Actor, actor_of
from potager.ground.access.models import User
from potager.ground.accounts.actions import set_up
from potager.ground.lake.service import lake
from potager.insight.impact import actions as impact
from potager.insight.impact.ledger import ledger
from potager.insight.impact.models import Observation
from potager.insight.impact.scaling import DAYS_IN
from potager.insight.impact.settling import Movement
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.periods import Grain, period_of, periods_between
from potager.kit.clock import held as held_at

THROUGH = date(2026, 11, 22)
READ = ("harbor.fees", "harbor.accounts", "harbor.assignments", "harbor.rollouts")
"""What designs read; the other tables only have to be there for the definitions."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a design said of a bet, in its own unit, and what was planted there; low and high are None for a refusal."""

    key: str
    design: str
    method: str
    truth: float | None
    estimate: float | None
    low: float | None
    high: float | None
    because: str = ""

    @property
    def held(self) -> bool | None:
        """Return whether the planted truth lies in the stated interval; None where none is stated."""
        if self.low is None or self.high is None or self.truth is None:
            return None
        return self.low <= self.truth <= self.high


@dataclass(frozen=True, slots=True)
class Account:
    """A movement's account: what was observed of it, granted, from outside and unexplained."""

    metric: str
    observed: float
    claimed: float
    outside: float
    unexplained: float

    @property
    def balanced(self) -> bool:
        """Return whether the parts add up to what was observed, to a cent in a billion."""
        total = math.fsum([self.claimed, self.outside, self.unexplained])
        return math.isclose(total, self.observed, rel_tol=1e-9, abs_tol=1e-6)

    @property
    def within(self) -> bool:
        """Return whether no more is granted than moved; what fell grants nobody a rise."""
        left = self.observed - self.outside
        slack = 1e-6 + 1e-9 * abs(left)
        return self.claimed <= max(left, 0.0) + slack and (left >= 0.0 or self.claimed >= left - slack)


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything read on one seed."""

    seed: int
    readings: tuple[Reading, ...]
    accounts: tuple[Account, ...]
    unread: tuple[str, ...]


@contextmanager
def the_day_after() -> Iterator[None]:
    """It is the day after the last one with data."""
    with held_at(datetime.combine(THROUGH + timedelta(days=1), time(12), UTC)):
        yield


def told_of() -> list[dict[str, Any]]:
    """Return Harbor's bets as its teams registered them, each looked at once: at its last age."""
    text = files("potager.demo").joinpath("harbor", "bets.yml").read_text("utf-8")
    dated = _DAYS.sub(lambda found: (THROUGH - timedelta(days=int(found[1]) - 1)).isoformat(), text)
    return [{**bet, "observe": bet["observe"][-1:]} for bet in yaml.safe_load(dated)]


def prepare() -> Actor:
    """Define Harbor's metrics and tree in this process's installation, and return its owner."""
    owner = User.objects.order_by("created_at").first() or set_up(
        email="bench@potager.example", name="Bench", password="only for measurements, in a folder thrown away"
    )
    actor = actor_of(owner, via="cli")
    for name, rows in generate(THROUGH, accounts=200, days=DAYS).tables().items():
        lake().overwrite(name, rows, load_id="definitions")
    folder = files("potager.demo").joinpath("harbor")
    with the_day_after(), transaction.atomic():
        text = folder.joinpath("semantic.yml").read_text("utf-8")
        metrics.publish(actor=actor, name="harbor.yml", namespace="harbor", text=text)
        apply_tree(actor, yaml.safe_load(folder.joinpath("tree.yml").read_text("utf-8")))
    return actor


def read_seed(actor: Actor, seed: int) -> Seed:
    """Generate one Harbor, observe its bets and settle its ledger; nothing of it is kept in the database."""
    made = generate(THROUGH, accounts=ACCOUNTS, days=DAYS, seed=seed)
    for name in READ:
        lake().overwrite(name, made.tables()[name], load_id=f"seed-{seed}")
    with the_day_after(), transaction.atomic():
        bets = impact.load_bets(actor=actor, bets=told_of())
        seen = {bet.key: bet.observations.get(role="outcome") for bet in bets}
        movements = ledger(actor, THROUGH).movements
        readings = tuple(_reading(made, bet, seen[bet.key], seed) for bet in BETS)
        transaction.set_rollback(True)
    settled = [one for one in movements if isinstance(one.ledger, Ledger)]
    unread = tuple(one.says for one in movements if not isinstance(one.ledger, Ledger))
    return Seed(seed, readings, tuple(_account(one) for one in settled), unread)


def _account(movement: Movement) -> Account:
    made = movement.ledger
    assert isinstance(made, Ledger) and movement.after is not None and movement.before is not None
    return Account(
        movement.metric.name,
        movement.after - movement.before,
        made.claimed,
        made.outside,
        made.unexplained,
    )


def _reading(made: Harbor, bet: Bet, seen: Observation, seed: int) -> Reading:
    design = "experiment" if bet.experiment else "regions" if bet.regions else "before and after"
    if not seen.told:
        because = str(seen.refusal.get("because", ""))
        return Reading(bet.key, design, "", None, None, None, None, because)
    return Reading(
        bet.key,
        design,
        seen.method,
        planted_in(made, bet, seen, seed),
        seen.estimate,
        seen.low,
        seen.high,
    )


def planted_in(made: Harbor, bet: Bet, seen: Observation, seed: int) -> float:
    """Return what a bet truly did to what its design measures: fees with it less fees without it, in the same unit.

    Of an experiment: per treated account and period of the metric. Of regions: per treated region and whole period after
    the start. Before and after: per whole period after the launch.
    """
    if bet.lift == 0.0:  # no fee differs then: tests/demo/test_harbor_bets.py
        return 0.0
    there = _moved(made, bet, seed)
    figures: Mapping[str, Any] = seen.figures
    if figures["kind"] == "arms":
        in_periods = seen.age / DAYS_IN[seen.metric.grain]
        return _sum(there, seen.start, seen.end) / int(figures["units"][0]) / in_periods
    if figures["kind"] == "event_study":
        return _of_waves(there, bet, seen)
    grain: Grain = figures["grain"]
    periods = [
        period_of(date.fromisoformat(start), grain) for start in figures["periods"][figures["start"] :]
    ]
    segments = int(figures.get("segments", [1])[0])
    return _sum(there, periods[0].start, periods[-1].end) / len(periods) / segments


def _of_waves(there: pa.Table, bet: Bet, seen: Observation) -> float:
    """Return the mean over every region and period from that of its start on, as averages by group and period weigh."""
    grain: Grain = seen.figures["grain"]
    total, cells = 0.0, 0
    for region, late in bet.regions.items():
        first = period_of(seen.start + timedelta(days=late), grain).start
        # A period that was not over on the last day looked at is in no average.
        if whole := [one for one in periods_between(first, seen.end, grain) if one.end <= seen.end]:
            total += _sum(there, first, whole[-1].end, region)
            cells += len(whole)
    return total / cells


def _moved(made: Harbor, bet: Bet, seed: int) -> pa.Table:
    """Return what the bet made of the fees of its kind, by region and day, in euros."""
    with duckdb.connect() as connection:
        connection.register("there", made.fees)
        connection.register("not_there", _fees_without(bet, seed))
        moved: pa.Table = connection.sql(
            "SELECT region, occurred_on, sum(amount)::DOUBLE AS amount FROM (SELECT region, occurred_on, kind, amount "
            "FROM there UNION ALL SELECT region, occurred_on, kind, -amount FROM not_there) WHERE kind = $kind "
            "GROUP BY ALL HAVING sum(amount) <> 0",
            params={"kind": bet.kind},
        ).to_arrow_table()
    return moved


def _fees_without(bet: Bet, seed: int) -> pa.Table:
    """Return the fees as they would have been without a bet; ``generate`` makes the same, and much that is not needed."""
    others = tuple(one for one in BETS if one.key != bet.key)
    before = chance.seed.set(seed), planted.set(others)
    try:
        calendar = Calendar(THROUGH, DAYS)
        return fees_table(calendar, open_accounts(calendar, apply(calendar, ACCOUNTS)))
    finally:
        chance.seed.reset(before[0])
        planted.reset(before[1])


def _sum(there: pa.Table, start: date, end: date, region: str = "") -> float:
    """Return what was moved from ``start`` to ``end``, both included, in one region or in all."""
    kept = pc.and_(
        pc.greater_equal(there["occurred_on"], pa.scalar(start)),
        pc.less_equal(there["occurred_on"], pa.scalar(end)),
    )
    if region:
        kept = pc.and_(kept, pc.equal(there["region"], pa.scalar(region)))
    return float(np.sum(there.filter(kept)["amount"].to_numpy()))
