"""Is a difference between two groups more than their different mix? Direct standardization over a third dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.statistics.distributions import two_sided_z
from potager.engines.statistics.series import BoolArray, FloatArray
from potager.engines.statistics.sums import Estimate, RatioSums, Sums

MixVerdict = Literal["beyond_mix", "mix_only", "reversed", "no_clear_difference"]


@dataclass(frozen=True, slots=True)
class StratumPart:
    """One stratum: each group's figure and weight in it, and what it adds to either part of the difference."""

    name: str
    first: float | None
    second: float | None
    weight_first: float
    weight_second: float
    at_common_mix: float
    from_mix: float


@dataclass(frozen=True, slots=True)
class Standardization:
    """A crude difference (first less second) taken apart: ``crude = at_common_mix + from_mix``, exactly.

    ``shared`` is the share of the common mix that lies in strata which both groups have. Verdicts: ``beyond_mix``
    the groups differ, in the crude direction, also at the same mix; ``mix_only`` the crude difference is clear and
    nothing clear is left at the same mix; ``reversed`` at the same mix the difference is clear and points the other
    way (Simpson's paradox); ``no_clear_difference``.
    """

    crude: Estimate
    at_common_mix: Estimate
    from_mix: Estimate
    shared: float
    strata: tuple[StratumPart, ...]
    verdict: MixVerdict


def standardize(
    first: Mapping[str, Sums], second: Mapping[str, Sums], level: float = 0.95, least_shared: float = 0.5
) -> Standardization | CannotTell:
    """Take apart the difference of two groups into figures at a common mix of strata, and mix.

    Kitagawa (1955): the common mix is the mean of both groups' weights, and the mix part weighs the difference of
    weights by the mean of both figures, so both parts add up to the crude difference. Weights are shares of units
    (of the denominator, for ratios). A stratum that only one group has says nothing of how they differ there, and
    counts as mix. Intervals: delta method over units, with the mix as random as the figures, z quantile; so the
    groups' units must be drawn independently and lie in one stratum each.

    Takes, per group, sums by stratum, all of one kind. Refuses groups without units or a denominator, groups whose
    units are all alike, and groups which share strata for less than ``least_shared`` of the common mix. Raises
    :class:`TypeError` on sums of several kinds.
    """
    z = two_sided_z(level)
    kinds = {type(sums) for sums in (*first.values(), *second.values())}
    if len(kinds) > 1:
        raise TypeError("Strata are summed in one way, not in several.")
    names = list(dict.fromkeys([*first, *second]))
    a, b = _Group.of(first, names), _Group.of(second, names)
    if min(a.n, b.n) < 2 or min(a.total_x, b.total_x) <= 0.0:
        return CannotTell(
            "too_few", "One of the groups holds too little to compare.", "Take a longer period."
        )
    if a.has_loose_numerator or b.has_loose_numerator:
        return CannotTell(
            "undefined",
            "A stratum has a numerator without a denominator, so it has no figure.",
            "Join it with another stratum.",
        )
    both = a.present & b.present
    weight = (a.weights + b.weights) / 2.0
    shared = float(weight[both].sum())
    if shared < least_shared:
        return CannotTell(
            "not_identified",
            f"The groups share strata for only {shared:.0%} of the mix, so figures at the same mix would be guesses.",
            "Compare within what both have, or take coarser strata.",
        )
    # Where one group is absent, its figure is taken to be the other's: no difference there, and all of it is mix.
    rate_a, rate_b = np.where(a.present, a.rates, b.rates), np.where(b.present, b.rates, a.rates)
    gap, mean_rate, shift = rate_a - rate_b, (rate_a + rate_b) / 2.0, a.weights - b.weights
    common_parts, mix_parts = weight * gap, mean_rate * shift
    common, mix = float(common_parts.sum()), float(mix_parts.sum())

    squared = {"crude": 0.0, "common": 0.0, "mix": 0.0}
    for group, rate, sign in ((a, rate_a, 1.0), (b, rate_b, -1.0)):
        # Derivatives by each stratum's numerator (y) and denominator (x); dividing by x is safe where present.
        per_x = np.divide(1.0, group.x, out=np.zeros_like(group.x), where=group.present)
        common_y = np.where(both, sign * weight * per_x, 0.0)
        common_x = -common_y * rate + (gap - float(gap @ group.weights)) / (2.0 * group.total_x)
        lean = np.where(both, shift / 2.0, sign * group.weights)
        mix_y = lean * per_x
        mix_x = -mix_y * rate + sign * (mean_rate - float(mean_rate @ group.weights)) / group.total_x
        squared["common"] += group.variance(common_y, common_x)
        squared["mix"] += group.variance(mix_y, mix_x)
        squared["crude"] += group.variance(common_y + mix_y, common_x + mix_x)
    if squared["crude"] == 0.0:
        return CannotTell(
            "undefined", "All units are alike, so the data do not say how much they vary.", "Take more units."
        )

    def estimate(value: float, variance: float) -> Estimate:
        error = math.sqrt(variance)
        return Estimate(
            value, value - z * error, value + z * error, level, a.n + b.n, "kitagawa_delta", error
        )

    crude_estimate = estimate(common + mix, squared["crude"])
    common_estimate = estimate(common, squared["common"])
    strata = tuple(
        StratumPart(
            name,
            float(a.rates[i]) if a.present[i] else None,
            float(b.rates[i]) if b.present[i] else None,
            float(a.weights[i]),
            float(b.weights[i]),
            float(common_parts[i]),
            float(mix_parts[i]),
        )
        for i, name in enumerate(names)
    )
    return Standardization(
        crude_estimate,
        common_estimate,
        estimate(mix, squared["mix"]),
        shared,
        strata,
        _mix_verdict(crude_estimate, common_estimate),
    )


