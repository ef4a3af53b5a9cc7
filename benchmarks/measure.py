"""Timing two things in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the figure, the goal, and whether it was met."""

    what: str
    figure: str
    goal: str
    met: bool
    note: str = ""


def seconds(function: Callable[[], object], *, runs: int = 5, warm: int = 1) -> float:
    """Return the median wall time of a function."""
    for _ in range(warm):
        function()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def paired(
    one: Callable[[], object], other: Callable[[], object], *, runs: int = 7
) -> tuple[float, float, float]:
    """Return the median times of both, and the median of the ratios pair by pair."""
    one(), other()
    firsts, seconds_, ratios = [], [], []
    for _ in range(runs):
        a, b = seconds(one, runs=1, warm=0), seconds(other, runs=1, warm=0)
        firsts.append(a)
        seconds_.append(b)
        ratios.append(a / b)
    return statistics.median(firsts), statistics.median(seconds_), statistics.median(ratios)


# The kernel's high-water mark of this program's memory. getrusage would say that of the parent where it was higher.
PEAK = """
with open("/proc/self/status") as _status:
    print("PEAK", next(line for line in _status if line.startswith("VmHWM")).split()[1])
"""


@dataclass(frozen=True)
class Ran:
    """What a process took: wall seconds, peak memory in bytes, and what it said."""

    seconds: float
    peak: float
    said: str


def in_a_process(code: str) -> Ran:
    """Run Python code in a process of its own."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code + PEAK], capture_output=True, text=True, check=True)
    took = time.perf_counter() - started
    said, _, peak = done.stdout.rpartition("PEAK")
    return Ran(took, float(peak) * 1024, said)
