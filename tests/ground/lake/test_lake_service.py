"""The lake of this installation: opened once per process, refused inside a transaction, examined by the doctor."""

from __future__ import annotations

import os
import sqlite3

import pytest
from django.db import transaction

from potager.ground.lake import service
from potager.kit.errors import Unavailable


@pytest.fixture
def given(settings, place, monkeypatch):
    """Settings that name a lake of the test's own."""
    monkeypatch.setattr(service, "_opened", {})
    settings.POTAGER_LAKE = {"catalog_uri": place[0], "files": place[1]}
    yield settings
    service.close()


def test_lake_and_warehouse_are_opened_once(given, orders):
    assert service.lake() is service.lake()
    assert service.warehouse() is service.warehouse()
    with_other = service.lake()
    service.lake().append("shop.orders", orders, load_id="monday")
    assert service.warehouse().query("SELECT count(*) n FROM shop.orders").table.to_pylist() == [{"n": 3}]
    given.POTAGER_LAKE = {**given.POTAGER_LAKE, "files": given.POTAGER_LAKE["files"] + "-2"}
    assert service.lake() is not with_other


def test_a_forked_process_opens_its_own(given, monkeypatch):
    mine = service.lake()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    service._after_fork()
    theirs = service.lake()
    assert theirs is not mine
    service.close()
    monkeypatch.undo()
    monkeypatch.setattr(service, "_opened", {})
    theirs.close()
    mine.close()


@pytest.mark.django_db(transaction=True)
def test_the_lake_is_not_written_inside_a_transaction_on_its_own_file(given, orders, settings):
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite keeps one lock for the whole file.")
    name = connection.settings_dict["NAME"]
    given.POTAGER_LAKE = {
        "catalog_uri": f"sqlite:///{name}-lake?mode=rwc",
        "files": given.POTAGER_LAKE["files"],
    }
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        service._outside_transactions()
    service._outside_transactions()


def test_spark_is_opened_when_the_settings_say_so(given, monkeypatch):
    asked = []

    class Pretend:
        def __init__(self, lake, master):
            asked.append((lake, master))

        def close(self):
            asked.append("closed")

    monkeypatch.setattr("potager.ground.lake.spark.SparkWarehouse", Pretend)
    monkeypatch.setenv("POTAGER_SPARK_MASTER", "spark://there:7077")
    given.POTAGER_LAKE = {**given.POTAGER_LAKE, "engine": "spark"}
    assert isinstance(service.warehouse(), Pretend)
    assert asked == [(service.lake(), "spark://there:7077")]


def test_the_doctor_finds_all_well(given, orders):
    found = list(service.check())
    assert [name for name, *_ in found] == ["lake catalogue", "lake files", "lake disk", "lake snapshots"]
    assert all(well for _, well, _, _ in found)
    service.lake().append("shop.orders", orders, load_id="monday")
    assert "shop.orders was read at snapshot" in list(service.check())[3][2]


def test_the_doctor_says_what_is_wrong(given, orders, tmp_path, monkeypatch):
    service.lake().append("shop.orders", orders, load_id="monday")
    service.lake().catalogue.patience = 0
    for file in (tmp_path / "lake").rglob("*.parquet"):
        file.unlink()
    (tmp_path / "lake").rename(tmp_path / "moved")
    (tmp_path / "lake").write_text("a file where the folder should be")
    found = {name: (well, says, mend) for name, well, says, mend in service.check()}
    assert found["lake catalogue"][0]
    assert not found["lake files"][0] and "cannot be used" in found["lake files"][1]
    assert not found["lake snapshots"][0]
    assert all(mend for well, _, mend in found.values() if not well)


def test_the_doctor_says_that_the_catalogue_is_locked(given, place, tmp_path, monkeypatch):
    lake = service.lake()

    def locked() -> None:
        raise Unavailable("locked", mend="wait")

    monkeypatch.setattr(lake.catalogue, "probe", locked)
    assert next(iter(service.check())) == ("lake catalogue", False, "locked", "wait")


def test_the_catalogue_is_probed_for_writing(lake, orders, tmp_path):
    lake.append("shop.orders", orders, load_id="monday")
    lake.catalogue.probe()
    blocker = sqlite3.connect(tmp_path / "potager.sqlite3", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    impatient = type(lake)(f"sqlite:///{tmp_path / 'potager.sqlite3'}", lake.files, patience=0.2)
    with pytest.raises(Unavailable, match="keeps locked"):
        impatient.catalogue.probe()
    blocker.close()
    impatient.close()


def test_little_space_is_a_finding(given, monkeypatch, tmp_path):
    (tmp_path / "lake").mkdir()
    monkeypatch.setattr(service, "LEAST_FREE_SHARE", 1.1)
    name, well, says, mend = service._free()
    assert (name, well) == ("lake disk", False)
    assert "of the disk is free" in says and "sweep" in mend
