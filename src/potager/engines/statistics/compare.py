"""Do two groups differ, by how much, and is the difference more than noise?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from potager.engines.answers import CannotTell
from potager.engines.statistics.distributions import (
    check_level,
    normal_below,
    two_sided_p,
    two_sided_t,
    two_sided_z,
)
from potager.engines.statistics.multiplicity import holm
from potager.engines.statistics.sums import Estimate, MeanSums, RatioSums, ShareSums, Sums

Verdict = Literal["larger", "smaller", "no_clear_difference", "equivalent"]

# Fewest units per group. Wilson-type limits hold in small groups; Student's needs some units for its spread to mean
# anything; the delta method is an approximation for large samples. These are choices, and can be given.
MINIMUM_UNITS: Mapping[type, int] = {ShareSums: 5, MeanSums: 8, RatioSums: 20}

_FEW = "Take a longer period, or join this segment with others."


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first group less the second, and what may be said of it.

    ``difference`` is in the unit of the figures (shares: 0.05 is five percentage points). ``relative`` is the same
    as a share of the second group (0.1 is ten percent more), or why it is undefined. ``statistic`` is t, or z for
    shares. ``p_value`` is two-sided and agrees with the interval: below 1 − level exactly when the interval excludes 0.
    """

    first: float
    second: float
    n_first: int
    n_second: int
    difference: Estimate
    relative: Estimate | CannotTell
    statistic: float
    p_value: float
    margin: float
    verdict: Verdict


def compare(
    a: Sums, b: Sums, level: float = 0.95, margin: float = 0.0, minimum: int | None = None
) -> Comparison | CannotTell:
    """Compare two disjoint groups that were summed the same way: ``a`` less ``b``.

    Means: Welch (1947). Shares: hybrid score interval (Newcombe 1998, method 10). Ratios: delta method with Welch's
    degrees of freedom. Relative difference: MOVER-R (Donner & Zou 2012), which for means and ratios is Fieller (1954).

    ``margin`` ≥ 0 is the largest difference, in the unit of the figures, that does not matter: ``equivalent`` when the
    interval at level 2·level − 1 lies within it (two one-sided tests, Schuirmann 1987), also where the difference is
    clear but too small to matter. Refuses groups under ``minimum`` units (by default
    :data:`MINIMUM_UNITS`), groups without any variation, and ratios over a denominator near 0. Raises
    :class:`TypeError` on sums of two kinds and :class:`ValueError` on a bad level or margin.
    """
    check_level(level)
    if margin < 0.0 or math.isnan(margin):
        raise ValueError(f"A margin is a distance from 0, not {margin!r}.")
    if type(a) is not type(b):
        raise TypeError(f"{type(a).__name__} and {type(b).__name__} do not compare.")
    fewest = MINIMUM_UNITS[type(a)] if minimum is None else max(minimum, 1)
    if min(a.n, b.n) < fewest:
        return CannotTell(
            "too_few", f"The groups hold {a.n:,} and {b.n:,} units; each needs {fewest} to be compared.", _FEW
        )
    if isinstance(a, ShareSums) and isinstance(b, ShareSums):
        return _compare_shares(a, b, level, margin)
    return _compare_by_errors(a, b, level, margin)


def newcombe(a: ShareSums, b: ShareSums, level: float = 0.95) -> Estimate:
    """Return the difference of two shares, ``a`` less ``b``, with the hybrid score interval.

    Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10. Both groups
    need a unit (:class:`ValueError` otherwise).
    """
    if not (a.n and b.n):
        raise ValueError("A difference of shares needs units on both sides.")
    low, high = _newcombe_limits(a, b, two_sided_z(level))
    error = math.sqrt(a.squared_error + b.squared_error)
    return Estimate(a.value - b.value, low, high, level, a.n + b.n, "newcombe", error)


