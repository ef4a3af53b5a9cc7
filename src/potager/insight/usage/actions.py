"""Describing streams, bringing files of events, keeping analyses, publishing what usage measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.connecting.actions import store
from potager.ground.connecting.connectors import connector, described
from potager.ground.jobs.models import Job
from potager.ground.jobs.work import enqueue
from potager.ground.lake.service import warehouse
from potager.ground.records.checks import keep
from potager.insight.customers.actions.segmenting import create_segment
from potager.insight.customers.models import Noun, Segment
from potager.insight.metrics.models import Influence, Source
from potager.insight.usage import governing, groups
from potager.insight.usage.models import Analysis, EventFile, FileState, Made, Stream
from potager.insight.usage.readings.base import parsed, reading_named
from potager.kit.clock import now
from potager.kit.errors import Conflict, FieldProblem, Invalid, Problem

CONNECTOR = "events"
JOB = "usage.import"
UNDO = "usage.undo"
HEALTH = "usage.health"
WRITTEN = (
    "name", "table", "person", "event", "time", "account", "event_id", "properties", "json_column",
    "identities_table", "zone", "week_starts", "active_event", "accounts_table", "accounts_key", "seats",
    "revenue_table", "book", "policy",
)  # fmt: skip
COLUMNS = ("person", "event", "time", "account", "event_id", "json_column")


# -- streams -----------------------------------------------------------------------------------------------------------


@action("usage.edit")
def describe_stream(*, actor: Actor, values: Mapping[str, Any]) -> Stream:
    """Say which table of the lake holds events, and what its columns mean."""
    return _written(Stream(owner_id=actor.user_id), values)


@action("usage.edit", on="stream")
def change_stream(*, actor: Actor, stream: Stream, values: Mapping[str, Any]) -> Stream:
    """Change what a stream's columns mean, its time zone, or the tables beside it."""
    return _written(stream, values)


@action("usage.edit", on="stream")
def archive_stream(*, actor: Actor, stream: Stream) -> Stream:
    """Put a stream away. Its table stays in the lake."""
    stream.archived_at = now()
    return keep(stream)


def _written(stream: Stream, values: Mapping[str, Any]) -> Stream:
    unknown = sorted(set(values) - set(WRITTEN))
    if unknown:
        problems = [FieldProblem(name, f"A stream has no field {name}.") for name in unknown]
        raise Invalid(problems[0].problem, mend=f"It has {', '.join(WRITTEN)}.", errors=problems)
    for name, value in values.items():
        setattr(stream, name, value)
    problems = list(_missing(stream))
    if problems:
        sentence = " ".join(problem.problem for problem in problems)
        raise Invalid(sentence, mend=problems[0].mend, errors=problems)
    return keep(stream)


def _missing(stream: Stream) -> Iterable[FieldProblem]:
    """Yield what the stream names and the lake does not have."""
    import pyarrow as pa

    tables = warehouse().tables()
    events = tables.get(stream.table)
    if events is None:
        yield FieldProblem(
            "table", f"There is no table {stream.table} in the lake.", "Import its data first."
        )
        return
    names = [(what, getattr(stream, what)) for what in COLUMNS]
    names += [("properties", name) for name in stream.properties]
    for what, name in names:
        if name and name not in events.schema.names:
            mend = f"It has {', '.join(field for field in events.schema.names[:20])}."
            yield FieldProblem(what, f"{stream.table} has no column {name}.", mend)
    if stream.time in events.schema.names:
        kind = events.schema.field(stream.time).type
        if not pa.types.is_timestamp(kind) and not pa.types.is_date(kind):
            mend = "Choose a column of dates or times; import the file again with that type where it is text."
            yield FieldProblem("time", f"{stream.time} holds {kind}, which is no time.", mend)
    for what, needed in (
        ("identities_table", ("alias", "person")),
        ("accounts_table", (stream.accounts_key, stream.seats)),
        ("revenue_table", ("customer", "month", "end_cents")),
    ):
        table = getattr(stream, what)
        if not table:
            continue
        if table not in tables:
            yield FieldProblem(what, f"There is no table {table} in the lake.", "Import its data first.")
            continue
        for name in filter(None, needed):
            if name not in tables[table].schema.names:
                yield FieldProblem(
                    what, f"{table} has no column {name}.", "Name another table, or its column."
                )
        if what == "accounts_table" and not stream.accounts_key:
            yield FieldProblem("accounts_key", f"Nobody said which column of {table} is the account's key.",
                               "Name it.")  # fmt: skip


# -- files of events ---------------------------------------------------------------------------------------------------


@action("usage.edit")
def bring_file(
    *, actor: Actor, file_name: str, chunks: Iterable[bytes], table: str = "", stream: Stream | None = None
) -> EventFile:
    """Take a file of events in, see whose it is, and propose what becomes what; nothing is imported yet."""
    name = Path(file_name.replace("\\", "/")).name[:200] or "events"
    brought = EventFile(file_name=name, owner_id=actor.user_id, stream=stream)
    brought.table = table or (stream.table if stream else "usage.events")
    store(brought.path, chunks)
    try:
        found = connector(CONNECTOR)
        shape = found.inspect(brought.path)
        brought.fingerprint, brought.bytes = shape.fingerprint, shape.bytes
        brought.shape = described(shape)
        brought.plan = found.plan_from(shape).to_dict()
        return keep(brought)
    except BaseException as error:
        brought.path.unlink(missing_ok=True)
        if isinstance(error, Problem):
            error.detail = error.detail.replace(brought.path.name, name)
        raise


