"""Parquet keeps its types; what is nested becomes JSON text; values that do not fit a plan are set aside by row."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from potager.connectors.files import Cast, ReadPlan, inspect, plan_from, preview, read
from potager.connectors.files.plans import ColumnPlan
from potager.kit.errors import Invalid

from .helpers import said, whole, write


def table() -> pa.Table:
    return pa.table(
        {
            "Int": pa.array([1, None, 3], pa.int32()),
            "big": pa.array([1, 2, 2**63], pa.uint64()),
            "f": pa.array([1.5, None, 2.5], pa.float32()),
            "d": pa.array([Decimal("1.25"), None, Decimal("3.00")], pa.decimal128(9, 2)),
            "b": [True, None, False],
            "day": pa.array([dt.date(2024, 1, 31)] * 3, pa.date32()),
            "at": pa.array([dt.datetime(2024, 1, 31, 10)] * 3, pa.timestamp("ns", "Europe/Paris")),
            "dict": pa.array(["x", "y", "x"]).dictionary_encode(),
            "nested": [{"k": [1]}, None, {"k": []}],
            "span": pa.array([dt.timedelta(seconds=1)] * 3, pa.duration("s")),
            "clock": pa.array([dt.time(10, 30)] * 3, pa.time32("s")),
        }
    )


def test_types_are_kept_and_nested_values_become_json(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(table(), path)
    shape = inspect(path)
    assert {one.name: one.type for one in shape.columns} == {
        "int": "integer", "big": "integer", "f": "number", "d": "decimal(9,2)", "b": "boolean", "day": "date",
        "at": "timestamp", "dict": "text", "nested": "json", "span": "text", "clock": "text",
    }  # fmt: skip
    assert (shape.format, shape.rows_estimate, shape.rows_exact) == ("parquet", 3, True)
    assert shape.columns[0].share_null == pytest.approx(1 / 3)
    rows, rejects = whole(path, plan_from(shape))
    assert rows[0] == {
        "int": 1, "big": 1, "f": 1.5, "d": Decimal("1.25"), "b": True, "day": dt.date(2024, 1, 31),
        "at": dt.datetime(2024, 1, 31, 10), "dict": "x", "nested": '{"k":[1]}', "span": "1", "clock": "10:30:00.000",
    }  # fmt: skip
    assert rows[1]["nested"] is None and rows[1]["int"] is None
    assert [(row.line, row.columns) for row in rejects.first] == [(3, ("big",))]
    assert rejects.first[0].cells[1] == "9223372036854775808"


def test_columns_may_be_left_out_renamed_and_recast(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table({"a": ["1", "x"], "b": [1, 2], "at": pa.array([dt.datetime(2024, 1, 1)] * 2)}), path
    )
    plan = ReadPlan(
        "parquet",
        (
            ColumnPlan("b", "b_text", Cast("text")),
            ColumnPlan("a", "n", Cast("integer")),
            ColumnPlan("at", "at", Cast("date")),
        ),
    )
    with read(path, plan) as reading:
        assert reading.batches.read_all().to_pylist() == [{"b_text": "1", "n": 1, "at": dt.date(2024, 1, 1)}]
        assert reading.rejects.first[0].reason == "a: “x” is not a whole number of at most 18 digits."
        assert reading.rejects.first[0].cells == ("x", "2", "2024-01-01 00:00:00.000000")
    assert preview(path, plan).rows.num_rows == 1
    with pytest.raises(Invalid, match="has no column “zz”"):
        read(path, ReadPlan("parquet", (ColumnPlan("zz", "z"),)))


def test_two_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    shape = inspect(path)
    assert "Several columns have the same name; they are told apart as “a (2)”." in said(shape)
    assert whole(path, plan_from(shape))[0] == [{"a": 1, "a_2": 2}]


def test_an_empty_table_gives_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(table().slice(0, 0), path)
    shape = inspect(path)
    assert (shape.rows_estimate, shape.columns[0].samples) == (0, ())
    assert whole(path, plan_from(shape))[0] == []


def test_damaged_files_and_binary_columns_are_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="is a damaged Parquet file"):
        inspect(write(tmp_path, b"PAR1" + b"\0" * 100 + b"PAR1", "t.parquet"))
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({"x": [b"\xff\xfe"]}), path)
    sentence = "holds binary values, which are not text"
    with read(path, plan_from(inspect(path))) as reading, pytest.raises(Invalid, match=sentence):
        reading.batches.read_all()
    pq.write_table(pa.table({"x": pa.array(range(200_000))}), path, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[100:3000] = b"\xff" * 2900
    data[4:60] = b"\xff" * 56
    broken = write(tmp_path, bytes(data), "c.parquet")
    with (
        read(broken, plan_from(inspect(path))) as reading,
        pytest.raises(Invalid, match="damaged Parquet file"),
    ):
        reading.batches.read_all()
