"""Timing two things in turn, so that a machine that slows down slows both."""

from __future__ import annotations

import resource
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


def in_a_process(code: str, *arguments: str) -> tuple[float, float]:
    """Run Python code in a process of its own; return its wall seconds and its peak memory in bytes."""
    wrapped = code + "\nimport resource as _r; print('PEAK', _r.getrusage(_r.RUSAGE_SELF).ru_maxrss * 1024)"
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", wrapped, *arguments], capture_output=True, text=True, check=True
    )
    peak = float(done.stdout.rsplit("PEAK", 1)[1])
    return time.perf_counter() - started, peak


def own_peak() -> float:
    """Return this process's peak memory in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
