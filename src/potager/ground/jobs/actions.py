"""Steering jobs."""

from __future__ import annotations

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.events.bus import announce
from potager.ground.jobs.events import JobEnded
from potager.ground.jobs.models import Job, State
from potager.ground.jobs.work import queue
from potager.kit.clock import now
from potager.kit.errors import Conflict


@action("jobs.steer", on="job")
def cancel(*, actor: Actor, job: Job) -> Job:
    """Cancel a job; what it has not finished is undone or left out."""
    if job.over:
        raise Conflict(f"{job.name} is over already.", mend="There is nothing left to cancel.")
    job.cancel_requested_at = now()
    waited = job.state == State.WAITING
    if waited:
        job.state, job.finished_at = State.CANCELED, now()
    job.save()
    if waited:  # no worker will take it up and say so
        announce(JobEnded(actor=actor.name, job=str(job.pk), kind=job.job_kind, state=job.state))
    return job


@action("jobs.steer", on="job")
def retry(*, actor: Actor, job: Job) -> Job:
    """Do a job again that failed or was canceled."""
    if job.state not in {State.FAILED, State.CANCELED}:
        raise Conflict(
            f"{job.name} is {job.get_state_display().lower()}.", mend="Only what ended badly can be retried."
        )
    job.state, job.cancel_requested_at, job.finished_at = State.WAITING, None, None
    job.attempts, job.done = 0, 0
    job.save()
    queue(job)
    return job
