"""One effect on two scales: as the design measures it, and what it comes to on the whole metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from potager.engines.causal import Effect, ExperimentEffect
from potager.insight.impact.designing import Plan, parse_design
from potager.insight.impact.methods import Told, Window
from potager.insight.impact.models import Bet
from potager.insight.impact.reading_arms import Arms
from potager.insight.impact.reading_panels import PanelRead
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import additive

DAYS_IN: Mapping[str, float] = {"day": 1.0, "week": 7.0, "month": 30.4375, "quarter": 91.3125, "year": 365.25}


def whole_per(metric: Metric) -> str:
    """Return what the effect on the whole metric is an effect on, in words."""
    return f"the whole metric and {metric.grain}" if additive(metric) else "the whole metric"


@dataclass(frozen=True, slots=True)
class Scaled:
    """An effect per unit and period: what it would have been, of what it is, and how many make the whole metric."""

    effect: Effect
    baseline: float | None
    per: str
    factor: float
    units: int | None


def scaled(bet: Bet, metric: Metric, window: Window, told: Told) -> Scaled:
    """Return the effect per unit and period, and how many of these the whole metric is."""
    if isinstance(told.source, Arms):
        return _of_arms(bet, metric, window, told.effect, told.source)
    days = DAYS_IN[metric.grain]
    if isinstance(told.source, PanelRead):
        return _of_panel(bet, metric, told, told.source)
    read = told.source
    expected = [value for value in told.figures["expected"] if value is not None]
    factor = days / DAYS_IN[read.grain] if read.adds_up else 1.0
    per = f"the whole and {read.grain}" if read.adds_up else "the whole"
    return Scaled(told.effect, float(np.mean(expected)), per, factor, None)


def _of_arms(bet: Bet, metric: Metric, window: Window, effect: Effect, arms: Arms) -> Scaled:
    treated, tested = arms.treated.n, arms.treated.n + arms.control.n
    unit = bet.unit or "unit"
    control = effect.control if isinstance(effect, ExperimentEffect) else None
    if arms.ratio:
        factor = _reach(bet, arms.share_treated, arms.share_tested)
        return Scaled(effect, control, f"those treated, by {unit}", factor, treated)
    factor = _reach(bet, float(treated), float(tested))
    if not arms.adds_up:
        return Scaled(effect, control, f"one {unit}", factor, treated)
    periods = window.days / DAYS_IN[metric.grain]
    return Scaled(
        times(effect, 1.0 / periods),
        None if control is None else control / periods,
        f"one {unit} and {metric.grain}",
        factor,
        treated,
    )


def _of_panel(bet: Bet, metric: Metric, told: Told, read: PanelRead) -> Scaled:
    segments, every = len(read.treated), len(read.panel.units)
    start = read.start
    treated = read.panel.rows(read.treated)
    baseline = float(treated[:, start:].mean()) - told.effect.estimate if start < treated.shape[1] else None
    by = _singular(parse_design(bet.design))
    if read.adds_up:
        days = DAYS_IN[metric.grain] / DAYS_IN[read.grain]
        factor = _reach(bet, float(segments), float(every)) * days
        return Scaled(told.effect, baseline, f"one {by} and {read.grain}", factor, segments)
    if read.share_treated is None:  # a level of each segment: the whole is their sum
        return Scaled(
            told.effect, baseline, f"one {by}", _reach(bet, float(segments), float(every)), segments
        )
    return Scaled(told.effect, baseline, f"one {by}", _reach(bet, read.share_treated, 1.0), segments)


def _singular(plan: Plan) -> str:
    return plan.panel.by.rpartition("__")[2].replace("_", " ") if plan.panel else "segment"


def _reach(bet: Bet, treated: float, everybody: float) -> float:
    if bet.reach == "treated":
        return treated
    return everybody if bet.reach == "everybody" else float(bet.reach)


def times(effect: Effect, factor: float) -> Effect:
    """Return an effect in another unit: ``factor`` (> 0) times as large."""
    error = effect.standard_error
    return Effect(
        estimate=effect.estimate * factor,
        low=effect.low * factor,
        high=effect.high * factor,
        level=effect.level,
        method=effect.method,
        evidence=effect.evidence,
        standard_error=None if error is None else error * factor,
        p_value=effect.p_value,
        checks=effect.checks,
        placebos=effect.placebos,
    )
