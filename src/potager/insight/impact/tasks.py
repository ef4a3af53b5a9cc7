"""Observing what is due: 30, 90 and 180 days after each launch the worker looks, and keeps what it finds."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

from potager.ground.access.actors import Actor, actor_of, machine
from potager.ground.jobs.schedule import every
from potager.ground.jobs.work import Work, enqueue, job_kind
from potager.insight.impact import actions
from potager.insight.impact.models import Bet, State
from potager.insight.impact.observing import CHECKPOINTS
from potager.insight.metrics.reading import freshness
from potager.kit.clock import today
from potager.kit.errors import Problem

log = logging.getLogger(__name__)
JOB = "impact.observe_due"
AT_ONCE = 50


def due(as_of: date) -> list[tuple[Bet, int]]:
    """Return the bets with the days after launch that have come and were not looked at; data must reach so far."""
    rows: Any = Bet.objects.filter(archived_at=None, launched_on__isnull=False).exclude(
        state=State.REGISTERED
    )
    found: list[tuple[Bet, int]] = []
    for bet in rows.exclude(design={}).select_related("metric__source", "owner"):
        seen = set(bet.observations.filter(role="outcome").values_list("age", flat=True))
        for age in CHECKPOINTS:
            last = bet.launched_on + timedelta(days=age - 1)
            if age not in seen and last < as_of and _known_through(bet, last):
                found.append((bet, age))
    return found[:AT_ONCE]


def _known_through(bet: Bet, day: date) -> bool:
    """Return whether the data reaches a day; where it does not, the look is put off, not refused."""
    try:
        through = freshness(bet.metric).complete_through
    except Problem:  # its definition was taken away; looking at it by hand says so
        return False
    return through is not None and through >= day


@every(timedelta(minutes=15), "impact.due")
def enqueue_what_is_due() -> bool:
    """Enqueue one job for everything that is due, unless one is waiting already."""
    from potager.ground.jobs.models import Job
    from potager.ground.jobs.models import State as JobState

    if not due(today()):
        return False
    if Job.objects.filter(job_kind=JOB, state__in=[JobState.WAITING, JobState.RUNNING]).exists():
        return False
    enqueue(machine("Potager"), JOB, "Observe what bets did")
    return True


@job_kind(JOB)
def observe_what_is_due(work: Work) -> dict[str, int]:
    """Observe every bet whose day has come; one that fails does not stop the others."""
    waiting, failed = due(today()), 0
    for number, (bet, age) in enumerate(waiting):
        work.progress(number, len(waiting), f"{bet.name}, {age} days", "observations")
        try:
            actions.observe(actor=_observer(bet), bet=bet, age=age)
        except Problem as problem:
            failed += 1
            log.warning("%s could not be observed: %s", bet, problem.detail)
    return {"observed": len(waiting) - failed, "failed": failed}


def _observer(bet: Bet) -> Actor:
    owner = actor_of(bet.owner, via="worker") if bet.owner else machine("Potager")
    return owner if owner.role is not None else machine("Potager")
