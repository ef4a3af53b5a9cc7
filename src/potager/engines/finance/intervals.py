"""Billing intervals: any count of days, weeks, months or years, and the dates on which they renew."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from potager.engines.finance.money import FinanceError

Unit = Literal["day", "week", "month", "year"]
UNITS: tuple[Unit, ...] = get_args(Unit)


@dataclass(frozen=True, slots=True)
class Interval:
    """``count`` times ``unit``: ``Interval(2, "week")`` is two-weekly, ``Interval(2, "year")`` every two years."""

    count: int = 1
    unit: Unit = "month"

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise FinanceError(
                f"'{self.unit}' is not an interval's unit.", f"Write one of {', '.join(UNITS)}."
            )
        if self.count < 1:
            raise FinanceError(
                f"A billing interval of {self.count} {self.unit}s is none.", "Write 1 or more."
            )

    def after(self, anchor: date, periods: int) -> date:
        """Return the day on which the period number ``periods`` after ``anchor`` begins.

        Months keep the anchor's day of the month and take the month's last day where it has none (31 January,
        28 February, 31 March), as billing systems do; they are counted from the anchor, so the day does not drift.
        """
        if self.unit == "day":
            return anchor + timedelta(days=self.count * periods)
        if self.unit == "week":
            return anchor + timedelta(weeks=self.count * periods)
        months = self.count * periods * (12 if self.unit == "year" else 1)
        return add_months(anchor, months)

    def renewal_after(self, anchor: date, on: date) -> date:
        """Return the first renewal strictly after ``on``, counted from ``anchor``; the anchor itself counts as one."""
        if on < anchor:
            return anchor
        days = {"day": 1, "week": 7, "month": 31, "year": 366}[self.unit] * self.count
        periods = (on - anchor).days // days  # never too many: no period is longer than this
        while (found := self.after(anchor, periods)) <= on:
            periods += 1
        return found


def add_months(day: date, months: int) -> date:
    """Return the same day of the month ``months`` later, or that month's last day where it has none."""
    at = day.year * 12 + day.month - 1 + months
    year, month = divmod(at, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


MONTHLY = Interval()
