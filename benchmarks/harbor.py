"""Harbor: whether what was planted lies in the stated intervals, seed after seed, and whether claims stay in the movement.

Each seed is a Harbor of full size (without its background events, which no bet's design reads). SEEDS says how many.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row

if TYPE_CHECKING:
    from benchmarks.harbor_seeds import Reading, Seed

SEEDS = int(os.environ.get("SEEDS", "100"))
FIRST = 1000  # worlds that no design was chosen on
PROCESSES = 2
GOAL = 0.95
_here: dict[str, Any] = {}


def _begin(folder: str) -> None:
    """Set up an installation of this process's own: two that shared one would wait for each other."""
    os.environ["POTAGER_DATA"] = tempfile.mkdtemp(dir=folder)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from benchmarks.harbor_seeds import prepare

    _here["actor"] = prepare()


def _one(seed: int) -> Seed:
    from benchmarks.harbor_seeds import read_seed

    return read_seed(_here["actor"], seed)


def measured(seeds: int) -> tuple[list[Seed], float]:
    """Return what was read on so many seeds, and the seconds that it took."""
    started = time.perf_counter()
    # Started anew rather than forked: a fork would carry over the settings and connections of this process.
    anew = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="potager-bench-") as folder,
        ProcessPoolExecutor(PROCESSES, mp_context=anew, initializer=_begin, initargs=(folder,)) as pool,
    ):
        found = list(pool.map(_one, range(FIRST, FIRST + seeds)))
    return found, time.perf_counter() - started


def rows() -> list[Row]:
    """Measure all of it."""
    found, took = measured(SEEDS)
    return [_coverage(found), *_accounts(found), _time(found, took)]


def _coverage(found: Sequence[Seed]) -> Row:
    """Return how many stated intervals hold what was planted; by bet in the table beneath."""
    every = [reading for seed in found for reading in seed.readings]
    told = [reading.held for reading in every if reading.held is not None]
    share = sum(told) / len(told) if told else float("nan")
    table = ["| bet | design | read by | planted in the interval | cannot tell |", "|---|---|---|---|---|"]
    keys = dict.fromkeys(reading.key for reading in every)
    table += [_line([reading for reading in every if reading.key == key]) for key in keys]
    return Row(
        f"Harbor's planted truth in the stated 95 % intervals, six bets on {len(found)} seeds",
        f"{share:.1%} of {len(told):,} intervals; {len(every) - len(told):,} of {len(every):,} cannot tell",
        f"≥ {GOAL:.0%}",
        share >= GOAL,
        "\n".join(table),
    )


def _line(readings: Sequence[Reading]) -> str:
    first = readings[0]
    told = [reading for reading in readings if reading.held is not None]
    methods = sorted({reading.method for reading in told}) or ["nothing carries it"]
    held = sum(bool(reading.held) for reading in told)
    figure = f"{held} of {len(told)}" if told else "–"
    return f"| {first.key} | {first.design} | {'; '.join(methods)} | {figure} | {len(readings) - len(told)} |"


def _accounts(found: Sequence[Seed]) -> list[Row]:
    """Return whether every movement's account adds up, and grants no more than moved."""
    accounts = [account for seed in found for account in seed.accounts]
    unread = sum(len(seed.unread) for seed in found)
    balanced = sum(account.balanced for account in accounts)
    within = sum(account.within for account in accounts)
    every = bool(accounts) and not unread
    said = f" ({unread} movements could not be read)" if unread else ""
    return [
        Row(
            "Harbor's movements whose claims, outside and unexplained add up to what was observed",
            f"{balanced} of {len(accounts)}{said}",
            "all",
            every and balanced == len(accounts),
        ),
        Row(
            "Harbor's movements that grant bets no more than moved",
            f"{within} of {len(accounts)}{said}",
            "all",
            every and within == len(accounts),
        ),
    ]


def _time(found: Sequence[Seed], took: float) -> Row:
    each = took / len(found)
    return Row(
        f"One Harbor generated, its bets observed and its ledger settled ({PROCESSES} processes)",
        f"{each:.1f} s a seed",
        "< 6 s",
        each < 6,
    )
