"""Does an effect wear off, and what is left of it in each period?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import Check, Effect, EvidenceClass, FloatArray, check_level, two_sided_z

_FEWEST = 3
_GRID = 4_001


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayEffect(Effect):
    """The rate per unit of age at which an effect E·exp(−rate·age) wears off; the interval is cut at 0.

    ``initial``: the effect at age 0. ``half_life``: log 2 / rate with ``half_life_low`` and ``half_life_high``,
    infinite where the effect may last.
    """

    initial: float
    half_life: float
    half_life_low: float
    half_life_high: float


def estimate_decay(
    ages: Sequence[float],
    effects: Sequence[float],
    errors: Sequence[float],
    *,
    evidence: EvidenceClass = "quasi_experiment",
    level: float = 0.95,
) -> DecayEffect | CannotTell:
    """Fit exponential decay to an effect observed at several ages (such as 30, 90 and 180 days).

    ``effects`` with independent standard ``errors`` > 0; all three of one length. Weighted least squares with the rate
    profiled: for each rate the best E is linear, and the interval holds the rates whose χ² is within z² of the best
    (Venzon & Moolgavkar 1988). Growth is not decay: the rate is 0 or more. Refuses under three ages, and an effect
    that cannot be told from 0. Raises :class:`ValueError` on lengths or values that do not fit and on a bad level.
    """
    check_level(level)
    age, effect, error = (np.asarray(values, dtype=np.float64) for values in (ages, effects, errors))
    if not len(age) == len(effect) == len(error):
        raise ValueError("Ages, effects and errors go together one by one.")
    if len(age) and (float(error.min()) <= 0.0 or float(age.min()) < 0.0):
        raise ValueError("Errors are above 0, and ages 0 or more.")
    if len(set(age.tolist())) < _FEWEST:
        return CannotTell(
            "too_few", f"Decay takes {_FEWEST} ages or more; there are {len(set(age.tolist()))}.", ""
        )
    z = two_sided_z(level)
    weights = error**-2.0
    if abs(float(weights @ effect)) < z * math.sqrt(float(weights.sum())):
        return CannotTell(
            "undefined",
            "The effect cannot be told from 0, so whether it wears off cannot be told either.",
            "Observe it again.",
        )
    # From no decay to a half-life of a fiftieth of the shortest span: steeper is gone before it is seen.
    steepest = 50.0 * math.log(2.0) / float(np.diff(np.unique(age)).min())
    rates = np.concatenate([[0.0], np.geomspace(steepest / 1e7, steepest, _GRID - 1)])
    misfit, initial = _profile(rates, age, effect, weights)
    best = int(np.argmin(misfit))
    inside = np.flatnonzero(misfit <= misfit[best] + z * z)
    low, high = float(rates[inside[0]]), float(rates[inside[-1]])
    rate = float(rates[best])
    return DecayEffect(
        estimate=rate,
        low=low,
        high=high,
        level=level,
        method="exponential decay, profiled",
        evidence=evidence,
        checks=(_form_check(float(misfit[best]), len(age)), _lasting_check(low)),
        initial=float(initial[best]),
        half_life=_half_life(rate),
        half_life_low=_half_life(high),
        half_life_high=_half_life(low),
    )


def decay_factors(rate: float, periods: int) -> tuple[float, ...]:
    """Return what is left of an effect in each of ``periods`` periods, 1 in the first; ``rate`` ≥ 0 per period."""
    if rate < 0.0 or periods < 0 or not math.isfinite(rate):
        raise ValueError("A rate of decay and a number of periods are 0 or more.")
    return tuple(math.exp(-rate * period) for period in range(periods))


def _profile(
    rates: FloatArray, age: FloatArray, effect: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return χ² and the best initial effect for each rate; both (r,)."""
    shape = np.exp(-np.outer(rates, age))
    initial = (shape @ (weights * effect)) / np.maximum(shape**2 @ weights, 1e-300)
    misfit = np.square(effect - initial[:, None] * shape) @ weights
    return misfit, initial


def _half_life(rate: float) -> float:
    return math.log(2.0) / rate if rate > 0.0 else math.inf


def _form_check(misfit: float, ages: int) -> Check:
    from scipy.special import chdtrc

    p = float(chdtrc(ages - 2, misfit))
    words = "fits" if p >= 0.05 else "does not fit"
    return Check("exponential_form", p >= 0.05, f"Exponential decay {words} the ages observed (p = {p:.2g}).")


def _lasting_check(low: float) -> Check:
    if low > 0.0:
        return Check("wears_off", True, "The effect wears off; a lasting one is outside the interval.")
    return Check("wears_off", None, "That the effect lasts cannot be ruled out.")
