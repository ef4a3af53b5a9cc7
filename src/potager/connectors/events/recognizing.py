"""Finding out whose events a file holds, by its shape, and which of its columns mean what."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from potager.connectors import files
from potager.connectors.events.plans import ReadPlan, missing
from potager.connectors.events.shapes import EventShape, Kind
from potager.connectors.events.vocabulary import (
    PLAIN_NAMES,
    POSTHOG_ROLES,
    SEGMENT_KEYS,
    SEGMENT_ROLES,
    SEGMENT_TYPES,
    SNOWPLOW_FIELDS,
    SNOWPLOW_ROLES,
)
from potager.connectors.files import Cast, ColumnPlan, ColumnShape, FileShape, ReadOptions
from potager.connectors.files.names import clean_names
from potager.kit.errors import FieldProblem

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}")
_FIRST_LINE = 256 << 10
_LEAST_FIELDS = 125  # an enriched event has 131 fields; older versions lacked the last ones
# A moment that leaves no doubt where: with an offset, or counted since 1970.
_ZONED = re.compile(r"(?:Z|UTC|[+-]\d\d:?\d\d)$|^1\d{9}(?:\d{3}){0,3}(?:\.\d+)?$")
_EPOCH = re.compile(r"1\d{9}(?:\d{3}){0,3}(?:\.\d+)?")


def inspect(path: Path | str, *, options: ReadOptions | None = None) -> EventShape:
    """Return whose events a file holds and which of its columns mean what; nothing is imported.

    Raises the problems of :func:`potager.connectors.files.inspect` for what is no table at all. What cannot be guessed,
    such as the column that says who, stands in ``problems`` and in the plan's way.
    """
    path = Path(path)
    if _is_snowplow_stream(path):
        options = replace(options or ReadOptions(), format="csv", delimiter="\t", quote="", header=False)
        shape = files.inspect(path, options=options)
        names = {f"column {at}": name for at, name in enumerate(SNOWPLOW_FIELDS, 1)}
        labels = {
            names[column.source_name]: column.source_name
            for column in shape.columns
            if column.source_name in names
        }
        return _finished("snowplow", _first_of(SNOWPLOW_ROLES, labels), _named(shape, names))
    shape = files.inspect(path, options=options)
    by_name = {column.source_name: column for column in shape.columns}
    if _is_segment(by_name):
        return _finished("segment", dict(SEGMENT_ROLES), shape)
    own = {name: name for name in by_name}
    if {"event", "distinct_id", "timestamp"} <= set(own):
        return _finished("posthog", _first_of(POSTHOG_ROLES, own), shape)
    if {"event_id", "collector_tstamp"} <= set(own) and {"event_name", "event"} & set(own):
        return _finished("snowplow", _first_of(SNOWPLOW_ROLES, own), shape)
    return _finished("plain", _guessed(shape.columns), shape)


def plan_from(shape: EventShape) -> ReadPlan:
    """Return the plan that reads the events as they were found."""
    plan = files.plan_from(shape.file)
    time = next((c for c in shape.columns if c.source_name == shape.roles.get("time")), None)
    labels = [column.source for column in plan.columns]
    if shape.kind == "segment" and plan.format in {"json", "jsonl"}:
        labels = list(SEGMENT_KEYS)  # a key that only later rows have must be read too
    elif shape.kind == "posthog" and plan.format in {"json", "jsonl"} and "properties" not in labels:
        labels.append("properties")
    dated = {
        c.source_name for c in shape.columns if shape.format.endswith("parquet") and c.type == "timestamp"
    }
    names = clean_names(labels)
    if shape.kind == "snowplow":
        names = [column.name for column in shape.columns]
    columns = tuple(
        ColumnPlan(label, name, Cast("timestamp" if label in dated else "text", null_words=()))
        for label, name in zip(labels, names, strict=True)
    )
    return ReadPlan(
        shape.kind, replace(plan, columns=columns), dict(shape.roles),
        date_formats=time.cast.date_formats if time and shape.kind == "plain" else (),
    )  # fmt: skip


def _finished(kind: Kind, roles: dict[str, str], shape: FileShape) -> EventShape:
    return EventShape(
        kind, roles, shape, (*shape.problems, *missing(kind, roles), *_remarks(kind, roles, shape))
    )


def _remarks(kind: Kind, roles: Mapping[str, str], shape: FileShape) -> Iterable[FieldProblem]:
    """Say what a person should know about the mapping before importing."""
    if kind != "plain":
        return
    if "event" not in roles:
        yield FieldProblem("roles.event", "No column says what was done; every row counts as the same event.")
    if "event_id" not in roles:
        yield FieldProblem(
            "roles.event_id",
            "No column tells one event from another, so events that come twice count twice.",
            "Import each file once, or add a column with an id.",
        )
    when = next((column for column in shape.columns if column.source_name == roles.get("time")), None)
    if when is not None and any(not _ZONED.search(one.strip()) for one in when.samples):
        yield FieldProblem(
            "zone",
            f"The times in {when.source_name} name no time zone; they are read as UTC.",
            "Say the time zone in the plan if they are local times.",
        )


def _is_segment(columns: Mapping[str, ColumnShape]) -> bool:
    """Whether these are calls of Segment: a type it knows, and somebody or something it belongs to."""
    if not {"type"} <= set(columns) or not {"userId", "anonymousId"} & set(columns):
        return False
    types = {one.strip().lower() for one in columns["type"].samples}
    times = {"timestamp", "originalTimestamp", "sentAt", "receivedAt"} & set(columns)
    return bool(types & set(SEGMENT_TYPES)) and ("messageId" in columns or len(times) > 1)


def _is_snowplow_stream(path: Path) -> bool:
    """Whether the first line has the fields of an enriched event: a moment third and an id sixth, counted from zero."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            cells = file.readline(_FIRST_LINE).decode("utf-8", "replace").rstrip("\r\n").split("\t")
    except (OSError, EOFError):
        return False  # whoever reads the file as a table says what is wrong with it
    if not _LEAST_FIELDS <= len(cells) <= len(SNOWPLOW_FIELDS):
        return False
    return bool(_MOMENT.match(cells[3]) and _UUID.fullmatch(cells[6]))


