"""What every method answers with: an effect, its interval, how it was identified, the checks it stood or failed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EvidenceClass = Literal["arithmetic", "experiment", "holdout", "quasi_experiment", "elasticity", "belief"]
Sides = Literal["two", "greater", "less"]

# Strongest first. Arithmetic is the exact relation of a metric to its parts: no effect is known by it alone, and a
# chain through it loses nothing.
EVIDENCE_ORDER: tuple[EvidenceClass, ...] = (
    "arithmetic",
    "experiment",
    "holdout",
    "quasi_experiment",
    "elasticity",
    "belief",
)

_STANDARD = NormalDist()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a method stands on. ``passed`` is None where it could not be looked at; unknown is not passed."""

    name: str
    passed: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class PlaceboCoverage:
    """What the method said where nothing happened.

    ``runs`` fake dates (``kind`` "time") or fake units ("space") were put to the same method; ``covered`` of the
    intervals held the truth, which is 0. ``coverage`` is their share, with its Wilson interval from ``low`` to
    ``high``; ``level`` is what the method claims, ``refused`` how many fakes it would not answer, ``typical`` the
    root mean square of the fake effects in the unit of the outcome, ``check`` the verdict as a sentence.
    """

    kind: Literal["time", "space"]
    runs: int
    covered: int
    refused: int
    coverage: float
    low: float
    high: float
    level: float
    typical: float
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An effect in the unit of the outcome: ``estimate``, and ``low`` to ``high`` at confidence ``level``.

    A one-sided interval has an infinite end. ``standard_error`` and ``p_value`` (against no effect) are None where the
    method has none. ``method`` names what was computed, ``evidence`` how the effect was identified, ``checks`` what
    was looked at, ``placebos`` what the same method said of fake dates and units.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: str
    evidence: EvidenceClass
    standard_error: float | None = None
    p_value: float | None = None
    checks: tuple[Check, ...] = ()
    placebos: tuple[PlaceboCoverage, ...] = ()

    @property
    def failed(self) -> tuple[Check, ...]:
        """Return the checks that did not pass, those of the placebos among them."""
        every = (*self.checks, *(run.check for run in self.placebos))
        return tuple(check for check in every if check.passed is False)

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves no room for "no effect"."""
        return self.low > 0.0 or self.high < 0.0


def weakest(classes: Iterable[EvidenceClass]) -> EvidenceClass:
    """Return the weakest of some evidence classes; raises :class:`ValueError` where there are none."""
    return max(classes, key=EVIDENCE_ORDER.index)


def check_level(level: float) -> None:
    """Raise :class:`ValueError` unless ``level`` is a confidence level: a share between 0 and 1, both excluded."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"A confidence level lies between 0 and 1 (such as 0.95), not at {level!r}.")


def normal_quantile(share: float) -> float:
    """Return the z below which ``share`` of a standard normal distribution lies; 0 < share < 1."""
    return _STANDARD.inv_cdf(share)


def normal_below(z: float) -> float:
    """Return the share of a standard normal distribution below ``z`` (accurate in the lower tail)."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_density(z: float) -> float:
    """Return the height of the standard normal density at ``z``."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def two_sided_z(level: float) -> float:
    """Return the z of a two-sided interval, such as 1.959964 for 0.95; raises :class:`ValueError` on a bad level."""
    check_level(level)
    return normal_quantile(0.5 + level / 2.0)


def student_quantile(share: float, degrees: float) -> float:
    """Return the t below which ``share`` of Student's distribution with ``degrees`` (> 0, may be inf) lies."""
    from scipy.special import stdtrit

    return normal_quantile(share) if math.isinf(degrees) else float(stdtrit(degrees, share))


def student_below(t: float, degrees: float) -> float:
    """Return the share of Student's distribution with ``degrees`` (> 0, may be inf) below ``t``."""
    from scipy.special import stdtr

    return normal_below(t) if math.isinf(degrees) else float(stdtr(degrees, t))


def satterthwaite(parts: Sequence[float], degrees: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own (Satterthwaite 1946); inf where all are 0.

    With the variances found it is Welch's (1947). With those to expect if all units varied alike it is Bell &
    McCaffrey's (2002), which Imbens & Kolesár (2016) advise where one side is small: found variances of three units
    come out small by chance, and then lend themselves the other side's degrees.
    """
    spread = math.fsum(part**2 / own for part, own in zip(parts, degrees, strict=True))
    return math.fsum(parts) ** 2 / spread if spread > 0.0 else math.inf


def limits(
    estimate: float, error: float, degrees: float, level: float, sides: Sides = "two"
) -> tuple[float, float]:
    """Return the interval of an estimate with Student's t; ``degrees`` may be infinite, a one-sided end too."""
    check_level(level)
    if sides == "two":
        reach = student_quantile(0.5 + level / 2.0, degrees) * error
        return estimate - reach, estimate + reach
    reach = student_quantile(level, degrees) * error
    return (estimate - reach, math.inf) if sides == "greater" else (-math.inf, estimate + reach)


def negligible(error: float, values: FloatArray) -> bool:
    """Whether an error is no more than the rounding of values of this size, so that nothing varied."""
    return error <= 1e-12 * max(float(np.abs(values).max()), 1e-300)


def p_value(estimate: float, error: float, degrees: float, sides: Sides = "two") -> float:
    """Return the p-value against no effect; ``sides`` names the alternative. Without any error: 0, or 1 at 0."""
    if error == 0.0:
        against = estimate if sides != "less" else -estimate
        return 0.0 if (against > 0.0 or (sides == "two" and estimate != 0.0)) else 1.0
    t = estimate / error
    if sides == "two":
        return 2.0 * student_below(-abs(t), degrees)
    return student_below(-t if sides == "greater" else t, degrees)


def wilson(successes: int, n: int, level: float) -> tuple[float, float]:
    """Return Wilson's (1927) interval of a share; n ≥ 1."""
    z = two_sided_z(level)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (0.0 if successes == 0 else middle - reach), (1.0 if successes == n else middle + reach)
