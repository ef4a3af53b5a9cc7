"""Retention: of those who began in a period, who came back later; people, accounts, or what they pay.

Cells that cannot be known yet, because their period is not over, are None and never zero (right censoring).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import (
    ANY,
    BehaviorError,
    Events,
    Grain,
    Match,
    Scope,
    any_of,
    events_sql,
    identifier,
    milliseconds,
)
from potager.engines.behavior.periods import (
    BITS,
    Periods,
    activity_sql,
    bit_sql,
    masks,
    periods_of,
    places_sql,
)
from potager.engines.behavior.shares import Share, share

RetentionKind = Literal["first_time", "recurring", "rolling", "24h"]
MOST_OFFSETS = 60


@dataclass(frozen=True, slots=True)
class Retention:
    """Who did ``start`` in a period and ``back`` in the ``offset``-th period after it, up to ``offsets``.

    "first_time": a unit belongs to the period of its first ``start`` ever. "recurring": to every period it did
    ``start`` in. "rolling": first time, and kept as long as it came back in that period *or later*. "24h": first time,
    in windows of 24 hours from the very moment of the first ``start`` (whatever ``grain`` says).
    """

    kind: RetentionKind = "first_time"
    grain: Grain = "week"
    offsets: int = 8
    start: Match = ANY
    back: Match = ANY

    def __post_init__(self) -> None:
        if not 1 <= self.offsets <= MOST_OFFSETS:
            raise BehaviorError(
                f"{self.offsets} periods after the start cannot be shown.", f"Give 1 to {MOST_OFFSETS}."
            )


@dataclass(frozen=True, slots=True)
class Weights:
    """What units are worth in a period: a table with a row for a unit (``who``) and a day in it, and a ``value``."""

    table: str
    who: str
    day: str
    value: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """Who was kept at an offset; ``kept`` is None where the period is not over in the data."""

    offset: int
    kept: Share | None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class RetentionCohort:
    """Units that began in the period from ``starts`` on: how many, and their cells from offset 0 on."""

    starts: date
    size: int
    cells: tuple[RetentionCell, ...]
    value: float | None = None


@dataclass(frozen=True, slots=True)
class RetentionGrid:
    """Cohorts in order, and all together: ``overall`` counts, at each offset, only cohorts whose cell is known."""

    cohorts: tuple[RetentionCohort, ...]
    overall: tuple[RetentionCell, ...]


def retention_sql(events: Events, scope: Scope, retention: Retention) -> str:
    """Return SQL for the cells that hold somebody: ``cohort`` (place of a period), ``shift`` (periods later), ``kept``.

    Cohorts are the periods of the scope; shift 0 counts those who did ``back`` in the cohort's own period, and shift −1
    holds the cohort's size.
    """
    periods, count = _periods(events, scope, retention)
    if retention.kind == "24h":
        return _hours_sql(events, scope, retention, periods, count)
    joined = _kept_sql(retention, count)
    return (
        f"WITH a AS ({_activity(events, scope, retention, periods, count)}), "
        f"{_places(retention, count)} "
        f"SELECT cohort, CAST(-1 AS BIGINT) AS shift, count(*) AS kept FROM ({_cohorts_sql(retention, count)}) AS c "
        f"GROUP BY cohort UNION ALL SELECT cohort, shift, count(*) AS kept FROM ({joined}) AS k GROUP BY cohort, shift"
    )


def revenue_retention_sql(events: Events, scope: Scope, retention: Retention, weights: Weights) -> str:
    """Return SQL as :func:`retention_sql`, with ``value`` in place of ``kept``: what cohorts are worth by period.

    Shift −1 holds what a cohort was worth in its own period.
    """
    if retention.kind not in {"first_time", "rolling"}:
        raise BehaviorError("Revenue is kept by those who began once.", "Take first_time.")
    periods, count = _periods(events, scope, retention)
    condition = f" WHERE {weights.where}" if weights.where else ""
    worth = (
        f"SELECT CAST({identifier(weights.who)} AS VARCHAR) AS who, {periods.sql(identifier(weights.day))} AS p, "
        f"sum({identifier(weights.value)}) AS value FROM {weights.table}{condition} GROUP BY 1, 2"
    )
    return (
        f"WITH a AS ({_activity(events, scope, retention, periods, count)}), worth AS ({worth}), "
        f"c AS (SELECT who, first_start AS cohort FROM a WHERE first_start BETWEEN 0 AND {count - 1}) "
        "SELECT cohort, shift, sum(value) AS value FROM (SELECT c.cohort, w.p - c.cohort AS shift, w.value "
        f"FROM c JOIN worth AS w ON w.who = c.who WHERE w.p BETWEEN c.cohort AND c.cohort + {retention.offsets} "
        "UNION ALL SELECT c.cohort, CAST(-1 AS BIGINT), w.value FROM c JOIN worth AS w ON w.who = c.who "
        "AND w.p = c.cohort) AS v GROUP BY cohort, shift"
    )


def retention_members_sql(
    events: Events,
    scope: Scope,
    retention: Retention,
    cohort: int,
    offset: int | None = None,
    *,
    lost: bool = False,
) -> str:
    """Return SQL for ``who`` is in a cohort (its place), or was kept at an offset, or was not where ``lost``."""
    periods, count = _periods(events, scope, retention)
    if not 0 <= cohort < count:
        raise BehaviorError("There is no such cohort in these days.", "Choose one of the table.")
    if retention.kind == "24h":
        prepared = _hours_ctes(events, scope, retention, periods, count)
        members, kept = "SELECT who, cohort FROM c", "SELECT DISTINCT who, cohort, shift FROM h"
    else:
        prepared = (
            f"WITH a AS ({_activity(events, scope, retention, periods, count)}), {_places(retention, count)}"
        )
        members, kept = _cohorts_sql(retention, count), _kept_sql(retention, count)
    inside = f"SELECT who FROM ({members}) AS m WHERE cohort = {cohort}"
    if offset is None:
        return f"{prepared} {inside}"
    back = f"SELECT who FROM ({kept}) AS k WHERE cohort = {cohort} AND shift = {offset}"
    return f"{prepared} {inside} AND who {'NOT ' if lost else ''}IN ({back})"


def read_retention(
    rows: Sequence[Mapping[str, Any]],
    events: Events,
    scope: Scope,
    retention: Retention,
    *,
    through: date,
    worth: Sequence[Mapping[str, Any]] = (),
    level: float = 0.95,
) -> RetentionGrid | CannotTell:
    """Return the grid of the rows of :func:`retention_sql`; ``through`` is the last whole day in the data.

    ``worth`` are the rows of :func:`revenue_retention_sql`, whose values are then in the cells. Refuses where nobody
    began.
    """
    periods, count = _periods(events, scope, retention)
    kept = {(int(row["cohort"]), int(row["shift"])): int(row["kept"]) for row in rows}
    values = {(int(row["cohort"]), int(row["shift"])): float(row["value"]) for row in worth}
    cohorts = []
    for place in range(count):
        size = kept.get((place, -1), 0)
        if not size:
            continue
        cells = []
        for offset in range(retention.offsets + 1):
            known = _over(periods, retention, place, offset) <= through
            cell = share(kept.get((place, offset), 0), size, level) if known else None
            value = values.get((place, offset), 0.0) if known and worth else None
            cells.append(RetentionCell(offset, cell, value))
        value = values.get((place, -1), 0.0) if worth else None
        cohorts.append(RetentionCohort(periods.starts(place), size, tuple(cells), value))
    if not cohorts:
        return CannotTell(
            "too_few",
            f"Nobody began with {retention.start.words} in these days.",
            "Look at more days, or at another event.",
        )
    return RetentionGrid(tuple(cohorts), tuple(_overall(cohorts, retention, level, bool(worth))))


def _overall(
    cohorts: Sequence[RetentionCohort], retention: Retention, level: float, worth: bool
) -> list[RetentionCell]:
    found = []
    for offset in range(retention.offsets + 1):
        known = [
            (cohort, cohort.cells[offset]) for cohort in cohorts if cohort.cells[offset].kept is not None
        ]
        part = sum(cell.kept.part for _, cell in known if cell.kept)
        value = sum(cell.value or 0.0 for _, cell in known) if worth and known else None
        found.append(
            RetentionCell(offset, share(part, sum(cohort.size for cohort, _ in known), level), value)
        )
    return found


def _over(periods: Periods, retention: Retention, place: int, offset: int) -> date:
    """Return the day on which a cell is whole: with 24 hours from a moment, the cohort's last one ends a day later."""
    last = periods.ends(place + offset)
    return last + timedelta(days=1) if retention.kind == "24h" else last


