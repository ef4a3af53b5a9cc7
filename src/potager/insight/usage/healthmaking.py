"""The health of every account, by week, as a table of the lake: plain parts, one score, and how well it foretold.

The score is the mean of four parts from 0 to 100, each said in words, none of them fitted: it cannot have learned the
churn that it is tested against.

- **amount**: person-days of use in the last 28 days against the account's own best 28 days of the weeks before
- **often**: days of use in the last 28 against 20, the working days of four weeks
- **people**: different people in the last 28 days against the seats paid for, or the account's own best
- **breadth**: different things done in the last 28 days against the account's own most
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from potager.engines.answers import CannotTell
from potager.ground.lake.service import lake, warehouse
from potager.insight.usage import scoring
from potager.insight.usage.facts import facts_of
from potager.insight.usage.models import Stream
from potager.insight.usage.relation import account_of, counted, day, local_day, named
from potager.insight.usage.running import identifier, literal, pinned, run_once
from potager.insight.usage.signs import past_landmarks, signs_at, tables_of
from potager.kit import words
from potager.kit.errors import Invalid

if TYPE_CHECKING:
    import pyarrow as pa

TABLE = "usage.health"
WEEKS = 53
RECENT = 28
WORKING_DAYS = 20
HEALTHY, AT_RISK = 60, 35


def make(stream: Stream, *, tell: Callable[[str], None] = lambda doing: None) -> dict[str, Any]:
    """Compute the health of every account at the ends of the last weeks, write it, and test it; return what came of it.

    The table is written as a whole: what other streams have in it stays. The same snapshots make the same load.
    """
    import pyarrow as pa

    facts = facts_of(stream)
    if facts.first is None or facts.last is None or not facts.accounts:
        raise Invalid(
            f"There are no events of accounts in {stream.name}.",
            mend="Import some, then compute their health.",
        )
    ends = _weeks(facts.first, facts.last)
    tell("reading usage by week")
    tables = [stream.table, *([stream.accounts_table] if stream.accounts_table and stream.seats else [])]
    rows, _ = run_once(_sql(stream, ends, *_by_week(ends)), tables, "health of accounts")
    mine = _shaped(rows, stream)
    tell("writing usage.health")
    whole = pa.concat_tables([_others(stream), mine])
    made_from = pinned(tables_of(stream))
    said = json.dumps([str(stream.pk), stream.version, made_from, ends[-1].isoformat()], sort_keys=True)
    load = f"health-{hashlib.sha256(said.encode()).hexdigest()[:40]}"
    lake().overwrite(TABLE, whole, load_id=load, properties={"potager.stream": str(stream.pk)})
    tell("testing it against who left")
    tested = back_test(stream)
    return {**_summary(mine, ends[-1]), **_tested(tested, stream), "snapshots": made_from}


def _weeks(first: date, last: date) -> tuple[date, ...]:
    """Return the ends of the last weeks: the last day with events, and every seventh before it."""
    ends = [last - timedelta(days=7 * back) for back in range(WEEKS)]
    kept = [end for end in ends if end - timedelta(days=RECENT - 1) >= first]
    return tuple(sorted(kept or [last]))


def _sql(stream: Stream, ends: tuple[date, ...], cell: str, cells: str) -> str:
    """Return the SELECT of the parts of every account at each of ``ends``.

    ``cell`` is SQL for the cell that a ``day`` falls into, null where no end looks at it; ``cells`` is a SELECT of each
    end ``t`` with its cells. Cells of one end hold 28 days, each of which has a bit of its own modulo 31: so days and
    person-days add up over cells, and every event is read once.
    """
    seats_part, seats = "", "NULL"
    if stream.accounts_table and stream.seats:
        key, column = identifier(stream.accounts_key), identifier(stream.seats)
        seats_part = (
            f",\nseats AS (SELECT CAST({key} AS VARCHAR) AS who, max({column}) AS seats "  # noqa: S608 - names of ours
            f"FROM {stream.accounts_table} GROUP BY 1)"
        )
        seats = "(SELECT seats.seats FROM seats WHERE seats.who = w.who)"
    time = identifier(stream.time)
    first = (ends[0] - timedelta(days=RECENT + 1)).isoformat()
    bit = "CAST(1 AS BIGINT) << CAST(date_diff('day', DATE '2000-01-01', day) % 31 AS INTEGER)"
    return f"""
