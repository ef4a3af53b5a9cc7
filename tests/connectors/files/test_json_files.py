"""JSON Lines and JSON arrays: keys become columns, nested values JSON text, broken lines are set aside."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.connectors.files import inspect, plan_from, preview, read
from potager.connectors.files.json_records import elements
from potager.kit.errors import Invalid

from .helpers import said, shape_of, whole, write


def test_keys_become_columns_with_types(tmp_path: Path) -> None:
    records = [
        {
            "id": 1,
            "zip": "01234",
            "ok": True,
            "at": "2024-01-31T10:00:00",
            "n": 1.5,
            "o": {"x": [1]},
            "s": "7",
        },
        {
            "id": 2,
            "zip": "77777",
            "ok": False,
            "at": "2024-02-01T11:00:00",
            "n": None,
            "o": None,
            "late": "new",
        },
    ]
    path = write(tmp_path, "\n".join(map(json.dumps, records)) + "\n\n", "t.jsonl")
    shape = inspect(path)
    assert (shape.format, shape.rows_estimate, shape.rows_exact) == ("jsonl", 2, True)
    assert {one.name: one.type for one in shape.columns} == {
        "id": "text",
        "zip": "text",
        "ok": "boolean",
        "at": "timestamp",
        "n": "number",
        "o": "json",
        "s": "text",
        "late": "text",
    }
    rows, rejects = whole(path, plan_from(shape))
    assert rows[0] == {
        "id": "1", "zip": "01234", "ok": True, "at": dt.datetime(2024, 1, 31, 10), "n": 1.5, "o": '{"x":[1]}', "s": "7",
        "late": None,
    }  # fmt: skip
    assert rejects.count == 0


def test_broken_lines_are_set_aside_with_their_number(tmp_path: Path) -> None:
    data = b'{"a": 1}\n{"a": \n[1, 2]\n\n{"a": "x"}\n{"a": "\xff"}\n{"a": "\0"}\n{"a": 2}\n'
    path = write(tmp_path, data, "t.jsonl")
    plan = plan_from(shape_of(tmp_path, '{"a": 1}\n', "one.jsonl"))
    rows, rejects = whole(path, plan)
    assert [row["a"] for row in rows] == [1, 2]
    assert [(row.line, row.reason) for row in rejects.first] == [
        (2, "The line is not valid JSON."),
        (3, "The line is JSON, but not an object with named values."),
        (5, "a: “x” is not a whole number of at most 18 digits."),
        (6, "The line is not valid JSON."),
        (7, "The line is not valid JSON."),
    ]
    assert rejects.first[2].raw == '{"a": "x"}'


def test_a_line_that_is_too_long_is_set_aside_in_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1}\n{"a": "' + "x" * 500_000 + '"}\n{"a": 2}\n', "t.jsonl")
    shape = inspect(path, options=None)
    plan = plan_from(shape_of(tmp_path, '{"a": 1}\n', "one.jsonl", longest_line=100_000))
    rows, rejects = whole(path, plan)
    assert [row["a"] for row in rows] == [1, 2]
    assert rejects.first[0].line == 2
    assert shape.format == "jsonl"


def test_keys_with_strange_letters_and_keys_that_are_not_planned(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a.b": 1, "c/d~e": "x", "it\'s \\"q\\"": true}\n', "t.jsonl")
    plan = plan_from(inspect(path))
    assert whole(path, plan)[0] == [{"a_b": 1, "c_d_e": "x", "it_s_q": True}]
    other = write(tmp_path, '{"a.b": 2, "new": 1}\n', "u.jsonl")
    with read(other, plan) as reading:
        assert reading.batches.read_all().num_rows == 1
        assert reading.notes == ["Not in the plan, not read: “new”."]


def test_whole_numbers_of_any_length_keep_their_digits(tmp_path: Path) -> None:
    path = write(tmp_path, '{"n": 123456789012345678901234567890}\n', "t.jsonl")
    assert whole(path)[0] == [{"n": "123456789012345678901234567890"}]


def test_a_json_array_is_read_element_by_element_with_lines(tmp_path: Path) -> None:
    text = '[\n  {"a": 1,\n   "b": "x"},\n  {"a": "bad"}, 5,\n  {"a": 3, "b": "é"}\n]\n'
    path = write(tmp_path, text, "t.json")
    plan = plan_from(shape_of(tmp_path, '[{"a": 1, "b": "x"}]', "one.json"))
    rows, rejects = whole(path, plan)
    assert rows == [{"a": 1, "b": "x"}, {"a": 3, "b": "é"}]
    assert [row.line for row in rejects.first] == [4, 4]
    assert preview(path, plan).rows.num_rows == 2
    shape = shape_of(tmp_path, json.dumps([{"n": at} for at in range(1000)]), "big.json", whole_up_to=10)
    assert shape.rows_estimate == 1000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[{"a": 1}\n, {"a": ]', "breaks in line 2: Expecting value"),
        ('[{"a": 1} {"a": 2}]', "a comma is missing between two records"),
        ('[{"a": 1},]', "a comma stands before the closing bracket"),
        ('[{"a": 1}', "the array is not closed"),
        ('[{"a": 1}, {"a": "' + "x" * 400_000 + '"}]', "a record is longer than 50,000 characters"),
        ('[{"a": "' + "x" * 2_000_000, "a record is longer than 50,000 characters, or never closed"),
        ('[{"a": "x', "Unterminated string"),
        ("[" + '{"a":' + "[" * 100_000, "a record is nested too deeply"),
    ],
)
def test_a_json_array_that_breaks_is_refused_with_the_line(tmp_path: Path, text: str, sentence: str) -> None:
    plan = plan_from(shape_of(tmp_path, '[{"a": 1}]', "one.json", longest_line=50_000))
    with read(write(tmp_path, text, "t.json"), plan) as reading, pytest.raises(Invalid, match=sentence):
        reading.batches.read_all()


def test_a_json_array_with_broken_text_is_refused(tmp_path: Path) -> None:
    plan = plan_from(shape_of(tmp_path, '[{"a": "x"}]', "one.json"))
    sentence = "bytes that are not text in the encoding of the file"
    with (
        read(write(tmp_path, b'[{"a": "\xff"}]', "t.json"), plan) as reading,
        pytest.raises(Invalid, match=sentence),
    ):
        reading.batches.read_all()
    with pytest.raises(Invalid, match=r"it does not begin with \["):
        list(elements("t.json", _reader(b"{}"), longest=99))


def _reader(data: bytes) -> Callable[[int], bytes]:
    blocks: Iterator[bytes] = iter([data[at : at + 1] for at in range(len(data))])
    return lambda size: next(blocks, b"")


@given(
    st.lists(
        st.dictionaries(
            st.text(), st.integers() | st.text() | st.none() | st.lists(st.floats(allow_nan=False))
        )
    )
)
def test_elements_gives_back_every_element_whatever_the_blocks(records: list[dict[str, object]]) -> None:
    data = json.dumps(records, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    found = [json.loads(text) for text, _ in elements("t", _reader(data), longest=10**6)]
    assert found == json.loads(data)


def test_json_without_objects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="has no JSON objects with named values"):
        inspect(write(tmp_path, "{}\n{}\n", "t.jsonl"))
    shape = shape_of(tmp_path, '{"a": 1}\nnot json\n', "t.jsonl")
    assert (
        "1 row cannot be read and will be set aside; the first is line 2: The line is not valid JSON."
        in said(shape)
    )
