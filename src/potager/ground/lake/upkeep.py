"""Upkeep: names for snapshots that must stay, an end for those that need not, and files that nobody names removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice, pairwise
from typing import Any

import pyarrow.fs as pafs
from pyiceberg.table.update.snapshot import ExpireSnapshots, ManageSnapshots

from potager.ground.lake.catalogue import Catalogue
from potager.ground.lake.committing import Staged, commit
from potager.ground.lake.names import TableName, no_table
from potager.ground.lake.snapshots import Snapshot, lineage, moment, names_of, snapshot_of
from potager.kit.clock import now
from potager.kit.errors import Conflict, Invalid, NotFound

# A reader may hold a snapshot, and a load may write, this long without anything being taken from under it.
HELD = timedelta(hours=6)
SWEPT_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Swept:
    """What sweeping removed: how many files, of how many bytes."""

    files: int
    bytes: int


def find_snapshot(metadata: Any, name: str, wanted: str) -> Any:
    """Return Iceberg's snapshot by its id or its name; NotFound when it is not kept."""
    if wanted.isdecimal():
        found = metadata.snapshot_by_id(int(wanted))
    else:
        found = metadata.snapshot_by_name(wanted) if wanted in metadata.refs else None
    if found is None:
        raise NotFound(
            f"{name} has no snapshot '{wanted}' any more.",
            mend="Look at the table's history; snapshots expire unless they have a name.",
        )
    return found


def name_snapshot(catalogue: Catalogue, name: TableName, snapshot_id: str, called: str) -> Snapshot:
    """Tag a snapshot."""
    seen: list[Any] = []

    def change(table: Any | None) -> Any | None:
        if table is None:
            raise no_table(name)
        seen.append(table)
        wanted = find_snapshot(table.metadata, str(name), snapshot_id)
        if (ref := table.metadata.refs.get(called)) is None:
            transaction = Staged(table)
            ManageSnapshots(transaction).create_tag(wanted.snapshot_id, called).commit()
            return transaction
        if ref.snapshot_id != wanted.snapshot_id:
            raise Conflict(
                f"Another snapshot of {name} is called '{called}'.",
                mend="Choose another name, or free this one.",
            )
        return None

    metadata = (commit(catalogue, name, change) or seen[-1]).metadata
    return snapshot_of(str(name), metadata, find_snapshot(metadata, str(name), called))


def unname_snapshot(catalogue: Catalogue, name: TableName, called: str) -> None:
    """Remove a tag."""

    def change(table: Any | None) -> Any:
        if table is None:
            raise no_table(name)
        if called not in table.metadata.refs or called == "main":
            raise NotFound(
                f"No snapshot of {name} is called '{called}'.", mend="Look at the table's history."
            )
        transaction = Staged(table)
        ManageSnapshots(transaction).remove_tag(called).commit()
        return transaction

    commit(catalogue, name, change)


def expire(catalogue: Catalogue, name: TableName, keep: timedelta, keep_last: int) -> list[str]:
    """Forget snapshots that ceased to be current longer than ``keep`` ago, but for the last and the named ones."""
    if keep_last < 1:
        raise Invalid("At least the present snapshot must be kept.", mend="Set keep_last to 1 or more.")
    before = now() - max(keep, HELD)
    gone: list[int] = []

    def change(table: Any | None) -> Any | None:
        if table is None:
            raise no_table(name)
        kept = lineage(table.metadata)
        # What counts is when a snapshot was last current: a reader may have taken it up until then.
        ended = islice(pairwise(kept), max(len(kept) - keep_last, 0))
        gone[:] = [
            found.snapshot_id
            for found, successor in ended
            if moment(successor) < before and not any(names_of(table.metadata, found.snapshot_id))
        ]
        if not gone:
            return None
        transaction = Staged(table)
        ExpireSnapshots(transaction).by_ids(gone).commit()
        return transaction

    commit(catalogue, name, change)
    return [str(found) for found in gone]


def sweep(catalogue: Catalogue, older_than: timedelta) -> Swept:
    """Remove files that no snapshot names: of loads that were killed, and of snapshots that expired."""
    if older_than < HELD:
        raise Invalid(
            f"Files younger than {HELD.total_seconds() / 3600:.0f} hours may belong to a load that is being written.",
            mend="Sweep what is older.",
        )
    filesystem, root = catalogue.filesystem()
    before = now() - older_than
    selector = pafs.FileSelector(root, allow_not_found=True, recursive=True)
    old = [
        info
        for info in filesystem.get_file_info(selector)
        if info.type == pafs.FileType.File and info.mtime is not None and info.mtime < before
    ]
    # Listed before the catalogue is read: a file that a commit takes up in between is found to be named.
    named = set(_named(catalogue))
    removed = [info for info in old if info.path not in named]
    for info in removed:
        filesystem.delete_file(info.path)
    return Swept(len(removed), sum(info.size or 0 for info in removed))


def _named(catalogue: Catalogue) -> Iterator[str]:
    """Yield the path of every file that a table needs for a snapshot that is kept."""
    for where in catalogue.pointers().values():
        metadata = catalogue.metadata(where)
        io = catalogue.io(metadata.location)
        yield catalogue.path(where)
        for entry in metadata.metadata_log:
            yield catalogue.path(entry.metadata_file)
        read: set[str] = set()
        for snapshot in metadata.snapshots:
            yield catalogue.path(snapshot.manifest_list)
            for manifest in snapshot.manifests(io):
                if manifest.manifest_path in read:
                    continue
                read.add(manifest.manifest_path)
                yield catalogue.path(manifest.manifest_path)
                for entry in manifest.fetch_manifest_entry(io, discard_deleted=True):
                    yield catalogue.path(entry.data_file.file_path)
