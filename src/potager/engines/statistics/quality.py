"""How good a number is: what of it is in, and a grade of confidence that never hides its parts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from potager.engines.statistics.periods import (
    MONDAY,
    Granularity,
    Partial,
    Window,
    last_complete_period,
    last_whole_day,
    partial,
    period_of,
    periods_between,
)

State = Literal["good", "fair", "unknown", "poor"]
Letter = Literal["A", "B", "C", "D"]
PartName = Literal[
    "completeness", "freshness", "sample_size", "interval_width", "identification", "stability", "agreement"
]
PART_NAMES: tuple[PartName, ...] = (
    "completeness",
    "freshness",
    "sample_size",
    "interval_width",
    "identification",
    "stability",
    "agreement",
)
# From best to worst. Not knowing is worse than knowing that something is fair.
_ORDER: dict[State, int] = {"good": 0, "fair": 1, "unknown": 2, "poor": 3}


@dataclass(frozen=True, slots=True)
class Completeness:
    """Which of the expected periods hold data. ``share`` is of those whose every day has passed.

    ``expected``: whole periods; ``missing``: those without data; ``current``: the partial one at the end, if any.
    """

    expected: int
    present: int
    missing: tuple[Window, ...]
    last_complete: Window
    current: Partial | None

    @property
    def share(self) -> float | None:
        """The share of expected whole periods that hold data; None when none was expected yet."""
        return self.present / self.expected if self.expected else None


def completeness(
    days_with_data: Collection[date],
    first: date,
    data_through: date | datetime,
    granularity: Granularity = "day",
    week_start: int = MONDAY,
) -> Completeness:
    """Return which periods from ``first`` to ``data_through`` hold data on at least one of their days.

    Periods of days on which nothing can happen (a closed weekend) are the caller's to leave out or to count as data: a
    zero that was measured is data. A first period that ``first`` does not begin is expected as a whole.
    """
    last = last_whole_day(data_through)
    filled = {period_of(day, granularity, week_start).first for day in days_with_data}
    periods = periods_between(first, last, granularity, week_start)
    whole = [period for period in periods if not partial(period, data_through).is_partial]
    missing = tuple(period for period in whole if period.first not in filled)
    current = partial(periods[-1], data_through) if len(whole) < len(periods) else None
    return Completeness(
        len(whole),
        len(whole) - len(missing),
        missing,
        last_complete_period(granularity, data_through, week_start),
        current,
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One reason to trust a number or not: its state, the sentence people read, and the figure behind it."""

    name: PartName
    state: State
    sentence: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Grade:
    """Confidence from A to D, with every part it was made of; ``weakest`` are those in the worst state, if not good."""

    letter: Letter
    parts: tuple[Part, ...]

    @property
    def weakest(self) -> tuple[Part, ...]:
        """The parts in the worst state, none when all are good."""
        worst = max((_ORDER[part.state] for part in self.parts), default=0)
        return tuple(part for part in self.parts if _ORDER[part.state] == worst) if worst else ()


def confidence(parts: Iterable[Part], applicable: Sequence[PartName] = PART_NAMES) -> Grade:
    """Return the grade of these parts. Applicable parts that were not given count as unknown, and are added so.

    The rule, first that holds, with states ordered good, fair, unknown, poor and at least one part:

    - A: every part is good.
    - B: none is poor, at most one is unknown, at most two are not good; and not more than half are unknown.
    - C: at most one is poor (then at most three are not good), and not more than half are poor or unknown.
    - D: anything else, and no part at all.

    Monotone: bettering a part never lowers the grade, since each condition only bounds how many parts are at or below a
    state. Dominated by the worst: one poor part never grades above C, however good the rest. Raises
    :class:`ValueError` on two parts of one name.
    """
    stated = tuple(parts)
    given = {part.name for part in stated}
    if len(given) < len(stated):
        raise ValueError("Each part of a grade is stated once.")
    absent = [Part(name, "unknown", "This was not assessed.") for name in applicable if name not in given]
    whole = (*stated, *absent)
    not_good, unclear, poor = (sum(_ORDER[part.state] >= bound for part in whole) for bound in (1, 2, 3))
    known_enough = bool(whole) and unclear <= len(whole) / 2
    if whole and not not_good:
        letter: Letter = "A"
    elif known_enough and not poor and unclear <= 1 and not_good <= 2:
        letter = "B"
    elif known_enough and (not poor or (poor == 1 and not_good <= 3)):
        letter = "C"
    else:
        letter = "D"
    return Grade(letter, whole)


