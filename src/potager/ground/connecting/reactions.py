"""Hearing that a job ended, so that no import is left waiting for one that will not go on."""

from __future__ import annotations

from potager.ground.access.actors import machine
from potager.ground.connecting import actions
from potager.ground.connecting.models import Import, State
from potager.ground.events.bus import reacts_to
from potager.ground.jobs.events import JobEnded
from potager.ground.jobs.models import Job
from potager.ground.jobs.models import State as JobState


@reacts_to(JobEnded)
def let_go_of_what_ended(event: JobEnded) -> None:
    """End the import whose job was canceled before it began, or whose worker stopped too often; both can start anew."""
    job = Job.objects.filter(pk=event.job, state__in=[JobState.CANCELED, JobState.FAILED]).first()
    if job is None:
        return
    said = f"{job.problem.get('detail', '')} {job.problem.get('mend', '')}".strip()
    canceled = job.state == JobState.CANCELED
    if job.job_kind == actions.JOB:
        state, note = (State.DRAFT, "Canceled.") if canceled else (State.FAILED, said)
        ended = Import.objects.filter(job=job, state=State.RUNNING)
    elif job.job_kind == actions.UNDO:
        state, note = State.DONE, f"It was not undone: {'the work was canceled.' if canceled else said}"
        ended = Import.objects.filter(load_id=job.arguments["load_id"], state=State.UNDONE)
    else:
        return
    for imported in ended:
        outcome = {"note": note[:500]}
        actions.finish(actor=machine("Potager"), imported=imported, state=state, outcome=outcome)