def _newcombe_limits(a: ShareSums, b: ShareSums, z: float) -> tuple[float, float]:
    (low_a, high_a), (low_b, high_b) = a.wilson(z), b.wilson(z)
    difference = a.value - b.value
    return (
        difference - math.hypot(a.value - low_a, high_b - b.value),
        difference + math.hypot(high_a - a.value, b.value - low_b),
    )


def _newcombe_z(a: ShareSums, b: ShareSums) -> float:
    """Return the z at which Newcombe's interval just touches 0, so that test and interval cannot disagree."""
    difference = a.value - b.value
    if difference == 0.0:
        return 0.0
    nearer = 0 if difference > 0 else 1
    low, high = 0.0, 40.0  # p-values beyond 1e-300 are of no use to anyone
    while high - low > 1e-10:
        middle = (low + high) / 2.0
        limit = _newcombe_limits(a, b, middle)[nearer]
        if limit * difference > 0.0:
            low = middle
        else:
            high = middle
    return math.copysign(high, difference)


def _compare_shares(a: ShareSums, b: ShareSums, level: float, margin: float) -> Comparison:
    z = two_sided_z(level)
    difference = newcombe(a, b, level)
    inner = _newcombe_limits(a, b, _equivalence_z(level)) if margin else (difference.low, difference.high)
    statistic = _newcombe_z(a, b)
    return Comparison(
        a.value,
        b.value,
        a.n,
        b.n,
        difference,
        _relative(a.value, a.wilson(z), b.value, b.wilson(z), level, a.n + b.n, "mover_r"),
        statistic,
        2.0 * normal_below(-abs(statistic)),
        margin,
        _verdict(difference, inner, margin),
    )


def _equivalence_z(level: float) -> float:
    """Return the z of the interval that two one-sided tests at this level amount to (level above one half)."""
    return two_sided_z(_equivalence_level(level))


def _equivalence_level(level: float) -> float:
    if level <= 0.5:
        raise ValueError("Equivalence needs a confidence level above 0.5.")
    return 2.0 * level - 1.0


def _compare_by_errors(a: Sums, b: Sums, level: float, margin: float) -> Comparison | CannotTell:
    for sums in (a, b):
        if sums.n < 2:
            return CannotTell("too_few", "A group of one does not say how much units vary.", _FEW)
        if isinstance(sums, RatioSums) and sums.denominator_is_unclear(level):
            return CannotTell(
                "undefined", "A denominator cannot be told from 0, so its ratio could be anything.", _FEW
            )
    if a.squared_error + b.squared_error == 0.0:
        return CannotTell(
            "undefined",
            "Within each group all units are alike, so the data do not say how much they vary.",
            "Take more units or a longer period.",
        )
    means = isinstance(a, MeanSums)
    degrees = welch_degrees(a.squared_error, a.n, b.squared_error, b.n)
    error = math.sqrt(a.squared_error + b.squared_error)
    t = two_sided_t(level, degrees)
    value = a.value - b.value
    method = "welch" if means else "delta"
    difference = Estimate(value, value - t * error, value + t * error, level, a.n + b.n, method, error)
    inner = (difference.low, difference.high)
    if margin:
        reach = two_sided_t(_equivalence_level(level), degrees) * error
        inner = (value - reach, value + reach)
    reach_a, reach_b = t * math.sqrt(a.squared_error), t * math.sqrt(b.squared_error)
    relative = _relative(
        a.value,
        (a.value - reach_a, a.value + reach_a),
        b.value,
        (b.value - reach_b, b.value + reach_b),
        level,
        a.n + b.n,
        "fieller",
    )
    statistic = value / error
    return Comparison(
        a.value,
        b.value,
        a.n,
        b.n,
        difference,
        relative,
        statistic,
        two_sided_p(statistic, degrees),
        margin,
        _verdict(difference, inner, margin),
    )


def welch_degrees(squared_error_a: float, n_a: int, squared_error_b: float, n_b: int) -> float:
    """Return Welch's degrees of freedom (Welch 1947; Satterthwaite 1946); both n ≥ 2, not both errors 0."""
    total = squared_error_a + squared_error_b
    share = squared_error_a / total
    return 1.0 / (share**2 / (n_a - 1) + (1.0 - share) ** 2 / (n_b - 1))


