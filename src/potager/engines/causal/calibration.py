"""Predictions as a group: did the ranges hold as often as they claimed, and who is too sure?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import Check, check_level, two_sided_z, wilson

FEWEST_PREDICTIONS = 5
_DOUBT = 0.05

Verdict = Literal["too_sure", "too_wary", "fits", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A range recorded before the fact, at ``level``, and what came. Raises :class:`ValueError` on no such range."""

    low: float
    high: float
    observed: float
    level: float = 0.8

    def __post_init__(self) -> None:
        check_level(self.level)
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError("A predicted range has two finite ends, the lower one first.")
        if not math.isfinite(self.observed):
            raise ValueError(
                "What was observed is a finite number; what is not known yet is no prediction to judge."
            )

    @property
    def held(self) -> bool:
        """Whether the range held what came, its ends within."""
        return self.low <= self.observed <= self.high


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the ranges of a group of predictions did.

    ``claimed``: the mean level; ``coverage``: the share that held, ``low`` to ``high`` its Wilson interval at
    ``interval_level``. ``p_value``: how likely a coverage this far off is for well-calibrated ranges (exact).
    ``score``: the mean interval score in widths of the range (lower is better; a range that holds scores 1).
    ``widen``: the factor by which the ranges should have been wider (below 1: narrower) for the misses seen.
    ``above`` and ``below``: the share of outcomes above and below the middle of their range. ``verdict`` and
    ``checks`` say it in words; "cannot_tell" where so few predictions could not show that they are off.
    """

    n: int
    claimed: float
    coverage: float
    low: float
    high: float
    interval_level: float
    p_value: float
    score: float
    widen: float
    above: float
    below: float
    verdict: Verdict
    checks: tuple[Check, ...]


def interval_score(low: float, high: float, observed: float, level: float) -> float:
    """Return the interval score (Gneiting & Raftery 2007, eq. 43): width + 2/α · the distance of a miss.

    In the unit of the outcome; lower is better, and telling the truth about one's range is the best policy.
    """
    check_level(level)
    miss = max(low - observed, observed - high, 0.0)
    return (high - low) + 2.0 / (1.0 - level) * miss


def calibrate(predictions: Sequence[Prediction], *, level: float = 0.95) -> Calibration | CannotTell:
    """Judge a group of predictions, whose levels may differ.

    The p-value is twice the smaller tail of the number that held (a sum of coins with each range's own level).
    ``widen`` scales normal ranges about their middles by maximum likelihood. Refuses under five predictions. Raises
    :class:`ValueError` on a bad level.
    """
    check_level(level)
    n = len(predictions)
    if n < FEWEST_PREDICTIONS:
        return CannotTell(
            "too_few",
            f"{n} predictions do not show whether ranges hold; it takes {FEWEST_PREDICTIONS}.",
            "Record a range before each launch, and come back when more have been observed.",
        )
    levels = [prediction.level for prediction in predictions]
    held = sum(prediction.held for prediction in predictions)
    below_or_at, above_or_at = _tails(levels, held)
    p = min(1.0, 2.0 * min(below_or_at, above_or_at))
    claimed = math.fsum(levels) / n
    low, high = wilson(held, n, level)
    all_held = math.prod(levels)
    verdict: Verdict
    if p < _DOUBT:
        verdict = "too_sure" if held / n < claimed else "too_wary"
    else:
        verdict = "cannot_tell" if n < 2 * FEWEST_PREDICTIONS else "fits"
    return Calibration(
        n=n,
        claimed=claimed,
        coverage=held / n,
        low=low,
        high=high,
        interval_level=level,
        p_value=p,
        score=math.fsum(
            interval_score(one.low, one.high, one.observed, one.level) / (one.high - one.low)
            for one in predictions
        )
        / n,
        widen=_widen(predictions),
        above=sum(one.observed > (one.low + one.high) / 2.0 for one in predictions) / n,
        below=sum(one.observed < (one.low + one.high) / 2.0 for one in predictions) / n,
        verdict=verdict,
        checks=(_coverage_check(held, n, claimed, verdict, all_held), _lean_check(predictions)),
    )


def _tails(levels: Sequence[float], held: int) -> tuple[float, float]:
    """Return P(at most ``held``) and P(at least ``held``) of a Poisson-binomial number, by convolution."""
    chances = np.ones(1)
    for level in levels:
        chances = np.convolve(chances, [1.0 - level, level])
    return float(chances[: held + 1].sum()), float(chances[held:].sum())


def _widen(predictions: Sequence[Prediction]) -> float:
    """Return the maximum-likelihood scale of the misses, in standard deviations that the ranges claim."""
    squares = [
        (
            (one.observed - (one.low + one.high) / 2.0)
            / ((one.high - one.low) / (2.0 * two_sided_z(one.level)))
        )
        ** 2
        for one in predictions
    ]
    return math.sqrt(math.fsum(squares) / len(squares))


def _coverage_check(held: int, n: int, claimed: float, verdict: Verdict, all_held: float) -> Check:
    words = {
        "too_sure": "the ranges are too narrow",
        "too_wary": "the ranges are wider than they need be",
        "fits": "in keeping with what they claim",
        "cannot_tell": f"too few to tell (all of them would hold by chance in {all_held:.0%} of cases)",
    }[verdict]
    passed = {"too_sure": False, "too_wary": False, "fits": True, "cannot_tell": None}[verdict]
    return Check(
        "coverage", passed, f"{held} of {n} ranges held what came, where {claimed:.0%} was claimed: {words}."
    )


def _lean_check(predictions: Sequence[Prediction]) -> Check:
    """Look whether outcomes fall on one side of the middles (exact sign test)."""
    from scipy.special import bdtr

    above = sum(one.observed > (one.low + one.high) / 2.0 for one in predictions)
    below = sum(one.observed < (one.low + one.high) / 2.0 for one in predictions)
    if above + below == 0:
        return Check("lean", True, "Every outcome was in the middle of its range.")
    p = min(1.0, 2.0 * float(bdtr(min(above, below), above + below, 0.5)))
    side = "below" if below > above else "above"
    words = (
        f"outcomes fall {side} the middle of their ranges too often"
        if p < _DOUBT
        else "outcomes fall on both sides"
    )
    return Check("lean", p >= _DOUBT, f"Of {above + below}, {above} came above and {below} below: {words}.")
