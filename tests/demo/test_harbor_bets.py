"""What is planted in Harbor is in its data, and the methods find it there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml

from potager.demo.chains import _DAYS, bets_of_harbor
from potager.demo.harbor.generate import Harbor, generate
from potager.demo.harbor.truth import BETS, Bet
from potager.demo.loading import apply_tree
from potager.engines.causal import Effect, arm_of_rows, compare_arms
from potager.engines.causal import Ledger as Settled
from potager.ground.lake.service import lake
from potager.insight.impact.ledger import Ledger, ledger
from potager.insight.impact.models import Observation
from potager.insight.metrics import actions as metrics
from potager.kit.clock import held as held_at
from tests.insight.lakes import own_lake, place_in

THROUGH = date(2026, 11, 22)
SEEDS = 20
BY_KEY = {bet.key: bet for bet in BETS}


def small(seed: int = 1, *, without: str = "") -> Harbor:
    bets = tuple(bet for bet in BETS if bet.key != without)
    return generate(THROUGH, accounts=1500, days=730, seed=seed, bets=bets)


def launched(bet: Bet) -> date:
    return THROUGH - timedelta(days=bet.launch - 1)


def paid(made: Harbor, bet: Bet, start: date, end: date) -> dict[str, float]:
    """Return the fees of the bet's kind by account in [start, end)."""
    fees = made.fees
    inside = pc.and_(
        pc.equal(fees["kind"], bet.kind),
        pc.and_(pc.greater_equal(fees["occurred_on"], start), pc.less(fees["occurred_on"], end)),
    )
    sums = fees.filter(inside).group_by("account_id").aggregate([("amount", "sum")])
    return dict(zip(sums["account_id"].to_pylist(), map(float, sums["amount_sum"].to_pylist()), strict=True))


def test_the_same_seed_gives_the_same_bank_and_another_one_another():
    once, again, other = small(1), small(1), small(2)
    for name, table in once.tables().items():
        assert table.equals(again.tables()[name]), name
    assert not once.fees.equals(other.fees)


@pytest.mark.parametrize("key", ["card-nudges", "friendlier-statements"])
def test_a_bet_that_does_nothing_changes_no_fee(key):
    assert BY_KEY[key].lift == 0.0
    assert small().fees.equals(small(without=key).fees)


@pytest.mark.parametrize("key", ["instant-transfers", "card-surcharge", "payment-runs", "new-receipts"])
def test_a_bet_moves_the_fees_that_it_reaches_by_what_is_planted_and_no_others(key):
    bet = BY_KEY[key]
    there, not_there = small(), small(without=key)
    everything = [paid(one, bet, date(2024, 1, 1), date(2027, 1, 1)) for one in (there, not_there)]
    moved = {who for who in everything[0] if everything[0][who] != everything[1].get(who)}
    treated = there.assignments.filter(
        pc.and_(
            pc.equal(there.assignments["experiment"], key), pc.equal(there.assignments["arm"], "treatment")
        )
    )["account_id"].to_pylist()
    if bet.experiment:
        assert moved and moved <= set(treated)
    if bet.regions:
        regions = dict(
            zip(there.accounts["account_id"].to_pylist(), there.accounts["region"].to_pylist(), strict=True)
        )
        assert moved and {regions[who] for who in moved} <= set(bet.regions)
    start = launched(bet) + timedelta(days=bet.late + max(bet.regions.values(), default=0))
    with_it, without = (paid(one, bet, start, THROUGH) for one in (there, not_there))
    share = sum(with_it[who] for who in moved if who in with_it) / sum(
        without[who] for who in moved if who in without
    )
    assert share == pytest.approx(1 + bet.lift, abs=0.01)
    before = [paid(one, bet, date(2024, 1, 1), launched(bet)) for one in (there, not_there)]
    assert before[0] == before[1]


