"""Values of metrics: the sums anybody can do by hand, unknown where there is nothing, never zero for missing."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from potager.insight.metrics import actions, reading, treeview
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import parse_period
from potager.kit.errors import Invalid
from tests.insight.shop import FIRST, LAST, Shop, total

pytestmark = pytest.mark.django_db
MORE = """\
semantic_models:
  - name: dear_sales
    model: ref('sales')
    defaults: {agg_time_dimension: sold_on}
    primary_entity: dear_sale
    dimensions:
      - {name: sold_on, type: time, type_params: {time_granularity: day}}
    measures:
      - {name: dear, agg: sum, expr: CASE WHEN amount > 1000000 THEN 1 ELSE 0 END}
metrics:
  - {name: dear, type: simple, type_params: {measure: dear}}
  - {name: dear_value, label: Dear value, type: ratio, type_params: {numerator: revenue, denominator: dear}}
  - name: dear_derived
    label: Dear derived
    type: derived
    type_params: {expr: revenue / dear, metrics: [{name: revenue}, {name: dear}]}
"""


@pytest.fixture
def dear(shop: Shop) -> Shop:
    """The shop with metrics whose denominator is always nothing."""
    actions.publish(actor=shop.actor, name="dear.yml", namespace="shop", text=MORE)
    return shop


@pytest.mark.parametrize("name", ["dear_value", "dear_derived"])
def test_what_is_divided_by_nothing_is_unknown_and_not_zero(dear: Shop, ada: Any, name: str) -> None:
    value, _ = reading.value(dear.metric(name), parse_period("2024-02"))
    assert math.isnan(value)
    told = ada.call("get", f"/metrics/{name}/value?period=2024-02").json()
    assert told["value"] is None and told["sql"]
    rows = ada.call("get", f"/metrics/{name}/series?grain=month").json()["rows"]
    assert rows and all(row[-1] is None for row in rows)
    assert ada.browser.get(f"/metrics/{name}").status_code == 200
    assert ada.browser.get("/metrics/").status_code == 200
    answer = dear.ask("change", metric=name, period="2024-02")
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "undefined")


def test_a_period_outside_the_data_is_unknown_and_not_zero(shop: Shop) -> None:
    for period in ("2023-12", "2024-05"):
        value, _ = reading.value(shop.metric("revenue"), parse_period(period))
        assert math.isnan(value)


def test_a_day_without_sales_inside_the_data_is_zero_for_a_sum_and_unknown_for_a_ratio(shop: Shop) -> None:
    shop.append(LAST + timedelta(days=3), LAST + timedelta(days=3))
    span = (LAST, LAST + timedelta(days=5))
    revenue = reading.series(shop.metric("revenue"), "day", *span).values
    assert revenue[1:3].tolist() == [0.0, 0.0] and math.isnan(revenue[4])
    value = reading.series(shop.metric("line_value"), "day", *span).values
    assert math.isnan(value[1]) and math.isnan(value[2]) and not math.isnan(value[3])


def test_what_is_read_is_what_is_added_up_by_hand(shop: Shop, ada: Any) -> None:
    for period in ("2024-01", "2024-Q1", "2024-W05", "2024-02-03..2024-02-09", "2024-02-29"):
        found = parse_period(period)
        expected = total(max(found.start, FIRST), min(found.end, LAST))
        told = ada.call("get", f"/metrics/revenue/value?period={period}").json()
        assert told["value"] == pytest.approx(expected, rel=1e-12)
        assert told["unit"] == "GBP" and list(told["snapshots"]) == ["shop.sales"]


def test_a_series_split_by_country_adds_up_to_the_whole(shop: Shop, ada: Any) -> None:
    split = ada.call("get", "/metrics/revenue/series?grain=month&by=country").json()
    months: dict[str, float] = {}
    for row in split["rows"]:
        months[row[0]] = months.get(row[0], 0.0) + row[-1]
    whole = ada.call("get", "/metrics/revenue/series?grain=month").json()["rows"]
    assert months == {row[0]: pytest.approx(row[-1]) for row in whole} and len(whole) == 3


def test_a_filter_and_its_complement_add_up_to_the_whole(shop: Shop, ada: Any) -> None:
    from potager.ground.lake.service import lake

    nowhere = {"sold_on": [LAST], "country": pa.array([None], pa.string()), "buyer": ["x"], "amount": [7.0]}
    lake().append("shop.sales", pa.table(nowhere), load_id="nowhere")
    values = [
        ada.call("get", f"/metrics/revenue/series?grain=year&where={where}").json()["rows"][0][-1]
        for where in ("country=France", "country!=France", "country=unknown")
    ]
    assert values[0] == pytest.approx(total(FIRST, LAST, "France"))
    assert values[0] + values[1] == pytest.approx(total(FIRST, LAST) + 7)
    assert values[2] == 7.0


def test_freshness_says_where_the_data_ends_and_how_many_days_are_missing(shop: Shop) -> None:
    whole = reading.freshness(shop.metric("revenue"))
    assert (whole.first, whole.complete_through, whole.missing_days) == (FIRST, LAST, 0)
    assert whole.rows == 10 * ((LAST - FIRST).days + 1)
    shop.append(LAST + timedelta(days=4), LAST + timedelta(days=4))
    later = reading.freshness(shop.metric("revenue"))
    assert (later.complete_through, later.missing_days) == (LAST + timedelta(days=4), 3)


SHAPES = """\
semantic_models:
  - name: stock
    model: ref('sales')
    defaults: {agg_time_dimension: sold_on}
    primary_entity: stock
    entities: [{name: buyer, type: foreign, expr: buyer}]
    dimensions: [{name: sold_on, type: time, type_params: {time_granularity: day}}]
    measures:
      - {name: level, agg: sum, expr: amount, non_additive_dimension: {name: sold_on, window_choice: max}}
      - {name: buyers, agg: count_distinct, expr: buyer}
      - {name: largest, agg: max, expr: amount}
      - {name: named, agg: count, expr: buyer}
      - {name: mean, agg: average, expr: amount}
