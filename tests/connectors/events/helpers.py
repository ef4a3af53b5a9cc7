"""Small ways to write files of events and read them whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from potager.connectors.events import ReadPlan, inspect, plan_from, read

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


def lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


class Whole:
    """All that reading a file gave."""

    def __init__(self, path: Path, plan: ReadPlan | None = None, **changes: Any) -> None:
        self.plan = replace(plan or plan_from(inspect(path)), **changes)
        with read(path, ReadPlan.from_dict(self.plan.to_dict()), as_of=AS_OF) as reading:
            table = pa.Table.from_batches(list(reading.batches), reading.schema)
            self.events: list[dict[str, Any]] = table.to_pylist()
            self.schema = table.schema
            assert reading.rows == len(self.events) and reading.complete
            self.duplicates, self.calls, self.notes = reading.duplicates, reading.calls, reading.notes
            self.rejects = reading.rejects.first
            try:
                self.identities = {row["alias"]: row["person"] for row in reading.identities().to_pylist()}
                self.circle: Exception | None = None
            except Exception as problem:
                self.identities, self.circle = {}, problem
            self.accounts: list[dict[str, Any]] = reading.accounts().to_pylist()

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """The line and the reason of each row set aside."""
        return [(row.line, row.reason) for row in self.rejects]


def at(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]
