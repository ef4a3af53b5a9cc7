"""Events for tests: made by hypothesis or by hand, put into DuckDB, and read again there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from potager.engines.behavior import Events, Scope

FIRST = datetime(2025, 3, 3)  # a Monday
SCOPE = Scope(date(2025, 3, 3), date(2025, 4, 13))
EVENTS = Events("main.happened", "who", "at", "what", properties=("plan",), account="company")
NAMES = ("open", "search", "buy", "share")


class Happened(NamedTuple):
    """One event."""

    who: str
    what: str
    at: datetime
    plan: str | None = None
    company: str | None = None


def happenings(*, days: int = 42, most: int = 60) -> st.SearchStrategy[list[Happened]]:
    """Draw events of a few people over the days of the scope, each at a minute of its own."""
    minute = st.integers(0, days * 24 * 60 - 1)
    one = st.tuples(
        st.sampled_from("abcd"), st.sampled_from(NAMES), minute, st.sampled_from([None, "free", "paid"])
    )
    return st.lists(one, max_size=most, unique_by=lambda drawn: (drawn[0], drawn[2])).map(
        lambda several: [
            Happened(who, what, FIRST + timedelta(minutes=at), plan, f"{who}-company")
            for who, what, at, plan in several
        ]
    )


def at(who: str, what: str, *, day: float = 0, **more: Any) -> Happened:
    """Return an event so many days after the first Monday."""
    return Happened(who, what, FIRST + timedelta(days=day), **more)


def asked(sql: str, happened: list[Happened], **tables: pa.Table) -> list[dict[str, Any]]:
    """Run SQL over the events; other tables by name."""
    schema = pa.schema(
        [
            ("who", pa.string()),
            ("what", pa.string()),
            ("at", pa.timestamp("us")),
            ("plan", pa.string()),
            ("company", pa.string()),
        ]
    )
    columns = [list(column) for column in zip(*happened, strict=True)] or [[] for _ in schema]
    table = pa.table(columns, schema=schema)
    with duckdb.connect() as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE happened AS SELECT * FROM given")
        for name, other in tables.items():
            connection.register(f"given_{name}", other)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")
        return connection.sql(sql).to_arrow_table().to_pylist()


def who(sql: str, happened: list[Happened], **tables: pa.Table) -> list[str]:
    """Run SQL for members and return them in order; each is there once."""
    found = [row["who"] for row in asked(sql, happened, **tables)]
    assert len(found) == len(set(found)), found
    return sorted(found)


def day(moment: datetime) -> date:
    """Return the day of a moment."""
    return moment.replace(tzinfo=UTC).date()


def week(moment: datetime) -> int:
    """Return the place of a moment's week in the scope."""
    return (day(moment) - FIRST.date()).days // 7
