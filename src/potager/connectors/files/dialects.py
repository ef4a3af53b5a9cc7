"""Finding the delimiter, the quote, the header and what stands above it, from the first lines of a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from potager.connectors.files.shapes import ReadOptions

_DELIMITERS = (",", ";", "\t", "|")
_LINES = 200
_NUMBER = re.compile(r"[(+-]?[\s€$£]*\d[\d.,\s'’]*%?\)?[\s€$£]*")
_MOMENT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a CSV file is laid out. ``width`` is the number of cells in most rows."""

    delimiter: str
    quote: str
    escape: str
    header: bool
    skip_lines: int
    width: int


def layout_of(text: str, options: ReadOptions, extension: str) -> Layout:
    """Return the layout of the text at the beginning of a file (whole lines)."""
    lines = text.splitlines(keepends=True)[:_LINES]
    quote = options.quote if options.quote is not None else _quote(lines, options.delimiter)
    sample = "".join(lines)
    escape = (
        "\\"
        if quote and f"\\{quote}" in sample and f'"{quote}{quote}' not in sample and _escaped(sample, quote)
        else ""
    )
    if options.delimiter:
        delimiter = options.delimiter
    else:
        preferred = ("\t", *_DELIMITERS) if extension in {".tsv", ".tab"} else _DELIMITERS
        delimiter = max(dict.fromkeys(preferred), key=lambda one: _consistency(lines, one, quote, escape))
    rows = _rows(lines, delimiter, quote, escape)
    widths = Counter(len(row) for _, row in rows if row)
    width = _usual(widths)
    skip = options.skip_lines if options.skip_lines is not None else _preamble(rows, width)
    table = [row for line, row in rows if row and line > skip]
    header = options.header if options.header is not None else has_header(table)
    return Layout(delimiter, quote, escape, header, skip, width)


def _usual(widths: Counter[int]) -> int:
    """Return the width that most rows have; the wider one when two are as frequent."""
    return max(widths, key=lambda width: (widths[width], width), default=0)


def _quote(lines: Sequence[str], delimiter: str | None) -> str:
    """Return the quote character: a double quote unless only single ones enclose cells."""
    marks = re.escape(delimiter) if delimiter else r",;\t|"
    sample = "".join(lines)

    def enclosing(quote: str) -> int:
        return len(
            re.findall(
                rf"(?:^|[{marks}]){quote}[^{quote}\n]*{quote}(?=[{marks}\r\n]|$)", sample, re.MULTILINE
            )
        )

    return "'" if enclosing("'") and not enclosing('"') and "'" in sample and '"' not in sample else '"'


def _escaped(sample: str, quote: str) -> bool:
    """Say whether quotes inside cells are escaped with a backslash: text goes on after the quote."""
    return bool(re.search(rf"\\{quote}[^,;\t|\r\n{quote}]", sample))


def _rows(lines: Sequence[str], delimiter: str, quote: str, escape: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO("".join(lines), newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar=escape or None,
    )
    rows: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for row in reader:
            rows.append((before + 1, row))
            before = reader.line_num
    except csv.Error:  # a cell of more than 128 KB: the rows before it tell enough
        return rows
    return rows


def _consistency(lines: Sequence[str], delimiter: str, quote: str, escape: str) -> tuple[float, int]:
    """Score a delimiter: the share of rows with the usual width, then the width; one column scores nothing."""
    widths = Counter(len(row) for _, row in _rows(lines, delimiter, quote, escape) if row)
    width = _usual(widths)
    if width < 2:
        wide = sum(count for cells, count in widths.items() if cells > 1)
        return (0.01 * wide / max(1, widths.total()), 0)
    return (round(widths[width] / widths.total(), 1), width)


def _preamble(rows: Sequence[tuple[int, list[str]]], width: int) -> int:
    """Return how many lines stand above the table: titles and notes, narrower than the rows."""
    if width < 3:
        return 0
    for line, row in rows[:30]:
        if len([cell for cell in row if cell.strip()]) > max(1, width // 2):
            return line - 1
    return 0


def looks_like_value(cell: str) -> bool:
    """Say whether a cell is a number, a date or a truth value rather than a name."""
    text = cell.strip()
    return bool(_NUMBER.fullmatch(text) or _MOMENT.fullmatch(text)) or text.lower() in {"true", "false"}


def has_header(table: Sequence[Sequence[str]]) -> bool:
    """Say whether the first row holds names: no values among them, while the rows below have some or differ in kind."""
    if not table:
        return True
    first, below = table[0], table[1:50]
    filled = [cell for cell in first if cell.strip()]
    if not filled or any(
        looks_like_value(cell) and not re.fullmatch(r"(19|20)\d\d", cell.strip()) for cell in filled
    ):
        return False
    if not below:
        return True
    columns = range(len(first))
    valued = sum(
        1
        for at in columns
        if sum(looks_like_value(row[at]) for row in below if at < len(row)) > len(below) / 2
    )
    if valued:
        return True
    # Only text everywhere: a first row that occurs again is a row like the others.
    repeated = sum(
        1
        for at in columns
        if any(at < len(row) and row[at] == first[at] and first[at].strip() for row in below)
    )
    return repeated == 0
