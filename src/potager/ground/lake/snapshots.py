"""Snapshots: a table as it was after one load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

Operation = Literal["append", "overwrite", "undo"]

LOAD = "potager.load"
OPERATION = "potager.operation"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A table as it was after one load: ``rows`` are those of the whole table, ``added`` and ``removed`` the load's.

    ``names`` are the names people gave it; a named snapshot does not expire.
    """

    table: str
    id: str
    at: datetime
    rows: int
    load_id: str
    operation: Operation
    added: int = 0
    removed: int = 0
    names: tuple[str, ...] = ()


def snapshot_of(table: str, metadata: Any, found: Any) -> Snapshot:
    """Return Iceberg's snapshot ``found`` of a table with this ``metadata`` in our words."""
    summary = found.summary
    return Snapshot(
        table=table,
        id=str(found.snapshot_id),
        at=moment(found),
        rows=int(summary["total-records"] or 0),
        load_id=summary[LOAD] or "",
        operation=cast(Operation, summary[OPERATION] or summary.operation.value),
        added=int(summary["added-records"] or 0),
        removed=int(summary["deleted-records"] or 0),
        names=tuple(sorted(names_of(metadata, found.snapshot_id))),
    )


def moment(found: Any) -> datetime:
    """Return when Iceberg's snapshot ``found`` was made, in UTC."""
    return datetime.fromtimestamp(found.timestamp_ms / 1000, UTC)


def names_of(metadata: Any, snapshot_id: int) -> Iterator[str]:
    """Yield the names (Iceberg tags) of one snapshot."""
    for name, ref in metadata.refs.items():
        if ref.snapshot_id == snapshot_id and name != "main":
            yield name


def lineage(metadata: Any) -> list[Any]:
    """Return the snapshots that are kept, oldest first (there is one line of them: each was current once)."""
    return sorted(metadata.snapshots, key=lambda found: found.sequence_number)


def complete(metadata: Any) -> bool:
    """Return whether no snapshot has expired: each one made had the next sequence number."""
    return len(metadata.snapshots) == int(metadata.last_sequence_number)


def loads_of(metadata: Any, io: Any) -> dict[str, int]:
    """Return the loads in the present snapshot, with the rows of each."""
    found: dict[str, int] = {}
    snapshot = metadata.current_snapshot()
    for manifest in snapshot.manifests(io) if snapshot is not None else ():
        for entry in manifest.fetch_manifest_entry(io, discard_deleted=True):
            load = str(entry.data_file.partition[0])
            found[load] = found.get(load, 0) + int(entry.data_file.record_count)
    return found
