"""Reading the log."""

from __future__ import annotations

from django.db.models import QuerySet

from potager.ground.access.actors import Actor, may, require
from potager.ground.audit.models import AuditEntry
from potager.ground.records.models import Record


def entries(actor: Actor) -> QuerySet[AuditEntry]:
    """Return the whole log, newest first, to those who may read it."""
    require(actor, "audit.read")
    return AuditEntry.objects.all()


def history(actor: Actor, record: Record) -> QuerySet[AuditEntry]:
    """Return what happened to one record, newest first, to whoever may see the record."""
    if not may(actor, f"{record._meta.app_label}.read", record):
        return AuditEntry.objects.none()
    return AuditEntry.objects.filter(record_kind=record.kind(), record_id=record.pk)
