"""Apache Spark over the lake: the same SQL on the same files, for what outgrows one machine (extra ``spark``)."""

from __future__ import annotations

import shutil
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.guard import check, parsed
from potager.ground.lake.lake import Lake
from potager.ground.lake.names import TableName, table_name
from potager.ground.lake.pinning import Pin, Pins
from potager.ground.lake.warehouse import Result, TableInfo
from potager.ground.lake.watching import Watch
from potager.kit.errors import Invalid, Problem, Unavailable

BATCH_ROWS = 131_072
CANCELED_EVERY = 0.5
"""Seconds."""
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # As in DuckDB: what cannot be divided is no number, and not the end of the query.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


class SparkWarehouse:
    """SQL over the lake in Spark, as ``master`` says ("local[*]", "spark://host:7077").

    ``settings`` are more of Spark's own; ``scratch`` is a folder that driver and executors share, where ``stream`` puts
    its rows. Needs Java and ``pip install 'potager[spark]'``; Unavailable says so when they are missing.
    """

    engine = "spark"
    dialect = "spark"

    def __init__(
        self,
        lake: Lake,
        *,
        master: str = "local[*]",
        settings: Mapping[str, str] | None = None,
        scratch: str | Path | None = None,
        timeout: float = 600.0,
    ) -> None:
        self._pins = Pins(lake)
        self._scratch = scratch
        self._watch = Watch(timeout)
        self._numbers = count(1)
        self._shown: set[str] = set()
        self._binder = DuckDBWarehouse(lake, threads=1)
        self._spark = _session(master, {**_SETTINGS, **(settings or {})})

    def tables(self) -> Mapping[str, TableInfo]:
        """Return every table of the lake by its name."""
        return self._pins.tables()

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        """Run one SELECT and return all its rows."""
        runs, pins, columns = self._prepared(sql, at)
        begun = time.perf_counter()
        with self._watched():
            table = self._spark.sql(runs).toArrow().cast(columns)
        seconds = time.perf_counter() - begun
        snapshots = {str(name): pin.snapshot_id for name, pin in sorted(pins.items())}
        return Result(table, runs, snapshots, self.engine, seconds)

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        """Run one SELECT into files, which are then read batch by batch and removed."""
        runs, _, columns = self._prepared(sql, at)
        folder = Path(mkdtemp(prefix="potager-spark-", dir=self._scratch))
        return pa.RecordBatchReader.from_batches(columns, self._batches(runs, folder, columns))

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        """Return Spark's plan for one SELECT."""
        runs, _, _ = self._prepared(sql, at)
        with self._watched():
            return str(self._spark.sql(f"EXPLAIN FORMATTED {runs}").collect()[0][0])

    def close(self) -> None:
        """Stop Spark."""
        self._watch.close()
        self._binder.close()
        self._spark.stop()

    def _prepared(
        self, sql: str, at: Mapping[str, str] | None
    ) -> tuple[str, dict[TableName, Pin], pa.Schema]:
        """Return the query in Spark's dialect, what it reads, and the columns it gives: those that DuckDB gives."""
        checked = check(sql)
        pins = self._pins.resolve(checked.tables, at)
        columns = self._binder.columns(checked, pins)
        for pin in pins.values():
            self._show(pin)
        return in_spark(checked.sql, pins), pins, columns

    def _show(self, pin: Pin) -> None:
        from pyspark.errors import AnalysisException
        from pyspark.sql.pandas.types import from_arrow_schema

        if (view := view_name(pin)) in self._shown:
            return
        schema = from_arrow_schema(pin.schema, prefer_timestamp_ntz=True)
        try:
            if pin.files:
                frame = self._spark.read.schema(schema).parquet(*pin.files)
            else:
                frame = self._spark.createDataFrame([], schema)
        except AnalysisException as error:
            raise Unavailable(
                f"Spark cannot reach the files of {pin.name}: {error}",
                mend="Give the executors the lake's folder under the same path, and run 'potager doctor'.",
            ) from error
        frame.createOrReplaceTempView(view)
        self._shown.add(view)

    def _batches(self, runs: str, folder: Path, columns: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            with self._watched():
                # Numbers for names: files cannot hold two columns of one name, as an answer may.
                frame = self._spark.sql(runs).toDF(*(str(at) for at in range(len(columns))))
                frame.write.mode("overwrite").parquet(str(folder))
            for path in sorted(folder.glob("part-*.parquet")):  # numbered in the order of the answer
                for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH_ROWS):
                    yield batch.rename_columns(columns.names).cast(columns)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        tag = f"potager-{next(self._numbers)}"
        stopped: list[str] = []
        over = threading.Event()

        def cancel() -> None:
            # Again and again: a query that is still being planned has no job yet that could be canceled.
            while not over.is_set():
                context.cancelJobsWithTag(tag)
                over.wait(CANCELED_EVERY)

        def interrupt() -> None:
            stopped.append(tag)
            # In a thread of its own: Spark waits for the jobs to end, and the watch has others to look after.
            threading.Thread(target=cancel, daemon=True).start()

        context = self._spark.sparkContext
        context.addJobTag(tag)
        try:
            with self._watch.over(interrupt), _said(stopped, self._watch.timeout):
                yield
        finally:
            over.set()
            context.removeJobTag(tag)


