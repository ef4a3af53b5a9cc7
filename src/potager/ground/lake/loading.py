"""A load on its way into a table: columns agreed, files written, then one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import EqualTo
from sqlalchemy.exc import DBAPIError

from potager.ground.lake.catalogue import Catalogue
from potager.ground.lake.columns import fitted, storable
from potager.ground.lake.committing import Staged, commit
from potager.ground.lake.evolving import creation, evolve
from potager.ground.lake.faults import locked
from potager.ground.lake.names import LOAD_COLUMN, TableName, no_table
from potager.ground.lake.snapshots import LOAD, OPERATION, Operation, Snapshot, complete, lineage, snapshot_of
from potager.ground.lake.writing import LoadWriter, data_file, file_schema, fits, reread
from potager.kit.errors import Conflict, NotFound

BATCH_ROWS = 131_072

Batches = pa.RecordBatchReader | pa.Table


class Load:
    """One load, known by its id, added to a table (``append``) or put in the place of its rows (``overwrite``)."""

    def __init__(
        self,
        catalogue: Catalogue,
        name: TableName,
        load_id: str,
        how: Operation,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._name = name
        self._load_id = load_id
        self._how = how
        self._properties = properties or {}

    def bring(self, batches: Batches) -> Snapshot:
        """Write ``batches`` and commit them; a load that is there already is not read at all."""
        table = self._catalogue.table(self._name)
        if (there := self._there(table)) is not None:
            return there
        incoming = storable(batches.schema, str(self._name))
        writer = self._writer(self._transaction(table, incoming))
        try:
            reader = batches if isinstance(batches, pa.RecordBatchReader) else batches.to_reader(BATCH_ROWS)
            writer.write(fitted(batch, writer.visible, str(self._name)) for batch in reader)
        except BaseException:
            writer.discard()
            raise
        return self._land(writer, incoming)

    def _land(self, writer: LoadWriter, incoming: pa.Schema) -> Snapshot:
        """Commit the written files, whatever others did to the table meanwhile."""
        found: list[Snapshot] = []
        made: list[int] = []

        def change(table: Any | None) -> Any | None:
            nonlocal writer
            if (
                there := self._there(table)
            ) is not None:  # the same load, brought by another process meanwhile
                found.append(there)
                return None
            transaction = self._transaction(table, incoming)
            writer = self._refitted(writer, transaction)
            made.append(self._stage(transaction, table, writer))
            return transaction

        try:
            table = commit(self._catalogue, self._name, change)
        except DBAPIError as error:
            if locked(error):  # else the connection broke, perhaps after the commit: the files must stay
                writer.discard()
            raise
        except BaseException:
            writer.discard()
            raise
        if table is None:
            writer.discard()
            return found[0]
        return snapshot_of(str(self._name), table.metadata, table.metadata.snapshot_by_id(made[-1]))

    def _transaction(self, table: Any | None, incoming: pa.Schema) -> Any:
        if table is None:
            return creation(self._catalogue, self._name, incoming)
        transaction = Staged(table)
        evolve(transaction, self._name, incoming, replacing=self._how == "overwrite")
        return transaction

    def _writer(self, transaction: Any) -> LoadWriter:
        metadata = transaction.table_metadata
        io = self._catalogue.io(metadata.location)
        return LoadWriter(io, f"{metadata.location}/data", metadata.schema(), self._load_id)

    def _refitted(self, writer: LoadWriter, transaction: Any) -> LoadWriter:
        """Return the files written anew when others changed the columns so that ids or types are now different."""
        if fits(writer.arrow, file_schema(transaction.table_metadata.schema())):
            return writer
        anew = self._writer(transaction)
        try:
            batches = reread(anew.io, writer.files)
            anew.write(fitted(batch, anew.visible, str(self._name)) for batch in batches)
        except BaseException:
            anew.discard()
            raise
        writer.discard()
        return anew

    def _stage(self, transaction: Any, table: Any | None, writer: LoadWriter) -> int:
        update = transaction.update_snapshot(summary(self._load_id, self._how, self._properties))
        metadata = transaction.table_metadata
        replacing = self._how == "overwrite"
        producer = update.overwrite() if replacing else update.merge_append()
        if replacing and table is not None:
            for task in table.scan().plan_files():
                producer.delete_data_file(task.file)
        for file in writer.files:
            producer.append_data_file(data_file(file, metadata, metadata.schema(), self._load_id))
        producer.commit()
        return int(producer.snapshot_id)

    def _there(self, table: Any | None) -> Snapshot | None:
        """Return the snapshot that brought this load, when the table holds it."""
        if table is None:
            return None
        last = last_of(table, str(self._name), self._load_id)
        if last is not None:
            return None if last.operation == "undo" else last
        if complete(table.metadata) or not files_of(table, self._load_id):
            return None
        # The snapshot that brought it has expired; its rows are still there, in the present one.
        present = snapshot_of(str(self._name), table.metadata, table.current_snapshot())
        return replace(present, load_id=self._load_id, operation=self._how)


def undo(catalogue: Catalogue, name: TableName, load_id: str) -> Snapshot:
    """Take one load out of a table again, in one commit of metadata alone."""
    found: list[Snapshot] = []
    made: list[int] = []

    def change(table: Any | None) -> Any | None:
        if table is None:
            raise no_table(name)
        last = last_of(table, str(name), load_id)
        if last is not None and last.operation == "undo":
            found.append(last)
            return None
        files = files_of(table, load_id)
        if last is None and not files:
            raise NotFound(f"{name} holds no load '{load_id}'.", mend="Look at the table's history.")
        if last is not None and last.added and not files:
            raise Conflict(
                f"The load '{load_id}' is not in {name} any more: a later load replaced all rows.",
                mend="There is nothing to undo.",
            )
        transaction = Staged(table)
        producer = transaction.update_snapshot(summary(load_id, "undo", {})).overwrite()
        for file in files:
            producer.delete_data_file(file)
        producer.commit()
        made.append(int(producer.snapshot_id))
        return transaction

    table = commit(catalogue, name, change)
    if table is None:
        return found[0]
    return snapshot_of(str(name), table.metadata, table.metadata.snapshot_by_id(made[-1]))


def summary(load_id: str, how: Operation, properties: Mapping[str, str]) -> dict[str, str]:
    """Return what a snapshot's summary says about the load."""
    return {**properties, LOAD: load_id, OPERATION: how}


def last_of(table: Any, name: str, load_id: str) -> Snapshot | None:
    """Return the newest kept snapshot that a load made, be it by coming or by being undone."""
    for found in reversed(lineage(table.metadata)):
        if found.summary[LOAD] == load_id:
            return snapshot_of(name, table.metadata, found)
    return None


def files_of(table: Any, load_id: str) -> list[Any]:
    """Return the data files of one load in the table's present snapshot."""
    return [task.file for task in table.scan(row_filter=EqualTo(LOAD_COLUMN, load_id)).plan_files()]
