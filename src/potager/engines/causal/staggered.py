"""Units that started at different times: group-time effects against clean controls only.

Callaway & Sant'Anna (2021), "Difference-in-Differences with multiple time periods", without covariates. A plain
two-way regression would use units treated earlier as controls for those treated later, and can turn the sign
(Goodman-Bacon 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from potager.engines.answers import CannotTell
from potager.engines.causal.panel import Panel, named, redefined
from potager.engines.causal.placebo import carried, coverage_of
from potager.engines.causal.results import (
    Check,
    Effect,
    FloatArray,
    IntArray,
    PlaceboCoverage,
    check_level,
    limits,
    negligible,
    p_value,
    satterthwaite,
)

Controls = Literal["never_treated", "not_yet_treated"]

FEWEST_UNITS = 3
_DOUBT = 0.05


@dataclass(frozen=True, slots=True)
class GroupTimeEffect:
    """The effect at period ``time`` (an index) on the units that started at ``group``; before the start it should be
    0.

    ``controls`` is the number of clean controls it was computed against.
    """

    group: int
    time: int
    estimate: float
    standard_error: float
    controls: int


@dataclass(frozen=True, slots=True)
class AverageEffect:
    """Group-time effects averaged with the sizes of the groups: at one age (periods since start) or of one group."""

    key: int
    estimate: float
    low: float
    high: float
    standard_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StaggeredEffect(Effect):
    """The mean effect over all treated groups and periods, with its parts.

    ``cells``: every group-time effect. ``by_age``: the event study, averaged per number of periods since the start.
    ``by_group``: per first treated period (an index).
    """

    cells: tuple[GroupTimeEffect, ...]
    by_age: tuple[AverageEffect, ...]
    by_group: tuple[AverageEffect, ...]


@dataclass(frozen=True, slots=True)
class _Cells:
    """Group-time effects with their influence (cells, n), and the first treated period of each unit (n,).

    ``controls``: which were taken. ``usual`` (t, t): the covariance of a unit's outcomes about the mean of its group,
    all groups together.
    """

    cells: list[GroupTimeEffect]
    influence: FloatArray
    first: IntArray
    without_controls: int
    controls: Controls
    usual: FloatArray


def staggered_effect(
    panel: Panel, *, controls: Controls = "not_yet_treated", level: float = 0.95
) -> StaggeredEffect | CannotTell:
    """Return the mean effect of a treatment that units adopt at different periods (``panel.adopted``).

    The effect on group g at t is the mean change from g − 1 to t of the units that started at g, less that of clean
    controls: units ``never_treated`` in the panel, or ``not_yet_treated`` at t (those never treated among them).
    Averages weigh groups by their units; errors come from influence functions with the weights' own error, clustered
    by unit and corrected for small groups, with Student's t on Welch's degrees of freedom or Bell & McCaffrey's,
    whichever are fewer. Effects before the start are the placebos in time.

    Leaves out units treated from the first period on (nothing is known of them before) and groups of under three units
    (nothing is known of their spread), with a check that says so. Refuses where no clean control is left, where no
    group is, on a metric redefined on the way and on unknown outcomes. Raises :class:`ValueError` on a bad level.
    """
    check_level(level)
    kept = _kept(panel)
    if isinstance(kept, CannotTell):
        return kept
    panel, checks = kept
    found = _group_time(panel, controls)
    if isinstance(found, CannotTell):
        return found
    if found.without_controls:
        checks.append(
            Check(
                "clean_controls",
                False,
                f"{found.without_controls} group-period cells have fewer than {FEWEST_UNITS} clean controls and are "
                "left out of every average.",
            )
        )
    else:
        checks.append(Check("clean_controls", True, "Every group-period has clean controls."))
    post = [index for index, cell in enumerate(found.cells) if cell.time >= cell.group]
    estimate, error, degrees = _average(found, post)
    if negligible(error, panel.outcomes):
        return CannotTell("undefined", "The changes do not vary, so there is no error to speak of.", "")
    before = [_average(found, [i]) for i, cell in enumerate(found.cells) if cell.time < cell.group]
    checks.append(_pre_check(before))
    runs, missing = carried(_placebos(before, level))
    low, high = limits(estimate, error, degrees, level)
    ages = sorted({cell.time - cell.group for cell in found.cells if cell.time >= cell.group})
    groups = sorted({cell.group for cell in found.cells if cell.time >= cell.group})
    return StaggeredEffect(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=f"staggered difference-in-differences, {controls.replace('_', ' ')} controls",
        evidence="quasi_experiment",
        standard_error=error,
        p_value=p_value(estimate, error, degrees),
        checks=(*checks, *missing),
        placebos=runs,
        cells=tuple(found.cells),
        by_age=tuple(
            _averaged(found, [i for i in post if _age(found.cells[i]) == age], age, level) for age in ages
        ),
        by_group=tuple(
            _averaged(found, [i for i in post if found.cells[i].group == group], group, level)
            for group in groups
        ),
    )


def _age(cell: GroupTimeEffect) -> int:
    return cell.time - cell.group


def _no_controls(controls: Controls) -> CannotTell:
    mend = (
        "Keep some units back."
        if controls == "not_yet_treated"
        else "Keep some units back, or take those not yet treated as controls."
    )
    return CannotTell(
        "not_identified",
        f"There are not {FEWEST_UNITS} {controls.replace('_', ' ')} units to compare with, so there is no clean "
        "control.",
        mend,
    )


def _kept(panel: Panel) -> tuple[Panel, list[Check]] | CannotTell:
    """Leave out what carries nothing, and say so."""
    broken = redefined(panel.redefined, panel.periods)
    if broken is not None:
        return broken
    length, checks = len(panel.periods), []
    starts = {name: start for name, start in panel.adopted.items() if start < length}
    always = [name for name, start in starts.items() if start == 0]
    counts = {start: list(starts.values()).count(start) for start in starts.values()}
    small = [name for name, start in starts.items() if start > 0 and counts[start] < FEWEST_UNITS]
    if always:
        checks.append(
            Check("seen_before", False, f"Treated from the first period on, and left out: {named(always)}.")
        )
    if small:
        checks.append(
            Check(
                "group_size",
                False,
                f"Started with fewer than {FEWEST_UNITS} units together, and left out: {named(small)}.",
            )
        )
    left = panel.without((*always, *small))
    if not any(0 < start < length for start in left.adopted.values()):
        return CannotTell(
            "not_identified",
            f"No group of {FEWEST_UNITS} units started together after the first period.",
            "Take a coarser period, so that more units start together, or add earlier periods.",
        )
    holes = [name for name, row in zip(left.units, left.outcomes, strict=True) if not np.isfinite(row).all()]
    if holes:
        return CannotTell(
            "incomplete",
            f"Outcomes are unknown for some periods of {named(holes)}; unknown is not zero.",
            "Fill them from the source, or leave these units out.",
        )
    return left, checks


def _group_time(panel: Panel, controls: Controls) -> _Cells | CannotTell:
    length, outcomes = len(panel.periods), panel.outcomes
    first = np.array([min(panel.adopted.get(name, length), length) for name in panel.units], dtype=np.int64)
    cells, influence, without = [], [], 0
    for group in sorted({int(value) for value in first if value < length}):
        members = first == group
        for time in range(1, length):
            base = group - 1 if time >= group else time - 1
            clean = _clean(first, group, time, length, controls)
            if int(clean.sum()) < FEWEST_UNITS:
                without += 1
                continue
            change = outcomes[:, time] - outcomes[:, base]
            parts = _mean_influence(change, members) - _mean_influence(change, clean)
            estimate = float(change[members].mean() - change[clean].mean())
            cells.append(
                GroupTimeEffect(
                    group, time, estimate, math.sqrt(float(parts @ parts)) / len(first), int(clean.sum())
                )
            )
            influence.append(parts)
    if not cells:
        return _no_controls(controls)
    own = np.vstack(
        [outcomes[first == one] - outcomes[first == one].mean(axis=0) for one in np.unique(first)]
    )
    return _Cells(cells, np.array(influence), first, without, controls, own.T @ own / len(own))


def _mean_influence(change: FloatArray, members: NDArray[np.bool_]) -> FloatArray:
    """Return the influence of each unit on a group's mean, times n, with the small-group correction; shape (n,)."""
    count = int(members.sum())
    influence = np.zeros(len(change))
    influence[members] = (change[members] - change[members].mean()) * (
        len(change) / count * math.sqrt(count / (count - 1))
    )
    return influence


