"""Rolling-origin back-tests: what each method would have said earlier in this very series, against what came."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from potager.engines.statistics import methods
from potager.engines.statistics.methods import ForecastMethod, IntArray
from potager.engines.statistics.series import BoolArray, FloatArray, Prepared
from potager.engines.statistics.spread import ErrorSpread

MOST_ORIGINS = 60
FEWEST_ORIGINS = 6
FEWEST_DISTINCT = 2
_FEWEST_EARLIER = 5  # errors that must be known before a range made of them is judged
_FEWEST_JUDGED = 10  # ranges below which a share of those that held says nothing
_TIE = 1.02  # a simpler method within two percent of the best is taken

# From simple to involved: the order in which near ties are broken. Each with how many values it needs at an origin.
_PLAIN: dict[str, ForecastMethod] = {
    "last_value": methods.last_value,
    "recent_median": methods.recent_median,
    "drift": methods.drift,
    "theta": methods.theta,
    "ets_damped": methods.ets_damped,
}
_ONE_SEASON: dict[str, ForecastMethod] = {
    "seasonal_naive": methods.seasonal_naive,
    "seasonal_naive_drift": methods.seasonal_naive_drift,
    "recent_median": methods.recent_median,
}
_TWO_SEASONS: dict[str, ForecastMethod] = {
    **_ONE_SEASON,
    "theta": methods.theta,
    "ets_damped": methods.ets_damped,
}
_ON_LOGS = ("theta", "ets_damped")
_COMBINED = ("recent_median", "theta", "ets_damped")


@dataclass(frozen=True, slots=True)
class Tier:
    """What a series is long enough for: which methods, with how many values at the first origin and which season."""

    candidates: dict[str, ForecastMethod]
    first_origin: int
    season: int

    def needs(self, horizon: int) -> int:
        """Return how many values it takes to back-test a horizon: enough origins, and enough distinct horizons."""
        return self.first_origin + max(horizon + FEWEST_ORIGINS - 1, FEWEST_DISTINCT * horizon)


def tiers(season: int) -> tuple[Tier, ...]:
    """Return the tiers of a season length, the richest first."""
    plain = Tier(_PLAIN, 5, 1)
    if season == 1:
        return (plain,)
    return Tier(_TWO_SEASONS, 2 * season + 3, season), Tier(_ONE_SEASON, season + 1, season), plain


@dataclass(frozen=True, slots=True)
class CandidateScore:
    """How one method did over all origins and steps of the back-test.

    ``mase``: mean absolute error over the mean absolute seasonal change known at each origin (Hyndman & Koehler 2006;
    below 1 is better than repeating the last season). ``smape``: mean of 2|e| / (|y| + |ŷ|), 0 to 2, a term being 0
    where both are 0. ``total_mase``: the same as mase for the sum over the horizon, per step.
    """

    name: str
    mase: float
    smape: float
    total_mase: float


@dataclass(frozen=True, slots=True, eq=False)
class BackTest:
    """What the back-test of a series found, and the forecast of the method it chose.

    ``forecast`` (H,); ``steps`` and ``totals``: spreads of errors per step and per length of a running total;
    ``coverage``: the share of truths inside the ranges that would have been given at the time, None where too few
    origins could be judged that way; ``judged``: how many truths that share is of.
    """

    method: str
    forecast: FloatArray
    steps: ErrorSpread
    totals: ErrorSpread
    scores: tuple[CandidateScore, ...]
    origins: int
    coverage: float | None
    judged: int
    coverage_total: float | None
    judged_totals: int


def choose_origins(count: int, horizon: int, first: int, season: int) -> IntArray:
    """Return at most :data:`MOST_ORIGINS` origins (o,), evenly spaced from the latest back, over all phases."""
    step = math.ceil((count - horizon - first + 1) / MOST_ORIGINS)
    while step > 1 and math.gcd(step, season) > 1:
        step += 1
    return np.arange(count - horizon, first - 1, -step, dtype=np.int64)[::-1]


def error_scales(values: FloatArray, origins: IntArray, season: int, horizon: int) -> FloatArray:
    """Return per origin (o,) the mean absolute seasonal change over the latest values known there, never 0.

    Errors are compared and carried forward in this unit, so that a series that grew does not look surer than it is.
    Where nothing changed lately it is a quarter of the mean over the whole series.
    """
    changes = np.abs(values[season:] - values[:-season])
    if not changes.any():  # exactly periodic: the plain changes are all there is
        changes = np.abs(np.diff(values))
    lag = values.size - changes.size
    summed = np.concatenate(([0.0], np.cumsum(changes)))
    last = origins - lag
    window = np.minimum(last, max(season, 2 * horizon, 12))
    local = (summed[last] - summed[last - window]) / window
    result: FloatArray = np.maximum(local, changes.mean() / 4.0)
    return result


def back_test(series: Prepared, tier: Tier, horizon: int, level: float) -> BackTest:
    """Run every candidate of the tier from many origins, choose one, and spread its errors.

    The series must hold ``tier.needs(horizon)`` values and not be constant.
    """
    values, season = series.values, tier.season
    known = choose_origins(values.size, horizon, tier.first_origin, season)
    origins = np.append(known, values.size)
    scales = error_scales(values, origins, season, horizon)
    ahead = known[:, None] + np.arange(horizon)
    truth, filled = values[ahead], series.filled[ahead]

    candidates = _forecasts(values, tier, origins, horizon)
    scored = {name: _score(name, made[:-1], truth, filled, scales[:-1]) for name, made in candidates.items()}
    best = min(score.mase for score in scored.values())
    chosen = next(name for name in candidates if scored[name].mase <= best * _TIE)

    errors = _errors_of_choosing(candidates, chosen, truth, known, scales[:-1])
    totals = np.cumsum(errors, axis=1)
    steps = np.where(filled, np.nan, errors)
    if bool((np.isfinite(steps).sum(axis=0) < FEWEST_ORIGINS // 2).any()):
        steps = errors  # a step whose truths were nearly all filled in has only those to go by
    distinct = 1.0 + (known[-1] - known[0]) / np.arange(1, horizon + 1)
    distinct = np.minimum(distinct, known.size)
    coverage, judged = _coverage_at_the_time(steps, known, level, slice(None))
    coverage_total, judged_totals = _coverage_at_the_time(totals, known, level, slice(horizon - 1, None))
    return BackTest(
        chosen,
        candidates[chosen][-1],
        ErrorSpread.of(steps * scales[-1], distinct),
        ErrorSpread.of(totals * scales[-1], distinct),
        tuple(scored.values()),
        int(known.size),
        coverage,
        judged,
        coverage_total,
        judged_totals,
    )


def _forecasts(values: FloatArray, tier: Tier, origins: IntArray, horizon: int) -> dict[str, FloatArray]:
    """Return every candidate's forecasts (o, H), kept from going below 0 where the series never does."""
    made = {name: run(values, tier.season, origins, horizon) for name, run in tier.candidates.items()}
    if all(name in made for name in _COMBINED):
        if float(values.min()) > 0.0:
            for name in _ON_LOGS:
                run = methods.on_log_scale(tier.candidates[name])
                made[f"{name}_log"] = run(values, tier.season, origins, horizon)
        made["combination"] = np.mean([made[name] for name in _COMBINED], axis=0)
    if float(values.min()) >= 0.0:
        made = {name: np.maximum(forecast, 0.0) for name, forecast in made.items()}
    return made


