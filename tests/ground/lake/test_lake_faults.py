"""Faults: killed loads, two at once, a full disk, a locked catalogue. Nothing half visible, lost or doubled."""

from __future__ import annotations

import errno
import random
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from sqlalchemy.exc import OperationalError

from potager.ground.lake import committing, writing
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.faults import told
from potager.ground.lake.lake import Lake
from potager.kit.errors import Invalid, Unavailable
from tests.ground.lake.processes import (
    append,
    append_columns,
    append_many,
    context,
    die_at,
    numbers,
    read_until,
    start,
)


def count(warehouse: DuckDBWarehouse, name: str) -> int:
    return int(warehouse.query(f"SELECT count(*) n FROM {name}").table["n"][0].as_py())


def ended(*processes: object) -> None:
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


@pytest.mark.parametrize("moment", ["writing", "metadata", "committing", "committed"])
@pytest.mark.parametrize("first", [True, False], ids=["new table", "old table"])
def test_a_load_killed_at_a_certain_moment_is_there_whole_or_not_at_all(
    place, lake, warehouse, moment, first
):
    if not first:
        lake.append("shop.n", numbers(1, 10), load_id="before")
    old = 0 if first else 10
    killed = start(die_at, place, moment, "shop.n", "killed", 3, 100_000)
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    there = count(warehouse, "shop.n") if lake.exists("shop.n") else 0
    assert there == (old + 300_000 if moment == "committed" else old)
    lake.append("shop.n", numbers(3, 100_000), load_id="killed")
    assert count(warehouse, "shop.n") == old + 300_000
    assert lake.append("shop.n", numbers(3, 100_000), load_id="killed").rows == old + 300_000


def test_loads_killed_at_random_instants_are_there_whole_or_not_at_all(place, lake, warehouse):
    chance = random.Random(7)
    total = 0
    for attempt in range(6):
        process = start(append, place, "shop.n", f"load-{attempt}", 4, 200_000)
        time.sleep(chance.uniform(0.02, 0.4))
        process.kill()  # does nothing where the process ended before that
        process.join(60)
        there = count(warehouse, "shop.n") if lake.exists("shop.n") else 0
        assert there in {total, total + 800_000}
        if attempt % 2 == 0:
            lake.append("shop.n", numbers(4, 200_000), load_id=f"load-{attempt}")
            assert count(warehouse, "shop.n") == total + 800_000
        total = count(warehouse, "shop.n")
    assert total == sum(lake.loads("shop.n").values())


def test_two_loads_at_once_both_land(place, lake, warehouse):
    ended(*[start(append_many, place, "shop.n", f"process-{number}", 4, 1000) for number in range(2)])
    assert count(warehouse, "shop.n") == 8000
    assert len(lake.loads("shop.n")) == 8


def test_the_same_load_from_two_processes_lands_once(place, lake, warehouse):
    ended(*[start(append, place, "shop.n", "same", 2, 50_000) for _ in range(3)])
    assert lake.loads("shop.n") == {"same": 100_000}
    assert len(lake.history("shop.n")) == 1
    assert count(warehouse, "shop.n") == 100_000


def test_loads_that_bring_different_new_columns_at_once_both_land(place, lake, warehouse):
    first = {"a": [1, 2], "b": ["x", "y"]}
    second = {"c": [0.5], "b": ["z"]}
    ended(
        start(append_columns, place, "shop.t", "one", first),
        start(append_columns, place, "shop.t", "two", second),
    )
    rows = warehouse.query("SELECT a, b, c FROM shop.t ORDER BY b").table.to_pylist()
    assert rows == [
        {"a": 1, "b": "x", "c": None},
        {"a": 2, "b": "y", "c": None},
        {"a": None, "b": "z", "c": 0.5},
    ]


def between(monkeypatch: pytest.MonkeyPatch, *others: object) -> None:
    """Let others commit after a load's files are written and before it commits itself."""
    waiting = list(others)
    written = writing.LoadWriter.write

    def write(self, batches):
        written(self, batches)
        if waiting:
            waiting.pop(0)()

    monkeypatch.setattr(writing.LoadWriter, "write", write)


