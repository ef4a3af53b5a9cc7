"""The difference between two groups among units that are alike: the Mantel-Haenszel risk difference.

The weights are those of Greenland and Robins (Biometrics 41, 1985); the interval is taken from the influence of each
cluster, so that a unit seen at several dates counts as one witness and not as many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from potager.engines.answers import CannotTell

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_PER_ARM = 30
FEWEST_EVENTS = 5
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Arm:
    """A group: how many observations, how many units, how many with the outcome."""

    rows: int
    units: int
    events: int

    @property
    def share(self) -> float:
        """Return the share with the outcome."""
        return self.events / self.rows


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of shares, exposed less unexposed, with its 95 % interval.

    ``value`` is among alike units, ``crude`` is without any adjustment; ``strata`` were used, ``left_out``
    observations had nobody alike in the other group.
    """

    value: float
    low: float
    high: float
    crude: float
    exposed: Arm
    unexposed: Arm
    strata: int
    left_out: int

    @property
    def tells(self) -> bool:
        """Return whether the interval leaves out no difference."""
        return self.low > 0 or self.high < 0


def stratified_difference(
    outcome: NDArray[np.bool_],
    exposed: NDArray[np.bool_],
    stratum: NDArray[np.int64],
    unit: NDArray[np.int64],
) -> Difference | CannotTell:
    """Return the difference in the share with ``outcome`` between exposed and unexposed units of the same stratum.

    Each row is an observation of a ``unit``. Strata with one group only tell nothing and are left out. Refused where
    a group is small, where hardly anybody has the outcome, or where no stratum holds both.
    """
    arms = [_arm(outcome, unit, exposed), _arm(outcome, unit, ~exposed)]
    names = ("did", "did not")
    for arm, name in zip(arms, names, strict=True):
        if arm.units < FEWEST_PER_ARM:
            return CannotTell(
                "too_few",
                f"Only {arm.units:,} accounts {name}.",
                f"{FEWEST_PER_ARM} of each kind are needed.",
            )
    if arms[0].events + arms[1].events < FEWEST_EVENTS:
        return CannotTell(
            "too_few",
            f"It happened to {arms[0].events + arms[1].events:,} accounts only.",
            f"{FEWEST_EVENTS} at the least are needed to say anything.",
        )
    _, index = np.unique(stratum, return_inverse=True)
    size = int(index.max()) + 1
    n1 = np.bincount(index, exposed, size)
    n0 = np.bincount(index, ~exposed, size)
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return CannotTell(
            "not_identified",
            "No two accounts are alike and differ in this: everybody of a kind does it, or nobody.",
            "Hold fewer things equal.",
        )
    weight = np.where(both, n1 * n0 / np.maximum(n1 + n0, 1), 0.0)
    p1 = np.bincount(index, outcome & exposed, size) / np.maximum(n1, 1)
    p0 = np.bincount(index, outcome & ~exposed, size) / np.maximum(n0, 1)
    total = weight.sum()
    value = float((weight * (p1 - p0)).sum() / total)
    used = both[index]
    pull = np.where(
        exposed,
        (outcome - p1[index]) / np.maximum(n1[index], 1),
        -(outcome - p0[index]) / np.maximum(n0[index], 1),
    ) * (weight[index] / total)
    _, who = np.unique(unit[used], return_inverse=True)
    clusters = np.bincount(who, pull[used])
    count = len(clusters)
    spread = math.sqrt(float((clusters**2).sum()) * count / max(count - 1, 1))
    return Difference(
        value, value - Z95 * spread, value + Z95 * spread, arms[0].share - arms[1].share, arms[0], arms[1],
        int(both.sum()), int((~used).sum()),
    )  # fmt: skip


def _arm(outcome: NDArray[np.bool_], unit: NDArray[np.int64], inside: NDArray[np.bool_]) -> Arm:
    return Arm(int(inside.sum()), len(np.unique(unit[inside])), int((outcome & inside).sum()))
