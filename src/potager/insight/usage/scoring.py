"""Telling apart who leaves from who stays: a ridge logistic model on signs, and how well it did on what followed.

Pure arithmetic on numpy arrays. The model is fitted by Newton's method (Hastie, Tibshirani and Friedman, The
Elements of Statistical Learning, 4.4.1); the area under the curve has DeLong's interval (DeLong, DeLong and
Clarke-Pearson, Biometrics 44, 1988) in the fast form of Sun and Xu (IEEE Signal Processing Letters 21, 2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from potager.engines.answers import CannotTell

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_LEAVERS = 20
FEWEST_HELD_OUT = 10
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Model:
    """A fitted model: an intercept and a weight per sign, on signs standardized by ``mean`` and ``scale``."""

    names: tuple[str, ...]
    intercept: float
    weights: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def probability(self, signs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of leaving for each row of signs."""
        return _sigmoid(self.intercept + ((signs - self.mean) / self.scale) @ self.weights)


@dataclass(frozen=True, slots=True)
class Area:
    """The area under the curve with its 95 % interval: how often a leaver was ranked above a stayer."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BackTest:
    """How a ranking did on a period that it was not fitted on: ``flagged`` are those above ``threshold``."""

    area: Area
    threshold: float
    flagged: int
    caught: int
    left: int
    rows: int

    @property
    def precision(self) -> float | None:
        """Return the share of the flagged who left; None where nobody was flagged."""
        return self.caught / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        """Return the share of those who left that were flagged; None where nobody left."""
        return self.caught / self.left if self.left else None

    @property
    def base(self) -> float:
        """Return the share that left: the precision of flagging by lot."""
        return self.left / self.rows


def fit(
    names: tuple[str, ...], signs: NDArray[np.float64], left: NDArray[np.bool_], *, ridge: float = 1.0
) -> Model | CannotTell:
    """Return the model of who left, given their signs (a row each). Refused with too few of either kind."""
    from scipy.optimize import minimize

    leavers, stayers = int(left.sum()), int((~left).sum())
    if min(leavers, stayers) < FEWEST_LEAVERS:
        return CannotTell(
            "too_few",
            f"Only {leavers:,} left and {stayers:,} stayed in the period to learn from.",
            f"{FEWEST_LEAVERS} of each are needed.",
        )
    mean, scale = signs.mean(axis=0), signs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    design = np.column_stack([np.ones(len(signs)), (signs - mean) / scale])
    penalty = np.diag([0.0, *[ridge] * signs.shape[1]])
    start = np.zeros(design.shape[1])
    start[0] = math.log(leavers / stayers)

    def loss(beta: NDArray[np.float64]) -> float:
        known = design @ beta
        return float(np.logaddexp(0.0, known).sum() - known[left].sum() + beta @ penalty @ beta / 2)

    def gradient(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(design.T @ (_sigmoid(design @ beta) - left) + penalty @ beta)

    def hessian(beta: NDArray[np.float64]) -> NDArray[np.float64]:
        p = _sigmoid(design @ beta)
        return np.asarray((design * (p * (1 - p))[:, None]).T @ design + penalty)

    # Steps within a region of trust: plain Newton steps leave for good where nearly everybody stays.
    found = minimize(loss, start, jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-8})
    beta = np.asarray(found.x)
    return Model(names, float(beta[0]), beta[1:], mean, scale)


def area_under_curve(scores: NDArray[np.float64], left: NDArray[np.bool_]) -> Area | CannotTell:
    """Return how well scores rank those who left above those who stayed, with DeLong's 95 % interval."""
    high, low = scores[left], scores[~left]
    if min(len(high), len(low)) < FEWEST_HELD_OUT:
        return CannotTell(
            "too_few",
            f"Only {len(high):,} left and {len(low):,} stayed in the period held out.",
            f"{FEWEST_HELD_OUT} of each are needed.",
        )
    m, n = len(high), len(low)
    whole = _midranks(np.concatenate([high, low]))
    among_high, among_low = _midranks(high), _midranks(low)
    value = float((whole[:m].sum() - m * (m + 1) / 2) / (m * n))
    of_high = (whole[:m] - among_high) / n
    of_low = 1.0 - (whole[m:] - among_low) / m
    spread = math.sqrt(float(of_high.var(ddof=1)) / m + float(of_low.var(ddof=1)) / n)
    return Area(value, max(value - Z95 * spread, 0.0), min(value + Z95 * spread, 1.0))


def best_threshold(scores: NDArray[np.float64], left: NDArray[np.bool_]) -> float:
    """Return the score from which flagging has the best harmonic mean of precision and recall, on the data given."""
    order = np.argsort(-scores, kind="stable")
    ranked, caught = scores[order], np.cumsum(left[order])
    flagged = np.arange(1, len(scores) + 1)
    # A threshold can stand only where the score changes: those with equal scores are flagged together.
    ends = np.append(ranked[1:] != ranked[:-1], True)
    balance = np.where(ends, 2.0 * caught / (flagged + int(left.sum())), -1.0)
    return float(ranked[int(np.argmax(balance))])


def back_test(
    scores: NDArray[np.float64], left: NDArray[np.bool_], threshold: float
) -> BackTest | CannotTell:
    """Return how a ranking and its threshold did on a period that neither has seen."""
    area = area_under_curve(scores, left)
    if isinstance(area, CannotTell):
        return area
    flagged = scores >= threshold
    return BackTest(
        area, threshold, int(flagged.sum()), int((flagged & left).sum()), int(left.sum()), len(scores)
    )


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -500, 500))), dtype=np.float64)


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from one, the same for equal values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts - 1) / 2.0
    return np.asarray(middle[inverse], dtype=np.float64)
