"""Signatures as Standard Webhooks describes them."""

from __future__ import annotations

from datetime import datetime

from standardwebhooks import Webhook


def headers(secret: str, message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the three headers that prove who sent ``body``, and when (``webhook-*``)."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
        "content-type": "application/cloudevents+json",
    }
