"""A million random subscription histories balance to the penny: in numpy, in DuckDB and on Spark."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from datetime import date
from decimal import Decimal
from itertools import pairwise

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.finance import (
    POLICIES,
    Rate,
    RateTable,
    balance,
    balance_sql,
    bridges,
    check_terms,
    movements,
    movements_sql,
    steps_under,
)
from tests.engines.finance.histories import random_histories

THROUGH = date(2024, 12, 31)
EDGES = [date(2020 + month // 12, month % 12 + 1, 1) for month in range(61)]
NAMES = "customer, currency, date, kind, cents"
# Dollars by the year, so that they move while subscriptions run.
RATES = RateTable(
    "EUR", [Rate("USD", date(year, 1, 1), Decimal(80 + year % 7) / 100) for year in range(2019, 2025)]
)


def totals(table: pa.Table) -> dict[tuple[str, str], int]:
    """Return the sum of each kind of movement in each currency."""
    summed = table.group_by(["currency", "kind"]).aggregate([("cents", "sum")])
    return {(row["currency"], row["kind"]): row["cents_sum"] for row in summed.to_pylist()}


def balanced_in_duckdb(steps: pa.Table, **named: str | bool) -> dict[tuple[str, str], int]:
    """Return the totals that DuckDB's movements make of steps, which must balance."""
    with duckdb.connect() as connection:
        connection.register("steps", steps)
        connection.execute(f"CREATE TABLE moved AS SELECT {NAMES} FROM ({movements_sql('steps', **named)})")
        assert connection.execute(balance_sql("steps", "moved")).fetchall() == []
        return totals(connection.table("moved").to_arrow_table())


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32), policy=st.sampled_from(sorted(POLICIES)), converted=st.booleans())
def test_histories_balance_to_the_penny_under_every_policy(seed: int, policy: str, converted: bool) -> None:
    terms = random_histories(seed, 20_000)
    steps = steps_under(POLICIES[policy], terms, rates=RATES if converted else None, through=THROUGH)
    moved = movements(steps, free_customers_stay=POLICIES[policy].free_customers_stay)
    assert balance(steps, moved) > 10_000
    for currency in ("EUR",) if converted else ("EUR", "USD"):
        found = bridges(moved, EDGES, currency)
        assert all(one.holds for one in found)
        assert all(one.end == other.start for one, other in pairwise(found))
    named = {"active": "active", "revaluation": "revaluation"}
    here = {name: name for name in named if name in steps.column_names}
    stays = POLICIES[policy].free_customers_stay
    assert balanced_in_duckdb(steps, **here, free_customers_stay=stays) == totals(moved)


@pytest.fixture(scope="module")
def million() -> pa.Table:
    terms = random_histories(2024, 1_000_000)
    assert check_terms(terms) == ()
    assert terms.num_rows > 1_900_000
    return steps_under(POLICIES["chartmogul"], terms, through=THROUGH)


def test_a_million_histories_balance_to_the_penny_in_duckdb(million: pa.Table) -> None:
    moved = movements(million)
    assert balance(million, moved) > 1_000_000
    assert balanced_in_duckdb(million) == totals(moved)


@pytest.mark.spark
@pytest.mark.skipif(
    shutil.which("java") is None or importlib.util.find_spec("pyspark") is None,
    reason="Spark needs Java and pyspark, and one of them is not here.",
)
def test_a_million_histories_balance_to_the_penny_on_spark(million: pa.Table, tmp_path) -> None:
    from potager.ground.lake.lake import Lake
    from potager.ground.lake.spark import SparkWarehouse

    moved = movements(million)
    lake = Lake(f"sqlite:///{tmp_path / 'c.sqlite3'}", str(tmp_path / "lake"))
    lake.append("revenue.steps", million, load_id="a")
    lake.append("revenue.moved", moved, load_id="a")
    summed = f"SELECT currency, kind, sum(cents) AS cents_sum FROM ({movements_sql('revenue.steps')}) GROUP BY 1, 2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spark = SparkWarehouse(
            lake, settings={"spark.driver.memory": "2g", "spark.sql.shuffle.partitions": "4"}
        )
        found = spark.query(summed).table.to_pylist()
        broken = spark.query(balance_sql("revenue.steps", "revenue.moved")).table
        spark.close()
    assert {(row["currency"], row["kind"]): row["cents_sum"] for row in found} == totals(moved)
    assert broken.num_rows == 0
