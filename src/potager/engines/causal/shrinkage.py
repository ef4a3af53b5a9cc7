"""The winner's curse: estimates that were picked for being large are too large. Pull each towards the others.

Empirical Bayes with each bet's own error: a normal prior whose spread is learned from all bets, not only the winners.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import Check, FloatArray, check_level

SpreadMethod = Literal["hierarchical", "paule_mandel", "dersimonian_laird"]

FEWEST_BETS = 4
_GRID = 400


@dataclass(frozen=True, slots=True)
class Shrunken:
    """One estimate after the correction: ``estimate`` with ``low`` to ``high``; ``raw`` is what was observed.

    ``kept``: the share of the distance from the others' mean that was kept (1 is no correction).
    """

    raw: float
    estimate: float
    low: float
    high: float
    kept: float


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """All estimates after the correction, and the prior they were pulled to: its mean with its error, its spread."""

    bets: tuple[Shrunken, ...]
    mean: float
    mean_error: float
    spread: float
    level: float
    method: SpreadMethod
    checks: tuple[Check, ...]


def dersimonian_laird(estimates: Sequence[float], errors: Sequence[float]) -> float:
    """Return the variance τ² between effects by moments (DerSimonian & Laird 1986), 0 where they vary by chance only.

    Two or more estimates with errors > 0; :class:`ValueError` otherwise.
    """
    effect, variance = _arrays(estimates, errors)
    weight = 1.0 / variance
    mean = float(weight @ effect) / float(weight.sum())
    q = float(weight @ np.square(effect - mean))
    scale = float(weight.sum() - np.square(weight).sum() / weight.sum())
    return max(0.0, (q - (len(effect) - 1)) / scale)


def paule_mandel(estimates: Sequence[float], errors: Sequence[float]) -> float:
    """Return the variance τ² between effects that makes the generalized Q equal its expectation (Paule & Mandel 1982).

    0 where Q is below it without any. Raises as :func:`dersimonian_laird` does.
    """
    from scipy.optimize import brentq

    effect, variance = _arrays(estimates, errors)

    def excess(between: float) -> float:
        weight = 1.0 / (variance + between)
        mean = float(weight @ effect) / float(weight.sum())
        return float(weight @ np.square(effect - mean)) - (len(effect) - 1)

    if excess(0.0) <= 0.0:
        return 0.0
    upper = float(np.ptp(effect)) ** 2 + float(variance.max())
    return float(brentq(excess, 0.0, upper, xtol=1e-14 * upper, rtol=1e-13))


def shrink(
    estimates: Sequence[float],
    errors: Sequence[float],
    *,
    method: SpreadMethod = "hierarchical",
    level: float = 0.95,
) -> Shrinkage | CannotTell:
    """Correct estimates of several bets for having been looked at together.

    All bets of one kind, in one unit, the failed ones too: the correction is learned from all of them. With τ² the
    variance between bets and μ their mean, bet i keeps τ²/(τ² + vᵢ) of its distance from μ. "paule_mandel" and
    "dersimonian_laird" take τ² as known (Efron & Morris 1975, with the error of μ added); "hierarchical" averages over
    what τ may be, with a flat prior on it (Gelman et al. 2013, §5.4), which keeps intervals honest with few bets.

    Refuses under four bets. Raises :class:`ValueError` on errors that are not above 0 and on a bad level.
    """
    check_level(level)
    if len(estimates) < FEWEST_BETS:
        return CannotTell(
            "too_few",
            f"{len(estimates)} bets do not show how much bets differ; it takes {FEWEST_BETS}.",
            "Add bets of the same kind, those that failed among them.",
        )
    effect, variance = _arrays(estimates, errors)
    spreads, mass = _spreads(effect, variance, method)
    means, mean_variances = _pooled(spreads, effect, variance)
    centers, deviations, kept = _conditional(spreads, means, mean_variances, effect, variance)
    mean = float(mass @ means)
    mean_variance = float(mass @ (mean_variances + np.square(means - mean)))
    bets = []
    for i in range(len(effect)):
        low, high = (
            _mixture_quantile(share, centers[:, i], deviations[:, i], mass)
            for share in (0.5 - level / 2.0, 0.5 + level / 2.0)
        )
        bets.append(
            Shrunken(float(effect[i]), float(mass @ centers[:, i]), low, high, float(mass @ kept[:, i]))
        )
    spread = float(mass @ spreads)
    return Shrinkage(
        tuple(bets), mean, math.sqrt(mean_variance), spread, level, method, (_variety(effect, variance),)
    )


def _arrays(estimates: Sequence[float], errors: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    effect, error = np.asarray(estimates, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if len(effect) != len(error) or len(effect) < 2:
        raise ValueError("There are two estimates or more, each with its error.")
    if not np.isfinite(effect).all() or not np.isfinite(error).all() or float(error.min()) <= 0.0:
        raise ValueError("Estimates are finite, and errors are finite and above 0.")
    return effect, np.square(error)


def _spreads(effect: FloatArray, variance: FloatArray, method: SpreadMethod) -> tuple[FloatArray, FloatArray]:
    """Return candidate spreads τ (g,) and their weights, which add up to 1: one for the moment methods."""
    if method != "hierarchical":
        rule: Callable[[Sequence[float], Sequence[float]], float] = (
            paule_mandel if method == "paule_mandel" else dersimonian_laird
        )
        between = rule(effect.tolist(), np.sqrt(variance).tolist())
        return np.array([math.sqrt(between)]), np.ones(1)
    # The flat prior has a proper posterior from three bets on; its far tail falls as τ to the power 1 − k.
    reach = 10.0 * math.sqrt(float(np.var(effect)) + float(variance.mean()))
    spreads = np.concatenate([[0.0], np.geomspace(reach / 1e4, reach, _GRID - 1)])
    total = variance + np.square(spreads)[:, None]
    means, mean_variances = _pooled(spreads, effect, variance)
    logs = 0.5 * np.log(mean_variances) - 0.5 * np.sum(
        np.log(total) + np.square(effect - means[:, None]) / total, axis=1
    )
    cells = np.diff(spreads)  # trapezoids
    width = np.concatenate([cells, [0.0]]) / 2.0 + np.concatenate([[0.0], cells]) / 2.0
    mass = np.exp(logs - logs.max()) * width
    return spreads, mass / mass.sum()


def _pooled(spreads: FloatArray, effect: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the precision-weighted mean and its variance, given each spread; both (g,)."""
    weight = 1.0 / (variance + np.square(spreads)[:, None])
    whole = weight.sum(axis=1)
    return (weight @ effect) / whole, 1.0 / whole


