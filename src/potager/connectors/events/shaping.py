"""From blocks of a file to events: rows that cannot be taken are split off in the same pass, with the reason."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from potager.connectors.events.plans import ReadPlan
from potager.connectors.events.shapes import EVENTS
from potager.connectors.events.statements import Columns, statement
from potager.connectors.files import Rejected
from potager.connectors.files.blocks import Block
from potager.connectors.files.casts import connection, quoted, reason_of

_LINK = ("alias", "alias_of", "occurred_at")
_MEMBER = ("account", "member", "occurred_at", "traits")


@dataclass(frozen=True)
class Shaped:
    """The events of a block, what it says of identities and accounts, and the rows set aside."""

    events: pa.Table
    links: pa.Table
    members: pa.Table
    rejected: list[Rejected]
    calls: int
    done: int


class Shaper:
    """Applies a plan to blocks; may be called from several threads at once. Events after ``latest`` are set aside."""

    def __init__(self, plan: ReadPlan, latest: datetime, aware: frozenset[str]) -> None:
        self._plan, self._latest, self._aware = plan, latest, aware
        self._own = threading.local()

    def _database(self) -> duckdb.DuckDBPyConnection:
        if not hasattr(self._own, "database"):
            self._own.database = connection()
            self._own.database.execute(f"SET TimeZone = {quoted(self._plan.zone)}")
        database: duckdb.DuckDBPyConnection = self._own.database
        return database

    def shape(self, block: Block) -> Shaped:
        """Return what the rows of a block are."""
        included = self._plan.file.included
        places = {column.source: f"c{at}" for at, column in enumerate(included)}
        moments = frozenset(
            column.source
            for at, column in enumerate(included)
            if pa.types.is_timestamp(block.table.column(at).type)
        )
        columns = Columns(
            places,
            moments,
            self._aware & moments,
            {column.name: f"c{at}" for at, column in enumerate(included)},
        )
        database = self._database()
        database.register("t", block.table)
        try:
            found = database.sql(statement(self._plan, columns, self._latest)).to_arrow_table()
        finally:
            database.unregister("t")
        wrong = pc.is_valid(found.column("wrong")).combine_chunks()
        rejected = list(block.set_aside)
        if pc.any(wrong).as_py():
            rejected += self._rejected(block, found, np.flatnonzero(wrong.to_numpy(zero_copy_only=False)))
            found = found.filter(pc.invert(wrong))
        links = found.filter(pc.is_valid(found.column("alias"))).select(_LINK)
        groups = found.filter(pc.equal(found.column("call"), pa.scalar("group")))
        calls = pc.not_equal(found.column("call"), pa.scalar("event"))
        events = found.filter(pc.invert(calls)).select(EVENTS.names).cast(EVENTS)
        return Shaped(
            events, _distinct(links), groups.select(_MEMBER).filter(pc.is_valid(groups.column("account"))),
            sorted(rejected, key=lambda row: row.line), found.num_rows - events.num_rows, block.done,
        )  # fmt: skip

    def _rejected(self, block: Block, found: pa.Table, rows: Any) -> list[Rejected]:
        places = rows.tolist()
        said = found.select(["wrong_column", "wrong", "value"]).take(pa.array(rows)).to_pylist()
        return [
            Rejected(
                line,
                ((row["wrong_column"], _sentence(row["value"], row["wrong"]), row["wrong"]),),
                cells,
                raw,
            )
            for line, row, (cells, raw) in zip(
                block.line_of(places), said, block.originals(places), strict=True
            )
        ]


def _sentence(value: str | None, wrong: str) -> str:
    return reason_of(value, wrong) if value is not None else f"The row {wrong}."


def _distinct(links: pa.Table) -> pa.Table:
    """Return each link once, with the first moment it was said: most rows repeat what is known."""
    if not links.num_rows:
        return links
    grouped = links.group_by(["alias", "alias_of"]).aggregate([("occurred_at", "min")])
    return grouped.rename_columns(["alias", "alias_of", "occurred_at"])
