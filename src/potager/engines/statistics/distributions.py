"""The few distribution functions that intervals need, with scipy imported only when one is asked."""

from __future__ import annotations

import math
from statistics import NormalDist

_STANDARD = NormalDist()


def check_level(level: float) -> None:
    """Raise :class:`ValueError` unless ``level`` is a confidence level: a share between 0 and 1, both excluded."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"A confidence level lies between 0 and 1 (such as 0.95), not at {level!r}.")


def normal_below(z: float) -> float:
    """Return the share of a standard normal distribution below ``z`` (accurate in the lower tail)."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def normal_quantile(share: float) -> float:
    """Return the z below which ``share`` of a standard normal distribution lies; 0 < share < 1."""
    return _STANDARD.inv_cdf(share)


def two_sided_z(level: float) -> float:
    """Return the z of a two-sided interval, such as 1.959964 for 0.95; raises :class:`ValueError` on a bad level."""
    check_level(level)
    return normal_quantile(0.5 + level / 2.0)


def student_below(t: float, degrees: float) -> float:
    """Return the share of Student's t distribution with ``degrees`` (> 0) degrees of freedom below ``t``."""
    from scipy.special import stdtr

    return float(stdtr(degrees, t))


def student_quantile(share: float, degrees: float) -> float:
    """Return the t below which ``share`` of Student's distribution with ``degrees`` (> 0) lies."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, share))


def two_sided_t(level: float, degrees: float) -> float:
    """Return the t of a two-sided interval; raises :class:`ValueError` on a bad level."""
    check_level(level)
    return student_quantile(0.5 + level / 2.0, degrees)


def two_sided_p(t: float, degrees: float) -> float:
    """Return the two-sided p-value of a t statistic."""
    return 2.0 * student_below(-abs(t), degrees)
