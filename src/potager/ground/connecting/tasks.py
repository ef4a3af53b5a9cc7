"""The import itself, done by the worker. Killed at any instant, it can be done again: the lake knows the load."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from potager.ground.connecting import actions
from potager.ground.connecting.connectors import connector
from potager.ground.connecting.models import Import, State
from potager.ground.jobs.work import Canceled, Work, job_kind
from potager.ground.lake.service import lake
from potager.kit.errors import Problem


@job_kind(actions.JOB)
def run_import(work: Work, *, import_id: str, dry_run: bool = False) -> dict[str, Any]:
    """Read the file, append it to its table as one load, keep the rows set aside."""
    imported = Import.objects.get(pk=UUID(import_id))
    try:
        outcome = _read(work, imported, dry_run=dry_run)
    except Canceled:
        actions.finish(actor=work.actor, imported=imported, state=State.DRAFT, outcome={"note": "Canceled."})
        raise
    except Problem as problem:
        note = f"{problem.detail} {problem.mend}".strip()[:500]
        actions.finish(actor=work.actor, imported=imported, state=State.FAILED, outcome={"note": note})
        raise
    except Exception as error:
        note = f"It stopped unexpectedly: {error}"[:500]
        actions.finish(actor=work.actor, imported=imported, state=State.FAILED, outcome={"note": note})
        raise
    state = State.DRAFT if dry_run else State.DONE
    actions.finish(actor=work.actor, imported=imported, state=state, outcome=outcome)
    return outcome


def _read(work: Work, imported: Import, *, dry_run: bool) -> dict[str, Any]:
    found = connector(imported.connector)
    lasting = lake()

    def seen(progress: Any) -> None:
        work.progress(progress.done, progress.total, f"{progress.rows:,} rows read", progress.unit)

    reading = found.read(imported.path, found.plan_of(imported.plan), progress=seen)
    known = lasting.exists(imported.table) and any(
        snapshot.load_id == imported.load_id for snapshot in lasting.history(imported.table)
    )
    snapshot, note = "", ""
    if dry_run or known:
        for _ in reading.batches:
            pass
        note = (
            "Tried, nothing imported."
            if dry_run
            else "This file was in the table already; nothing was added."
        )
    if not dry_run:
        made = lasting.append(
            imported.table,
            reading.batches,
            load_id=imported.load_id,
            properties={"potager.import": str(imported.pk)},
        )
        snapshot = made.id
    rejects = reading.rejects
    if rejects.count:
        rejects.write_csv(imported.rejects_path)
    return {
        "rows": reading.rows,
        "rejected": rejects.count,
        "reasons": dict(rejects.reasons),
        "snapshot": snapshot,
        "note": note,
    }


@job_kind("connecting.undo")
def run_undo(work: Work, *, table: str, load_id: str) -> dict[str, Any]:
    """Take a load out of its table."""
    return {"snapshot": lake().undo(table, load_id).id}
