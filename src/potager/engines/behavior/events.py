"""Events as SQL reads them: whose, what, when, in which time zone and week, and only some of them.

Nothing is run here. Statements are written in DuckDB's dialect, over tables named ``namespace.table``, so that the
caller runs them on any engine that takes them (other dialects by translation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Unit = Literal["person", "account"]
Grain = Literal["day", "week", "month"]
_ROW = "e"


class BehaviorError(ValueError):
    """Something that cannot be asked of events: what is wrong, and how to mend it."""

    def __init__(self, detail: str, mend: str) -> None:
        super().__init__(detail)
        self.detail, self.mend = detail, mend


@dataclass(frozen=True, slots=True)
class Events:
    """A table of events: which of its columns say who (``person``), what (``event``) and when (``time``).

    ``time`` is in UTC; ``aware`` says that its column knows so by itself. Without ``event`` every row is one event,
    called ``every``. Repeats of ``event_id`` count once. ``identities`` is a table of ``alias`` and ``person``, merged
    to the end: who is known by several names counts as one. ``properties`` are further columns, ``json_column`` one
    that holds more as JSON. ``week_starts``: 1 is Monday.
    """

    table: str
    person: str
    time: str
    event: str = ""
    account: str = ""
    event_id: str = ""
    identities: str = ""
    zone: str = "UTC"
    aware: bool = False
    week_starts: int = 1
    properties: tuple[str, ...] = ()
    json_column: str = ""
    every: str = "event"

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the tables that its statements read."""
        return (self.table, self.identities) if self.identities else (self.table,)

    def property_sql(self, name: str) -> str:
        """Return the SQL of a property as text. Raises :class:`BehaviorError` where the events have no such."""
        if name in self.properties:
            return f"CAST({_ROW}.{identifier(name)} AS VARCHAR)"
        if self.json_column:
            path = "$." + identifier(name)
            return f"json_extract_string({_ROW}.{identifier(self.json_column)}, {literal(path)})"
        known = ", ".join(self.properties) or "none"
        raise BehaviorError(f"These events have no property {name}.", f"They have {known}.")

    def event_sql(self) -> str:
        """Return the SQL of the event's name."""
        return f"CAST({_ROW}.{identifier(self.event)} AS VARCHAR)" if self.event else literal(self.every)

    def at_sql(self) -> str:
        """Return the SQL of the moment, by the clock of the time zone."""
        column = f"{_ROW}.{identifier(self.time)}"
        if self.aware:
            return f"({column} AT TIME ZONE {literal(self.zone)})"
        if self.zone == "UTC":
            return column
        return f"({column} AT TIME ZONE 'UTC' AT TIME ZONE {literal(self.zone)})"


@dataclass(frozen=True, slots=True)
class Condition:
    """Only events whose ``property`` is one of ``values``, or none of them where ``negated``."""

    property: str
    values: tuple[str, ...]
    negated: bool = False

    def sql(self, events: Events) -> str:
        """Return it as SQL; an unknown value is none of them."""
        column = events.property_sql(self.property)
        if not self.values:
            raise BehaviorError(f"No value is given for {self.property}.", "Give one, such as plan=free.")
        values = ", ".join(literal(value) for value in self.values)
        found = f"coalesce({column} IN ({values}), FALSE)"
        return f"NOT {found}" if self.negated else found


@dataclass(frozen=True, slots=True)
class Match:
    """Any of these events (or any event at all, where none is named) under all of these conditions."""

    events: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()

    def sql(self, events: Events) -> str:
        """Return it as SQL over a row of the table."""
        parts = [condition.sql(events) for condition in self.where]
        if self.events:
            names = ", ".join(literal(name) for name in self.events)
            parts.insert(0, f"{events.event_sql()} IN ({names})")
        return " AND ".join(f"({part})" for part in parts) or "TRUE"

    @property
    def words(self) -> str:
        """Return what it is called."""
        return " or ".join(self.events) or "any event"


