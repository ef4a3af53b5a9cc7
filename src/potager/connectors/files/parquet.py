"""Reading Parquet: values keep their types where the plan agrees; nested ones become JSON text."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from potager.connectors.files.blocks import Block, Original, names, positions
from potager.connectors.files.casts import arrow_type, connection, run
from potager.connectors.files.formats import readable
from potager.connectors.files.names import labels_of
from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.shapes import invalid

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

_ROWS = 65_536


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file; raise ``Invalid`` when it is damaged."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    with readable(path):
        try:
            return pq.ParquetFile(path, memory_map=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise damaged(path, error) from error
        except OSError as error:
            if error.errno is None:  # Arrow's own word for bytes that make no sense
                raise damaged(path, error) from error
            raise


def damaged(path: Path, error: Exception) -> Exception:
    """Return the problem of a Parquet file that cannot be decoded."""
    return invalid("path", f"{path.name} is a damaged Parquet file: {error}", "Write or fetch it again.")


def natural_type(kind: pa.DataType) -> str:
    """Return the plan type that keeps all of an Arrow type."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return natural_type(kind.value_type)
    if pa.types.is_nested(kind):
        return "json"
    if pa.types.is_decimal(kind):
        return (
            f"decimal({kind.precision},{kind.scale})" if kind.precision <= 38 and kind.scale >= 0 else "text"
        )
    tests = (
        (pa.types.is_boolean, "boolean"), (pa.types.is_integer, "integer"), (pa.types.is_floating, "number"),
        (pa.types.is_date, "date"), (pa.types.is_timestamp, "timestamp"),
    )  # fmt: skip
    return next((name for test, name in tests if test(kind)), "text")


@dataclass(frozen=True)
class Rows:
    """One batch of a Parquet file and the number of its first row."""

    batch: pa.RecordBatch
    first: int


class Parquet:
    """A Parquet file being read by a plan."""

    unit: Literal["bytes", "rows"] = "rows"

    def __init__(self, path: Path, plan: ReadPlan) -> None:
        self._path, self._plan = path, plan
        self._file = open_parquet(path)
        schema = self._file.schema_arrow
        self.labels = labels_of(schema.names)
        self._at, self.notes = positions(plan, self.labels, path.name)
        self.total = self._file.metadata.num_rows
        # Only the planned columns are decoded; a name that occurs twice cannot be asked for by name.
        self._only = (
            None if len(set(schema.names)) < len(schema.names) else [schema.names[at] for at in self._at]
        )
        self._own = threading.local()

    def work(self) -> Iterator[Rows]:
        """Yield batches of the file."""
        import pyarrow as pa

        first = 1
        try:
            for batch in self._file.iter_batches(_ROWS, columns=self._only, use_threads=False):
                columns = range(batch.num_columns) if self._only is not None else self._at
                arrays = [batch.column(at) for at in columns]
                yield Rows(pa.RecordBatch.from_arrays(arrays, names=names(len(arrays))), first)
                first += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise damaged(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def block(self, piece: Rows) -> Block:
        """Return a batch with each column in its final type, or as text for the plan's rules."""
        import pyarrow as pa

        columns: list[pa.ChunkedArray[Any] | pa.Array[Any]] = []
        final: set[int] = set()
        for at, column in enumerate(self._plan.included):
            found = piece.batch.column(at)
            if column.cast.type not in {"text", "json"} and natural_type(found.type) == column.cast.type:
                try:
                    columns.append(_in_type(found, arrow_type(column.cast.type)))
                    final.add(at)
                    continue
                except pa.ArrowInvalid:
                    pass  # a value does not fit: as text the plan's rules say which one
            columns.append(self._text(found))

        def line_of(rows: Sequence[int]) -> list[int]:
            return [piece.first + row for row in rows]

        def originals(rows: Sequence[int]) -> list[Original]:
            texts = [
                self._text(piece.batch.column(at).take(pa.array(rows, pa.int64())))
                for at in range(piece.batch.num_columns)
            ]
            by_label = dict(
                zip(
                    (column.source for column in self._plan.included),
                    (text.to_pylist() for text in texts),
                    strict=True,
                )
            )
            nothing: list[str | None] = [None] * len(rows)
            return [
                (cells, "")
                for cells in zip(*(by_label.get(label, nothing) for label in self.labels), strict=True)
            ]

        table = pa.table(columns, names=names(len(columns)))
        return Block(table, frozenset(final), piece.first + piece.batch.num_rows - 1, line_of, originals)

    def _text(self, column: pa.Array[Any]) -> pa.Array[Any] | pa.ChunkedArray[Any]:
        """Return a column as text; what is nested becomes JSON."""
        import pyarrow as pa

        if pa.types.is_nested(column.type):
            if not hasattr(self._own, "database"):
                self._own.database = connection()
            rows = run(
                self._own.database, pa.table({"c": column}), "SELECT CAST(to_json(c) AS VARCHAR) AS c FROM t"
            )
            return rows.column("c")
        if pa.types.is_duration(column.type):
            return column.cast(pa.int64()).cast(pa.string())
        if pa.types.is_timestamp(column.type) and column.type.tz:
            column = column.cast(pa.timestamp(column.type.unit))  # Arrow holds UTC
        try:
            return column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            problem = f"A column of {self._path.name} holds {column.type} values, which are not text."
            raise invalid("columns", problem, "Leave that column out of the plan.") from error


def _in_type(column: pa.Array[Any], wanted: pa.DataType) -> pa.Array[Any]:
    """Cast a column to the plan's Arrow type; time zones become UTC, parts of a microsecond are dropped."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        return pc.cast(column, wanted, safe=False) if column.type.unit == "ns" else column.cast(wanted)
    return column.cast(wanted)
