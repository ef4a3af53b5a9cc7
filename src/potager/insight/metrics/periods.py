"""Periods as people write them: 2011-11, 2011-Q4, 2011-W47, 2011, a day, or two days with ``..`` between."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from potager.engines.statistics import periods as calendar
from potager.kit.errors import FieldProblem, Invalid

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTHS_IN = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole days from ``start`` to ``end``, both included. ``grain`` is None for a stretch of no usual length."""

    start: date
    end: date
    grain: Grain | None = None

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.end - self.start).days + 1

    def __str__(self) -> str:
        """Return it as people say it."""
        start, end = self.start, self.end
        if self.grain == "year":
            return str(start.year)
        if self.grain == "quarter":
            return f"quarter {(start.month - 1) // 3 + 1} of {start.year}"
        if self.grain == "month":
            return f"{MONTHS[start.month - 1]} {start.year}"
        if self.grain == "week":
            return f"the week of {_day(start)}"
        if start == end:
            return _day(start)
        if (start.year, start.month) == (end.year, end.month):
            return f"{start.day} to {_day(end)}"
        if start.year == end.year:
            return f"{start.day} {MONTHS[start.month - 1]} to {_day(end)}"
        return f"{_day(start)} to {_day(end)}"

    @property
    def when(self) -> str:
        """Return it as people say that something was then: ``in May 2026``, ``on 3 May 2026``, ``from … to …``."""
        if self.grain in {"week", *_MONTHS_IN}:
            return f"in {self}"
        return f"on {self}" if self.days == 1 else f"from {self}"

    @property
    def key(self) -> str:
        """Return it as :func:`parse_period` reads it."""
        if self.grain == "year":
            return str(self.start.year)
        if self.grain == "quarter":
            return f"{self.start.year}-Q{(self.start.month - 1) // 3 + 1}"
        if self.grain == "month":
            return f"{self.start:%Y-%m}"
        if self.grain == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02}"
        return f"{self.start}" if self.start == self.end else f"{self.start}..{self.end}"

    def shifted(self, periods: int) -> Period:
        """Return the period so many grains later (earlier where negative); days for a stretch of no grain."""
        if self.grain in _MONTHS_IN:
            start = add_months(self.start, periods * _MONTHS_IN[self.grain])
            return period_of(start, self.grain)
        length = timedelta(days=7 if self.grain == "week" else self.days)
        try:
            return Period(self.start + length * periods, self.end + length * periods, self.grain)
        except OverflowError:
            raise _outside() from None

    def previous(self) -> Period:
        """Return the period before this one."""
        return self.shifted(-1)

    def year_before(self) -> Period:
        """Return the same period a year earlier; for weeks, 52 weeks earlier."""
        if self.grain == "week":
            return self.shifted(-52)
        if self.grain in _MONTHS_IN:
            return self.shifted(-12 // _MONTHS_IN[self.grain])
        return Period(add_months(self.start, -12), add_months(self.end, -12), self.grain)

    def until(self, last: date) -> Period:
        """Return the part of the period that is over by the end of ``last``."""
        return self if last >= self.end else Period(self.start, max(self.start, last))

    def first_days(self, count: int) -> Period:
        """Return its first ``count`` days, or all of it where it is shorter."""
        return self if count >= self.days else Period(self.start, self.start + timedelta(days=count - 1))


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, or the last of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        first = date(year, month + 1, 1)
    except ValueError:
        raise _outside() from None
    return first.replace(day=min(day.day, monthrange(year, month + 1)[1]))


def period_of(day: date, grain: Grain) -> Period:
    """Return the period of a grain that holds ``day``. Weeks start on Monday (ISO 8601)."""
    window = calendar.period_of(day, grain)
    return Period(window.first, window.last, grain)


def last_whole(through: date, grain: Grain) -> Period:
    """Return the last period of a grain that is over in data that goes to the end of ``through``."""
    window = calendar.last_complete_period(grain, through)
    return Period(window.first, window.last, grain)


def same_days(period: Period, against: Period, through: date) -> tuple[Period, Period, bool]:
    """Return what may be compared in data that goes to ``through``: both whole, or the same days of both.

    The third says whether ``period`` is not over. Where the other has fewer days, both end with it.
    """
    if through >= period.end:
        return period, against, False
    known: dict[Period, calendar.Baseline] = {period.year_before(): "year_ago", period.previous(): "previous"}
    if period.grain is not None and against in known:
        found = calendar.comparable_windows(
            period.start, period.grain, max(through, period.start), known[against]
        )
        if found is not None:
            now, then = found.current, found.baseline
            return Period(now.first, now.last), Period(then.first, then.last), True
    days = min(period.until(through).days, against.days)
    return period.first_days(days), against.first_days(days), True


def periods_between(start: date, end: date, grain: Grain) -> Iterator[Period]:
    """Yield the periods of a grain that touch the days from ``start`` to ``end``."""
    found = period_of(start, grain)
    while found.start <= end:
        yield found
        found = found.shifted(1)


def parse_period(text: str) -> Period:
    """Return the period that ``text`` names, or say how periods are written."""
    text = text.strip()
    try:
        if ".." in text:
            first, last = (date.fromisoformat(part.strip()) for part in text.split("..", 1))
            if last < first:
                raise _wrong(text, "it ends before it starts")
            return Period(first, last)
        if found := re.fullmatch(r"(\d{4})", text):
            return period_of(date(int(found[1]), 1, 1), "year")
        if found := re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text):
            return period_of(date(int(found[1]), int(found[2]) * 3, 1), "quarter")
        if found := re.fullmatch(r"(\d{4})-?[Ww](\d{1,2})", text):
            return period_of(date.fromisocalendar(int(found[1]), int(found[2]), 1), "week")
        if found := re.fullmatch(r"(\d{4})-(\d{1,2})", text):
            return period_of(date(int(found[1]), int(found[2]), 1), "month")
        return period_of(date.fromisoformat(text), "day")
    except ValueError:
        raise _wrong(text, "there is no such period") from None


def _wrong(text: str, why: str) -> Invalid:
    mend = "Write 2011-11, 2011-Q4, 2011-W47, 2011, 2011-11-03, or 2011-12-01..2011-12-09."
    problem = FieldProblem("period", f"'{text}' cannot be read as a period: {why}.", mend)
    return Invalid(problem.problem, mend=mend, errors=[problem])


def _outside() -> Invalid:
    mend = "Ask about the years that the data is of."
    problem = FieldProblem(
        "period", "The period lies outside the calendar, which has the years 1 to 9999.", mend
    )
    return Invalid(problem.problem, mend=mend, errors=[problem])


def against_of(period: Period, words: str) -> Period:
    """Return the period to compare with: ``previous``, ``year`` (the same a year before), or one written out."""
    if words in {"", "previous"}:
        return period.previous()
    if words in {"year", "year before", "last year", "same period last year"}:
        return period.year_before()
    return parse_period(words)