metrics:
  - {name: level, type: simple, type_params: {measure: level}}
  - {name: buyers, type: simple, type_params: {measure: buyers}}
  - {name: largest, type: simple, type_params: {measure: largest}}
  - {name: named, type: simple, type_params: {measure: named}}
  - {name: mean, type: simple, type_params: {measure: mean}}
  - name: net
    type: derived
    type_params: {expr: revenue - 2 * named, metrics: [{name: revenue}, {name: named}]}
  - name: shifted
    type: derived
    type_params: {expr: revenue + 5, metrics: [{name: revenue}]}
  - name: growth
    type: derived
    type_params:
      expr: revenue - before
      metrics: [{name: revenue}, {name: revenue, alias: before, offset_window: 7 days}]
"""


def test_only_sums_and_counts_of_rows_add_up_over_time(shop: Shop) -> None:
    actions.publish(actor=shop.actor, name="shapes.yml", namespace="shop", text=SHAPES)
    found = {metric.name for metric in Metric.objects.all() if reading.additive(metric)}
    assert found == {"revenue", "lines", "named", "net"}
    for name in found:
        january, february, both = (
            reading.value(shop.metric(name), parse_period(text))[0]
            for text in ("2024-01", "2024-02", "2024-01-01..2024-02-29")
        )
        assert january + february == pytest.approx(both)


def test_a_balance_is_not_added_up_over_its_days(shop: Shop) -> None:
    actions.publish(actor=shop.actor, name="shapes.yml", namespace="shop", text=SHAPES)
    value, _ = reading.value(shop.metric("level"), parse_period("2024-02"))
    assert value == pytest.approx(total(date(2024, 2, 29), date(2024, 2, 29)))
    answer = shop.ask("target", metric="level", period="2024-02-01..2024-03-31", value=10)
    assert answer.verdict == "cannot_tell" and "cannot be added up" in answer.refusal["because"]


@pytest.mark.parametrize(
    ("direction", "value", "low", "high", "verdict"),
    [
        ("up", 100, None, None, "yes"),
        ("up", 99, 95, None, "at_risk"),
        ("up", 94, 95, None, "no"),
        ("down", 100, None, None, "yes"),
        ("down", 104, None, 105, "at_risk"),
        ("down", 106, None, 105, "no"),
        ("range", 97, 95, 105, "yes"),
        ("range", 106, 95, 105, "no"),
        ("up", None, None, None, "cannot_tell"),
    ],
)
def test_a_value_stands_against_its_target_by_direction_and_range(
    shop: Shop, direction: str, value: float | None, low: float | None, high: float | None, verdict: str
) -> None:
    shop.govern("revenue", direction=direction)
    shop.target("revenue", 100, date(2024, 2, 1), date(2024, 2, 29), low=low, high=high)
    target = shop.metric("revenue").targets.get()
    assert treeview.verdict(shop.metric("revenue"), value, target) == verdict
    assert treeview.verdict(shop.metric("revenue"), value, target, partial=True) == ""
    assert treeview.verdict(shop.metric("revenue"), value, None) == ""


def test_a_range_that_does_not_hold_its_target_is_refused(shop: Shop, ada: Any) -> None:
    body = {"value": 100, "low": 110, "period": "2024-02"}
    told = ada.call("post", "/metrics/revenue/targets", body)
    assert told.status_code == 422 and "must not be above the target" in str(told.json())
    body = {"value": 100, "high": 90, "period": "2024-02"}
    assert ada.call("post", "/metrics/revenue/targets", body).status_code == 422
    made = ada.call(
        "post", "/metrics/revenue/targets", {"value": 100, "low": 90, "high": 110, "period": "2024-02"}
    )
    assert made.status_code == 201 and made.json()["start"] == "2024-02-01"
    dropped = ada.call("delete", f"/metrics/revenue/targets/{made.json()['id']}")
    assert dropped.status_code == 200
    assert ada.call("get", "/metrics/revenue/targets").json()["items"] == []


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_target_is_a_number(shop: Shop, value: float) -> None:
    for ends in ({"value": value}, {"value": 1.0, "low": value}, {"value": 1.0, "high": value}):
        with pytest.raises(Invalid) as refused:
            shop.target("revenue", start=date(2024, 2, 1), end=date(2024, 2, 29), **ends)
        assert "A target cannot be" in refused.value.detail


def test_certifying_takes_a_maintainer(shop: Shop, bo: Any) -> None:
    metric = Metric.objects.get(name="revenue")
    told = bo.call("patch", "/metrics/revenue", {"maturity": "certified"}, if_match=f'"{metric.version}"')
    assert told.status_code == 403
    assert Metric.objects.get(name="revenue").maturity == "draft"
