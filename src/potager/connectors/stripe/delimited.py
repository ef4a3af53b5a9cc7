"""Rows of a CSV file with their lines, one at a time, and what its columns look like."""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from potager.connectors import files
from potager.connectors.stripe.records import text_of
from potager.connectors.stripe.units import RefusedError, time_at
from potager.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its line, its cells by header, and what is wrong where it has more or fewer than the header."""

    line: int
    cells: Mapping[str, str]
    because: str = ""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV file with a header: its columns, and how it is written."""

    path: Path
    headers: tuple[str, ...]
    shape: files.FileShape

    def rows(self) -> Iterator[CsvRow]:
        """Yield the rows, blank ones left out."""
        with text_of(self.path, self.shape.encoding) as stream, closing(_lines(stream.read)) as lines:
            for _ in range(self.shape.skip_lines):
                next(lines, None)
            reader = csv.reader(
                lines, delimiter=self.shape.delimiter, quotechar=self.shape.quote or None,
                quoting=csv.QUOTE_MINIMAL if self.shape.quote else csv.QUOTE_NONE,
                escapechar=self.shape.escape if self.shape.escape not in ("", self.shape.quote) else None,
            )  # fmt: skip
            next(reader, None)
            while True:
                line = reader.line_num + self.shape.skip_lines + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield CsvRow(line, {}, f"Line {line} cannot be read as columns: {error}.")
                    continue
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(self.headers):
                    said = f"Line {line} has {len(cells)} columns where the header has {len(self.headers)}."
                    yield CsvRow(line, {}, said)
                else:
                    pairs = zip(self.headers, (cell.strip() for cell in cells), strict=True)
                    yield CsvRow(line, dict(pairs))

    def time_in(self, header: str) -> Callable[[str], datetime | None]:
        """Return how the times of a column are read: ISO 8601, or the one way that fits all of the column."""
        formats = next((one.cast.date_formats for one in self.shape.columns if one.source_name == header), ())

        def read(text: str) -> datetime | None:
            found = set()
            for pattern in formats:
                try:
                    found.add(datetime.strptime(text, pattern).replace(tzinfo=UTC))
                except ValueError:
                    continue
            if len(found) > 1:
                raise RefusedError(f"'{text}' may be two days.", "Write dates as 2026-11-23, the year first.")
            return found.pop() if found else time_at(text)

        return read


def csv_file(path: Path, *, expected: str) -> CsvFile:
    """Return what a CSV file is like. Raises :class:`Invalid` for another kind of file and one without a header.

    ``expected`` names in words what was expected.
    """
    shape = files.inspect(path)
    if shape.format != "csv" or not shape.header:
        what = "has no header" if shape.format == "csv" else f"is no CSV file but {shape.format}"
        raise Invalid(f"{path.name} {what}.", mend=f"Give {expected}, with its header in the first line.")
    headers = tuple(column.source_name for column in shape.columns)
    return CsvFile(path, headers, shape)


def _lines(read: Callable[[int], bytes]) -> Generator[str, None, None]:
    """Yield the lines of a stream of UTF-8 with their ends; bytes that are no text come as replacement marks."""
    left = b""
    while block := read(1 << 20):
        parts = (left + block).splitlines(keepends=True)
        # A line may go on in the next block, and a carriage return may have its line feed there.
        left = parts.pop()
        for part in parts:
            yield part.decode("utf-8", "replace")
    if left:
        yield left.decode("utf-8", "replace")
