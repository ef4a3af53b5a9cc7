"""Segments over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router, Status

from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, page
from potager.insight.customers import actions, queries
from potager.insight.customers.api.accounts import CSV
from potager.insight.customers.api.shapes import (
    CustomerSegmentChange,
    CustomerSegmentIn,
    CustomerSegmentOut,
    SegmentCountOut,
)
from potager.insight.customers.files import account_lines, person_lines
from potager.insight.customers.models import Noun, Segment

router = Router()


def _found(request: HttpRequest, key: UUID) -> Segment:
    return found_in(Segment.objects.visible_to(actor(request)), pk=key)


@router.get(
    "/customers/segments",
    response=PageOut[CustomerSegmentOut],
    operation_id="customers_segment_list",
    summary="List segments.",
)
def list_segments(request: HttpRequest, paging: PagingIn) -> Any:
    """List segments by name."""
    return page(queries.segments(actor(request)), paging, order="name")


@router.post(
    "/customers/segments",
    response={201: CustomerSegmentOut},
    operation_id="customers_segment_create",
    summary="Name some customers.",
)
def create_segment(request: HttpRequest, response: HttpResponse, payload: CustomerSegmentIn) -> Any:
    """Name some customers, by a condition or by a fixed list of keys."""
    made = actions.create_segment(actor=actor(request), **payload.model_dump())
    return Status(201, tagged(response, made))


@router.get(
    "/customers/segments/{uuid:key}",
    response=CustomerSegmentOut,
    operation_id="customers_segment_get",
    summary="Read one segment.",
)
def get_segment(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one segment."""
    return tagged(response, _found(request, key))


@router.patch(
    "/customers/segments/{uuid:key}",
    response=CustomerSegmentOut,
    operation_id="customers_segment_change",
    summary="Change a segment.",
)
def change_segment(
    request: HttpRequest, response: HttpResponse, key: UUID, payload: CustomerSegmentChange
) -> Any:
    """Change a segment's name, words, condition or list."""
    with expecting(expected_version(request)):
        changed = actions.change_segment(
            actor=actor(request), segment=_found(request, key), **payload.model_dump(exclude_none=True)
        )
    return tagged(response, changed)


@router.post(
    "/customers/segments/{uuid:key}/archive",
    response=CustomerSegmentOut,
    operation_id="customers_segment_archive",
    summary="Take a segment out of use.",
)
def archive_segment(request: HttpRequest, key: UUID) -> Any:
    """Take a segment out of use."""
    return actions.archive_segment(actor=actor(request), segment=_found(request, key))


@router.post(
    "/customers/segments/{uuid:key}/restore",
    response=CustomerSegmentOut,
    operation_id="customers_segment_restore",
    summary="Bring an archived segment back.",
)
def restore_segment(request: HttpRequest, key: UUID) -> Any:
    """Bring an archived segment back."""
    return actions.restore_segment(actor=actor(request), segment=_found(request, key))


@router.get(
    "/customers/segments/{uuid:key}/count",
    response=SegmentCountOut,
    operation_id="customers_segment_count",
    summary="Count who is in a segment now.",
)
def count_segment(request: HttpRequest, key: UUID) -> Any:
    """Count who is in a segment now; of a fixed list also the keys that mean nobody known."""
    who, segment = actor(request), _found(request, key)
    return {"count": queries.how_many(who, segment), "nobody": queries.nobody_has(who, segment)}


@router.get(
    "/customers/segments/{uuid:key}/members.csv",
    operation_id="customers_segment_export",
    summary="Download a segment's members as CSV.",
    openapi_extra=CSV,
)
def export_members(request: HttpRequest, key: UUID) -> Any:
    """Download who is in a segment now."""
    who, segment = actor(request), _found(request, key)
    lines = person_lines if segment.noun_kind == Noun.PEOPLE else account_lines
    answer = StreamingHttpResponse(lines(queries.members(who, segment)), content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="members.csv"'
    return answer
