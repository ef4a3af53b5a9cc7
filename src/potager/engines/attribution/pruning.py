"""Choosing segments so that no two tell the same story, and adding up what a list of segments covers.

Segments are chosen one at a time, largest excess first, by orthogonal matching pursuit (Pati et al. 1993): the change
of every segment is modeled as a common trend in proportion to size, plus, for each chosen segment, a shift that falls
on whatever overlaps it in proportion to the overlap; trend and shifts are fitted anew after each choice, so that the
chosen segments are met exactly. A parent of a chosen segment, a child that merely moved along with it, a segment of
other dimensions that shares its rows, and whatever only looked good against a trend that the chosen one pulled down,
then have little excess left and are dropped, and so is a chosen segment that later ones leave little to. Before a
segment is chosen it gives way to a child that holds nearly all of its excess in clearly fewer rows, and to a parent
that has the same rows.

What of it is noise. The sums say nothing of the scatter of the rows below them, so it is read from the segments
themselves: what is left of their excess in the end, over the square root of their size, has a typical value (the
median, scaled to a standard deviation), and the largest of many such values is expected to be about sqrt(2 ln n) times
as large by chance alone (Donoho & Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage", Biometrika 81).
What stands out by less is not listed. Fewer than ``ENOUGH_TO_JUDGE_NOISE`` segments cannot tell, and are all listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from potager.engines.attribution.grouping import Codes, GroupedSums
from potager.engines.attribution.steps import FloatArray

NEARLY_ALL = 0.9
"""A child with at least this part of its parent's excess may stand for it ..."""
CLEARLY_FEWER = 0.8
"""... if its part of the parent's size is at most this times its part of the excess."""
SAME_ROWS = 0.02
"""A parent that is larger by no more than this is the same segment, with a simpler name."""
DOUBT = 0.5
"""An overlap that the grouping is too shallow to show is estimated, and may be off by this part of itself."""
ENOUGH_TO_JUDGE_NOISE = 20
"""Segments from which a typical scatter can be read."""
_NORMAL_MEDIAN = 0.674_489_750_196_081_7  # of the absolute value of a standard normal
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of every row: the metric, its part of the change, and its shares of the whole."""

    before: FloatArray
    after: FloatArray
    contribution: FloatArray
    share_before: FloatArray
    size: FloatArray
    support: FloatArray
    surprise: FloatArray
    appeared: NDArray[np.bool_]
    vanished: NDArray[np.bool_]
    excess: FloatArray


class Search:
    """Chooses segments one at a time and takes out what each accounts for."""

    def __init__(
        self,
        grouped: GroupedSums,
        figures: Figures,
        pool: NDArray[np.int64],
        minimum_excess: float,
        redundancy: float,
        above_noise: float,
    ) -> None:
        self._grouped, self._figures, self._pool = grouped, figures, pool
        self._codes = grouped.codes[pool]
        self._excess = figures.excess[pool]
        self._left = self._excess.copy()
        largest = np.abs(self._excess).max(initial=0.0)
        # Below this, an excess is rounding.
        noise = 1e-12 * float(np.abs(figures.contribution).max() + abs(figures.excess).max())
        self._least = max(minimum_excess * float(largest), noise)
        self._needed = np.maximum(redundancy * np.abs(self._excess), self._least)
        self._above_noise = above_noise
        self.redundant = 0
        self.noise = 0

    def choose(self, limit: int) -> dict[int, float | None]:
        """Return at most ``limit`` rows, each with how many times the typical scatter it stands out (if known).

        Afterwards ``redundant`` counts the segments that stood out until others were chosen, ``noise`` the chosen
        ones that were given up because they stand out no more than chance makes some do.
        """
        fit = _Fit(self._excess, self._figures.share_before[self._pool])
        needed = self._needed
        free = np.ones(len(self._pool), dtype=np.bool_)
        dropped = np.zeros_like(free)
        while len(fit.chosen) < limit:
            stands_out = free & (np.abs(self._left) > needed)
            if not stands_out.any():
                break
            pick = self._better_named(self._largest(stands_out), free)
            free[pick] = False
            fit.add(pick, *self._overlap(pick))
            while (weakest := fit.weakest(self._needed)) is not None:
                dropped[fit.chosen[weakest]] = True
                fit.remove(weakest)
            self._left, doubt = fit.left()
            needed = self._needed + doubt
        stood_out = (np.abs(self._excess) > self._least) & (np.abs(self._left) <= needed)
        self.redundant = int((stood_out & (free | dropped)).sum())
        times = self._without_noise(fit)
        return {int(self._pool[pick]): times.get(pick) for pick in fit.chosen}

    def _without_noise(self, fit: _Fit) -> dict[int, float]:
        """Take the segments that do not rise above noise out of the fit, the lowest first; return the others' rise.

        One at a time, because fitting noise makes the rest look quieter than it is.
        """
        size = self._figures.size[self._pool]
        roots = np.sqrt(np.where(size > 0, size, np.nan))
        hurdle = self._above_noise * float(np.sqrt(2 * np.log(max(len(self._pool), 1))))
        while fit.chosen:
            judged = np.isfinite(roots)
            judged[fit.chosen] = False
            if judged.sum() < ENOUGH_TO_JUDGE_NOISE:
                break
            scatter = float(np.median(np.abs(fit.left()[0][judged]) / roots[judged])) / _NORMAL_MEDIAN
            if scatter <= self._least * _TIE:
                break
            times = fit.heights / (scatter * roots[fit.chosen])
            lowest = int(np.argmin(np.where(np.isnan(times), np.inf, times)))
            if not times[lowest] < hurdle:
                return {pick: float(rise) for pick, rise in zip(fit.chosen, times, strict=True) if rise > 0}
            fit.remove(lowest)
            self.noise += 1
        return {}

    def _largest(self, stands_out: NDArray[np.bool_]) -> int:
        """Return the largest excess left; of two that mirror each other, the one that moved more itself."""
        sizes = np.where(stands_out, np.abs(self._left), 0.0)
        level = stands_out & (sizes >= (1 - _TIE) * sizes.max())
        return int(np.argmax(np.where(level, np.abs(self._figures.contribution[self._pool]), -1.0)))

    def _better_named(self, pick: int, free: NDArray[np.bool_]) -> int:
        """Return the child that holds nearly all of the excess in fewer rows, or the parent with the same rows."""
        size = self._figures.size[self._pool]
        part = self._left / self._left[pick]
        own = self._codes[pick]
        under = ((self._codes == own) | (own == 0)).all(axis=1) & free
        under[pick] = False
        tighter = under & (part >= NEARLY_ALL) & (size <= CLEARLY_FEWER * part * size[pick])
        if tighter.any():
            pick = int(np.argmin(np.where(tighter, size, np.inf)))
        own = self._codes[pick]
        part = self._left / self._left[pick]
        over = ((self._codes == own) | (self._codes == 0)).all(axis=1) & free
        same = over & (size <= (1 + SAME_ROWS) * size[pick]) & (np.abs(part - 1) <= SAME_ROWS)
        # The pool is ordered by the number of conditions: the first has the fewest.
        return int(np.flatnonzero(same | (np.arange(len(self._pool)) == pick))[0])

    def _overlap(self, pick: int) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return what part of the chosen segment lies in each segment of the pool, by size, and where that is a guess.

        Looked up where the combination was grouped; else the two are taken to be independent within the segment that
        their common conditions make.
        """
        own, size = self._codes[pick], self._figures.size
        own_size = size[self._pool[pick]]
        merged: Codes = np.where(self._codes > 0, self._codes, own)
        rows, known = self._grouped.find(merged)
        common, _ = self._grouped.find(np.where(self._codes == own, own, 0).astype(np.int32))
        around = np.where(common >= 0, size[common], 1.0)
        estimated = size[self._pool] * own_size / np.where(around > 0, around, 1.0)
        shared = np.where(rows >= 0, size[rows], np.where(known, 0.0, estimated))
        same = (merged == own).all(axis=1)
        part = np.where(same, 1.0, shared / own_size if own_size else 0.0)
        apart = ((self._codes > 0) & (own > 0) & (self._codes != own)).any(axis=1)
        return np.where(apart, 0.0, np.clip(part, 0.0, 1.0)), ~known & ~apart


