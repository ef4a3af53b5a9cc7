"""Columns: what the lake keeps, and how a table's columns may change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.ground.lake.columns import common, kept_type, plain, storable, widens
from potager.kit.errors import Invalid

ODD = {
    "small": (pa.array([1, None], pa.int8()), [1, None]),
    "unsigned": (pa.array([2**32 - 1, 0], pa.uint32()), [2**32 - 1, 0]),
    "huge": (pa.array([2**64 - 1, 0], pa.uint64()), [Decimal(2**64 - 1), Decimal(0)]),
    "half": (pa.array([1.5, None], pa.float16()), [1.5, None]),
    "word": (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
    "long_text": (pa.array(["a", None], pa.large_string()), ["a", None]),
    "view": (pa.array(["a", None], pa.string_view()), ["a", None]),
    "bytes": (pa.array([b"a", None], pa.large_binary()), [b"a", None]),
    "fixed": (pa.array([b"ab", None], pa.binary(2)), [b"ab", None]),
    "day": (pa.array([date(2011, 12, 9), None], pa.date64()), [date(2011, 12, 9), None]),
    "nanos": (pa.array([1_000_001_999, None], pa.timestamp("ns")), [datetime(1970, 1, 1, 0, 0, 1, 1), None]),
    "zoned": (
        pa.array([0, None], pa.timestamp("s", "Europe/London")),
        [datetime(1970, 1, 1, tzinfo=UTC), None],
    ),
    "clock": (pa.array([3600, None], pa.time32("s")), [time(1), None]),
    "money": (pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)), [Decimal("1.10"), None]),
    "wide_money": (pa.array([Decimal("1.10"), None], pa.decimal256(38, 2)), [Decimal("1.10"), None]),
    "yes": (pa.array([True, None]), [True, None]),
    "nothing": (pa.nulls(2), [None, None]),
    "list": (pa.array([[1, 2], None], pa.large_list(pa.int64())), [[1, 2], None]),
    "struct": (pa.array([{"x": 1, "y": ["z"]}, None]), [{"x": 1, "y": ["z"]}, None]),
    "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), [[("k", 1)], None]),
    'Unit "Price" ü.£': (pa.array([1.0, 2.0]), [1.0, 2.0]),
}


def test_every_kind_of_column_comes_back_as_it_went_in(lake, warehouse):
    table = pa.table({name: column for name, (column, _) in ODD.items()})
    lake.append("shop.odd", table, load_id="a")
    lake.append("shop.odd", pa.table({"extra": [1]}), load_id="b")  # now they are found by field id
    for rows, at in ((2, {"shop.odd": lake.history("shop.odd")[0].id}), (3, None)):
        answer = warehouse.query("SELECT * FROM shop.odd", at=at).table
        assert answer.num_rows == rows
        for name, (_, wanted) in ODD.items():
            found = answer.column(name).slice(0, 2).to_pylist()
            assert found == wanted, name


def test_new_columns_come_last_and_old_rows_have_none(lake, warehouse, orders):
    lake.append("shop.orders", orders.select(["invoice", "price"]), load_id="a")
    lake.append("shop.orders", orders.select(["quantity", "invoice"]), load_id="b")
    assert lake.schema("shop.orders").names == ["invoice", "price", "quantity"]
    answer = warehouse.query("SELECT count(*) n, count(price) p, count(quantity) q FROM shop.orders").table
    assert answer.to_pylist() == [{"n": 6, "p": 3, "q": 3}]


@pytest.mark.parametrize(
    ("old", "new", "then"),
    [
        (pa.int32(), pa.int64(), pa.int64()),
        (pa.int64(), pa.int32(), pa.int64()),
        (pa.float32(), pa.float64(), pa.float64()),
        (pa.float64(), pa.int64(), pa.float64()),
        (pa.decimal128(10, 2), pa.decimal128(18, 2), pa.decimal128(18, 2)),
        (pa.decimal128(18, 2), pa.int32(), pa.decimal128(18, 2)),
        (pa.string(), pa.null(), pa.string()),
        (pa.timestamp("us"), pa.date32(), pa.timestamp("us")),
        (pa.int64(), pa.float64(), None),
        (pa.int64(), pa.string(), None),
        (pa.string(), pa.int64(), None),
        (pa.decimal128(10, 2), pa.decimal128(10, 3), None),
        (pa.decimal128(10, 2), pa.int64(), None),
        (pa.date32(), pa.timestamp("us"), None),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), None),
        (pa.list_(pa.int64()), pa.list_(pa.string()), None),
    ],
)
def test_a_type_widens_as_iceberg_allows_and_no_other_way(lake, warehouse, old, new, then):
    assert common(old, new) == then
    lake.append("shop.t", pa.table({"c": pa.array([None], old)}), load_id="a")
    second = pa.table({"c": pa.array([None], new)})
    if then is None:
        with pytest.raises(Invalid) as refused:
            lake.append("shop.t", second, load_id="b")
        assert refused.value.errors[0].where == "c"
        assert f"'c' is {old} in shop.t and {new} in this load" in refused.value.detail
        assert "or give it another name" in refused.value.mend
        assert len(lake.history("shop.t")) == 1
    else:
        lake.append("shop.t", second, load_id="b")
        assert lake.schema("shop.t").field("c").type == then
        assert warehouse.query("SELECT c FROM shop.t").table.num_rows == 2


def test_widened_columns_read_old_and_new_files_alike(lake, warehouse):
    small = pa.table({"n": pa.array([1, 2], pa.int32()), "x": pa.array([0.5, 1.5], pa.float32())})
    lake.append("shop.t", small, load_id="a")
    lake.append("shop.t", pa.table({"n": [2**40], "x": [0.1]}), load_id="b")
    lake.append("shop.t", small, load_id="c")
    answer = warehouse.query("SELECT sum(n) n, max(x) x FROM shop.t").table
    assert answer.to_pylist() == [{"n": 2**40 + 6, "x": 1.5}]


def test_values_that_do_not_fit_are_refused_by_name(lake):
    lake.append("shop.t", pa.table({"x": [0.5]}), load_id="a")
    with pytest.raises(Invalid, match="column 'x' has values that do not fit double"):
        lake.append("shop.t", pa.table({"x": [2**60 + 1]}), load_id="b")
    assert lake.current("shop.t").rows == 1


def test_columns_that_cannot_be_kept_are_all_named():
    schema = pa.schema(
        [
            ("a", pa.duration("s")),
            ("b", pa.decimal256(60, 2)),
            ("_load", pa.string()),
            ("C", pa.int64()),
            ("c", pa.int64()),
            ("d", pa.struct([("x", pa.duration("s"))])),
            ("e", pa.list_(pa.duration("s"))),
            ("", pa.int64()),
        ]
    )
    with pytest.raises(Invalid) as refused:
        storable(schema, "shop.t")
    assert [error.where for error in refused.value.errors] == ["a", "b", "_load", "c", "d", "e", ""]
    with pytest.raises(Invalid, match="There are no columns"):
        storable(pa.schema([]), "shop.t")


def test_a_column_that_differs_in_capitals_is_refused(lake):
    lake.append("shop.t", pa.table({"Price": [1.0]}), load_id="a")
    with pytest.raises(Invalid, match="'price' is called 'Price'"):
        lake.append("shop.t", pa.table({"price": [1.0]}), load_id="b")


KINDS = st.recursive(
    st.sampled_from(
        [pa.int8(), pa.uint64(), pa.float32(), pa.large_string(), pa.timestamp("ns"), pa.date64()]
    ),
    lambda inner: st.one_of(
        inner.map(pa.list_), inner.map(lambda kind: pa.struct([("x", kind)])), inner.map(pa.large_list)
    ),
    max_leaves=4,
)


@given(KINDS)
def test_what_is_kept_is_kept_as_it_is(kind):
    once = kept_type(kind)
    assert once is not None
    assert kept_type(once) == once == plain(once)
    assert common(once, once) == once


@given(KINDS, KINDS)
def test_nothing_widens_both_ways(one, other):
    if one != other:
        assert not (widens(one, other) and widens(other, one))
