"""Would any plausible value change what is done? If not, the question need not be asked."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class CouldChange:
    """What a plausible range of a figure means for the action it feeds.

    ``changes`` is true where the range holds values that call for different actions. ``ever`` is false where no value
    at all would change the action: the question can be retired. ``actions``: those that plausible values call for, from
    low to high; ``nearest``: the threshold nearest to the range among those where the action changes, and
    ``distance`` how far it lies outside the range (0 when inside), in the unit of the figure; None where there is none.
    """

    changes: bool
    ever: bool
    actions: tuple[str, ...]
    nearest: float | None
    distance: float | None


def could_change(
    thresholds: Sequence[float], low: float, high: float, actions: Sequence[str] | None = None
) -> CouldChange:
    """Say whether any value from ``low`` to ``high`` would change the action.

    ``thresholds``: ascending, in the unit of the figure; a value at a threshold belongs above it. ``actions``: one per
    band, from below the first threshold to above the last; neighbors may be the same, and without them every band
    has its own. This is the test of the expected value of perfect information (Howard 1966) with the range for all
    that is plausible: where it fails, that value is nil. Raises :class:`ValueError` on thresholds out of order, a
    range the wrong way round or not a number, and a number of actions that does not fit.
    """
    cuts = [float(cut) for cut in thresholds]
    if any(later <= earlier for earlier, later in pairwise(cuts)) or any(map(math.isnan, cuts)):
        raise ValueError("Thresholds are numbers in ascending order.")
    if not low <= high:
        raise ValueError(f"A range from {low!r} to {high!r} is none.")
    bands = list(actions) if actions is not None else [f"band {number}" for number in range(1, len(cuts) + 2)]
    if len(bands) != len(cuts) + 1:
        raise ValueError(
            f"{len(cuts)} thresholds make {len(cuts) + 1} bands, and {len(bands)} actions were given."
        )
    plausible = tuple(dict.fromkeys(bands[bisect_right(cuts, low) : bisect_right(cuts, high) + 1]))
    turning = [cut for cut, below, above in zip(cuts, bands, bands[1:], strict=False) if below != above]
    nearest = min(turning, key=lambda cut: max(low - cut, cut - high, 0.0), default=None)
    distance = None if nearest is None else max(low - nearest, nearest - high, 0.0)
    return CouldChange(len(plausible) > 1, bool(turning), plausible, nearest, distance)
