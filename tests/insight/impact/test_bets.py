"""Registering, launching and closing bets: what is said before the launch stands after it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from potager.ground.links.models import Grade, Link
from potager.ground.records.checks import keep
from potager.insight.goals.resources import goals
from potager.insight.impact import actions, tasks
from potager.insight.impact.models import Bet, Change, Investment, Observation, State
from potager.insight.impact.resources import changes, investments
from potager.insight.metrics.models import Metric
from potager.kit.clock import held
from potager.kit.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.insight.impact.worlds import ASSIGNED, LAUNCH


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("predicted", {"low": 5, "high": 9}),
        ("metric", "orders"),
        ("guardrails", ["orders"]),
        ("kill_when", "Never."),
        ("unit", "country"),
    ],
)
def test_what_was_said_is_locked_at_launch(app, field, value):
    bet = app.launched()
    with pytest.raises(Conflict, match="was locked then"):
        actions.change_bet(actor=app.actor, bet=bet, values={field: value})


def test_what_surrounds_a_bet_can_change_after_the_launch(app):
    bet = actions.change_bet(actor=app.actor, bet=app.launched(), values={"objective": "Growth"})
    assert bet.objective == "Growth"
    assert bet.predicted == (0.5, 3.0)


def test_before_the_launch_everything_can_change(app):
    bet = actions.change_bet(
        actor=app.actor, bet=app.register(), values={"predicted": {"low": 1, "high": 2}, "metric": "orders"}
    )
    assert bet.predicted == (1.0, 2.0)
    assert bet.metric.name == "orders"


def test_the_lock_holds_the_prediction_and_the_definition(app):
    bet = app.launched()
    assert bet.locked["predicted"]["low"] == 0.5
    assert bet.locked["definition"]
    assert bet.locked_at is not None
    assert bet.predicted_before is True


def test_a_range_recorded_after_the_launch_is_told_apart(app):
    bet = app.register(predicted={"low": 0.5, "high": 3.0, "on": date(2024, 9, 1)})
    bet = actions.launch(actor=app.actor, bet=bet, on=LAUNCH)
    assert bet.predicted_before is False


def test_a_bet_is_launched_once_and_not_in_the_future(app):
    bet = app.register()
    with pytest.raises(Invalid, match="future"):
        actions.launch(actor=app.actor, bet=bet, on=date(2030, 1, 1))
    bet = actions.launch(actor=app.actor, bet=bet, on=LAUNCH)
    with pytest.raises(Conflict, match="was launched on"):
        actions.launch(actor=app.actor, bet=bet)


def test_a_bet_is_closed_with_a_reason(app):
    bet = app.launched()
    with pytest.raises(Invalid, match="not said why"):
        actions.close(actor=app.actor, bet=bet, ending="keep", because=" ")
    bet = actions.close(actor=app.actor, bet=bet, ending="keep", because="It works.")
    assert (bet.state, bet.ending) == (State.CLOSED, "keep")
    with pytest.raises(Conflict):
        actions.set_design(actor=app.actor, bet=bet, design=ASSIGNED)


def test_an_observation_is_never_changed(app):
    seen = actions.observe(actor=app.actor, bet=app.launched(), age=90)
    seen.estimate = 1_000.0
    with pytest.raises(Conflict, match="never changed"):
        keep(seen)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"predicted": {"low": 3, "high": 1}}, "lower end"),
        ({"predicted": {"low": 3}}, "two ends"),
        ({"predicted": {"low": "x", "high": 1}}, "not a number"),
        ({"predicted": {"low": 1, "high": 2, "sure": 3}}, "no predicted.sure"),
        ({"reach": -4}, "how far it reaches"),
        ({"money": {"metric": "orders"}}, "not counted in money"),
        ({"money": {"counted": "weekly"}}, "no weekly"),
        ({"key": "Not A Key"}, "lower-case letters"),
        ({"colour": "red"}, "no colour"),
        ({"by_when": "soon"}, "no day"),
        ({"design": {"magic": 1}}, "no magic"),
        ({"design": {"assignment": {"unit": "account"}}}, "table, or a dimension"),
        ({"design": {"assignment": {"table": "app.a"}}}, "which unit"),
        ({"design": {"panel": {"by": "country"}}}, "who got it"),
        ({"design": {"panel": {"by": "country", "treated": ["DE"], "method": "guess"}}}, "no method"),
        ({"design": {"panel": {"by": "country", "starts": {"DE": "someday"}}}}, "no day"),
        ({"design": {"series": {"season": 0}}}, "whole number"),
        ({"design": {"belief": {"low": 2, "high": 1}}}, "two ends"),
        ({"design": {"elasticity": {}}}, "which driver"),
    ],
)
def test_what_cannot_be_read_is_said(app, values, sentence):
    with pytest.raises(Invalid) as caught:
        app.register(**values)
    assert sentence in f"{caught.value.detail} {caught.value.errors}"


def test_a_metric_nobody_knows_is_refused(app):
    with pytest.raises(NotFound):
        app.register(metric="revenu")


def test_a_viewer_cannot_register_launch_or_observe(app, vi):
    with pytest.raises(NotAllowed):
        actions.register_bet(actor=vi.actor, values={"key": "a", "name": "A", "metric": "revenue"})
    bet = app.launched()
    with pytest.raises(NotAllowed):
        actions.observe(actor=vi.actor, bet=bet, age=30)
    assert not Observation.objects.exists()


def test_a_bet_is_linked_to_its_metric_goal_and_changes(app):
    goals.create(
        actor=app.actor,
        values={"name": "Owners pay sooner", "who": "Owners", "does_what": "pay", "by_how_much": "10 %"},
    )
    bet = app.launched(goal="Owners pay sooner")
    changes.create(
        actor=app.actor, values={"name": "1.0", "shipped_at": LAUNCH, "shipped_as": "release", "bet": bet.key}
    )
    linked = {(link.relation, link.to_kind) for link in Link.objects.filter(from_id=bet.pk)}
    assert linked == {("drives", "metrics.metric"), ("supports", "goals.goal"), ("leads_to", "impact.change")}


def test_an_observation_grades_the_link_by_its_evidence(app):
    bet = app.launched()
    metric = Metric.objects.get(name="revenue")
    link = Link.objects.get(from_id=bet.pk, to_id=metric.pk)
    assert link.grade == Grade.ASSERTED
    actions.observe(actor=app.actor, bet=bet, age=90)
    link.refresh_from_db()
    assert link.grade == Grade.EXPERIMENTAL


def test_costs_and_changes_of_a_bet_nobody_knows_are_refused(app):
    with pytest.raises(Invalid, match="no bet nobody"):
        investments.create(
            actor=app.actor, values={"bet": "nobody", "start": LAUNCH, "end": LAUNCH, "people_months": 1}
        )
    with pytest.raises(Invalid, match="no bet nobody"):
        changes.create(actor=app.actor, values={"name": "x", "shipped_at": LAUNCH, "bet": "nobody"})


def test_one_rate_stands_for_its_range(app):
    made = investments.create(
        actor=app.actor,
        values={"start": LAUNCH, "end": LAUNCH, "people_months": 2, "rate": 9000, "cloud": 100, "other_spread": 0.5},
    )  # fmt: skip
    assert (made.low, made.likely, made.high) == (18_050.0, 18_100.0, 18_150.0)


def test_the_same_repository_twice_adds_nothing(app):
    tags = [
        {"name": "v1", "reference": "v1", "shipped_at": LAUNCH, "shipped_as": "tag"},
        {"name": "v2", "reference": "v2", "shipped_at": LAUNCH, "shipped_as": "tag"},
    ]
    assert actions.import_changes(actor=app.actor, repository="shop", changes=tags) == (2, 0)
    assert actions.import_changes(actor=app.actor, repository="shop", changes=tags) == (0, 2)
    assert Change.objects.count() == 2


def test_bets_are_loaded_once_with_all_that_belongs_to_them(app):
    given = {
        "key": "loaded", "name": "Loaded", "metric": "revenue", "unit": "account", "design": ASSIGNED,
        "predicted": {"low": 0.5, "high": 3, "on": "2024-05-01"}, "launched_on": "2024-07-01",
        "investments": [{"team": "A", "start": "2024-05-01", "end": "2024-06-30", "people_months": 1, "rate": 9000}],
        "changes": [{"name": "1.0", "shipped_at": "2024-07-01", "shipped_as": "release", "reference": "v1"}],
        "observe": [30, 90],
    }  # fmt: skip
    actions.load_bets(actor=app.actor, bets=[given])
    actions.load_bets(actor=app.actor, bets=[given])
    bet = Bet.objects.get(key="loaded")
    assert bet.state == State.LAUNCHED
    assert Investment.objects.get().bet == "loaded"
    assert Change.objects.get().bet == "loaded"
    assert [seen.age for seen in bet.observations.order_by("age")] == [30, 90]


def test_the_worker_looks_after_30_90_and_180_days_once(app):
    app.launched()
    with held(datetime(2024, 8, 15, tzinfo=UTC)):
        assert [age for _, age in tasks.due(date(2024, 8, 15))] == [30]
    assert [age for _, age in tasks.due(date(2025, 1, 3))] == [30, 90, 180]

    class Quiet:
        def progress(self, *given: object) -> None:
            pass

    done = tasks.observe_what_is_due(Quiet())
    assert done == {"observed": 3, "failed": 0}
    assert tasks.due(date(2025, 1, 3)) == []


def test_guardrails_are_looked_at_by_the_same_design(app):
    bet = app.launched(guardrails=["return_share"])
    actions.observe(actor=app.actor, bet=bet, age=180)
    guard = bet.observations.get(role="guardrail")
    assert guard.metric.name == "return_share"
    assert guard.low < 0.0 < guard.high
