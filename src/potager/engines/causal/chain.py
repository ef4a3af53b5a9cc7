"""From an effect to money: hop by hop, with the interval carried along and the weakest hop named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.results import (
    EVIDENCE_ORDER,
    Check,
    Effect,
    EvidenceClass,
    FloatArray,
    check_level,
    two_sided_z,
    weakest,
)

Shape = Literal["normal", "lognormal"]

FEWEST_DRAWS = 1_000
_AGREE = 0.15


@dataclass(frozen=True, slots=True)
class Hop:
    """One link of the chain: the first is an effect in its own unit, each next what a unit of the one before is worth.

    ``estimate`` within ``low`` to ``high`` at ``level``. "normal": each side of the estimate is half of a normal
    distribution that has that limit, so that lopsided ranges stay as they were given. "lognormal": for what cannot be
    below 0; the estimate is the median. Raises :class:`ValueError` on a range that does not hold its estimate.
    """

    name: str
    estimate: float
    low: float
    high: float
    evidence: EvidenceClass
    level: float = 0.95
    shape: Shape = "normal"

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.low <= self.estimate <= self.high:
            raise ValueError(f"The range of “{self.name}” does not hold its estimate.")
        if self.shape == "lognormal" and self.low <= 0.0:
            raise ValueError(f"The range of “{self.name}” reaches 0, which a lognormal cannot.")

    @property
    def error(self) -> float:
        """Return the standard deviation that the width of the range stands for, at the estimate."""
        z = two_sided_z(self.level)
        if self.shape == "lognormal":
            return self.estimate * math.log(self.high / self.low) / (2.0 * z)
        return (self.high - self.low) / (2.0 * z)

    def drawn(self, standard: FloatArray) -> FloatArray:
        """Return draws of the hop from standard normal draws, shape kept."""
        z = two_sided_z(self.level)
        if self.shape == "lognormal":
            result: FloatArray = self.estimate * np.exp(
                standard * np.where(standard < 0, self._log_side(self.low), self._log_side(self.high)) / z
            )
            return result
        sides = np.where(standard < 0, self.estimate - self.low, self.high - self.estimate)
        return self.estimate + standard * sides / z

    def _log_side(self, limit: float) -> float:
        return abs(math.log(limit / self.estimate))


@dataclass(frozen=True, slots=True)
class HopShare:
    """A hop, and the share of the chain's variance that comes from it (first order; the shares add up to 1)."""

    hop: Hop
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEffect(Effect):
    """The value at the end of the chain. ``low`` and ``high`` are quantiles of the draws.

    ``delta_low`` and ``delta_high``: the same interval by the delta method, as a check. ``hops``: each with its share
    of the variance. ``weakest``: the hop with the weakest evidence, among equals the one with the largest share, and
    ``why_weakest`` says so. ``least_certain``: the hop with the largest share. ``probability_positive``: the share of
    draws above 0.
    """

    delta_low: float
    delta_high: float
    hops: tuple[HopShare, ...]
    weakest: str
    why_weakest: str
    least_certain: str
    probability_positive: float


def chain_to_money(
    hops: Sequence[Hop],
    factors: Sequence[float] = (1.0,),
    *,
    level: float = 0.95,
    draws: int = 20_000,
    seed: int,
) -> ChainEffect | CannotTell:
    """Multiply an effect through its hops, and over periods by ``factors``, with the interval carried along.

    ``factors``: per period after the start what a unit then counts for (present-value factors, times what decay
    leaves); their sum multiplies the product of the hops. Hops are taken as independent. The interval is by Monte
    Carlo with ``draws`` from ``seed``, the delta method is the check: where the two disagree by more than 15 % of the
    width, the chain is too crooked for a first-order formula and the check says so.

    Refuses where a hop has no finite range. Raises :class:`ValueError` on an empty chain, factors that are no numbers,
    too few draws and a bad level.
    """
    check_level(level)
    if not hops:
        raise ValueError("A chain has one hop or more.")
    if not factors or not all(math.isfinite(factor) for factor in factors):
        raise ValueError("Factors are finite numbers, one per period.")
    if draws < FEWEST_DRAWS:
        raise ValueError(f"An interval takes {FEWEST_DRAWS:,} draws or more.")
    if open_ended := [hop.name for hop in hops if not math.isfinite(hop.high - hop.low)]:
        return CannotTell(
            "undefined",
            f"“{open_ended[0]}” has no finite range, so nothing can be carried through it.",
            "Give it a two-sided interval.",
        )
    total = math.fsum(factors)
    estimate = total * math.prod(hop.estimate for hop in hops)
    standard = np.random.default_rng(seed).standard_normal((len(hops), draws))
    drawn = total * np.prod([hop.drawn(row) for hop, row in zip(hops, standard, strict=True)], axis=0)
    low, high = (float(value) for value in np.quantile(drawn, [0.5 - level / 2.0, 0.5 + level / 2.0]))
    variances = [(total * _slope(hops, index) * hop.error) ** 2 for index, hop in enumerate(hops)]
    error = math.sqrt(math.fsum(variances))
    reach = two_sided_z(level) * error
    shares = [value / error**2 if error > 0.0 else 1.0 / len(hops) for value in variances]
    parts = tuple(HopShare(hop, share) for hop, share in zip(hops, shares, strict=True))
    least = max(parts, key=lambda part: part.share).hop
    weak = max(parts, key=lambda part: (EVIDENCE_ORDER.index(part.hop.evidence), part.share))
    return ChainEffect(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method=f"chain of {len(hops)} hops, {draws:,} draws",
        evidence=weakest(hop.evidence for hop in hops),
        standard_error=float(drawn.std(ddof=1)),
        checks=(_agreement(low, high, estimate - reach, estimate + reach),),
        delta_low=estimate - reach,
        delta_high=estimate + reach,
        hops=parts,
        weakest=weak.hop.name,
        why_weakest=(
            f"“{weak.hop.name}” rests on {weak.hop.evidence.replace('_', '-')} and brings {weak.share:.0%} of the "
            "uncertainty."
        ),
        least_certain=least.name,
        probability_positive=float(np.mean(drawn > 0.0)),
    )


def _slope(hops: Sequence[Hop], index: int) -> float:
    return math.prod(hop.estimate for place, hop in enumerate(hops) if place != index)


def _agreement(low: float, high: float, delta_low: float, delta_high: float) -> Check:
    width = high - low
    worst = max(abs(low - delta_low), abs(high - delta_high))
    passed = worst <= _AGREE * width
    words = (
        "agree"
        if passed
        else "disagree: the chain is crooked or a hop may be 0, and the draws are to be believed"
    )
    return Check(
        "delta_method",
        passed,
        f"The draws ({low:.4g} to {high:.4g}) and the delta method "
        f"({delta_low:.4g} to {delta_high:.4g}) {words}.",
    )
