"""Delivering: queue in the transaction, send outside it, try again later, give up in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django_tasks import task

from potager.ground.events.bus import hears_everything
from potager.ground.events.models import OutboxEntry
from potager.ground.jobs.schedule import every
from potager.ground.webhooks.models import Delivery, Endpoint
from potager.ground.webhooks.signing import headers
from potager.kit.clock import now
from potager.kit.errors import Problem
from potager.kit.http import Answer, post
from potager.kit.ids import uuid7

# The pauses that Standard Webhooks proposes: from at once to two and a half days in all.
PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
GONE = 410


def queue_delivery(endpoint: Endpoint, event: str, data: Mapping[str, Any], message_id: str = "") -> Delivery:
    """Keep a delivery and hand it to the workers, in the present transaction."""
    message_id = message_id or f"msg_{uuid7().hex}"
    envelope = {
        "specversion": "1.0",
        "id": message_id,
        "source": settings.POTAGER_ADDRESS,
        "type": event,
        "time": now(),
        "datacontenttype": "application/json",
        "data": dict(data),
    }
    body = json.dumps(envelope, cls=DjangoJSONEncoder)
    delivery, new = Delivery.objects.get_or_create(
        endpoint=endpoint, message_id=message_id, defaults={"event": event, "body": body}
    )
    if new:
        deliver.enqueue(str(delivery.pk))
    return delivery


@hears_everything
def tell_the_endpoints(entry: OutboxEntry) -> None:
    """Queue a delivery to every endpoint that wants the event."""
    event = entry.payload.get("action") or entry.name
    for endpoint in Endpoint.objects.filter(archived_at=None, turned_off_at=None):
        if endpoint.wants(event):
            queue_delivery(endpoint, event, entry.payload, f"msg_{entry.pk.hex}")


@task()
def deliver(delivery_id: str) -> None:
    """Try one delivery."""
    delivery = Delivery.objects.select_related("endpoint").filter(pk=delivery_id, delivered_at=None).first()
    if delivery is None or delivery.next_at is None or delivery.endpoint.turned_off_at is not None:
        return
    # Claimed before sending: a second worker, or the sweep, finds it taken and leaves it alone.
    pause = PAUSES[delivery.attempts] if delivery.attempts < len(PAUSES) else None
    claimed = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, delivered_at=None)
    if not claimed.update(attempts=delivery.attempts + 1, next_at=now() + pause if pause else None):
        return
    answer, said = _send(delivery)
    result: dict[str, Any] = {"status": answer.status if answer else None, "said": said[:500]}
    if answer is not None and 200 <= answer.status < 300:
        result |= {"delivered_at": now(), "next_at": None}
    elif answer is not None and answer.status == GONE:
        result |= {"next_at": None}
        because = "It answered 410: gone."
        Endpoint.objects.filter(pk=delivery.endpoint_id).update(
            turned_off_at=now(), turned_off_because=because
        )
    Delivery.objects.filter(pk=delivery.pk).update(**result)


def _send(delivery: Delivery) -> tuple[Answer | None, str]:
    endpoint = delivery.endpoint
    signed = headers(endpoint.secret, delivery.message_id, now(), delivery.body)
    try:
        answer = post(
            endpoint.address,
            body=delivery.body.encode(),
            headers=signed,
            allowed=settings.POTAGER_WEBHOOK_NETWORKS,
        )
    except Problem as problem:
        return None, problem.detail
    return answer, answer.body


@every(timedelta(seconds=15), "webhooks.retry")
def retry_what_is_due() -> int:
    """Hand what is due to the workers; return how many."""
    due = Delivery.objects.filter(delivered_at=None, next_at__lte=now(), endpoint__turned_off_at=None)
    due = due.filter(created_at__lt=now() - timedelta(seconds=10))
    keys = list(due.values_list("pk", flat=True)[:200])
    for key in keys:
        deliver.enqueue(str(key))
    return len(keys)
