"""Small files as Stripe writes them, for the tests of the connector."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KNOWN = datetime(2024, 6, 1, tzinfo=UTC)


def unix(text: str) -> int:
    """Return a day or a time in UTC as Stripe writes it."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def item(
    unit: int | None = 10_000, quantity: int = 1, *, name: str = "si_1", interval: str = "month", count: int = 1,
    currency: str = "usd", plan: str = "Gold", usage: str = "licensed", period_ends: str = "", **price: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return an item of a subscription; its period's end is on it where one is given (the newer way)."""
    found: dict[str, Any] = {
        "id": name,
        "object": "subscription_item",
        "quantity": quantity,
        "price": {
            "id": f"price_{plan.lower()}",
            "object": "price",
            "nickname": plan,
            "product": f"prod_{plan.lower()}",
            "currency": currency,
            "unit_amount": unit,
            "unit_amount_decimal": None if unit is None else str(unit),
            "billing_scheme": "per_unit",
            "recurring": {"interval": interval, "interval_count": count, "usage_type": usage},
            **price,
        },
    }
    if usage == "metered":
        del found["quantity"]
    if period_ends:
        found["current_period_end"] = unix(period_ends)
    return found


def subscription(
    *items: dict[str, Any], name: str = "sub_1", customer: Any = "cus_1", starts: str = "2024-01-10",
    status: str = "active", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return a subscription object of the API; texts that are days become Unix times."""
    data = list(items) or [item()]
    times = {
        key: unix(value) if isinstance(value, str) and value[:2] == "20" else value
        for key, value in more.items()
    }
    return {
        "id": name,
        "object": "subscription",
        "customer": customer,
        "status": status,
        "created": unix(starts),
        "start_date": unix(starts),
        "billing_cycle_anchor": unix(starts),
        "currency": data[0].get("price", data[0].get("plan"))["currency"],
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "cancel_at": None,
        "pause_collection": None,
        "trial_start": None,
        "trial_end": None,
        "items": {"object": "list", "data": data, "has_more": False},
        "metadata": {"note": "left out"},
        **times,
    }


def coupon(
    duration: str = "forever", *, starts: str = "2024-01-10", name: str = "di_1", **terms: Any
) -> dict[str, Any]:
    """Return a discount with its coupon expanded."""
    return {
        "id": name,
        "object": "discount",
        "start": unix(starts),
        "end": None,
        "coupon": {"id": "co_1", "object": "coupon", "duration": duration, **terms},
    }


def event(
    kind: str, at: str, obj: dict[str, Any], *, name: str = "", before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return an event of a subscription."""
    data: dict[str, Any] = {"object": obj}
    if before is not None:
        data["previous_attributes"] = before
    return {
        "id": name or f"evt_{kind}_{obj['id']}_{at}",
        "object": "event",
        "type": f"customer.subscription.{kind}",
        "created": unix(at),
        "data": data,
    }


def lines(path: Path, *objects: Any) -> Path:
    """Write objects as JSON Lines; texts as they are."""
    path.write_text(
        "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in objects),
        encoding="utf-8",
    )
    return path


def answered(path: Path, *objects: Any, indent: int | None = 2) -> Path:
    """Write objects as one list that Stripe's API answers."""
    page = {"object": "list", "url": "/v1/subscriptions", "has_more": False, "data": list(objects)}
    path.write_text(json.dumps(page, indent=indent), encoding="utf-8")
    return path


def rows(table: Any, *names: str) -> list[Any]:
    """Return columns of a table as rows; of one column its values."""
    columns = [table[name].to_pylist() for name in names]
    return columns[0] if len(names) == 1 else list(zip(*columns, strict=True))
