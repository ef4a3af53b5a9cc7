"""A small product in a lake of its own: accounts use it less before they leave, and a feature goes with staying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from potager.ground.lake.service import lake
from potager.insight.usage import actions
from potager.insight.usage.models import Stream
from tests.insight.lakes import own_lake, place_in

FIRST = date(2023, 1, 1)
MONTHS = 20
ACCOUNTS = 240


def month(number: int) -> date:
    """The first day of the month so many after the first."""
    whole = FIRST.month - 1 + number
    return date(FIRST.year + whole // 12, whole % 12 + 1, 1)


LAST = month(MONTHS) - timedelta(days=1)


def made() -> dict[str, pa.Table]:
    """Events, accounts and months: those who export leave less often, and use falls before somebody leaves."""
    chance = np.random.default_rng(7)
    events: list[tuple[str, str, str, str, datetime, str]] = []
    months: list[tuple[str, date, str, int, int, int]] = []
    accounts: list[tuple[str, str, int]] = []
    for number in range(ACCOUNTS):
        key = f"acct-{number:05}"
        plan = ("team", "scale")[number % 2]
        exports = chance.random() < 0.5
        seats = int(chance.integers(3, 9))
        begins = int(chance.integers(0, 8))
        leaves = begins + 3
        while leaves < MONTHS + 40 and chance.random() > (0.03 if exports else 0.12):
            leaves += 1
        accounts.append((key, plan, seats))
        price = (4900, 9900)[number % 2]
        for at in range(begins, min(leaves, MONTHS)):
            start = 0 if at == begins else price
            grows = exports and at > begins and chance.random() < 0.08
            end = 0 if at == leaves - 1 else price + (1000 if grows else 0)
            months.append((key, month(at), plan, start, end, end - start if grows and end else 0))
            price = end or price
        for at in range(begins, min(leaves, MONTHS)):
            left = leaves - at
            pace = 0.15 if left <= 2 else 1.0  # use falls two months before they leave
            days = (month(at + 1) - month(at)).days
            for person in range(max(1, round(seats * pace * 0.6))):
                for day in sorted(chance.choice(days, size=max(1, round(8 * pace)), replace=False)):
                    moment = datetime.combine(month(at), datetime.min.time()) + timedelta(
                        days=int(day),
                        hours=9 + int(chance.integers(0, 8)),
                        minutes=int(chance.integers(0, 60)),
                    )
                    who = f"{key}-u{person}"
                    done = ["open", "edit"] + (["export"] if exports and chance.random() < 0.5 else [])
                    for place, name in enumerate(done):
                        when = moment + timedelta(minutes=3 * place)
                        events.append((f"e{len(events)}", key, who, name, when, plan))
    columns = list(zip(*events, strict=True))
    return {
        "app.events": pa.table(
            {
                "event_id": columns[0], "account_id": columns[1], "user_id": columns[2], "event": columns[3],
                "occurred_at": pa.array(columns[4], pa.timestamp("us")), "plan": columns[5],
            }
        ),
        "app.accounts": pa.table(
            {"account_id": [a for a, _, _ in accounts], "plan": [p for _, p, _ in accounts],
             "seats": [s for _, _, s in accounts]}
        ),
        "revenue.months": pa.table(
            {
                "book": ["main"] * len(months), "policy": ["stripe"] * len(months),
                "customer": [row[0] for row in months], "month": pa.array([row[1] for row in months], pa.date32()),
                "plan": [row[2] for row in months], "currency": ["EUR"] * len(months),
                "start_cents": [row[3] for row in months], "end_cents": [row[4] for row in months],
                "expansion_cents": [row[5] for row in months],
            }
        ),
    }  # fmt: skip


_MADE: dict[str, pa.Table] = {}


def tables() -> dict[str, pa.Table]:
    """The same tables every time, made once."""
    if not _MADE:
        _MADE.update(made())
    return _MADE


@pytest.fixture(scope="session")
def filled_place(tmp_path_factory: Any) -> dict[str, str]:
    """Where the lake is that the product's tables are in."""
    from potager.ground.lake.lake import Lake

    place = place_in(tmp_path_factory.mktemp("product"))
    with_tables = Lake(place["catalog_uri"], place["files"])
    for name, table in tables().items():
        with_tables.append(name, table, load_id="all")
    with_tables.close()
    return place


@pytest.fixture
def product(filled_place: dict[str, str], settings: Any, ada: Any) -> Iterator[Stream]:
    """The product's stream, described by Ada."""
    with own_lake(settings, filled_place):
        yield actions.describe_stream(
            actor=ada.actor,
            values={
                "name": "App", "table": "app.events", "person": "user_id", "event": "event", "time": "occurred_at",
                "account": "account_id", "event_id": "event_id", "properties": ["plan"],
                "accounts_table": "app.accounts", "accounts_key": "account_id", "seats": "seats",
                "revenue_table": "revenue.months", "book": "main", "policy": "stripe",
            },
        )  # fmt: skip


@pytest.fixture
def empty_lake(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """An empty lake."""
    with own_lake(settings, place_in(tmp_path)):
        yield lake()
