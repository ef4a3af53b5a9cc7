"""A backup is one file; everything comes back from it, or nothing does."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from potager.ground.keeping import backups
from potager.ground.lake.duck import DuckDBWarehouse
from potager.ground.lake.lake import Lake
from potager.kit.errors import Invalid, Unavailable

ORDERS = {"country": ["Germany", "France", "France"], "amount": [10.0, 20.0, 12.5]}


def lake_of(folder: Path) -> Lake:
    return Lake(f"sqlite:///{folder / 'potager.sqlite3'}", str(folder / "lake"))


def sums(folder: Path) -> tuple[int, float]:
    lake = lake_of(folder)
    warehouse = DuckDBWarehouse(lake, threads=1)
    row = warehouse.query("SELECT count(*) n, sum(amount) s FROM shop.orders").table.to_pylist()[0]
    warehouse.close()
    lake.close()
    return row["n"], row["s"]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with records, a lake of two loads, an upload and a key."""
    folder = tmp_path / "house"
    folder.mkdir()
    monkeypatch.setenv("POTAGER_DATA", str(folder))
    monkeypatch.delenv("POTAGER_DATABASE_URL", raising=False)
    lake = lake_of(folder)
    lake.append("shop.orders", pa.table(ORDERS), load_id="monday")
    lake.append("shop.orders", pa.table({"country": ["Spain"], "amount": [7.0]}), load_id="tuesday")
    lake.close()
    with closing(sqlite3.connect(folder / "potager.sqlite3")) as connection, connection:
        connection.execute("CREATE TABLE note (text)")
        connection.execute("INSERT INTO note VALUES ('remembered')")
    (folder / "uploads").mkdir()
    (folder / "uploads" / "orders.csv").write_bytes(b"country,amount\nGermany,10\n")
    (folder / "uploads" / ".half.part").write_bytes(b"half")
    (folder / "secret-key").write_text("a key")
    yield folder


def test_everything_comes_back_in_another_folder(house, tmp_path):
    made = backups.write_backup(tmp_path / "all.potager")
    assert made.size == (tmp_path / "all.potager").stat().st_size and made.files > 6
    other = tmp_path / "elsewhere" / "restored"
    brought = backups.read_backup(tmp_path / "all.potager", other)
    assert brought.files == made.files
    shutil.rmtree(house)  # nothing of what was restored may lean on the old folder
    assert sums(other) == (4, 49.5)
    lake = lake_of(other)
    assert lake.loads("shop.orders") == {"monday": 3, "tuesday": 1}
    lake.append("shop.orders", pa.table({"country": ["Italy"], "amount": [0.5]}), load_id="wednesday")
    lake.undo("shop.orders", "monday")
    lake.close()
    assert sums(other) == (2, 7.5)
    with closing(sqlite3.connect(other / "potager.sqlite3")) as connection:
        assert connection.execute("SELECT text FROM note").fetchall() == [("remembered",)]
    assert (other / "uploads" / "orders.csv").read_bytes() == b"country,amount\nGermany,10\n"
    assert (other / "secret-key").read_text() == "a key"
    assert (other / "secret-key").stat().st_mode & 0o777 == 0o600
    assert not [*other.rglob("*.part")]


def test_an_old_snapshot_can_still_be_read_after_a_restore_elsewhere(house, tmp_path):
    lake = lake_of(house)
    first = lake.history("shop.orders")[0].id
    known = {snapshot.id for snapshot in lake.history("shop.orders")}
    lake.close()
    backups.write_backup(tmp_path / "all.potager")
    backups.read_backup(tmp_path / "all.potager", tmp_path / "restored")
    lake = lake_of(tmp_path / "restored")
    assert {snapshot.id for snapshot in lake.history("shop.orders")} == known
    warehouse = DuckDBWarehouse(lake, threads=1)
    answer = warehouse.query("SELECT count(*) n FROM shop.orders", at={"shop.orders": first})
    assert answer.table.to_pylist() == [{"n": 3}]
    warehouse.close()
    lake.close()


def test_a_restore_in_the_same_place_needs_no_rewriting(house, tmp_path):
    backups.write_backup(tmp_path / "all.potager")
    before = {file.name: file.read_bytes() for file in (house / "lake").rglob("*.metadata.json")}
    shutil.rmtree(house)
    house.mkdir()
    backups.read_backup(tmp_path / "all.potager", house)
    assert {file.name: file.read_bytes() for file in (house / "lake").rglob("*.metadata.json")} == before
    assert sums(house) == (4, 49.5)


def test_a_backup_taken_while_somebody_writes_is_whole(house, tmp_path):
    blocker = sqlite3.connect(house / "potager.sqlite3", isolation_level=None)
    blocker.execute("PRAGMA journal_mode=WAL")
    blocker.execute("BEGIN IMMEDIATE")
    blocker.execute("INSERT INTO note VALUES ('not kept')")
    backups.write_backup(tmp_path / "all.potager")
    blocker.execute("ROLLBACK")
    blocker.close()
    backups.read_backup(tmp_path / "all.potager", tmp_path / "restored")
    with closing(sqlite3.connect(tmp_path / "restored" / "potager.sqlite3")) as connection:
        assert connection.execute("SELECT text FROM note").fetchall() == [("remembered",)]


