"""How often, by how many, by when: events and people by period, split by a property; and sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import (
    ANY,
    BehaviorError,
    Events,
    Grain,
    Match,
    Scope,
    events_sql,
    literal,
    milliseconds,
)
from potager.engines.behavior.periods import periods_of

Measure = Literal["events", "people", "per_person"]
OTHER, UNKNOWN = "other", "unknown"
LONGEST_PAUSE = 24 * 3600


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A period: how many events, by how many; ``whole`` says whether it is over."""

    starts: date
    events: int
    people: int
    whole: bool

    def value(self, measure: Measure) -> float | None:
        """Return the measure; None per person where there is nobody."""
        if measure == "per_person":
            return self.events / self.people if self.people else None
        return float(self.events if measure == "events" else self.people)


@dataclass(frozen=True, slots=True)
class Trend:
    """A line: the name of the split's value (empty without a split), and a point for every period."""

    name: str
    points: tuple[TrendPoint, ...]

    @property
    def events(self) -> int:
        """Return all events of the line."""
        return sum(point.events for point in self.points)


def trends_sql(
    events: Events, scope: Scope, grain: Grain, match: Match = ANY, *, by: str = "", top: int = 6
) -> str:
    """Return SQL for ``p`` (place of the period), ``split``, ``events`` and ``people``.

    ``split`` is one of the ``top`` most frequent values of the property ``by``, or "other"; empty without ``by``.
    """
    periods = periods_of(events, grain, scope)
    columns = {"p": periods.sql(events.at_sql())}
    if not by:
        rows = events_sql(events, scope, columns, keep=match.sql(events))
        return (
            "SELECT p, '' AS split, count(*) AS events, count(DISTINCT who) AS people "
            f"FROM ({rows}) AS hits GROUP BY p ORDER BY p"
        )
    if top < 1:
        raise BehaviorError("A split shows at least one value.", "Give 1 or more.")
    columns["value"] = f"coalesce({events.property_sql(by)}, {literal(UNKNOWN)})"
    rows = events_sql(events, scope, columns, keep=match.sql(events))
    return (
        f"WITH hits AS ({rows}), "
        f"tops AS (SELECT value FROM hits GROUP BY value ORDER BY count(*) DESC, value LIMIT {top}) "
        f"SELECT p, CASE WHEN value IN (SELECT value FROM tops) THEN value ELSE {literal(OTHER)} END AS split, "
        "count(*) AS events, count(DISTINCT who) AS people FROM hits GROUP BY 1, 2 ORDER BY 1, 2"
    )


def trend_members_sql(
    events: Events,
    scope: Scope,
    grain: Grain,
    place: int,
    match: Match = ANY,
    *,
    by: str = "",
    value: str = "",
) -> str:
    """Return SQL for ``who`` did it in the period at a place, with one value of the split where there is one."""
    periods = periods_of(events, grain, scope)
    keep = f"({match.sql(events)}) AND {periods.sql(events.at_sql())} = {place}"
    if by:
        keep += f" AND coalesce({events.property_sql(by)}, {literal(UNKNOWN)}) = {literal(value)}"
    return f"SELECT DISTINCT who FROM ({events_sql(events, scope, {}, keep=keep)}) AS hits"


def read_trends(
    rows: Sequence[Mapping[str, Any]], events: Events, scope: Scope, grain: Grain, *, through: date
) -> list[Trend] | CannotTell:
    """Return the lines of the rows of :func:`trends_sql`, the largest first and "other" last; no rows are zero."""
    periods = periods_of(events, grain, scope)
    if not rows:
        return CannotTell("too_few", "There are no such events in these days.", "Look at more days.")
    lines: dict[str, dict[int, tuple[int, int]]] = {}
    for row in rows:
        lines.setdefault(str(row["split"]), {})[int(row["p"])] = (int(row["events"]), int(row["people"]))
    count = periods.index(scope.end) + 1
    trends = [
        Trend(
            name,
            tuple(
                TrendPoint(
                    periods.starts(place), *known.get(place, (0, 0)), whole=periods.ends(place) <= through
                )
                for place in range(count)
            ),
        )
        for name, known in lines.items()
    ]
    return sorted(trends, key=lambda trend: (trend.name == OTHER, -trend.events, trend.name))


def sessions_sql(events: Events, scope: Scope, grain: Grain, *, pause: int = 1800) -> str:
    """Return SQL for ``p``, ``sessions``, ``people``, ``seconds`` (median length) and ``events`` (mean in a session).

    A session ends with a pause of more than ``pause`` seconds; it lies in the period it began in.
    """
    periods = periods_of(events, grain, scope)
    return (
        f"WITH {session_ctes(events, scope, {'p': periods.sql(events.at_sql())}, pause)}, "
        "s AS (SELECT who, session, min(p) AS p, (max(t) - min(t)) / 1000.0 AS seconds, count(*) AS n "
        "FROM sessions GROUP BY who, session) "
        "SELECT p, count(*) AS sessions, count(DISTINCT who) AS people, median(seconds) AS seconds, "
        "avg(n) AS events FROM s GROUP BY p ORDER BY p"
    )


def session_ctes(
    events: Events, scope: Scope, columns: Mapping[str, str], pause: int, *, keep: str = ""
) -> str:
    """Return the CTE ``sessions``: the events in scope with ``t`` (milliseconds) and the number of their session."""
    if not 1 <= pause <= LONGEST_PAUSE:
        raise BehaviorError(f"A pause of {pause} seconds ends no session.", "Give a second to a day.")
    rows = events_sql(events, scope, {"t": milliseconds(events.at_sql()), **columns}, keep=keep)
    order = "PARTITION BY who ORDER BY t"
    return (
        f"hits AS ({rows}), gaps AS (SELECT *, t - lag(t) OVER ({order}) AS gap FROM hits), "
        f"sessions AS (SELECT *, sum(CASE WHEN gap IS NULL OR gap > {pause * 1000} THEN 1 ELSE 0 END) "
        f"OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session FROM gaps)"
    )
