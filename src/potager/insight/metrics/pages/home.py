"""What home shows of the metrics."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from potager.ground.access.actors import Actor
from potager.insight.metrics import queries
from potager.insight.metrics.models import Level, Maturity
from potager.insight.metrics.pages.standing import Standing, standings
from potager.kit import words

MOST_STRATEGIC, MOST_TROUBLED = 2, 2


def alive(actor: Actor) -> list[dict[str, Any]]:
    """Return what home shows of the metrics: where the strategic ones stand, and what cannot be relied on."""
    rows = list(queries.metrics(actor).filter(level=Level.STRATEGIC)[:MOST_STRATEGIC])
    doubtful = queries.metrics(actor).filter(maturity=Maturity.DEGRADED)
    promised = queries.metrics(actor).filter(freshness_days__isnull=False)
    watched = {metric.pk: metric for metric in [*rows, *doubtful[:20], *promised[:20]]}
    found = {one.metric.pk: one for one in standings(actor, list(watched.values()))}
    troubled = [one for one in found.values() if one.degraded or one.stale]
    lines = [
        _line(found[metric.pk], found[metric.pk].sentence() + ".", found[metric.pk].verdict)
        for metric in rows
    ]
    return [*lines, *(_line(one, _trouble(one), "") for one in troubled[:MOST_TROUBLED])]


def _trouble(one: Standing) -> str:
    if one.degraded:
        return f"{one.metric.label} is degraded: read it with care."
    late = words.counted(one.days_late or 0, "days")
    return f"{one.metric.label} is stale: its data is {late} older than promised."


def _line(one: Standing, text: str, verdict: str) -> dict[str, Any]:
    line: dict[str, Any] = {
        "context": "Metrics",
        "context_url": reverse("metrics"),
        "text": text,
        "url": one.metric.url(),
    }
    return {**line, "verdict": verdict} if verdict else line
