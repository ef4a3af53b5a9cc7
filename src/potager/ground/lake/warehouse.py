"""What answers SQL over the lake: four methods, the same for every engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table as the lake holds it now."""

    name: str
    schema: pa.Schema
    snapshot_id: str
    rows: int | None
    loaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a query answered: the rows, the SQL that ran, and the snapshots it read."""

    table: pa.Table
    sql: str
    snapshots: dict[str, str]
    engine: str
    seconds: float


class Warehouse(Protocol):
    """An engine over the lake's files.

    SQL arrives in DuckDB's dialect, one reading statement, with tables named ``namespace.table``. ``at`` pins
    tables to snapshots; the others are read as they are at the start, all at one moment.
    """

    engine: str
    dialect: str

    def tables(self) -> Mapping[str, TableInfo]:
        """Return every table, by name."""

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        """Answer a query."""

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        """Answer a query batch by batch, for results larger than memory."""

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        """Return the engine's plan for a query."""
