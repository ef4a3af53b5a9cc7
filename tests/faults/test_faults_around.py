"""Two at once, a worker that stopped, a full disk, a locked catalogue: said in a sentence, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.faults.conftest import Ground, whole
from tests.faults.dying import bring, started

QUEUE = """
import django; django.setup()
from pathlib import Path
from typing import Any
from uuid import UUID
from potager.faces.cli.session import local_actor
from potager.ground.connecting import actions
path = Path({path!r})
made = actions.upload(actor=local_actor(), file_name=path.name, chunks=[path.read_bytes()], table="shop.queued")
print(actions.start(actor=local_actor(), imported=made).job_id)
"""


def worker_said(house: Ground, code: int) -> dict[str, str]:
    found = json.loads(house.run("--json", "doctor", code=code).stdout)
    (finding,) = [finding for finding in found if finding["check"] == "worker"]
    return finding


def ended(*processes: Any) -> None:
    for process in processes:
        process.join(100)
        assert process.exitcode == 0


def test_two_imports_into_one_new_table_at_once_both_land(house, numbers):
    parts = [(0, 100_000), (100_000, 50_000)]
    files = [numbers(f"at-once-{number}", *part) for number, part in enumerate(parts)]
    ended(*[started("", house.folder, bring, str(file), "shop.both") for file in files])
    assert house.there("shop.both") == whole(*parts)


def test_the_same_file_imported_twice_at_once_lands_once(house, numbers):
    file = numbers("twice", 0, 100_000)
    ended(*[started("", house.folder, bring, str(file), "shop.once") for _ in range(2)])
    assert house.there("shop.once") == whole((0, 100_000))
    assert house.sql("SELECT state, rows FROM connecting_import") == [("done", 100_000)] * 2


def test_without_a_worker_a_job_waits_and_the_doctor_says_so_until_one_runs(house, numbers):
    house.python(QUEUE.format(path=str(numbers("waiting", 5, 1000))))
    said = worker_said(house, code=1)
    assert said["says"] == "no sign of life; 1 jobs wait"
    assert said["mend"] == "Run 'potager serve' or 'potager worker'."
    assert house.sql("SELECT state FROM jobs_job") == [("waiting",)] and house.there("shop.queued") is None
    house.run("worker", "--once")
    assert house.there("shop.queued") == whole((5, 1000))
    assert worker_said(house, code=0)["says"] == "running; 0 jobs wait"


def small_disk(folder: Path) -> bool:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_full_disk_fails_the_import_with_a_sentence_and_a_retry_brings_it(house, numbers):
    """The disk is as good as full: every write of the lake's files is refused as a full one refuses it."""
    file = numbers("full", 0, 200_000)
    done = house.dying("full", "import", str(file), "--table", "shop.full", "--yes")
    assert done.returncode == 1 and "the disk is full; nothing was added" in done.stderr
    assert "Free some space" in done.stderr and "Traceback" not in done.stderr
    assert house.there("shop.full") is None and not [*house.folder.glob("lake/**/*.parquet")]
    ((job, state),) = house.sql("SELECT id, state FROM jobs_job")
    assert state == "failed"
    house.run("jobs", "job", "retry", str(UUID(job)))
    house.run("worker", "--once")
    assert house.there("shop.full") == whole((0, 200_000))
    assert house.sql("SELECT state, rows FROM connecting_import") == [("done", 200_000)]


def test_a_really_full_disk_fails_the_import_and_one_with_room_takes_it(house, tmp_path):
    lake = house.folder / "lake"
    if not small_disk(lake):
        pytest.skip("A small disk can only be mounted by root; the simulated one is tested.")
    file = tmp_path / "wide.csv"
    rows, width = 3000, 2000
    lines = (f"{number},{(number * 2654435761 % 2**64):x}" + f"{number:x}" * width for number in range(rows))
    file.write_text("number,noise\n" + "\n".join(line[:width] for line in lines) + "\n")
    try:
        ballast = lake / "ballast"
        ballast.write_bytes(b"x" * 2_040_000)
        done = house.run("import", str(file), "--table", "shop.wide", "--yes", code=1)
        assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
        assert house.there("shop.wide") is None and not [*lake.rglob("*.parquet")]
        ballast.unlink()
        house.run("import", str(file), "--table", "shop.wide", "--yes")
        assert house.there("shop.wide") == whole((0, rows))
    finally:
        subprocess.run(["umount", str(lake)], check=True)


def test_an_import_waits_for_a_catalogue_that_another_process_keeps_locked(house, numbers):
    file = numbers("locked", 0, 1000)
    blocker = sqlite3.connect(
        house.folder / "potager.sqlite3", isolation_level=None, check_same_thread=False, timeout=30
    )
    blocker.execute("BEGIN IMMEDIATE")
    release = threading.Timer(4, lambda: blocker.execute("ROLLBACK"))
    release.start()
    process = started("", house.folder, bring, str(file), "shop.locked")
    release.join()
    blocker.close()
    ended(process)
    assert house.there("shop.locked") == whole((0, 1000))
    assert house.sql("SELECT count(*) FROM connecting_import") == [(1,)]
