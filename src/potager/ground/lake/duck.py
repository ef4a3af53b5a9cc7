"""DuckDB over the lake: in this process, straight from the snapshot's files."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import pyarrow as pa

from potager.ground.lake.guard import Checked, check
from potager.ground.lake.lake import Lake
from potager.ground.lake.names import TableName
from potager.ground.lake.pinning import Pin, Pins
from potager.ground.lake.views import view
from potager.ground.lake.warehouse import Result, TableInfo
from potager.ground.lake.watching import Watch
from potager.kit.errors import Invalid, Problem, Unavailable

BATCH_ROWS = 131_072
_SESSIONS_KEPT = 8
_QUERIES_KEPT = 64


class _Session:
    """One connection, used by one query at a time, whose views show the snapshots that were last asked for."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, number: int) -> None:
        self.connection = connection
        self._shown: dict[TableName, str] = {}
        self._asked: dict[str, duckdb.DuckDBPyRelation] = {}
        # Each session has a database of its own in memory, so that sessions can show different snapshots at once.
        connection.execute(f"ATTACH ':memory:' AS lake_{number}")
        connection.execute(f"USE lake_{number}")

    def show(self, pins: Mapping[TableName, Pin]) -> None:
        """Make the views show exactly these snapshots."""
        for name, pin in pins.items():
            if self._shown.get(name) != pin.snapshot_id:
                self._asked.clear()
                self._shown.pop(name, None)
                self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{name.namespace}"')
                self.connection.execute(view(pin))
                self._shown[name] = pin.snapshot_id

    def close(self) -> None:
        """Let go of what was asked and of the connection."""
        self._asked.clear()
        self.connection.close()

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """Return the query bound to the views, from before where it was asked before."""
        found = self._asked.pop(sql, None)
        if found is None:
            found = self.connection.sql(sql)
        self._asked[sql] = found
        if len(self._asked) > _QUERIES_KEPT:
            del self._asked[next(iter(self._asked))]
        return found


