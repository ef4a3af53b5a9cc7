"""One effect of treated rows against mixed controls: by means, by a synthetic control, or by synthetic differences.

The three estimators of Arkhangelsky et al. (2021), "Synthetic Difference-in-Differences", AER 111(12), share one form:
unit weights ω over the controls, time weights λ over the periods before, and a difference of differences between.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np

from potager.engines.causal.results import FloatArray
from potager.engines.causal.weights import simplex_weights

Mixing = Literal["difference_in_differences", "synthetic_control", "synthetic_did"]

# A little pull towards equal time weights, in squared standard deviations of the outcome's steps (as published): it
# only chooses among weights that fit as well.
_TIME_RIDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Mixed:
    """The effect, the unit weights (k,), the time weights (start,) and the gap between both sides, per period (t,)."""

    effect: float
    unit_weights: FloatArray
    time_weights: FloatArray
    gap: FloatArray


def mixed_effect(mixing: Mixing, treated: FloatArray, controls: FloatArray, start: int) -> Mixed:
    """Return the mean effect from ``start`` on; ``treated`` (a, t), ``controls`` (k, t), 0 < start < t, all finite.

    Plain: ω and λ uniform. Synthetic control (Abadie, Diamond & Hainmueller 2010, on outcomes only): ω by least
    squares on the simplex, λ = 0. Synthetic differences: ω with an intercept and the ridge ζ² = √(a·(t − start))·σ²,
    with σ the standard deviation of the controls' steps before the start; λ the same way over periods.
    """
    mean = treated.mean(axis=0)
    if mixing == "difference_in_differences":
        units = np.full(len(controls), 1.0 / len(controls))
        times = np.full(start, 1.0 / start)
    elif mixing == "synthetic_control":
        units = simplex_weights(mean[:start], controls[:, :start].T)
        times = np.zeros(start)
    else:
        units, times = _synthetic_weights(mean, treated.shape, controls, start)
    gap: FloatArray = mean - units @ controls
    return Mixed(float(gap[start:].mean() - times @ gap[:start]), units, times, gap)


def _synthetic_weights(
    mean: FloatArray, shape: tuple[int, ...], controls: FloatArray, start: int
) -> tuple[FloatArray, FloatArray]:
    steps = np.diff(controls[:, :start], axis=1)
    variance = float(steps.var(ddof=1)) if steps.size > 1 else 0.0
    ridge = np.sqrt(shape[0] * (shape[1] - start)) * variance * start
    units = simplex_weights(mean[:start], controls[:, :start].T, intercept=True, ridge=float(ridge))
    times = simplex_weights(
        controls[:, start:].mean(axis=1),
        controls[:, :start],
        intercept=True,
        ridge=_TIME_RIDGE**2 * variance * len(controls),
    )
    return units, times


def fake_groups(controls: int, size: int, most: int, seed: int) -> list[tuple[int, ...]]:
    """Return groups of ``size`` controls to play the treated: all there are, or ``most`` drawn with the seed."""
    if controls <= most and comb(controls, size) <= most:
        return list(combinations(range(controls), size))
    rng = np.random.default_rng(seed)
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < most:
        drawn[tuple(sorted(int(index) for index in rng.choice(controls, size, replace=False)))] = None
    return list(drawn)


def fake_effects(
    mixing: Mixing, controls: FloatArray, size: int, start: int, most: int, seed: int
) -> list[Mixed]:
    """Return what the estimator says of groups of controls, each against the other controls; ``size`` < k.

    The controls are put in an order that hangs on nothing but their values, so that names do not choose the fakes.
    """
    controls = controls[np.lexsort(controls.T)]
    found = []
    for group in fake_groups(len(controls), size, most, seed):
        chosen = np.zeros(len(controls), dtype=bool)
        chosen[list(group)] = True
        found.append(mixed_effect(mixing, controls[chosen], controls[~chosen], start))
    return found
