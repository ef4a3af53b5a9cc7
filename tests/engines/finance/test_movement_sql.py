"""The SQL says what numpy says, to the cent, on random histories."""

from __future__ import annotations

import importlib.util
import shutil
import time
import warnings

import duckdb
import pytest

from potager.engines.finance import FinanceError, balance, balance_sql, movements, movements_sql
from tests.engines.finance.histories import random_steps, rows_of

NAMES = ("customer", "currency", "date", "kind", "cents")


@pytest.mark.parametrize("stay", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_duckdb_and_numpy_agree_to_the_cent(seed, stay):
    steps = random_steps(seed, customers=500, rows=20_000)
    expected = sorted(rows_of(movements(steps, free_customers_stay=stay), *NAMES))
    with duckdb.connect() as connection:
        connection.register("given", steps)
        connection.execute("CREATE TABLE steps AS FROM given")
        sql = movements_sql(
            "main.steps", active="active", revaluation="revaluation", free_customers_stay=stay
        )
        connection.execute(f"CREATE TABLE moved AS {sql}")
        found = connection.execute(f"SELECT {', '.join(NAMES)} FROM moved ORDER BY ALL").fetchall()
        assert sorted(found) == expected
        assert connection.execute(balance_sql("steps", "moved")).fetchall() == []


def test_a_million_steps_take_seconds_and_agree_to_the_cent():
    steps = random_steps(1, customers=100_000, rows=1_000_000)
    began = time.perf_counter()
    moved = movements(steps)
    took = time.perf_counter() - began
    assert balance(steps, moved) > 900_000
    with duckdb.connect() as connection:
        connection.register("steps", steps)
        connection.register("ours", moved.select(NAMES))
        sql = movements_sql("steps", active="active", revaluation="revaluation")
        connection.execute(f"CREATE TABLE theirs AS SELECT {', '.join(NAMES)} FROM ({sql})")
        for one, other in (("ours", "theirs"), ("theirs", "ours")):
            assert connection.execute(
                f"SELECT count(*) FROM (FROM {one} EXCEPT ALL FROM {other})"
            ).fetchone() == (0,)
    assert took < 20  # a fraction of a second on an idle machine; the bound only catches a loop over rows


def test_the_plain_table_needs_four_columns_under_any_names():
    steps = random_steps(7, customers=200, rows=5_000).drop_columns(["active", "revaluation"])
    expected = sorted(rows_of(movements(steps), *NAMES))
    with duckdb.connect() as connection:
        connection.register("given", steps)
        columns = 'customer AS "who is", date AS "on", cents AS amount, currency'
        connection.execute(f'CREATE TABLE "my ""steps" AS SELECT {columns} FROM given')
        sql = movements_sql('my "steps', customer="who is", date="on", cents="amount")
        assert "UNION" not in sql  # one pass over one window
        assert sorted(connection.execute(sql).fetchall()) == expected


def test_sql_finds_the_first_place_out_of_balance():
    steps = random_steps(5, customers=30, rows=500)
    moved = movements(steps)
    gone = moved.to_pylist()[10]
    spoiled = moved.filter([at != 10 for at in range(len(moved))])
    with duckdb.connect() as connection:
        connection.register("steps", steps)
        connection.register("moved", spoiled)
        customer, currency, on, stated, found = connection.execute(balance_sql("steps", "moved")).fetchall()[
            0
        ]
    assert (customer, currency, on) == (gone["customer"], gone["currency"], gone["date"])
    assert stated - found == gone["cents"]


def test_names_that_are_none_are_refused():
    for table in ("", "a..b", "a\x00"):
        with pytest.raises(FinanceError, match="name in SQL"):
            movements_sql(table)
    with pytest.raises(FinanceError, match="cannot be told without 'active'"):
        movements_sql("steps", free_customers_stay=True)


@pytest.mark.spark
@pytest.mark.skipif(
    shutil.which("java") is None or importlib.util.find_spec("pyspark") is None,
    reason="Spark needs Java and pyspark, and one of them is not here.",
)
def test_spark_and_numpy_agree_to_the_cent(tmp_path):
    from potager.ground.lake.lake import Lake
    from potager.ground.lake.spark import SparkWarehouse

    steps = random_steps(4, customers=200, rows=4_000)
    lake = Lake(f"sqlite:///{tmp_path / 'c.sqlite3'}", str(tmp_path / "lake"))
    lake.append("revenue.steps", steps, load_id="a")
    lake.append("revenue.moved", movements(steps), load_id="a")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spark = SparkWarehouse(lake)
        found = spark.query(movements_sql("revenue.steps", active="active", revaluation="revaluation"))
        broken = spark.query(balance_sql("revenue.steps", "revenue.moved"))
        spark.close()
    assert sorted(rows_of(found.table, *NAMES)) == sorted(rows_of(movements(steps), *NAMES))
    assert broken.table.num_rows == 0
