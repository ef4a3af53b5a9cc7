"""Placebo tests: put fake dates and fake units to a method, and see how often its interval holds the truth, which is
0.

A method that finds effects where nothing happened will find them where something did. The methods of this engine run
these tests by themselves and carry what they show (Abadie, Diamond & Hainmueller 2010; Bertrand, Duflo & Mullainathan
2004 showed with placebo laws how far published intervals fell short).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import Check, Effect, PlaceboCoverage, check_level, wilson

Fake = TypeVar("Fake")

FEWEST_RUNS = 4
_DOUBT = 0.05


def run_placebos(
    kind: Literal["time", "space"],
    estimate: Callable[[Fake], Effect | CannotTell],
    fakes: Sequence[Fake],
    level: float,
) -> PlaceboCoverage | CannotTell:
    """Run a method on fakes. Refuses where fewer than four of them get a number."""
    answers = [estimate(fake) for fake in fakes]
    told = [answer for answer in answers if isinstance(answer, Effect)]
    return coverage_of(
        kind,
        [answer.estimate for answer in told],
        [answer.low <= 0.0 <= answer.high for answer in told],
        level,
        refused=len(answers) - len(told),
    )


def coverage_of(
    kind: Literal["time", "space"],
    estimates: Sequence[float],
    covered: Sequence[bool],
    level: float,
    refused: int = 0,
) -> PlaceboCoverage | CannotTell:
    """Sum up fakes that were run elsewhere: their effects, and whether each interval held 0.

    The check fails where so few intervals held 0 that a method with the coverage it claims would show that in under 5
    % of cases (exact binomial, fakes taken as independent; overlapping fakes are less informative than their number).
    """
    from scipy.special import bdtr

    check_level(level)
    runs = len(estimates)
    if runs < FEWEST_RUNS:
        return CannotTell(
            "too_few",
            f"Only {runs} fakes could be run, and {FEWEST_RUNS} are needed to say how the method does where nothing "
            "happened.",
            "Add earlier periods or more untreated units.",
        )
    held = int(sum(covered))
    doubtful = float(bdtr(held, runs, level)) < _DOUBT
    low, high = wilson(held, runs, level)
    fakes = "dates" if kind == "time" else "units"
    verdict = (
        "fewer than it claims; take the interval as too narrow"
        if doubtful
        else "in keeping with what it claims"
    )
    sentence = (
        f"On {runs} fake {fakes}, {held} of the {level:.0%} intervals held the truth (no effect): {verdict}."
    )
    return PlaceboCoverage(
        kind=kind,
        runs=runs,
        covered=held,
        refused=refused,
        coverage=held / runs,
        low=low,
        high=high,
        level=level,
        typical=math.sqrt(float(np.mean(np.square(estimates)))),
        check=Check(f"placebo_in_{kind}", not doubtful, sentence),
    )


def fake_starts(first: int, last: int, most: int) -> list[int]:
    """Return at most ``most`` fake starts from ``first`` to ``last`` (included), evenly spread; none if they cross."""
    if last < first or most < 1:
        return []
    count = min(most, last - first + 1)
    return sorted({round(float(value)) for value in np.linspace(first, last, count)})


def carried(
    *runs: PlaceboCoverage | CannotTell,
) -> tuple[tuple[PlaceboCoverage, ...], tuple[Check, ...]]:
    """Split placebo runs into those that were made and, for those that were not, a check that says so."""
    made = tuple(run for run in runs if isinstance(run, PlaceboCoverage))
    missing = tuple(Check("placebo", None, str(run)) for run in runs if isinstance(run, CannotTell))
    return made, missing
