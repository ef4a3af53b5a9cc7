"""Who is new, returning, resurrected or dormant; how use grows; and on how many days people come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import ANY, BehaviorError, Events, Grain, Match, Scope, events_sql
from potager.engines.behavior.periods import activity_sql, bit_sql, periods_of, places_sql

LifecycleState = Literal["new", "returning", "resurrected", "dormant"]
STATES: tuple[LifecycleState, ...] = ("new", "returning", "resurrected", "dormant")


@dataclass(frozen=True, slots=True)
class LifecyclePeriod:
    """A period: ``new`` (never before), ``returning`` (also in the one before), ``resurrected`` (before, but not in the
    one before) are active in it; ``dormant`` were in the one before and are not. ``whole`` says whether it is over.
    """

    starts: date
    new: int
    returning: int
    resurrected: int
    dormant: int
    whole: bool

    @property
    def active(self) -> int:
        """Return how many were active."""
        return self.new + self.returning + self.resurrected

    @property
    def quick_ratio(self) -> float | CannotTell:
        """Return (new + resurrected) ÷ dormant; above 1 use grows. There is none where nobody fell dormant."""
        if not self.dormant:
            return CannotTell(
                "undefined", "Nobody fell dormant, so there is no ratio.", "Take longer periods."
            )
        return (self.new + self.resurrected) / self.dormant


def lifecycle_sql(events: Events, scope: Scope, grain: Grain, match: Match = ANY) -> str:
    """Return SQL for ``p`` (place of the period) and counts of new, returning, resurrected and dormant.

    Who is new is told from everything before the scope too.
    """
    ctes, now, before, first = _states(events, scope, grain, match)
    return (
        f"{ctes} SELECT ps.p, "
        f"count(*) FILTER (WHERE {now} AND {first} = ps.p) AS new, "
        f"count(*) FILTER (WHERE {now} AND {before}) AS returning, "
        f"count(*) FILTER (WHERE {now} AND NOT {before} AND {first} < ps.p) AS resurrected, "
        f"count(*) FILTER (WHERE {before} AND NOT {now}) AS dormant "
        "FROM a CROSS JOIN ps GROUP BY ps.p ORDER BY ps.p"
    )


def lifecycle_members_sql(
    events: Events, scope: Scope, grain: Grain, place: int, state: LifecycleState, match: Match = ANY
) -> str:
    """Return SQL for ``who`` is in a state in the period at a place."""
    if state not in STATES:
        raise BehaviorError(f"There is no state {state}.", f"Take {', '.join(STATES)}.")
    ctes, now, before, first = _states(events, scope, grain, match)
    held = {
        "new": f"{now} AND {first} = ps.p",
        "returning": f"{now} AND {before}",
        "resurrected": f"{now} AND NOT {before} AND {first} < ps.p",
        "dormant": f"{before} AND NOT {now}",
    }[state]
    return f"{ctes} SELECT a.who FROM a CROSS JOIN ps WHERE ps.p = {place} AND ({held})"


def read_lifecycle(
    rows: Sequence[Mapping[str, Any]], events: Events, scope: Scope, grain: Grain, *, through: date
) -> list[LifecyclePeriod] | CannotTell:
    """Return the periods of the rows of :func:`lifecycle_sql`; ``through`` is the last whole day in the data."""
    periods = periods_of(events, grain, scope)
    found = [
        LifecyclePeriod(
            periods.starts(int(row["p"])),
            int(row["new"]),
            int(row["returning"]),
            int(row["resurrected"]),
            int(row["dormant"]),
            whole=periods.ends(int(row["p"])) <= through,
        )
        for row in rows
    ]
    if not any(period.active for period in found):
        return CannotTell("too_few", "Nobody was active in these days.", "Look at more days.")
    return found


def _states(events: Events, scope: Scope, grain: Grain, match: Match) -> tuple[str, str, str, str]:
    # One period more is read than shown: who was active in the one before.
    periods = periods_of(events, grain, scope, before=1)
    count = periods.index(scope.end) + 1
    activity = activity_sql(events, scope, periods, count, {"it": match})
    now, before = bit_sql("it", "(ps.p + 1)", count), bit_sql("it", "ps.p", count)
    ctes = f"WITH a AS ({activity}), ps AS ({places_sql(count - 1, 'p')})"
    return ctes, now, before, "(a.first_it - 1)"


@dataclass(frozen=True, slots=True)
class Stickiness:
    """Of the active in a usual period, how many came on ``days`` of its days. ``counts[0]`` is one day."""

    counts: tuple[int, ...]
    periods: int

    @property
    def people(self) -> int:
        """Return how many were active, summed over the periods."""
        return sum(self.counts)

    @property
    def mean_days(self) -> float:
        """Return the mean number of days in a period on which an active one came."""
        return sum(days * count for days, count in enumerate(self.counts, 1)) / self.people

    @property
    def share_of_days(self) -> float:
        """Return the mean share of days (daily ÷ weekly or monthly active, where every day counts alike)."""
        return self.mean_days / len(self.counts)


def stickiness_sql(events: Events, scope: Scope, grain: Grain, match: Match = ANY) -> str:
    """Return SQL for ``days`` (on how many days of a week or month) and ``people``, summed over the periods."""
    return (
        f"WITH d AS ({_days_sql(events, scope, grain, match)}) "
        "SELECT CAST(bit_count(days) AS BIGINT) AS days, count(*) AS people FROM d GROUP BY 1 ORDER BY 1"
    )


def stickiness_members_sql(events: Events, scope: Scope, grain: Grain, days: int, match: Match = ANY) -> str:
    """Return SQL for ``who`` came on so many days of a period, in any of them."""
    return (
        f"WITH d AS ({_days_sql(events, scope, grain, match)}) "
        f"SELECT DISTINCT who FROM d WHERE CAST(bit_count(days) AS BIGINT) = {days}"
    )


def read_stickiness(
    rows: Sequence[Mapping[str, Any]], events: Events, scope: Scope, grain: Grain
) -> Stickiness | CannotTell:
    """Return the histogram of the rows of :func:`stickiness_sql`; every possible number of days is in it."""
    counts = {int(row["days"]): int(row["people"]) for row in rows}
    if not counts:
        return CannotTell("too_few", "Nobody was active in these days.", "Look at more days.")
    length = 7 if grain == "week" else 31
    periods = periods_of(events, grain, scope).index(scope.end) + 1
    return Stickiness(tuple(counts.get(days, 0) for days in range(1, length + 1)), periods)


def _days_sql(events: Events, scope: Scope, grain: Grain, match: Match) -> str:
    if grain == "day":
        raise BehaviorError("A day has no days to come on.", "Take week or month.")
    periods = periods_of(events, grain, scope)
    days = periods_of(events, "day", scope)
    at = events.at_sql()
    rows = events_sql(
        events, scope, {"p": periods.sql(at), "d": f"{days.sql(at)} % 31"}, keep=match.sql(events)
    )
    # Any 31 days in a row differ in their number modulo 31, so a bit for each is enough for weeks and months.
    return (
        "SELECT who, p, bit_or(CAST(1 AS BIGINT) << CAST(d AS INTEGER)) AS days "
        f"FROM ({rows}) AS hits GROUP BY who, p"
    )