def _conditional(
    spreads: FloatArray,
    means: FloatArray,
    mean_variances: FloatArray,
    effect: FloatArray,
    variance: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean, standard deviation and share kept of each bet, given each spread; all (g, k)."""
    between = np.square(spreads)[:, None]
    kept = between / (between + variance)
    centers = kept * effect + (1.0 - kept) * means[:, None]
    squared = kept * variance + np.square(1.0 - kept) * mean_variances[:, None]
    return centers, np.sqrt(squared), kept


def _mixture_quantile(share: float, centers: FloatArray, deviations: FloatArray, mass: FloatArray) -> float:
    from scipy.optimize import brentq
    from scipy.special import ndtr

    low = float((centers - 12.0 * deviations).min())
    high = float((centers + 12.0 * deviations).max())
    return float(
        brentq(
            lambda value: float(mass @ ndtr((value - centers) / deviations)) - share, low, high, xtol=1e-12
        )
    )


def _variety(effect: FloatArray, variance: FloatArray) -> Check:
    from scipy.special import chdtrc

    weight = 1.0 / variance
    q = float(weight @ np.square(effect - float(weight @ effect) / float(weight.sum())))
    p = float(chdtrc(len(effect) - 1, q))
    words = (
        "differ by more than their errors"
        if p < 0.05
        else "differ by no more than their errors would make them"
    )
    return Check("bets_differ", p < 0.05, f"The bets {words} (Q = {q:.3g}, p = {p:.2g}).")
