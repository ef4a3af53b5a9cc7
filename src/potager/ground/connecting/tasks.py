"""The import itself, done by the worker. Killed at any instant, it can be done again: the lake knows the load."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from potager.ground.access.actors import machine
from potager.ground.connecting import actions
from potager.ground.connecting.connectors import connector
from potager.ground.connecting.models import Import, State
from potager.ground.jobs.schedule import every
from potager.ground.jobs.work import Canceled, Work, enqueue, job_kind
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
        imported.called_by_its_name(problem)
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
    found, lasting = connector(imported.connector), lake()

    def seen(progress: Any) -> None:
        work.progress(progress.done, progress.total, f"{progress.rows:,} rows read", progress.unit)

    plan = found.ReadPlan.from_dict(imported.plan)
    imported.rejects_path.unlink(missing_ok=True)
    with found.read(imported.path, plan, progress=seen, rejects_to=imported.rejects_path) as reading:
        known = lasting.exists(imported.table) and imported.load_id in lasting.loads(imported.table)
        snapshot, note = "", ""
        if dry_run or known:
            for _ in reading.batches:
                pass  # read for the counts and the rows set aside
            others = Import.objects.filter(load_id=imported.load_id, state=State.DONE).exclude(pk=imported.pk)
            if dry_run:
                note = "Tried, nothing imported."
            elif others.exists():  # else this very import was killed after its rows were in
                note = "The file was in the table already; nothing was added."
        if not dry_run:
            said = {"potager.import": str(imported.pk)}
            made = lasting.append(imported.table, reading.batches, load_id=imported.load_id, properties=said)
            snapshot = made.id
        return {
            "rows": reading.rows,
            "rejected": reading.rejects.count,
            "reasons": {
                f"{column}: {kind}" if column else kind: n
                for (column, kind), n in reading.rejects.tally.items()
            },
            "snapshot": snapshot,
            "note": " ".join([note, *reading.notes]).strip()[:500],
        }


@every(timedelta(days=1), "lake.upkeep")
def enqueue_upkeep() -> None:
    """Ask for the lake's upkeep once a day."""
    enqueue(machine("Potager"), "connecting.upkeep", "Tidy the lake")


@job_kind("connecting.upkeep")
def run_upkeep(work: Work) -> dict[str, Any]:
    """Let snapshots expire that nobody named, and remove files that no snapshot names."""
    lasting = lake()
    names = lasting.tables()
    expired = 0
    for number, name in enumerate(names):
        work.progress(number, len(names), name, "tables")
        expired += len(lasting.expire(name))
    lasting.sweep()
    return {"expired_snapshots": expired}


@job_kind(actions.UNDO)
def run_undo(work: Work, *, table: str, load_id: str) -> dict[str, Any]:
    """Take a load out of its table."""
    return {"snapshot": lake().undo(table, load_id).id}
