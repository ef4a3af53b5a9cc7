"""The real file: every published metric equals a second, naive computation, by month and by country."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from potager.insight.metrics.semantics import MetricQuery, SemanticLayer
from tests.insight.retail.conftest import TREE
from tests.insight.retail.oracle import ABROAD, NAIVE, Oracle

pytestmark = pytest.mark.retail
PENNY = 0.005


def table(layer: SemanticLayer, names: dict[str, str], **asked: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = layer.query(MetricQuery(tuple(names), **asked)).table.to_pylist()
    return rows


def same(found: dict[str, Any], expected: dict[str, float | None]) -> dict[str, Any]:
    """Return the values that differ: by a penny or more, or known where the other is unknown."""
    return {
        name: (found[name], value)
        for name, value in expected.items()
        if (found[name] is None) != (value is None)
        or (value is not None and abs(found[name] - float(value)) > min(PENNY, 1e-9 * max(1.0, abs(value))))
    }


def test_the_file_is_the_file_that_its_description_describes(oracle: Oracle, layer: SemanticLayer) -> None:
    ((rows, nobody, countries),) = oracle.rows(
        "SELECT count(*), count(*) FILTER (WHERE customer_id IS NULL), count(DISTINCT country) FROM lines"
    )
    assert (rows, nobody, countries) == (541_909, 135_080, 38)
    found = layer.completeness("revenue")
    assert found.tables[0].rows == 541_909
    assert str(found.data_through) == "2011-12-09 12:50:00"


def test_revenue_is_9_747_747_934(layer: SemanticLayer) -> None:
    (row,) = table(layer, {"revenue": ""})
    assert row["revenue"] == pytest.approx(9_747_747.934, abs=1e-3)


def test_every_metric_of_the_demonstration_has_a_second_computation(layer: SemanticLayer) -> None:
    by_day = {"active_customers_28d", "revenue_this_month"}
    assert {metric.name for metric in layer.metrics()} == {*NAIVE, *ABROAD, *by_day}


def test_over_all_of_it_every_metric_equals_the_second_computation(
    layer: SemanticLayer, oracle: Oracle
) -> None:
    names = {**NAIVE, **ABROAD}
    (row,) = table(layer, names)
    assert same(row, oracle.by("1", names)[1]) == {}


def test_by_month_every_metric_equals_the_second_computation(layer: SemanticLayer, oracle: Oracle) -> None:
    names = {**NAIVE, **ABROAD}
    rows = {row["metric_time"]: row for row in table(layer, names, grain="month")}
    expected = oracle.by("date_trunc('month', invoice_date)::DATE", names)
    assert list(rows) == list(expected) and len(rows) == 13
    assert {month: wrong for month, values in expected.items() if (wrong := same(rows[month], values))} == {}


def test_by_country_every_metric_equals_the_second_computation(layer: SemanticLayer, oracle: Oracle) -> None:
    rows = {row["country"]: row for row in table(layer, NAIVE, group_by=("country",))}
    expected = oracle.by("country", NAIVE)
    assert set(rows) == set(expected) and len(rows) == 38
    assert {place: wrong for place, values in expected.items() if (wrong := same(rows[place], values))} == {}


def test_by_month_and_country_revenue_adds_up_to_the_penny(layer: SemanticLayer) -> None:
    rows = table(layer, {"revenue": ""}, grain="month", group_by=("country",))
    assert sum(row["revenue"] for row in rows) == pytest.approx(9_747_747.934, abs=PENNY)


def test_customers_of_countries_and_months_do_not_add_up_to_those_of_the_whole(layer: SemanticLayer) -> None:
    (whole,) = table(layer, {"customers": ""})
    months = table(layer, {"customers": ""}, grain="month")
    assert sum(row["customers"] for row in months) > whole["customers"]
    assert layer.metric("customers").adds_up is False and layer.metric("revenue").adds_up is True


def test_active_customers_of_28_days_are_those_who_ordered_in_them(
    layer: SemanticLayer, oracle: Oracle
) -> None:
    first, last = date(2011, 11, 1), date(2011, 12, 9)
    rows = table(layer, {"active_customers_28d": ""}, grain="day", start=first, end=last)
    found = {row["metric_time"]: row["active_customers_28d"] for row in rows}
    for n in range(0, (last - first).days + 1, 6):
        day = first + timedelta(days=n)
        assert found[day] == oracle.between("customers", day - timedelta(days=27), day), day


def test_revenue_so_far_grows_to_the_months_own(layer: SemanticLayer, oracle: Oracle) -> None:
    rows = table(
        layer, {"revenue_this_month": ""}, grain="day", start=date(2011, 11, 1), end=date(2011, 11, 30)
    )
    found = {row["metric_time"]: row["revenue_this_month"] for row in rows}
    for day in (date(2011, 11, 1), date(2011, 11, 15), date(2011, 11, 30)):
        assert found[day] == pytest.approx(oracle.between("revenue", date(2011, 11, 1), day), abs=PENNY)


def test_every_formula_of_the_tree_holds_in_every_month_and_in_every_country(layer: SemanticLayer) -> None:
    from potager.engines.attribution import Tree, parse_formula, reconcile

    formulas = {name: parse_formula(text) for name, text in TREE["components"].items()}
    names = {name: "" for formula in formulas.values() for name in formula.names} | dict.fromkeys(
        formulas, ""
    )
    checked = 0
    for asked in ({"grain": "month"}, {"group_by": ("country",)}):
        for row in table(layer, names, **asked):
            values = {name: float("nan") if row[name] is None else float(row[name]) for name in names}
            for root in formulas:
                for check in reconcile(Tree(root, {root: formulas[root]}), values, 1e-9):
                    assert check.holds is not False, (row, check)
                    checked += check.holds is True
    assert checked > 300


@pytest.mark.parametrize("engine", [pytest.param("spark", marks=pytest.mark.spark)])
def test_spark_answers_as_duckdb_does_to_the_penny(
    engine: str, filled: Any, layer: SemanticLayer, monkeypatch: Any
) -> None:
    import importlib.util
    import shutil

    if shutil.which("java") is None or importlib.util.find_spec("pyspark") is None:
        pytest.skip("Spark needs Java and pyspark, and one of them is not here.")
    from potager.ground.lake.spark import SparkWarehouse
    from potager.insight.metrics.semantics import parse
    from tests.insight.retail.conftest import SEMANTIC

    quiet = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"}
    warehouse = SparkWarehouse(filled, master="local[2]", settings=quiet, timeout=120)
    try:
        other = SemanticLayer([parse(SEMANTIC, "retail.yml")], warehouse, namespace="retail")
        names = {**NAIVE, **ABROAD}
        for asked in ({"grain": "month"}, {"group_by": ("country",)}):
            query = MetricQuery(tuple(names), **asked)
            mine, theirs = layer.query(query), other.query(query)
            assert (mine.engine.partition(" ")[0], theirs.engine) == ("duckdb", engine)
            assert mine.snapshots == theirs.snapshots
            key = "metric_time" if "grain" in asked else "country"
            found = {row[key]: row for row in theirs.table.to_pylist()}
            assert set(found) == set(mine.table[key].to_pylist())
            for row in mine.table.to_pylist():
                expected = {name: row[name] for name in names}
                assert same(found[row[key]], expected) == {}, row[key]
    finally:
        warehouse.close()
