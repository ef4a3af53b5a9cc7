"""Tables that grow by whole loads: atomic, idempotent, undone as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from potager.ground.lake.names import checked_name
from potager.kit.clock import now
from potager.kit.errors import Conflict, FieldProblem, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

LOAD = "potager.load"
KEEP_HOURS = 24
_LOAD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a table held at a moment. ``rows`` is the table's total, ``load_id`` what brought it about."""

    table: str
    id: str
    at: datetime
    rows: int
    load_id: str
    operation: str


class Lake:
    """The tables under one catalogue. ``files`` is a folder or an object store's address.

    ``before_commit`` is called before anything is committed to the catalogue.
    """

    def __init__(
        self, catalog_uri: str, files: str, *, before_commit: Callable[[], None] | None = None
    ) -> None:
        self.catalog_uri, self.files = catalog_uri, files
        self._before_commit = before_commit or (lambda: None)
        self._catalog: SqlCatalog | None = None

    @property
    def catalog(self) -> SqlCatalog:
        """Return the catalogue, connected on first use."""
        if self._catalog is None:
            from pyiceberg.catalog.sql import SqlCatalog
            from sqlalchemy.exc import SQLAlchemyError

            uri = self.catalog_uri
            if uri.startswith("sqlite") and "?" not in uri:
                uri += "?timeout=30"
            warehouse = self.files if "://" in self.files else f"file://{self.files}"
            try:
                self._catalog = SqlCatalog("potager", uri=uri, warehouse=warehouse)
            except SQLAlchemyError as error:
                raise self._catalog_away(error) from error
        return self._catalog

    def _catalog_away(self, error: Exception) -> Unavailable:
        reason = str(getattr(error, "orig", error)).partition("\n")[0]
        mend = "Another program may hold the database; try again in a moment, or run 'potager doctor'."
        return Unavailable(f"The lake's catalogue does not answer: {reason}.", mend=mend)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Turn what can go wrong outside into sentences."""
        from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            raise self._catalog_away(error) from error
        except (CommitFailedException, CommitStateUnknownException) as error:
            mend = "Nothing was lost; try again when the others are done."
            raise Unavailable("Too many loads went into this table at once.", mend=mend) from error
        except OSError as error:
            if error.errno is None and not error.strerror:
                raise
            mend = "Free some space, or let Potager write to the lake's files; then do it again. Nothing was half kept."
            raise Unavailable(
                f"The lake's files cannot be written: {error.strerror or error}.", mend=mend
            ) from error

    def tables(self) -> list[str]:
        """Return the names of all tables."""
        with self._talking():
            found = [
                ".".join(identifier)
                for namespace in self.catalog.list_namespaces()
                for identifier in self.catalog.list_tables(namespace)
            ]
        return sorted(found)

    def exists(self, name: str) -> bool:
        """Return whether there is a table of this name."""
        with self._talking():
            return bool(self.catalog.table_exists(checked_name(name)))

    def table(self, name: str) -> Table:
        """Return the Iceberg table."""
        from pyiceberg.exceptions import NoSuchTableError

        with self._talking():
            try:
                return self.catalog.load_table(checked_name(name))
            except NoSuchTableError:
                raise NotFound(f"There is no table {name}.", mend="Import a file into it first.") from None

    def schema(self, name: str) -> pa.Schema:
        """Return a table's columns."""
        from pyiceberg.io.pyarrow import schema_to_pyarrow

        schema: pa.Schema = schema_to_pyarrow(self.table(name).schema(), include_field_ids=False)
        return plain(schema)

    def history(self, name: str) -> list[Snapshot]:
        """Return a table's snapshots, oldest first, as far as they are kept."""
        return [_snapshot(name, found) for found in self.table(name).snapshots()]

    def current(self, name: str) -> Snapshot | None:
        """Return what a table holds now."""
        found = self.table(name).current_snapshot()
        return None if found is None else _snapshot(name, found)

    def loads(self, name: str) -> dict[str, int]:
        """Return the loads a table holds now, with the rows of each."""
        found: dict[str, int] = {}
        for file in data_files(self.table(name)):
            load = load_of(file)
            found[load] = found.get(load, 0) + int(file.record_count)
        return found

    def append(
        self,
        name: str,
        batches: pa.RecordBatchReader | pa.Table,
        *,
        load_id: str,
        properties: Mapping[str, str] | None = None,
    ) -> Snapshot:
        """Add rows as one load, visible all at once.

        A load that the table holds already adds nothing. Batches are written as they come; memory holds one row
        group. Columns may be new or wider; one that cannot hold both old and new is refused.
        """
        return self._write(name, batches, load_id, properties or {}, replace=False)

    def overwrite(
        self,
        name: str,
        batches: pa.RecordBatchReader | pa.Table,
        *,
        load_id: str,
        properties: Mapping[str, str] | None = None,
    ) -> Snapshot:
        """Replace all rows of a table at once."""
        return self._write(name, batches, load_id, properties or {}, replace=True)

    def _write(
        self, name: str, batches: Any, load_id: str, properties: Mapping[str, str], *, replace: bool
    ) -> Snapshot:
        from potager.ground.lake.writing import evolve, open_table, write_files

        if not _LOAD_ID.fullmatch(load_id):
            raise Invalid(f"'{load_id}' is not a load id.", mend="Use letters, digits and dashes.")
        reader = batches if hasattr(batches, "read_next_batch") else batches.to_reader()
        self._before_commit()
        with self._talking():
            table = open_table(self.catalog, checked_name(name), reader.schema)
            if load_id in self.loads(name):
                known = self.current(name)
                assert known is not None
                return known
            evolve(table, reader.schema)
            files = write_files(table, reader, load_id)
            try:
                return self._commit(name, files, load_id, properties, replace=replace)
            except BaseException:
                for file in files:
                    table.io.delete(file.file_path)
                raise

    def _commit(
        self, name: str, files: list[DataFile], load_id: str, properties: Mapping[str, str], *, replace: bool
    ) -> Snapshot:
        table = self.table(name)
        said = {LOAD: load_id, **properties}
        if load_id in self.loads(name):  # another process was faster with the same load
            raise Conflict(
                f"The load {load_id} has just been added by somebody else.", mend="There is nothing to do."
            )
        with table.transaction() as transaction:
            update = transaction.update_snapshot(snapshot_properties=said)
            if replace:
                with update.overwrite() as producer:
                    for old in data_files(table):
                        producer.delete_data_file(old)
                    for file in files:
                        producer.append_data_file(file)
            else:
                with update.fast_append() as producer:
                    for file in files:
                        producer.append_data_file(file)
        return next(found for found in reversed(self.history(name)) if found.load_id == load_id)

    def undo(self, name: str, load_id: str) -> Snapshot:
        """Take exactly one load out of a table; undoing twice changes nothing."""
        self._before_commit()
        with self._talking():
            table = self.table(name)
            files = [file for file in data_files(table) if load_of(file) == load_id]
            if files:
                said = {LOAD: f"undo-{load_id}"[:64]}
                with (
                    table.transaction() as transaction,
                    transaction.update_snapshot(snapshot_properties=said).overwrite() as producer,
                ):
                    for file in files:
                        producer.delete_data_file(file)
        found = self.current(name)
        if found is None:
            raise NotFound(f"The table {name} never held anything.")
        return found

    def drop(self, name: str) -> None:
        """Remove a table from the catalogue; its files go with the next sweep."""
        self._before_commit()
        with self._talking():
            self.catalog.drop_table(checked_name(name))

    def keep(self, name: str, snapshot_id: str, tag: str) -> None:
        """Name a snapshot, so that it is not expired while the name stands."""
        if not _LOAD_ID.fullmatch(tag):
            problem = FieldProblem("tag", f"'{tag}' is not a name for a snapshot.")
            raise Invalid(problem.problem, mend="Use letters, digits and dashes.", errors=[problem])
        self._before_commit()
        with self._talking():
            self.table(name).manage_snapshots().create_tag(int(snapshot_id), tag).commit()

    def expire(self, name: str, *, keep_days: int = 30) -> int:
        """Forget snapshots older than ``keep_days`` that nobody named; return how many.

        Never younger than a day, so that whoever reads one may finish.
        """
        table = self.table(name)
        before = now() - max(timedelta(days=keep_days), timedelta(hours=KEEP_HOURS))
        current = table.current_snapshot()
        named = {reference.snapshot_id for reference in table.refs().values()}
        old = [
            found.snapshot_id
            for found in table.snapshots()
            if _at(found) < before and found.snapshot_id not in named and found is not current
        ]
        if old:
            self._before_commit()
            with self._talking():
                table.maintenance.expire_snapshots().by_ids(old).commit()
        return len(old)


