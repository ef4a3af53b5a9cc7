"""Reading CSV: every row is in a batch or set aside with its true line and a sentence."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from potager.connectors.files import Cast, Progress, ReadOptions, ReadPlan, inspect, plan_from, preview, read
from potager.connectors.files import reading as reading_module
from potager.connectors.files.plans import ColumnPlan
from potager.kit.errors import Invalid, NotAllowed, NotFound, TooLarge, Unavailable

from .helpers import said, shape_of, whole, write


def plan(*names: str, types: dict[str, str] | None = None, **fields: object) -> ReadPlan:
    kinds = types or {}
    columns = tuple(ColumnPlan(name, name, Cast(kinds.get(name, "text"))) for name in names)
    return replace(ReadPlan("csv", columns), **fields)  # type: ignore[arg-type]


def test_rows_that_fit_come_out_typed_and_others_are_set_aside_with_line_and_reason(tmp_path: Path) -> None:
    path = write(tmp_path, 'name,amount\nA,1\n"B\nC",two\n\nD,3.5\nE,4\n')
    rows, rejects = whole(path, plan("name", "amount", types={"amount": "integer"}))
    assert rows == [{"name": "A", "amount": 1}, {"name": "E", "amount": 4}]
    assert rejects.count == 2
    assert [(row.line, row.reason) for row in rejects.first] == [
        (3, "amount: “two” is not a whole number of at most 18 digits."),
        (6, "amount: “3.5” is not a whole number of at most 18 digits."),
    ]
    assert rejects.first[0].cells == ("B\nC", "two")
    assert rejects.sentences() == ["2 rows: amount: is not a whole number of at most 18 digits"]


def test_ragged_rows_are_set_aside_with_how_many_cells_they_have(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b,c\n1,2,3\n"x\ny",2\n1,2,3,4\n5,6,7\n')
    rows, rejects = whole(path, plan("a", "b", "c"))
    assert [row["a"] for row in rows] == ["1", "5"]
    assert [(row.line, row.reason) for row in rejects.first] == [
        (3, "The row has 2 cells instead of 3."),
        (5, "The row has 4 cells instead of 3."),
    ]
    assert rejects.first[0].raw == '"x\ny",2'


def test_a_quote_that_never_closes_spoils_its_own_line_only(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,2\n3,"x\n4,5\n6,7\n')
    rows, rejects = whole(path, plan("a", "b"))
    assert [row["a"] for row in rows] == ["1", "4", "6"]
    assert [(row.line, row.reason, row.raw) for row in rejects.first] == [
        (3, "A quote opens in this line and is never closed.", '3,"x')
    ]


def test_text_after_a_closing_quote_spoils_its_own_line_only(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,"x"y\n3,"good\nlines"\n5,"open\n6,"named"\n7,8\n')
    rows, rejects = whole(path, plan("a", "b"))
    assert [row["a"] for row in rows] == ["3", "6", "7"]
    assert [row.line for row in rejects.first] == [2, 5]
    assert (
        rejects.first[0].reason
        == "Text follows a closing quote; a quote inside a quoted cell must be doubled."
    )


def test_nothing_is_lost_in_a_large_file_with_an_unbalanced_quote(tmp_path: Path) -> None:
    lines = [f"{at},name {at}" for at in range(300_000)]
    lines[5] = '5,"x'
    path = write(tmp_path, "a,b\n" + "\n".join(lines) + "\n")
    with read(path, plan("a", "b", longest_line=200_000)) as reading:
        for _ in reading.batches:
            pass
        assert (reading.rows, reading.rejects.count) == (299_999, 1)
        assert reading.rejects.first[0].line == 7


def test_a_quote_inside_a_cell_is_a_character(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,5" pipe\n2,"3"" nail"\n')
    rows, rejects = whole(path, plan("a", "b"))
    assert [row["b"] for row in rows] == ['5" pipe', '3" nail']
    assert rejects.count == 0


def test_a_line_that_is_too_long_is_set_aside_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n3,")
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b"\n5,6\n")
    rows, rejects = whole(path, plan("a", "b", longest_line=1_000_000))
    assert [row["a"] for row in rows] == ["1", "5"]
    assert rejects.first[0].line == 3
    assert rejects.first[0].reason == (
        "The row is 50,000,002 bytes long. It is longer than 1,000,000 bytes, the most that one row may have."
    )
    assert len(rejects.first[0].raw) <= 10_000


def test_a_file_that_is_one_huge_line_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, b"x," * 200_000)
    with pytest.raises(
        Invalid, match=r"The header of t.csv \(line 1\) cannot be read: .* is longer than 50,000 bytes"
    ):
        inspect(path, options=ReadOptions(longest_line=50_000))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read_and_counted(tmp_path: Path, ending: str) -> None:
    text = ending.join(["a,b", "1,2", '3,"x"', "", "4,5,6", "7,8"]) + ending
    rows, rejects = whole(write(tmp_path, text), plan("a", "b"))
    assert [row["a"] for row in rows] == ["1", "3", "7"]
    assert rejects.first[0].line == 5


def test_mixed_line_ends_are_read(tmp_path: Path) -> None:
    rows, rejects = whole(write(tmp_path, 'a,b\r\n1,2\n3,4\r5,"x\r\ny"\r\n6'), plan("a", "b"))
    assert [row["a"] for row in rows] == ["1", "3", "5"]
    assert [row.line for row in rejects.first] == [6 + 0]


def test_lines_with_zero_bytes_or_broken_text_are_set_aside(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b\n1,x\0y\n2,\xc3\xa9\n3,\xff\xfe\n4,ok\n")
    rows, rejects = whole(path, plan("a", "b"))
    assert [row["b"] for row in rows] == ["é", "ok"]
    assert [(row.line, row.reason) for row in rejects.first] == [
        (2, "The line holds a zero byte (NUL)."),
        (4, "The line holds bytes that are not text in the encoding of the file."),
    ]


def test_ragged_rows_keep_their_lines_after_other_lines_were_cut_out(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b\n1,\xff\n2\n3,4\n5,six\n")
    rows, rejects = whole(path, plan("a", "b", types={"b": "integer"}))
    assert [row["a"] for row in rows] == ["3"]
    assert [row.line for row in rejects.first] == [2, 3, 5]


def test_a_byte_order_mark_inside_the_file_is_part_of_a_cell(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffa,b\n\ufeff1,2\n")
    rows, _ = whole(path, plan("a", "b"))
    assert rows == [{"a": "\ufeff1", "b": "2"}]


def test_a_trailing_delimiter_makes_no_column(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2,\n3,4,\n")
    shape = inspect(path)
    assert [(column.name, column.include) for column in shape.columns] == [
        ("a", True),
        ("b", True),
        ("column_3", False),
    ]
    rows, rejects = whole(path)
    assert (rows, rejects.count) == ([{"a": 1, "b": 2}, {"a": 3, "b": 4}], 0)
    rows, rejects = whole(write(tmp_path, "a,b,\n1,2,\n3,4,\n"))
    assert (rows, rejects.count) == ([{"a": 1, "b": 2}, {"a": 3, "b": 4}], 0)


def test_two_thousand_columns_are_read(tmp_path: Path) -> None:
    header = ",".join(f"c{at}" for at in range(2000))
    lines = [",".join(str(at * row) for at in range(2000)) for row in range(30)]
    path = write(tmp_path, header + "\n" + "\n".join(lines) + "\n")
    shape = inspect(path)
    assert len(shape.columns) == 2000
    assert {column.type for column in shape.columns} == {"integer"}
    rows, rejects = whole(path, plan_from(shape))
    assert rows[29]["c1999"] == 1999 * 29
    assert rejects.count == 0


def test_a_backslash_before_a_quote_is_understood(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,"say \\"hi, you\\" now"\n2,"plain"\n')
    shape = inspect(path)
    assert shape.escape == "\\"
    rows, rejects = whole(path, plan_from(shape))
    assert rows[0]["b"] == 'say "hi, you" now'
    assert rejects.count == 0


def test_quotes_can_be_switched_off(tmp_path: Path) -> None:
    rows, rejects = whole(write(tmp_path, 'a,b\n1,"x\n2,y"\n'), plan("a", "b", quote=""))
    assert [row["b"] for row in rows] == ['"x', 'y"']
    assert rejects.count == 0


def test_a_plan_finds_its_columns_in_another_order_and_notes_new_ones(tmp_path: Path) -> None:
    path = write(tmp_path, "new,b,a\n9,2,1\n")
    with read(path, plan("a", "b")) as reading:
        assert reading.notes == ["Not in the plan, not read: “new”."]
        assert [batch.to_pylist() for batch in reading.batches] == [[{"a": "1", "b": "2"}]]
    with pytest.raises(Invalid, match=r"t.csv has no column “gone”; its columns are “new”, “b”, “a”"):
        read(path, plan("a", "gone"))


def test_null_words_and_whole_columns_of_text_keep_their_cells(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n , NA \nNA,1\n")
    chosen = plan("a", "b", types={"b": "integer"})
    chosen = chosen.with_column("b", null_words=("", "NA")).with_column("a", null_words=("NA",))
    rows, rejects = whole(path, chosen)
    assert rows == [{"a": " ", "b": None}, {"a": None, "b": 1}]
    assert rejects.count == 0


def test_values_that_arrow_would_take_but_a_plan_does_not_are_set_aside(tmp_path: Path) -> None:
    path = write(
        tmp_path, "n,d\n1.5,2024-01-31\nnan,2024-01-31\n1e999,2024-01-31\n2,0000-01-01\n3,2024-02-01\n"
    )
    rows, rejects = whole(path, plan("n", "d", types={"n": "number", "d": "date"}))
    assert [row["n"] for row in rows] == [1.5, 3.0]
    assert [(row.line, row.columns) for row in rejects.first] == [(3, ("n",)), (4, ("n",)), (5, ("d",))]


def test_progress_is_told_and_raising_in_it_cancels(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n" + "1,2\n" * 100_000)
    seen: list[Progress] = []
    with read(path, plan("a", "b", longest_line=50_000), progress=seen.append) as reading:
        for _ in reading.batches:
            pass
    assert seen[-1].rows == 100_000
    assert seen[-1].done == seen[-1].total == path.stat().st_size
    assert [one.rows for one in seen] == sorted(one.rows for one in seen)

    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        raise StoppedError

    with read(path, plan("a", "b", longest_line=50_000), progress=stop) as reading:
        with pytest.raises(StoppedError):
            reading.batches.read_all()
        assert not reading.complete
        assert isinstance(reading.failure, StoppedError)


def test_rejects_are_written_safely_and_can_be_mended_and_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n"=cmd()",x\n@sum,2\n-5,3,4\n')
    to = tmp_path / "rejects.csv"
    with read(path, plan("a", "b", types={"b": "integer"}), rejects_to=to) as reading:
        reading.batches.read_all()
    with to.open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines == [
        ["line", "columns", "reason", "raw", "a", "b"],
        ["2", "b", "b: “x” is not a whole number of at most 18 digits.", "", "'=cmd()", "x"],
        ["4", "", "The row has 3 cells instead of 2.", "'-5,3,4", "", ""],
    ]


def test_a_temporary_rejects_file_goes_with_the_reading(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1\n2,3\n")
    with read(path, plan("a", "b")) as reading:
        reading.batches.read_all()
        file = reading.rejects.path
        assert file is not None and file.read_text().count("\n") == 2
    assert not file.exists()
    assert reading.rejects.path is None


def test_a_full_disk_is_said_and_stops_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a,b\n1\n")
    with (
        read(path, plan("a", "b"), rejects_to=Path("/dev/full")) as reading,
        pytest.raises(Unavailable, match="/dev/full cannot be written: No space left on device"),
    ):
        reading.batches.read_all()

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with read(path, plan("a", "b")) as reading, pytest.raises(Unavailable, match="cannot be written"):
        reading.batches.read_all()


def test_a_preview_shows_the_first_rows_and_what_was_set_aside_before(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\nx,3\n" + "4,5\n" * 200_000)
    found = preview(path, plan("a", "b", types={"a": "integer"}), rows=3)
    assert found.rows.to_pylist() == [{"a": "1", "b": "2"} | {"a": 1}, {"a": 4, "b": "5"}, {"a": 4, "b": "5"}]
    assert [(row.line, row.columns) for row in found.rejected] == [(3, ("a",))]
    header_only = preview(write(tmp_path, "a,b\n", "h.csv"), plan("a", "b"))
    assert (header_only.rows.num_rows, header_only.rows.schema.names) == (0, ["a", "b"])


def test_a_header_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Invalid, match=r"header of t.csv \(line 1\) cannot be read: A quote opens in this line"
    ):
        read(write(tmp_path, '"a,b\n1,2\n'), plan("a", "b"))
    with pytest.raises(Invalid, match="there is no line that is not blank"):
        read(write(tmp_path, "\n\n"), plan("a", "b"))
    with pytest.raises(Invalid, match="there is no line that is not blank"):
        read(write(tmp_path, "a,b\n1,2\n"), plan("a", "b", skip_lines=7))


def test_files_that_are_not_there_or_closed_to_us_are_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound, match=r"There is no file .*nothing.csv"):
        inspect(tmp_path / "nothing.csv")
    with pytest.raises(NotFound, match=r"There is no file .*nothing.csv"):
        read(tmp_path / "nothing.csv", plan("a"))
    with pytest.raises(Invalid, match="is a folder"):
        inspect(tmp_path)
    path = write(tmp_path, "a,b\n1,2\n")

    def failing(error: OSError) -> Callable[..., object]:
        def opening(self: Path, *_: object, **__: object) -> object:
            raise error

        return opening

    for error, kind, sentence in (
        (PermissionError(13, "Permission denied"), NotAllowed, "Potager may not read"),
        (OSError(5, "Input/output error"), Unavailable, "cannot be read: Input/output error"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", failing(error))
            with pytest.raises(kind, match=sentence):
                inspect(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="The superuser may read everything.")
def test_permission_denied_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n")
    path.chmod(0)
    with pytest.raises(NotAllowed, match="Potager may not read"):
        inspect(path)


def test_cutting_that_does_not_agree_with_parsing_is_refused_not_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a,b\n1,2\n3,4\n")
    from potager.connectors.files import delimited

    real = delimited._parse
    monkeypatch.setattr(
        delimited, "_parse", lambda data, *rest: real(data + (b"9,9\n" if rest[1] else b""), *rest)
    )
    with pytest.raises(Invalid, match=r"Lines 2 to 3 of t\.csv cannot be cut into rows in one way only"):
        whole(path, plan("a", "b"))


def test_batches_are_in_the_order_of_the_file_whatever_thread_reads_them(tmp_path: Path) -> None:
    path = write(tmp_path, "n\n" + "\n".join(str(at) for at in range(200_000)) + "\n")
    with read(path, plan("n", types={"n": "integer"}, longest_line=10_000)) as reading:
        numbers = reading.batches.read_all().column("n").to_pylist()
    assert numbers == list(range(200_000))


def test_duplicate_columns_can_both_be_read(tmp_path: Path) -> None:
    shape = shape_of(tmp_path, "amount,amount,x\n1,2,3\n")
    assert [(c.source_name, c.name) for c in shape.columns] == [
        ("amount", "amount"),
        ("amount (2)", "amount_2"),
        ("x", "x"),
    ]
    assert "Several columns have the same name; they are told apart as “amount (2)”." in said(shape)
    rows, _ = whole(shape.path, plan_from(shape))
    assert rows == [{"amount": 1, "amount_2": 2, "x": 3}]


def test_too_much_unpacked_data_is_refused(tmp_path: Path) -> None:
    import gzip

    path = write(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 100_000), "t.csv.gz")
    with pytest.raises(TooLarge, match="unpacks to more than 1,000 bytes"):
        inspect(path, options=ReadOptions(most_unpacked=1000))
    shape = inspect(path)
    assert (shape.compression, shape.rows_estimate) == ("gzip", 100_000)
    with pytest.raises(TooLarge, match="unpacks to more than 1,000 bytes"):
        read(path, plan_from(shape), options=ReadOptions(most_unpacked=1000))
    rows, _ = whole(path, plan_from(shape))
    assert len(rows) == 100_000


def test_a_damaged_gzip_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    import gzip

    data = gzip.compress(b"a,b\n" + os.urandom(50_000).hex().encode())
    with pytest.raises(Invalid, match="is damaged: it cannot be unpacked to its end"):
        inspect(write(tmp_path, data[:-5000], "t.csv.gz"))


def test_closing_early_leaves_no_work_behind(tmp_path: Path) -> None:
    path = write(tmp_path, "n\n" + "1\n" * 300_000)
    with read(path, plan("n", longest_line=10_000)) as reading:
        first = next(iter(reading.batches))
        assert isinstance(first, pa.RecordBatch)
    assert reading_module._WORKERS >= 1
    assert not reading.complete
