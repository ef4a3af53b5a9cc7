"""The health of accounts against a slow second computation."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from potager.insight.usage import healthmaking
from potager.insight.usage.models import Stream
from tests.insight.usage.conftest import LAST, tables

ACCOUNT_OF_MANY = "acct-00007"


def slowly(account: str, end: date, before: list[date], seats: int) -> dict[str, float]:
    """The four parts of one account on one day, by counting."""
    events = [row for row in tables()["app.events"].to_pylist() if row["account_id"] == account]

    def inside(last: date) -> list[Any]:
        return [row for row in events if last - timedelta(days=28) < row["occurred_at"].date() <= last]

    def amount(rows: list[Any]) -> int:
        return len({(row["user_id"], row["occurred_at"].date()) for row in rows})

    def things(rows: list[Any]) -> int:
        return len({row["event"] for row in rows})

    now = inside(end)
    ever = [inside(one) for one in before]
    return {
        "amount": 100 * amount(now) / max(map(amount, ever)),
        "often": min(100 * len({row["occurred_at"].date() for row in now}) / 20, 100),
        "people": min(100 * len({row["user_id"] for row in now}) / seats, 100),
        "breadth": 100 * things(now) / max(map(things, ever)),
    }


@pytest.mark.parametrize("weeks_back", [0, 3, 30])
def test_the_parts_are_those_of_a_slow_count(product: Stream, weeks_back: int) -> None:
    from potager.ground.lake.service import warehouse

    healthmaking.make(product)
    rows = warehouse().query(
        f"SELECT day, score, parts FROM usage.health WHERE account = '{ACCOUNT_OF_MANY}' "
        f"AND stream = '{product.pk}' ORDER BY day"
    )
    found = {row["day"]: row for row in rows.table.to_pylist()}
    end = LAST - timedelta(days=7 * weeks_back)
    assert end in found
    seats = {row["account_id"]: row["seats"] for row in tables()["app.accounts"].to_pylist()}
    expected = slowly(ACCOUNT_OF_MANY, end, [day for day in found if day <= end], seats[ACCOUNT_OF_MANY])
    assert json.loads(found[end]["parts"]) == pytest.approx(expected, abs=0.06)
    assert found[end]["score"] == pytest.approx(sum(expected.values()) / 4, abs=0.01)
