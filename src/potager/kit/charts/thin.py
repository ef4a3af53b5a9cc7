"""Fewer points for the same line: what a long series may leave out without hiding anything that can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def thinned(values: Sequence[float | None], most: int) -> tuple[int, ...]:
    """Return the positions to draw, ``most`` of them at most: first, last, lowest and highest of every stretch.

    This is the M4 aggregation of Jugel, Jerzak, Hackenbroich and Markl (2014): drawn on that many pixels the line
    looks as the whole one does; no peak and no dip is lost. Unknown values stay unknown: a stretch's first missing
    position is kept, so that a gap stays a gap.
    """
    count = len(values)
    if count <= most:
        return tuple(range(count))
    import numpy as np

    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    missing = np.isnan(numbers)
    parts = max(1, most // 5)
    edges = np.linspace(0, count, parts + 1).astype(int)
    kept: set[int] = set()
    for start, stop in pairwise(edges):
        gone = missing[start:stop]
        kept.update((int(start), int(stop) - 1))
        if gone.all():
            continue
        part = numbers[start:stop]
        kept.update((int(start + np.nanargmin(part)), int(start + np.nanargmax(part))))
        if gone.any():
            kept.add(int(start + np.argmax(gone)))
    return tuple(sorted(kept))
