"""The index: one row per record, and the database's own full-text index on it (see the migrations)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from potager.ground.records.models import Visibility


class SearchEntry(models.Model):
    """What a record can be found by, and who may find it (copied, so that one query decides)."""

    record_kind = models.CharField(max_length=80)
    record_id = models.UUIDField()
    noun = models.CharField(max_length=80)
    title = models.CharField(max_length=300)
    summary = models.CharField(max_length=500, blank=True)
    words = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)
    visibility = models.CharField(max_length=12, choices=Visibility.choices)
    team_id = models.UUIDField(null=True)
    owner_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["record_kind", "record_id"], name="one_entry_per_record")
        ]

    def __str__(self) -> str:
        return self.title