def _average(found: _Cells, chosen: list[int]) -> tuple[float, float, float]:
    """Average cells with the sizes of their groups: the estimate, its error with the weights' own, and its degrees."""
    n = len(found.first)
    members = np.array([found.first == found.cells[i].group for i in chosen], dtype=np.float64)
    shares = members.mean(axis=1)
    estimates = np.array([found.cells[i].estimate for i in chosen])
    weights = shares / shares.sum()
    deviations = members - shares[:, None]
    of_weights = deviations / shares.sum() - np.outer(shares, deviations.sum(axis=0)) / shares.sum() ** 2
    influence = weights @ found.influence[chosen] + estimates @ of_weights
    error = math.sqrt(float(influence @ influence)) / n
    return float(weights @ estimates), error, _degrees(found, chosen, weights, influence)


def _degrees(found: _Cells, chosen: list[int], weights: FloatArray, influence: FloatArray) -> float:
    """Return the degrees of freedom of an average: by each group's variance found, or to expect; the fewer.

    An average is a sum over groups (those never treated among them) of a mean of its units, weighed over periods.
    Found is the group's influence squared; to expect is what these weights make of the usual covariance.
    """
    groups, group_of, sizes = np.unique(found.first, return_inverse=True, return_counts=True)
    own = np.maximum(sizes - 1.0, 1.0)
    by_period = np.zeros((len(groups), len(found.usual)))  # weight of a unit of each group, per period
    for index, weight in zip(chosen, weights, strict=True):
        cell = found.cells[index]
        base = cell.group - 1 if cell.time >= cell.group else cell.time - 1
        clean = _clean(groups, cell.group, cell.time, len(found.usual), found.controls)
        side = (groups == cell.group) / sizes[groups == cell.group] - clean / float(sizes[clean].sum())
        by_period[:, cell.time] += weight * side
        by_period[:, base] -= weight * side
    squared = np.bincount(group_of, weights=np.square(influence), minlength=len(groups))
    alike = sizes * np.einsum("gs,st,gt->g", by_period, found.usual, by_period, optimize=True)
    return min(satterthwaite(squared.tolist(), own.tolist()), satterthwaite(alike.tolist(), own.tolist()))


