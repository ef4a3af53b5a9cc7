"""Every reading's SQL gives the same rows on Spark as on DuckDB, from the same lake files."""

from __future__ import annotations

import importlib.util
import random
import shutil
from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa
import pytest

from potager.engines.behavior import (
    Activation,
    Events,
    Funnel,
    Match,
    Paths,
    Retention,
    Scope,
    activation_sql,
    adoption_sql,
    funnel_members_sql,
    funnel_sql,
    lifecycle_sql,
    paths_sql,
    retention_sql,
    sessions_sql,
    stickiness_sql,
    trends_sql,
)
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.ground.lake.spark import SparkWarehouse
from tests.engines.behavior.happened import FIRST, NAMES

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(
        shutil.which("java") is None or importlib.util.find_spec("pyspark") is None,
        reason="Spark needs Java and pyspark, and one of them is not here.",
    ),
]
EVENTS = Events("app.happened", "who", "at", "what", properties=("plan",), event_id="id")
SCOPE = Scope(date(2025, 3, 3), date(2025, 4, 13))
STEPS = tuple(Match((name,)) for name in ("open", "search", "buy"))
WINDOW = 5 * 24 * 3600


def happened() -> pa.Table:
    chance = random.Random(7)
    count = 3000
    return pa.table(
        {
            "id": [f"e{number % 2900}" for number in range(count)],  # a hundred came twice
            "who": [f"p{chance.randint(1, 120)}" for _ in range(count)],
            "what": [chance.choice(NAMES) for _ in range(count)],
            "at": pa.array(
                [FIRST + timedelta(seconds=chance.randint(0, 42 * 86_400)) for _ in range(count)],
                pa.timestamp("us"),
            ),
            "plan": [chance.choice(["free", "paid", None]) for _ in range(count)],
        }
    )


@pytest.fixture(scope="module")
def engines(tmp_path_factory) -> Iterator[tuple[DuckDBWarehouse, SparkWarehouse]]:
    folder = tmp_path_factory.mktemp("behavior")
    lake = Lake(f"sqlite:///{folder / 'c.sqlite3'}", str(folder / "lake"))
    # Of repeats the earliest counts, so that both engines keep the same one.
    lake.append("app.happened", happened().sort_by("at"), load_id="a")
    duck = DuckDBWarehouse(lake)
    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"}
    spark = SparkWarehouse(lake, master="local[2]", settings=settings, timeout=120)
    yield duck, spark
    spark.close()
    duck.close()


QUESTIONS = {
    "trends": trends_sql(EVENTS, SCOPE, "week", by="plan"),
    "funnel": funnel_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW)),
    "a split funnel": funnel_sql(
        EVENTS, SCOPE, Funnel(STEPS, WINDOW, by="plan", exclusions=(Match(("share",)),))
    ),
    "a funnel of busy people": funnel_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW, folded=3)),
    "a split funnel of busy people": funnel_sql(
        EVENTS, SCOPE, Funnel(STEPS, WINDOW, by="plan", exclusions=(Match(("share",)),), folded=3)
    ),
    "a strict funnel of busy people": funnel_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW, "strict", folded=3)),
    "an unordered funnel of busy people": funnel_sql(
        EVENTS, SCOPE, Funnel(STEPS, WINDOW, "unordered", by="plan", touch="all", folded=3)
    ),
    "a strict funnel": funnel_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW, "strict")),
    "an unordered funnel": funnel_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW, "unordered")),
    "who dropped out": funnel_members_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW), 2, dropped=True),
    **{
        f"{kind} retention": retention_sql(EVENTS, SCOPE, Retention(kind, "week", 3, STEPS[0], STEPS[2]))  # type: ignore[arg-type]
        for kind in ("first_time", "recurring", "rolling", "24h")
    },
    "lifecycle": lifecycle_sql(EVENTS, SCOPE, "week"),
    "stickiness": stickiness_sql(EVENTS, SCOPE, "week"),
    "sessions": sessions_sql(EVENTS, SCOPE, "week"),
    "paths": paths_sql(EVENTS, SCOPE, Paths("open", pause=24 * 3600)),
    "adoption": adoption_sql(EVENTS, SCOPE, "week", Match(("share",))),
    "activation": activation_sql(EVENTS, SCOPE, Activation(Match(("open",)), after=7, until=14, days=(1, 3))),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_spark_answers_as_duckdb_does(engines, name):
    tables = [engine.query(QUESTIONS[name]).table for engine in engines]
    ours, theirs = ([tuple(row.values()) for row in table.to_pylist()] for table in tables)
    assert ours
    assert sorted(map(repr, ours)) == sorted(map(repr, theirs))
