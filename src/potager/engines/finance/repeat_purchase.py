"""Revenue without subscriptions: how soon buyers come back, where some were not watched for long enough to know.

A buyer's *wait* is the number of days from the first purchase to the second; who did not come back by the last day of
the data is *censored* there: known to have waited at least that long, and not known to be lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from potager.engines.answers import CannotTell
from potager.engines.finance.money import FinanceError, Whole

FEWEST_WATCHED = 10


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """Buyers by their wait: ``days`` (n,) ≥ 0, ``again`` (n,) did it end in a purchase, ``buyers`` (n,) how many."""

    days: Whole
    again: NDArray[np.bool_]
    buyers: Whole

    def __post_init__(self) -> None:
        if not self.days.shape == self.again.shape == self.buyers.shape or self.days.ndim != 1:
            raise FinanceError("Waits need one day, one outcome and one count a row.")
        if (self.days < 0).any() or (self.buyers < 0).any():
            raise FinanceError("A wait or a count of buyers is below 0.", "Check the days of the purchases.")

    @property
    def count(self) -> int:
        """How many buyers there are."""
        return int(self.buyers.sum())


@dataclass(frozen=True, slots=True)
class CameBack:
    """The share of buyers who bought again within ``horizon`` days, with its range.

    ``watched`` is how many had not come back and were still watched when the horizon ended.
    """

    horizon: int
    buyers: int
    value: float
    standard_error: float
    low: float
    high: float
    watched: int
    level: float


@dataclass(frozen=True, slots=True)
class CameBackDifference:
    """The first share less the second over the same horizon, with its range."""

    first: CameBack
    second: CameBack
    value: float
    low: float
    high: float


def came_back(waits: Waits, horizon: int, level: float = 0.95) -> CameBack | CannotTell:
    """Return the share who bought again within ``horizon`` days: one less the estimate of Kaplan & Meier (1958).

    The range is Greenwood's (1926), on the plain scale and kept to 0 and 1. Refused where fewer than
    :data:`FEWEST_WATCHED` were watched up to the horizon: there the estimate hangs on a handful.
    """
    if horizon < 1:
        raise FinanceError(f"A horizon of {horizon} days is none.", "Ask for at least one day.")
    if not 0 < level < 1:
        raise FinanceError(f"{level} is no level of a range.", "Ask for one between 0 and 1, such as 0.95.")
    reached = waits.days >= horizon
    watched = int(waits.buyers[reached].sum())
    if watched < FEWEST_WATCHED:
        return CannotTell(
            "too_few",
            f"Only {watched} of {waits.count} buyers were waiting and watched up to day {horizon}.",
            f"Ask for a horizon that at least {FEWEST_WATCHED} are watched for.",
        )
    kept, error = _survival(waits, horizon)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * error
    still = waits.buyers[(waits.days > horizon) | (reached & ~waits.again)].sum()
    return CameBack(
        horizon,
        waits.count,
        1.0 - kept,
        error,
        max(0.0, 1.0 - kept - reach),
        min(1.0, 1.0 - kept + reach),
        int(still),
        level,
    )


def _survival(waits: Waits, horizon: int) -> tuple[float, float]:
    """Return the share who did not come back within ``horizon`` days, and Greenwood's error of it.

    From counts a day, so that its cost does not grow with the buyers. (The frequency weights of statsmodels' own
    estimator do not enter its standard errors, so it would need a row for each buyer.)
    """
    length = horizon + 1
    day = np.minimum(waits.days, length)
    everybody = np.bincount(day, weights=waits.buyers, minlength=length + 1)
    ended = np.bincount(day, weights=np.where(waits.again, waits.buyers, 0), minlength=length + 1)[:length]
    at_risk = np.cumsum(everybody[::-1])[::-1][:length]
    ended, at_risk = ended[at_risk > 0], at_risk[at_risk > 0]
    kept = float(np.prod(1.0 - ended / at_risk))
    # Where all at risk came back on one day nobody is left, and the share is 0 without an error of its own.
    left = at_risk - ended
    spread = float(np.sum(np.divide(ended, at_risk * left, out=np.zeros_like(ended), where=left > 0)))
    return kept, kept * math.sqrt(spread)


def came_back_difference(first: CameBack, second: CameBack) -> CameBackDifference:
    """Return the difference of two independent groups over the same horizon; Greenwood's variances add up."""
    if (first.horizon, first.level) != (second.horizon, second.level):
        raise FinanceError(
            "The two shares are over different horizons or at different levels.", "Take both over the same."
        )
    value = first.value - second.value
    reach = NormalDist().inv_cdf(0.5 + first.level / 2) * math.hypot(
        first.standard_error, second.standard_error
    )
    return CameBackDifference(first, second, value, max(-1.0, value - reach), min(1.0, value + reach))
