"""Hearing that a job ended that never ran, so that no sync is left waiting for it."""

from __future__ import annotations

from potager.ground.access.actors import machine
from potager.ground.events.bus import reacts_to
from potager.ground.jobs.events import JobEnded
from potager.ground.jobs.models import Job
from potager.ground.jobs.models import State as JobState
from potager.insight.customers.actions import end_sync
from potager.insight.customers.models import Sync, SyncState


@reacts_to(JobEnded)
def let_go_of_what_ended(event: JobEnded) -> None:
    """End the sync whose job was canceled before it began, or whose worker stopped too often."""
    job = Job.objects.filter(pk=event.job, state__in=[JobState.CANCELED, JobState.FAILED]).first()
    if job is None:
        return
    waiting = Sync.objects.filter(job=job, state__in=[SyncState.RUNNING, SyncState.UNDOING])
    for sync in waiting:
        said = "Canceled." if job.state == JobState.CANCELED else str(job.problem.get("detail", ""))
        end_sync(actor=machine("Potager"), sync=sync, state=SyncState.FAILED, outcome={"note": said[:500]})
