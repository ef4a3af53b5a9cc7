"""Forecasting methods, each computed from many origins of one series in one pass.

Every method takes ``values`` (n,), ``season`` m, ``origins`` (o,): how many values are known at each, ascending, each
at least what the method needs; and ``horizon`` H. It returns forecasts of shape (o, H) that use nothing later than
their origin.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from potager.engines.statistics.series import FloatArray

IntArray = NDArray[np.int64]
ForecastMethod = Callable[[FloatArray, int, IntArray, int], FloatArray]

_MEDIAN_SEASONS = 6
_MEDIAN_PLAIN = 12
_THETA_SMOOTHING = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95])
# alpha (level), beta* (trend, as a share of alpha), gamma* (season, as a share of 1 − alpha), phi (damping)
_ETS_GRID = np.array(
    list(product((0.02, 0.08, 0.2, 0.4, 0.65, 0.9), (0.0, 0.05, 0.2), (0.02, 0.1, 0.3), (0.85, 0.97)))
).T


def _steps(horizon: int) -> IntArray:
    return np.arange(1, horizon + 1)


def last_value(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """The last value goes on (random walk). Needs 1 value."""
    return np.repeat(values[origins - 1][:, None], horizon, axis=1)


def drift(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """The last value goes on, with the mean change so far (Hyndman & Athanasopoulos 2021, §5.2). Needs 2 values."""
    slope = (values[origins - 1] - values[0]) / (origins - 1)
    result: FloatArray = values[origins - 1][:, None] + slope[:, None] * _steps(horizon)
    return result


def seasonal_naive(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """Each step repeats the value one season before it. Needs one season."""
    back = season - (_steps(horizon) - 1) % season
    result: FloatArray = values[origins[:, None] - back]
    return result


def seasonal_naive_drift(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """The seasonal naive forecast with the mean change from season to season so far. Needs a season and 1 value."""
    summed = np.concatenate(([0.0], np.cumsum(values[season:] - values[:-season])))
    per_season = summed[origins - season] / (origins - season)
    seasons_ahead = (_steps(horizon) - 1) // season + 1
    naive = seasonal_naive(values, season, origins, horizon)
    result: FloatArray = naive + per_season[:, None] * seasons_ahead
    return result


def recent_median(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """The median of each phase over the last seasons (of the last values, without a season): robust to odd days."""
    seasons = _MEDIAN_SEASONS if season > 1 else _MEDIAN_PLAIN
    phase = (_steps(horizon) - 1) % season
    forecasts = np.empty((origins.size, horizon))
    for row, origin in enumerate(origins):
        known = min(seasons, int(origin) // season)
        forecasts[row] = np.median(values[origin - known * season : origin].reshape(known, season), axis=0)[
            phase
        ]
    return forecasts


def seasonal_indices(values: FloatArray, season: int, origins: IntArray) -> FloatArray:
    """Return additive seasonal indices (o, m) by classical decomposition, each from values before its origin.

    The centered moving average reaches half a season ahead, so at each origin the last half season is left out. Needs
    two seasons. Indices of a row add up to 0, and index j belongs to values at positions j, j + m, and so on.
    """
    half = season // 2
    window = np.ones(season) if season % 2 else np.concatenate(([0.5], np.ones(season - 1), [0.5]))
    trend = np.convolve(values, window / window.sum(), mode="valid")
    ratios = values[half : half + trend.size] - trend
    indices = np.empty((origins.size, season))
    for row, origin in enumerate(origins):
        known = ratios[: max(int(origin) - 2 * half, 0)]
        phases = (np.arange(known.size) + half) % season
        counts = np.bincount(phases, minlength=season)
        means = np.bincount(phases, known, season) / counts
        indices[row] = means - means.mean()
    return indices


def theta(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """The theta method: half of a straight line's slope on top of exponential smoothing, seasonally adjusted.

    Assimakopoulos & Nikolopoulos (2000), in the form of Hyndman & Billah (2003): simple exponential smoothing with a
    drift of half the least-squares slope. The smoothing is chosen at each origin from a grid, by the squared one-step
    errors so far. Needs two seasons and 3 values.
    """
    count = int(origins[-1])
    indices = seasonal_indices(values, season, origins) if season > 1 else np.zeros((origins.size, 1))
    adjusted = values[:count] - indices[:, np.arange(count) % season]
    times = np.arange(count, dtype=np.float64)
    smoothing = _THETA_SMOOTHING
    level = np.repeat(adjusted[:, :1], smoothing.size, axis=1)
    squares = np.zeros_like(level)
    levels, drifts, chosen = (np.empty(origins.size) for _ in range(3))
    done = 0
    for time in range(1, count + 1):
        while done < origins.size and origins[done] == time:
            best = int(np.argmin(squares[done]))
            levels[done], chosen[done] = level[done, best], smoothing[best]
            known, at = adjusted[done, :time], times[:time] - (time - 1) / 2.0
            drifts[done] = float(at @ known) / float(at @ at) / 2.0
            done += 1
        if time < count:
            error = adjusted[done:, time, None] - level[done:]
            squares[done:] += error * error
            level[done:] += smoothing * error
    weight = 1.0 / chosen
    ahead = _steps(horizon) - 1 + (weight * (1.0 - (1.0 - chosen) ** origins))[:, None]
    phase = (origins[:, None] + _steps(horizon) - 1) % season
    result: FloatArray = (
        levels[:, None] + drifts[:, None] * ahead + np.take_along_axis(indices, phase, axis=1)
    )
    return result


def ets_damped(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
    """Exponential smoothing with a damped trend and an additive season, in error-correction form: ETS(A,Ad,A).

    Hyndman, Koehler, Ord & Snyder (2008), table 2.1; without a season ETS(A,Ad,N). All parameters of a grid run side by
    side, and at each origin those with the smallest squared one-step errors so far forecast. Needs two seasons and 3
    values. Initial states: means of the first two seasons and their difference.
    """
    grid = _ETS_GRID if season > 1 else np.unique(_ETS_GRID * [[1.0], [1.0], [0.0], [1.0]], axis=1)
    return ets_forecasts(values, season, origins, horizon, grid)


def ets_forecasts(
    values: FloatArray, season: int, origins: IntArray, horizon: int, grid: FloatArray
) -> FloatArray:
    """Return :func:`ets_damped` forecasts with the parameters of ``grid`` (4, g): alpha, beta*, gamma*, phi."""
    alpha, beta_share, gamma_share, phi = grid
    beta, gamma = alpha * beta_share, (1.0 - alpha) * gamma_share
    size, count = grid.shape[1], int(origins[-1])
    level0, slope0, season0 = ets_start(values, season)
    level, slope = np.full(size, level0), np.full(size, slope0)
    seasonal = np.repeat(season0[:, None], size, axis=1)
    squares = np.zeros(size)
    damping = np.cumsum(phi[None, :] ** _steps(horizon)[:, None], axis=0)
    forecasts = np.empty((origins.size, horizon))
    done = 0
    for time in range(count + 1):
        while done < origins.size and origins[done] == time:
            best = int(np.argmin(squares))
            phase = (time + _steps(horizon) - 1) % season
            forecasts[done] = level[best] + slope[best] * damping[:, best] + seasonal[phase, best]
            done += 1
        if time == count:
            break
        phase_now = time % season
        damped = phi * slope
        error = values[time] - (level + damped + seasonal[phase_now])
        if time >= season:  # the first season started from its own values
            squares += error * error
        level += damped + alpha * error
        slope = damped + beta * error
        if season > 1:
            seasonal[phase_now] += gamma * error
    return forecasts


def ets_start(values: FloatArray, season: int) -> tuple[float, float, FloatArray]:
    """Return level, slope and seasonal states (m,) just before the first value, from the first two seasons."""
    if season == 1:
        return float(values[0]), 0.0, np.zeros(1)
    first, second = values[:season], values[season : 2 * season]
    slope = float(second.mean() - first.mean()) / season
    level = float(first.mean()) - slope * (season + 1) / 2.0
    line = level + slope * _steps(2 * season)
    return level, slope, (first - line[:season] + second - line[season:]) / 2.0


def on_log_scale(method: ForecastMethod) -> ForecastMethod:
    """Return the method run on logarithms (all values > 0): growth and season act as factors, not as amounts."""

    def run(values: FloatArray, season: int, origins: IntArray, horizon: int) -> FloatArray:
        logs = np.log(values)
        # A line on the log scale must not run off to infinity: at most a hundred times the highest value so far.
        highest = np.maximum.accumulate(logs)[origins - 1] + np.log(100.0)
        result: FloatArray = np.exp(np.minimum(method(logs, season, origins, horizon), highest[:, None]))
        return result

    return run
