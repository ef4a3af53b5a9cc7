"""Spark over the same files: the second engine, for those who outgrow a machine (extra ``spark``)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from potager.ground.lake.duckdb_warehouse import DuckDBWarehouse
from potager.ground.lake.guard import read
from potager.ground.lake.lake import Lake, data_files
from potager.ground.lake.warehouse import Result, TableInfo
from potager.kit.errors import Invalid, NotFound

if TYPE_CHECKING:
    import pyarrow as pa


class SparkWarehouse:
    """A Spark session that reads the snapshots' files; SQL comes in DuckDB's dialect and is turned into Spark's."""

    engine = "spark"
    dialect = "spark"

    def __init__(self, lake: Lake, *, master: str = "local[2]", session: Any = None) -> None:
        self.lake = lake
        self._views: dict[tuple[str, str], str] = {}
        self._session = session or self._open(master)

    def _open(self, master: str) -> Any:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            mend = "Install it with: pip install 'potager[spark]' (it needs Java 17)."
            raise NotFound("Spark is not installed.", mend=mend) from error
        return (
            SparkSession.builder.master(master)
            .appName("potager")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.ansi.enabled", "false")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )

    def tables(self) -> Mapping[str, TableInfo]:
        """Return every table, by name."""
        return DuckDBWarehouse.tables(self)  # type: ignore[arg-type]

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        """Answer a query."""
        prepared, snapshots = self._prepare(sql, at)
        started = time.perf_counter()
        table = self._run(prepared).toArrow()
        return Result(table, prepared, snapshots, self.engine, time.perf_counter() - started)

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        """Answer a query; Spark's result comes whole."""
        return self.query(sql, at=at).table.to_reader()

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        """Return Spark's plan for a query."""
        prepared, _ = self._prepare(sql, at)
        return str(self._run(f"EXPLAIN FORMATTED {prepared}").collect()[0][0])

    def _run(self, prepared: str) -> Any:
        from pyspark.errors import PySparkException

        try:
            return self._session.sql(prepared)
        except PySparkException as error:
            reason = str(error).partition("\n")[0]
            raise Invalid(f"Spark cannot answer the query: {reason}", mend="Ask with DuckDB.") from error

    def _prepare(self, sql: str, at: Mapping[str, str] | None) -> tuple[str, dict[str, str]]:
        query = read(sql)
        views, snapshots = {}, {}
        for name in query.tables:
            views[name], snapshots[name] = self._view(name, (at or {}).get(name))
        return query.over(views, self.dialect), snapshots

    def _view(self, name: str, pinned: str | None) -> tuple[str, str]:
        table = self.lake.table(name)
        current = table.current_snapshot()
        snapshot = pinned or (str(current.snapshot_id) if current else "empty")
        view = self._views.get((name, snapshot))
        if view is None:
            from pyspark.sql.pandas.types import from_arrow_schema

            schema = from_arrow_schema(self.lake.schema(name), prefer_timestamp_ntz=True)
            files = [] if snapshot == "empty" else [f.file_path for f in data_files(table, int(snapshot))]
            frame = (
                self._session.read.schema(schema).parquet(*files)
                if files
                else self._session.createDataFrame([], schema)
            )
            view = f"{name.replace('.', '__')}__{snapshot}"
            frame.createOrReplaceTempView(view)
            self._views[name, snapshot] = view
        return view, snapshot
