"""Reading streams, event files and analyses, and the tables they could be described from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from potager.ground.access.actors import Actor
from potager.ground.lake.service import warehouse
from potager.ground.records.models import RecordQuerySet
from potager.ground.records.queries import found_in
from potager.insight.usage.guessing import guess, guess_accounts
from potager.insight.usage.identities import identities_of
from potager.insight.usage.models import Analysis, EventFile, Stream
from potager.insight.usage.readings.base import Reading, parsed, reading_named


def streams(actor: Actor) -> RecordQuerySet[Stream]:
    """Return the streams in use that the actor may see, by name."""
    rows: RecordQuerySet[Stream] = Stream.objects.visible_to(actor)
    return rows.alive().order_by("name")


def stream(actor: Actor, key: UUID | str) -> Stream:
    """Return one stream."""
    return found_in(streams(actor), pk=key)


def files(actor: Actor) -> RecordQuerySet[EventFile]:
    """Return the files of events that were brought, newest first."""
    rows: RecordQuerySet[EventFile] = EventFile.objects.visible_to(actor)
    return rows.alive().select_related("stream", "job", "owner")


def analyses(actor: Actor, of: Stream | None = None) -> RecordQuerySet[Analysis]:
    """Return the analyses that were kept."""
    rows: RecordQuerySet[Analysis] = Analysis.objects.visible_to(actor)
    rows = rows.alive().select_related("stream")
    return rows if of is None else rows.filter(stream=of)


def analysis(actor: Actor, key: UUID | str) -> Analysis:
    """Return one analysis."""
    return found_in(analyses(actor), pk=key)


def read_of(found: Analysis) -> tuple[Reading[Any], Any]:
    """Return what an analysis reads, with its parameters."""
    reading = reading_named(found.reading)
    return reading, parsed(reading, found.parameters)


def guesses() -> list[dict[str, Any]]:
    """Return the tables that look like events, each with its columns as guessed; the likeliest first."""
    found = []
    for name, info in warehouse().tables().items():
        guessed: dict[str, Any] = {"table": name, "rows": info.rows, **guess(info.schema)}
        if guessed.get("person") and guessed.get("time"):
            found.append(guessed)
    return sorted(found, key=lambda one: (-_likeness(one), -(one["rows"] or 0), one["table"]))


def _likeness(guessed: Mapping[str, Any]) -> int:
    return sum(bool(guessed.get(what)) for what in ("event", "event_id", "account")) + 2 * (
        "event" in str(guessed["table"])
    )


def guess_of(table: str) -> dict[str, Any]:
    """Return the columns of a stream over one table, as guessed; of its neighbors, accounts, identities and months.

    Neighbors are tables of the same namespace by the names that the house keeps to.
    """
    tables = warehouse().tables()
    info = tables.get(table)
    if info is None:
        from potager.kit.errors import FieldProblem, Invalid

        problem = FieldProblem("table", f"There is no table {table} in the lake.", "Import its data first.")
        raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    found: dict[str, Any] = {"table": table, **guess(info.schema)}
    namespace = table.partition(".")[0]
    if found.get("account"):
        accounts = next(
            (f"{namespace}.{name}" for name in ("accounts", "companies", "customers", "organizations")
             if f"{namespace}.{name}" in tables and f"{namespace}.{name}" != table),
            "",
        )  # fmt: skip
        if accounts:
            found |= {"accounts_table": accounts, **guess_accounts(tables[accounts].schema)}
        if "revenue.months" in tables:
            found["revenue_table"] = "revenue.months"
    for name in (identities_of(table), f"{namespace}.identities"):
        if name in tables:
            found["identities_table"] = name
            break
    return found
