"""How far one series goes along with another, how much later, and whether that helped to predict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.statistics.distributions import (
    check_level,
    student_below,
    two_sided_p,
    two_sided_t,
)
from potager.engines.statistics.regression import Fit, least_squares, newey_west_lags, phase_columns
from potager.engines.statistics.series import FloatArray, Series, as_array, check_season

Form = Literal["elasticity", "slope"]
_FEWEST_SPARE = 12  # degrees of freedom below which a regression says too little
_FEWEST_TESTED = 5
_NOTE = (
    "The two move together, which is not yet a cause: something that drives both, a shared calendar, or an effect "
    "the other way round would look the same."
)


@dataclass(frozen=True, slots=True)
class InfluenceEstimate:
    """How a change of the driver goes along with a later change of the outcome.

    ``effect``: for the form "elasticity" percent of outcome per percent of driver, for "slope" units of outcome per
    unit of driver; ``low`` to ``high`` at ``level``, widened for having searched ``lags_searched`` lags, as is
    ``p_value``. ``lag``: periods from driver to outcome. ``r2``: the share of the outcome's changes, season aside,
    that goes along. ``reverse_p``: the same p-value for the outcome leading the driver (lags from 1). ``found``: p
    is below 1 − level. ``evidence`` is never more than "correlated".
    """

    effect: float
    low: float
    high: float
    level: float
    form: Form
    lag: int
    lags_searched: int
    n: int
    r2: float
    p_value: float
    reverse_p: float | None
    found: bool
    method: str
    evidence: Literal["correlated"]
    note: str


@dataclass(frozen=True, slots=True)
class EdgeBackTest:
    """Whether an edge fitted on the past predicted what came after better than the same model without the driver.

    Errors are mean absolute one-step errors in the unit of the outcome; ``skill`` is 1 − with/without (0.2: a fifth
    less error). ``inside_interval_share``: the share of outcomes inside the ranges predicted with the edge at
    ``level``. ``p_value``: one-sided test that the driver adds nothing (Clark & West 2007).
    """

    error_with: float
    error_without: float
    skill: float
    inside_interval_share: float
    p_value: float
    level: float
    fitted: int
    tested: int
    verdict: Literal["predictive", "no better than without"]


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Period-to-period changes of both series, of logarithms where an elasticity is meant; nan where unknown."""

    driver: FloatArray
    outcome: FloatArray
    form: Form


def _changes(driver: Series, outcome: Series, form: Form | None) -> _Changes | CannotTell:
    x, y = as_array(driver), as_array(outcome)
    if x.size != y.size:
        raise ValueError(f"Driver and outcome cover the same periods; they hold {x.size} and {y.size}.")
    positive = bool(np.nanmin(x, initial=np.inf) > 0.0 and np.nanmin(y, initial=np.inf) > 0.0)
    if form == "elasticity" and not positive:
        return CannotTell(
            "undefined", "An elasticity needs values above 0 throughout.", "Ask for a slope in units instead."
        )
    chosen: Form = form or ("elasticity" if positive else "slope")
    if chosen == "elasticity":
        x, y = np.log(x), np.log(y)
    for name, values in (("driver", x), ("outcome", y)):
        known = values[~np.isnan(values)]
        if known.size and float(np.ptp(known)) == 0.0:
            return CannotTell("undefined", f"The {name} never changes, so nothing can go along with it.", "")
    return _Changes(np.diff(x), np.diff(y), chosen)