def _periods(events: Events, scope: Scope, retention: Retention) -> tuple[Periods, int]:
    grain: Grain = "day" if retention.kind == "24h" else retention.grain
    periods = periods_of(events, grain, scope)
    return periods, periods.index(scope.end) + 1


def _activity(events: Events, scope: Scope, retention: Retention, periods: Periods, count: int) -> str:
    return activity_sql(events, scope, periods, count, {"start": retention.start, "back": retention.back})


def _places(retention: Retention, count: int) -> str:
    cohorts = "cs" if retention.kind == "recurring" else ""
    shifts = f"ks AS ({places_sql(retention.offsets + 1, 'shift')})"
    return f"{shifts}, {cohorts} AS ({places_sql(count, 'cohort')})" if cohorts else shifts


def _cohorts_sql(retention: Retention, count: int) -> str:
    if retention.kind == "recurring":
        return f"SELECT a.who, cs.cohort FROM a CROSS JOIN cs WHERE {bit_sql('start', 'cs.cohort', count)}"
    return f"SELECT who, first_start AS cohort FROM a WHERE first_start BETWEEN 0 AND {count - 1}"


def _kept_sql(retention: Retention, count: int) -> str:
    """Return the SELECT of ``who``, ``cohort`` and ``shift``, a row for each period they were kept in."""
    if retention.kind == "recurring":
        both = (
            f"{bit_sql('start', 'cs.cohort', count)} AND {bit_sql('back', '(cs.cohort + ks.shift)', count)}"
        )
        return f"SELECT a.who, cs.cohort, ks.shift FROM a CROSS JOIN cs CROSS JOIN ks WHERE {both}"
    began = f"a.first_start BETWEEN 0 AND {count - 1}"
    if retention.kind == "rolling":
        return (
            "SELECT a.who, a.first_start AS cohort, ks.shift FROM (SELECT *, "
            f"{_last_bit('back', count)} AS last_back FROM a) AS a CROSS JOIN ks "
            f"WHERE {began} AND a.last_back >= a.first_start + ks.shift"
        )
    back = bit_sql("back", "(a.first_start + ks.shift)", count)
    return f"SELECT a.who, a.first_start AS cohort, ks.shift FROM a CROSS JOIN ks WHERE {began} AND {back}"