def test_files_are_written_anew_when_others_took_their_field_ids(
    place, lake, warehouse, monkeypatch, tmp_path
):
    lake.append("shop.t", pa.table({"a": [1]}), load_id="zero")
    other = Lake(*place)
    between(monkeypatch, lambda: other.append("shop.t", pa.table({"x": ["taken"]}), load_id="other"))
    lake.append("shop.t", pa.table({"y": [0.5]}), load_id="mine")
    rows = warehouse.query("SELECT * FROM shop.t ORDER BY a, x, y").table.to_pylist()
    assert {(row["a"], row["x"], row["y"]) for row in rows} == {
        (1, None, None),
        (None, "taken", None),
        (None, None, 0.5),
    }
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 3


def test_files_are_written_anew_when_others_chose_a_wider_type(place, lake, warehouse, monkeypatch):
    other = Lake(*place)
    between(monkeypatch, lambda: other.append("shop.t", pa.table({"n": [0.5]}), load_id="other"))
    lake.append("shop.t", pa.table({"n": [7]}), load_id="mine")
    assert warehouse.query("SELECT sum(n) s FROM shop.t").table.to_pylist() == [{"s": 7.5}]


def test_a_load_that_no_longer_fits_is_refused_and_leaves_nothing(place, lake, monkeypatch, tmp_path):
    other = Lake(*place)
    between(monkeypatch, lambda: other.append("shop.t", pa.table({"n": ["text"]}), load_id="other"))
    with pytest.raises(Invalid, match="'n' is string"):
        lake.append("shop.t", pa.table({"n": [7]}), load_id="mine")
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 1


def test_a_load_that_another_process_brought_meanwhile_is_not_doubled(place, lake, monkeypatch, tmp_path):
    other = Lake(*place)
    between(monkeypatch, lambda: other.append("shop.t", pa.table({"n": [7]}), load_id="same"))
    assert lake.append("shop.t", pa.table({"n": [7]}), load_id="same").rows == 1
    assert len(lake.history("shop.t")) == 1
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 1


def test_readers_see_whole_loads_while_another_process_appends(place, lake):
    lake.append("shop.n", numbers(1, 2000), load_id="start")
    answers = context.Queue()
    readers = [start(read_until, place, "shop.n", 9, 2000, answers) for _ in range(3)]
    writer = start(append_many, place, "shop.n", "load", 8, 2000)
    seen = [answers.get(timeout=60) for _ in readers]
    ended(writer, *readers)
    assert [torn for torn, _, _ in seen] == [[], [], []]
    assert [last for _, _, last in seen] == [18_000] * 3