def test_experiments_find_what_was_planted_within_their_intervals():
    held = []
    for seed in range(SEEDS):
        made = small(seed)
        for key in ("instant-transfers", "card-nudges"):
            bet = BY_KEY[key]
            start = launched(bet)
            end = start + timedelta(days=180)
            after, before = paid(made, bet, start, end), paid(made, bet, start - timedelta(days=180), start)
            usual = paid(small(seed, without=key), bet, start, end)
            effect, truth = _compared(made.assignments, key, after, before, usual)
            held.append(effect.low <= truth <= effect.high)
    # Of 40 intervals that hold 95 % of the time, fewer than 34 hold less than once in a thousand.
    assert sum(held) >= 34


def _compared(
    assignments: pa.Table,
    key: str,
    after: dict[str, float],
    before: dict[str, float],
    usual: dict[str, float],
) -> tuple[Effect, float]:
    arms = {}
    for arm in ("treatment", "control"):
        chosen = pc.and_(pc.equal(assignments["experiment"], key), pc.equal(assignments["arm"], arm))
        arms[arm] = assignments.filter(chosen)["account_id"].to_pylist()
    sums = {
        arm: arm_of_rows(
            np.array([after.get(who, 0.0) for who in units]),
            x=np.array([before.get(who, 0.0) for who in units]),
        )
        for arm, units in arms.items()
    }
    effect = compare_arms(sums["treatment"], sums["control"])
    assert isinstance(effect, Effect)
    treated = arms["treatment"]
    truth = float(np.mean([after.get(who, 0.0) - usual.get(who, 0.0) for who in treated]))
    return effect, truth


def test_every_bet_that_is_told_of_is_planted_and_dated_alike():
    text = files("potager.demo").joinpath("harbor", "bets.yml").read_text("utf-8")
    told = yaml.safe_load(
        _DAYS.sub(lambda found: (THROUGH - timedelta(days=int(found[1]) - 1)).isoformat(), text)
    )
    assert {bet["key"] for bet in told} == set(BY_KEY)
    for bet in told:
        assert str(bet["launched_on"]) == launched(BY_KEY[bet["key"]]).isoformat()
        assert bet["metric"] == f"{BY_KEY[bet['key']].kind}_revenue"


@pytest.fixture
def settled(ada: Any, settings: Any, tmp_path: Any) -> Iterator[Ledger]:
    """The ledger of a small Harbor whose bets were observed as the demonstration observes them."""
    folder = files("potager.demo").joinpath("harbor")
    after = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with own_lake(settings, place_in(tmp_path)), held_at(after):
        for name, rows in small().tables().items():
            lake().overwrite(name, rows, load_id="one")
        text = folder.joinpath("semantic.yml").read_text("utf-8")
        metrics.publish(actor=ada.actor, name="harbor.yml", namespace="harbor", text=text)
        apply_tree(ada.actor, yaml.safe_load(folder.joinpath("tree.yml").read_text("utf-8")))
        bets_of_harbor(ada.actor, THROUGH, lambda _: None)
        yield ledger(ada.actor, THROUGH)


def test_each_bet_is_read_by_the_design_that_it_was_shipped_with_or_cannot_be_told(settled):
    last: dict[str, Observation] = {}
    for seen in Observation.objects.filter(role="outcome").order_by("age"):
        last[seen.bet.key] = seen
    assert set(last) == set(BY_KEY)
    untold = last.pop("friendlier-statements")
    assert not untold.told and "what would have happened otherwise" in untold.refusal["because"]
    assert {key: seen.evidence for key, seen in last.items()} == {
        key: "experiment" if BY_KEY[key].experiment else "quasi_experiment" for key in last
    }


def test_claims_on_harbors_fees_add_up_with_the_rest_to_the_movement_and_never_exceed_it(settled):
    assert settled.movements
    for movement in settled.movements:
        made = movement.ledger
        assert isinstance(made, Settled)
        moved = movement.after - movement.before
        assert math.fsum([made.claimed, made.outside, made.unexplained]) == pytest.approx(moved, abs=1e-6)
        assert made.claimed <= max(moved - made.outside, 0.0) + 1e-6
    claiming = {part.key for movement in settled.movements for part in movement.parts}
    assert {"instant-transfers", "payment-runs"} <= claiming  # the two that move the same fees
    assert "friendlier-statements" not in claiming
