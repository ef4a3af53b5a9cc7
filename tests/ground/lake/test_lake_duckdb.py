"""DuckDB over the lake: one moment per query, many at once, in bounded time."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyiceberg.manifest import ManifestContent

from potager.ground.lake import pinning
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.pinning import Pins
from potager.ground.lake.watching import Watch
from potager.kit.errors import Invalid, NotFound, Unavailable
from tests.ground.lake.processes import numbers

LONG = "SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)"


def test_tables_are_told_with_their_present_snapshot(lake, warehouse, orders):
    made = lake.append("shop.orders", orders, load_id="monday")
    lake.append("crm.people", pa.table({"id": [1]}), load_id="monday")
    found = warehouse.tables()
    assert [*found] == ["crm.people", "shop.orders"]
    info = found["shop.orders"]
    assert (info.snapshot_id, info.rows, info.loaded_at) == (made.id, 3, made.at)
    assert info.schema.names == ["invoice", "quantity", "price"]


def test_the_result_says_what_ran_on_which_snapshots(lake, warehouse, orders):
    made = lake.append("shop.orders", orders, load_id="monday")
    result = warehouse.query("SELECT sum(price * quantity) AS revenue FROM shop.orders")
    assert result.table.to_pylist() == [{"revenue": 17.5}]
    assert result.sql == "SELECT sum(price * quantity) AS revenue FROM shop.orders"
    assert result.snapshots == {"shop.orders": made.id}
    assert result.engine == warehouse.engine == warehouse.dialect == "duckdb"
    assert 0 < result.seconds < 10


def test_the_same_query_sees_a_later_load(lake, warehouse, orders):
    sql = "SELECT count(*) AS n FROM shop.orders"
    seen = []
    for load in range(3):
        lake.append("shop.orders", orders, load_id=str(load))
        seen += [warehouse.query(sql).table["n"][0].as_py() for _ in range(2)]
    assert seen == [3, 3, 6, 6, 9, 9]


def test_a_query_can_be_pinned_by_id_and_by_name(lake, warehouse, orders):
    first = lake.append("shop.orders", orders, load_id="monday")
    lake.append("shop.orders", orders, load_id="tuesday")
    lake.name_snapshot("shop.orders", first.id, "month-end")
    sql = "SELECT count(*) AS n FROM shop.orders"
    for pin in (first.id, "month-end"):
        result = warehouse.query(sql, at={"shop.orders": pin, "crm.people": "1"})
        assert result.table.to_pylist() == [{"n": 3}]
        assert result.snapshots == {"shop.orders": first.id}
    for pin in ("17", "year-end"):
        with pytest.raises(NotFound, match=f"no snapshot '{pin}'"):
            warehouse.query(sql, at={"shop.orders": pin})


def test_a_table_that_is_not_there_is_said_so(warehouse):
    with pytest.raises(NotFound, match=r"no table shop\.orders"):
        warehouse.query("SELECT * FROM shop.orders")


def test_a_column_that_is_not_there_is_said_so(lake, warehouse, orders):
    lake.append("shop.orders", orders, load_id="monday")
    with pytest.raises(Invalid, match='"prize" not found'):
        warehouse.query("SELECT prize FROM shop.orders")


def test_streams_bring_every_row_and_give_the_session_back(lake, warehouse):
    lake.append("shop.n", numbers(5, 100_000), load_id="a")
    reader = warehouse.stream("SELECT number FROM shop.n")
    assert reader.schema.names == ["number"]
    assert sum(batch.num_rows for batch in reader) == 500_000
    left = warehouse.stream("SELECT number FROM shop.n")
    assert left.read_next_batch().num_rows > 0
    del left
    gc.collect()
    assert len(warehouse._idle) >= 1
    assert warehouse.query("SELECT count(*) AS n FROM shop.n").table.to_pylist() == [{"n": 500_000}]


def test_a_stream_keeps_its_snapshot_while_the_table_changes(lake, warehouse):
    lake.append("shop.n", numbers(4, 100_000), load_id="a")
    reader = warehouse.stream("SELECT number FROM shop.n")
    seen = reader.read_next_batch().num_rows
    lake.undo("shop.n", "a")
    assert warehouse.query("SELECT count(*) AS n FROM shop.n").table.to_pylist() == [{"n": 0}]
    assert seen + sum(batch.num_rows for batch in reader) == 400_000


def test_explain_shows_the_plan(lake, warehouse, orders):
    lake.append("shop.orders", orders, load_id="monday")
    assert "Parquet" in warehouse.explain("SELECT invoice FROM shop.orders")
    with pytest.raises(Invalid, match="may not run"):
        warehouse.explain("DROP TABLE x")


@pytest.mark.parametrize("ask", ["query", "stream", "explain"])
def test_every_way_is_guarded(warehouse, ask):
    with pytest.raises(Invalid, match="reads from the function read_text"):
        getattr(warehouse, ask)("SELECT * FROM read_text('/etc/passwd')")


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_runs(lake):
    warehouse = DuckDBWarehouse(lake, timeout=0.3)
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"longer than 0.3 seconds"):
        warehouse.query(LONG)
    with pytest.raises(Unavailable, match=r"longer than 0.3 seconds"):
        list(warehouse.stream(LONG))
    assert time.monotonic() - begun < 10
    assert warehouse.query("SELECT 1 AS one").table.to_pylist() == [{"one": 1}]
    warehouse.close()


def test_a_query_that_needs_too_much_memory_is_said_so(lake):
    warehouse = DuckDBWarehouse(lake, memory="20MB", threads=1)
    with pytest.raises(Unavailable, match="more memory than it may take"):
        warehouse.query("SELECT list(i) FROM range(30000000) t(i)")
    warehouse.close()


def test_what_does_not_fit_in_memory_spills(lake, tmp_path):
    warehouse = DuckDBWarehouse(lake, memory="60MB", threads=1, scratch=tmp_path / "scratch")
    sql = (
        "SELECT count(*) AS n FROM (SELECT DISTINCT i * 7919 AS x, i::VARCHAR AS y FROM range(3000000) t(i))"
    )
    assert warehouse.query(sql).table.to_pylist() == [{"n": 3_000_000}]
    warehouse.close()


def test_missing_files_are_said_so(lake, warehouse, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")
    for file in (tmp_path / "lake").rglob("*.parquet"):
        file.unlink()
    with pytest.raises(Unavailable, match="could not read the lake's files"):
        warehouse.query("SELECT * FROM shop.orders")
    with pytest.raises(Unavailable, match="could not read the lake's files"):
        warehouse.stream("SELECT * FROM shop.orders")


def test_many_threads_ask_at_once_of_different_snapshots(lake, warehouse, orders):
    made = [lake.append("shop.orders", orders, load_id=str(load)) for load in range(6)]

    def ask(number: int) -> bool:
        at = made[number % 6]
        sql = "SELECT count(*) AS n FROM shop.orders"
        return warehouse.query(sql, at={"shop.orders": at.id}).table["n"][0].as_py() == at.rows

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(120)))
    assert len(warehouse._idle) <= 8


def test_a_session_forgets_old_queries(lake, warehouse):
    for number in range(80):
        warehouse.query(f"SELECT {number} AS n")
    assert sum(len(session._asked) for session in warehouse._idle) <= 64


def test_what_is_divided_by_zero_is_no_number(warehouse):
    answer = warehouse.query(
        "SELECT 1 / 0 AS a, 1.5::DOUBLE / 0 AS b, 0::DOUBLE / 0 AS c, 7 // 0 AS d, 7 % 0 AS e"
    ).table
    assert answer.to_pylist() == [{"a": None, "b": None, "c": None, "d": None, "e": None}]


def test_times_are_utc(lake, warehouse):
    moment = datetime(2011, 12, 9, 12, tzinfo=UTC)
    lake.append(
        "shop.t", pa.table({"made": pa.array([moment], pa.timestamp("us", "Europe/London"))}), load_id="a"
    )
    answer = warehouse.query(
        "SELECT made, strftime(made, '%H:%M') AS said, date_trunc('day', made) AS day FROM shop.t"
    ).table
    assert answer.to_pylist() == [{"made": moment, "said": "12:00", "day": moment.replace(hour=0)}]


def test_files_with_rows_deleted_by_others_are_refused(lake, orders):
    lake.append("shop.orders", orders, load_id="monday")
    metadata = lake.metadata("shop.orders")

    class Deletes:
        content = ManifestContent.DELETES

    class Foreign:
        def manifests(self, io):
            return [*metadata.current_snapshot().manifests(io), Deletes()]

    with pytest.raises(Unavailable, match="Another program deleted single rows"):
        pinning._files(("shop", "orders"), Foreign(), lake.catalogue.io(metadata.location))


def test_what_a_snapshot_holds_is_read_once(lake, orders, monkeypatch):
    lake.append("shop.orders", orders, load_id="monday")
    pins = Pins(lake)
    name = next(iter(lake.catalogue.pointers()))
    first = pins.resolve([name], None)

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(pinning, "_files", never)
    assert pins.resolve([name], None) == first
    assert replace(first[name], grown=True) != first[name]


def test_a_watch_interrupts_each_that_is_late():
    watch = Watch(0.1)
    late = threading.Event()
    also = threading.Event()
    with watch.over(late.set), watch.over(also.set):
        assert late.wait(5) and also.wait(5)
    early = threading.Event()
    with watch.over(early.set):
        pass
    time.sleep(0.2)
    assert not early.is_set()
    watch.close()
