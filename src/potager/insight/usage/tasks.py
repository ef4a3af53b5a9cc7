"""The work of usage: importing files of events, taking them out again, computing the health of accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from potager.ground.connecting.connectors import connector
from potager.ground.jobs.work import Canceled, Work, job_kind
from potager.ground.lake.service import lake
from potager.insight.usage import actions, bringing, healthmaking, identities
from potager.insight.usage.models import EventFile, FileState, Stream
from potager.kit.errors import Problem


@job_kind(actions.JOB)
def run_import(work: Work, *, file_id: str) -> dict[str, Any]:
    """Read a file of events, leave out what is there already, append the rest as one load."""
    brought = EventFile.objects.get(pk=UUID(file_id))
    try:
        outcome = _read(work, brought)
    except Canceled:
        actions.end_import(
            actor=work.actor, brought=brought, state=FileState.DRAFT, outcome={"note": "Canceled."}
        )
        raise
    except Problem as problem:
        problem.detail = problem.detail.replace(brought.path.name, brought.file_name)
        note = f"{problem.detail} {problem.mend}".strip()[:500]
        actions.end_import(actor=work.actor, brought=brought, state=FileState.FAILED, outcome={"note": note})
        raise
    except Exception as error:
        note = f"It stopped unexpectedly: {error}"[:500]
        actions.end_import(actor=work.actor, brought=brought, state=FileState.FAILED, outcome={"note": note})
        raise
    actions.end_import(actor=work.actor, brought=brought, state=FileState.DONE, outcome=outcome)
    return {key: value for key, value in outcome.items() if key != "reasons"}


def _read(work: Work, brought: EventFile) -> dict[str, Any]:
    found, lasting = connector(actions.CONNECTOR), lake()

    def seen(progress: Any) -> None:
        work.progress(progress.done, progress.total, f"{progress.rows:,} events read", progress.unit)

    plan = found.ReadPlan.from_dict(brought.plan)
    if lasting.exists(brought.table) and brought.load_id in lasting.loads(brought.table):
        rows = lasting.loads(brought.table)[brought.load_id]
        _merged(work, brought.table)
        return {"rows": rows, "note": "The file was in the table already; nothing was added."}
    with (
        found.read(brought.path, plan, progress=seen) as reading,
        bringing.without_known(reading.batches, brought.table) as fresh,
    ):
        # Who is who comes first: killed in between, the import begins again, and the load is known.
        circle = identities.bring(reading, brought.table, brought.load_id)
        made = lasting.append(
            brought.table, fresh.batches, load_id=brought.load_id,
            properties={"potager.events": str(brought.pk)},
        )  # fmt: skip
        circle = circle or _merged(work, brought.table)
        notes = [*reading.notes, *([circle] if circle and circle not in reading.notes else [])]
        return {
            "rows": fresh.rows,
            "repeated": fresh.repeated,
            "rejected": reading.rejects.count,
            "reasons": {
                f"{column}: {kind}" if column else kind: n
                for (column, kind), n in reading.rejects.tally.items()
            },
            "snapshot": made.id,
            "note": " ".join(notes).strip()[:500],
        }


def _merged(work: Work, table: str) -> str:
    """Follow who is who to the end, and let the streams over the table read it; return why not, if so."""
    circle = identities.merge(table, actions.CONNECTOR)
    found = identities.identities_of(table)
    if not circle and lake().exists(found):
        for stream in Stream.objects.filter(table=table, identities_table="", archived_at=None):
            actions.change_stream(actor=work.actor, stream=stream, values={"identities_table": found})
    return circle


@job_kind(actions.UNDO)
def run_undo(work: Work, *, table: str, load_id: str) -> dict[str, Any]:
    """Take a file's events out of their table, and what it said of who is who."""
    identities.take_out(table, load_id)
    _merged(work, table)
    return {"snapshot": lake().undo(table, load_id).id}


@job_kind(actions.HEALTH)
def run_health(work: Work, *, stream_id: str) -> dict[str, Any]:
    """Compute the health of every account by day, and back-test it against the churn that followed."""
    stream = Stream.objects.get(pk=UUID(stream_id))
    outcome = healthmaking.make(stream, tell=lambda doing: work.progress(0, None, doing))
    actions.end_health(actor=work.actor, stream=stream, outcome=outcome)
    return outcome
