"""What a column is taken for, by the evidence of its values."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from potager.connectors.files import Cast, ColumnShape, FileShape, inspect, plan_from

from .helpers import said, shape_of, whole, write


def column(folder: Path, name: str, *values: str) -> ColumnShape:
    lines = "".join(f'"{value}",x\n' for value in values)
    return shape_of(folder, f"{name},other\n{lines}").columns[0]


def read_back(folder: Path, name: str, *values: str) -> tuple[FileShape, list[object], list[tuple[int, str]]]:
    lines = "".join(f'"{value}",x\n' for value in values)
    path = write(folder, f"{name},other\n{lines}")
    shape = inspect(path)
    rows, rejects = whole(path, plan_from(shape))
    key = shape.columns[0].name
    return shape, [row[key] for row in rows], [(row.line, row.reason) for row in rejects.first]


@pytest.mark.parametrize(
    ("name", "values", "type_"),
    [
        ("n", ["1", "-2", "+3"], "integer"),
        ("n", ["1", "2.5"], "number"),
        ("n", ["1e3", "2.5"], "number"),
        ("n", ["", "", ""], "text"),
        ("n", ["true", "false", "true"], "boolean"),
        ("n", ["Yes", "no", "0"], "boolean"),
        ("n", ["0", "1", "1"], "integer"),
        ("n", ["red", "blue"], "text"),
        ("n", ["12 kg", "13 kg"], "text"),
        ("n", ["2024-01-31", "2024-02-29"], "date"),
        ("n", ["2024-01-31 10:00", "2024-02-29"], "timestamp"),
        ("n", ["2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00"], "timestamp"),
        ("day", ["20240131", "20240229"], "date"),
        ("n", ["20240131", "20240229"], "integer"),
        ("n", ["{}", "[1]"], "text"),
        ("customer_id", ["17850", "13047"], "text"),
        ("Order No", ["17850", "13047"], "text"),
        ("CustomerID", ["1", "2"], "text"),
        ("paid", ["1", "2"], "integer"),
    ],
)
def test_a_type_follows_the_values_and_for_identifiers_the_name(
    tmp_path: Path, name: str, values: list[str], type_: str
) -> None:
    found = column(tmp_path, name, *values)
    assert found.type == (type_ if values != ["{}", "[1]"] else "json")


def test_an_identifier_says_why_it_stays_text_and_offers_a_number(tmp_path: Path) -> None:
    found = column(tmp_path, "customer_id", "17850", "13047")
    assert found.note == "The name says that this is an identifier: kept as text, so that nobody adds it up."
    assert [cast.type for cast in found.alternatives] == ["integer"]


def test_leading_zeros_and_very_long_numbers_stay_text(tmp_path: Path) -> None:
    zeros = column(tmp_path, "n", "00123", "4567")
    assert (zeros.type, zeros.note) == (
        "text",
        "Some values begin with a zero, which a number would lose: kept as text.",
    )
    long = column(tmp_path, "n", "12345678901234567890", "1")
    assert (long.type, [cast.type for cast in long.alternatives]) == ("text", ["decimal(38,0)", "number"])
    assert "more than 18 digits: kept as text so that no digit is lost" in long.note


def test_leading_zeros_beyond_the_sample_are_found_too(tmp_path: Path) -> None:
    lines = [str(at) for at in range(1, 30_000)] + ["007"] + [str(at) for at in range(1, 30_000)]
    assert column(tmp_path, "n", *lines).type == "text"


def test_currency_signs_groups_and_negative_writings_are_numbers(tmp_path: Path) -> None:
    values = ["$1,234.50", "($12.25)", "-$3.75", "$4.25-", "USD 7.5", "$ 1 234.5"]
    _, numbers, rejected = read_back(tmp_path, "n", *values[:4], values[5])
    assert numbers == [1234.5, -12.25, -3.75, -4.25, 1234.5]
    assert rejected == []


def test_two_currencies_are_not_added_up(tmp_path: Path) -> None:
    shape, values, _ = read_back(tmp_path, "n", "$1.50", "€2.50", "$3.50")
    assert values == ["$1.50", "€2.50", "$3.50"]
    assert "amounts in more than one currency; their sum would mean nothing" in said(shape)


def test_a_decimal_comma_is_recognized(tmp_path: Path) -> None:
    shape, numbers, rejected = read_back(tmp_path, "n", "1.234,50", "12,5", "1.234", "7", "1.234.567,8")
    assert numbers == [1234.5, 12.5, 1234.0, 7.0, 1234567.8]
    assert rejected == []
    assert shape.columns[0].note == "Numbers are written with a decimal comma."


def test_mixed_decimal_marks_are_read_one_by_one_and_ambiguous_ones_set_aside(tmp_path: Path) -> None:
    shape, numbers, rejected = read_back(tmp_path, "n", "1,234.50", "1.234,50", "2.5", "2,5", "1,234", "8")
    assert numbers == [1234.5, 1234.5, 2.5, 2.5, 8.0]
    assert rejected == [(6, "n: “1,234” is ambiguous: its mark may be for decimals or for thousands.")]
    assert "Some numbers have a decimal point and some a decimal comma" in said(shape)


def test_numbers_that_may_be_thousands_or_decimals_are_asked_about(tmp_path: Path) -> None:
    shape, numbers, _ = read_back(tmp_path, "n", "1.234", "5.678")
    assert numbers == [1.234, 5.678]
    assert "Every mark may be for decimals or for thousands" in said(shape)
    assert Cast("number", decimal_mark=",") in shape.columns[0].alternatives
    shape, numbers, _ = read_back(tmp_path, "n", "1,234", "5,678")
    assert numbers == [1234, 5678]
    assert shape.columns[0].note == "A number like “1,234” is read as 1234: the comma marks thousands."


def test_percentages_become_shares_and_bare_numbers_among_them_are_set_aside(tmp_path: Path) -> None:
    shape, numbers, rejected = read_back(tmp_path, "n", "12%", "3.5 %", "-1%", *["50%"] * 10, "7")
    assert numbers[:3] == pytest.approx([0.12, 0.035, -0.01])
    assert rejected == [(15, "n: “7” has no percent sign, while the column holds percentages.")]
    assert shape.columns[0].note.startswith(
        "Percentages are read as shares: 12% is 0.12. Values without a percent sign"
    )


def test_words_for_nothing_are_found_and_said(tmp_path: Path) -> None:
    shape, numbers, rejected = read_back(tmp_path, "n", "1", "N/A", "2", "-", "3")
    assert numbers == [1, None, 2, None, 3]
    assert rejected == []
    assert shape.columns[0].note == "“N/A”, “-” mean no value."
    assert shape.columns[0].share_null == pytest.approx(0.4)
    only = column(tmp_path, "n", "NULL", "NULL")
    assert (only.type, only.note) == ("text", "The column holds only “NULL”.")
    assert column(tmp_path, "n", "", "").note == "The column is empty."


def test_few_values_that_do_not_fit_are_announced_and_set_aside(tmp_path: Path) -> None:
    shape, numbers, rejected = read_back(tmp_path, "n", *[str(at) for at in range(1, 20)], "oops")
    assert len(numbers) == 19
    assert rejected == [(21, "n: “oops” is not a whole number of at most 18 digits.")]
    assert shape.columns[0].note == "1 of 20 rows do not fit, for example “oops”; they will be set aside."


def test_day_or_month_first_is_decided_by_the_whole_column(tmp_path: Path) -> None:
    many = ["03/04/2024"] * 20_000
    shape, days, rejected = read_back(tmp_path, "d", *many, "31/01/2024", *many)
    assert days[0] == dt.date(2024, 4, 3)
    assert rejected == []
    assert shape.columns[0].cast.date_formats == ("%d/%m/%Y",)
    assert "The day comes first: some dates can only be read so." in shape.columns[0].note
    assert Cast("date", date_formats=("%m/%d/%Y",)) in shape.columns[0].alternatives
    shape, days, _ = read_back(tmp_path, "d", "03/04/2024", "01/31/2024")
    assert days == [dt.date(2024, 3, 4), dt.date(2024, 1, 31)]


def test_an_order_that_no_date_tells_is_asked_for_and_kept_as_text(tmp_path: Path) -> None:
    shape, days, _ = read_back(tmp_path, "d", "03/04/2024", "05/06/2024", "01/02/2024")
    assert days == ["03/04/2024", "05/06/2024", "01/02/2024"]
    problem = next(one for one in shape.problems if one.where == "columns.d")
    assert (
        problem.problem
        == "d: No date says whether the day or the month comes first: kept as text until you choose."
    )
    assert "date (%d/%m/%Y)" in problem.mend and "date (%m/%d/%Y)" in problem.mend
    chosen = plan_from(shape).with_column("d", type="date", date_formats=("%m/%d/%Y",))
    rows, _ = whole(shape.path, chosen)
    assert rows[0]["d"] == dt.date(2024, 3, 4)


def test_dates_of_three_kinds_are_each_read_and_ambiguous_ones_set_aside(tmp_path: Path) -> None:
    shape, days, rejected = read_back(
        tmp_path,
        "d",
        "2024-01-31",
        "31/01/2024",
        "Jan 31, 2024",
        "03/03/2024",
        "02/28/2024",
        "03/04/2024",
        "31-Jan-2024",
    )
    assert days == [
        dt.date(2024, 1, 31),
        dt.date(2024, 1, 31),
        dt.date(2024, 1, 31),
        dt.date(2024, 3, 3),
        dt.date(2024, 2, 28),
        dt.date(2024, 1, 31),
    ]
    assert rejected == [(7, "d: “03/04/2024” is ambiguous: day or month may come first.")]
    assert "Some dates have the day first and some the month" in said(shape)


def test_few_ambiguous_dates_among_clear_ones_are_set_aside(tmp_path: Path) -> None:
    shape, days, rejected = read_back(tmp_path, "d", *["2024-01-31"] * 5, "03/04/2024")
    assert len(days) == 5
    assert rejected == [(7, "d: “03/04/2024” is ambiguous: day or month may come first.")]
    assert "In some dates day or month may come first; those that may be either will be set aside." in said(
        shape
    )


def test_dates_that_are_the_same_either_way_need_no_order(tmp_path: Path) -> None:
    _, days, rejected = read_back(tmp_path, "d", "03/03/2024", "04/04/2024")
    assert (days, rejected) == ([dt.date(2024, 3, 3), dt.date(2024, 4, 4)], [])


def test_other_writings_of_dates_and_times(tmp_path: Path) -> None:
    _, days, _ = read_back(tmp_path, "d", "31.01.2024", "1.2.2024")
    assert days == [dt.date(2024, 1, 31), dt.date(2024, 2, 1)]
    _, days, _ = read_back(tmp_path, "d", "31/01/24", "28/02/23")
    assert days == [dt.date(2024, 1, 31), dt.date(2023, 2, 28)]
    _, days, _ = read_back(tmp_path, "d", "1/31/2024 1:05 PM", "2/28/2024 11:30 AM")
    assert days == [dt.datetime(2024, 1, 31, 13, 5), dt.datetime(2024, 2, 28, 11, 30)]
    _, days, _ = read_back(tmp_path, "d", "January 31, 2024", "March 5, 2024")
    assert days == [dt.date(2024, 1, 31), dt.date(2024, 3, 5)]
    shape, days, rejected = read_back(tmp_path, "d", *["2024-01-31"] * 9, "2024-01-31 10:00")
    assert shape.columns[0].type == "timestamp"
    assert days[0] == dt.datetime(2024, 1, 31)
    chosen = plan_from(shape).with_column("d", type="date")
    _, rejects = whole(shape.path, chosen)
    assert rejects.first[0].reason == "d: “2024-01-31 10:00” has a time of day, while the column holds dates."
    assert rejected == []


def test_times_with_an_offset_become_utc(tmp_path: Path) -> None:
    shape, moments, _ = read_back(
        tmp_path, "at", "2024-01-31T10:00:00+02:00", "2024-01-31T10:00:00Z", "2024-01-31 10:00"
    )
    assert moments == [
        dt.datetime(2024, 1, 31, 8),
        dt.datetime(2024, 1, 31, 10),
        dt.datetime(2024, 1, 31, 10),
    ]
    assert (
        shape.columns[0].note == "Times with an offset become UTC. Times without an offset are taken as UTC."
    )


def test_casts_name_themselves() -> None:
    assert Cast("date", date_formats=("%d/%m/%Y",)).label == "date (%d/%m/%Y)"
    assert Cast("number", decimal_mark=",").label == "number (decimal mark ,)"
    assert Cast("text").label == "text"


def test_a_large_file_is_judged_by_rows_from_its_whole_length(tmp_path: Path) -> None:
    lines = [f"{at},2024-01-01,03/04/2024" for at in range(40_000)]
    lines += [f"A{at},2024-01-01,03/04/2024" for at in range(40_000)]
    lines[55_555] = "A9,2024-01-01,31/04/2024"
    lines[66_666] = "A9,2024-01-01,30/04/2024"
    path = write(tmp_path, "code_x,day,d\n" + "\n".join(lines) + "\n")
    shape = shape_of(tmp_path, path.read_bytes(), whole_up_to=200_000)
    assert not shape.rows_exact
    assert shape.rows_estimate == pytest.approx(80_000, rel=0.01)
    assert [one.type for one in shape.columns] == ["text", "date", "date"]
    assert shape.columns[2].cast.date_formats == ("%d/%m/%Y",)
