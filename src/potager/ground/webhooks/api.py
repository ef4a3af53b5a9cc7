"""Webhooks over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.ground.webhooks import actions, queries
from potager.ground.webhooks.models import Endpoint

router = Router(tags=["webhooks"])


class EndpointIn(Schema):
    """An address to be told."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120)
    address: str = Field(max_length=500)
    events: list[str] = Field([], description="Names or beginnings of names; empty for all.", max_length=100)


class EndpointOut(RecordOut):
    """A webhook. ``secret`` verifies its signatures."""

    name: str
    address: str
    events: list[str]
    secret: str
    turned_off_at: datetime | None
    turned_off_because: str


class DeliveryOut(Schema):
    """One event sent to one webhook, with what came of it."""

    id: UUID
    event: str
    message_id: str
    created_at: datetime
    attempts: int
    next_at: datetime | None
    delivered_at: datetime | None
    status: int | None
    said: str


def _found(request: HttpRequest, key: UUID) -> Endpoint:
    return found_in(queries.endpoints(actor(request)), pk=key)


@router.get(
    "/webhooks",
    response=PageOut[EndpointOut],
    operation_id="webhooks_endpoint_list",
    summary="List webhooks.",
)
def list_endpoints(request: HttpRequest, paging: PagingIn) -> Any:
    """List webhooks."""
    return page(queries.endpoints(actor(request)), paging)


@router.post(
    "/webhooks",
    response={201: EndpointOut},
    operation_id="webhooks_endpoint_create",
    summary="Register a webhook.",
)
def create_endpoint(request: HttpRequest, payload: EndpointIn) -> Any:
    """Register an address to be told of events."""
    return Status(201, actions.register(actor=actor(request), **payload.dict()))


@router.put(
    "/webhooks/{uuid:key}",
    response=EndpointOut,
    operation_id="webhooks_endpoint_change",
    summary="Change a webhook.",
)
def change_endpoint(request: HttpRequest, key: UUID, payload: EndpointIn) -> Any:
    """Change a webhook's name, address and events."""
    return actions.change(actor=actor(request), endpoint=_found(request, key), **payload.dict())


@router.delete(
    "/webhooks/{uuid:key}",
    response=EndpointOut,
    operation_id="webhooks_endpoint_remove",
    summary="Remove a webhook.",
)
def remove_endpoint(request: HttpRequest, key: UUID) -> Any:
    """Take a webhook away."""
    return actions.remove(actor=actor(request), endpoint=_found(request, key))


@router.post(
    "/webhooks/{uuid:key}/on",
    response=EndpointOut,
    operation_id="webhooks_endpoint_on",
    summary="Turn a webhook on again.",
)
def turn_on_endpoint(request: HttpRequest, key: UUID) -> Any:
    """Turn a webhook on again."""
    return actions.turn_on(actor=actor(request), endpoint=_found(request, key))


@router.post(
    "/webhooks/{uuid:key}/secret",
    response=EndpointOut,
    operation_id="webhooks_endpoint_renew",
    summary="Give a webhook a new signing secret.",
)
def renew_secret(request: HttpRequest, key: UUID) -> Any:
    """Give a webhook a new signing secret."""
    return actions.renew_secret(actor=actor(request), endpoint=_found(request, key))


@router.post(
    "/webhooks/{uuid:key}/test",
    response=DeliveryOut,
    operation_id="webhooks_endpoint_test",
    summary="Send a test event.",
)
def test_endpoint(request: HttpRequest, key: UUID) -> Any:
    """Send a test event to a webhook."""
    return actions.test(actor=actor(request), endpoint=_found(request, key))


@router.get(
    "/webhooks/{uuid:key}/deliveries",
    response=PageOut[DeliveryOut],
    operation_id="webhooks_delivery_list",
    summary="List what was sent to a webhook.",
)
def list_deliveries(request: HttpRequest, key: UUID, paging: PagingIn) -> Any:
    """List what was sent to a webhook, newest first."""
    return page(queries.deliveries(actor(request), _found(request, key)), paging)
