"""Events as they come in: told twice, without an id, too late, from the future, and of people with many names."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.behavior import (
    Funnel,
    Match,
    Retention,
    Scope,
    funnel_sql,
    lifecycle_sql,
    retention_sql,
    trends_sql,
)
from tests.engines.behavior.happened import EVENTS, SCOPE, Happened, asked, at, happenings

NAMED = replace(EVENTS, identities="main.identities")
NUMBERED = replace(EVENTS, event_id="plan", properties=())
STEPS = tuple(Match((name,)) for name in ("open", "search", "buy"))
READINGS = {
    "trends": lambda events: trends_sql(events, SCOPE, "week"),
    "a funnel": lambda events: funnel_sql(events, SCOPE, Funnel(STEPS, 5 * 86_400)),
    "retention": lambda events: retention_sql(events, SCOPE, Retention("first_time", "week", 3)),
    "the lifecycle": lambda events: lifecycle_sql(events, SCOPE, "week"),
}


def merged(*pairs: tuple[str, str]) -> pa.Table:
    return pa.table({"alias": [alias for alias, _ in pairs], "person": [person for _, person in pairs]})


def counted(events, happened: list[Happened], **tables: pa.Table) -> tuple[int, int]:
    rows = asked(trends_sql(events, SCOPE, "month"), happened, **tables)
    return sum(row["events"] for row in rows), max((row["people"] for row in rows), default=0)


def sorted_rows(sql: str, happened: list[Happened], **tables: pa.Table) -> list[str]:
    return sorted(repr(row) for row in asked(sql, happened, **tables))


def test_events_without_an_id_are_not_repeats_of_one_another():
    without = [at("a", "open"), at("a", "open", day=1), at("b", "open", day=2)]
    assert counted(NUMBERED, [*without, at("c", "open", plan="1"), at("c", "open", plan="1")]) == (4, 3)


def test_a_merge_that_is_written_twice_counts_its_events_once():
    happened = [at("a", "open"), at("b", "open", day=1)]
    assert counted(NAMED, happened, identities=merged(("a", "p"), ("a", "p"), ("b", "p"))) == (2, 1)
    twice = Funnel((STEPS[0], STEPS[0]), 86_400)
    rows = asked(funnel_sql(NAMED, SCOPE, twice), happened[:1], identities=merged(("a", "p"), ("a", "p")))
    assert (rows[0]["reached_1"], rows[0]["reached_2"]) == (1, 0)


@pytest.mark.parametrize(
    "pairs", [[("a", "b"), ("b", "a")], [("a", "a")], [("a", "b"), ("b", "c"), ("c", "a")]]
)
def test_a_circle_of_identities_ends_and_loses_no_event(pairs):
    happened = [at("a", "open"), at("b", "open", day=1), at("c", "open", day=2)]
    assert counted(NAMED, happened, identities=merged(*pairs)) == (3, 3)


@given(happenings(most=30), st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=8))
def test_whatever_the_identities_say_no_event_is_lost_or_counted_twice(happened, pairs):
    assert counted(NAMED, happened, identities=merged(*pairs))[0] == len(happened)


@pytest.mark.parametrize("name", READINGS)
@given(happened=happenings(most=25))
def test_the_order_of_coming_in_and_what_came_twice_change_nothing(name, happened):
    told = [one._replace(plan=str(number)) for number, one in enumerate(happened)]
    late = [*reversed(told), *told[::2]]
    sql = READINGS[name](NUMBERED)
    assert sorted_rows(sql, late) == sorted_rows(sql, told)


@pytest.mark.parametrize("name", READINGS)
def test_events_from_the_future_change_no_reading(name):
    happened = [at("a", "open"), at("a", "search", day=1), at("b", "open", day=8)]
    future = [at("a", "buy", day=42), at("z", "open", day=3650)]  # the scope ends with day 41
    sql = READINGS[name](EVENTS)
    assert sorted_rows(sql, [*happened, *future]) == sorted_rows(sql, happened)


def test_the_last_moment_of_the_last_day_counts_and_the_next_day_does_not():
    scope = Scope(date(2025, 3, 3), date(2025, 3, 3))
    happened = [at("a", "open", day=1 - 1e-6), at("b", "open", day=1)]
    assert [row["people"] for row in asked(trends_sql(EVENTS, scope, "day"), happened)] == [1]


@pytest.mark.parametrize("name", READINGS)
def test_every_statement_can_be_said_to_spark(name):
    for events in (EVENTS, NAMED, NUMBERED, replace(NAMED, zone="Europe/Berlin")):
        (said,) = sqlglot.transpile(READINGS[name](events), read="duckdb", write="spark")
        assert sqlglot.parse_one(said, read="spark") is not None
        assert "QUALIFY" not in said  # Spark has no such clause


@pytest.mark.spark
@pytest.mark.skipif(
    shutil.which("java") is None or importlib.util.find_spec("pyspark") is None,
    reason="Spark needs Java and pyspark, and one of them is not here.",
)
def test_spark_counts_missing_ids_and_doubled_merges_as_duckdb_does(tmp_path):
    from potager.ground.lake.lake import Lake
    from potager.ground.lake.spark import SparkWarehouse

    ids = [None, None, "1", "1", "2"]
    happened = [at(who, "open", plan=number) for who, number in zip("aabcc", ids, strict=True)]
    known = merged(("a", "p"), ("a", "p"), ("b", "p"))
    lake = Lake(f"sqlite:///{tmp_path / 'c.sqlite3'}", str(tmp_path / "lake"))
    moments = pa.array([one.at for one in happened], pa.timestamp("us"))
    columns = {"who": list("aabcc"), "what": ["open"] * 5, "at": moments, "plan": ids}
    lake.append("main.happened", pa.table(columns), load_id="a")
    lake.append("main.identities", known, load_id="a")
    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"}
    spark = SparkWarehouse(lake, master="local[2]", settings=settings, timeout=120)
    for events in (NAMED, NUMBERED, replace(NUMBERED, identities="main.identities")):
        for reading in READINGS.values():
            found = sorted(repr(row) for row in spark.query(reading(events)).table.to_pylist())
            assert found == sorted_rows(reading(events), happened, identities=known)
    spark.close()
