"""Sufficient statistics: the sums a database computes, from which every figure and its range follow.

The engine costs the same at a thousand rows and at a billion. Sums of disjoint sets of units merge with ``+``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from potager.engines.answers import CannotTell
from potager.engines.statistics.distributions import two_sided_t, two_sided_z

# Sums of squares lose digits to rounding; below this share of the sum, a remainder is rounding and not variation.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its range: ``low`` to ``high`` at confidence ``level``, from ``n`` units by ``method``.

    All in the unit of the figure. ``standard_error`` is the plain (Wald) one, also where the range is made otherwise.
    """

    value: float
    low: float
    high: float
    level: float
    n: int
    method: str
    standard_error: float

    def excludes(self, value: float) -> bool:
        """Return whether ``value`` lies outside the range."""
        return value < self.low or value > self.high


def _check(n: int, figures: Iterable[float]) -> None:
    """Raise :class:`ValueError` on a negative count or a figure that is no number."""
    if n < 0 or int(n) != n:
        raise ValueError(f"A number of units is a whole number from 0, not {n!r}.")
    if not all(math.isfinite(figure) for figure in figures):
        raise ValueError("A sum is not a finite number; leave missing values out of the sums.")


def centered(sum_ab: float, sum_a: float, sum_b: float, n: int) -> float:
    """Return the sum of products about the means, Σ(a−ā)(b−b̄), from raw sums over ``n`` ≥ 1 units."""
    return sum_ab - sum_a * sum_b / n


def _squares(sum_sq: float, total: float, n: int, what: str) -> float:
    """Return Σ(a−ā)², with rounding taken for 0; raises :class:`ValueError` when the sums contradict each other."""
    if n == 0:
        return 0.0
    rest = centered(sum_sq, total, total, n)
    if abs(rest) <= _ROUNDING * sum_sq:
        return 0.0
    if rest < 0.0:
        raise ValueError(
            f"The sum of squares of {what} is smaller than its sum allows: they are of different rows."
        )
    return rest


@dataclass(frozen=True, slots=True)
class MeanSums:
    """Sums of one number per unit: count, sum and sum of squares. Raises :class:`ValueError` on impossible sums.

    Where values are large against their spread, let the database sum ``x - c`` for a constant near the mean, or take
    its variance and :meth:`from_moments`: squares of large numbers lose the digits that the spread is in.
    """

    n: int
    sum: float
    sum_sq: float

    def __post_init__(self) -> None:
        _check(self.n, (self.sum, self.sum_sq))
        _squares(self.sum_sq, self.sum, self.n, "the values")

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the sums of plain numbers (for small sets and tests; a database sums large ones)."""
        figures = [float(value) for value in values]
        return cls(len(figures), math.fsum(figures), math.fsum(figure * figure for figure in figures))

    @classmethod
    def from_moments(cls, n: int, mean: float, variance: float) -> Self:
        """Return the sums of ``n`` units with this mean and sample variance (divisor n − 1)."""
        return cls(n, n * mean, n * mean * mean + max(n - 1, 0) * variance)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.n + other.n, self.sum + other.sum, self.sum_sq + other.sum_sq)

    @property
    def value(self) -> float:
        """The mean; not a number without a unit."""
        return self.sum / self.n if self.n else math.nan

    @property
    def squared_error(self) -> float:
        """The squared standard error of the mean, s²/n; not a number below two units."""
        if self.n < 2:
            return math.nan
        return _squares(self.sum_sq, self.sum, self.n, "the values") / (self.n - 1) / self.n

    def as_ratio(self) -> RatioSums:
        """Return the mean as a ratio whose denominator counts 1 per unit."""
        return RatioSums(self.n, self.sum, self.n, self.sum_sq, self.n, self.sum)

    def estimate(self, level: float = 0.95) -> Estimate | CannotTell:
        """Return the mean with Student's t interval (Student 1908).

        Refuses below two units, and when all values are equal: such data do not say how much values vary.
        """
        return _student(self.value, self.squared_error, self.n, level, "student_t")


@dataclass(frozen=True, slots=True)
class ShareSums:
    """How many of ``n`` units have a property. Raises :class:`ValueError` unless 0 ≤ successes ≤ n."""

    successes: float
    n: int

    def __post_init__(self) -> None:
        _check(self.n, (self.successes,))
        if not 0 <= self.successes <= self.n:
            raise ValueError(f"{self.successes!r} of {self.n!r} is no share.")

    def __add__(self, other: Self) -> Self:
        return type(self)(self.successes + other.successes, self.n + other.n)

    @property
    def value(self) -> float:
        """The share, 0 to 1; not a number without a unit."""
        return self.successes / self.n if self.n else math.nan

    @property
    def squared_error(self) -> float:
        """The squared Wald standard error, p(1 − p)/n; not a number without a unit."""
        return self.value * (1.0 - self.value) / self.n if self.n else math.nan

    def as_ratio(self) -> RatioSums:
        """Return the share as a ratio whose denominator counts 1 per unit."""
        hits = self.successes
        return RatioSums(self.n, hits, self.n, hits, self.n, hits)

    def wilson(self, z: float) -> tuple[float, float]:
        """Return Wilson's score limits for a two-sided ``z`` (Wilson 1927); needs at least one unit."""
        p, n = self.value, self.n
        middle = p + z * z / (2 * n)
        spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = ((middle + sign * spread) / (1 + z * z / n) for sign in (-1.0, 1.0))
        # Exact at the ends, where rounding would leave 1e-17 or exclude the share itself.
        return (0.0 if self.successes == 0 else max(low, 0.0)), (
            1.0 if self.successes == n else min(high, 1.0)
        )

    def estimate(self, level: float = 0.95) -> Estimate | CannotTell:
        """Return the share with Wilson's score interval (Wilson 1927); refuses without a unit."""
        z = two_sided_z(level)
        if self.n == 0:
            return CannotTell("too_few", "There is nothing to take a share of.", "Wait for the first case.")
        low, high = self.wilson(z)
        return Estimate(self.value, low, high, level, self.n, "wilson", math.sqrt(self.squared_error))