def _named(shape: FileShape, names: Mapping[str, str]) -> FileShape:
    """Return the shape without the remark that there is no header: these fields are known by their place."""
    columns = tuple(
        replace(column, name=names.get(column.source_name, column.name)) for column in shape.columns
    )
    return replace(
        shape, columns=columns, problems=tuple(one for one in shape.problems if one.where != "header")
    )


def _first_of(roles: Mapping[str, Sequence[str]], labels: Mapping[str, str]) -> dict[str, str]:
    found = {
        role: next((labels[name] for name in names if name in labels), "") for role, names in roles.items()
    }
    return {role: label for role, label in found.items() if label}


def _guessed(columns: Sequence[ColumnShape]) -> dict[str, str]:
    """Guess what the columns of a plain file mean by their names, and the time by its type."""
    names = dict(zip(clean_names([c.source_name for c in columns]), columns, strict=True))
    roles: dict[str, str] = {}
    taken: set[str] = set()
    for role, known in PLAIN_NAMES.items():
        for name in known:
            column = names.get(name)
            if column is None or name in taken or (role == "time" and not _tells_time(column)):
                continue
            roles[role] = column.source_name
            taken.add(name)
            break
    if "time" not in roles:
        times = [c for n, c in names.items() if n not in taken and c.type in {"timestamp", "date"}]
        if len(times) == 1:
            roles["time"] = times[0].source_name
    if "person" not in roles and "anonymous" in roles:
        roles["person"] = roles.pop("anonymous")
    return roles


def _tells_time(column: ColumnShape) -> bool:
    if column.type in {"timestamp", "date"}:
        return True
    shown = [sample.strip() for sample in column.samples if sample.strip()]
    return bool(shown) and all(_EPOCH.fullmatch(one) or _MOMENT.match(one) for one in shown)
