"""Keeping the index: whatever an action wrote is found at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from potager.ground.acting.events import Acted
from potager.ground.events.bus import reacts_to
from potager.ground.links.models import Link
from potager.ground.records.models import Record, model_of, record_kinds
from potager.ground.search.models import SearchEntry


@reacts_to(Acted)
def index_what_was_written(event: Acted) -> None:
    """Index, or forget, the record that an action was about."""
    model = model_of(event.kind)
    record = model._base_manager.filter(pk=UUID(event.id)).first()
    if record is None or record.archived_at is not None or not record.url():
        SearchEntry.objects.filter(record_kind=event.kind, record_id=event.id).delete()
    else:
        index(record)


def index(record: Record) -> None:
    """Keep one record's words."""
    SearchEntry.objects.update_or_create(
        record_kind=record.kind(), record_id=record.pk, defaults=_words(record)
    )


def index_many(records: Sequence[Record]) -> None:
    """Keep the words of many records in one statement, for what is written in bulk."""
    entries = [
        SearchEntry(record_kind=record.kind(), record_id=record.pk, **_words(record)) for record in records
    ]
    SearchEntry.objects.bulk_create(
        entries,
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["record_kind", "record_id"],
        update_fields=list(_words(records[0])) if records else ["title"],
    )


def forget_many(kind: str, ids: Sequence[UUID]) -> None:
    """Forget the words of many records that are gone."""
    SearchEntry.objects.filter(record_kind=kind, record_id__in=ids).delete()


def _words(record: Record) -> dict[str, Any]:
    return {
        "noun": record.noun(),
        "title": record.title[:300],
        "summary": record.summary()[:500],
        "words": record.findable(),
        "url": record.url(),
        "visibility": record.visibility,
        "team_id": record.team_id,
        "owner_id": record.owner_id,
    }


def index_everything() -> int:
    """Build the index anew, after a restore or an upgrade; return how many records it holds."""
    for model in record_kinds():
        if model is not Link:
            for record in model._base_manager.filter(archived_at__isnull=True).iterator(chunk_size=500):
                if record.url():
                    index(record)
    return SearchEntry.objects.count()
