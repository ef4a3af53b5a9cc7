"""Many comparisons at once: p-values adjusted so that looking often does not find what is not there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from potager.engines.statistics.series import FloatArray


def _checked(p_values: Sequence[float] | FloatArray) -> FloatArray:
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1 or not bool(np.all((given >= 0.0) & (given <= 1.0))):
        raise ValueError("p-values are one row of numbers from 0 to 1.")
    return given


def holm(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """Return p-values adjusted so that *any* false finding stays below the level (Holm 1979).

    Takes and returns shape (k,), in the order given. Raises :class:`ValueError` on a p-value outside 0 to 1.
    """
    given = _checked(p_values)
    order = np.argsort(given, kind="stable")
    steps = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def benjamini_hochberg(p_values: Sequence[float] | FloatArray) -> FloatArray:
    """Return p-values adjusted so that the *share* of false findings stays below the level.

    Takes and returns shape (k,), in the order given (Benjamini & Hochberg 1995; valid for independent and positively
    dependent tests). Raises :class:`ValueError` on a p-value outside 0 to 1.
    """
    given = _checked(p_values)
    order = np.argsort(given, kind="stable")
    scaled = given[order] * given.size / np.arange(1, given.size + 1)
    steps = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