def _mix_verdict(crude: Estimate, common: Estimate) -> MixVerdict:
    if common.excludes(0.0):
        return "beyond_mix" if common.value * crude.value > 0.0 else "reversed"
    return "mix_only" if crude.excludes(0.0) else "no_clear_difference"


class _Group:
    """One group's sums by stratum as arrays of shape (strata,), zeros where it has none."""

    def __init__(self, n: FloatArray, sums: FloatArray) -> None:
        self.n = int(n.sum())
        self.y, self.x, self.yy, self.xx, self.xy = sums
        self.total_x = float(self.x.sum())
        self.present: BoolArray = self.x > 0.0
        self.has_loose_numerator = bool(np.any(~self.present & (self.y != 0.0)))
        self.weights = self.x / self.total_x if self.total_x > 0.0 else np.zeros_like(self.x)
        self.rates = np.divide(self.y, self.x, out=np.zeros_like(self.y), where=self.present)

    @classmethod
    def of(cls, strata: Mapping[str, Sums], names: list[str]) -> _Group:
        ratios = [
            strata[name].as_ratio() if name in strata else RatioSums(0, 0, 0, 0, 0, 0) for name in names
        ]
        sums = [(r.sum_y, r.sum_x, r.sum_yy, r.sum_xx, r.sum_xy) for r in ratios]
        table = np.array(sums, dtype=np.float64).reshape(len(ratios), 5).T
        return cls(np.array([r.n for r in ratios], dtype=np.float64), table)

    def variance(self, by_y: FloatArray, by_x: FloatArray) -> float:
        """Return the variance of a sum over units of ``by_y·y + by_x·x`` of their stratum (linearization)."""
        squares = float(np.sum(by_y**2 * self.yy + 2.0 * by_y * by_x * self.xy + by_x**2 * self.xx))
        total = float(np.sum(by_y * self.y + by_x * self.x))
        rest = squares - total * total / self.n
        size = float(np.sum(by_y**2 * self.yy + by_x**2 * self.xx))
        # What is left of large terms that cancel is rounding and no variation.
        return 0.0 if rest <= 1e-12 * size else rest * self.n / (self.n - 1)