def _rows(
    cause: FloatArray, effect: FloatArray, lag: int, first: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return positions, the cause ``lag`` earlier, and the effect, where both are known, from ``first`` on."""
    times = np.arange(first, effect.size)
    x, y = cause[times - lag], effect[times]
    known = ~(np.isnan(x) | np.isnan(y))
    return times[known].astype(np.float64), x[known], y[known]


def _fit(times: FloatArray, x: FloatArray, y: FloatArray, season: int) -> Fit:
    design = np.column_stack((x, phase_columns(times, season)))
    return least_squares(design, y, newey_west_lags(y.size))


def _best_lag(
    cause: FloatArray, effect: FloatArray, lags: range, season: int
) -> tuple[int, Fit, float, float] | None:
    """Return the lag with the largest t, its fit, its p-value adjusted for the search (Bonferroni), and its r²."""
    best: tuple[int, Fit, float, float] | None = None
    for lag in lags:
        times, x, y = _rows(cause, effect, lag, lags[-1])  # the same outcomes for every lag
        if y.size < season + 1 + _FEWEST_SPARE:
            continue
        rest_x, rest_y = _season_out(times, x, season), _season_out(times, y, season)
        if float(rest_x @ rest_x) <= 1e-20 * float(x @ x) or float(rest_y @ rest_y) <= 1e-20 * float(y @ y):
            continue
        fit = _fit(times, x, y, season)
        error = float(fit.errors[0])
        t = float(fit.coefficients[0]) / error if error > 0.0 else math.inf
        p = two_sided_p(t, fit.degrees)
        r2 = float(rest_x @ rest_y) ** 2 / (float(rest_x @ rest_x) * float(rest_y @ rest_y))
        if best is None or (p, -r2) < (best[2], -best[3]):
            best = (lag, fit, p, r2)
    if best is None:
        return None
    return best[0], best[1], min(best[2] * len(lags), 1.0), best[3]


def _season_out(times: FloatArray, values: FloatArray, season: int) -> FloatArray:
    phases = (times % season).astype(np.int64)
    counts = np.maximum(np.bincount(phases, minlength=season), 1)
    result: FloatArray = values - (np.bincount(phases, values, season) / counts)[phases]
    return result


def estimate_influence(
    driver: Series,
    outcome: Series,
    max_lag: int,
    season: int = 1,
    level: float = 0.95,
    form: Form | None = None,
) -> InfluenceEstimate | CannotTell:
    """Estimate how changes of ``driver`` (n,) go along with changes of ``outcome`` (n,) 0 to ``max_lag`` periods later.

    Regresses period-to-period changes (so that two series which merely both grow do not look related: Granger & Newbold
    1974) on the driver's, with a mean for each phase of the season, and Newey–West standard errors (1987; never
    below the classical ones, see :class:`~potager.engines.statistics.regression.Fit`). The lag is
    the one with the largest t; interval and p-value are Bonferroni-adjusted for the search. ``form`` is "elasticity"
    (changes of logarithms) where both series are above 0 unless given. Missing values (nan) leave their pairs out.

    Refuses too short series (13 changes beyond phases and lags) and series that do not change. Raises
    :class:`ValueError` on lengths that differ, a bad lag, season or level.
    """
    check_level(level)
    check_season(season)
    if max_lag < 0:
        raise ValueError("Lags are counted from 0 periods.")
    changes = _changes(driver, outcome, form)
    if isinstance(changes, CannotTell):
        return changes
    lags = range(max_lag + 1)
    best = _best_lag(changes.driver, changes.outcome, lags, season)
    if best is None:
        least = season + 2 + _FEWEST_SPARE + max_lag
        return CannotTell(
            "too_few",
            f"Relating two series over {max_lag} lags needs at least {least} known periods that vary.",
            "Wait for more periods, or search fewer lags.",
        )
    lag, fit, p, r2 = best
    effect, error = float(fit.coefficients[0]), float(fit.errors[0])
    width = two_sided_t(1.0 - (1.0 - level) / len(lags), fit.degrees) * error
    backward = _best_lag(changes.outcome, changes.driver, range(1, max_lag + 1), season) if max_lag else None
    reverse_p = backward[2] if backward else None
    note = _NOTE
    if reverse_p is not None and reverse_p < 1.0 - level:
        note += " Here the outcome also goes ahead of the driver, which speaks for such a reason."
    return InfluenceEstimate(
        effect,
        effect - width,
        effect + width,
        level,
        changes.form,
        lag,
        len(lags),
        int(fit.residuals.size),
        r2,
        p,
        reverse_p,
        p < 1.0 - level,
        "first_differences_newey_west",
        "correlated",
        note,
    )


def back_test_edge(
    driver: Series,
    outcome: Series,
    lag: int,
    fitted_until: int,
    season: int = 1,
    level: float = 0.8,
    form: Form | None = None,
) -> EdgeBackTest | CannotTell:
    """Test whether an edge fitted on periods before ``fitted_until`` predicts the ones from there on.

    Both models predict each next outcome from the one before it: one from the mean change of its phase, the other from
    the driver's change ``lag`` periods before as well. Both are fitted once, on positions below ``fitted_until`` of the
    series (n,). ``predictive`` takes less error *and* a one-sided Clark & West (2007) p-value below 0.1. With lag 0 the
    driver's value of the same period is taken as known.

    Refuses fewer than 13 changes beyond phases and lags to fit on, fewer than 5 to test on, and series that do not
    change. Raises :class:`ValueError` on lengths that differ, a bad lag, split, season or level.
    """
    check_level(level)
    check_season(season)
    size = len(outcome)
    if lag < 0 or not 0 < fitted_until < size:
        raise ValueError("The lag is counted from 0, and the split lies inside the series.")
    changes = _changes(driver, outcome, form)
    if isinstance(changes, CannotTell):
        return changes
    times, x, y = _rows(changes.driver, changes.outcome, lag, lag)
    past = times + 1 < fitted_until  # a change belongs to the period it ends in
    fitted, tested = int(past.sum()), int((~past).sum())
    if fitted < season + 1 + _FEWEST_SPARE or tested < _FEWEST_TESTED:
        return CannotTell(
            "too_few",
            f"There are {fitted} changes to fit on and {tested} to test on; it takes {season + 1 + _FEWEST_SPARE} "
            f"and {_FEWEST_TESTED}.",
            "Wait for more periods, or use shorter ones.",
        )
    if float(np.ptp(x[past])) == 0.0:
        return CannotTell("undefined", "The driver did not change while the edge was fitted.", "")
    fit = _fit(times[past], x[past], y[past], season)
    plain = least_squares(phase_columns(times[past], season), y[past], 0)
    design = phase_columns(times[~past], season)
    predicted_without = design @ plain.coefficients
    predicted_with = np.column_stack((x[~past], design)) @ fit.coefficients
    truth = y[~past]
    reach = two_sided_t(level, fit.degrees) * math.sqrt(float(fit.residuals @ fit.residuals) / fit.degrees)
    with_edge, without = truth - predicted_with, truth - predicted_without
    gain = without**2 - with_edge**2 + (predicted_without - predicted_with) ** 2
    spread = float(gain.std(ddof=1)) / math.sqrt(tested)
    p = student_below(-float(gain.mean()) / spread, tested - 1) if spread else 1.0
    if changes.form == "elasticity":
        base = as_array(outcome)[times[~past].astype(np.int64)]
        actual = base * np.exp(truth)
        with_edge, without = actual - base * np.exp(predicted_with), actual - base * np.exp(predicted_without)
    error_with, error_without = float(np.abs(with_edge).mean()), float(np.abs(without).mean())
    skill = 1.0 - error_with / error_without if error_without else 0.0
    return EdgeBackTest(
        error_with,
        error_without,
        skill,
        float((np.abs(truth - predicted_with) <= reach).mean()),
        p,
        level,
        fitted,
        tested,
        "predictive" if skill > 0.0 and p < 0.1 else "no better than without",
    )
