"""Rows that were set aside: counted, tallied by reason, and written to a CSV that can be mended and imported again."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from potager.connectors.files.formats import writable
from potager.connectors.files.shapes import Rejected
from potager.kit.files import csv_lines

SHOWN = 100


def write_rejects_csv(path: Path, labels: Sequence[str], rejected: Iterable[Rejected]) -> int:
    """Write rejected rows as formula-safe CSV (line, columns, reason, raw text, then the cells); return how many.

    Rows with cells can be mended in place; rows that could not be cut into cells carry their raw text.
    """
    count = 0

    def rows() -> Iterator[Sequence[str | int | None]]:
        nonlocal count
        for row in rejected:
            count += 1
            yield line_of(row, labels)

    with writable(path), path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(header_of(labels), rows()))
    return count


def header_of(labels: Sequence[str]) -> list[str]:
    """Return the header of a rejects file."""
    return ["line", "columns", "reason", "raw", *labels]


def line_of(row: Rejected, labels: Sequence[str]) -> list[str | int | None]:
    """Return one line of a rejects file."""
    cells = row.cells or (None,) * len(labels)
    return [row.line, "; ".join(row.columns), row.reason, row.raw, *cells]


def _temporary() -> Path:
    folder = Path(tempfile.gettempdir())
    with writable(folder):
        handle, name = tempfile.mkstemp(prefix="potager-rejects-", suffix=".csv")
    os.close(handle)
    return Path(name)


class Rejects:
    """The rows set aside by one reading: ``count``, ``tally`` by (column, kind of reason), ``first`` hundred, ``path``.

    ``path`` is a CSV file, or ``None`` when nothing was set aside. A file in a temporary place lives until ``close``.
    """

    def __init__(self, labels: Sequence[str], path: Path | None = None) -> None:
        self._labels = list(labels)
        self._given = path
        self.path: Path | None = None
        self.count = 0
        self.tally: Counter[tuple[str, str]] = Counter()
        self.first: list[Rejected] = []

    def add(self, rows: Sequence[Rejected]) -> None:
        """Count and write rows in the order of the file."""
        if not rows:
            return
        self.count += len(rows)
        self.first += rows[: SHOWN - len(self.first)]
        self.tally.update((column, kind) for row in rows for column, _, kind in row.problems)
        new = self.path is None
        if self.path is None:
            self.path = self._given or _temporary()
        lines = csv_lines(header_of(self._labels), (line_of(row, self._labels) for row in rows))
        with writable(self.path), self.path.open("w" if new else "a", encoding="utf-8", newline="") as file:
            header = next(lines)
            file.writelines([header, *lines] if new else lines)

    def sentences(self) -> list[str]:
        """Return the tally in words, the most frequent reason first."""
        return [
            f"{count:,} {'row' if count == 1 else 'rows'}: {f'{column}: ' if column else ''}{kind}"
            for (column, kind), count in self.tally.most_common()
        ]

    def close(self) -> None:
        """Remove the file when it is a temporary one."""
        if self.path is not None and self._given is None:
            self.path.unlink(missing_ok=True)
            self.path = None
