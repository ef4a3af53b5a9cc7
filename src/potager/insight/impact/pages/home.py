"""What home shows of the ledger: what investments returned, and bets that wait for somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse

from potager.ground.access.actors import Actor
from potager.insight.impact import queries, saying
from potager.insight.impact.ledger import ledger
from potager.insight.impact.models import State
from potager.kit.clock import today
from potager.kit.errors import Problem

LONG_ENOUGH = timedelta(days=180)


def alive(actor: Actor) -> list[dict[str, Any]]:
    """Return what home shows: the answer to the CFO's question, as it stands."""
    if not queries.bets(actor).filter(launched_on__isnull=False).exists():
        return []
    try:
        said = saying.of_ledger(ledger(actor, today()))
    except Problem as problem:  # a definition was taken away: home must stand all the same
        said = problem.detail
    return [{"context": "Impact", "context_url": reverse("impact"), "text": said, "url": reverse("impact")}]


def needs_you(actor: Actor) -> list[dict[str, Any]]:
    """Return a person's bets that were launched long enough ago to be kept or taken back."""
    if actor.user_id is None:
        return []
    rows = queries.bets(actor).filter(
        owner_id=actor.user_id, state=State.LAUNCHED, launched_on__lte=today() - LONG_ENOUGH
    )
    return [
        {
            "title": f"Keep {bet.name}, or take it back",
            "url": bet.url(),
            "why": bet.kill_when or "It was launched half a year ago.",
            "when": bet.launched_on,
            "icon": "impact",
        }
        for bet in rows[:3]
    ]