WITH marks AS ({cells}),
e AS (
  SELECT who, person, event, day, {cell} AS cell FROM (
    SELECT {account_of(stream)} AS who, {identifier(stream.person)} AS person, {named(stream)} AS event,
      {local_day(stream)} AS day
    FROM {stream.table} WHERE {counted(stream)} AND {identifier(stream.account)} IS NOT NULL
      AND {time} >= TIMESTAMP '{first} 00:00:00'
  ) AS rows
){seats_part},
persons AS (SELECT who, person, cell, bit_or({bit}) AS days FROM e WHERE cell IS NOT NULL GROUP BY who, person, cell),
things AS (SELECT DISTINCT who, event, cell FROM e WHERE cell IS NOT NULL),
used AS (
  SELECT who, cell, sum(bit_count(days)) AS amount, bit_count(bit_or(days)) AS days FROM persons GROUP BY who, cell
),
w AS (
  SELECT m.t, u.who, sum(u.amount) AS amount, sum(u.days) AS days
  FROM marks AS m JOIN used AS u ON u.cell = m.cell GROUP BY m.t, u.who
),
p AS (
  SELECT m.t, n.who, count(DISTINCT n.person) AS people
  FROM marks AS m JOIN persons AS n ON n.cell = m.cell GROUP BY m.t, n.who
),
d AS (
  SELECT m.t, n.who, count(DISTINCT n.event) AS things
  FROM marks AS m JOIN things AS n ON n.cell = m.cell GROUP BY m.t, n.who
),
known AS (SELECT who, min(t) AS since FROM w GROUP BY who),
grid AS (SELECT DISTINCT marks.t, known.who FROM marks JOIN known ON marks.t >= known.since),
whole AS (
  SELECT grid.t, grid.who, coalesce(p.people, 0) AS people, coalesce(d.things, 0) AS things,
    coalesce(w.days, 0) AS days, coalesce(w.amount, 0) AS amount
  FROM grid LEFT JOIN w ON w.t = grid.t AND w.who = grid.who LEFT JOIN p ON p.t = grid.t AND p.who = grid.who
  LEFT JOIN d ON d.t = grid.t AND d.who = grid.who
),
best AS (
  SELECT *, max(people) OVER so_far AS most_people, max(things) OVER so_far AS most_things,
    max(amount) OVER so_far AS most_amount
  FROM whole WINDOW so_far AS (PARTITION BY who ORDER BY t)
)
SELECT w.who AS account, CAST(w.t AS DATE) AS day,
  100.0 * w.amount / greatest(w.most_amount, 1) AS amount,
  least(100.0 * w.days / {WORKING_DAYS}, 100.0) AS often,
  least(100.0 * w.people / greatest(coalesce({seats}, w.most_people), 1), 100.0) AS people,
  100.0 * w.things / greatest(w.most_things, 1) AS breadth
