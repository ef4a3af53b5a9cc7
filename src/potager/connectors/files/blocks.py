"""What every format gives: blocks of rows as Arrow columns, and a way back from a row to its line and its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.shapes import Rejected, invalid, listed

if TYPE_CHECKING:
    import pyarrow as pa

Original = tuple[tuple[str | None, ...], str]  # all cells of a row, or its raw text where there are no cells


@dataclass(frozen=True)
class Block:
    """Rows in the order of the file. ``table`` holds the included columns of the plan in order, named c0, c1 …

    A column is text, or in its final type when its place is in ``final``. ``line_of`` and ``originals`` say where rows
    (by place in the table) stand in the file and what stands there; they are asked for rejected rows only.
    """

    table: pa.Table
    final: frozenset[int]
    done: int
    line_of: Callable[[Sequence[int]], list[int]]
    originals: Callable[[Sequence[int]], list[Original]]
    set_aside: tuple[Rejected, ...] = ()


class Source(Protocol):
    """One file being read: ``work`` is run in order by one thread, ``block`` by several."""

    labels: list[str]
    notes: list[str]
    total: int
    unit: Literal["bytes", "rows"]

    def work(self) -> Iterator[Any]:
        """Yield pieces of the file."""
        ...

    def block(self, piece: Any) -> Block:
        """Read one piece."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def positions(plan: ReadPlan, labels: Sequence[str], where: str) -> tuple[list[int], list[str]]:
    """Return where the included columns stand among ``labels``, and notes; refuse when one is not there."""
    at = {label: position for position, label in enumerate(labels)}
    missing = [column.source for column in plan.included if column.source not in at]
    if missing:
        problem = f"{where} has no column {listed(missing)}; its columns are {listed(labels, 12)}."
        raise invalid("columns", problem, "Map the columns again, or give a file with the same header.")
    known = {column.source for column in plan.columns}
    new = [label for label in labels if label not in known]
    return [at[column.source] for column in plan.included], [
        f"Not in the plan, not read: {listed(new)}."
    ] if new else []


def names(count: int) -> list[str]:
    """Return the internal column names c0, c1 …"""
    return [f"c{position}" for position in range(count)]
