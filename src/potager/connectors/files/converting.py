"""From blocks of text to batches of values: rows whose cells do not fit are split off in the same pass."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from potager.connectors.files.blocks import Block
from potager.connectors.files.casts import (
    arrow_type,
    connection,
    is_null,
    kind_sql,
    reason_of,
    run,
    select,
    trimmed,
    value_sql,
)
from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.shapes import Rejected

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

    def _values(
        self, table: pa.Table, asked: list[int]
    ) -> tuple[dict[int, pa.ChunkedArray[Any]], NDArray[np.bool_]]:
        failing = " OR ".join(self._fails(at) for at in asked)
        sql = select([*(f"v{at}" for at in asked), f"({failing}) AS failed"], self._valued(asked))
        found = run(self._database(), table.select([f"c{at}" for at in asked]), sql)
        return {at: found.column(f"v{at}") for at in asked}, found.column("failed").to_numpy()

    def _valued(self, asked: list[int]) -> str:
        """Return the SQL for texts (c), the same trimmed (t), and their values (v)."""
        texts = (f"c{at}, {trimmed(f'c{at}')} AS t{at}" for at in asked)
        casts = ((at, self._columns[at].cast) for at in asked)
        values = (f"c{at}, t{at}, {value_sql(f'c{at}', f't{at}', cast)} AS v{at}" for at, cast in casts)
        return f"({select(values, f'({select(texts)})')})"

    def _fails(self, at: int) -> str:
        return f"(v{at} IS NULL AND NOT {is_null(f'c{at}', f't{at}', self._columns[at].cast)})"

    def _rejected(self, block: Block, rows: NDArray[np.int64], asked: list[int]) -> list[Rejected]:
        """Say for each failed row which cells do not fit and why."""
        kinds_of = (
            f"t{at}, CASE WHEN {self._fails(at)} THEN {kind_sql(f't{at}', self._columns[at].cast)} END AS k{at}"
            for at in asked
        )
        table = block.table.select([f"c{at}" for at in asked]).take(rows)
        failed = run(self._database(), table, select(kinds_of, self._valued(asked)))
        places = rows.tolist()
        reasons: list[list[tuple[str, str, str]]] = [[] for _ in places]
        for at in asked:
            source = self._columns[at].source
            texts, kinds = failed.column(f"t{at}").to_pylist(), failed.column(f"k{at}").to_pylist()
            for place, kind in enumerate(kinds):
                if kind is not None:
                    reasons[place].append((source, reason_of(texts[place], kind), kind))
        return [
            Rejected(line, tuple(why), cells, raw)
            for line, why, (cells, raw) in zip(
                block.line_of(places), reasons, block.originals(places), strict=True
            )
        ]