def data_files(table: Table, snapshot_id: int | None = None) -> list[DataFile]:
    """Return the data files of a snapshot (by default the current one), in the order of their names."""
    if table.current_snapshot() is None:
        return []
    scan = table.scan(snapshot_id=snapshot_id)
    return sorted((task.file for task in scan.plan_files()), key=lambda file: file.file_path)


def load_of(file: DataFile) -> str:
    """Return the load that a data file belongs to: its name begins with it, and no file mixes loads."""
    return PurePosixPath(file.file_path).name.rpartition("--")[0]


def plain(schema: pa.Schema) -> pa.Schema:
    """Return the schema with ordinary string types and without metadata."""
    import pyarrow as pa

    from potager.ground.lake.names import stored_type

    return pa.schema([pa.field(field.name, stored_type(field.type)) for field in schema])


def _at(found: IcebergSnapshot) -> datetime:
    return datetime.fromtimestamp(found.timestamp_ms / 1000, UTC)


def _snapshot(name: str, found: IcebergSnapshot) -> Snapshot:
    summary: dict[str, Any] = dict(found.summary.additional_properties) if found.summary else {}
    return Snapshot(
        table=name,
        id=str(found.snapshot_id),
        at=_at(found),
        rows=int(summary.get("total-records", 0)),
        load_id=str(summary.get(LOAD, "")),
        operation=str(found.summary.operation.value) if found.summary else "",
    )
