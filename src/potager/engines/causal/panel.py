"""Units over periods, and what makes a comparison of them unfit before any sum is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import Check, FloatArray, negligible, student_below

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Panel:
    """An outcome of ``units`` (n) over consecutive ``periods`` (t): ``outcomes`` has the shape (n, t), NaN is unknown.

    ``adopted``: for each unit that got the treatment, or one like it, the index of the first treated period (a unit
    that is not named never got it). ``redefined``: indexes of the periods from which the outcome is measured in
    another way. Raises :class:`ValueError` on shapes that do not fit, units named twice or not among the units, and
    indexes outside the periods (an adoption may come after the last).
    """

    units: tuple[str, ...]
    periods: tuple[str, ...]
    outcomes: FloatArray
    adopted: Mapping[str, int]
    redefined: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.outcomes.shape != (len(self.units), len(self.periods)):
            raise ValueError(
                f"Outcomes of shape {self.outcomes.shape} do not fit {len(self.units)} units and "
                f"{len(self.periods)} periods."
            )
        if len(set(self.units)) != len(self.units):
            raise ValueError("Each unit is named once.")
        known = set(self.units)
        if strangers := [name for name in self.adopted if name not in known]:
            raise ValueError(f"These units are not in the panel: {named(strangers)}.")
        if any(start < 0 for start in self.adopted.values()):
            raise ValueError("The first treated period is an index from 0 on.")
        if any(not 0 < index < len(self.periods) for index in self.redefined):
            raise ValueError("A redefinition starts at a period of the panel, after its first.")

    def rows(self, units: Sequence[str]) -> FloatArray:
        """Return the outcomes of some units, in the order asked for; shape (len(units), t)."""
        place = {name: row for row, name in enumerate(self.units)}
        return self.outcomes[[place[name] for name in units]]

    def never_treated(self) -> tuple[str, ...]:
        """Return the units that were not treated in any period of the panel."""
        return tuple(
            name for name in self.units if self.adopted.get(name, len(self.periods)) >= len(self.periods)
        )

    def without(self, units: Sequence[str]) -> Panel:
        """Return the panel without some units."""
        gone = set(units)
        kept = [name for name in self.units if name not in gone]
        left = {name: start for name, start in self.adopted.items() if name not in gone}
        return Panel(tuple(kept), self.periods, self.rows(kept), left, self.redefined)

    def until(self, end: int) -> Panel:
        """Return the panel up to the period with index ``end``, excluded."""
        redefined = tuple(index for index in self.redefined if index < end)
        return Panel(self.units, self.periods[:end], self.outcomes[:, :end], self.adopted, redefined)


def panel_of(
    outcomes: Mapping[str, Sequence[float]],
    periods: Sequence[str],
    adopted: Mapping[str, int] | None = None,
    redefined: Sequence[int] = (),
) -> Panel:
    """Make a panel of one row of numbers per unit; raises :class:`ValueError` where a row does not fit the periods."""
    if misfits := [name for name, row in outcomes.items() if len(row) != len(periods)]:
        raise ValueError(f"These units do not have one number per period: {named(misfits)}.")
    values = np.array(list(outcomes.values()), dtype=np.float64).reshape(len(outcomes), len(periods))
    return Panel(tuple(outcomes), tuple(periods), values, dict(adopted or {}), tuple(redefined))


def named(names: Sequence[str]) -> str:
    """Return some names for a sentence, the first few of them where there are many."""
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def unfit(
    panel: Panel, treated: Sequence[str], controls: Sequence[str], start: int, *, fewest_before: int
) -> CannotTell | None:
    """Return why this comparison carries no number, or None where nothing is in its way.

    In this order: no treated unit or no control, a unit on both sides, a control that was treated too, treated units
    that started at another period, a start without ``fewest_before`` periods before it or none from it on, an outcome
    redefined on the way, unknown outcomes. Raises :class:`ValueError` on units that are not in the panel.
    """
    known = set(panel.units)
    if strangers := [name for name in (*treated, *controls) if name not in known]:
        raise ValueError(f"These units are not in the panel: {named(strangers)}.")
    return (
        _unfit_units(panel, treated, controls, start)
        or too_short(start, len(panel.periods), fewest_before)
        or redefined(panel.redefined, panel.periods)
        or _unknown(panel, (*treated, *controls))
    )


def _unfit_units(
    panel: Panel, treated: Sequence[str], controls: Sequence[str], start: int
) -> CannotTell | None:
    if not treated or not controls:
        side = "treated" if not treated else "control"
        return CannotTell(
            "not_identified",
            f"There is no {side} unit, so nothing says what would have happened otherwise.",
            "Keep some units back, or start them later.",
        )
    if both := sorted(set(treated) & set(controls)):
        return CannotTell(
            "not_identified",
            f"These units are named as treated and as controls: {named(both)}.",
            "A unit belongs to one side.",
        )
    if spoiled := [
        name for name in controls if panel.adopted.get(name, len(panel.periods)) < len(panel.periods)
    ]:
        return CannotTell(
            "not_identified",
            f"These controls were treated too: {named(spoiled)}. What they show is not what would have happened "
            "without the treatment.",
            "Leave them out, end the comparison before they started, or use the method for staggered adoption.",
        )
    if other := [name for name in treated if panel.adopted.get(name, start) != start]:
        return CannotTell(
            "not_identified",
            f"These treated units started at another period: {named(other)}.",
            "Use the method for staggered adoption, which takes each unit's own start.",
        )
    return None


def too_short(start: int, length: int, fewest_before: int) -> CannotTell | None:
    """Return why a start leaves too little before it or nothing after it, or None."""
    if start < fewest_before:
        return CannotTell(
            "too_few",
            f"There are {max(start, 0)} periods before the start, and the method needs {fewest_before} to learn what "
            "is usual.",
            "Add earlier periods, or use a finer grain.",
        )
    if start >= length:
        return CannotTell(
            "incomplete", "There is no period after the start yet.", "Ask again when there are some."
        )
    return None


def redefined(breaks: Sequence[int], periods: Sequence[str]) -> CannotTell | None:
    """Return why a series measured in two ways carries no effect, or None where it was measured in one."""
    if not breaks:
        return None
    return CannotTell(
        "definition_changed",
        f"The metric was redefined at {periods[breaks[0]]}, so a change since then may be the new definition.",
        "Restate the earlier periods by the new definition, or end the comparison before it.",
    )


def _unknown(panel: Panel, units: Sequence[str]) -> CannotTell | None:
    rows = panel.rows(units)
    holes = [name for name, row in zip(units, rows, strict=True) if not np.isfinite(row).all()]
    if not holes:
        return None
    return CannotTell(
        "incomplete",
        f"Outcomes are unknown for some periods of {named(holes)}; unknown is not zero.",
        "Fill them from the source, or leave these units out.",
    )


def balanced_slopes(rows: FloatArray, start: int) -> FloatArray:
    """Return each row's straight-line slope per period before ``start``; shape (n,); start ≥ 2."""
    time = np.arange(start, dtype=np.float64)
    time -= time.mean()
    slopes: FloatArray = rows[:, :start] @ time / float(time @ time)
    return slopes


