"""What is kept on disk while a file of events is read, so that memory stays bounded: events, links, accounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from potager.connectors.events.identities import Merged, follow
from potager.connectors.events.shapes import ACCOUNTS, EVENTS
from potager.connectors.events.shaping import Shaped
from potager.connectors.files.casts import quoted

_ROWS = 122_880
_MEMORY = "1GB"


class Kept:
    """A folder with what was read; gone after ``close``. ``duplicates`` is known after ``finish``."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = TemporaryDirectory(prefix="potager-events-", dir=folder)
        self._file = Path(self._folder.name) / "events.parquet"
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(self._file, EVENTS, compression="lz4")
        self._database = duckdb.connect(
            str(Path(self._folder.name) / "kept.duckdb"),
            config={"memory_limit": _MEMORY, "temp_directory": self._folder.name},
        )
        self._database.execute("SET TimeZone = 'UTC'")
        self._database.execute("CREATE TABLE links (alias VARCHAR, person VARCHAR, since TIMESTAMPTZ)")
        self._database.execute(
            "CREATE TABLE members (account VARCHAR, person VARCHAR, since TIMESTAMPTZ, traits VARCHAR)"
        )
        self.duplicates = 0

    def add(self, shaped: Shaped) -> None:
        """Keep what one block gave."""
        assert self._writer is not None  # nothing is added after the end
        if shaped.events.num_rows:
            self._writer.write_table(shaped.events, row_group_size=_ROWS)
        for name, table in (("links", shaped.links), ("members", shaped.members)):
            if table.num_rows:
                self._database.register("given", table)
                self._database.execute(f"INSERT INTO {name} SELECT * FROM given")  # noqa: S608 - names and paths of ours, quoted
                self._database.unregister("given")

    def finish(self) -> None:
        """Find the events that repeat another by their id."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        run, source = (
            self._database.execute,
            f"read_parquet({quoted(str(self._file))}, file_row_number = true)",
        )
        # Few ids repeat: their hashes tell which are worth comparing by name.
        run(
            "CREATE TEMP TABLE suspects AS SELECT h FROM (SELECT hash(event_id) AS h "  # noqa: S608 - names and paths of ours, quoted
            f"FROM {source} WHERE event_id IS NOT NULL) GROUP BY h HAVING count(*) > 1"
        )
        run(
            "CREATE TEMP TABLE repeated AS SELECT file_row_number AS place FROM "  # noqa: S608 - names and paths of ours, quoted
            f"(SELECT file_row_number, event_id FROM {source} WHERE event_id IS NOT NULL AND "
            "hash(event_id) IN (SELECT h FROM suspects)) "
            "QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY file_row_number) > 1"
        )
        self.duplicates = int(run("SELECT count(*) FROM repeated").fetchall()[0][0])
        run(
            "CREATE TEMP TABLE homes AS SELECT person, min(account) AS account FROM members "
            "WHERE person IS NOT NULL GROUP BY person HAVING count(DISTINCT account) = 1"
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the events once each, in the order of the file.

        An event that names no account belongs to that of its person, where group calls name one and no other.
        """
        homes = self._database.execute("SELECT count(*) FROM homes").fetchall()[0][0]
        if not self.duplicates and not homes:
            with pq.ParquetFile(self._file) as file:
                yield from file.iter_batches(_ROWS)
            return
        account = "coalesce(e.account, h.account)" if homes else "e.account"
        shown = ", ".join(
            f"{account} AS account" if name == "account" else f"e.{name}" for name in EVENTS.names
        )
        joined = "LEFT JOIN homes AS h ON h.person = e.person" if homes else ""
        once = "ANTI JOIN repeated AS r ON r.place = e.file_row_number" if self.duplicates else ""
        found = self._database.sql(
            f"SELECT {shown} FROM read_parquet({quoted(str(self._file))}, file_row_number = true) AS e "  # noqa: S608 - names and paths of ours, quoted
            f"{once} {joined}"
        )
        for batch in found.to_arrow_reader(_ROWS):
            yield from pa.Table.from_batches([batch]).cast(EVENTS).to_batches()

    def identities(self) -> Merged:
        """Return who is who. Raises :class:`Invalid` for links that go in a circle."""
        with self._database.cursor() as cursor:  # the batches may still be on their way over the other
            return follow(cursor, "links")

    def accounts(self) -> pa.Table:
        """Return each account and who belongs to it since when, with the traits last said of the account."""
        with self._database.cursor() as cursor:
            found: pa.Table = cursor.sql(
                "SELECT account, person, min(m.since) AS since, "
                "arg_max(traits, m.since) FILTER (traits IS NOT NULL) AS traits "
                "FROM members AS m GROUP BY account, person ORDER BY account, person"
            ).to_arrow_table()
        return found.cast(ACCOUNTS)

    def close(self) -> None:
        """Take everything away."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._database.close()
        self._folder.cleanup()
