"""Asking again: what is due is asked by the worker, as whoever owns the question."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from potager.ground.access.actors import actor_of, machine
from potager.ground.jobs.schedule import every
from potager.ground.jobs.work import Work, enqueue, job_kind
from potager.insight.questions import actions
from potager.insight.questions.models import Question, Status
from potager.kit.clock import now
from potager.kit.errors import Problem

log = logging.getLogger(__name__)
JOB = "questions.ask_due"
AT_ONCE = 200


def due() -> list[Question]:
    """Return the questions whose turn has come."""
    every: Any = Question.objects
    rows = every.filter(archived_at=None, next_ask_at__lte=now()).exclude(status=Status.PROPOSED)
    return list(rows.select_related("owner")[:AT_ONCE])


@every(timedelta(minutes=1), "questions.due")
def enqueue_what_is_due() -> bool:
    """Enqueue one job for everything that is due, unless one is waiting already."""
    from potager.ground.jobs.models import Job, State

    if not due() or Job.objects.filter(job_kind=JOB, state__in=[State.WAITING, State.RUNNING]).exists():
        return False
    enqueue(machine("Potager"), JOB, "Ask what is due again")
    return True


@job_kind(JOB)
def ask_what_is_due(work: Work) -> dict[str, int]:
    """Ask every question whose turn has come; one that fails does not stop the others."""
    waiting, failed = due(), 0
    for number, question in enumerate(waiting):
        work.progress(number, len(waiting), question.words, "questions")
        asker = actor_of(question.owner, via="worker") if question.owner else machine("Potager")
        try:
            actions.ask(actor=asker if asker.role is not None else machine("Potager"), question=question)
        except Problem as problem:
            failed += 1
            log.warning("The question %s could not be asked: %s", question, problem.detail)
            actions.put_off(actor=machine("Potager"), question=question)
    return {"asked": len(waiting) - failed, "failed": failed}


def ask_again_soon(metric: str) -> int:
    """Let every question about a metric be asked again at the next turn; return how many."""
    every: Any = Question.objects
    rows = [q for q in every.filter(archived_at=None) if q.slots.get("metric") == metric]
    for question in rows:
        actions.ask_soon(actor=machine("Potager"), question=question)
    return len(rows)
