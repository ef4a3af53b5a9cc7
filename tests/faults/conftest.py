"""Installations that faults are made in, each in a data folder of its own."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from tests.journeys.house import House

ROWS = 200_000


@dataclass
class Ground(House):
    """A house, looked at from outside: by SQL on its database, by DuckDB on its lake."""

    def sql(self, text: str, *given: Any) -> list[tuple[Any, ...]]:
        """Run SQL on the records, beside the program."""
        with closing(sqlite3.connect(self.folder / "potager.sqlite3", timeout=30)) as connection, connection:
            return connection.execute(text, given).fetchall()

    def there(self, table: str) -> tuple[int, int] | None:
        """Return the rows of a table and the sum of its numbers, or None where there is no such table."""
        lake = Lake(f"sqlite:///{self.folder / 'potager.sqlite3'}", str(self.folder / "lake"))
        warehouse = DuckDBWarehouse(lake, threads=1)
        try:
            if not lake.exists(table):
                return None
            row = warehouse.query(f"SELECT count(*) n, sum(number)::BIGINT s FROM {table}").table.to_pylist()[
                0
            ]
            return row["n"], row["s"]
        finally:
            warehouse.close()
            lake.close()

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start the program and leave it running."""
        return subprocess.Popen(
            self.command(*words),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def dying(self, moment: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the program with a fault at ``moment``."""
        command = [sys.executable, "-m", "tests.faults.dying", moment, "--data", str(self.folder), *words]
        root = Path(__file__).parents[2]
        return subprocess.run(
            command,
            env={**self.environment, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def let_time_pass(self) -> None:
        """Let the jobs of killed workers, and what was announced, be old enough for a living worker to take up."""
        long_ago = "2026-01-01 00:00:00+00:00"
        self.sql("UPDATE jobs_job SET heartbeat_at = ? WHERE state = 'running'", long_ago)
        self.sql("UPDATE events_outboxentry SET at = ? WHERE done_at IS NULL", long_ago)
        self.sql("DELETE FROM jobs_tick")


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of an installation that has an owner and nothing else."""
    house = House(tmp_path_factory.mktemp("bare") / "data")
    house.run("setup", "--email", "ada@example.org", "--name", "Ada", "--password", "a garden of one's own")
    return house.folder


@pytest.fixture(scope="session")
def another(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Ground]:
    """Make another installation."""

    def made() -> Ground:
        folder = tmp_path_factory.mktemp("house") / "data"
        shutil.copytree(bare, folder)
        return Ground(folder)

    return made


@pytest.fixture
def house(another: Callable[[], Ground]) -> Iterator[Ground]:
    """An installation of the test's own."""
    yield another()


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int, int], Path]:
    """Write a CSV with the numbers from ``first`` up, ``rows`` of them."""
    folder = tmp_path_factory.mktemp("numbers")

    def written(name: str, first: int = 0, rows: int = ROWS) -> Path:
        path = folder / f"{name}.csv"
        lines = "\n".join(f"{number},{name}" for number in range(first, first + rows))
        path.write_text(f"number,name\n{lines}\n")
        return path

    return written


def whole(*parts: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and the sum of the numbers of parts, each ``(first, rows)``."""
    rows = sum(part[1] for part in parts)
    return rows, sum(first * count + count * (count - 1) // 2 for first, count in parts)
