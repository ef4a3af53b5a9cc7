"""Published figures, through definitions, formulas and the API: what the literature computes comes out."""

from __future__ import annotations

from datetime import date
from math import fsum, prod
from typing import Any

import pyarrow as pa
import pytest

from potager.insight.metrics import actions, reading
from potager.insight.metrics.periods import parse_period
from tests.insight.shop import Shop

pytestmark = pytest.mark.django_db
FIRST, SECOND = date(2024, 1, 31), date(2024, 2, 29)
FACTORS = """\
semantic_models:
  - name: factors
    model: ref('factors')
    defaults: {agg_time_dimension: measured_on}
    primary_entity: factor
    dimensions: [{name: measured_on, type: time, type_params: {time_granularity: day}}]
    measures:
      - {name: factor_one, agg: sum, expr: factor_one}
      - {name: factor_two, agg: sum, expr: factor_two}
      - {name: factor_three, agg: sum, expr: factor_three}
      - {name: factor_four, agg: sum, expr: factor_four}
      - {name: whole, agg: sum, expr: factor_one * factor_two * factor_three * factor_four}
metrics:
  - {name: factor_one, type: simple, type_params: {measure: factor_one}}
  - {name: factor_two, type: simple, type_params: {measure: factor_two}}
  - {name: factor_three, type: simple, type_params: {measure: factor_three}}
  - {name: factor_four, type: simple, type_params: {measure: factor_four}}
  - {name: whole, type: simple, type_params: {measure: whole}}
"""
NAMES = ("factor_one", "factor_two", "factor_three", "factor_four")

# Das Gupta, Standardization and Decomposition of Rates (1993): two, three and four factors.
DAS_GUPTA = [
    ((10930, 0.717892), (16591, 0.825974), (4369.913, 1487.262), 5e-4),
    ((51.78746, 0.45919, 0.52638), (84.90502, 0.75756, 0.51065), (10.4340333, 10.5608476, -0.6670084), 1e-6),
    (
        (25.3, 0.214, 0.279, 0.949),
        (32.7, 0.290, 0.473, 0.986),
        (0.6889411, 0.8125381, 1.3829055, 0.1047547),
        1e-7,
    ),
]


@pytest.mark.parametrize(("before", "after", "effects", "within"), DAS_GUPTA)
def test_a_product_is_taken_apart_as_das_gupta_published_it(
    lake_folder: Any,
    ada: Any,
    before: tuple[float, ...],
    after: tuple[float, ...],
    effects: tuple[float, ...],
    within: float,
) -> None:
    from potager.ground.lake.service import lake

    rows = {
        name: [values[place] if place < len(values) else 1.0 for values in (before, after)]
        for place, name in enumerate(NAMES)
    }
    lake().append("rates.factors", pa.table({"measured_on": [FIRST, SECOND], **rows}), load_id="all")
    actions.publish(actor=ada.actor, name="rates.yml", namespace="rates", text=FACTORS)
    used = NAMES[: len(before)]
    shop = Shop(ada.actor)
    actions.set_formula(actor=ada.actor, metric=shop.metric("whole"), formula=" * ".join(used))
    told = ada.call("get", "/metrics/whole/explain?period=2024-02").json()
    found = {part["name"]: part["contribution"] for part in told["tree"]["parts"]}
    assert [found[name] for name in used] == pytest.approx(list(effects), abs=within)
    assert fsum(found.values()) == pytest.approx(prod(after) - prod(before), rel=1e-12)
    assert abs(told["tree"]["unexplained"]) < 1e-9 * abs(prod(after))


REVENUE = """\
semantic_models:
  - name: accounts
    model: ref('accounts')
    defaults: {agg_time_dimension: month_end}
    primary_entity: account
    dimensions: [{name: month_end, type: time, type_params: {time_granularity: day}}]
    measures:
      - {name: mrr_start, agg: sum, expr: mrr_before}
      - {name: mrr_end, agg: sum, expr: mrr_after}
      - {name: kept, agg: sum, expr: CASE WHEN mrr_before > 0 THEN mrr_after ELSE 0 END}
      - {name: kept_without_growth, agg: sum, expr: 'LEAST(mrr_before, mrr_after)'}
      - {name: accounts_at_start, agg: sum, expr: CASE WHEN mrr_before > 0 THEN 1 ELSE 0 END}
      - {name: accounts_kept, agg: sum, expr: CASE WHEN mrr_before > 0 AND mrr_after > 0 THEN 1 ELSE 0 END}
      - name: mrr_new
        agg: sum
        expr: CASE WHEN mrr_before = 0 AND NOT paid_before THEN mrr_after ELSE 0 END
      - name: mrr_reactivated
        agg: sum
        expr: CASE WHEN mrr_before = 0 AND paid_before THEN mrr_after ELSE 0 END
      - name: mrr_expansion
        agg: sum
        expr: CASE WHEN mrr_before > 0 AND mrr_after > mrr_before THEN mrr_after - mrr_before ELSE 0 END
      - name: mrr_contraction
        agg: sum
        expr: CASE WHEN mrr_after > 0 AND mrr_after < mrr_before THEN mrr_before - mrr_after ELSE 0 END
      - {name: mrr_churn, agg: sum, expr: CASE WHEN mrr_after = 0 THEN mrr_before ELSE 0 END}
metrics:
""" + "".join(
    f"  - {{name: {name}, type: simple, type_params: {{measure: {name}}}}}\n"
    for name in (
        "mrr_start", "mrr_end", "kept", "kept_without_growth", "accounts_at_start", "accounts_kept", "mrr_new",
        "mrr_reactivated", "mrr_expansion", "mrr_contraction", "mrr_churn",
    )
) + """\
  - {name: nrr, type: ratio, type_params: {numerator: kept, denominator: mrr_start}}
  - {name: grr, type: ratio, type_params: {numerator: kept_without_growth, denominator: mrr_start}}
  - {name: logo_retention, type: ratio, type_params: {numerator: accounts_kept, denominator: accounts_at_start}}
  - name: quick_ratio
    type: derived
    type_params:
      expr: (new + expansion + reactivated) / (contraction + churn)
      metrics: &moved
        - {name: mrr_new, alias: new}
        - {name: mrr_expansion, alias: expansion}
        - {name: mrr_reactivated, alias: reactivated}
        - {name: mrr_contraction, alias: contraction}
        - {name: mrr_churn, alias: churn}
  - name: quick_ratio_without_reactivation
    type: derived
    type_params: {expr: (new + expansion) / (contraction + churn), metrics: *moved}
"""  # fmt: skip