class DuckDBWarehouse:
    """SQL over the lake in this process. Safe for threads; a process that forks opens its own.

    ``memory`` (as in "4GB"), ``threads`` and ``scratch`` (the folder for what does not fit in memory) bound what a
    query may take, ``timeout`` how many seconds it may compute.
    """

    engine = "duckdb"
    dialect = "duckdb"

    def __init__(
        self,
        lake: Lake,
        *,
        memory: str | None = None,
        threads: int | None = None,
        scratch: str | Path | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._pins = Pins(lake)
        self._watch = Watch(timeout)
        self._idle: list[_Session] = []
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._database = _locked_database(lake, memory=memory, threads=threads, scratch=scratch)

    def tables(self) -> Mapping[str, TableInfo]:
        """Return every table of the lake by its name."""
        return self._pins.tables()

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        """Run one SELECT and return all its rows."""
        checked, pins = self._prepared(sql, at)
        with self._session(pins) as session:
            begun = time.perf_counter()
            with self._watched(session):
                table = session.relation(checked.sql).to_arrow_table()
            seconds = time.perf_counter() - begun
        return Result(table, checked.sql, _snapshots(pins), self.engine, seconds)

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        """Run one SELECT and return its rows batch by batch; the time limit counts for each batch."""
        checked, pins = self._prepared(sql, at)
        batches = self._batches(checked, pins)
        schema = next(batches)
        return pa.RecordBatchReader.from_batches(schema, batches)

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        """Return DuckDB's plan for one SELECT."""
        checked, pins = self._prepared(sql, at)
        with self._session(pins) as session, self._watched(session):
            rows = session.connection.execute(f"EXPLAIN {checked.sql}").fetchall()
        return "\n".join(str(row[1]) for row in rows)

    def columns(self, checked: Checked, pins: Mapping[TableName, Pin]) -> pa.Schema:
        """Return the columns that a checked query gives, without reading a row: other engines give the same."""
        empty = {
            name: replace(pin, snapshot_id=f"no rows of {pin.snapshot_id}", files=())
            for name, pin in pins.items()
        }
        with self._session(empty) as session, self._watched(session):
            columns: pa.Schema = session.relation(checked.sql).to_arrow_table().schema
        return columns

    def close(self) -> None:
        """Let go of the memory; what is running is interrupted."""
        self._watch.close()
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()
        self._database.close()

    def _prepared(self, sql: str, at: Mapping[str, str] | None) -> tuple[Checked, dict[TableName, Pin]]:
        checked = check(sql)
        return checked, self._pins.resolve(checked.tables, at)

    def _batches(self, checked: Checked, pins: Mapping[TableName, Pin]) -> Iterator[Any]:
        """Yield the schema, then the batches; the session is given back when they end or are left."""
        with self._session(pins) as session:
            with self._watched(session):
                # Not one kept by the session: two readers of one relation would share its rows.
                reader = session.connection.sql(checked.sql).to_arrow_reader(BATCH_ROWS)
            try:
                yield reader.schema
                while True:
                    with self._watched(session):
                        batch = next(reader, None)
                    if batch is None:
                        return
                    yield batch
            finally:
                reader.close()

    @contextmanager
    def _session(self, pins: Mapping[TableName, Pin]) -> Iterator[_Session]:
        with self._lock:
            session = self._idle.pop() if self._idle else None
        if session is None:
            session = _Session(self._database.cursor(), next(self._numbers))
        try:
            with _said():
                session.show(pins)
            yield session
        finally:
            with self._lock:
                keep = len(self._idle) < _SESSIONS_KEPT
                if keep:
                    self._idle.append(session)
            if not keep:
                session.close()

    @contextmanager
    def _watched(self, session: _Session) -> Iterator[None]:
        with self._watch.over(session.connection.interrupt), _said(self._watch.timeout):
            yield


def _locked_database(
    lake: Lake, *, memory: str | None, threads: int | None, scratch: str | Path | None
) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that can read the lake's files and reach nothing else."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "python_enable_replacements": "false",
        "temp_directory": str(scratch or mkdtemp(prefix="potager-duckdb-")),
    }
    if memory is not None:
        config["memory_limit"] = memory
    if threads is not None:
        config["threads"] = threads
    database = duckdb.connect(":memory:", config=config)
    # What the extensions that are built in bring can be set once they are there.
    database.execute("SET TimeZone = 'UTC'")
    database.execute("SET GLOBAL ieee_floating_point_ops = false")
    database.execute(
        "SET GLOBAL error_on_division_by_zero = false"
    )  # what is divided by zero is no number: NULL
    database.execute("SET parquet_metadata_cache = true")
    database.execute("SET validate_external_file_cache = 'NO_VALIDATION'")  # a file of the lake never changes
    folder = lake.files.rstrip("/").replace("'", "''")
    database.execute(f"SET allowed_directories = ['{folder}/']")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


@contextmanager
def _said(timeout: float = 0) -> Iterator[None]:
    """Turn DuckDB's errors into problems with a sentence."""
    try:
        yield
    except Problem:
        raise
    except duckdb.InterruptException as error:
        raise Unavailable(
            f"The query took longer than {timeout:g} seconds and was stopped.",
            mend="Ask for a shorter time or fewer columns, or let the operator allow longer queries.",
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise Unavailable(
            "The query needs more memory than it may take.",
            mend="Ask for a shorter time or fewer groups, or let the operator allow more memory.",
        ) from error
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
        raise Unavailable(
            f"The query could not read the lake's files: {error}", mend="Run 'potager doctor'."
        ) from error
    except duckdb.Error as error:
        raise Invalid(
            f"The query cannot run: {error}", mend="Correct the SQL, or look up names in the tables."
        ) from error


def _snapshots(pins: Mapping[TableName, Pin]) -> dict[str, str]:
    return {str(name): pin.snapshot_id for name, pin in sorted(pins.items())}
