"""Usage beside revenue: what was planted is found, tested on what followed, governed, and drawn into the tree."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.ground.jobs.models import Job
from potager.ground.jobs.work import run_job
from potager.ground.lake.service import warehouse
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import period_of
from potager.insight.metrics.reading import value
from potager.insight.usage import actions, scoring
from potager.insight.usage.models import Stream
from potager.insight.usage.readings import risk, worth
from potager.insight.usage.signs import past_landmarks, signs_at
from potager.insight.usage.stratifying import Difference, stratified_difference
from tests.insight.usage.conftest import LAST, tables

# -- pure -------------------------------------------------------------------------------------------------------------


def test_the_mantel_haenszel_difference_of_a_published_table() -> None:
    """Greenland and Robins 1985: by hand, weights n1*n0/N on the strata's differences."""
    # Stratum 1: 8 of 40 against 12 of 60; stratum 2: 30 of 50 against 20 of 50.
    rows = [(1, 1, 8, 40), (1, 0, 12, 60), (2, 1, 30, 50), (2, 0, 20, 50)]
    outcome = np.concatenate([np.arange(n) < hit for _, _, hit, n in rows])
    exposed = np.concatenate([np.full(n, bool(did)) for _, did, _, n in rows])
    stratum = np.concatenate([np.full(n, kind) for kind, _, _, n in rows])
    found = stratified_difference(outcome, exposed, stratum, np.arange(len(outcome)))
    assert isinstance(found, Difference)
    w1, w2 = 40 * 60 / 100, 50 * 50 / 100
    assert found.value == pytest.approx((w1 * 0.0 + w2 * 0.2) / (w1 + w2))
    assert found.low < found.value < found.high
    assert (found.exposed.rows, found.unexposed.rows, found.strata) == (90, 110, 2)


def test_a_confounder_that_makes_all_of_the_difference_is_taken_out() -> None:
    chance = np.random.default_rng(3)
    big = chance.random(4000) < 0.5
    exposed = chance.random(4000) < np.where(big, 0.8, 0.2)
    outcome = chance.random(4000) < np.where(big, 0.1, 0.4)
    found = stratified_difference(outcome, exposed, big.astype(np.int64), np.arange(4000))
    assert isinstance(found, Difference)
    assert found.crude < -0.1
    assert found.low < 0 < found.high


def test_a_unit_seen_many_times_is_one_witness() -> None:
    chance = np.random.default_rng(5)
    exposed = np.arange(200) % 2 == 0
    outcome = chance.random(200) < 0.3
    once = stratified_difference(outcome, exposed, np.zeros(200, np.int64), np.arange(200))
    nine = stratified_difference(
        np.repeat(outcome, 9), np.repeat(exposed, 9), np.zeros(1800, np.int64), np.repeat(np.arange(200), 9)
    )
    assert isinstance(once, Difference)
    assert isinstance(nine, Difference)
    assert nine.value == pytest.approx(once.value)
    assert nine.high - nine.low == pytest.approx(once.high - once.low)


@given(st.lists(st.tuples(st.floats(0, 1, allow_nan=False), st.booleans()), min_size=40, max_size=120))
def test_the_area_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs])
    left = np.array([hit for _, hit in pairs])
    found = scoring.area_under_curve(scores, left)
    if min(left.sum(), (~left).sum()) < scoring.FEWEST_HELD_OUT:
        assert isinstance(found, CannotTell)
        return
    wins = [(a > b) + (a == b) / 2 for a in scores[left] for b in scores[~left]]
    assert isinstance(found, scoring.Area)
    assert found.value == pytest.approx(sum(wins) / len(wins))
    assert found.low <= found.value <= found.high


def test_the_logistic_model_is_at_its_optimum() -> None:
    chance = np.random.default_rng(11)
    signs = chance.normal(size=(500, 2))
    left = chance.random(500) < 1 / (1 + np.exp(-(signs[:, 0] - 1)))
    model = scoring.fit(("a", "b"), signs, left, ridge=0.0)
    assert isinstance(model, scoring.Model)
    p = model.probability(signs)
    # The score equations of maximum likelihood: residuals are orthogonal to every column.
    assert abs((left - p).sum()) < 1e-6
    assert np.abs(((signs - model.mean) / model.scale).T @ (left - p)).max() < 1e-6


def test_too_few_leavers_are_a_refusal() -> None:
    assert isinstance(scoring.fit(("a",), np.zeros((50, 1)), np.arange(50) < 3), CannotTell)


# -- on the product ----------------------------------------------------------------------------------------------------


def test_the_feature_that_was_planted_goes_with_leaving_less(product: Stream) -> None:
    """Planted: 3 % a month leave of those who export, 12 % of the others: 8.7 % against 31.9 % in three months."""
    outcome = worth.answer(product, worth.WorthParameters(event="export"))
    found = dict(outcome.figures or {})
    assert found["tells"]
    assert found["low"] < (1 - 0.97**3) - (1 - 0.88**3) < found["high"]
    assert outcome.evidence == "association"
    assert "Not held equal" in " ".join(outcome.notes)


def test_the_panel_is_what_a_slow_second_reading_gives(product: Stream) -> None:
    months = tables()["revenue.months"].to_pylist()
    mark, last = date(2024, 3, 1), date(2024, 5, 1)
    paying = {row["customer"] for row in months if row["month"] == mark and row["start_cents"] > 0}
    stay = {row["customer"] for row in months if row["month"] == last and row["end_cents"] > 0}
    signs = signs_at(product, (mark,), known=True)
    keys = signs.who.to_pylist()
    assert signs.left is not None
    assert {keys[one] for one in signs.account} == paying
    assert {keys[one] for one, left in zip(signs.account, signs.left, strict=True) if left} == paying - stay


