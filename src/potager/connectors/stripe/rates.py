"""Currency rates out of a file: one rate a row, or the European Central Bank's history with a column a currency."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from potager.connectors.stripe.columns import plain_name
from potager.connectors.stripe.delimited import CsvFile, CsvRow, csv_file
from potager.connectors.stripe.shapes import Kind
from potager.connectors.stripe.units import RefusedError, currency_of, number
from potager.kit.errors import FieldProblem, Invalid

_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("day", pa.date32()),
    ("currency", pa.string()),
    ("rate", pa.float64()),
]
RATES_SCHEMA = pa.schema(_COLUMNS)
_DAY = ("day", "date", "on", "asof")
_CURRENCY = ("currency", "currencycode", "code", "fromcurrency", "from")
_RATE = ("rate", "value", "exchangerate", "fxrate")
_EURO = "EUR"
_MISSING = ("", "N/A", "n/a", "NA", "-")
_Told = tuple[int, date, str, float | RefusedError]
_MOST_TOLD = 20


def is_rates(headers: Sequence[str]) -> bool:
    """Return whether these are headers of a table of rates, in either shape."""
    return _is_long(headers) or _is_wide(headers)


def read_rates(path: Path | str, base: str = "EUR") -> pa.Table:
    """Return ``day`` (date32), ``currency`` (string) and ``rate`` (float64), in the order of day and currency.

    ``rate`` is what one unit of ``currency`` is worth in units of ``base``, the book's currency. A long table (day,
    currency, rate) says it so itself. The European Central Bank's history says how many units of each currency one euro
    is; it is inverted, and where the book is not in euros, crossed: one USD in GBP is GBP per EUR over USD per EUR.
    ``N/A`` and empty cells are days without a rate; the book's own currency is left out.

    Raises :class:`Invalid` for another kind of file, a day or rate that cannot be read, a rate of 0 or less, two rates
    of one currency on one day, and a history without the book's currency.
    """
    base = _base(base)
    file = csv_file(Path(path), expected=Kind.RATES.described)
    if not is_rates(file.headers):
        raise Invalid(
            f"{file.path.name} is no table of currency rates; its columns are {', '.join(file.headers)}.",
            mend=f"Give {Kind.RATES.described}.",
        )
    wrong: list[FieldProblem] = []
    told = _long(file) if _is_long(file.headers) else _wide(file, base)
    found: dict[tuple[date, str], float] = {}
    for line, day, currency, rate in told:
        if isinstance(rate, RefusedError):
            wrong.append(FieldProblem(f"line {line}", f"Line {line}: {rate.because}", rate.mend))
        elif found.get((day, currency), rate) != rate:
            said = f"Line {line}: {currency} has two rates on {day}."
            wrong.append(FieldProblem(f"line {line}", said, "Keep one rate a currency and day."))
        elif currency != base:
            found[day, currency] = rate
    if wrong:
        more = f" {len(wrong) - 1} more are wrong too." if len(wrong) > 1 else ""
        raise Invalid(wrong[0].problem + more, mend=wrong[0].mend, errors=wrong[:_MOST_TOLD])
    keys = sorted(found)
    columns: list[pa.Array[Any]] = [
        pa.array([day for day, _ in keys], pa.date32()),
        pa.array([currency for _, currency in keys], pa.string()),
        pa.array([found[key] for key in keys], pa.float64()),
    ]
    return pa.table(columns, schema=RATES_SCHEMA)


def _base(base: str) -> str:
    try:
        return currency_of(base)
    except RefusedError as error:
        raise Invalid(f"The book's currency: {error.because}", mend=error.mend) from error


def _is_long(headers: Sequence[str]) -> bool:
    names = {plain_name(header) for header in headers}
    return all(names & set(words) for words in (_DAY, _CURRENCY, _RATE))


def _is_wide(headers: Sequence[str]) -> bool:
    return bool(headers) and plain_name(headers[0]) == "date" and len(_currencies(headers)) >= 1


def _currencies(headers: Sequence[str]) -> list[str]:
    return [header for header in headers[1:] if re.fullmatch(r"[A-Z]{3}", header.strip())]


def _long(file: CsvFile) -> Iterator[_Told]:
    """Yield line, day, currency and the rate (or why it cannot be read) of each row of a long table."""
    columns = [
        next(header for header in file.headers if plain_name(header) in words)
        for words in (_DAY, _CURRENCY, _RATE)
    ]
    read = file.time_in(columns[0])
    for row in file.rows():
        day, currency = date.min, ""
        try:
            day = _day(row, columns[0], read)
            currency = currency_of(row.cells[columns[1]])
            text = row.cells[columns[2]]
            if text not in _MISSING:
                yield row.line, day, currency, _rate(text, currency)
        except RefusedError as error:
            yield row.line, day, currency, error


def _wide(file: CsvFile, base: str) -> Iterator[_Told]:
    """Yield line, day, currency and rate of each cell of the bank's history, as units of ``base`` for one unit."""
    currencies = _currencies(file.headers)
    if base not in (_EURO, *currencies):
        raise Invalid(
            f"{file.path.name} has no rates of {base}, the book's currency.",
            mend="Give rates into the book's currency as day, currency, rate.",
        )
    read = file.time_in(file.headers[0])
    for row in file.rows():
        day, currency = date.min, ""
        try:
            day = _day(row, file.headers[0], read)
            of_euro: dict[str, float] = {}
            for currency in currencies:
                text = row.cells[currency]
                if text not in _MISSING:
                    of_euro[currency.strip()] = _rate(text, currency)
        except RefusedError as error:
            yield row.line, day, currency, error
            continue
        own = 1.0 if base == _EURO else of_euro.get(base)
        if own is None:
            continue
        for currency, rate in {_EURO: 1.0, **of_euro}.items():
            yield row.line, day, currency, own / rate


def _day(row: CsvRow, column: str, read: Callable[[str], datetime | None]) -> date:
    if row.because:
        raise RefusedError(row.because, "Give each line a cell for every column.")
    found = read(row.cells[column])
    if found is None:
        raise RefusedError("It has no day.", "Write it, such as 2026-11-23.")
    return found.date()


def _rate(text: str, currency: str) -> float:
    found = float(number(text))
    if found <= 0 or not math.isfinite(found):
        raise RefusedError(f"The rate of {currency} is {text}.", "Write a rate above 0, or leave it empty.")
    return found