def _verdict(difference: Estimate, inner: tuple[float, float], margin: float) -> Verdict:
    if margin and -margin < inner[0] and inner[1] < margin:
        return "equivalent"
    if difference.low > 0.0:
        return "larger"
    return "smaller" if difference.high < 0.0 else "no_clear_difference"


def _relative(
    a: float,
    limits_a: tuple[float, float],
    b: float,
    limits_b: tuple[float, float],
    level: float,
    n: int,
    method: str,
) -> Estimate | CannotTell:
    """Return a/b − 1 with limits from both ranges (MOVER-R, Donner & Zou 2012, eq. 8; Fieller where symmetric).

    The lower limit is written as a product over a sum, so that no cancellation and no division by 0 can occur in it.
    """
    (low_a, high_a), (low_b, high_b) = limits_a, limits_b
    if low_b <= 0.0:
        return CannotTell(
            "undefined",
            "The second group may be 0 or negative, and nothing is a percentage of that.",
            "Read the difference itself.",
        )
    product = a * b
    p_low, q_low = low_a * (2 * a - low_a), high_b * (2 * b - high_b)
    p_high, q_high = high_a * (2 * a - high_a), low_b * (2 * b - low_b)
    root_low = math.sqrt(max(product**2 - p_low * q_low, 0.0))
    root_high = math.sqrt(max(product**2 - p_high * q_high, 0.0))
    low = 0.0  # where the limit of the first group is 0 itself
    if a > 0.0:
        low = p_low / (product + root_low)
    elif p_low:  # only means get here: their limits lie as far below as above, so q is positive
        low = (product - root_low) / q_low
    high = (product + root_high) / q_high
    return Estimate(
        a / b - 1.0, low - 1.0, high - 1.0, level, n, method, (high - low) / 2.0 / two_sided_z(level)
    )


@dataclass(frozen=True, slots=True)
class SegmentComparison:
    """One segment against all others together; ``adjusted_p`` allows for how many segments were looked at."""

    name: str
    comparison: Comparison | CannotTell
    adjusted_p: float | None
    stands_out: bool


def compare_each_with_rest(
    groups: Mapping[str, Sums], level: float = 0.95, margin: float = 0.0, minimum: int | None = None
) -> tuple[SegmentComparison, ...]:
    """Compare every segment with all the others together, allowing for looking at many (Holm 1979).

    Takes sums of disjoint segments, all of one kind; returns one entry per segment in the order given.
    ``stands_out`` is true where the adjusted p-value is below 1 − level and the difference is not ``equivalent``.
    Segments that cannot be compared carry their refusal and take no part in the adjustment. Raises
    :class:`ValueError` below two segments.
    """
    if len(groups) < 2:
        raise ValueError("Comparing segments needs at least two of them.")
    found: dict[str, Comparison | CannotTell] = {}
    for name, sums in groups.items():
        others = [other for key, other in groups.items() if key != name]
        found[name] = compare(sums, merged(others), level, margin, minimum)
    told = {name: one for name, one in found.items() if isinstance(one, Comparison)}
    adjusted = dict(zip(told, map(float, holm([one.p_value for one in told.values()])), strict=True))
    return tuple(
        SegmentComparison(
            name,
            one,
            adjusted.get(name),
            isinstance(one, Comparison) and adjusted[name] < 1.0 - level and one.verdict != "equivalent",
        )
        for name, one in found.items()
    )


def merged(parts: list[Sums]) -> Sums:
    """Return the sums of all parts together; raises :class:`TypeError` when they are of several kinds."""
    whole = parts[0]
    for part in parts[1:]:
        if type(part) is not type(whole):
            raise TypeError("Sums of several kinds do not merge.")
        whole = whole + part  # type: ignore[operator]  # the same kind, which the check above has seen to
    return whole
