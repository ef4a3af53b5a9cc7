"""Synthetic control and synthetic difference-in-differences: a mix of controls that moved as the treated did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.fakes import comparable, fake_error, fit_before, followed, interval_by_fakes
from potager.engines.causal.mixing import Mixed, Mixing, fake_effects, mixed_effect
from potager.engines.causal.panel import Panel, unfit
from potager.engines.causal.placebo import carried, coverage_of, fake_starts
from potager.engines.causal.results import (
    Check,
    Effect,
    FloatArray,
    PlaceboCoverage,
    check_level,
    negligible,
)

FEWEST_BEFORE = 5
FEWEST_CONTROLS = 5
_MOST_FAKES = 200
_FAKES_OF_MANY = 60  # a mix of very many controls takes long; this many fakes still carry an interval
_MANY = 300
_FAKE_DATES = 6
# A mix that follows the treated worse than most controls are followed is a warning; one that is far worse than all of
# them compares things that are not alike, and is refused (``fakes.followed``). In root mean squared errors before the
# start, against the controls' median.
_FIT_DOUBT = 2.0
_MOST_WEIGHT = 0.7


@dataclass(frozen=True, slots=True)
class SyntheticWeight:
    """A control and its share of the mix."""

    unit: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticEffect(Effect):
    """The mean effect per treated unit and period from the start on.

    ``weights``: the controls of the mix above 0.1 %, largest first. ``time_weights`` (start,): what each period before
    counts for in the comparison (all 0 for a synthetic control). ``gap`` (t,): treated less mix, per period; before
    the start it should be flat (synthetic differences) or near 0 (synthetic control). ``fit``: its root mean square
    before the start (about its own mean where the method allows one), in the unit of the outcome. ``ratio_p``: the
    share of all units whose gap grew as much (Abadie et al. 2010), None where the controls cannot say.
    """

    weights: tuple[SyntheticWeight, ...]
    time_weights: FloatArray
    gap: FloatArray
    fit: float
    ratio_p: float | None


def synthetic_control(
    panel: Panel,
    treated: Sequence[str],
    controls: Sequence[str],
    start: int,
    *,
    level: float = 0.95,
    placebos: bool = True,
    seed: int = 0,
) -> SyntheticEffect | CannotTell:
    """Return the mean gap between the treated and a convex mix of controls that equaled them before ``start``.

    Abadie, Diamond & Hainmueller (2010), fitted on the outcome alone. The p-value and the interval come from fakes in
    space: each control plays the treated; the interval holds every effect that, taken off, would leave a gap no larger
    than the fakes show (Firpo & Possebom 2018). Controls that no mix follows are no fakes, as there: the treated would
    have been refused in their place, and with them the interval holds too much. Ranks hold the level or more, and the
    checks say how much. With fewer fakes than they take (19 for 95 %), Student's t on the fakes' spread is used.

    Refuses as :func:`~potager.engines.causal.panel.unfit` says, with under five periods before the start or five
    controls, and where no mix follows the treated before the start. Raises :class:`ValueError` on unknown units and
    on a bad level. ``seed`` draws groups of fakes where several units were treated.
    """
    return _synthetic("synthetic_control", panel, treated, controls, start, level, placebos, seed)


def synthetic_did(
    panel: Panel,
    treated: Sequence[str],
    controls: Sequence[str],
    start: int,
    *,
    level: float = 0.95,
    placebos: bool = True,
    seed: int = 0,
) -> SyntheticEffect | CannotTell:
    """Return the synthetic difference-in-differences effect (Arkhangelsky et al. 2021), with the placebo variance.

    Weighs controls so that they move as the treated did, and periods before so that they look like those after; needs
    parallel movement only, not equal levels. The error is the standard deviation of fakes in space (algorithm 4
    there), with Student's t in place of the normal quantile: on the controls less the periods with a time weight.
    All fakes share these weights, which were fitted to the controls, so that their spread is known no better than
    the residual of that fit (an active weight is a degree of freedom: Meyer & Woodroofe 2000, Zou, Hastie &
    Tibshirani 2007). Refuses and raises as :func:`synthetic_control` does.
    """
    return _synthetic("synthetic_did", panel, treated, controls, start, level, placebos, seed)


def _synthetic(
    mixing: Mixing,
    panel: Panel,
    treated: Sequence[str],
    controls: Sequence[str],
    start: int,
    level: float,
    placebos: bool,
    seed: int,
) -> SyntheticEffect | CannotTell:
    check_level(level)
    refusal = unfit(panel, treated, controls, start, fewest_before=FEWEST_BEFORE)
    if refusal is not None:
        return refusal
    if len(controls) < max(FEWEST_CONTROLS, 2 * len(treated)):
        return CannotTell(
            "too_few",
            f"There are {len(controls)} controls for {len(treated)} treated units; fakes need {FEWEST_CONTROLS} and "
            "twice as many as were treated.",
            "Add units that were not treated.",
        )
    rows, others = panel.rows(treated), panel.rows(controls)
    made = mixed_effect(mixing, rows, others, start)
    fakes = fake_effects(mixing, others, len(rows), start, _most(others), seed)
    fit = fit_before(made, mixing, start)
    usual = float(np.median([fit_before(fake, mixing, start) for fake in fakes]))
    size = float(np.abs(rows).mean())
    fitted = _fit_check(fit, usual, size)
    if not followed(fit, usual, size):
        return CannotTell(
            "not_identified",
            fitted.sentence,
            "Add controls like the treated, or compare the outcome per head or as an index.",
        )
    stand_ins = comparable(mixing, fakes, start, size, level)
    error = fake_error(stand_ins)
    if negligible(error, others):
        return CannotTell("undefined", "The controls do not vary, so there is no error to speak of.", "")
    found = interval_by_fakes(mixing, made, stand_ins, len(others), level)
    runs, missing = carried(
        *(
            (
                _in_time(mixing, rows, others, start, level, seed),
                _in_space(mixing, stand_ins, len(fakes), level),
            )
            if placebos
            else ()
        )
    )
    order = [int(index) for index in np.argsort(-made.unit_weights, kind="stable")]
    return SyntheticEffect(
        estimate=made.effect,
        low=found.low,
        high=found.high,
        level=level,
        method=f"{mixing.replace('_', ' ').replace('did', 'difference-in-differences')}, {found.how}",
        evidence="quasi_experiment",
        standard_error=error,
        p_value=found.p_value,
        checks=(fitted, _spread_check(made.unit_weights, controls), found.check, *missing),
        placebos=runs,
        weights=tuple(
            SyntheticWeight(controls[index], float(made.unit_weights[index]))
            for index in order
            if made.unit_weights[index] > 1e-3
        ),
        time_weights=made.time_weights,
        gap=made.gap,
        fit=fit,
        ratio_p=_ratio_p(made, fakes, start) if len(rows) == 1 else None,
    )


def _fit_check(fit: float, usual: float, size: float) -> Check:
    passed = followed(fit, usual, size, _FIT_DOUBT)
    words = "follows" if passed else "does not follow"
    return Check(
        "pre_fit",
        passed,
        f"Before the start the mix of controls {words} the treated: it is off by {fit:.4g} where the controls' own "
        f"mixes are off by {usual:.4g}.",
    )


def _spread_check(weights: FloatArray, controls: Sequence[str]) -> Check:
    """A mix of one control is a comparison of two."""
    top = int(np.argmax(weights))
    share = float(weights[top])
    if share <= _MOST_WEIGHT:
        return Check("weights_spread", True, f"No control makes up more than {share:.0%} of the mix.")
    return Check(
        "weights_spread",
        False,
        f"{controls[top]} makes up {share:.0%} of the mix: whatever happened to it is in the effect.",
    )


def _most(controls: FloatArray) -> int:
    return _MOST_FAKES if len(controls) <= _MANY else _FAKES_OF_MANY


def _ratio_p(made: Mixed, fakes: Sequence[Mixed], start: int) -> float | None:
    """Rank the growth of the gap after the start among all units (Abadie, Diamond & Hainmueller 2010)."""

    def growth(one: Mixed) -> float:
        before = float(np.mean(np.square(one.gap[:start])))
        return float(np.mean(np.square(one.gap[start:]))) / before if before > 0.0 else math.inf

    own = growth(made)
    if math.isinf(own):
        return None
    return (1.0 + sum(growth(fake) >= own for fake in fakes)) / (len(fakes) + 1)


def _in_time(
    mixing: Mixing, rows: FloatArray, others: FloatArray, start: int, level: float, seed: int
) -> PlaceboCoverage | CannotTell:
    """Put fake starts to the periods before the real one, and nothing after it."""
    estimates, held = [], []
    for fake in fake_starts(FEWEST_BEFORE, start - 1, _FAKE_DATES):
        made = mixed_effect(mixing, rows[:, :start], others[:, :start], fake)
        fakes = fake_effects(mixing, others[:, :start], len(rows), fake, _most(others) // 4, seed)
        found = interval_by_fakes(
            mixing,
            made,
            comparable(mixing, fakes, fake, float(np.abs(rows).mean()), level),
            len(others),
            level,
        )
        estimates.append(made.effect)
        held.append(found.low <= 0.0 <= found.high)
    return coverage_of("time", estimates, held, level)


def _in_space(mixing: Mixing, fakes: Sequence[Mixed], run: int, level: float) -> PlaceboCoverage | CannotTell:
    """Ask of every comparable fake of those run whether the interval that the others give it holds 0."""
    held = []
    for index, fake in enumerate(fakes):
        rest = [other for place, other in enumerate(fakes) if place != index]
        found = interval_by_fakes(mixing, fake, rest, len(rest), level)
        held.append(found.low <= 0.0 <= found.high)
    return coverage_of("space", [fake.effect for fake in fakes], held, level, run - len(fakes))