def accounts(ada: Any, *rows: tuple[float, float, bool]) -> Shop:
    """Accounts of February: what they paid before, what they pay after, whether they ever paid before that."""
    from potager.ground.lake.service import lake

    table = pa.table(
        {
            "month_end": [SECOND] * len(rows),
            "mrr_before": [float(row[0]) for row in rows],
            "mrr_after": [float(row[1]) for row in rows],
            "paid_before": [row[2] for row in rows],
        }
    )
    lake().append("billing.accounts", table, load_id="all")
    actions.publish(actor=ada.actor, name="billing.yml", namespace="billing", text=REVENUE)
    return Shop(ada.actor)


def figure(shop: Shop, name: str) -> float:
    return reading.value(shop.metric(name), parse_period("2024-02"))[0]


def test_retention_is_computed_by_customer_and_then_added_up(lake_folder: Any, ada: Any) -> None:
    """a, b, c, d = 100 each; a 150, b 60, c 0, d 100, e 80 new: NRR 77.5 %, GRR 65 %, logos 75 %."""
    shop = accounts(ada, (100, 150, True), (100, 60, True), (100, 0, True), (100, 100, True), (0, 80, False))
    found = [figure(shop, name) for name in ("nrr", "grr", "logo_retention")]
    assert found == pytest.approx([0.775, 0.65, 0.75], abs=1e-12)


def test_the_movements_of_mrr_lead_from_its_start_to_its_end(lake_folder: Any, ada: Any) -> None:
    """50 + 8 new + 4 expansion + 1 reactivation − 2 contraction − 3 churn = 58."""
    shop = accounts(
        ada, (40, 40, True), (3, 7, True), (0, 8, False), (0, 1, True), (4, 2, True), (3, 0, True)
    )
    moved = ["mrr_start", "mrr_new", "mrr_expansion", "mrr_reactivated", "mrr_contraction", "mrr_churn"]
    assert [figure(shop, name) for name in moved] == [50, 8, 4, 1, 2, 3]
    formula = "mrr_start + mrr_new + mrr_expansion + mrr_reactivated - mrr_contraction - mrr_churn"
    actions.set_formula(actor=ada.actor, metric=shop.metric("mrr_end"), formula=formula)
    told = ada.call("get", "/metrics/mrr_end/tree?as_of=2024-02-29").json()
    root = next(node for node in told["nodes"] if node["name"] == "mrr_end")
    assert (root["value"], root["holds"]) == (58, True)


def test_both_quick_ratios_are_told_apart_and_without_losses_there_is_none(
    lake_folder: Any, ada: Any
) -> None:
    """13 gained of which 1 by reactivation, 5 lost: 2.6 and 2.4."""
    rows = [(10, 14, True), (0, 8, False), (0, 1, True), (4, 2, True), (3, 0, True)]
    shop = accounts(ada, *[(float(a), float(b), c) for a, b, c in rows])
    assert figure(shop, "quick_ratio") == pytest.approx(2.6)
    assert figure(shop, "quick_ratio_without_reactivation") == pytest.approx(2.4)
    told = ada.call("get", "/metrics/quick_ratio/value?period=2024-01").json()
    assert told["value"] is None


def test_no_losses_are_no_infinite_quick_ratio(lake_folder: Any, ada: Any) -> None:
    shop = accounts(ada, (10, 14, True), (0, 8, False))
    assert figure(shop, "mrr_churn") == 0
    assert str(figure(shop, "quick_ratio")) == "nan"
    answer = shop.ask("target", SECOND, metric="quick_ratio", period="2024-02", value=2)
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "undefined")
