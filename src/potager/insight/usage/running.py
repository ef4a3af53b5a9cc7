"""Running a reading's SQL: pinned to snapshots, and computed once for the same words on the same snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from potager.ground.lake.service import lake, warehouse
from potager.insight.metrics.reading import Ran
from potager.kit.errors import NotFound

if TYPE_CHECKING:
    import pyarrow as pa

    from potager.ground.lake.warehouse import Result


_at: ContextVar[Mapping[str, str]] = ContextVar("usage_at", default=MappingProxyType({}))


@contextmanager
def reading_at(at: Mapping[str, str] | None) -> Iterator[None]:
    """Read these tables at these snapshots inside the block: a receipt that is run again."""
    token = _at.set(at or {})
    try:
        yield
    finally:
        _at.reset(token)


def pinned(tables: Iterable[str], at: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the snapshots to read: those given, the present ones of the other tables. NotFound without a table."""
    found = {}
    for table in sorted(set(filter(None, tables))):
        current = lake().current(table)
        if current is None:
            raise NotFound(
                f"There is no table {table} in the lake.", mend="Import its data, or name another table."
            )
        found[table] = (at or _at.get()).get(table, current.id)
    return found


def run(
    sql: str, tables: Iterable[str], role: str, *, at: Mapping[str, str] | None = None
) -> tuple[pa.Table, Ran]:
    """Return the rows of one SELECT, and how it ran. The same SELECT on the same snapshots is computed once."""
    result = _run(sql, tuple(pinned(tables, at).items()))
    return result.table, Ran(role, result.sql, result.snapshots, result.engine, result.seconds)


@lru_cache(maxsize=256)
def _run(sql: str, at: tuple[tuple[str, str], ...]) -> Result:
    return warehouse().query(sql, at=dict(at))


def run_once(
    sql: str, tables: Iterable[str], role: str, *, at: Mapping[str, str] | None = None
) -> tuple[pa.Table, Ran]:
    """Return the rows of one SELECT that is not to be remembered: a page of many."""
    result = warehouse().query(sql, at=pinned(tables, at))
    return result.table, Ran(role, result.sql, result.snapshots, result.engine, result.seconds)


def identifier(name: str) -> str:
    """Return a column's name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text as SQL quotes it."""
    return "'" + value.replace("'", "''") + "'"
