"""Shares with their intervals, and differences of shares.

Wilson (1927) for one share, and Newcombe (1998, method 10) for the difference of two: both keep to 0 and 1 and hold
about as often as they say for small counts too. The normal distribution is :class:`statistics.NormalDist`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` with the interval ``low`` to ``high``, all shares between 0 and 1."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """Return the share."""
        return self.part / self.whole


@dataclass(frozen=True, slots=True)
class ShareDifference:
    """The difference of two shares (the first less the second), its interval, and the two-sided p-value."""

    first: Share
    second: Share
    value: float
    low: float
    high: float
    p_value: float


def share(part: int, whole: int, level: float = 0.95) -> Share | None:
    """Return a share with its Wilson interval; None of nothing. Raises :class:`ValueError` where part > whole."""
    if not 0 <= part <= whole:
        raise ValueError(f"{part} is not a part of {whole}.")
    if not whole:
        return None
    z = _NORMAL.inv_cdf(0.5 + level / 2)
    p, n = part / whole, float(whole)
    center = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Share(part, whole, 0.0 if part == 0 else center - reach, 1.0 if part == whole else center + reach)


def share_difference(first: Share, second: Share) -> ShareDifference:
    """Return the difference of two independent shares with Newcombe's hybrid score interval, at the shares' own level.

    The p-value is that of the pooled two-proportion test.
    """
    difference = first.value - second.value
    low = difference - math.hypot(first.value - first.low, second.high - second.value)
    high = difference + math.hypot(first.high - first.value, second.value - second.low)
    pooled = (first.part + second.part) / (first.whole + second.whole)
    error = math.sqrt(pooled * (1 - pooled) * (1 / first.whole + 1 / second.whole))
    p = 1.0 if error == 0.0 else 2 * (1 - _NORMAL.cdf(abs(difference) / error))
    return ShareDifference(first, second, difference, low, high, p)


def benjamini_hochberg(p_values: list[float]) -> list[float]:
    """Return the adjusted p-values of Benjamini and Hochberg (1995): the false discovery rate at which each is kept."""
    count = len(p_values)
    order = sorted(range(count), key=lambda place: p_values[place], reverse=True)
    adjusted, least = [1.0] * count, 1.0
    for rank, place in zip(range(count, 0, -1), order, strict=True):
        least = min(least, p_values[place] * count / rank)
        adjusted[place] = least
    return adjusted


def people_needed(base: float, difference: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """Return how many people each arm of an experiment needs to tell a share of ``base`` from ``base + difference``.

    The usual two-sided formula for two proportions (Fleiss, Levin & Paik 2003, §4.2, without continuity correction).
    """
    other = min(max(base + difference, 0.0), 1.0)
    if other == base:
        raise ValueError("No number of people tells two equal shares apart.")
    mean = (base + other) / 2
    z_level, z_power = _NORMAL.inv_cdf(0.5 + level / 2), _NORMAL.inv_cdf(power)
    spread = z_level * math.sqrt(2 * mean * (1 - mean)) + z_power * math.sqrt(
        base * (1 - base) + other * (1 - other)
    )
    return math.ceil((spread / (base - other)) ** 2)
