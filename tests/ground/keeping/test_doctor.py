"""The doctor: a sentence for each check, and a mend for each failure."""

from __future__ import annotations

import shutil
from collections import namedtuple
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from potager.ground.jobs.models import Job, State, Tick
from potager.ground.keeping import doctor
from potager.ground.lake import service
from potager.kit import clock

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def well(data_folder):
    """A house where all is well."""
    Tick.objects.create(name="worker", at=clock.now())
    return data_folder


def findings() -> dict[str, doctor.Finding]:
    return {finding.check: finding for finding in doctor.examine()}


def test_where_all_is_well_every_check_says_what_it_found(monkeypatch):
    plenty = Usage(100_000_000_000, 50_000_000_000, 50_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: plenty)
    found = findings()
    assert all(finding.well for finding in found.values()), found
    assert all(finding.says for finding in found.values())
    assert {"versions", "database", "worker", "disk", "data folder", "lake catalogue"} <= set(found)
    assert ("SQLite" in found) == ("database file" in found) == (connection.vendor == "sqlite")
    assert found["disk"].says == "50.0 GB free" and found["worker"].says == "running; 0 jobs wait"


def ailing(check: str) -> doctor.Finding:
    finding = findings()[check]
    assert not finding.well and finding.says and finding.mend
    return finding


def test_a_worker_that_never_ran_is_missed_and_the_waiting_jobs_counted():
    Tick.objects.all().delete()
    Job.objects.create(job_kind="x", name="x", state=State.WAITING)
    finding = ailing("worker")
    assert finding.says == "no sign of life; 1 jobs wait" and "potager worker" in finding.mend


def test_a_worker_that_stopped_is_missed_with_its_last_sign_of_life():
    Tick.objects.update(at=clock.now() - timedelta(minutes=3))
    assert "no sign of life since" in ailing("worker").says


def test_a_schedule_that_fails_is_named():
    Tick.objects.create(name="lake.upkeep", at=clock.now(), problem="OSError: away")
    finding = ailing("schedule lake.upkeep")
    assert finding.says == "OSError: away" and "log" in finding.mend


def test_a_disk_that_is_nearly_full_is_said(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100e9, 99e9, 1e9))
    assert ailing("disk").says == "1.0 GB free" and "Free some space" in ailing("disk").mend
    assert "1% of the disk is free" in ailing("lake disk").says


def test_a_signing_key_that_others_can_read_is_said(well):
    key = well / "secret-key"
    key.write_text("secret")
    key.chmod(0o644)
    assert ailing("signing key").mend == f"Run: chmod 600 {key}"
    key.chmod(0o600)
    assert findings()["signing key"].well


def test_a_data_folder_that_cannot_be_written_is_said(monkeypatch, well):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert str(well) in ailing("data folder").mend


def test_migrations_that_wait_are_counted(monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [1, 2])
    finding = ailing("database")
    assert "2 migrations wait" in finding.says and finding.mend == "Run 'potager migrate'."


def test_a_database_that_does_not_answer_is_said_and_the_other_checks_go_on(monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(doctor, "MigrationExecutor", away)
    monkeypatch.setattr(Tick.objects, "filter", away)
    finding = ailing("database")
    assert "connection refused" in finding.says and "POTAGER_DATABASE_URL" in finding.mend
    assert findings()["data folder"].well


def test_an_old_python_is_said(monkeypatch):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 1, "final", 0))
    assert "3.11 or newer" in ailing("versions").mend


def test_a_lake_whose_folder_is_gone_wrong_is_said(settings, well):
    (well / "file").write_text("not a folder")
    settings.POTAGER_LAKE = {**settings.POTAGER_LAKE, "files": str(well / "file" / "lake")}
    found = [finding for finding in findings().values() if finding.check.startswith("lake")]
    assert any(not finding.well for finding in found)
    assert all(finding.says and finding.mend for finding in found if not finding.well)
    service.close()