def _state(value: float, good: float, fair: float) -> State:
    """Return the state of a figure that is the better the smaller it is."""
    return "good" if value <= good else "fair" if value <= fair else "poor"


def completeness_part(share: float | None, good: float = 0.99, fair: float = 0.9) -> Part:
    """Return how complete the data are; ``share`` (0 to 1) of what was expected, None when unknown."""
    if share is None:
        return Part("completeness", "unknown", "Nobody said how much was expected.")
    state = _state(-share, -good, -fair)
    return Part("completeness", state, f"{_percent(share)} of what was expected is in.", share)


def freshness_part(age: timedelta | None, promise: timedelta | None) -> Part:
    """Return whether data are as fresh as promised: good within the promise, fair within twice that, else poor."""
    if age is None or promise is None:
        missing = "how old the data are" if age is None else "how fresh they ought to be"
        return Part("freshness", "unknown", f"It is not known {missing}.")
    state = _state(age / timedelta(hours=1), promise / timedelta(hours=1), 2 * (promise / timedelta(hours=1)))
    hours = age / timedelta(hours=1)
    sentence = f"Data are {_duration(age)} old; {_duration(promise)} was promised."
    return Part("freshness", state, sentence, hours)


def sample_part(n: int | None, good: int = 100, fair: int = 30) -> Part:
    """Return whether enough independent units stand behind a figure."""
    if n is None:
        return Part("sample_size", "unknown", "It is not known how many units this rests on.")
    return Part("sample_size", _state(-n, -good, -fair), f"It rests on {n:,} units.", float(n))


def interval_part(
    value: float, low: float | None, high: float | None, good: float = 0.05, fair: float = 0.2
) -> Part:
    """Return whether a range is narrow: half its width as a share of the figure, at most 5 % good, 20 % fair."""
    if low is None or high is None:
        return Part("interval_width", "unknown", "There is no range.")
    half = (high - low) / 2.0
    relative = half / abs(value) if value else (math.inf if half else 0.0)
    if math.isinf(relative):
        return Part("interval_width", "poor", "The range is wide against a figure of 0.", None)
    sentence = f"The range is ± {_percent(relative)} of the figure."
    return Part("interval_width", _state(relative, good, fair), sentence, relative)


def agreement_part(figures: Sequence[float], good: float = 0.02, fair: float = 0.1) -> Part:
    """Return whether several methods agree: the spread of their figures over the mean of their sizes."""
    if len(figures) < 2:
        return Part("agreement", "unknown", "Only one method was used.")
    size = sum(abs(figure) for figure in figures) / len(figures)
    spread = (max(figures) - min(figures)) / size if size else 0.0
    sentence = f"{len(figures)} methods lie within {_percent(spread)} of each other."
    return Part("agreement", _state(spread, good, fair), sentence, spread)


def _percent(share: float) -> str:
    """Return a share in percent; never 100 % or 0 % unless it is."""
    figure = round(share * 100.0, 1)
    if (figure >= 100.0 and share < 1.0) or (figure == 0.0 and share > 0.0):
        return "just under 100%" if share > 0.5 else "under 0.1%"
    return f"{figure:g}%"


def _duration(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    amount, unit = (hours / 24.0, "day") if hours >= 48 else (hours, "hour")
    return f"{amount:.0f} {unit}{'' if round(amount) == 1 else 's'}"
