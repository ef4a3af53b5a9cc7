"""The words of reading files: options, what a file looks like, how a column is read, progress, rejected rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["csv", "jsonl", "json", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "json", "parquet", "xlsx")
TYPES = ("text", "integer", "number", "decimal(18,4)", "boolean", "date", "timestamp", "json")
EXCEL_ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")
_DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person may say about a file before it is inspected; ``None`` means: find out.

    ``longest_line`` is the most bytes one line (or one quoted record) may have; ``whole_up_to`` is the size in bytes
    up to which every row is evidence for the types (above it, rows from the whole length of the file are sampled).
    """

    format: Format | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    header: bool | None = None
    skip_lines: int | None = None
    sheet: str | None = None
    longest_line: int = 8 << 20
    whole_up_to: int = 64 << 20
    most_unpacked: int = 16 << 30


def decimal_places(type_: str) -> tuple[int, int] | None:
    """Return ``(precision, scale)`` of ``decimal(p,s)``, or ``None`` when ``type_`` is not a decimal that exists."""
    found = _DECIMAL.fullmatch(type_)
    if not found:
        return None
    precision, scale = int(found[1]), int(found[2])
    return (precision, scale) if 1 <= precision <= 38 and scale <= precision else None


@dataclass(frozen=True, slots=True)
class Cast:
    """How the text of one column becomes values.

    ``type``: text, integer, number (double), ``decimal(p,s)``, boolean, date, timestamp or json (kept as text).
    ``date_formats``: strptime formats beside ISO 8601; when both orders of day and month are listed, a value that
    fits both is ambiguous and set aside. ``decimal_mark``: ``.``, ``,`` or ``mixed`` (each value must be unmistakable).
    ``percent``: every value has a percent sign and becomes a share (12% is 0.12). ``null_words`` mean "no value".
    """

    type: str = "text"
    date_formats: tuple[str, ...] = ()
    decimal_mark: str = "."
    percent: bool = False
    null_words: tuple[str, ...] = ("",)

    @property
    def label(self) -> str:
        """How a person would name this reading."""
        if self.type in {"date", "timestamp"} and self.date_formats:
            return f"{self.type} ({', '.join(self.date_formats)})"
        if self.decimal_mark != ".":
            return f"{self.type} (decimal mark {self.decimal_mark})"
        return self.type


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """One column as it was found: the proposed name and reading, and what speaks for others."""

    name: str
    source_name: str
    cast: Cast
    share_null: float
    samples: tuple[str, ...] = ()
    alternatives: tuple[Cast, ...] = ()
    note: str = ""
    include: bool = True

    @property
    def type(self) -> str:
        """The proposed type."""
        return self.cast.type


@dataclass(frozen=True, slots=True)
class FileShape:
    """What a file is: its format and dialect, its columns, its size, and what a person should know before importing.

    ``fingerprint`` is the sha256 of the file's bytes; ``rows_estimate`` is exact when ``rows_exact``;
    ``longest_line`` is the limit that was used, so that the plan made from this shape uses it too.
    """

    path: Path
    format: Format
    columns: tuple[ColumnShape, ...]
    bytes: int
    fingerprint: str
    rows_estimate: int
    rows_exact: bool = False
    encoding: str = "utf-8"
    compression: str = ""
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    header: bool = True
    skip_lines: int = 0
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    longest_line: int = 8 << 20
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reading is: ``done`` of ``total`` in ``unit`` (bytes of the file, or rows), good and rejected rows.

    ``total`` is None where it is not known before the end.
    """

    done: int
    total: int | None
    unit: Literal["bytes", "rows"]
    rows: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was set aside: its true line (row in Excel and Parquet), where and why, and what stood there.

    ``problems`` holds (column or "", reason with the value, kind of reason without the value).
    """

    line: int
    problems: tuple[tuple[str, str, str], ...]
    cells: tuple[str | None, ...] = ()
    raw: str = ""
    last_line: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The source names of the columns that could not be read."""
        return tuple(column for column, _, _ in self.problems if column)

    @property
    def reason(self) -> str:
        """All reasons in one sentence each."""
        return " ".join(f"{f'{column}: ' if column else ''}{reason}" for column, reason, _ in self.problems)


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows as they would be imported, and the rows before the last of them that would be set aside."""

    rows: pa.Table
    rejected: tuple[Rejected, ...]


def invalid(where: str, problem: str, mend: str) -> Invalid:
    """Return the error for a file or plan that cannot be taken, with one field problem."""
    return Invalid(problem, mend=mend, errors=[FieldProblem(where, problem, mend)])


def listed(words: Sequence[str], most: int = 5) -> str:
    """Return words quoted and joined for a sentence, at most ``most`` of them."""
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(f"“{word}”" for word in words[:most]) + more
