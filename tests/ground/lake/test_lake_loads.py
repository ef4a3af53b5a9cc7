"""Loads: seen whole or not at all, once however often they are tried, and undone as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potager.ground.lake import writing
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.kit.clock import held, now
from potager.kit.errors import Conflict, Invalid, NotFound
from tests.ground.lake.processes import numbers


def rows(warehouse: DuckDBWarehouse, name: str, **given: dict[str, str]) -> list[dict[str, object]]:
    return warehouse.query(f"SELECT * FROM {name}", **given).table.to_pylist()


def test_the_first_load_makes_the_table(lake, warehouse, orders):
    made = lake.append("shop.orders", orders, load_id="monday", properties={"potager.import": "7"})
    assert (made.table, made.rows, made.added, made.load_id, made.operation) == (
        "shop.orders",
        3,
        3,
        "monday",
        "append",
    )
    assert lake.tables() == ["shop.orders"]
    assert lake.exists("shop.orders") and not lake.exists("shop.customers")
    assert rows(warehouse, "shop.orders") == orders.to_pylist()
    assert abs(made.at - now()) < timedelta(minutes=1)


def test_the_load_column_shows_only_when_asked_for(lake, warehouse, orders):
    lake.append("shop.orders", orders, load_id="monday")
    assert lake.schema("shop.orders").names == ["invoice", "quantity", "price"]
    assert lake.schema("shop.orders", with_load=True).names == ["_load", "invoice", "quantity", "price"]
    assert warehouse.query("SELECT * FROM shop.orders").table.column_names == ["invoice", "quantity", "price"]


def test_the_same_load_again_adds_nothing_and_is_not_read(lake, orders):
    first = lake.append("shop.orders", orders, load_id="monday")
    lake.append("shop.orders", orders, load_id="tuesday")

    def never() -> Iterator[pa.RecordBatch]:
        raise AssertionError("The load was there already; nothing should have been read.")
        yield

    again = lake.append(
        "shop.orders", pa.RecordBatchReader.from_batches(orders.schema, never()), load_id="monday"
    )
    assert again.id == first.id
    assert lake.current("shop.orders").rows == 6
    assert lake.loads("shop.orders") == {"monday": 3, "tuesday": 3}


def test_undo_takes_exactly_one_load_and_writes_no_rows(lake, warehouse, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")
    lake.append("shop.orders", orders.slice(0, 1), load_id="tuesday")
    before = sorted((tmp_path / "lake").rglob("*.parquet"))
    undone = lake.undo("shop.orders", "monday")
    assert (undone.operation, undone.load_id, undone.rows, undone.removed) == ("undo", "monday", 1, 3)
    assert rows(warehouse, "shop.orders") == orders.slice(0, 1).to_pylist()
    assert sorted((tmp_path / "lake").rglob("*.parquet")) == before
    assert lake.undo("shop.orders", "monday").id == undone.id


def test_loads_whose_ids_begin_alike_are_told_apart(lake, orders):
    """Iceberg's bounds keep sixteen characters; two loads that differ later must not be taken for one."""
    lake.append("shop.orders", orders, load_id="0123456789abcdef-one")
    lake.append("shop.orders", orders.slice(0, 1), load_id="0123456789abcdef-two")
    lake.undo("shop.orders", "0123456789abcdef-one")
    assert lake.loads("shop.orders") == {"0123456789abcdef-two": 1}


def test_a_load_that_was_undone_may_come_again(lake, orders):
    lake.append("shop.orders", orders, load_id="monday")
    lake.undo("shop.orders", "monday")
    assert lake.current("shop.orders").rows == 0
    lake.append("shop.orders", orders, load_id="monday")
    assert lake.loads("shop.orders") == {"monday": 3}
    lake.undo("shop.orders", "monday")
    assert lake.loads("shop.orders") == {}


