"""Endpoints and deliveries."""

from __future__ import annotations

import base64
import secrets
from typing import ClassVar

from django.db import models

from potager.ground.records.models import Record
from potager.kit.clock import now
from potager.kit.ids import uuid7


def new_secret() -> str:
    """Return a fresh signing secret in the form Standard Webhooks gives them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


class Endpoint(Record):
    """An address that is told. The secret signs; unlike a token it must be readable to be used."""

    name = models.CharField(max_length=120)
    address = models.URLField("URL", max_length=500)
    events = models.JSONField(
        default=list, help_text="Names or beginnings of names; empty for all.", blank=True
    )
    secret = models.CharField(max_length=80, default=new_secret, editable=False)
    turned_off_at = models.DateTimeField(null=True, blank=True, editable=False)
    turned_off_because = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "webhook"

    def __str__(self) -> str:
        return self.name

    def facts(self) -> dict[str, object]:
        """Return the stored values, the secret left out: the audit is read by more people than sign."""
        return {name: value for name, value in super().facts().items() if name != "secret"}

    def wants(self, event: str) -> bool:
        """Return whether it asked for this event."""
        return not self.events or any(event.startswith(beginning) for beginning in self.events)


class Delivery(models.Model):
    """One event to one endpoint, with what came of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=120)
    message_id = models.CharField(max_length=80)
    body = models.TextField()
    created_at = models.DateTimeField(default=now, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, default=now, db_index=True)
    delivered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    said = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["endpoint", "message_id"], name="one_delivery_per_event")
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"
