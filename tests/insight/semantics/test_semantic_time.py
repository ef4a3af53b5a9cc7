"""Ranges of days: those asked for and no others, at every grain, to their last moment."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.insight.metrics.semantics import MetricQuery, SemanticLayer, Window, parse
from potager.kit.errors import Invalid
from tests.insight.semantics.lake_in_memory import LINES, SHOP, MemoryWarehouse, shop_layer, shop_warehouse

LAYER = shop_layer()


def answer(*metrics: str, **asked) -> list[dict]:
    return LAYER.query(MetricQuery(metrics, **asked)).table.to_pylist()


def test_a_range_is_kept_to_the_day_at_every_grain():
    inside = [line for line in LINES if "2024-01-20" <= line[0] <= "2024-02-02"]
    rows = answer("revenue", grain="month", start=date(2024, 1, 20), end=date(2024, 2, 2))

    assert sum(row["revenue"] for row in rows) == sum(line[3] * line[4] for line in inside)
    assert [row["revenue"] for row in rows] == [10.0, 37.0]
    assert answer("revenue", start=date(2024, 1, 20), end=date(2024, 2, 2)) == [{"revenue": 47.0}]


@pytest.mark.parametrize("grain", [None, "day", "week", "month", "quarter", "year"])
@given(start=st.dates(date(2023, 12, 1), date(2024, 5, 1)), end=st.dates(date(2023, 12, 1), date(2024, 5, 1)))
@settings(max_examples=12, deadline=None)
def test_days_in_a_range_are_those_and_no_others(grain, start, end):
    if start > end:
        start, end = end, start
    inside = [line for line in LINES if start.isoformat() <= line[0] <= end.isoformat()]

    rows = answer("line_count", grain=grain, start=start, end=end)

    assert sum(row["line_count"] or 0 for row in rows) == len(inside)


def test_an_open_end_hides_nothing_before_2000_or_after_2040():
    warehouse = shop_warehouse()
    warehouse.connection.execute(
        "INSERT INTO shop.lines VALUES ('1970-01-01', 1, 'X', 1, 1), ('2060-01-01', 1, 'X', 1, 2)"
    )
    layer = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")

    def revenue(**asked) -> float:
        return layer.query(MetricQuery(("revenue",), **asked)).table["revenue"][0].as_py()

    assert revenue() == 195.0
    assert revenue(end=date(2024, 12, 31)) == 193.0
    assert revenue(start=date(2024, 1, 1)) == 194.0
    assert revenue(start=date(1960, 1, 1), end=date(1980, 1, 1)) == 1.0


def test_a_metric_that_looks_at_another_month_widens_the_range_and_says_so():
    result = LAYER.query(
        MetricQuery(("growth",), grain="month", start=date(2024, 2, 10), end=date(2024, 3, 5))
    )

    assert result.table.to_pylist() == [
        {"metric_time": date(2024, 2, 1), "growth": -8.0},
        {"metric_time": date(2024, 3, 1), "growth": 103.0},
    ]
    assert "2024-02-01 to 2024-03-31" in result.notes[0]
    assert LAYER.query(MetricQuery(("revenue",), grain="month", start=date(2024, 2, 10))).notes == ()


def moments_layer(grain: str, kind: str) -> SemanticLayer:
    warehouse = MemoryWarehouse(
        "SET TimeZone = 'UTC'",
        "CREATE SCHEMA app",
        f"CREATE TABLE app.pings AS SELECT CAST(m AS {kind}) AS pinged_at, n FROM (VALUES "
        "('2024-01-31 00:00:00', 1), ('2024-01-31 23:59:59.5', 2), ('2024-02-01 00:00:00', 4), "
        "('2024-02-29 13:30:00', 8), ('2024-03-01 00:00:00', 16), (NULL, 32)) AS v(m, n)",
    )
    text = (
        "semantic_models:\n  - name: pings\n    model: ref('pings')\n    defaults: {agg_time_dimension: pinged_at}\n"
        "    primary_entity: ping\n    dimensions:\n      - {name: pinged_at, type: time, "
        f"type_params: {{time_granularity: {grain}}}}}\n    measures:\n      - {{name: sum_n, agg: sum, expr: n}}\n"
        "      - {name: ns, agg: count_distinct, expr: n}\nmetrics:\n"
        "  - {name: sum_n, label: N, type: simple, type_params: {measure: sum_n}}\n"
        "  - {name: ns, label: Ns, type: simple, type_params: {measure: ns}}\n"
        "  - {name: ns_2d, label: Ns 2d, type: cumulative, type_params: {measure: ns, "
        "cumulative_type_params: {window: 2 days}}}\n"
    )
    return SemanticLayer([parse(text, "pings.yml")], warehouse, namespace="app")


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
@pytest.mark.parametrize("grain", ["second", "hour", "day"])
def test_the_last_day_of_a_range_is_in_to_its_last_moment(grain, kind):
    layer = moments_layer(grain, kind)
    february = MetricQuery(("sum_n",), (), "month", date(2024, 1, 31), date(2024, 2, 29))

    assert layer.query(february).table.to_pylist() == [
        {"metric_time": date(2024, 1, 1), "sum_n": 3},
        {"metric_time": date(2024, 2, 1), "sum_n": 12},
    ]
    assert layer.query(MetricQuery(("sum_n",), end=date(2024, 1, 31))).table["sum_n"].to_pylist() == [3]
    assert layer.query(MetricQuery(("sum_n",))).table["sum_n"].to_pylist() == [63]
    rolled = layer.query(
        MetricQuery(("ns_2d",), (), "day", date(2024, 2, 1), date(2024, 2, 2))
    ).table.to_pylist()
    assert [row["ns_2d"] for row in rolled] == [3, 1]
    sums = layer.leaf_sums(["sum_n"], [], {"january": Window(date(2024, 1, 1), date(2024, 1, 31))})
    assert sums.cells()["sum_n_january"].to_pylist() == [3.0]


def test_a_metric_dated_by_months_is_asked_by_months():
    layer = moments_layer("month", "TIMESTAMP")
    result = layer.query(MetricQuery(("sum_n",), (), "month", date(2024, 2, 10), date(2024, 2, 20)))

    assert result.table.to_pylist() == [{"metric_time": date(2024, 2, 1), "sum_n": 12}]
    assert "widened" in result.notes[0]
    with pytest.raises(Invalid, match="sum_n"):
        layer.query(MetricQuery(("sum_n",), (), "day"))
