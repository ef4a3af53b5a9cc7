"""``kill -9`` in the midst of an import: nothing accepted is lost, nothing is stored twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import ROWS, Ground, whole
from tests.faults.dying import LOADS, bring, dead

LANDED = {"committed", "noting", "noted"}


@pytest.fixture(scope="module")
def killed(another: Callable[[], Ground], numbers: Callable[..., Path]) -> dict[str, tuple[object, object]]:
    """For each moment: what was there right after the kill, and what once a worker had run."""
    house = another()
    before = {}
    for place, moment in enumerate(LOADS):
        file = numbers(moment, place * ROWS)
        dead(moment, house.folder, bring, str(file), f"shop.{moment}")
        before[moment] = house.there(f"shop.{moment}")
    house.let_time_pass()
    house.run("worker", "--once")
    states = dict(house.sql('SELECT "table", state FROM connecting_import'))
    jobs = dict(house.sql("SELECT name, state FROM jobs_job"))
    return {
        moment: (
            before[moment],
            house.there(f"shop.{moment}"),
            states[f"shop.{moment}"],
            jobs[f"Import {moment}.csv"],
        )
        for moment in LOADS
    }


@pytest.mark.parametrize("moment", LOADS)
def test_an_import_killed_at_any_moment_is_there_whole_or_not_at_all(killed, moment):
    right_after = killed[moment][0]
    assert right_after == (whole((LOADS.index(moment) * ROWS, ROWS)) if moment in LANDED else None)


@pytest.mark.parametrize("moment", LOADS)
def test_an_import_killed_at_any_moment_is_finished_by_the_next_worker_once(killed, moment):
    _, there, state, job = killed[moment]
    assert there == whole((LOADS.index(moment) * ROWS, ROWS))
    assert (state, job) == ("done", "done")


def test_imports_killed_at_random_instants_and_repeated_are_there_once(house, numbers):
    chance = random.Random(11)
    parts = [(number * ROWS, ROWS) for number in range(3)]
    files = [numbers(f"part-{number}", *part) for number, part in enumerate(parts)]
    for file in files:
        process = house.begin("import", str(file), "--table", "shop.parts", "--yes")
        time.sleep(chance.uniform(1.3, 2.6))
        process.kill()
        process.communicate()
    now_there = house.there("shop.parts") or (0, 0)
    assert now_there[0] % ROWS == 0, "an import is there whole or not at all"
    accepted = house.sql("SELECT id FROM connecting_import WHERE state IN ('running', 'done')")
    house.let_time_pass()
    house.run("worker", "--once")
    after = house.there("shop.parts") or (0, 0)
    assert after[0] == ROWS * len(accepted), "what was accepted is there, and nothing else"
    house.python(AGAIN.format(files=[str(file) for file in files]))
    assert house.there("shop.parts") == whole(*parts)


def test_a_worker_killed_while_it_imports_leaves_the_job_to_the_next(house, numbers):
    parts = [(number * ROWS, ROWS) for number in range(3)]
    house.python(START.format(files=[str(numbers(f"queued-{n}", *part)) for n, part in enumerate(parts)]))
    process = house.begin("worker", "--once")
    for _ in range(400):
        if house.sql("SELECT 1 FROM jobs_job WHERE state = 'running'"):
            break
        time.sleep(0.02)
    process.kill()
    process.communicate()
    there = house.there("shop.queued")
    assert there is None or there[0] % ROWS == 0
    house.let_time_pass()
    house.run("worker", "--once")
    assert house.there("shop.queued") == whole(*parts)
    assert house.sql("SELECT DISTINCT state FROM jobs_job WHERE job_kind = 'connecting.import'") == [
        ("done",)
    ]


AGAIN = """
from potager.faces.cli.main import program
for path in {files}:
    program(["import", path, "--table", "shop.parts", "--yes"], standalone_mode=False)
"""
START = """
import django; django.setup()
from pathlib import Path
from potager.faces.cli.session import local_actor
from potager.ground.connecting import actions
for path in map(Path, {files}):
    made = actions.upload(actor=local_actor(), file_name=path.name, chunks=[path.read_bytes()], table="shop.queued")
    actions.start(actor=local_actor(), imported=made)
"""