FROM best AS w ORDER BY w.t, w.who
""".strip()  # noqa: S608 - names of ours


def _by_week(ends: tuple[date, ...]) -> tuple[str, str]:
    """Return the cells of ends seven days apart: weeks back from the last, four to an end."""
    last = ends[-1]
    cell = f"CASE WHEN day <= {day(last)} THEN date_diff('day', day, {day(last)}) // 7 END"
    rows = ", ".join(
        f"({day(end)}, {(last - end).days // 7 + part})" for end in ends for part in range(RECENT // 7)
    )
    return cell, f"SELECT * FROM (VALUES {rows}) AS v(t, cell)"  # noqa: S608 - days and numbers


def _by_month(ends: tuple[date, ...]) -> tuple[str, str]:
    """Return the cells of ends that are last days of months: the last 28 days of each."""
    number = "year(day) * 12 + month(day)"
    cell = f"CASE WHEN day > last_day(day) - INTERVAL {RECENT} DAY THEN {number} END"
    rows = ", ".join(f"({day(end)}, {end.year * 12 + end.month})" for end in ends)
    return cell, f"SELECT * FROM (VALUES {rows}) AS v(t, cell)"  # noqa: S608 - days and numbers


def _shaped(rows: pa.Table, stream: Stream) -> pa.Table:
    """Return the table as the lake keeps it: stream, account, day, score, and the parts as JSON and columns."""
    import pyarrow as pa

    parts = ("amount", "often", "people", "breadth")
    columns = {name: rows[name].combine_chunks().cast(pa.float64()) for name in parts}
    values = np.column_stack([columns[name].to_numpy(zero_copy_only=False) for name in parts])
    score = values.mean(axis=1) if len(values) else np.zeros(0)
    said = [json.dumps(dict(zip(parts, row, strict=True))) for row in np.round(values, 1).tolist()]
    return pa.table(
        {
            "stream": pa.array([str(stream.pk)] * rows.num_rows, pa.string()),
            "account": rows["account"].combine_chunks().cast(pa.string()),
            "day": rows["day"].combine_chunks().cast(pa.date32()),
            "score": pa.array(np.round(score, 2), pa.float64()),
            "parts": pa.array(said, pa.string()),
        }
    )


def _others(stream: Stream) -> pa.Table:
    """Return what other streams that are in use have in the table."""
    import pyarrow as pa

    texts, day, score = pa.string(), pa.date32(), pa.float64()
    columns: dict[str, pa.DataType] = {
        "stream": texts, "account": texts, "day": day, "score": score, "parts": texts,
    }  # fmt: skip
    schema = pa.schema(columns)
    if not lake().exists(TABLE):
        return schema.empty_table()
    living = Stream.objects.filter(archived_at=None).exclude(pk=stream.pk).values_list("pk", flat=True)
    listed = ", ".join(literal(str(key)) for key in living)
    if not listed:
        return schema.empty_table()
    kept = warehouse().query(
        f"SELECT stream, account, day, score, parts FROM {TABLE} WHERE stream IN ({listed})"  # noqa: S608
    )
    return kept.table.cast(schema)


def scores_at(stream: Stream, days: tuple[date, ...]) -> dict[tuple[str, date], float]:
    """Return the score of every account on the eve of each of some month starts, computed anew."""
    ends = tuple(one - timedelta(days=1) for one in days)
    tables = [stream.table, *([stream.accounts_table] if stream.accounts_table and stream.seats else [])]
    rows, _ = run_once(_sql(stream, ends, *_by_month(ends)), tables, "health at past days")
    shaped = _shaped(rows, stream)
    back = dict(zip(ends, days, strict=True))
    columns: list[list[Any]] = [shaped[name].to_pylist() for name in ("account", "day", "score")]
    return {(account, back[end]): score for account, end, score in zip(*columns, strict=True)}


def back_test(stream: Stream) -> scoring.Area | CannotTell:
    """Return how often an account that left had scored below one that stayed, at the month starts behind us."""
    marks = past_landmarks(stream)
    if isinstance(marks, CannotTell):
        return marks
    signs = signs_at(stream, marks, known=True)
    assert signs.left is not None
    scores = scores_at(stream, marks)
    keys = signs.who.to_pylist()
    # An account with no use at all in the weeks before has no score; it is as unhealthy as can be.
    found = np.array(
        [
            scores.get((keys[one], marks[at]), 0.0)
            for one, at in zip(signs.account.tolist(), signs.landmark.tolist(), strict=True)
        ]
    )
    return scoring.area_under_curve(-found, signs.left)


def _summary(mine: pa.Table, last: date) -> dict[str, Any]:
    now = mine.filter(_is(mine["day"], last))
    scores = now["score"].combine_chunks().to_numpy()
    healthy, low = int((scores >= HEALTHY).sum()), int((scores < AT_RISK).sum())
    return {
        "day": last.isoformat(),
        "accounts": len(scores),
        "healthy": healthy,
        "low": low,
        "rows": mine.num_rows,
        "sentence": f"{healthy:,} of {words.counted(len(scores), 'accounts')} are healthy "
        f"(a score of {HEALTHY} or more), "
        f"{low:,} score below {AT_RISK}, as of {words.day(last)}.",
    }


def _is(column: pa.ChunkedArray[Any], value: date) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.equal(column, pa.scalar(value, pa.date32()))


def _tested(tested: scoring.Area | CannotTell, stream: Stream) -> dict[str, Any]:
    if isinstance(tested, CannotTell):
        return {"tested": f"How well the score foretells is not known: {tested}"}
    from potager.insight.usage.signs import leaving

    return {
        "area": tested.value,
        "low_area": tested.low,
        "high_area": tested.high,
        "tested": f"At the month starts behind us, an account that {leaving(stream)} had scored below one that did not "
        f"{tested.value:.0%} of the time (between {tested.low:.0%} and {tested.high:.0%}; by lot 50%).",
    }
