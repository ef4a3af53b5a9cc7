"""Doing the work: kinds, progress, and what happens when a worker is killed in the middle."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django_tasks import task

from potager.ground.access.actors import Actor, actor_of, machine
from potager.ground.events.bus import announce
from potager.ground.jobs.events import JobEnded
from potager.ground.jobs.models import Job, State
from potager.kit.clock import now
from potager.kit.errors import Problem

log = logging.getLogger(__name__)
SECONDS_BETWEEN_REPORTS = 0.5
MOST_ATTEMPTS = 3


class Canceled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Somebody canceled the job; raised out of :meth:`Work.progress`."""


@dataclass
class Work:
    """What a kind's function is given besides its arguments: who asked, and how to report progress."""

    job_id: UUID
    actor: Actor
    _reported: float = field(default=0.0)

    def progress(self, done: int, total: int | None = None, doing: str = "", unit: str = "") -> None:
        """Report how far the work is; raises :class:`Canceled` where somebody canceled it. Cheap to call often."""
        if time.monotonic() - self._reported < SECONDS_BETWEEN_REPORTS:
            return
        self._reported = time.monotonic()
        mine = Job.objects.filter(pk=self.job_id)
        mine.update(done=done, total=total, doing=doing[:200], unit=unit, heartbeat_at=now())
        if mine.filter(cancel_requested_at__isnull=False).exists():
            raise Canceled


Worker = Callable[..., "dict[str, Any] | None"]
_kinds: dict[str, Worker] = {}


def job_kind(name: str) -> Callable[[Worker], Worker]:
    """Register the function that does jobs of one kind. It must bear being run again after a crash."""

    def register(function: Worker) -> Worker:
        _kinds[name] = function
        return function

    return register


def enqueue(actor: Actor, kind: str, name: str, **arguments: Any) -> Job:
    """Ask for work, inside an action: the job is there exactly when the action's transaction is kept."""
    if kind not in _kinds:
        raise LookupError(f"No function is registered for jobs of the kind {kind}.")
    job = Job.objects.create(job_kind=kind, name=name[:200], arguments=arguments, owner_id=actor.user_id)
    queue(job)
    return job


def queue(job: Job) -> None:
    """Hand a waiting job to the workers, in the same transaction as the job's own row."""
    run_job.enqueue(str(job.pk))


@task()
def run_job(job_id: str) -> None:
    """Do one job, if nobody else is doing it."""
    claimed = Job.objects.filter(pk=job_id, state=State.WAITING).update(
        state=State.RUNNING, started_at=now(), heartbeat_at=now(), problem={}, result={}
    )
    if not claimed:
        return
    job = Job.objects.select_related("owner").get(pk=job_id)
    job.attempts += 1
    Job.objects.filter(pk=job_id).update(attempts=job.attempts)
    actor = actor_of(job.owner, via="worker") if job.owner else machine("Potager")
    try:
        if job.cancel_requested_at:
            raise Canceled
        result = _kinds[job.job_kind](Work(job.pk, actor), **job.arguments) or {}
    except Canceled:
        _end(job, State.CANCELED)
    except Problem as problem:
        _end(job, State.FAILED, problem=problem.document(job.url()))
    except Exception as error:  # the worker must outlive whatever one job does
        log.exception("The job %s (%s) failed", job.name, job.pk)
        sentence = f"The work stopped unexpectedly: {type(error).__name__}: {error}"
        document = Problem(sentence[:2000], mend="Retry it; if it fails again, the worker's log says more.")
        _end(job, State.FAILED, problem=document.document(job.url()))
    else:
        _end(job, State.DONE, result=result)


def _end(job: Job, state: State, **values: Any) -> None:
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(state=state, finished_at=now(), doing="", **values)
        announce(JobEnded(actor="Potager", job=str(job.pk), kind=job.job_kind, state=state))


def take_up_stale() -> int:
    """Queue jobs again whose worker went silent; after several attempts, fail them with a sentence."""
    stale = [job for job in Job.objects.filter(state=State.RUNNING) if job.stale]
    for job in stale:
        if job.attempts >= MOST_ATTEMPTS:
            sentence = f"The worker stopped {job.attempts} times while doing this."
            problem = Problem(sentence, mend="Look at the worker's log and its memory, then retry.")
            _end(job, State.FAILED, problem=problem.document(job.url()))
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(state=State.WAITING):
            queue(job)
    return len(stale)
