"""Writing: batches into Parquet files as they come, never more than one row group in memory."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from potager.ground.lake.columns import kept_type, plain, widens
from potager.ground.lake.names import LOAD_COLUMN

logger = logging.getLogger(__name__)

ROW_GROUP_ROWS = 524_288
ROW_GROUP_BYTES = 128 * 2**20
FILE_BYTES = 192 * 2**20
_FIELD_ID = b"PARQUET:field_id"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A Parquet file that no snapshot names yet."""

    path: str
    size: int
    footer: pq.FileMetaData


class LoadWriter:
    """Writes one load into files of its own. ``discard`` removes them again."""

    def __init__(self, io: Any, folder: str, schema: Any, load_id: str) -> None:
        self.io = io
        self._folder = folder
        self._load_id = load_id
        self.arrow = file_schema(schema)
        self.files: list[WrittenFile] = []
        self._begun: list[str] = []

    @property
    def visible(self) -> pa.Schema:
        """Return the columns to hand in: those of the table without the load's own."""
        return pa.schema([field for field in self.arrow if field.name != LOAD_COLUMN])

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write ``batches`` (in the schema of ``visible``), rolling to the next file at about 192 MB."""
        groups = row_groups(batches)
        group = next(groups, None)
        while group is not None:
            path = f"{self._folder}/{uuid.uuid4()}.parquet"
            self._begun.append(path)
            with self.io.new_output(path).create() as sink:
                with self._parquet(sink) as writer:
                    while group is not None:
                        writer.write_table(self._marked(group), row_group_size=ROW_GROUP_ROWS)
                        group = next(groups, None)
                        if sink.tell() >= FILE_BYTES:
                            break
                size = sink.tell()
            self.files.append(WrittenFile(path, size, writer.writer.metadata))

    def discard(self) -> None:
        """Remove what was written; what cannot be removed now, sweeping removes later."""
        for path in self._begun:
            try:
                self.io.delete(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                logger.warning(
                    "The file %s of a load that failed stays until the lake is swept: %s", path, error
                )
        self._begun, self.files = [], []

    def _parquet(self, sink: Any) -> pq.ParquetWriter:
        # Dictionaries pay for text alone: on numbers they cost a third of the time and zstd does as well without.
        text = [field.name for field in self.arrow if pa.types.is_string(field.type)]
        return pq.ParquetWriter(
            sink,
            self.arrow,
            compression="zstd",
            use_dictionary=text,  # type: ignore[arg-type]
            store_schema=False,
            store_decimal_as_integer=True,
        )

    def _marked(self, group: pa.Table) -> pa.Table:
        mark = pa.repeat(pa.scalar(self._load_id), group.num_rows)
        return pa.Table.from_arrays([mark, *group.columns], schema=self.arrow)


def row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield ``batches`` gathered into tables of about a row group, by rows and by bytes."""
    gathered: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        for part in _parts(batch):
            gathered.append(part)
            rows, size = rows + part.num_rows, size + part.nbytes
            if rows >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
                yield pa.Table.from_batches(gathered)
                gathered, rows, size = [], 0, 0
    if rows:
        yield pa.Table.from_batches(gathered)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, ROW_GROUP_ROWS):
        yield batch.slice(start, ROW_GROUP_ROWS)


def file_schema(schema: Any) -> pa.Schema:
    """Return the Arrow schema of a table's files, Iceberg's field ids in the metadata, in the types that we keep."""
    found = [(field, kept_type(field.type)) for field in schema_to_pyarrow(schema)]
    return pa.schema([pa.field(field.name, kept, metadata=field.metadata) for field, kept in found if kept])


def fits(written: pa.Schema, table: pa.Schema) -> bool:
    """Return whether files written in one schema can be read in another: same ids, types equal or widened."""
    for field in written:
        at = table.get_field_index(field.name)
        if at < 0 or _ids(table.field(at)) != _ids(field):
            return False
        kind = table.field(at).type
        if plain(kind) != plain(field.type) and not widens(field.type, kind):
            return False
    return True


def _ids(field: pa.Field[Any]) -> list[bytes | None]:
    found = [(field.metadata or {}).get(_FIELD_ID)]
    kind = field.type
    if pa.types.is_map(kind):
        inner = [kind.key_field, kind.item_field]
    elif pa.types.is_list(kind):
        inner = [kind.value_field]
    else:
        inner = [kind.field(at) for at in range(kind.num_fields)]
    for part in inner:
        found += _ids(part)
    return found


def reread(io: Any, files: Iterable[WrittenFile]) -> Iterator[pa.RecordBatch]:
    """Yield the batches of files already written, without the load's own column."""
    for file in files:
        with io.new_input(file.path).open() as source:
            for batch in pq.ParquetFile(source).iter_batches(batch_size=131_072):
                yield batch.drop_columns([LOAD_COLUMN])


def data_file(file: WrittenFile, metadata: Any, schema: Any, load_id: str) -> Any:
    """Return Iceberg's entry for a written file: its size, its load as partition, and its columns' statistics."""
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=file.footer,
        stats_columns=compute_statistics_plan(schema, metadata.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(schema),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.path,
        file_format=FileFormat.PARQUET,
        partition=Record(load_id),
        file_size_in_bytes=file.size,
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )
