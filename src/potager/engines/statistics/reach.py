"""Will a target be reached, how likely, and when will it be known?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.statistics.forecast import Forecast, forecast
from potager.engines.statistics.series import FloatArray, Series

Direction = Literal["up", "down"]
TargetOf = Literal["total", "last"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How a target stands.

    ``expected``, ``low``, ``high``: the whole period's figure (so far and to come), at ``level``. ``probability``
    that the target is reached; ``needed_per_period`` the average per remaining period that it takes (totals only);
    ``when_known_index`` after how many more periods the range will be on one side of the target if the forecast
    comes true (0: it is already). ``coverage`` is that of the forecast's ranges for this figure at the time, None
    where the series is too short to tell. ``certain`` is true when nothing to come can change the outcome.
    """

    probability: float
    expected: float
    low: float
    high: float
    level: float
    target: float
    direction: Direction
    when_known_index: int
    needed_per_period: float | None
    coverage: float | None
    method: str
    origins: int
    distinct_horizons: float
    certain: bool
    notes: tuple[str, ...]


def probability_of_reaching(
    made: Forecast,
    target: float,
    so_far: float = 0.0,
    direction: Direction = "up",
    of: TargetOf = "total",
) -> float:
    """Return the probability that the target is reached, from the forecast's own back-test errors.

    ``of`` "total": ``so_far`` plus the sum of all forecast steps (flows: revenue, orders); "last": the value of the
    last step (levels: active customers), where ``so_far`` is not used. ``direction`` "up": at least ``target``;
    "down": at most. Normal-tailed (kernel-smoothed), and kept away from 0 and 1 by how few distinct horizons the
    back-test holds.
    """
    column = made.horizon - 1
    if of == "total":
        spread, expected = made.tested.totals, so_far + made.total.value
    else:
        spread, expected = made.tested.steps, float(made.values[column])
    distance = target - expected
    return spread.above(distance if direction == "up" else -distance, column)


def when_known_index(
    made: Forecast, target: float, so_far: float = 0.0, of: TargetOf = "total", level: float | None = None
) -> int:
    """Return after how many more periods (0 to the horizon) the outcome will be known if the forecast comes true.

    Known means that the range of what then remains, at ``level`` (by default the forecast's), lies on one side of the
    target, and stays so. At the horizon itself everything is known.
    """
    spread = made.tested.totals if of == "total" else made.tested.steps
    expected = so_far + made.total.value if of == "total" else float(made.values[-1])
    # After k of H periods H − k remain, whose width is that of the (H − k)-th column; after the last, none.
    widths = np.append(spread.half_width(made.level if level is None else level)[::-1], 0.0)
    open_still = np.flatnonzero(widths >= abs(target - expected))
    return min(int(open_still[-1]) + 1, made.horizon) if open_still.size else 0


def date_known(
    made: Forecast,
    target: float,
    data_through: date,
    period_ends: Sequence[date],
    so_far: float = 0.0,
    of: TargetOf = "total",
    level: float | None = None,
) -> date:
    """Return the date of :func:`when_known_index`: ``data_through`` when it is known already, else a period's end.

    ``period_ends``: the last day of each forecast period, one per step (:class:`ValueError` otherwise).
    """
    if len(period_ends) != made.horizon:
        raise ValueError(f"The forecast has {made.horizon} periods, and {len(period_ends)} ends were given.")
    index = when_known_index(made, target, so_far, of, level)
    return period_ends[index - 1] if index else data_through


def reach(
    series: Series,
    so_far: float,
    remaining_periods: int,
    target: float,
    direction: Direction = "up",
    season: int = 1,
    level: float = 0.8,
    of: TargetOf = "total",
    max_missing: float = 0.1,
) -> Reach | CannotTell:
    """Say whether a target will be reached in the ``remaining_periods`` (≥ 0) after the end of ``series`` (n,).

    ``series`` is the history by period up to now, the current period's whole steps included; ``so_far`` is what counts
    toward the target already. ``of`` as in :func:`probability_of_reaching`. Nothing remaining, or a total of a series
    that never falls below 0 and has passed its target, is certain: probability 1 or 0. Refuses as :func:`forecast`
    does, and a target that is no number raises :class:`ValueError`.
    """
    if not np.isfinite(target) or not np.isfinite(so_far):
        raise ValueError("A target and what is reached so far are finite numbers.")
    if remaining_periods < 0:
        raise ValueError("The periods that remain are counted from 0.")
    so_far, target = float(so_far), float(target)  # numpy's numbers would go on into the answer
    values: FloatArray = np.asarray(series, dtype=np.float64)
    known = values[~np.isnan(values)]
    if remaining_periods == 0:
        if of == "last" and (not values.size or np.isnan(values[-1])):
            return CannotTell("incomplete", "The last value is missing.", "Load the last period.")
        reached = so_far if of == "total" else float(values[-1])
        return _settled(reached, target, direction, level)
    made = forecast(series, remaining_periods, season, level, max_missing)
    if isinstance(made, CannotTell):
        return made
    last = made.horizon - 1
    if of == "total":
        expected, low, high = (so_far + part for part in (made.total.value, made.total.low, made.total.high))
        coverage = made.coverage_total
    else:
        expected, low, high = (float(part[last]) for part in (made.values, made.low, made.high))
        coverage = made.coverage
    passed = (
        of == "total"
        and float(known.min()) >= 0.0
        and (so_far >= target if direction == "up" else so_far > target)
    )
    probability = probability_of_reaching(made, target, so_far, direction, of)
    if passed:
        probability = 1.0 if direction == "up" else 0.0
    spread = made.tested.totals if of == "total" else made.tested.steps
    return Reach(
        probability,
        expected,
        low,
        high,
        level,
        target,
        direction,
        0 if passed else when_known_index(made, target, so_far, of),
        (target - so_far) / remaining_periods if of == "total" else None,
        coverage,
        made.method,
        made.origins,
        float(spread.distinct[last]),
        passed,
        made.notes,
    )


def _settled(reached: float, target: float, direction: Direction, level: float) -> Reach:
    """Return the outcome when nothing remains: it is known, and needs no forecast."""
    hit = reached >= target if direction == "up" else reached <= target
    return Reach(
        1.0 if hit else 0.0,
        reached,
        reached,
        reached,
        level,
        target,
        direction,
        0,
        None,
        None,
        "nothing_remains",
        0,
        0.0,
        True,
        (),
    )