ANY = Match()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which events are looked at: of the days ``start`` to ``end`` (both included, in the events' zone), whose, which.

    Where a reading has to know what was before (who is new?), it reads all before ``start`` as well.
    """

    start: date
    end: date
    unit: Unit = "person"
    where: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise BehaviorError(f"The days end on {self.end}, before {self.start}.", "Swap the two days.")


def events_sql(
    events: Events,
    scope: Scope,
    columns: Mapping[str, str],
    *,
    keep: str = "",
    from_the_first: bool = False,
) -> str:
    """Return the SELECT of the events in scope: ``who`` and ``columns`` (name to SQL over a row ``e``).

    ``keep`` is a further condition over a row. Rows without somebody or a moment, and those after the last day (events
    from the future among them), are left out. ``from_the_first`` reads all before the first day too.
    """
    owner = events.person if scope.unit == "person" else events.account
    if not owner:
        raise BehaviorError(
            "These events have no column with the account.", "Name that column, or look at people."
        )
    who, joined = f"CAST({_ROW}.{identifier(owner)} AS VARCHAR)", ""
    if events.identities and scope.unit == "person":
        # One row for each alias: a row that is there twice would count its events twice.
        merged = f"SELECT alias, min(person) AS person FROM {events.identities} GROUP BY alias"
        joined = f" LEFT JOIN ({merged}) AS i ON i.alias = {who}"
        who = f"coalesce(i.person, {who})"
    conditions = [f"{_ROW}.{identifier(owner)} IS NOT NULL", *_bounds(events, scope, from_the_first)]
    conditions += [condition.sql(events) for condition in scope.where]
    if keep:
        conditions.append(keep)
    shown = ", ".join(f"{sql} AS {name}" for name, sql in {"who": who, **columns}.items())
    rows = f" FROM {events.table} AS {_ROW}{joined} WHERE " + " AND ".join(
        f"({condition})" for condition in conditions
    )
    if not events.event_id:
        return f"SELECT {shown}{rows}"
    # Of repeats the earliest counts; events without an id are not repeats of one another. A number in a subquery and
    # no QUALIFY, as its translation to Spark loses the id.
    name = f"{_ROW}.{identifier(events.event_id)}"
    place = f"row_number() OVER (PARTITION BY {name} ORDER BY {_ROW}.{identifier(events.time)})"
    numbered = f"SELECT {shown}, CASE WHEN {name} IS NULL THEN 1 ELSE {place} END AS nth{rows}"
    return f"SELECT {', '.join(['who', *columns])} FROM ({numbered}) AS numbered WHERE nth = 1"


def _bounds(events: Events, scope: Scope, from_the_first: bool) -> list[str]:
    column, at = f"{_ROW}.{identifier(events.time)}", events.at_sql()
    after = scope.end + timedelta(days=1)
    bounds = [f"{at} < {moment(after)}"]
    if not from_the_first:
        bounds.append(f"{at} >= {moment(scope.start)}")
    if at != column and not events.aware:
        # No zone is further than 14 hours from UTC: the plain column lets whole files be passed over.
        bounds.append(f"{column} < {moment(after + timedelta(days=1))}")
        if not from_the_first:
            bounds.append(f"{column} >= {moment(scope.start - timedelta(days=1))}")
    return bounds


def identifier(name: str) -> str:
    """Return a column's name as SQL quotes it."""
    if not name or "\x00" in name:
        raise BehaviorError("A column's name is empty or holds a zero byte.", "Give the column's name.")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text as SQL quotes it."""
    return "'" + value.replace("'", "''") + "'"


def moment(day: date) -> str:
    """Return the first moment of a day as SQL."""
    return f"TIMESTAMP '{day.isoformat()} 00:00:00'"


def milliseconds(at: str) -> str:
    """Return SQL for a moment as milliseconds since 1970, in words that other engines know too."""
    return f"date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', {at})"


def any_of(matches: Sequence[Match], events: Events) -> str:
    """Return SQL that holds where any of these matches."""
    return " OR ".join(f"({match.sql(events)})" for match in matches)
