"""Days, weeks and months as whole numbers, the same in SQL and here; and who was active when, as bits.

Activity is kept as bits: one whole number per person says in which of 62 periods they were active, so that one pass
over the events is enough for retention, lifecycle and growth, whatever the number of periods asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from potager.engines.behavior.events import BehaviorError, Events, Grain, Match, Scope, events_sql

BITS = 62
MOST_PERIODS = 20 * BITS
_MONDAY = date(1969, 12, 29)


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods of one grain, counted from the one that ``first`` lies in."""

    grain: Grain
    first: date
    week_starts: int = 1

    @property
    def origin(self) -> int:
        """Return the number of the first period, counted from about 1970."""
        return self.number(self.first)

    def number(self, day: date) -> int:
        """Return the number of the period that a day lies in, counted from about 1970."""
        if self.grain == "month":
            return day.year * 12 + day.month - 1
        days = (day - self._zero()).days
        return days if self.grain == "day" else days // 7

    def starts(self, index: int) -> date:
        """Return the first day of the period at ``index``, counted from the first."""
        number = self.origin + index
        if self.grain == "month":
            return date(number // 12, number % 12 + 1, 1)
        return self._zero() + timedelta(days=number * (7 if self.grain == "week" else 1))

    def ends(self, index: int) -> date:
        """Return the last day of the period at ``index``."""
        return self.starts(index + 1) - timedelta(days=1)

    def index(self, day: date) -> int:
        """Return the place of a day's period, counted from the first."""
        return self.number(day) - self.origin

    def sql(self, at: str) -> str:
        """Return SQL for the place of a moment's period, counted from the first; below 0 before it."""
        if self.grain == "month":
            return f"CAST(year({at}) * 12 + month({at}) - 1 - {self.origin} AS BIGINT)"
        days = f"date_diff('day', DATE '{self.starts(0).isoformat()}', CAST({at} AS DATE))"
        # Weeks are whole numbers of days from a week's first, so division has to round down below 0 too.
        return f"CAST({days} AS BIGINT)" if self.grain == "day" else f"CAST(floor({days} / 7.0) AS BIGINT)"

    def _zero(self) -> date:
        return _MONDAY + timedelta(days=self.week_starts - 1)


def periods_of(
    events: Events, grain: Grain, scope: Scope, *, before: int = 0, most: int = MOST_PERIODS
) -> Periods:
    """Return the periods of a scope, beginning ``before`` of them earlier. Refuses more than can be read as bits."""
    periods = Periods(grain, scope.start, events.week_starts)
    count = periods.index(scope.end) + 1
    if count > most:
        raise BehaviorError(
            f"{count:,} {grain}s are too many for one look.", "Take weeks or months, or fewer days."
        )
    return Periods(grain, periods.starts(-before), events.week_starts) if before else periods


def masks(count: int) -> int:
    """Return how many whole numbers hold the bits of ``count`` periods."""
    return -(-count // BITS)


def activity_sql(
    events: Events, scope: Scope, periods: Periods, count: int, matches: dict[str, Match], *, keep: str = ""
) -> str:
    """Return the SELECT of everybody's activity: ``who`` and, for each match, ``first_<name>`` and bits.

    ``first_<name>`` is the period of the first time ever (below 0 before the first period); the bits of the periods 0
    to ``count`` − 1 are in ``<name>_0``, ``<name>_1`` …, 62 to each.
    """
    rows = events_sql(
        events,
        scope,
        {
            "p": periods.sql(events.at_sql()),
            **{f"is_{name}": match.sql(events) for name, match in matches.items()},
        },
        keep=keep or " OR ".join(f"({match.sql(events)})" for match in matches.values()),
        from_the_first=True,
    )
    columns = []
    for name in matches:
        columns.append(f"min(p) FILTER (WHERE is_{name}) AS first_{name}")
        for part in range(masks(count)):
            low, high = part * BITS, min((part + 1) * BITS, count)
            columns.append(
                f"coalesce(bit_or(CAST(1 AS BIGINT) << {_shift('p', low)}) "
                f"FILTER (WHERE is_{name} AND p >= {low} AND p < {high}), 0) AS {name}_{part}"
            )
    return f"SELECT who, {', '.join(columns)} FROM ({rows}) AS hits GROUP BY who"


def _shift(period: str, low: int) -> str:
    """Return SQL for a period's bit among those from ``low`` on; clamped, as engines may shift before they filter."""
    return f"CAST(greatest(least({period} - {low}, {BITS}), 0) AS INTEGER)"


def bit_sql(name: str, period: str, count: int, *, table: str = "a") -> str:
    """Return SQL that holds where the bit of ``period`` (SQL for a place) is set; outside of the bits it does not."""
    cases = []
    for part in range(masks(count)):
        low, high = part * BITS, min((part + 1) * BITS, count)
        inside = f"{period} >= {low} AND {period} < {high}"
        cases.append(f"WHEN {inside} THEN (({table}.{name}_{part} >> {_shift(period, low)}) & 1) = 1")
    return f"(CASE {' '.join(cases)} ELSE FALSE END)"


def places_sql(count: int, name: str) -> str:
    """Return a SELECT of the whole numbers 0 to ``count`` − 1 in a column ``name``."""
    return f"SELECT unnest(range({count})) AS {name}"
