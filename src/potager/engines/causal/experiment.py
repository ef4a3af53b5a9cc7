"""What did a randomized change do? Means, shares and ratios of two arms, with or without a covariate, at any time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.arms import Arm
from potager.engines.causal.results import (
    Check,
    Effect,
    FloatArray,
    Sides,
    check_level,
    limits,
    p_value,
    two_sided_z,
)

# Fewest units per arm. Means and their spread need some units; the delta method and CUPED's estimated slope are
# approximations for large samples. These are choices, and can be given.
FEWEST_UNITS = 20
# Below this p-value the split of units is not the planned one (the usual guard of online experiments, Fabijan et al.
# 2019): far below 0.05, because it is looked at in every experiment.
MISMATCH = 0.001

RandomizedEvidence = Literal["experiment", "holdout"]


@dataclass(frozen=True, slots=True)
class RelativeLift:
    """The effect as a share of the control arm (0.1 is ten percent more), with Fieller's (1954) limits."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentEffect(Effect):
    """Treated less control. ``treated`` and ``control`` are the figures of the arms, after CUPED where it was used.

    ``relative`` is the lift as a share of the control figure, or why there is none. ``variance_kept`` is the share of
    the variance that CUPED left (1 without a covariate, 0.5 where it was worth as much as twice the units).
    ``degrees`` are those of Student's t (infinite for sequential intervals).
    """

    treated: float
    control: float
    relative: RelativeLift | CannotTell
    variance_kept: float
    degrees: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """Adjusted figures of both arms, their squared errors and what the covariate was worth."""

    values: tuple[float, float]
    squared: tuple[float, float]
    degrees: float
    kept: float


def sample_ratio_check(
    counts: Mapping[str, int], planned: Mapping[str, float], threshold: float = MISMATCH
) -> Check:
    """Compare how many units each arm got with the shares that were planned (Pearson's chi-squared test).

    ``counts`` and ``planned`` name the same arms; planned shares are positive and need not add up to 1. Raises
    :class:`ValueError` otherwise. Too few units to expect five per arm: the check cannot be made (passed is None).
    """
    from scipy.special import chdtrc

    if set(counts) != set(planned) or len(counts) < 2:
        raise ValueError("Counts and planned shares name the same two or more arms.")
    if min(planned.values()) <= 0.0 or min(counts.values()) < 0:
        raise ValueError("Planned shares are above 0, and counts are 0 or more.")
    total, whole = sum(counts.values()), math.fsum(planned.values())
    expected = {arm: total * share / whole for arm, share in planned.items()}
    if min(expected.values()) < 5.0:
        return Check("sample_ratio", None, f"With {total} units the split of the arms cannot be checked.")
    statistic = math.fsum((counts[arm] - expected[arm]) ** 2 / expected[arm] for arm in counts)
    p = float(chdtrc(len(counts) - 1, statistic))
    found = ", ".join(f"{arm} {counts[arm]:,} (planned {expected[arm]:,.0f})" for arm in counts)
    verdict = "as planned" if p >= threshold else "not the planned one: units were lost or assigned otherwise"
    return Check("sample_ratio", p >= threshold, f"The split of units is {verdict}: {found}; p = {p:.2g}.")


def compare_arms(
    treated: Arm,
    control: Arm,
    *,
    level: float = 0.95,
    sides: Sides = "two",
    treated_share: float | None = 0.5,
    evidence: RandomizedEvidence = "experiment",
    fewest: int = FEWEST_UNITS,
) -> ExperimentEffect | CannotTell:
    """Return treated less control, from sums over the units of each arm.

    Means and shares: Welch (1947). Ratios Σy/Σd: the delta method (Deng, Knoblich & Lu 2018). With a covariate x known
    before the assignment: CUPED (Deng et al. 2013), its slope pooled over both arms; for ratios on the linearized
    outcome. ``sides``: "greater" and "less" give an interval with one finite end and the one-sided p-value.

    ``treated_share`` is the planned share of the treated arm, None where no plan is known. Refuses where the split is
    not the planned one, where an arm has under ``fewest`` units, where nothing varies, and where a denominator cannot
    be told from 0. Raises :class:`ValueError` on arms with different columns and on a bad level.
    """
    check_level(level)
    prepared = _prepare(treated, control, treated_share, fewest)
    if isinstance(prepared, CannotTell):
        return prepared
    figures, checks = prepared
    difference = figures.values[0] - figures.values[1]
    error = math.sqrt(sum(figures.squared))
    low, high = limits(difference, error, figures.degrees, level, sides)
    return ExperimentEffect(
        estimate=difference,
        low=low,
        high=high,
        level=level,
        method=_name(treated),
        evidence=evidence,
        standard_error=error,
        p_value=p_value(difference, error, figures.degrees, sides),
        checks=checks,
        treated=figures.values[0],
        control=figures.values[1],
        relative=_relative(figures, level),
        variance_kept=figures.kept,
        degrees=figures.degrees,
    )