@dataclass(frozen=True, slots=True)
class RatioSums:
    """Sums of a numerator y and a denominator x per unit (such as orders' value and orders, per customer).

    ``n`` counts units, and units are what is drawn independently: rows of one customer belong to one unit, or the
    range comes out too narrow. Merge only sums of disjoint sets of units. Raises :class:`ValueError` on impossible
    sums.
    """

    n: int
    sum_y: float
    sum_x: float
    sum_yy: float
    sum_xx: float
    sum_xy: float

    def __post_init__(self) -> None:
        _check(self.n, (self.sum_y, self.sum_x, self.sum_yy, self.sum_xx, self.sum_xy))
        _squares(self.sum_yy, self.sum_y, self.n, "the numerator")
        _squares(self.sum_xx, self.sum_x, self.n, "the denominator")

    @classmethod
    def of(cls, numerators: Iterable[float], denominators: Iterable[float]) -> Self:
        """Return the sums of plain numbers, one numerator and one denominator per unit."""
        pairs = [(float(y), float(x)) for y, x in zip(numerators, denominators, strict=True)]
        return cls(
            len(pairs),
            math.fsum(y for y, _ in pairs),
            math.fsum(x for _, x in pairs),
            math.fsum(y * y for y, _ in pairs),
            math.fsum(x * x for _, x in pairs),
            math.fsum(x * y for y, x in pairs),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.n + other.n,
            self.sum_y + other.sum_y,
            self.sum_x + other.sum_x,
            self.sum_yy + other.sum_yy,
            self.sum_xx + other.sum_xx,
            self.sum_xy + other.sum_xy,
        )

    @property
    def value(self) -> float:
        """The ratio of the sums; not a number when the denominators add up to 0."""
        return self.sum_y / self.sum_x if self.sum_x else math.nan

    @property
    def squared_error(self) -> float:
        """The squared standard error by the delta method; not a number below two units or over 0."""
        if self.n < 2 or not self.sum_x:
            return math.nan
        # Σ(y − Rx)², whose mean is 0 by the definition of R, so that nothing needs centering.
        ratio = self.value
        squares = self.sum_yy - 2 * ratio * self.sum_xy + ratio * ratio * self.sum_xx
        size = self.sum_yy + ratio * ratio * self.sum_xx
        squares = 0.0 if squares <= _ROUNDING * size else squares
        return squares * self.n / (self.n - 1) / self.sum_x**2

    def denominator_is_unclear(self, level: float) -> bool:
        """Return whether the denominator's mean may be 0 at this level, where a ratio has no bounded range."""
        spread = _squares(self.sum_xx, self.sum_x, self.n, "the denominator") / (self.n - 1) * self.n
        return abs(self.sum_x) <= two_sided_t(level, self.n - 1) * math.sqrt(spread)

    def as_ratio(self) -> RatioSums:
        """Return itself: every kind of sums can be read as a ratio."""
        return self

    def estimate(self, level: float = 0.95) -> Estimate | CannotTell:
        """Return the ratio with a delta-method interval over units (Deng, Knoblich & Lu 2018; Cochran 1977, ch. 6).

        Refuses below two units, over a denominator that may be 0 (Fieller 1954), and without variation.
        """
        if self.n >= 2 and self.denominator_is_unclear(level):
            return CannotTell(
                "undefined",
                "The denominator cannot be told from 0, so the ratio could be anything.",
                "Take a longer period or a larger segment.",
            )
        return _student(self.value, self.squared_error, self.n, level, "delta")


Sums = MeanSums | ShareSums | RatioSums


def _student(value: float, squared_error: float, n: int, level: float, method: str) -> Estimate | CannotTell:
    """Return value ± t·standard error with n − 1 degrees of freedom, or why there is none."""
    if n < 2:
        return CannotTell(
            "too_few", f"A range needs at least 2 units; there are {n}.", "Take a longer period."
        )
    if squared_error == 0.0:
        return CannotTell(
            "undefined",
            f"All {n} units are alike, so the data do not say how much they vary.",
            "Take more units or a longer period.",
        )
    error = math.sqrt(squared_error)
    reach = two_sided_t(level, n - 1) * error
    return Estimate(value, value - reach, value + reach, level, n, method, error)
