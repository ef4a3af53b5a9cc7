"""The rules from text to values, one by one: a table of texts and what they become."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.connectors.files import Cast, Rejected, formula_safe, write_rejects_csv
from potager.connectors.files.casts import connection, kind_sql, run, select, stacked, valued
from potager.connectors.files.dates import (
    KNOWN_FORMATS,
    format_problem,
    in_trying_order,
    order_of,
    pattern_of,
    with_time,
)
from potager.connectors.files.dialects import layout_of
from potager.connectors.files.shapes import ReadOptions, decimal_places, listed

DATABASE = connection()


def values(cast: Cast, *texts: str | None) -> list[Any]:
    table = stacked(pa.table({"c": pa.array(texts, pa.string())}), [0])
    return run(DATABASE, table, select(["v"], valued(cast))).column("v").to_pylist()


def kind(cast: Cast, text: str) -> str:
    table = stacked(pa.table({"c": [text]}), [0])
    return str(run(DATABASE, table, select([f"{kind_sql('t', cast)} AS k"], valued(cast))).column("k")[0])


def test_whole_numbers() -> None:
    texts = [
        "1",
        "+7",
        " -12\u00a0",
        "1.0",
        "1,234",
        "(12)",
        "12-",
        "$5",
        "0x1F",
        "007",
        "9223372036854775807",
    ]
    assert values(Cast("integer"), *texts) == [1, 7, -12, 1, 1234, -12, -12, 5, 31, 7, 2**63 - 1]
    assert (
        values(Cast("integer"), "1.5", "1e3", "abc", "", None, "9223372036854775808", "1_000", "--1")
        == [None] * 8
    )


def test_numbers_are_finite_or_nothing() -> None:
    texts = [".5", "5.", "1e3", "1,234.5", "1 234.5", "1'234.5", "- 5", "€ 3.25", "7 GBP"]
    assert values(Cast("number"), *texts) == [0.5, 5.0, 1000.0, 1234.5, 1234.5, 1234.5, -5.0, 3.25, 7.0]
    assert values(Cast("number"), "nan", "inf", "1e999", "1,23", "1.2.3", "-", ".", "1,2345") == [None] * 8
    assert values(Cast("number", decimal_mark=","), "1.234,5", "1,5", "1.5") == [1234.5, 1.5, None]


def test_decimals_are_exact_and_never_rounded_away() -> None:
    found = values(Cast("decimal(18,2)"), "1.5", "1.500", "1,234.25", "1.005", "123456789012345678")
    assert found == [Decimal("1.50"), Decimal("1.50"), Decimal("1234.25"), None, None]
    assert values(Cast("decimal(5,4)", percent=True), "12.5%", "12.345%", "7") == [
        Decimal("0.1250"),
        None,
        None,
    ]
    assert kind(Cast("decimal(18,2)"), "1.005") == "is not a number that fits decimal(18,2)"


def test_truth_values() -> None:
    assert values(Cast("boolean"), "Yes", "n", "1", "OFF", "maybe") == [True, False, True, False, None]
    assert kind(Cast("boolean"), "maybe") == "is neither true nor false"


def test_json_is_checked_and_kept() -> None:
    assert values(Cast("json"), '{"a": 1}', "[", "7") == ['{"a": 1}', None, "7"]
    assert kind(Cast("json"), "[") == "is not valid JSON"


def test_days_and_moments() -> None:
    day = dt.date(2024, 1, 31)
    texts = [
        "2024-01-31",
        "2024/1/31",
        "2024-01-31 00:00",
        "2024-01-31T00:00:00.000",
        "2024-02-30",
        "0000-01-01",
    ]
    assert values(Cast("date"), *texts) == [day] * 4 + [None, None]
    timed = Cast("date", date_formats=("%d/%m/%Y %H:%M",))
    assert values(timed, "31/01/2024 00:00", "31/01/2024 10:00") == [day, None]
    assert kind(timed, "31/01/2024 10:00") == "has a time of day, while the column holds dates"
    assert kind(Cast("timestamp"), "x") == "is not a date and time in the format of the column"
    moment = dt.datetime(2024, 1, 31, 10)
    texts = [
        "2024-01-31 10",
        "2024-01-31T10:00:00Z",
        "2024-01-31 12:00+02:00",
        "2024-01-31 10:00:00,000",
        "infinity",
    ]
    assert values(Cast("timestamp"), *texts) == [moment] * 4 + [None]
    short = Cast("date", date_formats=("%d/%m/%Y", "%d/%m/%y"))
    assert values(short, "31/1/24", "31/01/2024") == [day, day]


@settings(deadline=None, max_examples=60)
@given(
    st.dates(dt.date(1950, 1, 1), dt.date(2049, 12, 31)),
    st.sampled_from([one for one in KNOWN_FORMATS if not with_time(one)]),
)
def test_every_known_format_reads_what_it_writes(day: dt.date, date_format: str) -> None:
    written = day.strftime(date_format)
    if "%y" in date_format and not 1969 <= day.year <= 2049:
        return
    assert values(Cast("date", date_formats=(date_format,)), written) == [day]


@settings(deadline=None, max_examples=60)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))
def test_numbers_read_back_exactly(number: float, whole: int) -> None:
    [found] = values(Cast("number"), repr(number))
    assert found == number and math.copysign(1, found) == math.copysign(1, number)
    assert values(Cast("integer"), str(whole)) == [whole]
    grouped = f"{abs(whole) % 10**15:,}"
    assert values(Cast("integer"), grouped) == [abs(whole) % 10**15]
    assert values(Cast("integer", decimal_mark=","), grouped.replace(",", ".")) == [abs(whole) % 10**15]


def test_formats_of_dates_say_what_they_are() -> None:
    assert (order_of("%d/%m/%Y"), order_of("%m-%d-%y"), order_of("%b %d, %Y")) == ("day", "month", "")
    assert pattern_of("%d/%m/%Y") == r"\d{1,2}/\d{1,2}/\d{4}"
    assert in_trying_order(("%d/%m/%Y", "%d/%m/%y")) == ["%d/%m/%y", "%d/%m/%Y"]
    assert format_problem("%d %B %Y") == ""
    assert decimal_places("decimal(39,2)") is None


def test_lists_in_sentences_end_somewhere() -> None:
    assert listed(["a", "b"]) == "“a”, “b”"
    assert listed([str(at) for at in range(1000)], 2) == "“0”, “1” and 998 more"


def test_a_cell_that_is_too_long_for_pythons_reader_does_not_stop_the_layout() -> None:
    text = "a;b\n" + "1;2\n" * 3 + "x" * 200_000 + ";1\n"
    assert layout_of(text, ReadOptions(), ".csv").delimiter == ";"
    assert layout_of("x" * 200_000 + "\n", ReadOptions(), ".csv").header


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_rejected_rows_never_become_formulas(tmp_path: Path, start: str) -> None:
    row = Rejected(7, (("a", "“x” is not a date.", "is not a date"),), (f"{start}cmd()", None))
    path = tmp_path / "r.csv"
    assert write_rejects_csv(path, ["a", f"{start}b"], [row]) == 1
    text = path.read_bytes().decode()
    assert f"'{start}cmd()" in text and f"'{start}b" in text
    assert formula_safe(f"{start}x") == f"'{start}x"