def compare_anytime(
    treated: Arm,
    control: Arm,
    *,
    planned_units: int,
    level: float = 0.95,
    sides: Sides = "two",
    treated_share: float | None = 0.5,
    evidence: RandomizedEvidence = "experiment",
    fewest: int = FEWEST_UNITS,
) -> ExperimentEffect | CannotTell:
    """Return treated less control with an interval that holds at every look, so that peeking does no harm.

    The normal-mixture confidence sequence: Robbins (1970), the mixture sequential test of Johari et al. (2017),
    Howard et al. (2021), in the asymptotic form of Waudby-Smith et al. (2024). With V the squared error and τ² the
    mixture's variance, half its width is sqrt(2V(V+τ²)/τ² · log(sqrt((V+τ²)/V)/α)); one-sided log(1 +
    sqrt((V+τ²)/V)/(2α)). τ² is tuned to be narrowest when both arms together hold ``planned_units`` units: set it
    once, before the first look. ``p_value`` is the always-valid one (the smallest so far may be kept). Refuses as
    :func:`compare_arms` does.
    """
    check_level(level)
    if planned_units < 2:
        raise ValueError("The planned number of units is two or more.")
    prepared = _prepare(treated, control, treated_share, fewest)
    if isinstance(prepared, CannotTell):
        return prepared
    figures, checks = prepared
    difference, squared = figures.values[0] - figures.values[1], sum(figures.squared)
    alpha = 1.0 - level
    mixture = (
        squared * (treated.n + control.n) / planned_units * _tuning(alpha if sides == "two" else 2 * alpha)
    )
    growth = math.sqrt((squared + mixture) / squared)
    inner = growth / alpha if sides == "two" else 1.0 + growth / (2.0 * alpha)
    reach = math.sqrt(2.0 * squared * (squared + mixture) / mixture * math.log(inner))
    low, high = difference - reach, difference + reach
    return ExperimentEffect(
        estimate=difference,
        low=-math.inf if sides == "less" else low,
        high=math.inf if sides == "greater" else high,
        level=level,
        method=f"{_name(treated)}, sequential",
        evidence=evidence,
        standard_error=math.sqrt(squared),
        p_value=_anytime_p(difference, squared, mixture, growth, sides),
        checks=checks,
        treated=figures.values[0],
        control=figures.values[1],
        relative=_relative(figures, level),
        variance_kept=figures.kept,
        degrees=math.inf,
    )


def _tuning(alpha: float) -> float:
    """Return τ²/V that makes the sequence narrowest where V is the squared error (Waudby-Smith et al. 2024, B.2)."""
    bounded = min(alpha, 0.99)
    return -2.0 * math.log(bounded) + math.log(-2.0 * math.log(bounded) + 1.0)


def _anytime_p(difference: float, squared: float, mixture: float, growth: float, sides: Sides) -> float:
    """Return the smallest α whose sequence excludes 0, from the same formula solved for α."""
    against = difference if sides != "less" else -difference
    exponent = difference**2 * mixture / (2.0 * squared * (squared + mixture))
    if sides == "two":
        return min(1.0, math.exp(min(math.log(growth) - exponent, 0.0)))
    if against <= 0.0:
        return 1.0
    return min(1.0, growth / (2.0 * math.expm1(min(exponent, 700.0)))) if exponent > 0.0 else 1.0


def _name(arm: Arm) -> str:
    kind = "ratio" if arm.d is not None else "mean"
    return f"difference of {kind}s{'' if arm.x is None else ' with CUPED'}"


def _prepare(
    treated: Arm, control: Arm, treated_share: float | None, fewest: int
) -> tuple[_Figures, tuple[Check, ...]] | CannotTell:
    if treated.columns != control.columns:
        raise ValueError("Both arms are summed over the same columns.")
    if treated_share is not None and not 0.0 < treated_share < 1.0:
        raise ValueError("The planned share of the treated arm lies between 0 and 1.")
    if min(treated.n, control.n) < max(fewest, 2):
        return CannotTell(
            "too_few",
            f"The arms hold {treated.n:,} and {control.n:,} units; each needs {max(fewest, 2)}.",
            "Let the experiment run on.",
        )
    ratio = _split(treated.n, control.n, treated_share)
    if ratio.passed is False:
        return CannotTell(
            "not_identified",
            ratio.sentence,
            "Find where units were lost (redirects, bots, logging) before any figure is read.",
        )
    figures = _figures(treated, control)
    if isinstance(figures, CannotTell):
        return figures
    checks = [ratio]
    if treated.x is not None:
        checks.append(_covariate_check(treated, control))
    return figures, tuple(checks)


