"""Spark over the lake: the same SQL on the same files gives the same answer."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.ground.lake.spark import SparkWarehouse
from potager.kit.errors import Invalid, NotFound, Unavailable

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        shutil.which("java") is None or importlib.util.find_spec("pyspark") is None,
        reason="Spark needs Java and pyspark, and one of them is not here.",
    ),
]


def lines(count: int, first: int = 0) -> pa.Table:
    every = range(first, first + count)
    start = datetime(2010, 12, 1, 8)
    return pa.table(
        {
            "invoice": [f"{'C' if number % 11 == 0 else ''}{536365 + number // 5}" for number in every],
            "quantity": pa.array([number % 13 - 2 for number in every], pa.int32()),
            "price": pa.array([Decimal(number % 997) / 100 for number in every], pa.decimal128(12, 2)),
            "customer": pa.array([None if number % 4 == 0 else 12346 + number % 50 for number in every]),
            "made": pa.array([start + timedelta(minutes=7 * number) for number in every], pa.timestamp("us")),
            "zoned": pa.array([start.replace(tzinfo=UTC)] * count, pa.timestamp("us", "UTC")),
            "day": [date(2010, 12, 1) + timedelta(days=number % 30) for number in every],
            "country": [("United Kingdom", "France", None)[number % 3] for number in every],
        }
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("spark")
    return f"sqlite:///{folder / 'c.sqlite3'}", str(folder / "lake")


@pytest.fixture(scope="module")
def shop(place) -> Iterator[tuple[Lake, DuckDBWarehouse, SparkWarehouse]]:
    lake = Lake(*place)
    lake.append("shop.lines", lines(4000), load_id="a")
    wider = lines(1000, 4000).set_column(1, "quantity", pa.array(range(1000), pa.int64()))
    lake.append("shop.lines", wider.append_column("note", pa.array(["new"] * 1000)), load_id="b")
    lake.append("shop.none", lines(0), load_id="a")
    duck = DuckDBWarehouse(lake)
    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"}
    spark = SparkWarehouse(lake, master="local[2]", settings=settings, timeout=60)
    yield lake, duck, spark
    spark.close()
    duck.close()


QUESTIONS = [
    "SELECT count(*) AS n, count(customer) AS known, count(DISTINCT customer) AS customers FROM shop.lines",
    "SELECT sum(quantity * price) AS revenue, sum(price) AS prices FROM shop.lines",
    "SELECT country, sum(quantity) AS q FROM shop.lines GROUP BY country ORDER BY country",
    "SELECT country, sum(quantity) AS q FROM shop.lines GROUP BY ALL ORDER BY q DESC, country NULLS FIRST LIMIT 2",
    "SELECT date_trunc('month', made) AS month, count(*) AS n FROM shop.lines GROUP BY 1 ORDER BY 1",
    "SELECT count(*) FILTER (WHERE invoice LIKE 'C%') AS canceled, max(made) AS last FROM shop.lines",
    "SELECT sum(quantity) * 1.0 / nullif(count(DISTINCT invoice), 0) AS per_invoice FROM shop.lines",
    "SELECT note, min(quantity) AS low, max(quantity) AS high FROM shop.lines GROUP BY note ORDER BY note",
    "WITH f AS (SELECT customer, min(made) AS first FROM shop.lines GROUP BY 1) "
    "SELECT count(*) AS n FROM f JOIN shop.lines AS l ON l.customer = f.customer AND l.made = f.first",
    "SELECT day, row_number() OVER (ORDER BY day DESC) AS r FROM shop.lines QUALIFY r <= 3 ORDER BY r",
    "SELECT max(zoned) AS z, max(lines.day) AS d FROM shop.lines WHERE shop.lines.made >= TIMESTAMP '2010-12-02'",
    "SELECT count(*) AS n, sum(price) AS s FROM shop.none",
    "SELECT 7 / 2 AS half, 1 / 0 AS nothing, 7 // 2 AS whole",
]


@pytest.mark.parametrize("sql", QUESTIONS)
def test_spark_answers_as_duckdb_does(shop, sql):
    _, duck, spark = shop
    mine, theirs = duck.query(sql), spark.query(sql)
    assert mine.table.column_names == theirs.table.column_names
    assert theirs.table.schema == mine.table.schema
    assert rounded(theirs.table) == rounded(mine.table)
    assert theirs.snapshots == mine.snapshots
    assert theirs.engine == "spark"


def rounded(table: pa.Table) -> list[dict[str, object]]:
    """Doubles added in another order differ in the last digits; everything else is the same to the penny."""
    return [
        {name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()}
        for row in table.to_pylist()
    ]


def test_spark_reads_pinned_snapshots(shop):
    lake, duck, spark = shop
    at = {"shop.lines": lake.history("shop.lines")[0].id}
    sql = "SELECT count(*) AS n FROM shop.lines"
    assert (
        spark.query(sql, at=at).table.to_pylist() == duck.query(sql, at=at).table.to_pylist() == [{"n": 4000}]
    )
    with pytest.raises(NotFound):
        spark.query(sql, at={"shop.lines": "17"})


def test_spark_streams_in_order_and_leaves_no_files(shop, tmp_path):
    _, duck, spark = shop
    spark._scratch = tmp_path
    sql = "SELECT made, invoice, price AS p, price AS q FROM shop.lines ORDER BY made DESC"
    streamed = pa.Table.from_batches(spark.stream(sql))
    assert streamed.column_names == ["made", "invoice", "p", "q"]
    assert streamed.to_pylist() == duck.query(sql).table.to_pylist()
    assert [*tmp_path.iterdir()] == []
    empty = spark.stream("SELECT price FROM shop.none")
    assert (empty.schema.names, empty.read_all().num_rows) == (["price"], 0)


def test_spark_explains(shop):
    _, _, spark = shop
    assert "Scan parquet" in spark.explain("SELECT invoice FROM shop.lines")
    assert [*spark.tables()] == ["shop.lines", "shop.none"]


def test_spark_is_guarded_as_duckdb_is(shop):
    _, _, spark = shop
    for sql in (
        "DROP TABLE x",
        "SELECT * FROM read_text('/etc/passwd')",
        'SELECT * FROM "csv"."/etc/passwd"',
    ):
        with pytest.raises(Invalid, match="may not run"):
            spark.query(sql)
    with pytest.raises(Invalid, match='"prize" not found'):
        spark.query("SELECT prize FROM shop.lines")
    with pytest.raises(Invalid, match="cannot run in Spark"):
        spark.query("SELECT bar(quantity, 0, 10) AS b FROM shop.lines")


def test_a_spark_query_that_takes_too_long_is_stopped(shop):
    _, _, spark = shop
    spark._watch.timeout = 0.7
    try:
        with pytest.raises(Unavailable, match=r"longer than 0\.7 seconds"):
            spark.query(
                "SELECT sum(sqrt(a.quantity + b.quantity + 9)) AS s FROM shop.lines a, shop.lines b, "
                "(SELECT DISTINCT day FROM shop.lines) c"
            )
    finally:
        spark._watch.timeout = 60.0
    assert spark.query("SELECT 1 AS one").table.to_pylist() == [{"one": 1}]


def test_files_that_are_gone_are_said_so(shop):
    lake, _, spark = shop
    lake.append("shop.gone", pa.table({"n": [1]}), load_id="a")
    for file in (Path(lake.files) / "shop" / "gone").rglob("*.parquet"):
        file.unlink()
    with pytest.raises(Unavailable, match=r"cannot reach the files of shop\.gone"):
        spark.query("SELECT * FROM shop.gone")
    lake.drop("shop.gone")


def test_spark_that_is_not_installed_is_said_so(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(Unavailable, match="Spark is not installed") as said:
        SparkWarehouse(Lake(*place))
    assert "potager[spark]" in said.value.mend
