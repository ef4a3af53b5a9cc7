"""Writing a load's files: streamed, one row group in memory at a time."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from potager.ground.lake.names import common_type, stored_schema
from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

ROW_GROUP_ROWS = 262_144
FILE_BYTES = 192 << 20
RETRIES = {
    "commit.retry.num-retries": "12",
    "commit.retry.min-wait-ms": "40",
    "commit.retry.max-wait-ms": "2000",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


def open_table(catalog: SqlCatalog, identifier: tuple[str, str], schema: pa.Schema) -> Table:
    """Return the table, made with these columns where there is none."""
    from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError

    try:
        return catalog.load_table(identifier)
    except NoSuchTableError:
        pass
    with suppress(NamespaceAlreadyExistsError):
        catalog.create_namespace(identifier[0])
    try:
        return catalog.create_table(identifier, stored_schema(schema), properties=RETRIES)
    except TableAlreadyExistsError:
        return catalog.load_table(identifier)


def evolve(table: Table, given: pa.Schema) -> None:
    """Let the table's columns grow to hold the given ones; refuse what cannot be held together."""
    from pyiceberg.io.pyarrow import schema_to_pyarrow

    from potager.ground.lake.lake import plain

    stored = plain(schema_to_pyarrow(table.schema(), include_field_ids=False))
    wanted = stored_schema(given)
    new, wider, wrong = [], [], []
    for field in wanted:
        at = stored.get_field_index(field.name)
        if at < 0:
            new.append(field)
            continue
        old = stored.field(at).type
        common = common_type(old, field.type)
        if common is None:
            problem = (
                f"The column {field.name} holds {old} in the table and {field.type} in what is to be added."
            )
            mend = f"Import it as {old}, leave it out, or use another table."
            wrong.append(FieldProblem(field.name, problem, mend))
        elif common != old:
            wider.append((field.name, common))
    if wrong:
        sentence = " ".join(problem.problem for problem in wrong)
        raise Invalid(sentence, mend=wrong[0].mend, errors=wrong)
    if new or wider:
        import pyarrow as pa
        from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids

        def iceberg_type(kind: pa.DataType):  # type: ignore[no-untyped-def]
            return _pyarrow_to_schema_without_ids(pa.schema([pa.field("x", kind)])).fields[0].field_type

        with table.update_schema() as update:
            for field in new:
                update.add_column(field.name, iceberg_type(field.type))
            for name, kind in wider:
                update.update_column(name, iceberg_type(kind))
        table.refresh()


def write_files(table: Table, reader: pa.RecordBatchReader, load_id: str) -> list[DataFile]:
    """Write all batches to Parquet files of the table, none yet part of it; on any failure none stays."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyiceberg.io.pyarrow import parquet_file_to_data_file, schema_to_pyarrow

    from potager.kit.ids import uuid7

    target = schema_to_pyarrow(table.schema(), include_field_ids=True)
    paths: list[str] = []
    writer: pq.ParquetWriter | None = None
    sink = None
    waiting: list[pa.RecordBatch] = []
    rows = 0

    def flush() -> None:
        nonlocal writer, sink, rows
        if not waiting:
            return
        if writer is None:
            path = f"{table.location()}/data/{load_id}--{uuid7().hex}.parquet"
            paths.append(path)
            sink = table.io.new_output(path).create(overwrite=True)
            writer = pq.ParquetWriter(
                sink, target, compression="zstd", compression_level=1, store_schema=False
            )
        writer.write_table(_aligned(pa.Table.from_batches(waiting), target), row_group_size=ROW_GROUP_ROWS)
        waiting.clear()
        rows = 0
        if sink is not None and sink.tell() >= FILE_BYTES:
            close()

    def close() -> None:
        nonlocal writer, sink
        if writer is not None:
            writer.close()
        if sink is not None:
            sink.close()
        writer = sink = None

    try:
        for batch in reader:
            if batch.num_rows:
                waiting.append(batch)
                rows += batch.num_rows
            if rows >= ROW_GROUP_ROWS:
                flush()
        flush()
        close()
        return [parquet_file_to_data_file(table.io, table.metadata, path) for path in paths]
    except BaseException:
        with suppress(OSError):  # the disk may be what failed; what matters is that the files go
            close()
        for path in paths:
            table.io.delete(path)
        raise


def _aligned(rows: pa.Table, target: pa.Schema) -> pa.Table:
    """Return the rows with the table's columns, in its order and types; columns they lack are null."""
    import pyarrow as pa

    columns = []
    for field in target:
        at = rows.schema.get_field_index(field.name)
        if at < 0:
            columns.append(pa.nulls(rows.num_rows, field.type))
            continue
        column = rows.column(at)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns.append(column if column.type == field.type else column.cast(field.type, safe=False))
    return pa.table(columns, schema=target)
