"""The lake: tables that grow by loads, each seen whole or not at all, and undone as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pyarrow as pa

from potager.ground.lake import upkeep
from potager.ground.lake.catalogue import Catalogue
from potager.ground.lake.evolving import visible_columns
from potager.ground.lake.faults import told
from potager.ground.lake.loading import Batches, Load, undo
from potager.ground.lake.names import LOAD_COLUMN, load_name, no_table, snapshot_name, table_name
from potager.ground.lake.snapshots import Snapshot, lineage, loads_of, snapshot_of


class Lake:
    """Apache Iceberg tables: the catalogue in a database, the files in a folder or an object store.

    Safe for threads and for many processes; a process that forks opens its own (``service.lake`` does). Do not write
    inside a transaction of the records on SQLite: the catalogue is in the same file and would wait for that lock.
    """

    def __init__(
        self,
        catalog_uri: str,
        files: str,
        *,
        patience: float = 30.0,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        """Open the lake.

        ``patience``: the seconds that a locked catalogue is waited for. ``before_commit`` is called before each write
        and may refuse it.
        """
        self.catalogue = Catalogue(catalog_uri, files, patience=patience)
        self.files = self.catalogue.files
        self._before_commit = before_commit or (lambda: None)

    def tables(self) -> list[str]:
        """Return the names of all tables, sorted."""
        return sorted(str(name) for name in self.catalogue.pointers())

    def exists(self, name: str) -> bool:
        """Return whether there is such a table."""
        return table_name(name) in self.catalogue.pointers()

    def schema(self, name: str, *, with_load: bool = False) -> pa.Schema:
        """Return a table's present columns, ``_load`` only ``with_load``; NotFound when there is no such table."""
        schema = visible_columns(self.metadata(name).schema())
        return pa.schema([pa.field(LOAD_COLUMN, pa.string()), *schema]) if with_load else schema

    def history(self, name: str) -> list[Snapshot]:
        """Return the kept snapshots of a table, oldest first; the last is the present one."""
        metadata = self.metadata(name)
        return [snapshot_of(name, metadata, found) for found in lineage(metadata)]

    def current(self, name: str) -> Snapshot | None:
        """Return what a table holds now, or None when there is no such table."""
        return self.history(name)[-1] if self.exists(name) else None

    def loads(self, name: str) -> dict[str, int]:
        """Return the loads that a table holds now, with the rows of each."""
        metadata = self.metadata(name)
        with told(f"Reading {name}"):
            return loads_of(metadata, self.catalogue.io(metadata.location))

    def metadata(self, name: str) -> Any:
        """Return Iceberg's metadata of a table as it is now; NotFound when there is no such table."""
        where = self.catalogue.pointers().get(table_name(name))
        if where is None:
            raise no_table(name)
        with told(f"Reading {name}"):
            return self.catalogue.metadata(where)

    def append(
        self, name: str, batches: Batches, *, load_id: str, properties: Mapping[str, str] | None = None
    ) -> Snapshot:
        """Add a load to a table, which its first load makes. Streams; all rows become visible in one snapshot.

        A load that the table holds already adds nothing: its snapshot is returned. (A load that was undone may come
        again.) New columns are added, types widen as Iceberg allows; Invalid names the columns that do not fit.
        Unavailable when the disk is full, the catalogue is locked, or others commit without end: nothing was added.
        """
        load = Load(self.catalogue, table_name(name), load_name(load_id), "append", properties)
        with self._writing(f"The load into {name}"):
            return load.bring(batches)

    def overwrite(
        self, name: str, batches: Batches, *, load_id: str, properties: Mapping[str, str] | None = None
    ) -> Snapshot:
        """Replace all rows of a table by a load, and its columns by the load's, in one snapshot.

        What the table held before stays readable at its own snapshot. The same load again changes nothing.
        """
        load = Load(self.catalogue, table_name(name), load_name(load_id), "overwrite", properties)
        with self._writing(f"The load into {name}"):
            return load.bring(batches)

    def undo(self, name: str, load_id: str) -> Snapshot:
        """Take exactly one load out of a table: only metadata changes. Undoing again changes nothing.

        NotFound when the table never held the load; Conflict when a later overwrite has replaced it.
        """
        with self._writing(f"Undoing a load of {name}"):
            return undo(self.catalogue, table_name(name), load_name(load_id))

    def drop(self, name: str) -> None:
        """Take a table out of the catalogue, with all its history; its files go when the lake is swept."""
        with self._writing(f"Dropping {name}"):
            self.catalogue.drop(table_name(name))

    def name_snapshot(self, name: str, snapshot_id: str, called: str) -> Snapshot:
        """Give a snapshot a name, so that it does not expire; Conflict when another snapshot is called so."""
        with self._writing(f"Naming a snapshot of {name}"):
            return upkeep.name_snapshot(self.catalogue, table_name(name), snapshot_id, snapshot_name(called))

    def unname_snapshot(self, name: str, called: str) -> None:
        """Take a name from its snapshot, which may expire then; NotFound when no snapshot is called so."""
        with self._writing(f"Taking a name from a snapshot of {name}"):
            upkeep.unname_snapshot(self.catalogue, table_name(name), called)

    def expire(self, name: str, *, keep_days: float = 30, keep_last: int = 10) -> list[str]:
        """Forget old snapshots of a table and return their ids; their files go when the lake is swept.

        Kept are the last ``keep_last``, those that were current within ``keep_days`` (a few hours at the least, for
        readers that hold one), and those with a name.
        """
        with self._writing(f"Forgetting old snapshots of {name}"):
            return upkeep.expire(self.catalogue, table_name(name), timedelta(days=keep_days), keep_last)

    def sweep(self, older_than: timedelta = upkeep.SWEPT_AFTER) -> upkeep.Swept:
        """Remove files that no kept snapshot names and that are older than ``older_than`` (six hours at the least)."""
        with told("Sweeping the lake"):
            return upkeep.sweep(self.catalogue, older_than)

    @contextmanager
    def _writing(self, doing: str) -> Iterator[None]:
        self._before_commit()
        with told(doing):
            yield

    def close(self) -> None:
        """Let go of the catalogue's database."""
        self.catalogue.close()
