"""What bets cost and returned: claims never exceed the movement, caps are explained, ranges add up."""

from __future__ import annotations

import math
from datetime import date

import pytest

from potager.engines.answers import CannotTell
from potager.engines.causal import Ledger as Settlement
from potager.insight.impact import actions
from potager.insight.impact.ledger import ledger
from potager.insight.impact.resources import outside
from potager.insight.impact.to_money import Worth, month_factors
from tests.insight.impact.worlds import LAST, LAUNCH, PLANTED

COST = {"team": "Onboarding", "start": date(2024, 4, 1), "end": date(2024, 6, 30), "people_months": 0.5,
        "rate_low": 8000, "rate": 9000, "rate_high": 11000, "tools": 300, "cloud": 200}  # fmt: skip


def observed(app, **given):
    bet = app.launched(**given)
    actions.record_investment(actor=app.actor, values={**COST, "bet": bet.key})
    actions.observe(actor=app.actor, bet=bet, age=180)
    return bet


def test_a_bet_returns_what_was_planted_for_every_week_discounted(app):
    bet = observed(app)
    line = ledger(app.actor, LAST).lines[0]
    assert isinstance(line.worth, Worth)
    seen = bet.observations.get()
    assert seen.low < PLANTED < seen.high
    weekly = seen.estimate * seen.figures["units"][0]
    by_hand = sum(weekly * 30.4375 / 7 / 1.1 ** ((month + 0.5) / 12) for month in range(6))
    assert line.worth.so_far.estimate == pytest.approx(by_hand)
    assert line.worth.so_far.low < by_hand < line.worth.so_far.high
    assert line.worth.months == 6
    assert line.worth.on_metric.weakest == "Effect on revenue"


def test_the_cost_is_a_range_of_time_at_its_rate_and_the_rest(app):
    observed(app)
    assert ledger(app.actor, LAST).lines[0].cost == (5000.0, 4500.0, 6000.0)


def test_granted_claims_outside_and_unexplained_add_up_to_the_movement(app):
    observed(app)
    outside.create(
        actor=app.actor,
        values={"name": "Season", "metric": "revenue", "start": date(2024, 10, 1), "end": LAST,
                "amount": 120.0, "error": 10.0},
    )  # fmt: skip
    movement = ledger(app.actor, LAST).movements[0]
    assert isinstance(movement.ledger, Settlement)
    made = movement.ledger
    total = math.fsum([made.claimed, made.outside, made.unexplained])
    assert total == pytest.approx(movement.after - movement.before, abs=1e-9)
    assert made.outside == 120.0


def test_two_bets_cannot_claim_the_same_euro(app):
    observed(app)
    observed(app, key="again", name="Guided setup, claimed twice", reach="everybody")
    found = ledger(app.actor, LAST)
    movement = found.movements[0]
    assert movement.ledger.capped
    assert movement.ledger.claimed <= movement.after - movement.before + 1e-6
    assert any("what exceeds it was cut" in one for one in movement.ledger.sentences)
    assert sum(line.given_up for line in found.lines) > 0
    assert sum(line.granted[0] for line in found.lines) == pytest.approx(movement.ledger.claimed)


def test_a_bet_that_cannot_be_told_is_paid_for_and_counted(app):
    observed(app)
    observed(app, key="hopeless", name="Hopeless", design={"panel": {"by": "country", "treated": ["DE"],
                                                                    "controls": ["FR"]}})  # fmt: skip
    total = ledger(app.actor, LAST).total
    assert (total.bets, total.told) == (2, 1)
    assert total.cost[0] == 2 * total.cost_told[0]


def test_bets_roll_up_by_team_and_each_only_once(app):
    observed(app)
    observed(app, key="other", name="Other", team="Growth")
    found = ledger(app.actor, LAST)
    assert {one.name for one in found.by("team")} == {"Onboarding", "Growth"}
    assert sum(one.cost[0] for one in found.by("team")) == pytest.approx(found.total.cost[0])
    assert sum(one.returned[0] for one in found.by("team")) == pytest.approx(found.total.returned[0])


def test_a_filter_does_not_make_the_claims_of_others_vanish(app):
    observed(app)
    observed(app, key="again", name="Claimed twice", team="Growth", reach="everybody")
    alone = ledger(app.actor, LAST, team_name="Growth").lines[0]
    together = next(line for line in ledger(app.actor, LAST).lines if line.bet.key == "again")
    assert alone.granted == together.granted


def test_a_metric_that_leads_to_no_money_is_a_refusal(app):
    bet = observed(app, metric="returns")
    assert bet.money_metric is None
    line = ledger(app.actor, LAST).lines[0]
    assert isinstance(line.worth, CannotTell)
    assert "No way leads from returns" in line.worth.because


def test_a_component_is_carried_up_exactly(app):
    bet = observed(app, metric="orders", predicted={})
    assert bet.money_metric.name == "revenue"
    line = ledger(app.actor, LAST).lines[0]
    worth = line.worth
    hops = [part.hop for part in worth.on_metric.hops]
    assert hops[1].evidence == "arithmetic"
    assert hops[1].low == hops[1].high
    assert 7.0 < hops[1].estimate < 9.0  # what an order is worth


def test_money_taken_back_counts_no_further(app):
    bet = observed(app)
    before = ledger(app.actor, LAST).lines[0]
    bet.refresh_from_db()
    actions.close(actor=app.actor, bet=bet, ending="kill", because="Too costly to run.", on=date(2024, 10, 1))
    after = ledger(app.actor, LAST).lines[0]
    assert after.worth.months == 3
    assert after.expected[0] < before.expected[0]
    assert after.expected == after.returned


def test_an_effect_that_halves_every_month_is_counted_as_wearing_off(app):
    from datetime import timedelta

    from potager.insight.impact.lines import decay_of
    from potager.insight.impact.models import Observation

    bet = app.launched()
    by_age = [
        {"age": float(week), "estimate": 2.0 * 0.5 ** (week * 7 / 30.4375), "error": 0.05}
        for week in (2, 8, 16)
    ]
    seen = Observation(bet=bet, metric=bet.metric, age=180, start=LAUNCH, end=LAUNCH + timedelta(days=179),
                       figures={"grain": "week", "by_age": by_age})  # fmt: skip
    decay = decay_of(app.actor, bet, seen)
    assert decay.half_life == pytest.approx(1.0, abs=0.05)
    assert sum(month_factors(0.0, decay.estimate, 12)) < 2.1


def test_an_experiment_is_split_into_thirds_to_see_it_wear_off(app):
    observed(app)
    line = ledger(app.actor, LAST).lines[0]
    parts = line.observation.figures["by_age"]
    assert [round(part["age"]) for part in parts] == [4, 13, 21]
    assert all(abs(part["estimate"] - PLANTED) < 4 * part["error"] for part in parts)
    assert line.decay.low == 0.0