def welch(first: FloatArray, second: FloatArray) -> tuple[float, float, float]:
    """Return difference of means, its error and its degrees of freedom (Welch 1947); two values or more each."""
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (first, second)]
    squared = sum(parts)
    spread = sum(part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True))
    degrees = squared**2 / spread if spread > 0.0 else float(len(first) + len(second) - 2)
    return float(first.mean() - second.mean()), float(np.sqrt(squared)), degrees


def trend_check(
    treated: FloatArray, controls: FloatArray, start: int, threshold: float
) -> tuple[Check, float | None, float]:
    """Compare the slopes of both sides before the start: a check, its p-value (None: cannot be had), and the drift.

    ``treated`` (a, t) and ``controls`` (b, t). Parallel trends cannot be proved; a clear difference before the start
    is the evidence against them that can be had. The drift is what the difference would amount to by the time of the
    effect if it went on; the sentence says it, since a test that passes may only be weak (Roth 2022).
    """
    length = treated.shape[1]
    if start < 3 or min(len(treated), len(controls)) < 2:
        few = "Too few periods or units to see whether both sides moved alike before the start."
        return Check("pre_trend", None, few), None, 0.0
    difference, error, degrees = welch(balanced_slopes(treated, start), balanced_slopes(controls, start))
    if negligible(error, treated):
        p = 1.0 if abs(difference) < 1e-12 * max(1.0, float(np.abs(treated).max())) else 0.0
    else:
        p = 2.0 * student_below(-abs(difference / error), degrees)
    drift = difference * length / 2.0  # from the middle of the periods before to the middle of those after
    words = "moved alike" if p >= threshold else "already moved apart"
    sentence = (
        f"Before the start both sides {words}: their slopes differ by {difference:.4g} per period (p = {p:.2g}), "
        f"which would amount to {drift:.4g} by the time of the effect."
    )
    return Check("pre_trend", p >= threshold, sentence), p, drift
