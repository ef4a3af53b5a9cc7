"""What a stream holds: how far it goes, who is in it, which events, and what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from potager.engines.answers import CannotTell
from potager.insight.metrics.reading import Ran
from potager.insight.usage.models import Stream
from potager.insight.usage.running import identifier, run
from potager.kit.clock import now

MOST_EVENTS = 400
LARGE_SHARE = 0.2
FEW_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class EventName:
    """An event: its name, how often it happened, to how many people."""

    name: str
    count: int
    people: int


@dataclass(frozen=True)
class Facts:
    """What a stream holds, in days of its own time zone. ``odd`` are sentences that a reader should know."""

    events: int
    people: int
    accounts: int
    first: date | None
    last: date | None
    names: tuple[EventName, ...]
    odd: tuple[str, ...]
    ran: tuple[Ran, ...]

    def recent(self, days: int) -> tuple[date, date] | None:
        """Return the first and last of the last ``days`` days with events."""
        if self.first is None or self.last is None:
            return None
        return max(self.first, self.last - timedelta(days=days - 1)), self.last


def facts_of(stream: Stream) -> Facts:
    """Return what a stream holds; computed once per snapshot and day."""
    table = stream.table
    person, time = identifier(stream.person), identifier(stream.time)
    # Until the end of this day, so that the same words are asked all day and remembered.
    limit = (now().date() + timedelta(days=1)).isoformat()
    inside = f"{time} < TIMESTAMP '{limit} 00:00:00'"
    accounts = f"count(DISTINCT {identifier(stream.account)})" if stream.account else "0"
    whole, ran = run(
        f"SELECT count(*) FILTER (WHERE {inside}) AS events, count(DISTINCT {person}) AS people, "  # noqa: S608
        f"{accounts} AS accounts, min({time}) AS first, max({time}) FILTER (WHERE {inside}) AS last, "
        f"count(*) FILTER (WHERE NOT ({inside})) AS future, count(*) FILTER (WHERE {person} IS NULL) AS nobody, "
        f"count(*) FILTER (WHERE {time} IS NULL) AS never FROM {table}",
        [table],
        "what the stream holds",
    )
    row = whole.to_pylist()[0]
    named, ran_names = _names(stream)
    most, ran_most = _busiest(table, stream.person)
    return Facts(
        events=row["events"], people=row["people"], accounts=row["accounts"],
        first=_day(stream, row["first"]), last=_day(stream, row["last"]), names=named,
        odd=tuple(_odd(row, most)), ran=(ran, ran_names, ran_most),
    )  # fmt: skip


def _busiest(table: str, column: str) -> tuple[int, Ran]:
    name = identifier(column)
    rows, ran = run(
        f"SELECT count(*) AS n FROM {table} WHERE {name} IS NOT NULL "  # noqa: S608 - names of ours
        f"GROUP BY {name} ORDER BY n DESC LIMIT 1",
        [table],
        "who is busiest",
    )
    return (rows["n"][0].as_py() if rows.num_rows else 0), ran


def busiest(stream: Stream, unit: str) -> int:
    """Return the most events that one person, or one account, has; counted once per snapshot."""
    column = stream.account if unit == "account" else stream.person
    return _busiest(stream.table, column)[0] if column else 0


def identity_trouble(stream: Stream) -> CannotTell | None:
    """Refuse where merged identities lead to several people, on to others, or in a circle."""
    if not stream.identities_table:
        return None
    table = stream.identities_table
    rows, _ = run(
        f"SELECT (SELECT count(*) FROM (SELECT alias FROM {table} GROUP BY alias "  # noqa: S608 - names of ours
        f"HAVING count(DISTINCT person) > 1) AS d) AS several, (SELECT count(*) FROM {table} AS a JOIN {table} AS b "
        "ON b.alias = a.person WHERE b.person <> b.alias) AS onward",
        [table],
        "whether identities are merged to the end",
    )
    row = rows.to_pylist()[0]
    mend = (
        f"Merge {table} to the end, so that each alias has one person who is nobody's alias; then look again."
    )
    if row["several"]:
        said = f"{row['several']:,} aliases in {table} belong to more than one person."
        return CannotTell("ambiguous", said, mend)
    if row["onward"]:
        said = f"{row['onward']:,} identities in {table} lead on to others, or in a circle."
        return CannotTell("ambiguous", said, mend)
    return None


def _names(stream: Stream) -> tuple[tuple[EventName, ...], Ran]:
    event = identifier(stream.event) if stream.event else "'event'"
    found, ran = run(
        f"SELECT CAST({event} AS VARCHAR) AS name, count(*) AS n, "  # noqa: S608 - names of ours
        f"count(DISTINCT {identifier(stream.person)}) AS people FROM {stream.table} "
        f"WHERE {event} IS NOT NULL GROUP BY 1 ORDER BY n DESC, name LIMIT {MOST_EVENTS}",
        [stream.table],
        "which events there are",
    )
    return tuple(EventName(row["name"], row["n"], row["people"]) for row in found.to_pylist()), ran


def _day(stream: Stream, moment: object) -> date | None:
    from datetime import UTC, datetime

    if isinstance(moment, datetime):
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return known.astimezone(ZoneInfo(stream.zone)).date()
    return moment if isinstance(moment, date) else None


def _odd(row: dict[str, int], busiest: int) -> list[str]:
    found = []
    if row["future"]:
        found.append(f"{row['future']:,} events are dated after today; they are not counted.")
    if row["nobody"]:
        found.append(f"{row['nobody']:,} events name no person; they are not counted.")
    if row["never"]:
        found.append(f"{row['never']:,} events have no time; they are not counted.")
    if row["events"] >= FEW_EVENTS and busiest > LARGE_SHARE * row["events"]:
        share = busiest / row["events"]
        found.append(
            f"One person made {busiest:,} of the events ({share:.0%}): perhaps a program. "
            "Counts of people are not moved by it, counts of events are."
        )
    return found
