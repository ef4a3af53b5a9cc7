"""Upkeep: what is forgotten, what stays, and that sweeping takes nothing that anyone needs."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from potager.ground.lake import evolving, upkeep
from potager.kit.clock import held, now
from potager.kit.errors import Conflict, Invalid, NotFound

LATER = timedelta(days=40)


def load_ids(lake) -> list[str]:
    return [found.load_id for found in lake.history("shop.orders")]


@pytest.fixture
def week(lake, orders):
    """A table with five loads."""
    return [lake.append("shop.orders", orders, load_id=f"day-{day}") for day in range(5)]


def test_old_snapshots_expire_but_the_last_and_the_named_stay(lake, warehouse, week):
    lake.name_snapshot("shop.orders", week[1].id, "close")
    assert lake.expire("shop.orders", keep_last=2) == []
    with held(now() + LATER):
        gone = lake.expire("shop.orders", keep_last=2)
    assert gone == [week[0].id, week[2].id]
    assert load_ids(lake) == ["day-1", "day-3", "day-4"]
    assert lake.current("shop.orders").rows == 15
    at = {"shop.orders": "close"}
    assert warehouse.query("SELECT count(*) n FROM shop.orders", at=at).table.to_pylist() == [{"n": 6}]
    with held(now() + LATER):
        assert lake.expire("shop.orders", keep_last=2) == []
        lake.unname_snapshot("shop.orders", "close")
        assert lake.expire("shop.orders", keep_last=2) == [week[1].id]


def test_a_snapshot_stays_as_long_as_a_reader_may_hold_it(lake, week):
    with held(now() + timedelta(hours=5)):
        assert lake.expire("shop.orders", keep_days=0, keep_last=1) == []
    with held(now() + timedelta(hours=7)):
        assert len(lake.expire("shop.orders", keep_days=0, keep_last=1)) == 4


def test_what_counts_is_when_a_snapshot_was_last_current(lake, orders, monkeypatch):
    """A table loaded once and then long not: readers took the old snapshot up to the moment it was replaced."""
    first = lake.append("shop.orders", orders, load_id="old")
    lake.append("shop.orders", orders, load_id="new")
    made = {first.id: now() - LATER}
    monkeypatch.setattr(upkeep, "moment", lambda found: made.get(str(found.snapshot_id), now()))
    assert lake.expire("shop.orders", keep_days=1, keep_last=1) == []
    with held(now() + timedelta(days=2)):
        monkeypatch.setattr(upkeep, "moment", lambda found: now() - timedelta(days=2))
        assert lake.expire("shop.orders", keep_days=1, keep_last=1) == [first.id]


def test_at_least_one_snapshot_is_kept(lake, week):
    with pytest.raises(Invalid, match="present snapshot must be kept"):
        lake.expire("shop.orders", keep_last=0)
    with pytest.raises(NotFound):
        lake.expire("shop.customers")


def test_sweeping_removes_what_no_snapshot_names(lake, warehouse, week, tmp_path):
    orphan = tmp_path / "lake" / "shop" / "orders" / "data" / "killed.parquet"
    orphan.write_bytes(b"half a file")
    before = warehouse.query("SELECT * FROM shop.orders").table
    assert lake.sweep(timedelta(hours=6)).files == 0
    with held(now() + LATER):
        swept = lake.sweep()
    assert (swept.files, swept.bytes) == (1, 11)
    assert not orphan.exists()
    assert warehouse.query("SELECT * FROM shop.orders").table.equals(before)
    for made in week:
        count = warehouse.query("SELECT count(*) n FROM shop.orders", at={"shop.orders": made.id}).table
        assert count.to_pylist() == [{"n": made.rows}]


def test_sweeping_after_expiry_frees_the_rows_that_were_undone(lake, warehouse, orders, week, tmp_path):
    lake.undo("shop.orders", "day-0")
    with held(now() + LATER):
        lake.sweep()
        assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 5
        lake.expire("shop.orders", keep_last=1)
        swept = lake.sweep()
    assert swept.files > 1
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 4
    assert warehouse.query("SELECT count(*) n FROM shop.orders").table.to_pylist() == [{"n": 12}]
    lake.append("shop.orders", orders, load_id="day-0")
    assert lake.current("shop.orders").rows == 15


def test_young_files_are_never_swept(lake):
    with pytest.raises(Invalid, match="younger than 6 hours"):
        lake.sweep(timedelta(hours=1))


def test_sweeping_an_empty_lake_is_nothing(lake):
    assert lake.sweep().files == 0


def test_a_dropped_table_goes_with_the_next_sweep(lake, week, tmp_path):
    lake.drop("shop.orders")
    assert lake.tables() == []
    with held(now() + LATER):
        assert lake.sweep().files > 10
    assert [file for file in (tmp_path / "lake").rglob("*") if file.is_file()] == []


def test_a_snapshot_can_have_a_name(lake, week):
    named = lake.name_snapshot("shop.orders", week[2].id, "close")
    assert (named.id, named.names) == (week[2].id, ("close",))
    assert lake.name_snapshot("shop.orders", week[2].id, "close").names == ("close",)
    assert lake.history("shop.orders")[2].names == ("close",)
    with pytest.raises(Conflict, match="Another snapshot"):
        lake.name_snapshot("shop.orders", week[3].id, "close")
    lake.unname_snapshot("shop.orders", "close")
    assert lake.history("shop.orders")[2].names == ()


def test_wrong_names_are_refused(lake, week):
    for wrong in ("main", "1st", "a b", "", "x" * 201):
        with pytest.raises(Invalid, match="cannot name a snapshot"):
            lake.name_snapshot("shop.orders", week[0].id, wrong)
    with pytest.raises(NotFound, match="no snapshot '5'"):
        lake.name_snapshot("shop.orders", "5", "close")
    for gone in ("close", "main"):
        with pytest.raises(NotFound, match="No snapshot"):
            lake.unname_snapshot("shop.orders", gone)
    with pytest.raises(NotFound, match="no table"):
        lake.name_snapshot("shop.customers", "5", "close")
    with pytest.raises(NotFound, match="no table"):
        lake.unname_snapshot("shop.customers", "close")


def test_old_metadata_files_do_not_pile_up(lake, tmp_path, monkeypatch):
    assert int(evolving.PROPERTIES["write.metadata.previous-versions-max"]) <= 100
    monkeypatch.setitem(evolving.PROPERTIES, "write.metadata.previous-versions-max", "3")
    for load in range(8):
        lake.append("shop.n", pa.table({"n": [load]}), load_id=str(load))
    assert len([*(tmp_path / "lake" / "shop" / "n" / "metadata").glob("*.json")]) == 4
    assert len(lake.history("shop.n")) == 8