def changed(archive: Path, change) -> Path:
    """The archive with its unpacked content changed."""
    folder = archive.with_suffix(".unpacked")
    with tarfile.open(archive) as packed:
        for entry in packed:
            (folder / entry.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / entry.name).write_bytes(packed.extractfile(entry).read())
    change(folder)
    made = archive.with_suffix(".changed")
    with tarfile.open(made, "w") as packed:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                packed.add(file, str(file.relative_to(folder)))
    return made


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda at: (at / "secret-key").write_text("another"), "secret-key is not what was written"),
        (lambda at: (at / "uploads" / "orders.csv").unlink(), r"orders\.csv is not what was written"),
        (lambda at: (at / "manifest.json").unlink(), "is not a backup of Potager"),
        (lambda at: (at / "manifest.json").write_text("{"), "is not a backup of Potager"),
    ],
    ids=["changed", "missing", "no manifest", "torn manifest"],
)
def test_a_damaged_backup_is_refused_and_nothing_is_put_in_place(house, tmp_path, change, says):
    backups.write_backup(tmp_path / "all.potager")
    damaged = changed(tmp_path / "all.potager", change)
    with pytest.raises(Invalid, match=says) as refused:
        backups.read_backup(damaged, tmp_path / "restored")
    assert refused.value.mend and not (tmp_path / "restored").exists()
    assert not [*tmp_path.glob(".potager-restore-*")]


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x").write_text("hello")
    with pytest.raises(Invalid, match="cannot be read as a backup"):
        backups.read_backup(tmp_path / "x", tmp_path / "restored")


def test_an_archive_that_would_write_outside_is_refused(tmp_path):
    (tmp_path / "evil").write_text("evil")
    with tarfile.open(tmp_path / "evil.tar", "w") as packed:
        packed.add(tmp_path / "evil", "../../escaped")
    with pytest.raises(Invalid):
        backups.read_backup(tmp_path / "evil.tar", tmp_path / "restored" / "here")
    assert not [*tmp_path.rglob("escaped")] and not (tmp_path.parent / "escaped").exists()


def test_a_full_disk_leaves_no_half_backup(house, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(Unavailable, match="could not be written: No space left on device") as refused:
        backups.write_backup(tmp_path / "all.potager")
    assert refused.value.mend == "Free some space or name another place."
    assert not (tmp_path / "all.potager").exists() and not [*tmp_path.glob(".*.part")]


def test_a_file_swept_while_the_backup_runs_is_left_out(house, tmp_path, monkeypatch):
    gone = house / "uploads" / "gone.csv"
    found = backups._files

    def files(folder: Path) -> Iterator[Path]:
        yield from found(folder)
        if folder.name == "uploads":
            yield gone

    monkeypatch.setattr(backups, "_files", files)
    backups.write_backup(tmp_path / "all.potager")
    with tarfile.open(tmp_path / "all.potager") as packed:
        manifest = json.loads(packed.extractfile("manifest.json").read())
    assert "uploads/gone.csv" not in manifest["sha256"] and "uploads/orders.csv" in manifest["sha256"]
    assert manifest["folder"] == str(house)


@pytest.fixture
def postgres(house, tmp_path, monkeypatch):
    """The client programs of PostgreSQL, and a server that they say is theirs: they note how they were called."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (programs / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n[ -n "$PG_FAILS" ] && echo "no server" >&2 && exit 1\n'
            'for word in "$@"; do case "$word" in --file=*) echo dumped > "${word#--file=}";; esac; done\nexit 0\n'
        )
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("POTAGER_DATABASE_URL", "postgresql://potager@db/potager")
    return tmp_path / "calls"


def test_records_in_postgresql_are_dumped_and_restored_by_its_own_programs(postgres, tmp_path):
    backups.write_backup(tmp_path / "all.potager")
    backups.read_backup(tmp_path / "all.potager", tmp_path / "restored")
    dumped, restored = postgres.read_text().splitlines()
    assert dumped.startswith("pg_dump --format=custom") and dumped.endswith("postgresql://potager@db/potager")
    assert restored.startswith(
        "pg_restore --no-owner --exit-on-error --dbname=postgresql://potager@db/potager"
    )
    assert not (tmp_path / "restored" / "potager.pgdump").exists()


def test_a_dump_without_a_database_to_put_it_in_is_refused(postgres, tmp_path, monkeypatch):
    backups.write_backup(tmp_path / "all.potager")
    monkeypatch.delenv("POTAGER_DATABASE_URL")
    with pytest.raises(Invalid, match="of PostgreSQL") as refused:
        backups.read_backup(tmp_path / "all.potager", tmp_path / "restored")
    assert "POTAGER_DATABASE_URL" in refused.value.mend and not (tmp_path / "restored").exists()


def test_what_the_programs_of_postgresql_complain_of_is_told(postgres, tmp_path, monkeypatch):
    backups.write_backup(tmp_path / "all.potager")
    monkeypatch.setenv("PG_FAILS", "1")
    with pytest.raises(Unavailable, match="pg_dump failed: no server"):
        backups.write_backup(tmp_path / "again.potager")
    with pytest.raises(Unavailable, match="pg_restore failed: no server"):
        backups.read_backup(tmp_path / "all.potager", tmp_path / "restored")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="pg_dump is not installed"):
        backups.write_backup(tmp_path / "again.potager")