def test_a_pinned_snapshot_reads_equal_after_later_loads_and_undo(lake, warehouse, orders):
    pinned = {"shop.orders": lake.append("shop.orders", orders, load_id="monday").id}
    before = warehouse.query("SELECT * FROM shop.orders", at=pinned)
    lake.append("shop.orders", pa.table({"invoice": ["C"], "note": ["new"]}), load_id="tuesday")
    lake.undo("shop.orders", "monday")
    lake.overwrite("shop.orders", pa.table({"other": [1]}), load_id="wednesday")
    after = warehouse.query("SELECT * FROM shop.orders", at=pinned)
    assert after.table.equals(before.table)
    assert after.snapshots == before.snapshots == pinned


def test_overwrite_replaces_rows_and_columns_in_one_snapshot(lake, warehouse, orders):
    lake.append("shop.orders", orders, load_id="monday")
    lake.append("shop.orders", orders, load_id="tuesday")
    lake.overwrite("shop.orders", pa.table({"invoice": [7], "note": ["x"]}), load_id="new")
    assert [found.operation for found in lake.history("shop.orders")] == ["append", "append", "overwrite"]
    assert rows(warehouse, "shop.orders") == [{"invoice": 7, "note": "x"}]
    assert lake.schema("shop.orders") == pa.schema([("invoice", pa.int64()), ("note", pa.string())])
    lake.append("shop.orders", pa.table({"invoice": [8]}), load_id="later")
    again = lake.overwrite("shop.orders", orders, load_id="new")
    assert again.rows == 1
    assert lake.loads("shop.orders") == {"new": 1, "later": 1}


def test_overwrite_makes_a_table_that_is_not_there(lake, orders):
    assert lake.overwrite("shop.orders", orders, load_id="monday").rows == 3


def test_what_was_overwritten_cannot_be_undone(lake, orders):
    lake.append("shop.orders", orders, load_id="monday")
    lake.overwrite("shop.orders", orders, load_id="new")
    with pytest.raises(Conflict, match="a later load replaced all rows"):
        lake.undo("shop.orders", "monday")


def test_a_load_without_rows_is_remembered_and_can_be_undone(lake, warehouse, orders):
    made = lake.append("shop.orders", orders.slice(0, 0), load_id="empty")
    assert made.rows == 0
    assert warehouse.query("SELECT * FROM shop.orders").table.schema.names == orders.schema.names
    assert lake.append("shop.orders", orders, load_id="empty").id == made.id
    assert lake.undo("shop.orders", "empty").operation == "undo"
    assert lake.append("shop.orders", orders, load_id="empty").rows == 3


def test_a_load_is_known_after_its_snapshot_has_expired(lake, orders):
    lake.append("shop.orders", orders, load_id="monday")
    for day in range(3):
        lake.append("shop.orders", orders, load_id=f"day-{day}")
    with held(now() + timedelta(days=60)):
        lake.expire("shop.orders", keep_last=1)
    assert [found.load_id for found in lake.history("shop.orders")] == ["day-2"]
    assert lake.append("shop.orders", orders, load_id="monday").rows == 12
    assert lake.append("shop.orders", orders, load_id="new").rows == 15
    assert lake.undo("shop.orders", "monday").rows == 12


def test_what_is_not_there_is_said_so(lake, orders):
    with pytest.raises(NotFound, match=r"no table shop\.orders"):
        lake.schema("shop.orders")
    with pytest.raises(NotFound, match=r"no table shop\.orders"):
        lake.undo("shop.orders", "monday")
    with pytest.raises(NotFound, match=r"no table shop\.orders"):
        lake.drop("shop.orders")
    assert lake.current("shop.orders") is None
    lake.append("shop.orders", orders, load_id="monday")
    with pytest.raises(NotFound, match="holds no load 'tuesday'"):
        lake.undo("shop.orders", "tuesday")


@pytest.mark.parametrize(
    "name", ["orders", "Shop.orders", "shop.orders.old", "shop.1st", "shop.", "shop.or-ders", ""]
)
def test_a_table_is_named_by_two_plain_words(lake, orders, name):
    with pytest.raises(Invalid, match="cannot name a table"):
        lake.append(name, orders, load_id="monday")