class _Fit:
    """The shifts of the chosen segments beside the common trend, by least squares on the chosen segments."""

    def __init__(self, excess: FloatArray, share: FloatArray) -> None:
        self._excess, self._share = excess, share
        self.chosen: list[int] = []
        self._effects: list[FloatArray] = []
        self._doubts: list[FloatArray] = []
        self._shifts: FloatArray = np.zeros(0)

    def add(self, pick: int, overlap: FloatArray, estimated: NDArray[np.bool_]) -> None:
        """Take in a segment that lies in each other one with the part ``overlap``."""
        self.chosen.append(pick)
        self._effects.append(
            overlap - self._share
        )  # the shift also takes the segment out of the common trend
        self._doubts.append(np.where(estimated, DOUBT * overlap, 0.0))
        self._solve()

    def remove(self, place: int) -> None:
        """Leave out the segment chosen in this place."""
        del self.chosen[place], self._effects[place], self._doubts[place]
        self._solve()

    def weakest(self, needed: FloatArray) -> int | None:
        """Return the place of the segment that later ones made least needed, if its own height is not enough."""
        lacking = needed[self.chosen] - self.heights
        place = int(np.argmax(lacking))
        return place if lacking[place] > 0 and len(self.chosen) > 1 else None

    @property
    def heights(self) -> FloatArray:
        """The excess that each chosen segment has of its own, beside all others chosen."""
        return np.abs(self._shifts * (1 - self._share[self.chosen]))

    def left(self) -> tuple[FloatArray, FloatArray]:
        """Return what is left of every excess, and how far that may be off for overlaps that were guessed."""
        left = self._excess - self._columns(self._effects) @ self._shifts
        return left, self._columns(self._doubts) @ np.abs(self._shifts)

    def _columns(self, rows: list[FloatArray]) -> FloatArray:
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self._excess)).T

    def _solve(self) -> None:
        effects = self._columns(self._effects)[self.chosen]
        self._shifts = np.asarray(np.linalg.lstsq(effects, self._excess[self.chosen], rcond=1e-9)[0])


