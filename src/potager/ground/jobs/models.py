"""Jobs and ticks."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from potager.ground.records.models import Record
from potager.kit.clock import now

STALE_AFTER = timedelta(seconds=90)


class State(models.TextChoices):
    """Where a job stands."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"


class Job(Record):
    """One piece of work. ``problem`` is a problem document when it failed."""

    job_kind = models.CharField(max_length=80, db_index=True)
    name = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, db_index=True)
    doing = models.CharField(max_length=200, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=20, blank=True)
    result = models.JSONField(default=dict, blank=True)
    problem = models.JSONField(default=dict, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    def url(self) -> str:
        """Return the job's page."""
        return f"/jobs/{self.pk}"

    @property
    def share(self) -> float | None:
        """Return how much is done, between 0 and 1, or nothing where the whole is not known."""
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def over(self) -> bool:
        """Return whether nothing more will happen unless somebody retries it."""
        return self.state in {State.DONE, State.FAILED, State.CANCELED}

    @property
    def stale(self) -> bool:
        """Return whether its worker has gone silent."""
        return self.state == State.RUNNING and (self.heartbeat_at or self.created_at) < now() - STALE_AFTER


class Tick(models.Model):
    """When something on the worker's schedule was last done; also the worker's sign of life."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.at}"
