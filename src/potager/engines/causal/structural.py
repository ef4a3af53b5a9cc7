"""A series forecast from its own past and from controls: level or trend, season and regression in one state space.

The model is that of Brodersen et al. (2015), with statsmodels' state space and filter. How far the level wanders is not
taken as known: forecasts are averaged over a grid of it with the weight of the likelihood (flat prior on the share of
wandering, scale and states integrated out). Maximum likelihood often puts the wandering at 0, and its intervals then
held the truth in 89 % of simulated cases in place of 95 %.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import FloatArray

Trend = Literal["level", "trend"]

_NAMES: Mapping[Trend, str] = {"level": "local level", "trend": "local linear trend"}
# Standard deviation of the level's steps over that of the noise, r/(1 − r) for shares r from none to nearly all; and of
# the slope's steps, which are smaller where there are any.
_LEVEL_STEPS = tuple(share / (1.0 - share) for share in np.linspace(0.0, 0.9, 13))
_SLOPE_STEPS = (0.0, 0.01, 0.03, 0.1, 0.3)
# Squared one-step errors below this share of the variance of the series are rounding.
_EXACT = 1e-10


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A forecast (h,) with the joint covariance of its errors (h, h) and the degrees of freedom that were left.

    ``residual_p``: Ljung–Box on the one-step errors of the likeliest model; None where they are too few. ``steady``:
    whether the likeliest model is one whose level does not wander.
    """

    mean: FloatArray
    covariance: FloatArray
    degrees: float
    residual_p: float | None
    steady: bool


@dataclass(frozen=True, slots=True)
class _Fitted:
    """One model of the grid: its log weight, forecast, covariance and standardized one-step errors."""

    log_weight: float
    mean: FloatArray
    covariance: FloatArray
    residuals: FloatArray


def counterfactual(
    values: FloatArray, exogenous: FloatArray, start: int, end: int, season: int, trend: Trend
) -> Counterfactual | CannotTell:
    """Learn from the periods before ``start`` and forecast those up to ``end``, excluded.

    ``values`` (t,) with t ≥ start, of which nothing from ``start`` on is used; ``exogenous`` (t, k), k may be 0;
    ``season`` periods per season (1: none). Refuses where the periods do not settle the model.
    """
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    before = values[:start]
    center, scale = float(before.mean()), float(before.std())
    x = exogenous - exogenous[:start].mean(axis=0)
    spread = x[:start].std(axis=0)
    x = x[:, spread > 0.0] / spread[spread > 0.0]  # a control that never moved says nothing
    settings = {"seasonal": season, "stochastic_seasonal": False} if season > 1 else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # statsmodels warns of model names that it spells out itself
        model = UnobservedComponents(
            (before - center) / scale,
            level=_NAMES[trend],
            exog=x[:start] if x.shape[1] else None,
            mle_regression=False,
            use_exact_diffuse=True,
            **settings,
        )
    used = 1 + (trend == "trend") + (season - 1) + x.shape[1]
    if start - used < 3:
        return CannotTell(
            "too_few",
            f"{start} periods do not settle a model with {used} unknowns.",
            "Add earlier periods, or fewer controls.",
        )
    grid = [
        (1.0, level**2, *((slope**2,) if trend == "trend" else ()))
        for level, slope in product(_LEVEL_STEPS, _SLOPE_STEPS if trend == "trend" else (0.0,))
    ]
    made = [_fitted(model, variances, x[start:end], end - start, used) for variances in grid]
    likeliest = max(range(len(made)), key=lambda index: made[index].log_weight)
    best = made[likeliest]
    if not math.isfinite(best.log_weight):
        return CannotTell(
            "undefined",
            "The controls follow the series exactly before the start, so there is no error to speak of.",
            "Leave out controls that are computed from the series.",
        )
    weights = np.exp(np.array([one.log_weight for one in made]) - best.log_weight)
    weights /= weights.sum()
    mean = sum((w * one.mean for w, one in zip(weights, made, strict=True)), np.zeros(end - start))
    joint = np.zeros((end - start, end - start))
    for weight, one in zip(weights, made, strict=True):
        joint += weight * (one.covariance + np.outer(one.mean - mean, one.mean - mean))
    return Counterfactual(
        mean=center + scale * mean,
        covariance=scale**2 * joint,
        degrees=float(start - used),
        residual_p=_independence(best.residuals),
        steady=not any(grid[likeliest][1:]),
    )


def _fitted(
    model: Any, variances: tuple[float, ...], exogenous: FloatArray, steps: int, used: int
) -> _Fitted:
    """Filter with given variance ratios; the scale is integrated out, so the weight is that of a t distribution."""
    model.update(np.array(variances))
    space = model.ssm
    results = space.filter()
    errors = results.forecasts_error[0, used:]
    spans = results.forecasts_error_cov[0, 0, used:]
    scale = float(np.mean(np.square(errors) / spans))
    moving, design = np.asarray(space["transition"]), np.asarray(space["design"])
    choosing = np.asarray(space["selection"])
    noise = choosing @ np.asarray(space["state_cov"]) @ choosing.T
    rows = np.repeat(design[:1, :, 0] if design.ndim == 3 else design[:1], steps, axis=0)
    if exogenous.shape[1]:
        rows[:, -exogenous.shape[1] :] = exogenous
    state, covariance = results.predicted_state[:, -1], results.predicted_state_cov[:, :, -1]
    mean, joint = _propagated(state, covariance, moving, noise, rows)
    joint = scale * (joint + float(np.asarray(space["obs_cov"])[0, 0]) * np.eye(steps))
    log_weight = -math.inf
    if scale > _EXACT:
        log_weight = -0.5 * (float(np.log(spans).sum()) + len(errors) * math.log(scale))
    return _Fitted(log_weight, mean, joint, errors / np.sqrt(spans))


def _propagated(
    state: FloatArray, covariance: FloatArray, moving: FloatArray, noise: FloatArray, rows: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the forecasts (h,) and their joint state covariance (h, h); ``state`` is that of the first period.

    Cov(yᵢ, yⱼ) = zᵢ Pᵢ (Tʲ⁻ⁱ)ᵀ zⱼᵀ for i ≤ j (Durbin & Koopman 2012, §4.11), with P of each period carried on.
    """
    steps = len(rows)
    mean, joint = np.empty(steps), np.empty((steps, steps))
    for i in range(steps):
        mean[i] = rows[i] @ state
        carrying = covariance.T @ rows[i]
        for j in range(i, steps):
            joint[i, j] = joint[j, i] = carrying @ rows[j]
            carrying = moving @ carrying
        state, covariance = moving @ state, moving @ covariance @ moving.T + noise
    return mean, joint


def _independence(residuals: FloatArray) -> float | None:
    """Return the p-value of Ljung & Box (1978) on a few lags of the one-step errors; None where they are too few."""
    from scipy.special import chdtrc

    n = len(residuals)
    lags = min(10, n // 5)
    if lags < 1 or float(np.ptp(residuals)) == 0.0:
        return None
    centered = residuals - residuals.mean()
    total = float(centered @ centered)
    statistic = sum(
        (float(centered[lag:] @ centered[:-lag]) / total) ** 2 / (n - lag) for lag in range(1, lags + 1)
    )
    return float(chdtrc(lags, n * (n + 2) * statistic))
