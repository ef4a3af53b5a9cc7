"""The people and accounts behind a cell: counted, listed page by page, kept as a segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.lake.service import warehouse
from potager.insight.customers import queries as customers
from potager.insight.customers.models import Account, Person
from potager.insight.metrics.reading import Ran
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import Group, Plain, Reading
from potager.insight.usage.running import pinned, run, run_once
from potager.kit.errors import FieldProblem, Invalid

MOST_KEPT = 100_000
PAGE = 50


@dataclass(frozen=True, slots=True)
class Member:
    """One person or account: the key it is known by, and its name and page where it is a known customer."""

    key: str
    name: str = ""
    url: str = ""


@dataclass(frozen=True)
class Members:
    """One page of a group, in the order of the keys."""

    group: Group
    total: int
    items: tuple[Member, ...]
    page: int
    ran: Ran

    @property
    def more(self) -> bool:
        """Return whether there are pages after this one."""
        return self.page * PAGE < self.total


def group_of(stream: Stream, reading: Reading[Any], parameters: Plain, cell: str) -> Group:
    """Return who is behind a cell; Invalid where the reading knows no such cell."""
    if reading.group is None:
        raise Invalid(f"There is nobody behind {reading.title.lower()}.", mend="Look at another reading.")
    return reading.group(stream, parameters, cell)


def no_cell(cell: str) -> Invalid:
    """Return the problem of a cell that a reading does not have."""
    problem = FieldProblem("cell", f"There is no cell {cell[:60]!r} in this reading.")
    return Invalid(problem.problem, mend="Follow the number in the table.", errors=[problem])


def counted(group: Group) -> int:
    """Return how many are in a group."""
    rows, _ = run(f"SELECT count(*) AS n FROM ({group.sql}) AS g", group.tables, "how many")  # noqa: S608
    return int(rows["n"][0].as_py())


def members(actor: Actor, group: Group, *, page: int = 1, size: int = PAGE) -> Members:
    """Return one page of a group, with the names of those who are known customers."""
    page = max(page, 1)
    rows, ran = run_once(
        f"SELECT CAST(who AS VARCHAR) AS who FROM ({group.sql}) AS g "  # noqa: S608 - made by the readings
        f"ORDER BY who LIMIT {int(size)} OFFSET {(page - 1) * int(size)}",
        group.tables,
        f"{group.words}, page {page}",
    )
    keys = [str(key) for key in rows["who"].to_pylist()]
    return Members(group, counted(group), named(actor, group.unit, keys), page, ran)


def named(actor: Actor, unit: str, keys: list[str]) -> tuple[Member, ...]:
    """Return keys with the names and pages of those who are known customers, in one query."""
    known: dict[str, Account | Person] = {}
    if actor.holds("customers.read"):
        rows = customers.accounts(actor) if unit == "account" else customers.people(actor)
        known = {found.key: found for found in rows.filter(key__in=keys)}
    return tuple(
        Member(key, known[key].title, known[key].url()) if key in known else Member(key) for key in keys
    )


def every(group: Group) -> Iterator[str]:
    """Yield every key of a group, streamed."""
    reader = warehouse().stream(
        f"SELECT CAST(who AS VARCHAR) AS who FROM ({group.sql}) AS g ORDER BY who",  # noqa: S608 - as above
        at=pinned(group.tables),
    )
    for batch in reader:
        yield from (str(key) for key in batch.column(0).to_pylist())


def keys_to_keep(group: Group) -> list[str]:
    """Return every key of a group that is to become a segment; Invalid where they are too many for a fixed list."""
    total = counted(group)
    if total > MOST_KEPT:
        raise Invalid(
            f"{total:,} are too many for a fixed list; {MOST_KEPT:,} can be kept.",
            mend="Narrow the reading down, or download them as CSV.",
        )
    if not total:
        raise Invalid("Nobody is there to keep.", mend="Choose a cell with somebody in it.")
    return list(every(group))
