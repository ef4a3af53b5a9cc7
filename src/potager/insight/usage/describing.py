"""A stream, its conditions and its days, as the engine reads them; and the engine's refusals as ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from potager.engines.behavior.events import BehaviorError, Condition, Events, Match, Scope, Unit
from potager.ground.lake.service import warehouse
from potager.insight.metrics.queries import conditions
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import Days
from potager.insight.usage.running import identifier, run
from potager.kit.errors import Invalid, NotFound


def events_of(stream: Stream) -> Events:
    """Return a stream as the engine describes events; NotFound where its table is gone."""
    import pyarrow as pa

    info = warehouse().tables().get(stream.table)
    if info is None or stream.time not in info.schema.names:
        raise NotFound(
            f"{stream.name} reads {stream.table}, which is not there as it was described.",
            mend="Import its data, or say anew what its columns mean.",
        )
    kind = info.schema.field(stream.time).type
    return Events(
        table=stream.table,
        person=stream.person,
        time=stream.time,
        event=stream.event,
        account=stream.account,
        event_id=stream.event_id if has_repeats(stream) else "",
        identities=stream.identities_table,
        zone=stream.zone,
        aware=bool(pa.types.is_timestamp(kind) and kind.tz),
        week_starts=stream.week_starts,
        properties=tuple(str(name) for name in stream.properties),
        json_column=stream.json_column,
    )


def has_repeats(stream: Stream) -> bool:
    """Return whether an event id comes more than once in a stream's table: counted once a snapshot, not a reading."""
    if not stream.event_id:
        return False
    name = identifier(stream.event_id)
    rows, _ = run(
        f"SELECT count({name}) > count(DISTINCT {name}) AS repeats FROM {stream.table}",  # noqa: S608 - names of ours
        [stream.table],
        "whether events are there twice",
    )
    return bool(rows["repeats"][0].as_py())


def conditions_of(said: Sequence[str]) -> tuple[Condition, ...]:
    """Return conditions such as ``plan=free`` or ``country!=DE,FR``."""
    return tuple(
        Condition(
            one.dimension,
            tuple("unknown" if value is None else str(value) for value in one.values),
            one.op == "not_in",
        )
        for one in conditions(said)
    )


def scope_of(stream: Stream, days: Days, *, unit: Unit = "person", where: Sequence[str] = ()) -> Scope:
    """Return which events a reading looks at."""
    return Scope(days.start, days.end, unit, conditions_of(where))


def match_of(name: str) -> Match:
    """Return one event, or any event where no name is given."""
    return Match((name,)) if name else Match()


def active_of(stream: Stream) -> Match:
    """Return what makes somebody active."""
    return match_of(stream.active_event)


@contextmanager
def asking() -> Iterator[None]:
    """Let what the engine refuses to ask be a problem that names it."""
    try:
        yield
    except BehaviorError as error:
        raise Invalid(error.detail, mend=error.mend) from error
