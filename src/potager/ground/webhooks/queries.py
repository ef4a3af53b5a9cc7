"""Reading endpoints and their deliveries."""

from __future__ import annotations

from django.db.models import QuerySet

from potager.ground.access.actors import Actor, require
from potager.ground.records.models import RecordQuerySet
from potager.ground.webhooks.models import Delivery, Endpoint


def endpoints(actor: Actor) -> RecordQuerySet[Endpoint]:
    """Return the webhooks."""
    require(actor, "webhooks.read")
    rows: RecordQuerySet[Endpoint] = Endpoint.objects.visible_to(actor)
    return rows.alive()


def deliveries(actor: Actor, endpoint: Endpoint) -> QuerySet[Delivery]:
    """Return what was sent to one webhook, newest first."""
    require(actor, "webhooks.read", endpoint)
    return endpoint.deliveries.all()
