"""What the definitions say of themselves: metrics, dimensions, lineage, completeness, hashes."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from potager.insight.metrics.semantics import Node, SemanticLayer, Window, parse
from potager.kit.errors import Invalid, NotFound
from tests.insight.semantics.lake_in_memory import SHOP, shop_layer, shop_warehouse

LAYER = shop_layer()


def test_a_metric_is_described_as_it_is_defined():
    revenue = LAYER.metric("revenue")

    assert (revenue.label, revenue.kind, revenue.formula) == ("Revenue", "simple", "sum(quantity * price)")
    assert revenue.description == "What was sold, less what came back"
    assert (revenue.measures, revenue.models, revenue.tables) == (("revenue",), ("lines",), ("shop.lines",))
    assert revenue.synonyms == ("sales", "turnover")
    assert revenue.meta["owner"] == "finance"
    assert SHOP.splitlines()[revenue.line - 1].strip() == "- name: revenue"
    assert {"line__country", "buyer__segment", "buyer", "line__sold_on"} <= set(revenue.dimensions)


@pytest.mark.parametrize(
    ("metric", "formula", "inputs"),
    [
        ("line_count", "count of rows", ()),
        ("revenue_per_buyer", "revenue / buyers", ("revenue", "buyers")),
        ("kept", "revenue - returned", ("revenue", "returned")),
        ("active_buyers", "count_distinct(buyer_id) over 28 days", ("buyers",)),
        ("buyers_so_far", "count_distinct(buyer_id) so far", ("buyers",)),
        ("revenue_this_month", "sum(quantity * price) month to date", ("revenue",)),
    ],
)
def test_a_formula_is_a_line_that_a_person_reads(metric, formula, inputs):
    described = LAYER.metric(metric)

    assert (described.formula, described.inputs) == (formula, inputs)


def test_every_metric_is_listed_once_and_none_of_potagers_own():
    names = [metric.name for metric in LAYER.metrics()]

    assert names == sorted(names) and len(names) == len(set(names)) == 14
    assert not [name for name in names if name.startswith("potager")]


def test_a_measure_that_makes_a_metric_of_itself_is_listed():
    text = SHOP.replace(
        "        expr: price\n      - name: top_price",
        "        expr: price\n        create_metric: true\n      - name: top_price",
    )
    text = text.replace(
        "  - name: mean_price\n    label: Mean price\n    type: simple\n    type_params: {measure: mean_price}\n",
        "",
    )

    assert shop_layer(text).metric("mean_price").line == 0


def test_dimensions_are_those_that_all_metrics_share():
    found = {dimension.name: dimension for dimension in LAYER.dimensions("revenue", "buyers")}

    assert found["line__country"].short == "country"
    assert (found["line__sold_on"].kind, found["line__sold_on"].grain) == ("time", "day")
    assert (found["buyer__segment"].model, found["buyer"].kind) == ("buyers", "entity")
    assert found["line__is_return"].label == "Is return"
    with pytest.raises(NotFound, match="revenu"):
        LAYER.dimensions("revenu")


def test_what_uses_a_column_is_found_through_measures_metrics_and_filters():
    lineage = LAYER.lineage()
    users = {node.name for node in lineage.users("column", "shop.lines.quantity")}

    assert {
        "revenue",
        "kept",
        "return_rate",
        "growth",
        "revenue_this_month",
        "revenue_per_active_buyer",
    } <= users
    assert "mean_price" not in users
    assert lineage.users("measure", "top_price") == (Node("metric", "top_price"),)
    assert Node("metric", "active_buyers") in lineage.users("table", "shop.lines")
    assert {node.name for node in lineage.users("metric", "buyers")} == {
        "revenue_per_buyer", "active_buyers", "buyers_so_far", "revenue_per_active_buyer",
    }  # fmt: skip
    with pytest.raises(NotFound, match=r"shop\.lines\.quantty") as caught:
        lineage.users("column", "shop.lines.quantty")
    assert "shop.lines.quantity" in caught.value.mend


def test_the_hash_of_a_definition_changes_exactly_when_its_values_would():
    def hash_of(*changes: tuple[str, str], metric: str = "revenue_per_buyer") -> str:
        text = SHOP
        for written, changed in changes:
            assert written in text
            text = text.replace(written, changed, 1)
        return shop_layer(text).definition_hash(metric)

    same = hash_of()
    assert hash_of(("label: Revenue per buyer", "label: Spend per buyer")) == same
    assert hash_of(("agg: average", "agg: median")) == same
    assert hash_of(("expr: quantity < 0", "expr: quantity <= 0")) == same
    assert hash_of(("expr: quantity * price", "expr: quantity * price * 1.2")) != same
    assert hash_of(("agg: count_distinct", "agg: count")) != same
    assert hash_of(("expr: quantity < 0", "expr: quantity <= 0"), metric="returned") != hash_of(
        metric="returned"
    )
    assert hash_of(("window: 28 days", "window: 30 days"), metric="active_buyers") != hash_of(
        metric="active_buyers"
    )


def test_completeness_says_until_when_and_with_which_gaps():
    found = LAYER.completeness("revenue_per_buyer")
    table = found.tables[0]

    assert (table.table, table.time_dimension, table.rows) == ("shop.lines", "sold_on", 8)
    assert (table.first, table.last) == (datetime(2024, 1, 3), datetime(2024, 3, 31))
    assert found.data_through == datetime(2024, 3, 31)
    assert table.missing_days == 89 - 6
    assert table.null_shares == {"quantity": 0.0, "price": 0.0, "buyer_id": 1 / 8}
    assert found.largest_null_share == 1 / 8


def test_rows_that_are_months_tell_of_whole_months():
    text = SHOP.replace("time_granularity: day", "time_granularity: month")
    assert text != SHOP
    found = shop_layer(text).completeness("buyers").tables[0]
    assert found.first == datetime(2024, 1, 3)
    assert found.last == datetime(2024, 3, 31)  # the end of the last month with a row, whichever day that has
    assert found.missing_days == 0


def test_completeness_of_a_period_and_of_nothing():
    february = LAYER.completeness("buyers", start=date(2024, 2, 1), end=date(2024, 2, 29)).tables[0]
    nothing = LAYER.completeness("buyers", start=date(2030, 1, 1))

    assert (february.rows, february.null_shares["buyer_id"]) == (3, pytest.approx(1 / 3))
    assert nothing.data_through is None
    assert nothing.tables[0].missing_days is None and nothing.tables[0].null_shares == {"buyer_id": None}


def test_completeness_is_one_query_whatever_the_number_of_tables():
    warehouse = shop_warehouse()
    warehouse.connection.execute(
        "CREATE TABLE shop.visits AS SELECT TIMESTAMP '2024-02-01 10:00' AS at, 1 AS buyer_id"
    )
    text = SHOP.replace(
        "\nmetrics:\n",
        "\n  - name: visits\n    model: ref('visits')\n    defaults: {agg_time_dimension: visited_at}\n"
        "    primary_entity: visit\n    dimensions: [{name: visited_at, type: time, expr: '\"at\"', "
        "type_params: {time_granularity: day}}]\n    measures: [{name: visits, agg: count, expr: '1'}]\n"
        "\nmetrics:\n  - {name: visits, label: Visits, type: simple, type_params: {measure: visits}}\n"
        "  - {name: per_visit, label: Per visit, type: ratio, "
        "type_params: {numerator: revenue, denominator: visits}}\n",
        1,
    )
    layer = SemanticLayer([parse(text, "shop.yml")], warehouse, namespace="shop")

    found = layer.completeness("per_visit")

    assert len(warehouse.asked) == 1
    assert found.data_through == datetime(2024, 2, 1, 10)
    assert [table.table for table in found.tables] == ["shop.lines", "shop.visits"]
    sums = layer.leaf_sums(
        ["per_visit"],
        [],
        {"all": Window(date(2024, 1, 1), date(2024, 12, 31))},
    )
    assert sums.cells().to_pylist()[0]["per_visit_denominator_all"] == 1.0


def test_the_values_of_a_dimension_come_most_frequent_first():
    assert LAYER.dimension_values("revenue", "country").to_pylist() == [
        {"value": "France", "rows": 4},
        {"value": "Spain", "rows": 3},
        {"value": None, "rows": 1},
    ]
    assert LAYER.dimension_values("active_buyers", "segment", limit=1).to_pylist() == [
        {"value": "big", "rows": 3}
    ]
    assert LAYER.dimension_values("revenue", "country", search="PA").column("value").to_pylist() == ["Spain"]
    assert LAYER.dimension_values("revenue", "country", search="%' OR '1'='1").num_rows == 0
    with pytest.raises(Invalid):
        LAYER.dimension_values("revenue", "country", limit=0)