def _score(
    name: str, made: FloatArray, truth: FloatArray, filled: BoolArray, scales: FloatArray
) -> CandidateScore:
    errors = truth - made
    known = ~filled if not filled.all() else np.ones_like(filled)
    size = np.abs(truth) + np.abs(made)
    relative = np.divide(2.0 * np.abs(errors), size, out=np.zeros_like(size), where=size > 0.0)
    return CandidateScore(
        name,
        float((np.abs(errors) / scales[:, None])[known].mean()),
        float(relative[known].mean()),
        float((np.abs(errors.sum(axis=1)) / scales).mean()) / errors.shape[1],
    )


def _errors_of_choosing(
    candidates: dict[str, FloatArray],
    chosen: str,
    truth: FloatArray,
    origins: IntArray,
    scales: FloatArray,
) -> FloatArray:
    """Return the scaled errors (o, H) of *choosing* a method, not of the method that happened to do best.

    At each origin the method is chosen by the origins whose horizons do not overlap its own, so that picking the
    best of many does not make the range too narrow. Where no such origin exists it is the method chosen on all.
    """
    horizon = truth.shape[1]
    names = list(candidates)
    errors = np.stack([(truth - candidates[name][:-1]) / scales[:, None] for name in names])
    losses = np.abs(errors).mean(axis=2)
    apart = np.abs(origins[:, None] - origins[None, :]) >= horizon
    elsewhere = losses @ apart.astype(np.float64)
    picked = np.where(apart.any(axis=1), np.argmin(elsewhere, axis=0), names.index(chosen))
    result: FloatArray = errors[picked, np.arange(origins.size)]
    return result


def _coverage_at_the_time(
    errors: FloatArray, origins: IntArray, level: float, columns: slice
) -> tuple[float | None, int]:
    """Return the share of errors inside the range that earlier errors would have given, and of how many.

    ``errors`` (o, H) in scaled units; column h is known h + 1 periods after its origin, and only errors known by then
    are used. None when fewer than 10 could be judged.
    """
    lengths = np.arange(1, errors.shape[1] + 1)[columns]
    errors = errors[:, columns]
    inside = judged = 0
    for row, origin in enumerate(origins):
        known = origins[:row, None] + lengths <= origin
        earlier = np.where(known, errors[:row], np.nan)
        counts = np.isfinite(earlier).sum(axis=0)
        ready = (counts >= _FEWEST_EARLIER) & np.isfinite(errors[row])
        if not ready.any():
            continue
        latest = origins[known.sum(axis=0)[ready] - 1]
        distinct = np.minimum(1.0 + (latest - origins[0]) / lengths[ready], counts[ready])
        spread = ErrorSpread.of(earlier[:, ready], distinct)
        inside += int((spread.inside(np.abs(errors[row, ready])) <= level).sum())
        judged += int(ready.sum())
    return (inside / judged if judged >= _FEWEST_JUDGED else None), judged
