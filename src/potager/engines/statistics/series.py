"""A regular series made ready: checked, its gaps counted, its short gaps filled and said to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from potager.engines.answers import CannotTell

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Series = Sequence[float] | FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A series without gaps: ``values`` (n,), and ``filled`` (n,), true where a value was interpolated."""

    values: FloatArray
    filled: BoolArray

    @property
    def interpolated_share(self) -> float:
        """The share of values that were missing and interpolated."""
        return float(self.filled.mean())


def as_array(series: Series) -> FloatArray:
    """Return one row of numbers, nan where missing; raises :class:`ValueError` on more dimensions or infinity."""
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError("A series is one row of numbers.")
    if bool(np.isinf(values).any()):
        raise ValueError("A series holds an infinite value.")
    return values


def check_season(season: int) -> None:
    """Raise :class:`ValueError` unless ``season`` counts periods: 1 for none, 7 for days of a week, and so on."""
    if season < 1:
        raise ValueError(f"A season is counted in periods, from 1 (none); {season!r} is not.")


def prepare(series: Series, season: int, max_missing: float) -> Prepared | CannotTell:
    """Return the series without its missing values, or refuse when too many are missing.

    Missing (nan) is not zero. What is missing before the first value is left away. Up to ``max_missing`` (a share)
    of the rest is interpolated: the mean of the same phase one season before and after where both are known, else on a
    line between neighbors. A series whose last value is missing is refused: its end is not known.
    """
    check_season(season)
    values = as_array(series)
    missing = np.isnan(values)
    if bool(missing.all()):
        return CannotTell("too_few", "The series holds no value.", "Load data for this metric.")
    if bool(missing[-1]):
        count = int(np.argmin(missing[::-1]))
        return CannotTell(
            "incomplete",
            f"The last {count} values are missing, which is not the same as zero.",
            "Load the missing periods, or end the series at its last complete one.",
        )
    start = int(np.argmin(missing))
    values, missing = values[start:].copy(), missing[start:]
    share = float(missing.mean())
    if share > max_missing:
        return CannotTell(
            "incomplete",
            f"{share:.0%} of the values are missing; at most {max_missing:.0%} can be filled in honestly.",
            "Load the missing periods.",
        )
    if share:
        known = np.flatnonzero(~missing)
        line = np.interp(np.arange(values.size), known, values[known])
        before, after = (np.full(values.size, np.nan) for _ in range(2))
        before[season:], after[:-season] = values[:-season], values[season:]
        same_phase = (before + after) / 2.0
        values[missing] = np.where(np.isnan(same_phase), line, same_phase)[missing]
    return Prepared(values, missing)


def phase_means(values: FloatArray, season: int) -> FloatArray:
    """Return the mean of each phase of the season, shape (season,); needs at least one whole season."""
    phases = np.arange(values.size) % season
    means: FloatArray = np.bincount(phases, values, season) / np.bincount(phases, minlength=season)
    return means


def without_season(values: FloatArray, season: int) -> FloatArray:
    """Return the values (n,) less how much their phase differs from the mean phase; the level stays."""
    if season == 1:
        return values
    means = phase_means(values, season)
    adjusted: FloatArray = values - (means - means.mean())[np.arange(values.size) % season]
    return adjusted
