"""Answers kept for their idempotency key."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from potager.kit.clock import now


class KeptAnswer(models.Model):
    """The answer to a write that carried an Idempotency-Key; the same key gets the same answer for a day."""

    actor = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.BinaryField()
    etag = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["actor", "key"], name="one_answer_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.key}"
