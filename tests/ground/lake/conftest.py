"""A lake of its own for each test, and a warehouse over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, str]:
    """Where the lake is: its catalogue and its files."""
    return f"sqlite:///{tmp_path / 'potager.sqlite3'}", str(tmp_path / "lake")


@pytest.fixture
def lake(place: tuple[str, str]) -> Iterator[Lake]:
    found = Lake(*place, patience=5)
    yield found
    found.close()


@pytest.fixture
def warehouse(lake: Lake) -> Iterator[DuckDBWarehouse]:
    found = DuckDBWarehouse(lake, threads=2, memory="1GB", timeout=20)
    yield found
    found.close()


@pytest.fixture
def orders() -> pa.Table:
    """Three order lines."""
    return pa.table(
        {
            "invoice": ["A1", "A1", "B7"],
            "quantity": pa.array([2, 1, 10], pa.int32()),
            "price": [2.5, 10.0, 0.25],
        }
    )
