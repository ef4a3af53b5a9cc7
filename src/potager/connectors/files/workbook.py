"""Reading Excel workbooks (.xlsx) row by row: stored values of formulas, dates as dates, error cells as words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal
from zipfile import BadZipFile

from potager.connectors.files.blocks import Block, Original, names, positions
from potager.connectors.files.formats import readable
from potager.connectors.files.names import labels_of
from potager.connectors.files.plans import ReadPlan
from potager.connectors.files.shapes import Rejected, invalid, listed

_ROWS = 20_000
Row = tuple[int, tuple[str, ...]]


def text_of(value: Any) -> str:
    """Return the text of a cell as the rules of a plan read it: ISO dates, true and false, numbers without loss."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time.min
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


@dataclass(frozen=True)
class Sheet:
    """An open worksheet: its name, the names of all sheets, and its rows once."""

    book: Any
    file: BinaryIO
    name: str
    names: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """Yield (row number, cells) of the rows that are not blank, without the empty cells at their end."""
        sheet = self.book[self.name]
        sheet.reset_dimensions()  # writers may store a wrong size
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells = [text_of(value) for value in row]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield number, tuple(cells)

    def first(self, count: int) -> list[Row]:
        """Return the first rows that are not blank."""
        return list(islice(self.rows(), count))

    def close(self) -> None:
        """Close the workbook."""
        self.book.close()
        self.file.close()


def open_sheet(path: Path, name: str = "", *, formulas: bool = False) -> Sheet:
    """Open one worksheet (the first that has rows when no name is given) for reading."""
    import openpyxl

    with readable(path):
        file = path.open("rb")  # openpyxl refuses a path by its name, whatever it holds
    try:
        with readable(path):
            book = openpyxl.load_workbook(file, read_only=True, data_only=not formulas, keep_links=False)
        sheets = tuple(sheet.title for sheet in book.worksheets)
        if name and name not in sheets:
            problem = f"{path.name} has no sheet “{name}”; it has {listed(sheets, 12)}."
            raise invalid("sheet", problem, "Choose one of them.")
        filled = (title for title in sheets if any(True for _ in Sheet(book, file, title, sheets).rows()))
        found = name or next(filled, "")
        if not found:
            raise invalid("path", f"{path.name} has no sheet with rows.", "Give a workbook with a table.")
    except (KeyError, ValueError, SyntaxError, BadZipFile, OverflowError, TypeError) as error:
        file.close()
        problem = f"{path.name} is a damaged Excel workbook: {error}"
        raise invalid("path", problem, "Open it in Excel and save it again.") from error
    except BaseException:
        file.close()
        raise
    return Sheet(book, file, found, sheets)


def without_results(path: Path, name: str, rows: int = 100) -> int:
    """Count the formulas in the first rows of a sheet for which the workbook stores no result."""
    stored, written = open_sheet(path, name), open_sheet(path, name, formulas=True)
    both = zip(
        *(islice(sheet.book[name].iter_rows(values_only=True), rows) for sheet in (stored, written)),
        strict=False,
    )
    count = sum(
        1 for values, formulas in both for value, formula in zip(values, formulas, strict=False)
        if value is None and formula is not None
    )  # fmt: skip
    stored.close()
    written.close()
    return count


@dataclass(frozen=True)
class Piece:
    """Rows of a worksheet and how many rows of the sheet are done."""

    rows: list[Row]
    done: int


class Workbook:
    """An Excel worksheet being read by a plan."""

    unit: Literal["bytes", "rows"] = "rows"

    def __init__(self, path: Path, plan: ReadPlan) -> None:
        self._path = path
        self._sheet = open_sheet(path, plan.sheet)
        self.total = 0
        with suppress(AttributeError, TypeError):
            self.total = int(self._sheet.book[self._sheet.name].max_row or 0)
        self._rows = (row for row in self._sheet.rows() if row[0] > plan.skip_lines)
        if plan.header:
            first = next(self._rows, None)
            if first is None:
                raise invalid(
                    "header", f"The sheet “{self._sheet.name}” has no header.", "Say how many lines to skip."
                )
            self.labels = labels_of(first[1])
            sources = {column.source for column in plan.columns}
            while (beyond := f"column {len(self.labels) + 1}") in sources:
                self.labels.append(beyond)
        else:
            self.labels = labels_of([None] * len(plan.columns))
        self._at, self.notes = positions(plan, self.labels, path.name)

    def work(self) -> Iterator[Piece]:
        """Yield pieces of the sheet."""
        with readable(self._path):
            while rows := list(islice(self._rows, _ROWS)):
                self.total = max(self.total, rows[-1][0])
                yield Piece(rows, rows[-1][0])

    def close(self) -> None:
        """Close the workbook."""
        self._sheet.close()

    def block(self, piece: Piece) -> Block:
        """Return the cells of the planned columns as text; rows that are wider than the header are set aside."""
        import pyarrow as pa

        width = len(self.labels)
        kind = f"The row has more cells than the {width} columns."
        aside = tuple(
            Rejected(number, (("", f"The row has {len(cells)} cells, not {width}.", kind),), raw=" | ".join(cells))
            for number, cells in piece.rows if len(cells) > width
        )  # fmt: skip
        rows = [
            (number, cells + ("",) * (width - len(cells)))
            for number, cells in piece.rows
            if len(cells) <= width
        ]
        arrays = [pa.array([cells[at] for _, cells in rows], pa.string()) for at in self._at]

        def line_of(asked: Sequence[int]) -> list[int]:
            return [rows[row][0] for row in asked]

        def originals(asked: Sequence[int]) -> list[Original]:
            return [(rows[row][1], "") for row in asked]

        return Block(
            pa.table(arrays, names=names(len(arrays))), frozenset(), piece.done, line_of, originals, aside
        )
