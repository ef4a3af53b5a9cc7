"""The append-only table."""

from __future__ import annotations

from typing import Any, ClassVar, Never

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from potager.kit.clock import now
from potager.kit.ids import uuid7


class AuditEntry(models.Model):
    """One action: who, through which face, what, on which record, before and after (changed values only)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(default=now, editable=False, db_index=True)
    actor_name = models.CharField(max_length=300)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.UUIDField(null=True, db_index=True)
    via = models.CharField(max_length=12)
    action = models.CharField(max_length=120, db_index=True)
    record_kind = models.CharField(max_length=80, blank=True)
    record_id = models.UUIDField(null=True)
    record_title = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["record_kind", "record_id", "-at"], name="audit_of_a_record")
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.record_title}".strip()

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Refuse: the log only grows."""
        raise TypeError("The audit log only grows; entries are never removed.")