@action("usage.edit", on="brought")
def import_file(*, actor: Actor, brought: EventFile, table: str = "") -> EventFile:
    """Import a file of events, in the background. Events that are there already are not added again."""
    _need(brought, FileState.DRAFT, FileState.FAILED, FileState.UNDONE)
    if table:
        brought.table = table
    undone = (
        EventFile.objects.filter(fingerprint=brought.fingerprint, table=brought.table, state=FileState.UNDONE)
        .order_by("-updated_at")
        .first()
    )
    brought.load_id = brought.load(undone.load_id if undone else "")
    brought.job = enqueue(actor, JOB, f"Import {brought.file_name}", file_id=str(brought.pk))
    brought.state, brought.note = FileState.RUNNING, ""
    return keep(brought)


@action("usage.edit", on="brought")
def end_import(*, actor: Actor, brought: EventFile, state: str, outcome: Mapping[str, Any]) -> EventFile:
    """Keep what came of an import; the first one into a table describes its stream."""
    brought.state = FileState(state)
    for name, value in outcome.items():
        setattr(brought, name, value)
    return keep(brought)


@action("usage.edit", on="brought")
def undo_import(*, actor: Actor, brought: EventFile) -> EventFile:
    """Take away exactly what a file of events brought."""
    _need(brought, FileState.DONE)
    brought.state = FileState.UNDONE
    brought.job = enqueue(
        actor, UNDO, f"Undo {brought.file_name}", table=brought.table, load_id=brought.load_id
    )
    for other in EventFile.objects.filter(load_id=brought.load_id, state=FileState.DONE).exclude(
        pk=brought.pk
    ):
        other.state, other.note = FileState.UNDONE, "Undone with another import of the same file."
        keep(other)
    return keep(brought)


@action("usage.edit", on="brought")
def discard_file(*, actor: Actor, brought: EventFile) -> EventFile:
    """Forget a file that was not imported, and remove it."""
    _need(brought, FileState.DRAFT, FileState.FAILED, FileState.UNDONE)
    brought.archived_at = now()
    keep(brought)
    brought.path.unlink(missing_ok=True)
    return brought


def _need(brought: EventFile, *states: FileState) -> None:
    if brought.state not in states:
        running = brought.state == FileState.RUNNING
        mend = "Wait for it to end, or cancel its job." if running else "Undo it first."
        raise Conflict(f"{brought.file_name} is {brought.get_state_display().lower()}.", mend=mend)


# -- analyses ----------------------------------------------------------------------------------------------------------


@action("usage.edit")
def keep_analysis(
    *,
    actor: Actor,
    stream: Stream,
    name: str,
    reading: str,
    parameters: Mapping[str, Any],
    note: str = "",
) -> Analysis:
    """Keep a reading under a name: its page runs it again on the data as it is then."""
    found = Analysis(stream=stream, reading=reading, name=name, note=note, owner_id=actor.user_id)
    found.parameters = parsed(reading_named(reading), parameters).said()
    return keep(found)


@action("usage.edit", on="analysis")
def change_analysis(*, actor: Actor, analysis: Analysis, values: Mapping[str, Any]) -> Analysis:
    """Change an analysis: its name, its note, its parameters."""
    unknown = sorted(set(values) - {"name", "note", "parameters"})
    if unknown:
        problems = [FieldProblem(name, f"{name} of an analysis cannot be changed.") for name in unknown]
        raise Invalid(problems[0].problem, mend="Change name, note or parameters.", errors=problems)
    for name, value in values.items():
        if name == "parameters":
            analysis.parameters = parsed(reading_named(analysis.reading), value).said()
        else:
            setattr(analysis, name, value)
    return keep(analysis)


@action("usage.edit", on="analysis")
def archive_analysis(*, actor: Actor, analysis: Analysis) -> Analysis:
    """Put an analysis away."""
    analysis.archived_at = now()
    return keep(analysis)


# -- the people behind a cell ------------------------------------------------------------------------------------------


@action("usage.read")
def keep_group(
    *, actor: Actor, stream: Stream, reading: str, parameters: Mapping[str, Any], cell: str, name: str
) -> Segment:
    """Keep the people or accounts behind a cell as a segment of customers: a fixed list of their keys."""
    found = reading_named(reading)
    group = groups.group_of(stream, found, parsed(found, parameters), cell)
    return create_segment(
        actor=actor,
        name=name,
        noun=Noun.ACCOUNTS if group.unit == "account" else Noun.PEOPLE,
        keys=groups.keys_to_keep(group),
        source=f"{stream.name}, {found.title}: {group.words}"[:300],
    )


# -- health, metrics, influences ---------------------------------------------------------------------------------------


@action("usage.edit", on="stream")
def ask_for_health(*, actor: Actor, stream: Stream) -> Job:
    """Compute the health of every account, in the background."""
    if not stream.account:
        raise Invalid(
            f"{stream.name} does not say which account an event is for.", mend="Name that column first."
        )
    return enqueue(actor, HEALTH, f"Health of the accounts of {stream.name}", stream_id=str(stream.pk))


@action("usage.edit", on="stream")
def end_health(*, actor: Actor, stream: Stream, outcome: Mapping[str, Any]) -> Stream:
    """Keep what the health of the accounts was computed from, and what came of it."""
    Made.objects.update_or_create(
        stream=stream,
        defaults={"snapshots": outcome.get("snapshots", {}), "at": now(), "outcome": dict(outcome)},
    )
    return stream


@action("usage.edit", on="stream")
def publish_metrics(*, actor: Actor, stream: Stream) -> Source:
    """Publish the governed metrics of a stream: active people by day, week and month, stickiness, health."""
    return governing.publish(actor, stream)


@action("usage.edit", on="stream")
def propose_influences(*, actor: Actor, stream: Stream) -> list[Influence]:
    """Draw the influences of usage on revenue that the tree does not have yet, and test each on the data."""
    return governing.propose(actor, stream)