def _clean(first: IntArray, group: int, time: int, length: int, controls: Controls) -> NDArray[np.bool_]:
    """Return which starts make clean controls of a group at a time; a start at ``length`` is never."""
    clean: NDArray[np.bool_] = (
        first == length if controls == "never_treated" else (first > time) & (first != group)
    )
    return clean


def _averaged(found: _Cells, chosen: list[int], key: int, level: float) -> AverageEffect:
    estimate, error, degrees = _average(found, chosen)
    return AverageEffect(key, estimate, *limits(estimate, error, degrees, level), error)


def _pre_check(before: list[tuple[float, float, float]]) -> Check:
    """Look at the clearest effect before the start, with Bonferroni's bound for looking at all of them."""
    tested = [p_value(*one) for one in before if one[1] > 0.0]
    if not tested:
        return Check("pre_trend", None, "There is no period before the start in which an effect would show.")
    least = min(1.0, min(tested) * len(tested))
    calm = "no effect shows" if least >= _DOUBT else "effects show already"
    return Check(
        "pre_trend",
        least >= _DOUBT,
        f"Before the start {calm}: the clearest of {len(tested)} has p = {least:.2g}, for looking at them all.",
    )


def _placebos(before: list[tuple[float, float, float]], level: float) -> PlaceboCoverage | CannotTell:
    """Take the effects before the start as fakes in time."""
    reaches = [limits(estimate, error, degrees, level) for estimate, error, degrees in before]
    return coverage_of(
        "time", [one[0] for one in before], [low <= 0.0 <= high for low, high in reaches], level
    )