@pytest.mark.parametrize("load_id", ["", "x" * 201, "line\nbreak"])
def test_a_load_needs_an_id(lake, orders, load_id):
    with pytest.raises(Invalid, match="needs an id"):
        lake.append("shop.orders", orders, load_id=load_id)


def test_an_error_of_the_source_comes_through_and_leaves_nothing(lake, tmp_path):
    schema = pa.schema([("n", pa.int64())])

    def breaks() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"n": list(range(1000))}, schema=schema)
        raise Conflict("The file ended in the middle of a row.")

    with pytest.raises(Conflict, match="in the middle of a row"):
        lake.append("shop.orders", pa.RecordBatchReader.from_batches(schema, breaks()), load_id="monday")
    assert lake.tables() == []
    assert [*(tmp_path / "lake").rglob("*.parquet")] == []


def test_a_large_load_rolls_over_files_and_row_groups(lake, warehouse, monkeypatch, tmp_path):
    monkeypatch.setattr(writing, "ROW_GROUP_ROWS", 1000)
    monkeypatch.setattr(writing, "FILE_BYTES", 30_000)
    made = lake.append("shop.numbers", numbers(7, 3333), load_id="monday")
    assert made.rows == 7 * 3333
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) > 1
    answer = warehouse.query(
        "SELECT count(*) n, sum(number) s, count(DISTINCT batch) b FROM shop.numbers"
    ).table
    assert answer.to_pylist() == [{"n": 23331, "s": 7 * 3333 * 3332 // 2, "b": 7}]
    assert lake.undo("shop.numbers", "monday").rows == 0


def test_wide_rows_make_smaller_row_groups(monkeypatch):
    monkeypatch.setattr(writing, "ROW_GROUP_BYTES", 10_000)
    batches = [pa.RecordBatch.from_pydict({"t": ["x" * 1000] * 4})] * 10
    assert [group.num_rows for group in writing.row_groups(batches)] == [12, 12, 12, 4]


def test_many_small_loads_keep_the_catalogue_small(lake, warehouse, orders, tmp_path):
    for load in range(12):
        lake.append("shop.orders", orders, load_id=f"load-{load}")
    assert warehouse.query("SELECT count(*) n FROM shop.orders").table.to_pylist() == [{"n": 36}]
    assert len(lake.history("shop.orders")) == 12


def test_a_write_may_be_refused_beforehand(place, orders):
    def refuse() -> None:
        raise RuntimeError("not now")

    with pytest.raises(RuntimeError, match="not now"):
        Lake(*place, before_commit=refuse).append("shop.orders", orders, load_id="monday")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["append", "undo", "overwrite"]), st.integers(0, 3)), min_size=1, max_size=7
    )
)
def test_any_order_of_loads_gives_what_a_dictionary_would(tmp_path_factory, steps):
    """The naive second computation: a dictionary of loads, and the ids that have been seen."""
    folder = tmp_path_factory.mktemp("steps")
    lake = Lake(f"sqlite:///{folder / 'c.sqlite3'}", str(folder / "lake"))
    held_loads: dict[str, int] = {}
    came: set[str] = set()
    for step, number in steps:
        load_id, table = f"load-{number}", pa.table({"n": list(range(number + 1))})
        if step == "undo":
            if load_id in held_loads:
                lake.undo("shop.n", load_id)
                del held_loads[load_id]
                came.discard(load_id)
            continue
        getattr(lake, step)("shop.n", table, load_id=load_id)
        if load_id not in came:
            if step == "overwrite":
                held_loads = {}
            held_loads[load_id] = number + 1
            came.add(load_id)
    if lake.tables():
        assert lake.loads("shop.n") == held_loads
        assert lake.current("shop.n").rows == sum(held_loads.values())
    lake.close()
