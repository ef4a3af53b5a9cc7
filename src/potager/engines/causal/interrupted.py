"""Interrupted time series: what would one series have done, going by its own past and by series that were not treated?

A structural time-series model (level or trend, season, regression on controls) learns from the periods before the
start and forecasts the rest; the effect is what happened less that (Brodersen et al. 2015, fitted by maximum
likelihood with statsmodels in place of sampling).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.panel import named, redefined, too_short
from potager.engines.causal.placebo import carried, coverage_of, fake_starts
from potager.engines.causal.results import (
    Check,
    Effect,
    FloatArray,
    PlaceboCoverage,
    check_level,
    limits,
    p_value,
    student_below,
    student_quantile,
)
from potager.engines.causal.structural import Counterfactual, Trend, counterfactual

FEWEST_BEFORE = 12
_PERIODS_PER_CONTROL = 5
_FAKE_DATES = 12
_DOUBT = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedEffect(Effect):
    """The mean effect per period from the start on, in the unit of the series.

    ``expected``, ``expected_low``, ``expected_high`` (t − start,): the series without the treatment, with its
    interval; ``effects`` (t − start,): observed less expected. ``cumulative``, ``cumulative_low``,
    ``cumulative_high`` (t − start,): the effect summed up to each period, its interval with the forecasts' joint
    errors.
    """

    expected: FloatArray
    expected_low: FloatArray
    expected_high: FloatArray
    effects: FloatArray
    cumulative: FloatArray
    cumulative_low: FloatArray
    cumulative_high: FloatArray


def interrupted_series(
    series: Sequence[float],
    start: int,
    *,
    controls: Mapping[str, Sequence[float]] | None = None,
    treated_controls: Sequence[str] = (),
    season: int = 1,
    trend: Trend = "level",
    redefinitions: Sequence[int] = (),
    level: float = 0.95,
    placebos: bool = True,
) -> InterruptedEffect | CannotTell:
    """Return what a series did from index ``start`` on beyond what its past and its controls let expect.

    ``series`` (t,): regular periods, all known. ``controls``: other series of the same length that the treatment does
    not reach; their slopes are part of the state, so that their errors are in the interval. ``treated_controls``
    names those known to have been treated too. ``season``: periods per season (1: none). ``trend``: "level" wanders,
    "trend" also goes on rising or falling (wider). ``redefinitions``: indexes from which the metric is measured in
    another way.

    Refuses fewer than 12 periods (and two seasons, and five per control) before the start, none after it, unknown
    values, a control that was treated too, a redefined metric, and a series that did not vary before. The interval
    takes Student's t with what the fit left. Raises :class:`ValueError` on controls of another length and on a bad
    level.
    """
    check_level(level)
    if season < 1:
        raise ValueError("A season has one period or more.")
    others = dict(controls or {})
    values = np.asarray(series, dtype=np.float64)
    exogenous = _stacked(others, len(values))
    refusal = _unfit(values, start, others, treated_controls, season, redefinitions)
    if refusal is not None:
        return refusal
    made = counterfactual(values, exogenous, start, len(values), season, trend)
    if isinstance(made, CannotTell):
        return made
    checks = [
        _length_check(start, len(values)),
        _residual_check(made.residual_p),
        _wandering_check(made.steady, level),
    ]
    if others:
        checks.append(_control_check(others, start, season, trend))
    runs, missing = carried(
        *((_in_time(values, exogenous, start, season, trend, level),) if placebos else ())
    )
    return _answer(values[start:], made, level, (*checks, *missing), runs, bool(others))


def _answer(
    observed: FloatArray,
    made: Counterfactual,
    level: float,
    checks: tuple[Check, ...],
    runs: tuple[PlaceboCoverage, ...],
    controlled: bool,
) -> InterruptedEffect:
    effects = observed - made.mean
    reach = student_quantile(0.5 + level / 2.0, made.degrees)
    summing = np.tril(np.ones((len(effects), len(effects))))
    cumulative = np.cumsum(effects)
    summed = np.sqrt(np.maximum(np.diag(summing @ made.covariance @ summing.T), 0.0))
    single = np.sqrt(np.maximum(np.diag(made.covariance), 0.0))
    estimate, error = float(effects.mean()), float(summed[-1]) / len(effects)
    low, high = limits(estimate, error, made.degrees, level)
    return InterruptedEffect(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=f"structural time series {'with' if controlled else 'without'} controls",
        evidence="quasi_experiment",
        standard_error=error,
        p_value=p_value(estimate, error, made.degrees),
        checks=checks,
        placebos=runs,
        expected=made.mean,
        expected_low=made.mean - reach * single,
        expected_high=made.mean + reach * single,
        effects=effects,
        cumulative=cumulative,
        cumulative_low=cumulative - reach * summed,
        cumulative_high=cumulative + reach * summed,
    )


def _stacked(controls: Mapping[str, Sequence[float]], length: int) -> FloatArray:
    if misfits := [name for name, values in controls.items() if len(values) != length]:
        raise ValueError(f"These controls do not have one value per period: {named(misfits)}.")
    if not controls:
        return np.empty((length, 0))
    return np.column_stack([np.asarray(values, dtype=np.float64) for values in controls.values()])


def _unfit(
    values: FloatArray,
    start: int,
    controls: Mapping[str, Sequence[float]],
    treated: Sequence[str],
    season: int,
    redefinitions: Sequence[int],
) -> CannotTell | None:
    if spoiled := [name for name in controls if name in set(treated)]:
        return CannotTell(
            "not_identified",
            f"These controls were treated too: {named(spoiled)}. Part of the effect would be explained away.",
            "Leave them out.",
        )
    fewest = max(FEWEST_BEFORE, 2 * season + 2, _PERIODS_PER_CONTROL * len(controls))
    short = too_short(start, len(values), fewest)
    if short is not None:
        return short
    broken = redefined(sorted(redefinitions), [f"period {index + 1}" for index in range(len(values))])
    if broken is not None:
        return broken
    every = {"the series": values} | {name: np.asarray(row, np.float64) for name, row in controls.items()}
    holes = [name for name, row in every.items() if not np.isfinite(row).all()]
    if holes:
        return CannotTell(
            "incomplete",
            f"Values are unknown for some periods of {named(holes)}; unknown is not zero.",
            "Fill them from the source, or take a coarser period.",
        )
    if float(np.ptp(values[:start])) == 0.0:
        return CannotTell(
            "undefined",
            "The series did not vary before the start, so nothing says how much it varies by itself.",
            "",
        )
    return None


def _length_check(start: int, length: int) -> Check:
    after = length - start
    passed = after <= start
    words = "within what" if passed else "further than"
    return Check(
        "horizon",
        passed,
        f"The forecast reaches {after} periods, {words} {start} periods before the start can carry.",
    )


def _residual_check(p: float | None) -> Check:
    if p is None:
        return Check("residuals", None, "Too few periods to see whether the model left a pattern.")
    words = "left no clear pattern" if p >= _DOUBT else "left a pattern, so its interval may be too narrow"
    return Check("residuals", p >= _DOUBT, f"Before the start the model {words} (Ljung–Box p = {p:.2g}).")


def _wandering_check(steady: bool, level: float) -> Check:
    """Say what the interval holds: it is an average over how far the level may wander (see ``structural``).

    On simulated series it held the effect in 95 to 97 of 100 cases where the level wandered by a fifth of the noise or
    more a period, and in 98 to 100 where it wandered less, since few periods cannot tell it from one that does.
    """
    if steady:
        sentence = (
            "Before the start the level is not seen to wander, but the interval leaves room for it: if the level never "
            f"does, it holds the effect in more than {level:.0%} of cases."
        )
    else:
        sentence = f"The level wandered before the start, and the interval lets it wander on at {level:.0%}."
    return Check("room_to_wander", True, sentence)


def _control_check(controls: Mapping[str, Sequence[float]], start: int, season: int, trend: Trend) -> Check:
    """Look whether the controls themselves moved at the start, going by their own past (Bonferroni over them)."""
    moved = []
    for name, series in controls.items():
        values = np.asarray(series, dtype=np.float64)
        if float(np.ptp(values[:start])) == 0.0:
            continue
        made = counterfactual(values, np.empty((len(values), 0)), start, len(values), season, trend)
        if isinstance(made, CannotTell):
            continue
        error = math.sqrt(max(float(made.covariance.sum()), 0.0))
        if p_value(float((values[start:] - made.mean).sum()), error, made.degrees) < _DOUBT / len(controls):
            moved.append(name)
    if not moved:
        return Check(
            "controls_calm", True, "No control moved at the start beyond what its own past lets expect."
        )
    return Check(
        "controls_calm",
        None,
        f"These controls moved at the start as well: {named(moved)}. Either something from outside reached all, which "
        "they rightly take off, or the treatment reached them too.",
    )


def _in_time(
    values: FloatArray, exogenous: FloatArray, start: int, season: int, trend: Trend, level: float
) -> PlaceboCoverage | CannotTell:
    """Put fake starts to the periods before the real one; each forecasts as far as that does, where there is room."""
    fewest = max(FEWEST_BEFORE, 2 * season + 2, _PERIODS_PER_CONTROL * exogenous.shape[1])
    horizon = max(1, min(len(values) - start, (start - fewest) // 2))
    estimates, held, refused = [], [], 0
    for fake in fake_starts(fewest, start - horizon, _FAKE_DATES):
        made = counterfactual(values, exogenous, fake, fake + horizon, season, trend)
        if isinstance(made, CannotTell):
            refused += 1
            continue
        effect = float((values[fake : fake + horizon] - made.mean).mean())
        error = math.sqrt(max(float(made.covariance.sum()), 0.0)) / horizon
        estimates.append(effect)
        held.append(error > 0.0 and 2.0 * student_below(-abs(effect / error), made.degrees) >= 1.0 - level)
    return coverage_of("time", estimates, held, level, refused)
