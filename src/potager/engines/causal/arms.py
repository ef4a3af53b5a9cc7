"""Sums over the units of one arm of an experiment: all that its comparison needs, at any number of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from potager.engines.causal.results import FloatArray

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Sums over the ``n`` units of an arm: outcome y, denominator d of a ratio, covariate x known before assignment.

    ``y`` is Σy, ``yy`` is Σy², ``xy`` is Σxy and so on. A mean or share has no d (all None); an experiment without a
    covariate has no x (all None); a ratio with a covariate also has ``xd``. One row per unit that was assigned, those
    without any outcome as 0 where 0 is what happened. Raises :class:`ValueError` on sums that no data can have.
    """

    n: int
    y: float
    yy: float
    d: float | None = None
    dd: float | None = None
    yd: float | None = None
    x: float | None = None
    xx: float | None = None
    xy: float | None = None
    xd: float | None = None

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("The number of units is 0 or more.")
        for letters in (("d", "dd", "yd"), ("x", "xx", "xy")):
            if len({getattr(self, letter) is None for letter in letters}) != 1:
                raise ValueError(f"The sums {', '.join(letters)} come together or not at all.")
        if (self.xd is not None) != (self.d is not None and self.x is not None):
            raise ValueError("The sum xd belongs to a ratio with a covariate, and only to that.")
        if not all(math.isfinite(value) for value in self._values()):
            raise ValueError("Every sum is a finite number.")
        names = self.columns
        moments = self.moments()
        variances = np.diag(moments)
        scale = np.array([getattr(self, name * 2) for name in names])
        if np.any(variances < -_ROUNDING * np.maximum(scale, 1.0)):
            raise ValueError("These sums belong to no data: a sum of squares is below what its sum demands.")
        bound = np.sqrt(np.outer(np.maximum(variances, 0.0), np.maximum(variances, 0.0)))
        if np.any(np.abs(moments) > bound + _ROUNDING * np.maximum(np.sqrt(np.outer(scale, scale)), 1.0)):
            raise ValueError(
                "These sums belong to no data: a sum of products is beyond what its squares allow."
            )

    def _values(self) -> list[float]:
        every = (self.y, self.yy, self.d, self.dd, self.yd, self.x, self.xx, self.xy, self.xd)
        return [value for value in every if value is not None]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return which of y, d and x there are, in this order."""
        return tuple(name for name in ("y", "d", "x") if getattr(self, name) is not None)

    @property
    def means(self) -> FloatArray:
        """Return the means of the columns; n ≥ 1."""
        return np.array([getattr(self, name) / max(self.n, 1) for name in self.columns])

    def moments(self) -> FloatArray:
        """Return the centered sums of squares and products of the columns, Σ(a − ā)(b − b̄); shape (k, k)."""
        names = self.columns
        sums = np.array([getattr(self, name) for name in names], dtype=np.float64)
        products = np.array([[getattr(self, _pair(a, b)) for b in names] for a in names], dtype=np.float64)
        return products - np.outer(sums, sums) / max(self.n, 1)


def _pair(a: str, b: str) -> str:
    """Name the sum of products of two columns as the fields are named: yy, yd, xy, xd."""
    return {"dy": "yd", "yx": "xy", "dx": "xd"}.get(a + b, a + b)


def share_arm(n: int, successes: int) -> Arm:
    """Return the sums of a share: ``successes`` of ``n`` units. Raises :class:`ValueError` beyond 0 to n."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} units is no share.")
    return Arm(n=n, y=float(successes), yy=float(successes))


def arm_of_rows(y: FloatArray, d: FloatArray | None = None, x: FloatArray | None = None) -> Arm:
    """Return the sums over rows at hand, one per unit; y, d and x of shape (n,)."""
    parts: dict[str, float] = {"y": float(y.sum()), "yy": float(y @ y)}
    if d is not None:
        parts |= {"d": float(d.sum()), "dd": float(d @ d), "yd": float(y @ d)}
    if x is not None:
        parts |= {"x": float(x.sum()), "xx": float(x @ x), "xy": float(x @ y)}
    if d is not None and x is not None:
        parts["xd"] = float(x @ d)
    return Arm(n=len(y), **parts)