def union_of(grouped: GroupedSums, contribution: FloatArray, ranked: Sequence[int]) -> tuple[float, int]:
    """Return the contribution of the union of segments, and how many could not be counted into it."""
    counted: list[tuple[int, ...]] = []
    covered, uncounted = 0.0, 0
    for row in ranked:
        segment = tuple(int(code) for code in grouped.codes[row])
        together = _union(grouped, contribution, [*counted, segment])
        if together is None:
            uncounted += 1
        else:
            counted.append(segment)
            covered = together
    return covered, uncounted


def _union(
    grouped: GroupedSums, contribution: FloatArray, segments: Sequence[tuple[int, ...]]
) -> float | None:
    """Add up a union of segments: the first, and the others, less what the others share with the first."""
    kept = _maximal(segments)
    if not kept:
        return 0.0
    first, rest = kept[0], kept[1:]
    rows, known = grouped.find(np.array([first], dtype=np.int32))
    if rows[0] < 0 and not known[0]:
        return None
    shared = [merged for other in rest if (merged := _merge(first, other)) is not None]
    others, twice = _union(grouped, contribution, rest), _union(grouped, contribution, shared)
    if others is None or twice is None:
        return None
    return (float(contribution[rows[0]]) if rows[0] >= 0 else 0.0) + others - twice


def _maximal(segments: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Leave out segments that lie within another one."""
    kept: list[tuple[int, ...]] = []
    for segment in sorted(set(segments), key=lambda codes: sum(code > 0 for code in codes)):
        if not any(_merge(other, segment) == segment for other in kept):
            kept.append(segment)
    return kept


def _merge(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the conditions of the rows that lie in both, or None where two conditions exclude each other."""
    if any(a and b and a != b for a, b in zip(one, other, strict=True)):
        return None
    return tuple(a or b for a, b in zip(one, other, strict=True))
