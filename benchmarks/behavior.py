"""Usage: funnel, retention, lifecycle and paths over a hundred million events, against ClickHouse on the same file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import chdb
import duckdb

from benchmarks.measure import Row
from potager.engines.behavior import (
    Events,
    Funnel,
    Match,
    Paths,
    Retention,
    Scope,
    funnel_sql,
    lifecycle_sql,
    paths_sql,
    retention_sql,
)

ROWS = int(os.environ.get("POTAGER_BENCH_EVENTS", "100000000"))
PEOPLE = ROWS // 100
NAMES = (
    "view", "search", "add", "checkout", "pay", "share", "invite", "export", "help", "open",
    "close", "edit", "save", "print", "login", "logout", "chat", "rate", "tag", "sync",
)  # fmt: skip
STEPS = NAMES[:5]
WEEK = 7 * 24 * 3600
START = 1_735_689_600  # 2025-01-01, a Wednesday
SCOPE = Scope(date(2025, 1, 1), date(2025, 3, 31))
EVENTS = Events("bench.events", "person", "occurred_at", "event", week_starts=3)


def made(folder: Path) -> Path:
    """Write the events: people at random, ninety days, twenty kinds; in the order of time, as they come in."""
    path = folder / "events.parquet"
    names = ", ".join(f"'{name}'" for name in NAMES)
    with duckdb.connect(config={"memory_limit": "6GB"}) as connection:
        connection.execute(
            f"""COPY (SELECT 'p' || (hash(i) % {PEOPLE})::VARCHAR AS person,
            [{names}][1 + (hash(i * 3) % 20)::INT] AS event,
            TIMESTAMP '2025-01-01' + INTERVAL (i * {90 * 86_400_000} // {ROWS}) MILLISECOND AS occurred_at
            FROM range({ROWS}) AS r(i)) TO '{path}' (ROW_GROUP_SIZE 500000)"""
        )
    return path


def peers(path: Path) -> dict[str, tuple[str, str]]:
    """Return, by what is measured, our SQL and ClickHouse's."""
    funnel = Funnel(tuple(Match((name,)) for name in STEPS), WEEK)
    conditions = ", ".join(f"event = '{name}'" for name in STEPS)
    source = f"file('{path}', Parquet)"
    week = f"intDiv(toUnixTimestamp(occurred_at) - {START}, {WEEK})"
    kept = ", ".join(f"w = {number}" for number in range(8))
    sums = ", ".join(f"sum(r[{number}])" for number in range(1, 9))
    return {
        "a funnel of five steps within a week": (
            funnel_sql(EVENTS, SCOPE, funnel),
            f"SELECT level, count() FROM (SELECT person, windowFunnel({WEEK * 1_000_000})"
            f"(toUInt64(toUnixTimestamp64Micro(occurred_at)), {conditions}) AS level FROM {source} "
            f"WHERE event IN {STEPS} GROUP BY person) GROUP BY level",
        ),
        "retention over eight weeks": (
            retention_sql(EVENTS, SCOPE, Retention("first_time", "week", 7)),
            # Its retention() knows one cohort only; ours gives all thirteen.
            f"SELECT {sums} FROM (SELECT person, retention({kept}) AS r FROM (SELECT person, {week} AS w FROM {source}) "
            "GROUP BY person)",
        ),
        "the lifecycle by week": (
            lifecycle_sql(EVENTS, SCOPE, "week"),
            "SELECT w, countIf(w = first) AS new, countIf(has(weeks, w - 1)) AS returning, "
            "countIf(w > first AND NOT has(weeks, w - 1)) AS resurrected FROM (SELECT person, groupUniqArray(w) AS weeks, "
            f"min(w) AS first FROM (SELECT person, {week} AS w FROM {source}) GROUP BY person) ARRAY JOIN weeks AS w "
            "GROUP BY w ORDER BY w",
        ),
        "paths of four steps within sessions": (
            paths_sql(EVENTS, SCOPE, Paths(length=4)),
            "SELECT step, source, target, count() AS sessions FROM (SELECT session, arrayJoin(range(1, "
            "least(5, toInt32(length(names))))) AS step, names[step] AS source, names[step + 1] AS target FROM (SELECT person, "
            "session, arrayCompact(arrayMap(x -> x.2, arraySort(groupArray((t, event))))) AS names FROM (SELECT person, t, "
            "event, sum(gap > 1800000 OR gap < 0) OVER (PARTITION BY person ORDER BY t) AS session FROM (SELECT person, event, "
            "toUnixTimestamp64Milli(occurred_at) AS t, t - lagInFrame(t, 1, t + 1) OVER (PARTITION BY person ORDER BY t "
            f"ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS gap FROM {source})) GROUP BY person, session)) "
            "GROUP BY step, source, target",
        ),
    }


def once(run: Callable[[], object]) -> float:
    """Return the seconds that one run takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def rows() -> list[Row]:
    """Measure all of it, each twice in turn; the better of each."""
    path = made(Path(os.environ["POTAGER_DATA"]))
    found = []
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        connection.execute("CREATE SCHEMA bench")
        connection.execute(f"CREATE VIEW bench.events AS FROM '{path}'")
        for what, (ours, theirs) in peers(path).items():
            times = [
                (
                    once(lambda sql=ours: connection.execute(sql).fetchall()),
                    once(lambda sql=f"{theirs} SETTINGS max_threads = 2": chdb.query(sql, "CSV")),
                )
                for _ in range(2)
            ]
            one, other = (min(column) for column in zip(*times, strict=True))
            found.append(
                Row(
                    f"{ROWS / 1e6:.0f} M events, {what}, in 4 GB, against ClickHouse (chdb) on the same file",
                    f"{one / other:.2f} × ({one:.1f} s against {other:.1f} s)",
                    "≤ 1 ×",
                    one <= other,
                )
            )
    path.unlink()
    return found
