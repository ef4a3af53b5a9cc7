"""The outbox."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from potager.kit.clock import now
from potager.kit.ids import uuid7


class OutboxEntry(models.Model):
    """One event, kept until every reaction has heard it. ``failed`` lists those that raised, with the reason."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(default=now, editable=False)
    name = models.CharField(max_length=120, db_index=True)
    payload = models.JSONField()
    heard = models.JSONField(default=list)
    failed = models.JSONField(default=dict)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["at"], condition=models.Q(done_at__isnull=True), name="events_to_be_heard")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"
