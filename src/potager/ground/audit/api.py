"""The audit log over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from potager.ground.audit.queries import entries
from potager.ground.serving.requests import actor
from potager.ground.serving.schemas import PageOut, PagingIn, page

router = Router(tags=["audit"])


class EntryOut(Schema):
    """One action: who, through which face, what, on which record, before and after."""

    id: UUID
    at: datetime
    actor_name: str
    actor_kind: str
    actor_id: UUID | None
    via: str
    action: str
    record_kind: str
    record_id: UUID | None
    record_title: str
    before: dict[str, Any]
    after: dict[str, Any]


@router.get(
    "/audit", response=PageOut[EntryOut], operation_id="audit_entry_list", summary="Read the audit log."
)
def list_entries(request: HttpRequest, paging: PagingIn) -> Any:
    """Read the audit log, newest first."""
    return page(entries(actor(request)), paging, order="-at")
