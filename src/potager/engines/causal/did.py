"""Difference-in-differences of two groups: how much more did the treated change than those who were not?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.mixing import fake_effects, fake_groups
from potager.engines.causal.panel import Panel, trend_check, unfit
from potager.engines.causal.placebo import carried, coverage_of, fake_starts
from potager.engines.causal.results import (
    Check,
    Effect,
    FloatArray,
    PlaceboCoverage,
    check_level,
    limits,
    negligible,
    p_value,
    satterthwaite,
)

FEWEST_GROUPS = 3  # clusters per side from which their own spread is used
FEWEST_FAKES = 5  # controls from which fakes stand in for the spread of one or two treated units
TREND_DOUBT = 0.05
TREND_REFUSAL = 0.001
TREND_MATTERS = (
    0.2  # with very many units every trend differs clearly; it must also be this share of the effect
)
_MOST_FAKES = 200
_MOST_SPLITS = 50

_METHOD = "difference-in-differences"


def difference_in_differences(
    panel: Panel,
    treated: Sequence[str],
    controls: Sequence[str],
    start: int,
    *,
    clusters: Mapping[str, str] | None = None,
    level: float = 0.95,
    placebos: bool = True,
    seed: int = 0,
) -> Effect | CannotTell:
    """Return the mean change of the treated from before ``start`` to after it, less that of the controls.

    Each unit is collapsed to one change (Bertrand, Duflo & Mullainathan 2004), so that serial correlation cannot make
    the interval too narrow; errors are robust and clustered by unit, or by ``clusters`` (unit → name of its cluster),
    with Student's t on Welch's degrees of freedom or Bell & McCaffrey's, whichever are fewer. With under three treated
    clusters the spread of fake treated controls takes the place of their own (Conley & Taber 2011), which takes five
    controls.

    Refuses as :func:`~potager.engines.causal.panel.unfit` says (a control that was treated too among it), with too few
    clusters, and where both sides clearly moved apart before the start (p < 0.001) by enough to make up a fifth of the
    effect. Raises :class:`ValueError` on
    units or clusters that are not known and on a bad level. ``seed`` draws the fake groups where there are many.
    """
    check_level(level)
    refusal = unfit(panel, treated, controls, start, fewest_before=1)
    if refusal is not None:
        return refusal
    grouping = clusters or {}
    if clusters is not None and (missing := [u for u in (*treated, *controls) if u not in clusters]):
        raise ValueError(f"These units have no cluster: {', '.join(missing)}.")
    sides = (panel.rows(treated), panel.rows(controls))
    names = tuple([grouping.get(unit, unit) for unit in side] for side in (treated, controls))
    trend, p, drift = trend_check(*sides, start, TREND_DOUBT)
    estimate = float(changes(sides[0], start).mean() - changes(sides[1], start).mean())
    if p is not None and p < TREND_REFUSAL and abs(drift) >= TREND_MATTERS * abs(estimate):
        return CannotTell(
            "not_identified",
            trend.sentence,
            "Choose controls that moved alike, or use synthetic difference-in-differences, which weighs them.",
        )
    found = _inferred(sides, names, start, level, seed)
    if isinstance(found, CannotTell) or not placebos:
        return found if isinstance(found, CannotTell) else _with(found, trend, (), ())
    runs, missing_runs = carried(
        _in_time(sides, names, start, level, seed), _in_space(sides[1], names, start, level, seed)
    )
    return _with(found, trend, runs, missing_runs)


def _with(
    effect: Effect, trend: Check, runs: tuple[PlaceboCoverage, ...], missing: tuple[Check, ...]
) -> Effect:
    return Effect(
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        level=effect.level,
        method=effect.method,
        evidence="quasi_experiment",
        standard_error=effect.standard_error,
        p_value=effect.p_value,
        checks=(trend, *effect.checks, *missing),
        placebos=runs,
    )


def changes(rows: FloatArray, start: int) -> FloatArray:
    """Return each row's mean from ``start`` on less its mean before; shape (n,)."""
    result: FloatArray = rows[:, start:].mean(axis=1) - rows[:, :start].mean(axis=1)
    return result


