"""Reading jobs."""

from __future__ import annotations

from potager.ground.access.actors import Actor
from potager.ground.jobs.models import Job, State
from potager.ground.records.models import RecordQuerySet


def jobs(actor: Actor, *, state: str = "") -> RecordQuerySet[Job]:
    """Return the jobs the actor may see, newest first."""
    rows: RecordQuerySet[Job] = Job.objects.visible_to(actor).select_related("owner")
    return rows.filter(state=state) if state else rows


def running(actor: Actor) -> RecordQuerySet[Job]:
    """Return what is being done or waits to be."""
    return jobs(actor).filter(state__in=[State.WAITING, State.RUNNING])