def test_commits_that_always_come_second_end_with_a_sentence(lake, monkeypatch, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")

    def beaten(*_: object, **__: object) -> None:
        raise CommitFailedException("another was first")

    monkeypatch.setattr(SqlCatalog, "commit_table", beaten)
    monkeypatch.setattr(committing, "_FIRST_WAIT", 0.0)
    with pytest.raises(Unavailable, match="changed by others each of the 40 times"):
        lake.append("shop.orders", orders, load_id="tuesday")
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 1


def test_a_full_disk_is_said_so_and_nothing_is_half_there(lake, monkeypatch, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
        with pytest.raises(Unavailable, match="the disk is full; nothing was added") as told_so:
            lake.append("shop.orders", orders, load_id="tuesday")
    assert "Free some space" in told_so.value.mend
    with monkeypatch.context() as patched:
        patched.setattr(SqlCatalog, "_write_metadata", full)
        with pytest.raises(Unavailable, match="the disk is full"):
            lake.append("shop.orders", orders, load_id="tuesday")
    assert lake.loads("shop.orders") == {"monday": 3}
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 1
    assert lake.append("shop.orders", orders, load_id="tuesday").rows == 6


def test_a_really_full_disk_is_said_so(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("A small disk can only be mounted by root; the simulated one is tested.")
    try:
        lake = Lake(f"sqlite:///{tmp_path / 'c.sqlite3'}", str(small / "lake"))
        chance = random.Random(7)
        noise = pa.table({"n": [chance.randbytes(1000) for _ in range(4000)]})
        with pytest.raises(Unavailable, match="the disk is full; nothing was added"):
            lake.append("shop.n", noise, load_id="monday")
        assert lake.tables() == []
        assert [*small.rglob("*.parquet")] == []
        lake.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_locked_catalogue_is_waited_for(place, lake, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")
    blocker = sqlite3.connect(tmp_path / "potager.sqlite3", isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.5, lambda: blocker.execute("ROLLBACK"))
    timer.start()
    assert lake.append("shop.orders", orders, load_id="tuesday").rows == 6
    timer.join()
    blocker.close()


def test_a_catalogue_that_stays_locked_is_said_so_and_readers_do_not_wait(place, orders, tmp_path):
    lake = Lake(*place, patience=0.3)
    lake.append("shop.orders", orders, load_id="monday")
    warehouse = DuckDBWarehouse(lake)
    blocker = sqlite3.connect(tmp_path / "potager.sqlite3", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="another process keeps locked") as said:
        lake.append("shop.orders", orders, load_id="tuesday")
    assert said.value.mend.endswith("Nothing was changed.")
    begun = time.monotonic()
    assert count(warehouse, "shop.orders") == 3
    assert time.monotonic() - begun < 0.3
    blocker.execute("ROLLBACK")
    blocker.close()
    assert lake.append("shop.orders", orders, load_id="tuesday").rows == 6
    assert len([*(tmp_path / "lake").rglob("*.parquet")]) == 2
    warehouse.close()
    lake.close()


def test_a_commit_whose_outcome_is_unknown_keeps_its_files(lake, monkeypatch, orders):
    told_catalogue = SqlCatalog.commit_table

    def lost(*given: object, **more: object) -> None:
        told_catalogue(*given, **more)
        raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))

    with monkeypatch.context() as patched:
        patched.setattr(SqlCatalog, "commit_table", lost)
        with pytest.raises(Unavailable, match="does not answer"):
            lake.append("shop.orders", orders, load_id="monday")
    assert lake.append("shop.orders", orders, load_id="monday").rows == 3
    warehouse = DuckDBWarehouse(lake)
    assert count(warehouse, "shop.orders") == 3
    warehouse.close()


def test_a_file_that_cannot_be_removed_is_left_for_the_sweep(lake, monkeypatch, orders, caplog):
    def broken(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", broken)
    monkeypatch.setattr("pyiceberg.io.pyarrow.PyArrowFileIO.delete", broken)
    with pytest.raises(Unavailable, match="could not reach the lake's files"):
        lake.append("shop.orders", orders, load_id="monday")
    assert "stays until the lake is swept" in caplog.text


def test_missing_metadata_is_said_so(lake, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")
    for file in (tmp_path / "lake").rglob("*.metadata.json"):
        file.unlink()
    with pytest.raises(Unavailable, match="metadata file is not there"):
        lake.append("shop.orders", orders, load_id="tuesday")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "may not write"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (OperationalError("x", {}, sqlite3.OperationalError("database or disk is full")), "the disk is full"),
        (OperationalError("x", {}, sqlite3.OperationalError("database is locked")), "keeps locked"),
        (OperationalError("x", {}, Exception("could not connect")), "does not answer"),
    ],
)
def test_every_fault_has_its_sentence(error, says):
    with pytest.raises(Unavailable, match=says) as said, told("The load"):
        raise error
    assert said.value.mend


def test_a_catalogue_in_memory_is_refused(tmp_path):
    with pytest.raises(Invalid, match="cannot be in memory"):
        Lake("sqlite://", str(tmp_path))


def test_a_folder_that_may_not_be_made_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="Opening the lake"):
        Lake(f"sqlite:///{tmp_path / 'file' / 'c.sqlite3'}", str(tmp_path / "lake"))


def test_the_catalogue_is_opened_by_many_at_once(tmp_path: Path):
    place = (f"sqlite:///{tmp_path / 'new.sqlite3'}", str(tmp_path / "lake"))
    ended(*[start(append, place, "shop.n", f"load-{number}", 1, 10) for number in range(4)])
    assert Lake(*place).loads("shop.n") == {f"load-{number}": 10 for number in range(4)}
