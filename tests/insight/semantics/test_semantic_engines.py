"""The same definitions over the real lake: DuckDB and Spark say the same, to the penny."""

from __future__ import annotations

from datetime import date

import pytest

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.insight.metrics.semantics import (
    Condition,
    MetricQuery,
    SemanticLayer,
    Window,
    parse,
    profile,
    propose,
)
from tests.insight.semantics.lake_in_memory import SHOP, shop_warehouse

QUESTIONS = [
    MetricQuery(("revenue", "buyers", "mean_price", "returned", "revenue_per_buyer", "kept"), (), "month"),
    MetricQuery(("revenue",), ("country", "segment"), start=date(2024, 1, 20)),
    MetricQuery(("growth", "revenue"), ("country",), "month"),
    MetricQuery(("active_buyers", "buyers_so_far", "revenue_this_month"), ("country",), "day"),
    MetricQuery(
        ("active_buyers", "revenue_per_active_buyer"), (), "month", date(2024, 2, 3), date(2024, 3, 9)
    ),
    MetricQuery(("active_buyers", "revenue"), where=(Condition("country", "contains", ("AN",)),)),
    MetricQuery(("line_count",), ("buyer",), order_by=("-line_count", "buyer"), limit=2),
]
JANUARY, FEBRUARY = Window(date(2024, 1, 1), date(2024, 1, 31)), Window(date(2024, 2, 1), date(2024, 2, 29))


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Lake:
    folder = tmp_path_factory.mktemp("lake")
    lake = Lake(f"sqlite:///{folder}/catalogue.db", f"{folder}/files")
    source = shop_warehouse()
    for name in ("lines", "buyers"):
        lake.append(f"shop.{name}", source.rows(f"SELECT * FROM shop.{name}").to_reader(), load_id="first")
    return lake


def answers(layer: SemanticLayer) -> list[list[dict]]:
    tables = [layer.query(question).table for question in QUESTIONS]
    tables.append(layer.component_sums("revenue_per_buyer", ["country", "segment"], JANUARY, FEBRUARY).table)
    tables.append(layer.unit_sums("revenue_per_buyer", "buyer", "country", JANUARY).table)
    tables.append(layer.dimension_values("revenue", "country", search="a"))
    return [sorted(table.to_pylist(), key=repr) for table in tables]


def in_memory() -> list[list[dict]]:
    return answers(SemanticLayer([parse(SHOP, "shop.yml")], shop_warehouse(), namespace="shop"))


def test_the_lake_answers_as_tables_in_memory_do(lake):
    layer = SemanticLayer([parse(SHOP, "shop.yml")], DuckDBWarehouse(lake), namespace="shop")
    result = layer.query(QUESTIONS[0])

    assert answers(layer) == in_memory()
    assert set(result.snapshots) == {"shop.lines"}
    assert layer.query(QUESTIONS[0], at=result.snapshots).table.equals(result.table)
    assert layer.completeness("revenue").snapshots == result.snapshots


def test_an_answer_stays_what_it_was_at_its_snapshot(lake, tmp_path):
    copy = Lake(f"sqlite:///{tmp_path}/catalogue.db", f"{tmp_path}/files")
    source = shop_warehouse()
    for name in ("lines", "buyers"):
        copy.append(f"shop.{name}", source.rows(f"SELECT * FROM shop.{name}").to_reader(), load_id="first")
    warehouse = DuckDBWarehouse(copy)
    layer = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")
    before = layer.query(QUESTIONS[0])
    copy.append("shop.lines", source.rows("SELECT * FROM shop.lines").to_reader(), load_id="second")

    assert layer.query(QUESTIONS[0], at=before.snapshots).table.equals(before.table)
    assert layer.query(QUESTIONS[0]).table["revenue"][0].as_py() == 2 * before.table["revenue"][0].as_py()


def test_a_table_of_the_lake_has_a_proposal(lake):
    warehouse = DuckDBWarehouse(lake)
    proposal = propose(
        "shop.lines", warehouse.tables()["shop.lines"].schema, profile(warehouse, "shop.lines")
    )
    layer = SemanticLayer([parse(proposal.yaml_text, "lines.yml")], warehouse, namespace="shop")

    assert layer.query(MetricQuery(("revenue", "buyers"))).table.to_pylist() == [
        {"revenue": 192.0, "buyers": 4}
    ]


@pytest.mark.spark
def test_spark_answers_as_duckdb_does(lake):
    pytest.importorskip("pyspark", reason="pyspark is not installed")
    import shutil

    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not here.")
    import warnings

    from potager.ground.lake.spark import SparkWarehouse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer = SemanticLayer([parse(SHOP, "shop.yml")], SparkWarehouse(lake), namespace="shop")
        found = answers(layer)

    for ours, theirs in zip(in_memory(), found, strict=True):
        assert [list(row) for row in theirs] == [list(row) for row in ours]
        for row, other in zip(ours, theirs, strict=True):
            for name, value in row.items():
                same = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
                assert other[name] == same
