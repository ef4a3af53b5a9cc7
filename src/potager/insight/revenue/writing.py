"""Writing a book's rows as a whole into the tables that books share; other books' rows stay as they are."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from django.conf import settings

from potager.ground.lake.service import lake, warehouse
from potager.insight.revenue.models import Book
from potager.insight.revenue.sources import REJECTED
from potager.kit.files import csv_lines

if TYPE_CHECKING:
    import pyarrow as pa

MOVEMENTS = "revenue.movements"
MONTHS = "revenue.months"


@contextmanager
def one_writer() -> Iterator[None]:
    """Let one load at a time rewrite the shared tables: two at once would each forget the other's rows."""
    folder = Path(settings.POTAGER_DATA) / "revenue"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def quoted(text: str) -> str:
    """Return a text as SQL quotes it."""
    return "'" + text.replace("'", "''") + "'"


def rewrite(book: Book, table: str, rows: pa.Table) -> bool:
    """Put a book's rows in the place of those it had; return whether anything changed, and write only then."""
    store = lake()
    if not store.exists(table):
        store.overwrite(table, rows, load_id=_load_id(book, "", rows))
        return True
    current = store.current(table)
    assert current is not None
    columns = ", ".join(rows.column_names)
    read = f"SELECT {columns} FROM {table} WHERE book"  # noqa: S608 - names of ours
    at = {table: current.id}
    had = warehouse().query(f"{read} = {quoted(book.name)}", at=at).table
    if _content(had) == _content(rows):
        return False
    import pyarrow as pa

    others = warehouse().query(f"{read} <> {quoted(book.name)}", at=at).table
    whole = pa.concat_tables([others.cast(rows.schema), rows])
    store.overwrite(table, whole, load_id=_load_id(book, current.id, rows))
    return True


def _content(rows: pa.Table) -> tuple[int, ...]:
    """Return what tells one content from another, whatever the order: the count, and two sums of 64-bit hashes."""
    hashed = f"hash({', '.join(rows.column_names)})"
    with duckdb.connect(":memory:") as connection:
        connection.register("rows", rows)
        found = connection.sql(
            f"SELECT count(*), coalesce(bit_xor({hashed}), 0), coalesce(sum(CAST({hashed} AS HUGEINT)), 0) FROM rows"  # noqa: S608
        ).fetchall()
    return tuple(int(value) for value in found[0])


def _load_id(book: Book, after: str, rows: pa.Table) -> str:
    given = f"{book.pk}\n{after}\n{rows.num_rows}"
    return hashlib.sha256(given.encode()).hexdigest()[:32]


def keep_rejected(book: Book, rejected: pa.Table) -> None:
    """Keep the rows a load set aside as CSV that no spreadsheet takes for formulas."""
    path = book.rejects_path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    rows = (
        tuple(row[name] for name in REJECTED)
        for batch in rejected.to_batches(10_000)
        for row in batch.to_pylist()
    )
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(REJECTED, rows))
    partial.replace(path)
