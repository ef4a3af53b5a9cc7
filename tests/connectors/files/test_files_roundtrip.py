"""Whatever table Python writes as CSV reads back to the same cells; whatever bytes come, every row is accounted for."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from potager.connectors.files import Cast, ReadPlan, read
from potager.connectors.files.plans import ColumnPlan
from potager.connectors.files.records import Dialect, chunks

CELL = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8
) | st.sampled_from(['"', ",", "\n", "\r", "\r\n", '""', ' "', "\ufeff", "'", "\\", '",', 'a"b'])
CHECKS = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)


def text_plan(width: int, delimiter: str = ",", longest: int = 8 << 20) -> ReadPlan:
    columns = tuple(ColumnPlan(f"c{at}", f"c{at}", Cast("text", null_words=())) for at in range(width))
    return ReadPlan("csv", columns, delimiter=delimiter, longest_line=longest)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(CELL, min_size=width, max_size=width), max_size=12))


@CHECKS
@given(
    rows=tables(),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from(",;\t|"),
    longest=st.sampled_from([600, 8 << 20]),
)
@example(rows=[["\ufeff"]], ending="\n", delimiter=",", longest=600)
@example(rows=[["x\r\ny", "\r"], ["", ""]], ending="\r", delimiter=",", longest=600)
def test_a_table_written_by_python_reads_back_to_the_same_cells(
    tmp_path: Path, rows: list[list[str]], ending: str, delimiter: str, longest: int
) -> None:
    width = len(rows[0]) if rows else 2
    text = io.StringIO(newline="")
    # Python before 3.13 leaves a lone line feed or return bare unless it is part of the line end.
    quoting = csv.QUOTE_MINIMAL if ending == "\r\n" else csv.QUOTE_ALL
    writer = csv.writer(text, lineterminator=ending, delimiter=delimiter, quoting=quoting)
    writer.writerows([[f"c{at}" for at in range(width)], *rows])
    path = tmp_path / "t.csv"
    path.write_bytes(text.getvalue().encode())
    with read(path, text_plan(width, delimiter, longest)) as reading:
        found = [list(row.values()) for row in reading.batches.read_all().to_pylist()]
        assert reading.rejects.count == 0, reading.rejects.first
    assert found == rows


@CHECKS
@given(
    data=st.lists(
        st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"bc", b'""', b"\xff", b"\xc3\xa9", b"\0"]),
        max_size=60,
    ).map(b"".join),
    longest=st.integers(3, 40),
)
@example(data=b'"\r\n"\r', longest=3)
@example(data=b'aaaaaaaaaa\r\nb,c\r"d', longest=3)
def test_every_line_of_any_bytes_is_covered_once_in_any_block_size(data: bytes, longest: int) -> None:
    dialect = Dialect()
    for size in (1, 2, 7, 1000):
        stream = io.BytesIO(data)
        line, seen = 1, []
        for chunk in chunks(stream.read, dialect, longest=longest, size=size):
            assert chunk.line == line
            line += chunk.lines
            for row in chunk.set_aside:
                assert row.line >= chunk.line
                line = max(line, (row.last_line or row.line) + 1) if row.line >= line else line
            seen += [chunk.record(at) for at in range(len(chunk.spans.starts))]
            assert all(len(record) <= longest for record in seen)
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert line - 1 == lines.count(b"\n") + (not lines.endswith(b"\n") if lines else 0)


@CHECKS
@given(
    rows=st.lists(
        st.sampled_from(["1,2", "3", "4,5,6", '"7,8', '9,"a"b', "x,1", "", '"c\nd",9']), max_size=30
    )
)
def test_every_row_is_read_or_set_aside(tmp_path: Path, rows: list[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["c0,c1", *rows]) + "\n")
    with read(path, text_plan(2).with_column("c1", type="integer")) as reading:
        found = reading.batches.read_all().to_pylist()
        assert len(found) + reading.rejects.count >= len([row for row in rows if row]) - sum(
            '"7,8' in row for row in rows
        )
        good = {1: 0}
        assert sum(row["c1"] in {2, 1, 9} for row in found) == len(found), good
        known = [row.line for row in reading.rejects.first]
        assert known == sorted(known)
        lines = path.read_text().split("\n")
        for row in reading.rejects.first:
            shown = row.raw or ",".join(cell or "" for cell in row.cells)
            assert shown.replace('"', "").split("\n")[0] in lines[row.line - 1].replace('"', "")
