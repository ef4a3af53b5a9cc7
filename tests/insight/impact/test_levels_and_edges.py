"""Bets on levels such as recurring revenue, and effects carried over estimated edges of the tree."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from potager.ground.lake.service import lake
from potager.insight.impact import actions
from potager.insight.impact.ledger import ledger
from potager.insight.impact.to_money import Worth
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.models import Influence, Metric
from tests.insight.impact.worlds import ASSIGNED, LAST, LAUNCH

MRR = """\
semantic_models:
  - name: months
    model: ref('months')
    defaults: {agg_time_dimension: ended_on}
    primary_entity: customer_month
    entities:
      - {name: customer, type: foreign, expr: customer}
    dimensions:
      - {name: ended_on, expr: month, type: time, type_params: {time_granularity: day}}
      - {name: country, type: categorical}
    measures:
      - name: mrr
        agg: sum
        expr: end_cents / 100.0
        non_additive_dimension: {name: ended_on, window_choice: max}
metrics:
  - {name: mrr, label: MRR, type: simple, type_params: {measure: mrr}}
"""
PLANTED = 12.0


@pytest.fixture
def subscriptions(lake_folder, ada, _present):
    """Eight hundred customers by month; from July on those in the treatment pay twelve more a month."""
    random = np.random.default_rng(5)
    customers, months = 800, [date(2024, month, 28) for month in range(1, 13)]
    arm = random.random(customers) < 0.5
    level = random.gamma(5.0, 20.0, customers)
    amount = np.repeat(level[:, None], 12, axis=1) + random.normal(0.0, 4.0, (customers, 12))
    amount += PLANTED * (arm[:, None] & (np.arange(12) >= 6)[None, :])
    names = np.array([f"acct-{number:05}" for number in range(customers)])
    country = np.array(["DE", "FR", "NL", "UK"])[random.integers(0, 4, customers)]
    table = pa.table(
        {
            "customer": np.repeat(names, 12),
            "country": np.repeat(country, 12),
            "month": pa.array(months * customers, type=pa.date32()),
            "end_cents": np.rint(amount.ravel() * 100).astype(np.int64),
        }
    )
    lake().overwrite("revenue.months", table, load_id="months")
    assigned = pa.table(
        {
            "experiment": ["guided"] * customers,
            "account": names,
            "arm": np.where(arm, "treatment", "control"),
            "assigned_on": pa.array([LAUNCH] * customers, type=pa.date32()),
        }
    )
    lake().overwrite("app.assignments", assigned, load_id="assigned")
    metrics.publish(actor=ada.actor, name="mrr.yml", namespace="revenue", text=MRR)
    metric = Metric.objects.get(name="mrr")
    metrics.govern(
        actor=ada.actor, metric=metric, values={"unit": "EUR", "grain": "month", "level": "strategic"}
    )
    return ada.actor


def on_mrr(actor, **given):
    values = {
        "key": "upsell",
        "name": "Upsell",
        "metric": "mrr",
        "unit": "customer",
        "design": ASSIGNED,
        **given,
    }
    bet = actions.register_bet(actor=actor, values=values)
    return actions.launch(actor=actor, bet=bet, on=LAUNCH)


def test_a_level_is_compared_as_it_stands_and_not_divided_by_time(subscriptions):
    bet = on_mrr(subscriptions)
    assert bet.money_counted == "monthly"
    seen = actions.observe(actor=subscriptions, bet=bet, age=150)
    assert seen.low < PLANTED < seen.high
    assert seen.per == "one customer"
    assert seen.figures["covariate"]
    line = ledger(subscriptions, date(2024, 12, 28)).lines[0]
    treated = seen.figures["units"][0]
    assert line.worth.on_metric.estimate == pytest.approx(seen.estimate * treated)
    months = sum(1.1 ** -((month + 0.5) / 12) for month in range(6))
    assert line.worth.so_far.estimate == pytest.approx(seen.estimate * treated * months)


def keep_test(app, influence, **values):
    found = {"method": "first differences", "back_test": {}, "evidence": "predictive", **values}
    return metrics.keep_test(actor=app.actor, influence=influence, outcome=found)


def test_an_edge_carries_its_interval_and_is_the_weakest_hop(app):
    metrics.govern(actor=app.actor, metric=app.metric("returns"), values={"direction": "down"})
    edge = metrics.add_influence(
        actor=app.actor, driver=app.metric("returns"), outcome=app.metric("revenue"), sign=-1, grain="week"
    )
    keep_test(app, edge, estimate=-0.5, low=-0.9, high=-0.1, lag=1, grain="week", periods=40)
    bet = app.launched(metric="returns", predicted={})
    assert bet.money_metric.name == "revenue"
    actions.observe(actor=app.actor, bet=bet, age=180)
    line = ledger(app.actor, LAST).lines[0]
    assert isinstance(line.worth, Worth)
    hop = line.worth.on_metric.hops[1].hop
    # Percent for percent, at the present levels of both.
    assert hop.estimate < 0.0
    assert hop.low / hop.estimate == pytest.approx(0.9 / 0.5)
    assert line.worth.on_metric.weakest == "Returns → Revenue"
    assert line.evidence == "elasticity"


def test_an_edge_that_expired_counts_as_a_belief(app):
    edge = metrics.add_influence(
        actor=app.actor, driver=app.metric("returns"), outcome=app.metric("revenue"), grain="week"
    )
    keep_test(app, edge, estimate=0.5, low=0.1, high=0.9, lag=0, grain="week", periods=40)
    Influence.objects.filter(pk=edge.pk).update(expires_at=edge.created_at)
    bet = app.launched(metric="returns", predicted={})
    actions.observe(actor=app.actor, bet=bet, age=180)
    assert ledger(app.actor, LAST).lines[0].evidence == "belief"


def test_an_elasticity_is_used_where_nothing_better_is_designed(app):
    edge = metrics.add_influence(
        actor=app.actor, driver=app.metric("orders"), outcome=app.metric("revenue"), grain="week"
    )
    keep_test(app, edge, estimate=0.5, low=0.3, high=0.7, lag=0, grain="week", periods=40)
    bet = app.launched(design={"elasticity": {"driver": "orders"}})
    seen = actions.observe(actor=app.actor, bet=bet, age=180)
    assert seen.evidence == "elasticity"
    assert seen.low <= 0.0 <= seen.high
    assert "is assumed" in seen.checks[0]["sentence"]


def test_a_level_by_segment_is_the_sum_of_its_segments(subscriptions):
    design = {
        "panel": {"by": "country", "grain": "month", "treated": ["DE"], "method": "difference_in_differences"}
    }
    seen = actions.observe(actor=subscriptions, bet=on_mrr(subscriptions, design=design), age=150)
    assert seen.refusal["reason"] == "too_few"  # three other countries are no five
    starts = {
        "table": "app.assignments",
        "unit": "account",
        "start": "assigned_on",
        "where": {"arm": "treatment"},
    }
    design = {"panel": {"by": "customer", "grain": "month", "starts_in": starts}}
    bet = on_mrr(subscriptions, key="panel", design=design)
    seen = actions.observe(actor=subscriptions, bet=bet, age=150)
    assert seen.method.startswith("difference-in-differences")
    assert seen.low < PLANTED < seen.high
    assert seen.factor == seen.units


def test_a_ratio_by_segment_reaches_as_far_as_its_denominator(app):
    design = {"panel": {"by": "country", "grain": "week", "treated": ["DE"]}}
    bet = app.launched(metric="order_value", unit="country", design=design)
    seen = actions.observe(actor=app.actor, bet=bet, age=180)
    assert seen.told
    assert 0.05 < seen.factor < 0.12  # about one country of twelve