def test_outcomes_are_looked_at_only_where_their_months_are_over(product: Stream) -> None:
    marks = past_landmarks(product)
    assert not isinstance(marks, CannotTell)
    assert marks[-1] == date(2024, 6, 1)  # June, July and August are over; July's three months are not


def test_accounts_at_risk_have_reasons_and_a_back_test_on_months_not_seen(product: Stream) -> None:
    outcome = risk.answer(product, risk.RiskParameters(most=10))
    figures = dict(outcome.figures or {})
    assert figures["area_low"] > 0.6
    assert figures["precision"] > figures["base"]
    why = [row[3].value for row in outcome.blocks[0].rows]
    assert any("active in 28 days" in reason or "Nobody has used it since" in reason for reason in why)
    assert any("seats used" in reason for reason in why)
    known = risk.learned(product)
    assert not isinstance(known, CannotTell)
    assert max(known.trained) < min(known.tested)


def test_a_book_that_is_not_named_where_there_are_several_is_a_refusal(product: Stream, ada: Any) -> None:
    changed = actions.change_stream(actor=ada.actor, stream=product, values={"policy": "chartmogul"})
    outcome = worth.answer(changed, worth.WorthParameters(event="export"))
    assert outcome.refusal is not None
    assert outcome.refusal.reason == "incomplete"


def test_without_an_account_the_comparison_says_what_is_missing(product: Stream, ada: Any, vi: Any) -> None:
    actions.change_stream(actor=ada.actor, stream=product, values={"account": ""})
    assert (
        "Nobody said which column is the account"
        in vi.browser.get(f"/usage/{product.pk}/worth").content.decode()
    )


def _health(product: Stream, ada: Any) -> Job:
    job = actions.ask_for_health(actor=ada.actor, stream=product)
    run_job.call(str(job.pk))
    job.refresh_from_db()
    assert job.state == "done", job.problem
    return job


def test_account_health_is_a_table_with_a_governed_metric_and_a_back_test(product: Stream, ada: Any) -> None:
    job = _health(product, ada)
    assert job.result["area"] > 0.6
    rows = warehouse().query("SELECT * FROM usage.health ORDER BY day, account").table
    assert rows.column_names == ["stream", "account", "day", "score", "parts"]
    assert rows["day"].to_pylist()[-1] == LAST
    assert min(rows["score"].to_pylist()) >= 0
    assert max(rows["score"].to_pylist()) <= 100
    actions.publish_metrics(actor=ada.actor, stream=product)
    metric = Metric.objects.get(name="account_health")
    found, _ = value(metric, period_of(LAST, "month"))
    ends = [end for end in set(rows["day"].to_pylist()) if (end.year, end.month) == (LAST.year, LAST.month)]
    expected = [
        score
        for score, day in zip(rows["score"].to_pylist(), rows["day"].to_pylist(), strict=True)
        if day in ends
    ]
    assert found == pytest.approx(sum(expected) / len(expected))
    page = ada.browser.get(f"/usage/{product.pk}").content.decode()
    assert "accounts are healthy" in page.replace("\xa0", " ")


def test_health_is_made_once_for_the_same_data(product: Stream, ada: Any) -> None:
    first = _health(product, ada).result["rows"]
    again = _health(product, ada).result["rows"]
    assert first == again
    counted = warehouse().query("SELECT count(*) AS n FROM usage.health").table["n"][0].as_py()
    assert counted == first


def test_active_people_are_governed_metrics_that_agree_with_the_trend(
    product: Stream, ada: Any, vi: Any
) -> None:
    actions.publish_metrics(actor=ada.actor, stream=product)
    for name in ("daily_active_people", "weekly_active_people", "monthly_active_people", "stickiness"):
        assert Metric.objects.filter(name=name, archived_at=None).exists(), name
    weekly, _ = value(Metric.objects.get(name="weekly_active_people"), period_of(LAST, "month"))
    events = tables()["app.events"].to_pylist()
    people = {row["user_id"] for row in events if (LAST - row["occurred_at"].date()).days < 7}
    assert weekly == len(people)


def test_influences_of_usage_on_revenue_are_proposed_tested_and_expire(product: Stream, ada: Any) -> None:
    from potager.kit.errors import Conflict

    actions.publish_metrics(actor=ada.actor, stream=product)
    with pytest.raises(Conflict, match="nothing to connect yet"):
        actions.propose_influences(actor=ada.actor, stream=product)
    _publish_mrr(ada)
    made = actions.propose_influences(actor=ada.actor, stream=product)
    assert [(edge.driver.name, edge.outcome.name) for edge in made] == [("weekly_active_accounts", "mrr")]
    assert made[0].tested_at is not None
    assert made[0].expires_at > made[0].tested_at
    assert actions.propose_influences(actor=ada.actor, stream=product) == []


def _publish_mrr(ada: Any) -> None:
    from potager.insight.metrics.actions import publish

    text = """\
semantic_models:
  - name: months
    model: ref('months')
    defaults: {agg_time_dimension: month_of}
    primary_entity: customer_month
    dimensions:
      - {name: month_of, type: time, expr: month, type_params: {time_granularity: day}}
    measures:
      - {name: mrr, agg: sum, expr: end_cents / 100.0}
metrics:
  - {name: mrr, label: MRR, type: simple, type_params: {measure: mrr}}
"""
    publish(actor=ada.actor, name="revenue.yml", namespace="revenue", text=text)
