"""The interval of a synthetic method by fakes in space: what the method says of controls that stand for the treated.

Synthetic control ranks the effect among the fakes (Abadie, Diamond & Hainmueller 2010; inverted to an interval by
Firpo & Possebom 2018), which holds its level or more where treated and controls could have changed places. Synthetic
differences take the fakes' standard deviation (Arkhangelsky et al. 2021, algorithm 4) with Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from potager.engines.causal.mixing import Mixed, Mixing
from potager.engines.causal.results import Check, FloatArray, limits, p_value

# A mix that is further off before the start than this many times what controls' mixes usually are is no comparison.
_FIT_REFUSAL = 5.0
_ROUNDING = 1e-9  # of the outcome's size: a mix that is off by less equals what it follows
# Least degrees of the error of synthetic differences: a share of the controls' own, and a number. Below it the time
# weights fit the controls without a rest, and a residual's degrees say nothing. On simulated panels of that kind, of 5
# to 30 controls, the interval then holds the effect in 94 to 98 of 100 cases; the controls' own degrees gave 92 to 97.
_LEAST_SHARE = 1 / 3
_LEAST = 3.0


@dataclass(frozen=True, slots=True)
class Interval:
    """``low`` to ``high``, the p-value against no effect, how they were had, and a check that says what they hold."""

    low: float
    high: float
    p_value: float
    how: str
    check: Check


def fit_before(made: Mixed, mixing: Mixing, start: int) -> float:
    """Return the root mean squared gap before the start; synthetic differences may differ by a constant."""
    gap = made.gap[:start]
    center = 0.0 if mixing == "synthetic_control" else float(gap.mean())
    return math.sqrt(float(np.mean(np.square(gap - center))))


def followed(fit: float, usual: float, size: float, times: float = _FIT_REFUSAL) -> bool:
    """Whether a mix is off before the start by no more than ``times`` what is usual, or by rounding at ``size``."""
    return fit <= times * usual or fit <= _ROUNDING * size


def comparable(mixing: Mixing, fakes: Sequence[Mixed], start: int, size: float, level: float) -> list[Mixed]:
    """Return the fakes that the interval may stand on.

    A synthetic control of a treated unit that no mix follows is refused, so a control that no mix follows could not
    have stood in its place: kept, its large gap would make every interval too wide (Abadie, Diamond & Hainmueller
    2010, section 3.4, discard such placebos too). Where too few would be left to rank among, all are kept, and
    synthetic differences keep all too, as published. ``size``: of the outcome's values, for what is rounding.
    """
    if mixing != "synthetic_control":
        return list(fakes)
    fits = [fit_before(fake, mixing, start) for fake in fakes]
    usual = float(np.median(fits))
    kept = [fake for fake, fit in zip(fakes, fits, strict=True) if followed(fit, usual, size)]
    return kept if _rank(len(kept), level) >= 1 else list(fakes)


def fake_error(fakes: Sequence[Mixed]) -> float:
    """Return the standard deviation of the fakes' effects; two fakes or more."""
    return float(np.std([fake.effect for fake in fakes], ddof=1))


def degrees_left(made: Mixed, fakes: int, controls: int) -> float:
    """Return the degrees of freedom of the fakes' standard deviation; ``controls`` ≥ 4.

    Without time weights the fakes are as good as independent: one less than there are, or than there are controls.
    Time weights are fitted to the controls and shared by all fakes, which leaves these no more degrees than the
    residual of that fit has: controls less active weights (with the constant, and the sum that is 1), since in a fit
    on a cone or a simplex each active weight takes one (Meyer & Woodroofe 2000; Zou, Hastie & Tibshirani 2007).
    """
    own = min(fakes, controls) - 1.0
    active = int(np.count_nonzero(made.time_weights))
    if active == 0:
        return own
    return min(own, max(float(controls - active), _LEAST_SHARE * own, _LEAST))


def interval_by_fakes(
    mixing: Mixing, made: Mixed, fakes: Sequence[Mixed], controls: int, level: float
) -> Interval:
    """Return the interval of an effect by its comparable ``fakes``: by rank where that can be had, else by t."""
    rank, sizes = _rank(len(fakes), level), np.abs([fake.effect for fake in fakes])
    if mixing == "synthetic_control" and rank >= 1:
        return _by_rank(made.effect, sizes, rank, level, alone=len(fakes) <= controls)
    error, degrees = fake_error(fakes), degrees_left(made, len(fakes), controls)
    low, high = limits(made.effect, error, degrees, level)
    p = p_value(made.effect, error, degrees)
    if mixing == "synthetic_control":
        # Ranks would already hold this much at a lower level, and a higher one cannot hold less.
        largest = float(sizes.max())
        low, high = min(low, made.effect - largest), max(high, made.effect + largest)
        p = max(p, _rank_p(made.effect, sizes)) if abs(made.effect) <= largest else p
    return Interval(
        low,
        high,
        p,
        "error by fake units",
        _t_check(mixing, made, len(fakes), controls, degrees, level),
    )


def _rank(fakes: int, level: float) -> int:
    return math.floor(round((1.0 - level) * (fakes + 1), 9))


def _by_rank(effect: float, sizes: FloatArray, rank: int, level: float, alone: bool) -> Interval:
    """With J fakes the effect less a supposed one has p = (1 + how many are as large)/(J + 1).

    The interval holds what has p > 1 − level, so its reach is the size at rank ⌊(1 − level)(J + 1)⌋, largest first,
    and it holds the effect with probability 1 − rank/(J + 1), which is the level or more. That is exact where the
    treated stands in the fakes' mixes too; here it does not, since its effect would stand there with it. Of several
    treated units (not ``alone``) the fakes are groups that share controls: about the level is held then, not at least.
    """
    reach = float(np.sort(sizes)[::-1][rank - 1])
    told = (
        f"where any of them could have been treated instead, it holds the effect in at least {level:.0%} of cases "
        f"({1.0 - rank / (len(sizes) + 1):.1%} by their number)."
        if alone
        else f"they are groups that share controls, so it holds the effect in about {level:.0%} of cases."
    )
    check = Check(
        "interval_by_rank", True, f"The interval is by rank among {len(sizes)} fake treatments: {told}"
    )
    return Interval(effect - reach, effect + reach, _rank_p(effect, sizes), "rank among fake units", check)


def _rank_p(effect: float, sizes: FloatArray) -> float:
    return (1.0 + float(np.sum(sizes >= abs(effect) * (1 - 1e-12)))) / (len(sizes) + 1)


def _t_check(mixing: Mixing, made: Mixed, fakes: int, controls: int, degrees: float, level: float) -> Check:
    active = int(np.count_nonzero(made.time_weights))
    if mixing == "synthetic_control":
        few = math.ceil(round(1.0 / (1.0 - level), 9)) - 1
        return Check(
            "interval_by_t",
            None,
            f"{fakes} fake units are too few to rank among (that takes {few}): the interval takes their effects as "
            "normally spread, which cannot be looked at, and is no narrower than the largest of them.",
        )
    if degrees <= controls - active or active == 0:
        return Check(
            "interval_by_t",
            True,
            f"The error is known to {degrees:.0f} degrees of freedom ({controls} controls, {active} periods with a "
            "weight), and the interval is as much wider.",
        )
    return Check(
        "interval_by_t",
        None,
        f"{active} periods before the start have a weight, and {controls} controls leave too little to know the error "
        f"by: the interval takes {degrees:.1f} degrees of freedom and is likely wider than {level:.0%} takes.",
    )
