"""Leaving out events that are there already: by their id, without holding either side in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from potager.ground.lake.service import lake, warehouse

EVENT_ID = "event_id"
_BATCH = 100_000


@dataclass(frozen=True)
class Fresh:
    """The events of a file that its table does not hold; ``repeated`` were left out."""

    batches: pa.RecordBatchReader
    rows: int
    repeated: int


@contextmanager
def without_known(batches: Iterable[pa.RecordBatch], table: str) -> Iterator[Fresh]:
    """Yield the events that are neither in ``table`` already nor repeated in the file.

    Events without an id are all kept: nothing tells one from another. The file is written once to disk, and an
    anti-join that may spill does the rest.
    """
    folder = Path(settings.POTAGER_DATA) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".events-") as place:
        staged, read = _stage(batches, Path(place) / "events.parquet")
        if staged is None or EVENT_ID not in staged.names:
            empty = pa.schema([]) if staged is None else staged
            reader = _reader(Path(place) / "events.parquet", empty)
            yield Fresh(reader, read, 0)
            return
        with duckdb.connect(":memory:", config={"temp_directory": place}) as connection:
            connection.execute("SET preserve_insertion_order = false")
            file = str(Path(place) / "events.parquet").replace("'", "''")
            connection.execute(
                f"CREATE TEMP VIEW staged AS SELECT * FROM read_parquet('{file}')"  # noqa: S608 - a path of ours
            )
            _known_ids(connection, table)
            connection.execute(
                "CREATE TEMP TABLE fresh AS SELECT min(file_row_number) AS place FROM "  # noqa: S608
                f"read_parquet('{file}', file_row_number = true) AS s "
                f"WHERE {EVENT_ID} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM known AS k WHERE k.id = "
                f"CAST(s.{EVENT_ID} AS VARCHAR)) GROUP BY {EVENT_ID} "
                f"UNION ALL SELECT file_row_number FROM read_parquet('{file}', file_row_number = true) "
                f"WHERE {EVENT_ID} IS NULL"
            )
            ((kept,),) = connection.execute("SELECT count(*) FROM fresh").fetchall()
            relation = connection.sql(
                f"SELECT s.* EXCLUDE (file_row_number) FROM read_parquet('{file}', file_row_number = true) AS s "  # noqa: S608
                "SEMI JOIN fresh AS f ON f.place = s.file_row_number"
            )
            fresh = relation.to_arrow_reader(_BATCH)
            yield Fresh(_cast(fresh, staged), kept, read - kept)


def _stage(batches: Iterable[pa.RecordBatch], path: Path) -> tuple[pa.Schema | None, int]:
    writer: pq.ParquetWriter | None = None
    schema: pa.Schema | None = None
    rows = 0
    try:
        for batch in batches:
            if writer is None:
                schema = batch.schema
                writer = pq.ParquetWriter(path, batch.schema, compression="zstd")
            writer.write_batch(batch)
            rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return schema, rows


def _reader(path: Path, schema: pa.Schema) -> pa.RecordBatchReader:
    if not path.exists():
        return pa.RecordBatchReader.from_batches(schema, [])
    return pa.RecordBatchReader.from_batches(schema, pq.ParquetFile(path).iter_batches(_BATCH))


def _known_ids(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    connection.execute("CREATE TEMP TABLE known (id VARCHAR)")
    if not lake().exists(table) or EVENT_ID not in lake().schema(table).names:
        return
    ids = warehouse().stream(f"SELECT CAST({EVENT_ID} AS VARCHAR) AS id FROM {table}")  # noqa: S608 - a table of ours
    connection.register("ids", ids)
    connection.execute("INSERT INTO known SELECT id FROM ids WHERE id IS NOT NULL")
    connection.unregister("ids")


def _cast(reader: pa.RecordBatchReader, schema: pa.Schema) -> pa.RecordBatchReader:
    """Return the batches in the types they were read in: the engine names some of them otherwise."""
    if reader.schema.equals(schema):
        return reader
    return pa.RecordBatchReader.from_batches(
        schema,
        (
            pa.Table.from_batches([batch]).cast(schema).combine_chunks().to_batches()[0]
            for batch in reader
            if batch.num_rows
        ),
    )
