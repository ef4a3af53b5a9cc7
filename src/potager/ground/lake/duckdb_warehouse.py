"""DuckDB over the lake: reads the snapshots' Parquet files directly, inside this process."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from potager.ground.lake.guard import Read, read
from potager.ground.lake.lake import Lake, data_files
from potager.ground.lake.warehouse import Result, TableInfo
from potager.kit.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

STREAM_ROWS = 65_536


class DuckDBWarehouse:
    """One in-memory DuckDB that may read the lake's files and nothing else.

    Each snapshot read becomes a view once; a query on it then costs no more than on the files themselves.
    """

    engine = "duckdb"
    dialect = "duckdb"

    def __init__(
        self, lake: Lake, *, memory: str = "4GB", threads: int | None = None, seconds: float = 120
    ) -> None:
        self.lake, self.seconds = lake, seconds
        self._lock = threading.Lock()
        self._views: dict[tuple[str, str], str] = {}
        self._connection = self._open(memory, threads or os.cpu_count() or 2)

    def _open(self, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
        import duckdb

        spill = tempfile.mkdtemp(prefix="potager-spill-")
        connection = duckdb.connect(":memory:", config={"threads": threads, "memory_limit": memory})
        files = self.lake.files.removeprefix("file://")
        connection.execute("SET temp_directory = ?", [spill])
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET python_enable_replacements = false")  # a DataFrame in scope is not a table
        if "://" not in files:
            connection.execute(f"SET allowed_directories = ['{files.rstrip('/')}/', '{spill}/']")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        return connection

    def tables(self) -> Mapping[str, TableInfo]:
        """Return every table, by name."""
        found = {}
        for name in self.lake.tables():
            current = self.lake.current(name)
            found[name] = TableInfo(
                name,
                self.lake.schema(name),
                current.id if current else "",
                current.rows if current else 0,
                current.at if current else None,
            )
        return found

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        """Answer a query."""
        prepared, snapshots = self._prepare(read(sql), at)
        started = time.perf_counter()
        with self._cursor() as cursor:
            table = cursor.sql(prepared).to_arrow_table()
        return Result(table, prepared, snapshots, self.engine, time.perf_counter() - started)

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        """Answer a query batch by batch."""
        prepared, _ = self._prepare(read(sql), at)
        cursor = self._connection.cursor()
        reader: pa.RecordBatchReader = cursor.sql(prepared).to_arrow_reader(STREAM_ROWS)
        return reader

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        """Return DuckDB's plan for a query."""
        prepared, _ = self._prepare(read(sql), at)
        with self._cursor() as cursor:
            rows = cursor.execute(f"EXPLAIN {prepared}").fetchall()
        return "\n".join(str(row[1]) for row in rows)

    def _prepare(self, query: Read, at: Mapping[str, str] | None) -> tuple[str, dict[str, str]]:
        views, snapshots = {}, {}
        for name in query.tables:
            pinned = (at or {}).get(name)
            views[name], snapshots[name] = self._view(name, pinned)
        return query.over(views, self.dialect), snapshots

    def _view(self, name: str, pinned: str | None) -> tuple[str, str]:
        """Return the view of a table at a snapshot, made on first use."""
        if pinned is not None and (name, pinned) in self._views:
            return self._views[name, pinned], pinned
        table = self.lake.table(name)
        current = table.current_snapshot()
        snapshot = pinned or (str(current.snapshot_id) if current else "empty")
        if (name, snapshot) in self._views:
            return self._views[name, snapshot], snapshot
        schema = self.lake.schema(name)
        columns = [(field.name, field.type) for field in schema]
        if snapshot == "empty":
            files: list[str] = []
        else:
            if table.snapshot_by_id(int(snapshot)) is None:
                mend = "Ask again on the present data."
                raise NotFound(f"The snapshot {snapshot} of {name} is not kept any more.", mend=mend)
            files = [file.file_path.removeprefix("file://") for file in data_files(table, int(snapshot))]
        view = f"{name}@{snapshot}"
        with self._lock:
            self._connection.execute(_definition(view, columns, files, evolved=len(table.schemas()) > 1))
            self._views[name, snapshot] = view
        return view, snapshot

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor that is interrupted when it takes too long, with sentences for what goes wrong."""
        import duckdb

        cursor = self._connection.cursor()
        timer = threading.Timer(self.seconds, cursor.interrupt)
        timer.start()
        try:
            yield cursor
        except duckdb.InterruptException:
            mend = "Ask for fewer rows, a shorter period or fewer dimensions."
            raise Unavailable(f"The query took longer than {self.seconds:g} seconds.", mend=mend) from None
        except duckdb.OutOfMemoryException as error:
            mend = "Ask for less at once, or raise POTAGER_MEMORY."
            raise Unavailable("The query needs more memory than it may have.", mend=mend) from error
        except duckdb.PermissionException as error:
            raise Invalid(
                "The query reaches outside the lake.", mend="Read tables of the lake only."
            ) from error
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise Invalid(
                f"The query cannot be answered: {reason}", mend="Look at the SQL and the columns."
            ) from error
        finally:
            timer.cancel()
            cursor.close()


def _definition(view: str, columns: list[tuple[str, Any]], files: list[str], *, evolved: bool) -> str:
    """Return the view over a snapshot's files, with all the table's columns in their order and types."""

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    if not files:
        names = ", ".join(f"CAST(NULL AS {_sql_type(kind)}) AS {quoted(name)}" for name, kind in columns)
        return f"CREATE OR REPLACE VIEW {quoted(view)} AS SELECT {names} WHERE false"
    names = ", ".join(quoted(name) for name, _ in columns)
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    source = f"read_parquet([{listed}], union_by_name={str(evolved).lower()})"
    if evolved:
        # Files older than a column lack it: an empty row set with the table's columns makes it null there.
        shape = ", ".join(f"CAST(NULL AS {_sql_type(kind)}) AS {quoted(name)}" for name, kind in columns)
        source = f"(SELECT {shape} WHERE false UNION ALL BY NAME SELECT * FROM {source})"  # noqa: S608 - our own names
    return f"CREATE OR REPLACE VIEW {quoted(view)} AS SELECT {names} FROM {source}"  # noqa: S608 - our own names


def _sql_type(kind: pa.DataType) -> str:
    """Return DuckDB's name for a stored type."""
    import pyarrow as pa

    types = pa.types
    if types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if types.is_timestamp(kind):
        return "TIMESTAMPTZ" if kind.tz else "TIMESTAMP"
    known = {
        pa.bool_(): "BOOLEAN",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.float32(): "FLOAT",
        pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
        pa.time64("us"): "TIME",
        pa.binary(): "BLOB",
    }
    return known.get(kind, "VARCHAR")
