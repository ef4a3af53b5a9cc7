"""From blocks of text to batches of values: rows whose cells do not fit are split off in the same pass."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from potager.connectors.files.blocks import Block
from potager.connectors.files.casts import (
    arrow_type,
    connection,
    fails,
    kind_sql,
    reason_of,
    run,
    select,
    stacked,
    valued,
)
from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.shapes import Cast, Rejected

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Converted:
    """A typed table of the rows that fit, and the rows that do not, in the order of the file."""

    table: pa.Table
    rejected: list[Rejected]
    done: int


class Converter:
    """Applies a plan to blocks; may be called from several threads at once."""

    def __init__(self, plan: ReadPlan) -> None:
        import pyarrow as pa

        self._columns = plan.included
        self.schema = pa.schema([(column.name, arrow_type(column.cast.type)) for column in self._columns])
        self._own = threading.local()

    def _database(self) -> duckdb.DuckDBPyConnection:
        if not hasattr(self._own, "database"):
            self._own.database = connection()
        database: duckdb.DuckDBPyConnection = self._own.database
        return database

    def convert(self, block: Block) -> Converted:
        """Return the typed rows of a block and the rejected ones."""
        import numpy as np
        import pyarrow as pa

        asked = [
            at
            for at, column in enumerate(self._columns)
            if at not in block.final and column.cast.type != "text"
        ]
        values, failed = self._values(block.table, asked) if asked else ({}, None)
        columns = [
            values[at] if at in values else self._text(block.table.column(at), at, final=at in block.final)
            for at in range(len(self._columns))
        ]
        table = pa.Table.from_arrays(columns, names=[f"c{at}" for at in range(len(columns))])
        rejected = list(block.set_aside)
        if failed is not None and failed.any():
            rejected += self._rejected(block, np.flatnonzero(failed), asked)
            table = table.filter(pa.array(~failed))
        table = table.rename_columns(self.schema.names).cast(self.schema)
        return Converted(table, sorted(rejected, key=lambda row: row.line), block.done)

    def _text(self, column: pa.ChunkedArray[Any], at: int, *, final: bool) -> pa.ChunkedArray[Any]:
        """Return a text column with its null words taken out; other columns are as they should be."""
        import pyarrow as pa
        import pyarrow.compute as pc

        words = self._columns[at].cast.null_words
        if final or not words:
            return column
        none: pa.ChunkedArray[Any] = pc.if_else(
            pc.is_in(column, value_set=pa.array(words, column.type)), pa.scalar(None, column.type), column
        )
        return none

    def _groups(self, asked: list[int]) -> dict[Cast, list[int]]:
        """Columns that are read alike go through one expression, so that wide files need few."""
        groups: dict[Cast, list[int]] = {}
        for at in asked:
            groups.setdefault(self._columns[at].cast, []).append(at)
        return groups

    def _values(
        self, table: pa.Table, asked: list[int]
    ) -> tuple[dict[int, pa.ChunkedArray[Any]], NDArray[np.bool_]]:
        import numpy as np

        rows, values = table.num_rows, {}
        failed = np.zeros(rows, np.bool_)
        for cast, group in self._groups(asked).items():
            found = run(
                self._database(),
                stacked(table, group),
                select(["v", f"{fails(cast)} AS failed"], valued(cast)),
            )
            failed |= found.column("failed").to_numpy().reshape(len(group), rows).any(axis=0)
            values.update({at: found.column("v").slice(place * rows, rows) for place, at in enumerate(group)})
        return values, failed

    def _rejected(self, block: Block, rows: NDArray[np.int64], asked: list[int]) -> list[Rejected]:
        """Say for each failed row which cells do not fit and why."""
        table, places = block.table.take(rows), rows.tolist()
        reasons: list[list[tuple[str, str, str]]] = [[] for _ in places]
        for cast, group in self._groups(asked).items():
            kind = f"CASE WHEN {fails(cast)} THEN {kind_sql('t', cast)} END AS k"
            found = run(self._database(), stacked(table, group), select(["t", kind], valued(cast)))
            for row, (text, why) in enumerate(
                zip(*(found.column(name).to_pylist() for name in "tk"), strict=True)
            ):
                if why is not None:
                    column = self._columns[group[row // len(places)]].source
                    reasons[row % len(places)].append((column, reason_of(text, why), why))
        order = {column.source: at for at, column in enumerate(self._columns)}
        return [
            Rejected(line, tuple(sorted(why, key=lambda one: order[one[0]])), cells, raw)
            for line, why, (cells, raw) in zip(
                block.line_of(places), reasons, block.originals(places), strict=True
            )
        ]
