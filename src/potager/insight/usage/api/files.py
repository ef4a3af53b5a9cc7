"""Files of events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, File, Form, Router, Schema, Status
from ninja.files import UploadedFile

from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.usage import actions, queries
from potager.insight.usage.models import EventFile

router = Router(tags=["usage"])


class EventFileOut(RecordOut):
    """A file of events: what it is, and what came of it."""

    file_name: str
    table: str
    bytes: int
    state: str
    rows: int = Field(description="Events that were added.")
    repeated: int = Field(description="Events that were there already.")
    rejected: int
    reasons: dict[str, int]
    note: str
    shape: dict[str, Any]
    job_id: UUID | None


class EventFileImportIn(Schema):
    """Where the events go."""

    model_config = {"extra": "forbid"}
    table: str = Field("", max_length=120, description="namespace.table; empty for the proposed one.")


def _file(request: HttpRequest, key: UUID) -> EventFile:
    return found_in(queries.files(actor(request)), pk=key)


@router.get(
    "/usage/files",
    response=PageOut[EventFileOut],
    operation_id="usage_file_list",
    summary="List files of events.",
)
def list_files(request: HttpRequest, paging: PagingIn) -> Any:
    """List the files of events that were brought, newest first."""
    return page(queries.files(actor(request)), paging)


@router.post(
    "/usage/files",
    response={201: EventFileOut},
    operation_id="usage_file_upload",
    summary="Bring a file of events.",
)
def upload_file(
    request: HttpRequest, response: HttpResponse, file: File[UploadedFile], table: Form[str] = ""
) -> Any:
    """Take a file of events in and see whose it is: Segment, PostHog, Snowplow, CSV, JSON Lines, Parquet."""

    def chunks() -> Iterator[bytes]:
        yield from file.chunks()

    made = actions.bring_file(
        actor=actor(request), file_name=file.name or "events", chunks=chunks(), table=table
    )
    return Status(201, tagged(response, made))


@router.get(
    "/usage/files/{uuid:key}",
    response=EventFileOut,
    operation_id="usage_file_get",
    summary="Read one file of events.",
)
def get_file(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one file of events."""
    return tagged(response, _file(request, key))


@router.post(
    "/usage/files/{uuid:key}/import",
    response=EventFileOut,
    operation_id="usage_file_import",
    summary="Import a file of events.",
)
def import_file(request: HttpRequest, key: UUID, payload: EventFileImportIn) -> Any:
    """Import a file of events in the background; events that are there already are not added again."""
    return actions.import_file(actor=actor(request), brought=_file(request, key), table=payload.table)


@router.post(
    "/usage/files/{uuid:key}/undo",
    response=EventFileOut,
    operation_id="usage_file_undo",
    summary="Take out what a file brought.",
)
def undo_file(request: HttpRequest, key: UUID) -> Any:
    """Take away exactly what a file of events brought."""
    return actions.undo_import(actor=actor(request), brought=_file(request, key))


@router.delete(
    "/usage/files/{uuid:key}",
    response=EventFileOut,
    operation_id="usage_file_discard",
    summary="Forget a file of events.",
)
def discard_file(request: HttpRequest, key: UUID) -> Any:
    """Forget a file that was not imported, and remove it."""
    return actions.discard_file(actor=actor(request), brought=_file(request, key))
