"""Uploading, planning, importing, undoing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.connecting.connectors import connector, described, offered
from potager.ground.connecting.models import Import, State
from potager.ground.jobs.work import enqueue
from potager.ground.records.checks import keep
from potager.kit.errors import Conflict, FieldProblem, Invalid, Problem, Unavailable

JOB = "connecting.import"
UNDO = "connecting.undo"


@action("connecting.import")
def upload(
    *, actor: Actor, file_name: str, chunks: Iterable[bytes], table: str = "", reader: str = "files"
) -> Import:
    """Take a file in, look at it, and propose how to import it; nothing is imported yet."""
    if reader not in dict(offered()):
        sentence = f"There is no reader called {reader[:40]}."
        mend = f"There are {', '.join(name for name, _ in offered())}."
        raise Invalid(sentence, mend=mend, errors=[FieldProblem("reader", sentence, mend)])
    name = Path(file_name.replace("\\", "/")).name[:200] or "file"
    imported = Import(file_name=name, owner_id=actor.user_id, connector=reader)
    store(imported.path, chunks)
    try:
        found = connector(imported.connector)
        shape = found.inspect(imported.path)
        imported.fingerprint, imported.bytes = shape.fingerprint, shape.bytes
        imported.shape = described(shape)
        imported.plan = found.plan_from(shape).to_dict()
        imported.table = table or getattr(shape, "table", "") or f"data.{_table_name(name)}"
        return keep(imported)
    except BaseException as error:
        imported.path.unlink(missing_ok=True)
        if isinstance(error, Problem):
            imported.called_by_its_name(error)
        raise


def _table_name(file_name: str) -> str:
    words = re.findall(r"[a-z0-9]+", Path(file_name).stem.lower())
    name = "_".join(words)[:60].rstrip("_")
    return name if name[:1].isalpha() else f"table_{name}".rstrip("_")


def store(path: Path, chunks: Iterable[bytes]) -> None:
    """Keep an upload: it stands under its name only when all of it is on disk. Unavailable where it cannot be kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    try:
        with partial.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        mend = "Free some space, or let Potager write to its data folder; then upload it again."
        raise Unavailable(f"The file could not be kept: {error.strerror}.", mend=mend) from error


@action("connecting.import", on="imported")
def plan(*, actor: Actor, imported: Import, table: str, plan: Mapping[str, Any]) -> Import:
    """Say which columns become what, in which table."""
    _need(imported, State.DRAFT, State.FAILED, State.UNDONE)
    imported.plan = connector(imported.connector).ReadPlan.from_dict(plan).to_dict()
    imported.table = table
    return keep(imported)


@action("connecting.import", on="imported")
def start(*, actor: Actor, imported: Import, dry_run: bool = False) -> Import:
    """Import the file, in the background; the same file twice adds nothing. A dry run only reads it."""
    _need(imported, State.DRAFT, State.FAILED, State.UNDONE)
    imported.load_id = _load_of(imported)
    verb = "Try" if dry_run else "Import"
    name = f"{verb} {imported.file_name}"
    imported.job = enqueue(actor, JOB, name, import_id=str(imported.pk), dry_run=dry_run)
    imported.state, imported.note = State.RUNNING, ""
    return keep(imported)


def _load_of(imported: Import) -> str:
    """Return the load of the same file that is there or on its way, or else the one after the last undone."""
    same = Import.objects.filter(
        fingerprint=imported.fingerprint, table=imported.table, plan=imported.plan
    ).order_by("-updated_at")
    there = same.filter(state__in=[State.DONE, State.RUNNING]).exclude(pk=imported.pk).first()
    if there is not None:
        return there.load_id
    undone = same.filter(state=State.UNDONE).first()
    return imported.load(undone.load_id if undone else "")


@action("connecting.import", on="imported")
def finish(*, actor: Actor, imported: Import, state: str, outcome: Mapping[str, Any]) -> Import:
    """Keep what came of an import."""
    imported.state = State(state)
    for name, value in outcome.items():
        setattr(imported, name, value)
    return keep(imported)


@action("connecting.import", on="imported")
def undo(*, actor: Actor, imported: Import) -> Import:
    """Take away exactly what an import brought."""
    _need(imported, State.DONE)
    same = Import.objects.filter(load_id=imported.load_id, state=State.DONE).exclude(pk=imported.pk)
    imported.state = State.UNDONE
    imported.job = enqueue(
        actor, UNDO, f"Undo {imported.file_name}", table=imported.table, load_id=imported.load_id
    )
    for other in same:
        other.state, other.note = State.UNDONE, "Undone with another import of the same file."
        keep(other)
    return keep(imported)


@action("connecting.import", on="imported")
def discard(*, actor: Actor, imported: Import) -> Import:
    """Forget an upload that was not imported, and remove its file."""
    from potager.kit.clock import now

    _need(imported, State.DRAFT, State.FAILED, State.UNDONE)
    imported.archived_at = now()
    keep(imported)
    imported.path.unlink(missing_ok=True)
    return imported


def _need(imported: Import, *states: State) -> None:
    if imported.state not in states:
        raise Conflict(
            f"{imported.file_name} is {imported.get_state_display().lower()}.",
            mend="Wait for it to end, or undo it first."
            if imported.state == State.RUNNING
            else "Undo it first.",
        )
