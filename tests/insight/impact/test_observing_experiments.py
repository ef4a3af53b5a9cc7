"""A bet that was tested at random: what was planted is found again, and what cannot carry a number is refused."""

from __future__ import annotations

import pytest

from potager.insight.impact import actions
from tests.insight.impact.worlds import ACCOUNTS, ASSIGNED, PLANTED


def test_an_experiment_finds_what_was_planted(app):
    bet = app.launched()
    seen = actions.observe(actor=app.actor, bet=bet, age=180)
    assert seen.evidence == "experiment"
    assert seen.low < PLANTED < seen.high
    assert seen.high - seen.low < 1.0
    assert seen.per == "one account and week"
    assert seen.figures["covariate"]
    assert seen.figures["units"][0] + seen.figures["units"][1] == ACCOUNTS
    assert seen.factor == seen.figures["units"][0]


def test_the_same_by_a_dimension_of_the_metric(app):
    design = {"assignment": {"dimension": "arm", "treated": "treatment", "control": "control"}}
    bet = app.launched(design=design)
    seen = actions.observe(actor=app.actor, bet=bet, age=180)
    assert seen.low < PLANTED < seen.high
    assert not seen.figures["covariate"]


def test_the_covariate_makes_the_interval_narrower(app):
    plain = {"assignment": {**ASSIGNED["assignment"], "covariate": False}}
    with_it = actions.observe(actor=app.actor, bet=app.launched(), age=180)
    without = actions.observe(actor=app.actor, bet=app.launched(key="plain", design=plain), age=180)
    assert with_it.high - with_it.low < 0.5 * (without.high - without.low)


def test_a_ratio_is_compared_as_a_ratio(app):
    bet = app.launched(metric="order_value")
    seen = actions.observe(actor=app.actor, bet=bet, age=180)
    assert seen.low < PLANTED / 2 < seen.high
    assert seen.method.startswith("difference of ratios")
    assert 0.4 < seen.factor < 0.6


def test_units_on_record_in_both_arms_are_left_out_and_said(app):
    import pyarrow as pa

    from potager.ground.lake.service import lake

    twice = pa.table(
        {
            "experiment": ["guided"] * 60,
            "account": [f"acct-{n:05}" for n in range(60)],
            "arm": ["control"] * 60,
            "assigned_on": pa.array([None] * 60, type=pa.date32()),
        }
    )
    lake().append("app.assignments", twice, load_id="twice")
    design = {"assignment": {**ASSIGNED["assignment"], "on": "", "share": None}}
    seen = actions.observe(actor=app.actor, bet=app.launched(design=design), age=90)
    check = next(one for one in seen.checks if one["name"] == "one_arm_each")
    assert check["passed"] is False
    assert "in both arms" in check["sentence"]


def test_a_split_that_is_not_the_planned_one_is_refused(app):
    design = {"assignment": {**ASSIGNED["assignment"], "share": 0.8}}
    seen = actions.observe(actor=app.actor, bet=app.launched(design=design), age=90)
    assert not seen.told
    assert "split of units is not the planned one" in seen.refusal["because"]


@pytest.mark.parametrize(("key", "value"), [("table", "app.nowhere"), ("unit", "nobody")])
def test_an_assignment_that_is_not_there_is_a_refusal_with_a_sentence(app, key, value):
    design = {"assignment": {**ASSIGNED["assignment"], key: value}}
    seen = actions.observe(actor=app.actor, bet=app.launched(design=design), age=90)
    assert seen.refusal["because"]
    assert seen.refusal["mend"]
