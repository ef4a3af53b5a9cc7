"""Calendar periods: where one begins and ends, how far it is, and which days of another it may be compared with."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

Granularity = Literal["day", "week", "month", "quarter", "year"]
Baseline = Literal["previous", "year_ago"]

MONDAY = 0
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Whole days from ``first`` to ``last``, both included; :class:`ValueError` when they are the wrong way round."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"A window from {self.first} cannot end on {self.last}.")

    @property
    def days(self) -> int:
        """How many days the window holds."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Partial:
    """How much of a period is in: its first ``days_in`` of ``days`` days. ``through`` is the last of them, if any."""

    period: Window
    through: date | None
    days_in: int
    days: int

    @property
    def is_partial(self) -> bool:
        """Whether days of the period are still missing."""
        return self.days_in < self.days

    @property
    def share(self) -> float:
        """The share of the period's days that is in, 0 to 1."""
        return self.days_in / self.days


@dataclass(frozen=True, slots=True)
class ComparableWindows:
    """Two windows that may be compared, and what to say of them.

    ``same_days`` is true where both hold equally many days. ``trimmed`` is true where the current window leaves its
    latest days out because the baseline has no such days. ``note`` is empty where nothing needs saying.
    """

    current: Window
    baseline: Window
    partial: bool
    trimmed: bool
    note: str

    @property
    def same_days(self) -> bool:
        """Whether both windows hold equally many days."""
        return self.current.days == self.baseline.days


def last_whole_day(data_through: date | datetime) -> date:
    """Return the last day that is in as a whole: a date itself; of a moment, the day before unless it is the day's end.

    A moment is read in the time zone it is given in. Midnight is the end of the day before; 23:59:59 counts as the
    end of its own day, as sources that cannot write 24:00 mean it so.
    """
    if not isinstance(data_through, datetime):
        return data_through
    if data_through.time() >= time(23, 59, 59):
        return data_through.date()
    return data_through.date() - _DAY


def period_of(day: date, granularity: Granularity, week_start: int = MONDAY) -> Window:
    """Return the period that ``day`` lies in; weeks start on ``week_start`` (0 Monday to 6 Sunday)."""
    _check_week_start(week_start)
    if granularity == "day":
        return Window(day, day)
    if granularity == "week":
        first = day - timedelta(days=(day.weekday() - week_start) % 7)
        return Window(first, first + timedelta(days=6))
    length = _MONTHS[granularity]
    start = (day.month - 1) // length * length + 1
    end = start + length - 1
    return Window(date(day.year, start, 1), date(day.year, end, monthrange(day.year, end)[1]))


def period_before(period: Window, granularity: Granularity, week_start: int = MONDAY) -> Window:
    """Return the period just before this one."""
    return period_of(period.first - _DAY, granularity, week_start)


def partial(period: Window, data_through: date | datetime) -> Partial:
    """Return how much of a period is in, with data through a date (included) or a moment."""
    whole = last_whole_day(data_through)
    through = min(whole, period.last)
    if through < period.first:
        return Partial(period, None, 0, period.days)
    return Partial(period, through, (through - period.first).days + 1, period.days)


def last_complete_period(
    granularity: Granularity, data_through: date | datetime, week_start: int = MONDAY
) -> Window:
    """Return the latest period whose every day is in."""
    period = period_of(last_whole_day(data_through), granularity, week_start)
    return (
        period_before(period, granularity, week_start) if partial(period, data_through).is_partial else period
    )


def periods_between(
    first: date, last: date, granularity: Granularity, week_start: int = MONDAY
) -> tuple[Window, ...]:
    """Return all periods, in order, from the one holding ``first`` to the one holding ``last``."""
    found = []
    period = period_of(first, granularity, week_start)
    while period.first <= last:
        found.append(period)
        period = period_of(period.last + _DAY, granularity, week_start)
    return tuple(found)


def comparable_windows(
    day: date,
    granularity: Granularity,
    data_through: date | datetime,
    baseline: Baseline = "previous",
    week_start: int = MONDAY,
) -> ComparableWindows | None:
    """Return the days of the period holding ``day`` that are in, and the days of the baseline they compare with.

    A whole period compares with the whole baseline period. A partial one:

    - "previous": with as many days from the start of the period before; where that is shorter, both end with it
      (March 1–30 against February gives the first 28 or 29 days of each).
    - "year_ago": with the same calendar days a year earlier; February 29 goes with February 28.
      Weeks and days go back 52 weeks, so that weekdays match.

    Returns None when no day of the period is in yet: nothing can be compared.
    """
    period = period_of(day, granularity, week_start)
    state = partial(period, data_through)
    if state.through is None:
        return None
    if granularity in ("day", "week") and baseline == "year_ago":
        back = timedelta(weeks=52)
        base = Window(period.first - back, period.last - back)
    elif baseline == "year_ago":
        base = period_of(_year_before(period.first), granularity, week_start)
    else:
        base = period_before(period, granularity, week_start)
    if not state.is_partial:
        note = "" if base.days == period.days else f"Whole periods of {period.days} and {base.days} days."
        return ComparableWindows(period, base, False, False, note)
    if baseline == "year_ago" and granularity not in ("day", "week"):
        current, earlier = (
            Window(period.first, state.through),
            Window(base.first, _year_before(state.through)),
        )
        note = f"The first {current.days} days, against the same dates a year earlier"
        note += "." if current.days == earlier.days else f", which are {earlier.days} for a leap day."
        return ComparableWindows(current, earlier, True, False, note)
    days = min(state.days_in, base.days)
    step = timedelta(days=days - 1)
    trimmed = days < state.days_in
    note = f"The first {days} days of each period"
    note += (
        f", as the earlier one has no more; later days ({state.days_in - days}) are left out."
        if trimmed
        else "."
    )
    return ComparableWindows(
        Window(period.first, period.first + step), Window(base.first, base.first + step), True, trimmed, note
    )


def _year_before(day: date) -> date:
    """Return the same date a year earlier; February 28 for February 29."""
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


def _check_week_start(week_start: int) -> None:
    if not 0 <= week_start <= 6:
        raise ValueError(f"A week starts on day 0 (Monday) to 6 (Sunday), not {week_start!r}.")
