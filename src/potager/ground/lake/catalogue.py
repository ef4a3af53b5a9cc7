"""The catalogue: which tables there are and where each one's present metadata is, in the records' own database."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError
from pyiceberg.io import load_file_io
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.serializers import FromInputFile
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DBAPIError

from potager.ground.lake.faults import told
from potager.ground.lake.names import TableName, no_table
from potager.kit.errors import Invalid, Unavailable

NAME = "potager"
_METADATA_KEPT = 256
# As text: each query asks this, and building it anew would cost more than the answer. The rows may be views of others.
_POINTERS = text(
    "SELECT table_namespace, table_name, metadata_location FROM iceberg_tables "
    "WHERE catalog_name = :catalog AND (iceberg_type IS NULL OR iceberg_type = 'TABLE')"
).bindparams(catalog=NAME)
_NOTHING = text("UPDATE iceberg_tables SET metadata_location = metadata_location WHERE catalog_name = ''")


class Catalogue:
    """The tables of one lake. ``patience`` is how many seconds a locked database is waited for."""

    def __init__(self, uri: str, files: str, *, patience: float = 30.0) -> None:
        self.files = files if "://" in files else str(Path(files).expanduser().resolve())
        self.patience = patience
        with told("Opening the lake"):
            self._catalog = self._open(uri)
        self.metadata = functools.lru_cache(maxsize=_METADATA_KEPT)(self._read_metadata)

    def _open(self, uri: str) -> Any:
        url = make_url(uri)
        if url.get_backend_name() == "sqlite":
            if not url.database or url.database == ":memory:":
                raise Invalid(
                    "The lake's catalogue cannot be in memory: other processes must see it.",
                    mend="Give it a file: sqlite:////path/potager.sqlite3.",
                )
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            url = url.update_query_dict({"timeout": str(self.patience)})
        else:
            url = url.update_query_dict({"options": f"-c lock_timeout={int(self.patience * 1000)}"})
        given = {
            "uri": url.render_as_string(hide_password=False),
            "warehouse": self.files,
            "pool_pre_ping": "true",
        }
        try:
            catalog = SqlCatalog(NAME, **given)
        except DBAPIError as error:
            if "exists" not in str(error.orig):
                raise
            catalog = SqlCatalog(
                NAME, **given
            )  # another process made the catalogue's tables at the same moment
        if url.get_backend_name() == "sqlite":
            # As Django does: readers never wait for the one writer. The first connection was made before this.
            event.listen(catalog.engine, "connect", _write_ahead)
            catalog.engine.dispose()
        return catalog

    def pointers(self) -> dict[TableName, str]:
        """Return where the present metadata of every table is, in one look: all of the same moment."""
        with told("Looking for tables"), self._catalog.engine.connect() as connection:
            return {TableName(space, table): where for space, table, where in connection.execute(_POINTERS)}

    def _read_metadata(self, location: str) -> Any:
        io = load_file_io({}, location)
        return FromInputFile.table_metadata(io.new_input(location))

    def io(self, location: str) -> Any:
        """Return what reads and writes files at ``location``."""
        return load_file_io({}, location)

    def path(self, location: str) -> str:
        """Return the path of ``location`` inside its file system."""
        return str(PyArrowFileIO.parse_location(location)[2])

    def filesystem(self) -> tuple[pafs.FileSystem, str]:
        """Return the file system that holds the lake's files, and the path of their folder in it."""
        scheme, host, path = PyArrowFileIO.parse_location(self.files)
        return PyArrowFileIO({}).fs_by_scheme(scheme, host), path

    def table(self, name: TableName) -> Any | None:
        """Return Iceberg's table as it is now, or None."""
        try:
            return self._catalog.load_table(tuple(name))
        except NoSuchTableError:
            return None
        except FileNotFoundError as error:
            raise Unavailable(
                f"The catalogue knows {name}, but its metadata file is not there: {error}.",
                mend="Restore the lake's folder from the latest backup.",
            ) from error

    def creation(self, name: TableName, schema: Any, **given: Any) -> Any:
        """Return a transaction that makes the table when it commits, and not before."""
        if not self._catalog.namespace_exists(name.namespace):
            try:
                self._catalog.create_namespace(name.namespace)
            except (NamespaceAlreadyExistsError, DBAPIError):
                if not self._catalog.namespace_exists(name.namespace):
                    raise
        return self._catalog.create_table_transaction(tuple(name), schema, **given)

    def drop(self, name: TableName) -> None:
        """Forget a table; NotFound when there is none."""
        try:
            self._catalog.drop_table(tuple(name))
        except NoSuchTableError as error:
            raise no_table(name) from error

    def probe(self) -> None:
        """Take the catalogue's lock for writing and give it back; Unavailable when another process keeps it."""
        with told("A look at the catalogue"), self._catalog.engine.connect() as connection:
            connection.execute(_NOTHING)
            connection.rollback()

    def close(self) -> None:
        """Let go of the database."""
        self._catalog.close()


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
