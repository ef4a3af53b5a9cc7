"""Metrics answered: equal to what plain SQL says, whatever is asked and whatever values hold."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime

import pytest

from potager.insight.metrics.semantics import Condition, MetricQuery, SemanticLayer, parse
from potager.kit.errors import Invalid, NotFound
from tests.insight.semantics.lake_in_memory import LINES, SHOP, MemoryWarehouse, shop_layer, shop_warehouse

LAYER = shop_layer()


def answer(*metrics: str, **asked) -> list[dict]:
    return LAYER.query(MetricQuery(metrics, **asked)).table.to_pylist()


def test_importing_the_package_loads_neither_metricflow_nor_arrow():
    import subprocess

    code = (
        "import sys, potager.insight.metrics.semantics as s\n"
        "heavy = {'metricflow', 'metricflow_semantic_interfaces', 'pyarrow', 'sqlglot'} & set(sys.modules)\n"
        "assert heavy == set(), heavy\n"
        "assert callable(s.validate) and callable(s.profile) and callable(s.propose)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_metricflow_reports_to_nobody_and_keeps_quiet():
    import logging

    from potager.insight.metrics.semantics.compiled import metricflow

    assert metricflow()._telemetry_reporter._handlers == []
    assert metricflow()._telemetry_reporter._client_id == "nobody"
    for name in ("metricflow", "metricflow_semantics", "metricflow_semantic_interfaces"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.ERROR


def test_a_metric_without_a_group_is_one_number():
    assert answer("revenue") == [{"revenue": 20 + 5 + 10 + 30 + 7 - 10 + 30 + 100}]


def test_metrics_of_every_kind_by_month():
    assert answer("revenue", "buyers", "mean_price", "returned", "revenue_per_buyer", grain="month") == [
        {
            "metric_time": date(2024, 1, 1), "revenue": 35.0, "buyers": 2, "mean_price": 17.5 / 3,
            "returned": None, "revenue_per_buyer": 17.5,
        },
        {
            "metric_time": date(2024, 2, 1), "revenue": 27.0, "buyers": 2, "mean_price": 9.0,
            "returned": -10.0, "revenue_per_buyer": 13.5,
        },
        {
            "metric_time": date(2024, 3, 1), "revenue": 130.0, "buyers": 2, "mean_price": 52.5,
            "returned": None, "revenue_per_buyer": 65.0,
        },
    ]  # fmt: skip


def test_a_group_without_a_value_is_a_group():
    assert answer("revenue", "line_count", group_by=("country",)) == [
        {"country": "France", "revenue": 115.0, "line_count": 4},
        {"country": "Spain", "revenue": 47.0, "line_count": 3},
        {"country": None, "revenue": 30.0, "line_count": 1},
    ]


def test_a_dimension_of_another_table_is_joined():
    rows = answer("revenue", "revenue_per_buyer", group_by=("segment",))

    assert rows == [
        {"segment": "big", "revenue": 20.0, "revenue_per_buyer": 20.0},
        {"segment": "small", "revenue": 65.0, "revenue_per_buyer": 32.5},
        {"segment": None, "revenue": 107.0, "revenue_per_buyer": 107.0},
    ]


def test_an_entity_can_be_split_by_and_ordered_by_a_metric():
    rows = answer("revenue", group_by=("buyer",), order_by=("-revenue",), limit=2)

    assert rows == [{"buyer": 4, "revenue": 100.0}, {"buyer": 2, "revenue": 35.0}]


def test_names_may_be_short_or_full_and_columns_are_plain():
    short = LAYER.query(MetricQuery(("revenue",), ("country",), "month")).table
    full = LAYER.query(MetricQuery(("revenue",), ("line__country",), "month")).table

    assert short.column_names == ["metric_time", "country", "revenue"]
    assert full.equals(short)


def test_a_time_dimension_takes_a_grain():
    rows = answer("line_count", group_by=("sold_on__quarter",))

    assert rows == [{"sold_on": datetime(2024, 1, 1), "line_count": 8}] or rows == [
        {"sold_on": date(2024, 1, 1), "line_count": 8}
    ]


def test_a_question_metricflow_cannot_answer_says_why():
    with pytest.raises(Invalid, match="growth") as caught:
        answer("growth")
    assert caught.value.mend


def test_a_cumulative_metric_without_a_grain_is_its_value_on_the_last_day():
    assert answer("active_buyers", end=date(2024, 2, 2)) == [{"active_buyers": 2}]
    assert answer("active_buyers") == [{"active_buyers": 2}]
    assert answer("buyers_so_far", "revenue", "revenue_this_month") == [
        {"buyers_so_far": 4, "revenue": 192.0, "revenue_this_month": 130.0}
    ]


def test_rolling_values_and_metricflows_stand_in_one_table():
    rows = answer(
        "revenue", "active_buyers", "revenue_per_active_buyer", grain="month", group_by=("country",)
    )
    spain = next(row for row in rows if row["country"] == "Spain" and row["metric_time"] == date(2024, 2, 1))

    assert spain == {
        "metric_time": date(2024, 2, 1), "country": "Spain", "revenue": 37.0,
        "active_buyers": 1, "revenue_per_active_buyer": 37.0,
    }  # fmt: skip


def test_dividing_by_nothing_is_no_number_rather_than_infinity():
    text = SHOP.replace("100 * (0 - returned) / NULLIF(kept, 0)", "100.0 / (returned - returned)")
    text = text.replace("metrics: [returned, kept]", "metrics: [returned]")
    text = text.replace("expr: quantity * price", "expr: price / (quantity - 1)")
    layer = shop_layer(text)

    assert layer.query(MetricQuery(("return_rate",))).table.to_pylist() == [{"return_rate": None}]
    assert layer.query(MetricQuery(("revenue",))).table["revenue"][0].as_py() == pytest.approx(
        sum(price / (quantity - 1) for _, _, _, quantity, price in LINES if quantity != 1)
    )


def test_conversion_metrics_are_metricflows():
    text = SHOP + (
        "  - name: bought_again\n    label: Bought again\n    type: conversion\n    type_params:\n"
        "      conversion_type_params:\n        entity: buyer\n        calculation: conversions\n"
        "        base_measure: line_count\n        conversion_measure: returned_lines\n        window: 60 days\n"
    )
    text = text.replace(
        "      - name: buyers\n        agg: count_distinct",
        "      - name: returned_lines\n        agg: sum\n        expr: CASE WHEN quantity < 0 THEN 1 ELSE 0 END\n"
        "      - name: buyers\n        agg: count_distinct",
    )

    assert shop_layer(text).query(MetricQuery(("bought_again",))).table.num_rows == 1


def test_whole_numbers_come_as_whole_numbers():
    table = LAYER.query(MetricQuery(("line_count", "buyers"))).table

    assert [str(field.type) for field in table.schema] == ["int64", "int64"]


@pytest.mark.parametrize(
    ("asked", "problem", "says"),
    [
        ({"metrics": ("revenu",)}, NotFound, "revenue"),
        ({"metrics": ()}, Invalid, "one of"),
        ({"metrics": ("revenue",), "group_by": ("contry",)}, NotFound, "country"),
        ({"metrics": ("revenue",), "group_by": ("metric_time",)}, Invalid, "grain"),
        ({"metrics": ("revenue",), "group_by": ("country__month",)}, Invalid, "line__country"),
        ({"metrics": ("revenue",), "grain": "decade"}, Invalid, "month"),
        ({"metrics": ("revenue",), "start": date(2024, 2, 1), "end": date(2024, 1, 1)}, Invalid, "Swap"),
        ({"metrics": ("revenue",), "limit": 0}, Invalid, "1 to"),
        ({"metrics": ("revenue",), "order_by": ("-revenu",)}, Invalid, "revenue"),
        ({"metrics": ("revenue",), "where": (Condition("contry", "=", ("x",)),)}, NotFound, "country"),
        ({"metrics": ("revenue",), "where": (Condition("country", "~", ("x",)),)}, Invalid, "between"),
        ({"metrics": ("revenue",), "where": (Condition("country", "=", ("x", "y")),)}, Invalid, "as many"),
        ({"metrics": ("revenue",), "where": (Condition("country", "<", (None,)),)}, Invalid, "is_null"),
        ({"metrics": ("revenue",), "where": (Condition("country", "contains", (1,)),)}, Invalid, "text"),
        (
            {"metrics": ("revenue",), "where": (Condition("country", "=", (float("nan"),)),)},
            Invalid,
            "finite",
        ),
        (
            {"metrics": ("revenue",), "where": (Condition("country", "=", (object(),)),)},
            Invalid,
            "text, number",
        ),
    ],
)
def test_what_cannot_be_asked_says_what_can(asked, problem, says):
    with pytest.raises(problem) as caught:
        LAYER.query(MetricQuery(**asked))
    assert says in caught.value.mend


def test_a_short_name_that_means_two_things_asks_which():
    text = SHOP.replace(
        "      - name: segment\n        type: categorical",
        "      - name: segment\n        type: categorical\n"
        "      - name: country\n        type: categorical\n        expr: segment",
    )
    layer = shop_layer(text)

    rows = layer.query(MetricQuery(("revenue",), ("line__country", "buyer__country"))).table
    assert rows.column_names == ["line__country", "buyer__country", "revenue"]
    with pytest.raises(Invalid, match="may mean"):
        layer.query(MetricQuery(("revenue",), ("country",)))


# How it is run


def test_the_sql_shown_is_the_sql_that_ran():
    query = MetricQuery(("revenue_per_active_buyer",), ("country",), "month")
    warehouse = shop_warehouse()
    layer = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")

    result = layer.query(query)

    assert warehouse.asked == [result.sql] == [layer.sql(query)]
    assert warehouse.rows(result.sql).to_pylist() == result.table.to_pylist()


def test_snapshots_are_handed_to_the_warehouse_and_back():
    result = LAYER.query(MetricQuery(("revenue",)), at={"shop.lines": "7"})

    assert (result.snapshots, result.engine) == ({"shop.lines": "7"}, "duckdb")


def test_a_range_of_days_is_searchable_by_the_engine():
    sql = LAYER.sql(MetricQuery(("revenue",), grain="month", start=date(2024, 1, 5), end=date(2024, 1, 9)))

    assert "sold_on >= '2024-01-05' AND sold_on < '2024-01-10'" in " ".join(sql.split())


def test_no_calendar_table_is_read():
    for metric in ("growth", "active_buyers", "revenue_this_month"):
        sql = LAYER.sql(MetricQuery((metric,), grain="month"))
        assert "potager." not in sql
        assert "GENERATE_SERIES" in sql


@pytest.mark.parametrize(
    "metric", ["revenue", "growth", "active_buyers", "revenue_this_month", "buyers_so_far"]
)
def test_the_sql_can_be_said_in_sparks_dialect(metric):
    import sqlglot

    sql = LAYER.sql(MetricQuery((metric,), ("country",), "month", date(2024, 1, 1), date(2024, 3, 31)))
    spark = sqlglot.transpile(sql, read="duckdb", write="spark")[0]

    assert sqlglot.parse_one(spark, dialect="spark").sql("spark") == spark
    assert "UNNEST" not in spark and "GENERATE_SERIES" not in spark


def test_definitions_are_compiled_once_whoever_asks():
    first, second = shop_layer(), shop_layer("# another comment\n" + SHOP)

    assert first._compiled is second._compiled
    assert shop_layer(SHOP.replace("quantity * price", "price"))._compiled is not first._compiled


def test_many_threads_get_the_answers_of_one():
    asked = [
        MetricQuery((metric,), ("country",), grain, date(2024, 1, 1 + day))
        for metric in ("revenue", "active_buyers", "revenue_per_buyer", "kept")
        for grain in ("day", "month")
        for day in range(5)
    ]
    layer = shop_layer(SHOP.replace("label: Lines", "label: All lines"))
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: layer.query(one).table, asked))

    assert all(
        found.equals(shop_layer().query(one).table) for found, one in zip(together, asked, strict=True)
    )


def test_a_column_named_by_a_word_of_sql_is_read():
    warehouse = MemoryWarehouse(
        "CREATE SCHEMA app", "CREATE TABLE app.events AS SELECT DATE '2024-01-01' AS at, 1 AS \"order\""
    )
    text = (
        "semantic_models:\n  - name: events\n    model: ref('events')\n    defaults: {agg_time_dimension: happened}\n"
        "    primary_entity: event\n    dimensions:\n      - {name: happened, type: time, expr: '\"at\"', "
        "type_params: {time_granularity: day}}\n    measures:\n      - {name: orders, agg: sum, expr: '\"order\"'}\n"
        "metrics:\n  - {name: orders, label: Orders, type: simple, type_params: {measure: orders}}\n"
    )
    layer = SemanticLayer([parse(text, "events.yml")], warehouse, namespace="app")

    rows = layer.query(MetricQuery(("orders",), grain="month", start=date(2024, 1, 1))).table.to_pylist()
    assert rows == [{"metric_time": date(2024, 1, 1), "orders": 1}]


def test_no_two_steps_of_a_statement_share_a_name():
    import sqlglot
    from sqlglot import exp

    query = MetricQuery(
        ("active_buyers", "buyers_so_far", "revenue_this_month", "growth"), ("country",), "month"
    )
    tree = sqlglot.parse_one(LAYER.sql(query), dialect="duckdb")
    names = [cte.alias for cte in tree.find_all(exp.CTE)]

    assert len(names) == len(set(names))
    assert LAYER.query(query).table.num_rows > 0
