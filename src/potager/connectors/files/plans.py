"""The mapping a person agrees to: which columns are read, under which name, as what; kept as JSON."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

from potager.connectors.files.dates import format_problem
from potager.connectors.files.shapes import FORMATS, Cast, FileShape, Format, decimal_places
from potager.kit.errors import FieldProblem, Invalid

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MARKS = (".", ",", "mixed")


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """One column of the plan: ``source`` is the label in the file, ``name`` the name in the lake."""

    source: str
    name: str
    cast: Cast = field(default_factory=Cast)
    include: bool = True


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """How a file is read. Columns are found by their source name, so a plan fits next month's file too."""

    format: Format
    columns: tuple[ColumnPlan, ...]
    encoding: str = "utf-8"
    compression: str = ""
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    header: bool = True
    skip_lines: int = 0
    sheet: str = ""
    longest_line: int = 8 << 20

    @property
    def included(self) -> tuple[ColumnPlan, ...]:
        """The columns that are read."""
        return tuple(column for column in self.columns if column.include)

    def with_column(self, source: str, **changes: Any) -> ReadPlan:
        """Return the plan with one column changed; ``changes`` are fields of the column or of its cast."""
        own = {key: value for key, value in changes.items() if key in {"name", "include"}}
        of_cast = {key: value for key, value in changes.items() if key not in own}
        if source not in {column.source for column in self.columns}:
            raise _invalid(
                [FieldProblem("columns", f"The plan has no column “{source}”.", "Use its source name.")]
            )
        columns = tuple(
            replace(column, cast=replace(column.cast, **of_cast), **own)
            if column.source == source
            else column
            for column in self.columns
        )
        return check(replace(self, columns=columns))

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return asdict(self) | {
            "columns": [
                {"source": column.source, "name": column.name, "include": column.include}
                | {
                    key: list(value) if isinstance(value, tuple) else value
                    for key, value in asdict(column.cast).items()
                }
                for column in self.columns
            ]
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ReadPlan:
        """Return the plan that ``to_dict`` wrote; raise ``Invalid`` with a sentence for each thing that is wrong."""
        wrong: list[FieldProblem] = []
        known = {"format", "columns", *_TEXTS, *_NUMBERS, "header"}
        wrong += [_unknown(key, known) for key in given if key not in known]
        fields: dict[str, Any] = {}
        for keys, kind, word in (
            (_TEXTS, str, "text"),
            (_NUMBERS, int, "a whole number"),
            (("header",), bool, "true or false"),
        ):
            for key in keys:
                if key in given:
                    fields[key] = _of_kind(given[key], kind, key, word, wrong)
        columns = [
            _column(item, f"columns[{at}]", wrong)
            for at, item in enumerate(_list(given.get("columns"), wrong))
        ]
        if wrong:
            raise _invalid(wrong)
        return check(cls(format=cast("Format", given.get("format", "")), columns=tuple(columns), **fields))


_TEXTS = ("encoding", "compression", "delimiter", "quote", "escape", "sheet")
_NUMBERS = ("skip_lines", "longest_line")


def _invalid(wrong: list[FieldProblem]) -> Invalid:
    first = wrong[0]
    more = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return Invalid(f"{first.problem}{more}", mend=first.mend or "Correct the plan.", errors=wrong)


def _unknown(key: str, known: set[str]) -> FieldProblem:
    return FieldProblem(key, f"A plan has no field “{key}”.", f"Use {', '.join(sorted(known))}.")


def _of_kind(value: Any, kind: type, where: str, word: str, wrong: list[FieldProblem]) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        wrong.append(FieldProblem(where, f"{where} must be {word}, not {value!r}.", f"Give {word}."))
    return value


def _list(value: Any, wrong: list[FieldProblem]) -> list[Any]:
    if not isinstance(value, list):
        wrong.append(FieldProblem("columns", "columns must be a list.", "Give one entry for each column."))
        return []
    return value


def _column(item: Any, where: str, wrong: list[FieldProblem]) -> ColumnPlan:
    if not isinstance(item, Mapping):
        wrong.append(
            FieldProblem(
                where, f"{where} must be an object with source and name.", "Give source, name and type."
            )
        )
        return ColumnPlan("", "")
    kinds: dict[str, tuple[type, str]] = {
        "source": (str, "text"), "name": (str, "text"), "include": (bool, "true or false"), "type": (str, "text"),
        "date_formats": (list, "a list of formats"), "decimal_mark": (str, "text"),
        "percent": (bool, "true or false"), "null_words": (list, "a list of words"),
    }  # fmt: skip
    wrong += [_unknown(f"{where}.{key}", set(kinds)) for key in item if key not in kinds]
    wrong += [
        FieldProblem(where, f"{where} has no {key}.", f"Add {key}.")
        for key in ("source", "name")
        if key not in item
    ]
    values = {
        key: _of_kind(item[key], *kinds[key][:1], f"{where}.{key}", kinds[key][1], wrong)
        for key in kinds
        if key in item
    }
    for key in ("date_formats", "null_words"):
        if isinstance(values.get(key), list):
            if not all(isinstance(word, str) for word in values[key]):
                wrong.append(
                    FieldProblem(
                        f"{where}.{key}", f"{where}.{key} must hold text only.", "Put each in quotes."
                    )
                )
            values[key] = tuple(values[key])
    reading = {
        key: values.pop(key)
        for key in ("type", "date_formats", "decimal_mark", "percent", "null_words")
        if key in values
    }
    return ColumnPlan(
        values.get("source", ""), values.get("name", ""), Cast(**reading), values.get("include", True)
    )


def check(plan: ReadPlan) -> ReadPlan:
    """Return ``plan`` when it can be followed; raise ``Invalid`` with a sentence for each thing that is wrong."""
    wrong: list[FieldProblem] = []

    def add(where: str, problem: str, mend: str) -> None:
        wrong.append(FieldProblem(where, problem, mend))

    if plan.format not in FORMATS:
        add(
            "format",
            f"“{plan.format}” is not a format that can be read.",
            f"Use one of {', '.join(FORMATS)}.",
        )
    try:
        codecs.lookup(plan.encoding)
    except LookupError:
        add(
            "encoding",
            f"“{plan.encoding}” is not an encoding that is known.",
            "Use for example utf-8 or cp1252.",
        )
    if len(plan.delimiter) != 1 or not plan.delimiter.isascii() or plan.delimiter in '\r\n"\0':
        add(
            "delimiter",
            f"The delimiter {plan.delimiter!r} is not one plain character.",
            "Use one of , ; | or a tab.",
        )
    for where, value in (("quote", plan.quote), ("escape", plan.escape)):
        if value and (len(value) != 1 or not value.isascii() or value in "\r\n\0" or value == plan.delimiter):
            add(where, f"The {where} character {value!r} cannot be used.", 'Use " or leave it empty.')
    if plan.compression not in {"", "gzip"}:
        add(
            "compression",
            f"“{plan.compression}” is not a compression that can be read.",
            "Use gzip, or unpack the file.",
        )
    if plan.skip_lines < 0 or plan.longest_line < 1:
        add(
            "skip_lines",
            "skip_lines and longest_line cannot be negative.",
            "Give whole numbers from zero up.",
        )
    if not plan.included:
        add("columns", "The plan includes no column.", "Include at least one column.")
    for what, words in (
        ("source", [column.source for column in plan.columns]),
        ("name", [c.name for c in plan.included]),
    ):
        for twice in sorted(
            {word for word in words if words.count(word) > 1} if len(set(words)) < len(words) else ()
        ):
            add("columns", f"Two columns have the {what} “{twice}”.", "Give each its own.")
    for column in plan.included:
        where, reading = f"columns.{column.source}", column.cast
        if not _NAME.fullmatch(column.name):
            add(
                f"{where}.name",
                f"“{column.name}” is not a column name.",
                "Use lower-case letters, digits and _, up to 63.",
            )
        plain = {"text", "integer", "number", "boolean", "date", "timestamp", "json"}
        if reading.type not in plain and decimal_places(reading.type) is None:
            add(
                f"{where}.type",
                f"“{reading.type}” is not a type.",
                f"Use one of {', '.join(sorted(plain))} or decimal(18,4).",
            )
        if reading.decimal_mark not in _MARKS:
            add(
                f"{where}.decimal_mark",
                f"“{reading.decimal_mark}” is not a decimal mark.",
                "Use . or , or mixed.",
            )
        for date_format in reading.date_formats:
            if problem := format_problem(date_format):
                add(f"{where}.date_formats", problem, "Use for example %d/%m/%Y or %b %d, %Y.")
    if wrong:
        raise _invalid(wrong)
    return plan


def plan_from(shape: FileShape) -> ReadPlan:
    """Return the plan that reads the file as it was found."""
    return ReadPlan(
        format=shape.format,
        columns=tuple(ColumnPlan(c.source_name, c.name, c.cast, c.include) for c in shape.columns),
        encoding=shape.encoding, compression=shape.compression, delimiter=shape.delimiter, quote=shape.quote,
        escape=shape.escape, header=shape.header, skip_lines=shape.skip_lines, sheet=shape.sheet,
        longest_line=shape.longest_line,
    )  # fmt: skip
