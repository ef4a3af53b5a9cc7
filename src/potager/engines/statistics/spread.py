"""How wrong a forecast may be: the spread of its own back-test errors, smoothed and widened for how few they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from potager.engines.statistics.distributions import check_level
from potager.engines.statistics.series import FloatArray

_WIDEN_AT = 0.9  # the quantile at which Student's t and the normal are compared to widen
_BISECTIONS = 50


@dataclass(frozen=True, slots=True, eq=False)
class ErrorSpread:
    """A predictive distribution of the error around a forecast, one per column (step, or length of a total).

    Back-test errors are used with both signs, since a run of errors to one side is as likely to turn. They are
    smoothed with a normal kernel that keeps their variance (West 1993), the more the fewer *distinct* (not
    overlapping) horizons the back-test holds, and widened by Student's t over the normal at as many degrees of
    freedom. With one distinct horizon this is Student's interval in all but name; with many it is the empirical
    distribution. ``centers`` (m, H), nan where an error is not known; ``bandwidth`` and ``distinct`` (H,).
    """

    centers: FloatArray
    bandwidth: FloatArray
    distinct: FloatArray

    @classmethod
    def of(cls, errors: FloatArray, distinct: FloatArray) -> Self:
        """Return the spread of ``errors`` (m, H), each column with at least one finite, in the unit asked for."""
        from scipy.special import ndtri, stdtrit

        size = np.abs(errors)
        widening = stdtrit(distinct, _WIDEN_AT) / ndtri(_WIDEN_AT)
        smoothing = np.minimum(1.0, 1.06 * distinct**-0.2)
        bandwidth = smoothing * np.sqrt(np.nanmean(size * size, axis=0)) * widening
        # A forecast that never erred has no width; the smallest number keeps the kernel defined.
        return cls(
            size * np.sqrt(1.0 - smoothing**2) * widening,
            np.maximum(bandwidth, np.finfo(np.float64).tiny),
            distinct,
        )

    def inside(self, distance: FloatArray) -> FloatArray:
        """Return, per column (H,), the probability of an error of at most ``distance`` (H,) ≥ 0 to either side."""
        from scipy.special import ndtr

        with np.errstate(over="ignore"):  # beyond any width, where a forecast never erred
            upper = ndtr((distance - self.centers) / self.bandwidth)
            lower = ndtr((-distance - self.centers) / self.bandwidth)
        result: FloatArray = np.nanmean(upper - lower, axis=0)
        return result

    def half_width(self, level: float) -> FloatArray:
        """Return, per column (H,), the distance within which ``level`` of the errors fall."""
        check_level(level)
        low = np.zeros_like(self.bandwidth)
        high = np.nanmax(self.centers, axis=0) + 40.0 * self.bandwidth
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2.0
            short = self.inside(middle) < level
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        result: FloatArray = (low + high) / 2.0
        return result

    def above(self, distance: float, column: int) -> float:
        """Return the probability that the truth lies more than ``distance`` (any sign) above the forecast.

        Kept away from 0 and 1 by what the number of distinct horizons can tell: 0.5 / (distinct + 1), as in Jeffreys'
        estimate of what was never seen.
        """
        from scipy.special import ndtr

        centers, bandwidth = self.centers[:, column], self.bandwidth[column]
        both = np.concatenate((centers, -centers))
        with np.errstate(over="ignore"):
            plain = float(np.nanmean(ndtr((both - distance) / bandwidth)))
        least = 0.5 / (float(self.distinct[column]) + 1.0)
        return min(max(plain, least), 1.0 - least)
