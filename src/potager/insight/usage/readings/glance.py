"""What a stream's page says first: how many are active, the picture of it, and how the accounts are."""

from __future__ import annotations

from typing import Any

from potager.ground.jobs.models import Job
from potager.insight.usage.healthmaking import TABLE as HEALTH_TABLE
from potager.insight.usage.models import Made, Stream
from potager.insight.usage.readings import trends
from potager.kit.charts.chart import Chart

__all__ = ["HEALTH_TABLE", "chart", "health", "health_job", "sentence"]


def sentence(stream: Stream) -> str:
    """Return how many were active in the last whole week, or nothing where nobody can say."""
    outcome = trends.answer(stream, trends.TrendParameters())
    return "" if outcome.refusal else outcome.sentence


def chart(stream: Stream) -> Chart | None:
    """Return the picture of how many were active by week."""
    return trends.answer(stream, trends.TrendParameters()).chart


def health(stream: Stream) -> dict[str, Any] | None:
    """Return what the last computing of the accounts' health came to."""
    made = Made.objects.filter(stream=stream).first()
    return None if made is None else made.outcome


def health_job(stream: Stream) -> Job | None:
    """Return the job that computes the accounts' health now, if one is on its way."""
    running = Job.objects.filter(job_kind="usage.health", state__in=["waiting", "running"])
    return running.filter(arguments__stream_id=str(stream.pk)).first()
