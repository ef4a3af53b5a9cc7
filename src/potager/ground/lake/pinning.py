"""Pinning: which files a query reads, decided once at its start."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyiceberg.manifest import ManifestContent

from potager.ground.lake.evolving import visible_columns
from potager.ground.lake.faults import told
from potager.ground.lake.lake import Lake
from potager.ground.lake.names import TableName, no_table, table_name
from potager.ground.lake.snapshots import moment
from potager.ground.lake.upkeep import find_snapshot
from potager.ground.lake.warehouse import TableInfo
from potager.kit.errors import Unavailable

_PINS_KEPT = 512


@dataclass(frozen=True, slots=True)
class Pin:
    """One table at one snapshot: its columns with their field ids, and its files, oldest load first.

    ``grown``: the columns have changed since the table was made, so a file may lack some or hold a narrower type.
    """

    name: TableName
    snapshot_id: str
    schema: pa.Schema
    ids: tuple[int, ...]
    files: tuple[str, ...]
    grown: bool


class Pins:
    """Finds what the tables of a query are pinned to; what a snapshot holds is read once per process."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._held = functools.lru_cache(maxsize=_PINS_KEPT)(self._read)

    def resolve(self, names: Iterable[TableName], at: Mapping[str, str] | None) -> dict[TableName, Pin]:
        """Return the pin of each table; NotFound for a table or a snapshot that is not there."""
        wanted = {table_name(name): snapshot for name, snapshot in (at or {}).items()}
        pointers = self._lake.catalogue.pointers()
        found: dict[TableName, Pin] = {}
        with told("The query"):
            for name in names:
                if name not in pointers:
                    raise no_table(name)
                metadata = self._lake.catalogue.metadata(pointers[name])
                if name in wanted:
                    snapshot = find_snapshot(metadata, str(name), wanted[name])
                else:
                    snapshot = metadata.current_snapshot()
                found[name] = self._held(name, pointers[name], snapshot.snapshot_id)
        return found

    def tables(self) -> dict[str, TableInfo]:
        """Return every table as it is now."""
        with told("Looking at the tables"):
            infos = [
                _info(name, self._lake.catalogue.metadata(where))
                for name, where in sorted(self._lake.catalogue.pointers().items())
            ]
        return {info.name: info for info in infos}

    def _read(self, name: TableName, where: str, snapshot_id: int) -> Pin:
        metadata = self._lake.catalogue.metadata(where)
        snapshot = metadata.snapshot_by_id(snapshot_id)
        schema = metadata.schema_by_id(snapshot.schema_id)
        columns = visible_columns(schema)
        return Pin(
            name=name,
            snapshot_id=str(snapshot_id),
            schema=columns,
            ids=tuple(schema.find_field(column).field_id for column in columns.names),
            files=_files(name, snapshot, self._lake.catalogue.io(metadata.location)),
            grown=bool(snapshot.schema_id),
        )


def _files(name: TableName, snapshot: Any, io: Any) -> tuple[str, ...]:
    manifests = snapshot.manifests(io)
    for manifest in manifests:
        if manifest.content == ManifestContent.DELETES:
            raise Unavailable(
                f"Another program deleted single rows of {name}, which only it can leave out when reading.",
                mend="Rewrite the table's files with that program (Iceberg's rewrite_data_files), then ask again.",
            )
    entries = [
        entry for manifest in manifests for entry in manifest.fetch_manifest_entry(io, discard_deleted=True)
    ]
    entries.sort(key=lambda entry: entry.sequence_number or 0)
    return tuple(entry.data_file.file_path for entry in entries)


def _info(name: TableName, metadata: Any) -> TableInfo:
    snapshot = metadata.current_snapshot()
    return TableInfo(
        name=str(name),
        schema=visible_columns(metadata.schema()),
        snapshot_id=str(snapshot.snapshot_id),
        rows=int(snapshot.summary["total-records"] or 0),
        loaded_at=moment(snapshot),
    )
