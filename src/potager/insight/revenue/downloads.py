"""Files of a book: what its last load set aside."""

from __future__ import annotations

from collections.abc import Iterator

from potager.insight.revenue.models import Book
from potager.insight.revenue.sources import REJECTED
from potager.kit.files import csv_lines


def rejected_lines(book: Book) -> Iterator[str]:
    """Yield the rows that the last load set aside as lines of CSV; the head alone where there are none."""
    if not book.rejects_path.exists():
        yield from csv_lines(REJECTED, ())
        return
    with book.rejects_path.open(encoding="utf-8", newline="") as file:
        yield from file