def _split(treated: int, control: int, share: float | None) -> Check:
    if share is None:
        return Check("sample_ratio", None, "No planned split is known, so lost units would go unseen.")
    return sample_ratio_check(
        {"treated": treated, "control": control}, {"treated": share, "control": 1 - share}
    )


def _covariate_check(treated: Arm, control: Arm) -> Check:
    """A covariate from before the assignment cannot differ between the arms but by chance."""
    column = treated.columns.index("x")
    difference = float(treated.means[column] - control.means[column])
    squared = sum(float(arm.moments()[column, column]) / (arm.n - 1) / arm.n for arm in (treated, control))
    p = p_value(difference, math.sqrt(max(squared, 0.0)), math.inf)
    alike = (
        "was alike in both arms"
        if p >= MISMATCH
        else "differs between the arms, so it may not be from before"
    )
    return Check("covariate_balance", p >= MISMATCH, f"The covariate {alike} (p = {p:.2g}).")


def _figures(treated: Arm, control: Arm) -> _Figures | CannotTell:
    arms = (treated, control)
    if treated.d is not None and (refusal := _unfit_denominator(arms)):
        return refusal
    gradients = [_gradient(arm) for arm in arms]
    plain = [_quadratic(arm, gradient) for arm, gradient in zip(arms, gradients, strict=True)]
    values = [arm.means[0] / (arm.means[1] if arm.d is not None else 1.0) for arm in arms]
    if treated.x is not None:
        x = treated.columns.index("x")
        spread = sum(float(arm.moments()[x, x]) for arm in arms)
        shared = sum(float((arm.moments() @ g)[x]) for arm, g in zip(arms, gradients, strict=True))
        slope = shared / spread if spread > 0.0 else 0.0
        center = (float(treated.x) + float(control.x or 0.0)) / (treated.n + control.n)
        for index, arm in enumerate(arms):
            values[index] -= slope * (float(arm.means[x]) - center)
            gradients[index] = gradients[index] - slope * np.eye(len(arm.columns))[x]
    squared = [_quadratic(arm, gradient) for arm, gradient in zip(arms, gradients, strict=True)]
    total = sum(squared)
    scale = max(abs(float(value)) for value in values)
    if total <= 1e-18 * max(scale * scale, 1e-300):
        return CannotTell(
            "undefined", "The outcome does not vary in either arm, so there is no error to speak of.", ""
        )
    degrees = total**2 / sum(part**2 / (arm.n - 1) for part, arm in zip(squared, arms, strict=True))
    return _Figures(
        (float(values[0]), float(values[1])),
        (squared[0], squared[1]),
        degrees,
        total / max(sum(plain), total),
    )


def _gradient(arm: Arm) -> FloatArray:
    """Return how the arm's figure moves with the means of its columns (the delta method's gradient)."""
    gradient = np.zeros(len(arm.columns))
    if arm.d is None:
        gradient[0] = 1.0
        return gradient
    numerator, denominator = float(arm.means[0]), float(arm.means[1])
    gradient[0], gradient[1] = 1.0 / denominator, -numerator / denominator**2
    return gradient


def _quadratic(arm: Arm, gradient: FloatArray) -> float:
    return max(float(gradient @ arm.moments() @ gradient), 0.0) / (arm.n - 1) / arm.n


def _unfit_denominator(arms: tuple[Arm, Arm]) -> CannotTell | None:
    for arm in arms:
        mean, error = float(arm.means[1]), math.sqrt(float(arm.moments()[1, 1]) / (arm.n - 1) / arm.n)
        if mean <= 0.0 or mean < 3.0 * error:
            return CannotTell(
                "undefined",
                "The denominator of the ratio cannot be told from 0 in one of the arms.",
                "Take a mean per unit, or let the experiment run on.",
            )
    return None


def _relative(figures: _Figures, level: float) -> RelativeLift | CannotTell:
    """Fieller's interval of the ratio of two independent figures, less 1; unbounded where the control may be 0."""
    (a, b), (va, vb) = figures.values, figures.squared
    z = two_sided_z(level)
    inner = b * b - z * z * vb
    if b <= 0.0 or inner <= 0.0:
        return CannotTell(
            "undefined", "The control figure cannot be told from 0, so there is no relative lift.", ""
        )
    root = math.sqrt(max((a * b) ** 2 - (a * a - z * z * va) * inner, 0.0))
    return RelativeLift(a / b - 1.0, (a * b - root) / inner - 1.0, (a * b + root) / inner - 1.0)