def in_spark(sql: str, pins: Mapping[TableName, Pin]) -> str:
    """Return a checked query in Spark's dialect, its tables replaced by the views of their snapshots."""
    tree = parsed(sql).copy()
    for node in tree.find_all(exp.Table):
        if not node.args.get("db"):
            continue
        pin = pins[table_name(f"{node.args['db'].name}.{node.name}".lower())]
        alias = node.alias or node.name
        node.set("db", None)
        node.set("this", exp.to_identifier(view_name(pin)))
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    for column in tree.find_all(exp.Column):
        if column.args.get("db"):
            column.set("db", None)  # namespace.table.column: the table alone is the alias now
    for call in tree.find_all(exp.Anonymous):
        if (
            call.name.upper() == "LIST_REDUCE" and len(call.expressions) == 3
        ):  # its start comes second in Spark
            several, fold, start = call.expressions
            call.replace(exp.Anonymous(this="AGGREGATE", expressions=[several, start, fold]))
    return tree.sql(dialect="spark")


def view_name(pin: Pin) -> str:
    """Return what the view of a table at a snapshot is called in Spark."""
    return f"{pin.name.namespace}__{pin.name.table}__{pin.snapshot_id}"


def _session(master: str, settings: Mapping[str, str]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", FutureWarning
            )  # that pandas 3 is new to it; no pandas is used here
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
    except ImportError as error:
        raise Unavailable("Spark is not installed.", mend="Run: pip install 'potager[spark]'.") from error
    builder = SparkSession.builder.master(master).appName("Potager")
    for name, value in {"spark.ui.showConsoleProgress": "false", **settings}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        raise Unavailable(
            f"Spark does not start: {error}",
            mend="Is Java 17 or newer installed, and is the master's address right?",
        ) from error
    session.sparkContext.setLogLevel("ERROR")
    session.sparkContext.setInterruptOnCancel(True)
    return session


@contextmanager
def _said(stopped: list[str], timeout: float) -> Iterator[None]:
    """Turn Spark's errors into problems with a sentence."""
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    try:
        yield
    except Problem:
        raise
    except (AnalysisException, ParseException) as error:
        raise Invalid(f"The query cannot run in Spark: {error}", mend="Correct the SQL.") from error
    except Exception as error:
        if stopped:
            raise Unavailable(
                f"The query took longer than {timeout:g} seconds and was stopped.",
                mend="Ask for a shorter time or fewer columns, or let the operator allow longer queries.",
            ) from error
        if isinstance(error, PySparkException):
            raise Unavailable(f"Spark could not answer: {error}", mend="Look at Spark's own log.") from error
        raise
