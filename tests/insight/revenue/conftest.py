"""Small books in a lake of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from potager.engines.finance import SCHEMA
from potager.ground.lake.service import lake
from tests.insight.lakes import own_lake, place_in

TERMS = pa.schema([*SCHEMA, ("plan", pa.string())])


def term(customer: str, starts: date, ends: date | None, cents: int, **more: Any) -> dict[str, Any]:
    """One row of terms: monthly, active, in euros, unless said otherwise."""
    return {
        "customer": customer, "subscription": f"{customer}-1", "starts": starts, "ends": ends, "currency": "EUR",
        "unit_cents": cents, "quantity": 1, "interval_count": 1, "interval_unit": "month", "forever_off": 0,
        "repeating_off": 0, "once_off": 0, "state": "active", "kind": "recurring", "canceled_on": None,
        "paid_until": None, "plan": "team", **more,
    }  # fmt: skip


def put(table: str, rows: list[dict[str, Any]], load_id: str = "one") -> None:
    """Let a table of terms hold these rows and no others."""
    lake().overwrite(table, pa.Table.from_pylist(rows, schema=TERMS), load_id=load_id)


@pytest.fixture
def own(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A lake and a data folder of the test's own, on 15 November 2024."""
    settings.POTAGER_DATA = str(tmp_path)
    with own_lake(settings, place_in(tmp_path)):
        yield lake()
