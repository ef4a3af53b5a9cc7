"""Syncs over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import Router, Status

from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor
from potager.ground.serving.schemas import PageOut, PagingIn, page
from potager.insight.customers import actions, queries
from potager.insight.customers.api.accounts import CSV
from potager.insight.customers.api.shapes import CustomerSyncIn, CustomerSyncOut
from potager.insight.customers.models import Sync
from potager.kit.errors import Invalid, NotFound

router = Router()


def _found(request: HttpRequest, key: UUID) -> Sync:
    return found_in(queries.syncs(actor(request)), pk=key)


@router.get(
    "/customers/syncs",
    response=PageOut[CustomerSyncOut],
    operation_id="customers_sync_list",
    summary="List syncs.",
)
def list_syncs(request: HttpRequest, paging: PagingIn) -> Any:
    """List syncs, newest first."""
    return page(queries.syncs(actor(request)), paging)


@router.post(
    "/customers/syncs",
    response={201: CustomerSyncOut},
    operation_id="customers_sync_create",
    summary="Bring accounts or people from a table.",
)
def create_sync(request: HttpRequest, payload: CustomerSyncIn) -> Any:
    """Bring accounts or people from a table of the lake, in the background; the same again changes nothing."""
    given = payload.model_dump(exclude={"noun", "make_accounts"})
    if payload.noun == "people":
        made = actions.sync_people(actor=actor(request), make_accounts=payload.make_accounts, **given)
    elif payload.make_accounts:
        raise Invalid("Only a sync of people makes accounts of domains.", mend="Leave make_accounts out.")
    else:
        made = actions.sync_accounts(actor=actor(request), **given)
    return Status(201, made)


@router.get(
    "/customers/syncs/{uuid:key}",
    response=CustomerSyncOut,
    operation_id="customers_sync_get",
    summary="Read one sync.",
)
def get_sync(request: HttpRequest, key: UUID) -> Any:
    """Read one sync, with what came of it."""
    return _found(request, key)


@router.post(
    "/customers/syncs/{uuid:key}/undo",
    response=CustomerSyncOut,
    operation_id="customers_sync_undo",
    summary="Undo a sync.",
)
def undo_sync(request: HttpRequest, key: UUID) -> Any:
    """Take back exactly what a sync made and changed, in the background."""
    return actions.undo_sync(actor=actor(request), sync=_found(request, key))


@router.delete(
    "/customers/syncs/{uuid:key}",
    response=CustomerSyncOut,
    operation_id="customers_sync_discard",
    summary="Forget a sync.",
)
def discard_sync(request: HttpRequest, key: UUID) -> Any:
    """Forget a sync; what it brought stays, and cannot be undone any more."""
    return actions.discard_sync(actor=actor(request), sync=_found(request, key))


@router.get(
    "/customers/syncs/{uuid:key}/rejects",
    operation_id="customers_sync_rejects",
    summary="Download the rows with problems.",
    openapi_extra=CSV,
)
def get_rejects(request: HttpRequest, key: UUID) -> Any:
    """Download the rows with problems: each one's key, what it was, and whether it came in without a part."""
    sync = _found(request, key)
    if not sync.rejects_path.exists():
        raise NotFound("No row had a problem.", mend="There is nothing to download.")
    name = f"problems-{sync.pk}.csv"
    return FileResponse(
        sync.rejects_path.open("rb"), as_attachment=True, filename=name, content_type="text/csv"
    )