def _last_bit(name: str, count: int) -> str:
    """Return SQL for the last period whose bit is set; −1 where none is."""
    cases = []
    for part in reversed(range(masks(count))):
        column = f"{name}_{part}"
        # The place of the highest bit of a whole number: the length of its binary writing, less one.
        cases.append(f"WHEN {column} > 0 THEN {part * BITS} + CAST(length(bin({column})) AS BIGINT) - 1")
    return f"(CASE {' '.join(cases)} ELSE -1 END)"


def _hours_ctes(events: Events, scope: Scope, retention: Retention, periods: Periods, count: int) -> str:
    at = events.at_sql()
    rows = events_sql(
        events,
        scope,
        {
            "t": milliseconds(at),
            "p": periods.sql(at),
            "is_start": retention.start.sql(events),
            "is_back": retention.back.sql(events),
        },
        keep=any_of([retention.start, retention.back], events),
        from_the_first=True,
    )
    day = 24 * 3600 * 1000
    return (
        f"WITH hits AS ({rows}), c AS (SELECT who, min(t) FILTER (WHERE is_start) AS t0, "
        f"min(p) FILTER (WHERE is_start) AS cohort FROM hits GROUP BY who "
        f"HAVING min(p) FILTER (WHERE is_start) BETWEEN 0 AND {count - 1}), "
        f"h AS (SELECT c.who, c.cohort, CAST(floor((hits.t - c.t0) / {day}.0) AS BIGINT) AS shift "
        f"FROM hits JOIN c ON c.who = hits.who WHERE hits.is_back AND hits.t >= c.t0 "
        f"AND hits.t < c.t0 + CAST({retention.offsets + 1} AS BIGINT) * {day})"
    )


def _hours_sql(events: Events, scope: Scope, retention: Retention, periods: Periods, count: int) -> str:
    return (
        f"{_hours_ctes(events, scope, retention, periods, count)} "
        "SELECT cohort, CAST(-1 AS BIGINT) AS shift, count(*) AS kept FROM c GROUP BY cohort UNION ALL "
        "SELECT cohort, shift, count(DISTINCT who) AS kept FROM h GROUP BY cohort, shift"
    )
