"""Excel: stored values, dates as dates, error cells as nothing, headers found below titles, rows by their number."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from potager.connectors.files import ReadOptions, inspect, plan_from, read
from potager.connectors.files.workbook import text_of
from potager.kit.errors import Invalid, TooLarge

from .helpers import said, whole, write


def book(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets:
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_cells_become_typed_values(tmp_path: Path) -> None:
    day, moment = dt.date(2024, 1, 31), dt.datetime(2024, 1, 31, 10, 30)
    rows = [
        ["Order", "Amount", "Day", "At", "Paid", "Ref code"],
        ["A", 1.5, day, moment, True, 17850],
        [None, None, None, None, None, None],
        ["B", 2, day, moment, False, 13047.0],
        ["C", "#N/A", None, moment, None, None],
    ]
    shape = inspect(book(tmp_path / "t.xlsx", ("Data", rows)))
    assert [(one.name, one.type) for one in shape.columns] == [
        ("order", "text"), ("amount", "number"), ("day", "date"), ("at", "timestamp"), ("paid", "boolean"),
        ("ref_code", "text"),
    ]  # fmt: skip
    assert (shape.sheet, shape.sheets, shape.rows_estimate, shape.rows_exact) == ("Data", ("Data",), 3, True)
    found, rejects = whole(shape.path, plan_from(shape))
    assert found == [
        {"order": "A", "amount": 1.5, "day": day, "at": moment, "paid": True, "ref_code": "17850"},
        {"order": "B", "amount": 2.0, "day": day, "at": moment, "paid": False, "ref_code": "13047"},
        {"order": "C", "amount": None, "day": None, "at": moment, "paid": None, "ref_code": None},
    ]
    assert rejects.count == 0


def test_the_header_is_found_below_titles_and_rows_keep_their_number(tmp_path: Path) -> None:
    rows = [
        ["Report 2024"],
        [None],
        ["name", "n", "m"],
        ["A", 1, 2],
        ["B", "x", 3],
        ["C", 3, 4, "beyond"],
        ["D", 4, 5],
    ]
    shape = inspect(book(tmp_path / "t.xlsx", ("S", rows)))
    assert shape.skip_lines == 2
    assert "The first 2 rows are no table; they are left out." in said(shape)
    plan = plan_from(shape).with_column("n", type="integer", null_words=("",))
    plan = plan.with_column("column 4", include=False)
    found, rejects = whole(shape.path, plan)
    assert [row["name"] for row in found] == ["A", "C", "D"]
    assert [(row.line, row.reason) for row in rejects.first] == [
        (5, "n: “x” is not a whole number of at most 18 digits.")
    ]


def test_rows_wider_than_the_header_are_set_aside(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("S", [["a", "b"], [1, 2], [3, 4]]))
    plan = plan_from(inspect(path))
    book(path, ("S", [["a", "b"], [1, 2], [3, 4, 5]]))
    found, rejects = whole(path, plan)
    assert found == [{"a": 1, "b": 2}]
    assert (rejects.first[0].line, rejects.first[0].raw) == (3, "3 | 4 | 5")
    assert rejects.first[0].reason == "The row has 3 cells, not 2."


def test_a_sheet_is_chosen_and_the_others_named(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("Empty", []), ("One", [["a"], [1]]), ("Two", [["b"], [2]]))
    shape = inspect(path)
    assert (shape.sheet, shape.columns[0].name) == ("One", "a")
    assert "The workbook has 3 sheets; “One” is read." in said(shape)
    shape = inspect(path, options=ReadOptions(sheet="Two"))
    assert (shape.columns[0].name, shape.problems) == ("b", ())
    with pytest.raises(Invalid, match="has no sheet “Three”; it has “Empty”, “One”, “Two”"):
        inspect(path, options=ReadOptions(sheet="Three"))
    with pytest.raises(Invalid, match="has no sheet with rows"):
        inspect(book(tmp_path / "e.xlsx", ("Empty", [])))


def test_a_sheet_without_a_header_and_with_lines_to_skip(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("S", [["x"], [1, 2.5], [3, 4.5]]))
    shape = inspect(path, options=ReadOptions(skip_lines=1))
    assert (shape.header, [one.name for one in shape.columns]) == (False, ["column_1", "column_2"])
    assert whole(path, plan_from(shape))[0] == [
        {"column_1": 1, "column_2": 2.5},
        {"column_1": 3, "column_2": 4.5},
    ]
    with pytest.raises(Invalid, match="The sheet “S” has no rows there"):
        inspect(path, options=ReadOptions(skip_lines=9))
    from dataclasses import replace

    with pytest.raises(Invalid, match="The sheet “S” has no header"):
        read(path, replace(plan_from(shape), header=True, skip_lines=9))


def test_formulas_without_stored_results_are_announced(tmp_path: Path) -> None:
    shape = inspect(book(tmp_path / "t.xlsx", ("S", [["a", "b"], [1, "=A2*2"], [2, "=A3*2"]])))
    assert "2 of the first formulas have no stored result and are read as empty." in said(shape)


def test_a_workbook_named_csv_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("S", [["a"], [1]])).rename(tmp_path / "t.csv")
    shape = inspect(path)
    assert shape.format == "xlsx"
    assert "The file is named .csv, but it is an Excel workbook; it is read as that." in said(shape)


def test_damaged_and_too_large_workbooks_are_refused(tmp_path: Path) -> None:
    import zipfile

    path = book(tmp_path / "t.xlsx", ("S", [["a"], [1]]))
    with pytest.raises(TooLarge, match=r"unpacks to .* bytes, more than is allowed"):
        inspect(path, options=ReadOptions(most_unpacked=10))
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<no")
    with pytest.raises(Invalid, match=r"d\.xlsx is a damaged Excel workbook"):
        inspect(tmp_path / "d.xlsx")
    plan = plan_from(inspect(path))
    with pytest.raises(Invalid, match="is damaged"):
        read(write(tmp_path, b"PK no zip", "z.xlsx"), plan)


def test_a_long_sheet_is_judged_by_its_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from potager.connectors.files import workbook

    monkeypatch.setattr(workbook, "_ROWS", 10)
    path = book(tmp_path / "t.xlsx", ("S", [["a"], *([at] for at in range(100))]))
    shape = inspect(path)
    assert not shape.rows_exact
    assert shape.rows_estimate == pytest.approx(100, abs=5)
    assert len(whole(path, plan_from(shape))[0]) == 100


def test_texts_of_cells() -> None:
    assert text_of(dt.time(10, 30)) == "10:30:00"
    assert text_of(dt.timedelta(days=1)) == "1 day, 0:00:00"
    assert text_of(1e20) == "1e+20"
    assert text_of(0.1 + 0.2) == "0.30000000000000004"
