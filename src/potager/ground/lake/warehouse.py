"""The warehouse: SQL over snapshots of the lake, whichever engine computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table as it is now: its columns (without ``_load``), present snapshot, rows, and when that was made (UTC)."""

    name: str
    schema: pa.Schema
    snapshot_id: str
    rows: int | None
    loaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gave: the rows, the SQL that ran, the snapshot of each table it read, and how long it took."""

    table: pa.Table
    sql: str
    snapshots: dict[str, str]
    engine: str
    seconds: float


class Warehouse(Protocol):
    """Four methods behind which DuckDB and Spark read the same files.

    SQL is one SELECT in DuckDB's dialect that names tables ``namespace.table``; Invalid says why another is refused.
    ``at`` pins tables to snapshots (an id or a name); the others are read as they are when the query starts, all as of
    one moment. Unavailable when the query takes too long or the engine does not answer.
    """

    engine: str
    dialect: str

    def tables(self) -> Mapping[str, TableInfo]:
        """Return every table of the lake by its name."""
        ...

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        """Run one SELECT and return all its rows."""
        ...

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        """Run one SELECT and return its rows batch by batch, for results that do not fit in memory."""
        ...

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        """Return how the engine would compute one SELECT."""
        ...