def _inferred(
    sides: tuple[FloatArray, FloatArray],
    names: tuple[list[str], ...],
    start: int,
    level: float,
    seed: int,
) -> Effect | CannotTell:
    groups = [len(set(side)) for side in names]
    estimate = float(changes(sides[0], start).mean() - changes(sides[1], start).mean())
    checks: tuple[Check, ...] = ()
    if min(groups) >= FEWEST_GROUPS:
        error, degrees = _clustered(sides, names, start)
        method = f"{_METHOD}, cluster-robust"
    elif len(sides[0]) < FEWEST_GROUPS and groups[1] == len(sides[1]) >= max(FEWEST_FAKES, 2 * len(sides[0])):
        size = len(sides[0])
        mixed = fake_effects("difference_in_differences", sides[1], size, start, _MOST_FAKES, seed)
        error = float(np.std([fake.effect for fake in mixed], ddof=1))
        degrees = len(sides[1]) - 1.0
        method = f"{_METHOD}, error by fake units"
        checks = (
            Check(
                "error_from_controls",
                None,
                f"With {size} treated {'unit' if size == 1 else 'units'} the error is that of the controls, taken to "
                "vary as much.",
            ),
        )
    else:
        return CannotTell(
            "too_few",
            f"There are {groups[0]} treated and {groups[1]} control clusters; errors need {FEWEST_GROUPS} on each "
            f"side, or one or two treated units against {FEWEST_FAKES} controls.",
            "Add units, or take smaller clusters where their errors are independent.",
        )
    if negligible(error, np.vstack(sides)):
        return CannotTell("undefined", "The changes do not vary, so there is no error to speak of.", "")
    low, high = limits(estimate, error, degrees, level)
    return Effect(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=method,
        evidence="quasi_experiment",
        standard_error=error,
        p_value=p_value(estimate, error, degrees),
        checks=checks,
    )


def _clustered(
    sides: tuple[FloatArray, FloatArray], names: tuple[list[str], ...], start: int
) -> tuple[float, float]:
    """Return the cluster-robust error of a difference of means and its degrees of freedom.

    Each side's clusters are summed and corrected by G/(G − 1), which with one unit per cluster is Welch's error. The
    degrees are Welch's by the variances found, or those by the variances to expect if all clusters varied alike,
    whichever are fewer (see :func:`~potager.engines.causal.results.satterthwaite`): of three treated units against
    thirty, Welch's alone held the effect in 92 of 100 cases.
    Where a cluster has units on both sides, the sums go over both and the degrees are those of all clusters.
    """
    summed: list[dict[str, float]] = []
    for rows, labels in zip(sides, names, strict=True):
        values = changes(rows, start)
        parts: dict[str, float] = {}
        for label, part in zip(labels, (values - values.mean()) / len(values), strict=True):
            parts[label] = parts.get(label, 0.0) + float(part)
        summed.append(parts)
    treated, control = summed
    if set(treated) & set(control):
        every = {
            name: treated.get(name, 0.0) - control.get(name, 0.0) for name in sorted({*treated, *control})
        }
        count = len(every)
        squared = math.fsum(part**2 for part in every.values()) * count / (count - 1)
        return math.sqrt(squared), count - 1.0
    by_side = [
        math.fsum(value**2 for value in parts.values()) * len(parts) / (len(parts) - 1) for parts in summed
    ]
    squared = math.fsum(by_side)
    own = [len(parts) - 1.0 for parts in summed]
    alike = [math.fsum(count**2 for count in Counter(labels).values()) / len(labels) ** 2 for labels in names]
    return math.sqrt(squared), min(satterthwaite(by_side, own), satterthwaite(alike, own))


def _in_time(
    sides: tuple[FloatArray, FloatArray],
    names: tuple[list[str], ...],
    start: int,
    level: float,
    seed: int,
) -> PlaceboCoverage | CannotTell:
    """Put fake starts to the periods before the real one, and nothing after it."""
    before = (sides[0][:, :start], sides[1][:, :start])
    found = [_inferred(before, names, fake, level, seed) for fake in fake_starts(2, start - 2, 8)]
    told = [answer for answer in found if isinstance(answer, Effect)]
    return coverage_of(
        "time", [e.estimate for e in told], [not e.excludes_zero for e in told], level, len(found) - len(told)
    )


def _in_space(
    controls: FloatArray, names: tuple[list[str], ...], start: int, level: float, seed: int
) -> PlaceboCoverage | CannotTell:
    """Let clusters of controls play the treated, against the other controls.

    The rows are put in an order that hangs on nothing but their values, so that names do not choose the fakes.
    """
    order = np.lexsort(controls.T)
    rows, labels = controls[order], [names[1][int(index)] for index in order]
    clusters = list(dict.fromkeys(labels))
    number = {name: index for index, name in enumerate(clusters)}
    belongs = np.array([number[label] for label in labels])
    size = min(len(set(names[0])), len(clusters) // 2)
    estimates, held, refused = [], [], 0
    for group in fake_groups(len(clusters), size, _MOST_SPLITS, seed) if size else []:
        chosen = np.isin(belongs, group)
        pair = (rows[chosen], rows[~chosen])
        sides = tuple([labels[int(i)] for i in np.flatnonzero(mask)] for mask in (chosen, ~chosen))
        answer = _inferred(pair, sides, start, level, seed)
        if isinstance(answer, CannotTell):
            refused += 1
            continue
        estimates.append(answer.estimate)
        held.append(not answer.excludes_zero)
    return coverage_of("space", estimates, held, level, refused)
