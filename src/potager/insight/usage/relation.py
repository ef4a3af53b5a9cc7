"""The parts of SQL that name a stream's own columns: who, what, which local day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from potager.engines.answers import CannotTell
from potager.ground.lake.service import warehouse
from potager.insight.usage.models import Stream
from potager.insight.usage.running import identifier, literal, run
from potager.kit.clock import now


def local_time(stream: Stream) -> str:
    """Return the SQL of an event's moment on the clock of the stream's time zone."""
    import pyarrow as pa

    column = identifier(stream.time)
    kind = warehouse().tables()[stream.table].schema.field(stream.time).type
    if pa.types.is_date(kind):
        return f"CAST({column} AS TIMESTAMP)"
    if not kind.tz and stream.zone == "UTC":
        return f"CAST({column} AS TIMESTAMP)"  # it stands there already; turning it twice costs more than the rest
    zoned = column if kind.tz else f"timezone('UTC', {column})"
    return f"timezone({literal(stream.zone)}, {zoned})"


def local_day(stream: Stream) -> str:
    """Return the SQL of an event's day in the stream's time zone."""
    return f"CAST({local_time(stream)} AS DATE)"


def named(stream: Stream) -> str:
    """Return the SQL of an event's name; one name for all where the stream has no such column."""
    return f"CAST({identifier(stream.event)} AS VARCHAR)" if stream.event else "'event'"


def account_of(stream: Stream) -> str:
    """Return the SQL of an event's account key."""
    return f"CAST({identifier(stream.account)} AS VARCHAR)"


def counted(stream: Stream) -> str:
    """Return the condition that an event counts: it has a person and a time, which is not in the future."""
    limit = (now().date() + timedelta(days=1)).isoformat()
    time = identifier(stream.time)
    return f"{identifier(stream.person)} IS NOT NULL AND {time} < TIMESTAMP '{limit} 00:00:00'"


def day(value: date) -> str:
    """Return a day as SQL writes it."""
    return f"DATE '{value.isoformat()}'"


def months_condition(stream: Stream) -> str:
    """Return which rows of the revenue table are the stream's."""
    names = warehouse().tables()[stream.revenue_table].schema.names
    said = [
        f"{column} = {literal(value)}"
        for column, value in (("book", stream.book), ("policy", stream.policy))
        if value and column in names
    ]
    return " AND ".join(said) or "TRUE"


def one_book(stream: Stream) -> CannotTell | None:
    """Refuse where the revenue table holds several books or policies, and nobody said which one."""
    names = warehouse().tables()[stream.revenue_table].schema.names
    parts = [column for column in ("book", "policy") if column in names]
    if not parts:
        return None
    rows, _ = run(
        f"SELECT DISTINCT {', '.join(parts)} FROM {stream.revenue_table} "  # noqa: S608 - names of ours
        f"WHERE {months_condition(stream)} ORDER BY ALL",
        [stream.revenue_table],
        "which books there are",
    )
    if rows.num_rows <= 1:
        return None
    found = [", ".join(str(value) for value in row.values()) for row in rows.to_pylist()[:6]]
    return CannotTell(
        "ambiguous",
        f"{stream.revenue_table} holds several books or policies ({'; '.join(found)}).",
        "Say on the stream's page which one its revenue is.",
    )


def months(stream: Stream) -> str:
    """Return the SELECT of the stream's months: who, month, start_cents, end_cents, expansion_cents, plan."""
    names = warehouse().tables()[stream.revenue_table].schema.names
    plan = "CAST(plan AS VARCHAR)" if "plan" in names else "''"
    expansion = "expansion_cents" if "expansion_cents" in names else "greatest(end_cents - start_cents, 0)"
    start = (
        "start_cents"
        if "start_cents" in names
        else ("coalesce(lag(end_cents) OVER (PARTITION BY customer ORDER BY month), 0)")
    )
    return (
        f"SELECT CAST(customer AS VARCHAR) AS who, CAST(month AS DATE) AS month, {start} AS start_cents, "  # noqa: S608
        f"end_cents, {expansion} AS expansion_cents, {plan} AS plan "
        f"FROM {stream.revenue_table} WHERE {months_condition(stream)}"
    )


def reach_of_months(stream: Stream) -> tuple[date, date] | None:
    """Return the first month of the revenue table and the last that is over, as their first days."""
    rows, _ = run(
        f"SELECT min(month) AS first, max(month) AS last FROM ({months(stream)}) AS m",  # noqa: S608
        [stream.revenue_table],
        "how far revenue goes",
    )
    row: dict[str, Any] = rows.to_pylist()[0]
    if row["last"] is None:
        return None
    last: date = row["last"]
    if plus_months(last, 1) > now().date():
        last = plus_months(last, -1)
    return row["first"], last


def plus_months(value: date, count: int) -> date:
    """Return the first day of the month that is ``count`` months after a day's month."""
    number = value.year * 12 + value.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)
