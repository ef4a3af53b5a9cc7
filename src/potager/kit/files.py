"""Files that people open elsewhere: CSV that no spreadsheet will run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def formula_safe(value: Any) -> Any:
    """Return ``value`` so that a spreadsheet shows it and never runs it (OWASP CSV injection).

    Text that would start a formula gets a leading apostrophe; numbers and everything else stay as they are.
    """
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return "'" + value
    return value


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield CSV text line by line, formula-safe, for streaming downloads."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in chain([header], rows):
        writer.writerow([formula_safe(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
