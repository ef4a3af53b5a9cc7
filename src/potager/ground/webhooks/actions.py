"""Registering and testing webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.records.checks import keep
from potager.ground.webhooks.deliver import queue_delivery
from potager.ground.webhooks.models import Delivery, Endpoint, new_secret
from potager.kit.clock import now
from potager.kit.http import public_address


@action("webhooks.edit")
def register(*, actor: Actor, name: str, address: str, events: Sequence[str] = ()) -> Endpoint:
    """Register an address to be told of events."""
    public_address(address, allowed=settings.POTAGER_WEBHOOK_NETWORKS)
    return keep(Endpoint(name=name, address=address, events=list(events), owner_id=actor.user_id))


@action("webhooks.edit", on="endpoint")
def change(*, actor: Actor, endpoint: Endpoint, name: str, address: str, events: Sequence[str]) -> Endpoint:
    """Change a webhook's name, address and events."""
    public_address(address, allowed=settings.POTAGER_WEBHOOK_NETWORKS)
    endpoint.name, endpoint.address, endpoint.events = name, address, list(events)
    return keep(endpoint)


@action("webhooks.edit", on="endpoint")
def turn_on(*, actor: Actor, endpoint: Endpoint) -> Endpoint:
    """Turn a webhook on again."""
    endpoint.turned_off_at, endpoint.turned_off_because = None, ""
    return keep(endpoint)


@action("webhooks.edit", on="endpoint")
def renew_secret(*, actor: Actor, endpoint: Endpoint) -> Endpoint:
    """Give a webhook a new signing secret; the old one signs nothing more."""
    endpoint.secret = new_secret()
    return keep(endpoint)


@action("webhooks.edit", on="endpoint")
def remove(*, actor: Actor, endpoint: Endpoint) -> Endpoint:
    """Take a webhook away; its deliveries stay in the log."""
    endpoint.archived_at = now()
    return keep(endpoint)


@action("webhooks.edit", on="endpoint")
def test(*, actor: Actor, endpoint: Endpoint) -> Delivery:
    """Send a test event to a webhook."""
    return queue_delivery(endpoint, "webhooks.test", {"says": f"{actor.name} tests this webhook."})
