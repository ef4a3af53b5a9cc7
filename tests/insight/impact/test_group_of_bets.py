"""Bets as a group: calibration, the winner's curse, what a test is worth, where people could go."""

from __future__ import annotations

from datetime import date

import pytest

from potager.engines.answers import CannotTell
from potager.engines.causal import Shrinkage
from potager.engines.finance import internal_rate_of_return, net_present_value
from potager.insight.impact import actions, forecasting
from potager.insight.impact.ledger import ledger
from potager.insight.impact.to_money import month_factors, summed
from tests.insight.impact.test_ledger import COST, observed
from tests.insight.impact.worlds import LAST


def test_the_vectors_of_present_value_and_rate_of_return():
    assert net_present_value(0.1, [-100.0, 60.0, 60.0]) == pytest.approx(4.132231, abs=5e-7)
    assert internal_rate_of_return([-100.0, 60.0, 60.0]) == pytest.approx(0.1306624, abs=5e-8)


def test_months_are_discounted_as_net_present_value_discounts():
    factors = month_factors(0.1, 0.0, 24)
    flows, times = [1.0] * 24, [(month + 0.5) / 12 for month in range(24)]
    assert sum(factors) == pytest.approx(net_present_value(0.1, flows, times))


def test_independent_ranges_add_up_in_quadrature():
    assert summed([(10.0, 7.0, 14.0), (5.0, 1.0, 8.0)]) == pytest.approx((15.0, 10.0, 20.0))


def test_predictions_are_judged_only_where_they_count(app):
    observed(app)
    observed(app, key="late", name="Late", predicted={"low": 0.5, "high": 3, "on": date(2024, 8, 1)})
    app.launched(key="unseen", name="Unseen")
    belief = app.launched(key="hope", name="Hope", design={"belief": {"low": 1, "high": 2}})
    actions.observe(actor=app.actor, bet=belief, age=90)
    rows = {row.bet.key: row for row in forecasting.judged(app.actor, LAST)}
    assert rows["guided"].held is True
    assert "after the launch" in rows["late"].why_not
    assert "not observed" in rows["unseen"].why_not
    assert "only believed" in rows["hope"].why_not
    assert isinstance(forecasting.calibration(list(rows.values())), CannotTell)


def test_a_group_of_narrow_ranges_is_called_too_sure(app):
    for number in range(6):
        observed(
            app,
            key=f"bet-{number}",
            name=f"Bet {number}",
            predicted={"low": 4.0, "high": 4.1, "on": "2024-01-01"},
        )
    made = forecasting.calibration(forecasting.judged(app.actor, LAST))
    assert made.verdict == "too_sure"
    assert made.coverage == 0.0


def test_four_bets_are_corrected_for_the_winners_curse(app):
    observed(app)
    for number, country in enumerate(("DE", "FR", "ES")):
        observed(app, key=f"c-{number}", name=f"Country {country}", unit="country",
                 design={"panel": {"by": "country", "grain": "week", "treated": [country]}})  # fmt: skip
    found = ledger(app.actor, LAST)
    assert isinstance(found.shrinkage["revenue"], Shrinkage)
    line = next(line for line in found.lines if line.bet.key == "guided")
    assert abs(line.corrected[0]) < abs(line.worth.on_metric.estimate)


def test_a_test_is_worth_something_where_the_range_holds_the_break_even(app):
    bet = app.register(predicted={"low": -1.0, "high": 3.0})
    actions.record_investment(actor=app.actor, values={**COST, "bet": bet.key, "people_months": 5})
    made = forecasting.worth_of_testing(app.actor, bet, LAST, reach=600, price=100.0)
    assert 0.0 < made.value.evsi < made.value.evpi
    assert made.break_even == pytest.approx(45_500 / made.per_unit)


def test_without_a_range_no_test_is_priced(app):
    bet = app.register(predicted={})
    assert isinstance(forecasting.worth_of_testing(app.actor, bet, LAST, reach=600), CannotTell)


def test_waiting_costs_what_a_month_brings(app):
    observed(app)
    line = ledger(app.actor, LAST).lines[0]
    month = forecasting.cost_of_waiting(line)
    assert month[0] == pytest.approx(line.granted[0] * 30.4375 / 7)
    assert month[1] < month[0] < month[2]


def test_the_portfolio_adds_up_to_the_ledger(app):
    observed(app)
    observed(app, key="bold", name="Bold", horizon="transform", risk="bold")
    found = ledger(app.actor, LAST)
    cells = forecasting.portfolio(app.actor, found)
    assert len(cells) == 6
    assert sum(cell.cost for cell in cells) == pytest.approx(found.total.cost[0])
    assert sum(cell.returned[0] for cell in cells if cell.returned) == pytest.approx(found.total.returned[0])


def test_moving_people_is_antisymmetric_in_what_a_month_returned(app):
    observed(app)
    observed(app, key="other", name="Other", team="Growth", reach="10")
    found = ledger(app.actor, LAST)
    there = forecasting.moving_people(app.actor, found, "team", "Onboarding", "Growth")
    back = forecasting.moving_people(app.actor, found, "team", "Growth", "Onboarding")
    assert there.change == pytest.approx(-back.change)
    assert there.change < 0.0
    assert there.people_months == pytest.approx(0.05)


def test_moving_people_to_where_nothing_can_be_told_is_refused(app):
    observed(app)
    app.launched(key="unseen", name="Unseen", team="Growth")
    found = ledger(app.actor, LAST)
    made = forecasting.moving_people(app.actor, found, "team", "Onboarding", "Growth")
    assert isinstance(made, CannotTell)
    assert "Growth cannot be told" in made.because
