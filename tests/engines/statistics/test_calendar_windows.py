"""Partial periods and the days they compare with, through leap days, short months and weeks that start on Sunday."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.statistics import (
    Window,
    comparable_windows,
    last_complete_period,
    last_whole_day,
    partial,
    period_before,
    period_of,
    periods_between,
)

dates = st.dates(date(1999, 1, 1), date(2040, 12, 31))
granularities = st.sampled_from(["day", "week", "month", "quarter", "year"])


@pytest.mark.parametrize(
    ("through", "day"),
    [
        (date(2011, 12, 9), date(2011, 12, 9)),
        (datetime(2011, 12, 9, 12, 50), date(2011, 12, 8)),
        (datetime(2011, 12, 9), date(2011, 12, 8)),
        (datetime(2011, 12, 9, 23, 59, 59), date(2011, 12, 9)),
    ],
)
def test_a_day_is_in_when_it_is_over(through, day):
    assert last_whole_day(through) == day


@pytest.mark.parametrize(
    ("granularity", "first", "last"),
    [
        ("day", date(2024, 2, 29), date(2024, 2, 29)),
        ("week", date(2024, 2, 26), date(2024, 3, 3)),
        ("month", date(2024, 2, 1), date(2024, 2, 29)),
        ("quarter", date(2024, 1, 1), date(2024, 3, 31)),
        ("year", date(2024, 1, 1), date(2024, 12, 31)),
    ],
)
def test_periods_hold_the_leap_day(granularity, first, last):
    assert period_of(date(2024, 2, 29), granularity) == Window(first, last)


def test_weeks_start_as_told():
    assert period_of(date(2024, 3, 3), "week", 6) == Window(date(2024, 3, 3), date(2024, 3, 9))
    assert period_before(Window(date(2024, 3, 3), date(2024, 3, 9)), "week", 6).first == date(2024, 2, 25)
    with pytest.raises(ValueError, match="starts on day"):
        period_of(date(2024, 3, 3), "week", 7)


def test_december_2011_is_partial_and_not_a_collapse():
    state = partial(period_of(date(2011, 12, 1), "month"), datetime(2011, 12, 9, 12, 50))
    assert (
        state.is_partial and state.days_in == 8 and state.days == 31 and state.share == pytest.approx(8 / 31)
    )
    assert last_complete_period("month", datetime(2011, 12, 9, 12, 50)) == Window(
        date(2011, 11, 1), date(2011, 11, 30)
    )
    assert last_complete_period("month", date(2011, 11, 30)).last == date(2011, 11, 30)
    before = partial(period_of(date(2012, 1, 1), "month"), date(2011, 12, 9))
    assert before.through is None and before.days_in == 0 and before.is_partial


def windows(day, granularity, through, baseline="previous", week_start=0):
    made = comparable_windows(day, granularity, through, baseline, week_start)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("day", "granularity", "through", "baseline", "current", "earlier", "trimmed"),
    [
        # Month to date, against the month before.
        (
            "2011-12-09",
            "month",
            "2011-12-08",
            "previous",
            "2011-12-01/2011-12-08",
            "2011-11-01/2011-11-08",
            False,
        ),
        # The month before is shorter: both end with it.
        (
            "2023-03-30",
            "month",
            "2023-03-30",
            "previous",
            "2023-03-01/2023-03-28",
            "2023-02-01/2023-02-28",
            True,
        ),
        (
            "2024-03-30",
            "month",
            "2024-03-30",
            "previous",
            "2024-03-01/2024-03-29",
            "2024-02-01/2024-02-29",
            True,
        ),
        # The same dates a year earlier, around the leap day.
        (
            "2024-02-28",
            "month",
            "2024-02-28",
            "year_ago",
            "2024-02-01/2024-02-28",
            "2023-02-01/2023-02-28",
            False,
        ),
        (
            "2024-02-29",
            "quarter",
            "2024-02-29",
            "year_ago",
            "2024-01-01/2024-02-29",
            "2023-01-01/2023-02-28",
            False,
        ),
        (
            "2025-03-10",
            "year",
            "2025-03-10",
            "year_ago",
            "2025-01-01/2025-03-10",
            "2024-01-01/2024-03-10",
            False,
        ),
        # As many days into the quarter.
        (
            "2023-05-31",
            "quarter",
            "2023-05-31",
            "previous",
            "2023-04-01/2023-05-31",
            "2023-01-01/2023-03-02",
            False,
        ),
        (
            "2023-06-30",
            "quarter",
            "2023-06-29",
            "previous",
            "2023-04-01/2023-06-29",
            "2023-01-01/2023-03-31",
            False,
        ),
        (
            "2023-09-30",
            "quarter",
            "2023-09-29",
            "previous",
            "2023-07-01/2023-09-29",
            "2023-04-01/2023-06-30",
            False,
        ),
        # Weeks: as many days; a year is 52 weeks, so that weekdays match.
        (
            "2024-03-06",
            "week",
            "2024-03-06",
            "previous",
            "2024-03-04/2024-03-06",
            "2024-02-26/2024-02-28",
            False,
        ),
        (
            "2024-03-06",
            "week",
            "2024-03-06",
            "year_ago",
            "2024-03-04/2024-03-06",
            "2023-03-06/2023-03-08",
            False,
        ),
        # Whole periods compare whole.
        (
            "2024-03-06",
            "month",
            "2024-05-01",
            "previous",
            "2024-03-01/2024-03-31",
            "2024-02-01/2024-02-29",
            False,
        ),
        (
            "2024-02-06",
            "month",
            "2024-05-01",
            "year_ago",
            "2024-02-01/2024-02-29",
            "2023-02-01/2023-02-28",
            False,
        ),
        (
            "2024-02-29",
            "day",
            "2024-02-29",
            "previous",
            "2024-02-29/2024-02-29",
            "2024-02-28/2024-02-28",
            False,
        ),
        (
            "2024-02-29",
            "day",
            "2024-02-29",
            "year_ago",
            "2024-02-29/2024-02-29",
            "2023-03-02/2023-03-02",
            False,
        ),
    ],
)
def test_what_compares_with_what(day, granularity, through, baseline, current, earlier, trimmed):
    made = windows(date.fromisoformat(day), granularity, date.fromisoformat(through), baseline)
    assert f"{made.current.first}/{made.current.last}" == current
    assert f"{made.baseline.first}/{made.baseline.last}" == earlier
    assert made.trimmed is trimmed


def test_what_is_unequal_is_said():
    leap = windows(date(2024, 3, 10), "year", date(2024, 3, 10), "year_ago")
    assert not leap.same_days and "leap day" in leap.note
    whole = windows(date(2024, 3, 6), "month", date(2024, 5, 1))
    assert not whole.partial and "31 and 29 days" in whole.note
    assert "left out" in windows(date(2023, 3, 30), "month", date(2023, 3, 30)).note
    assert windows(date(2024, 8, 6), "month", date(2024, 8, 31)).note == ""


def test_nothing_in_yet_compares_with_nothing():
    assert comparable_windows(date(2024, 3, 30), "month", date(2024, 2, 29)) is None


def test_a_window_runs_forward():
    with pytest.raises(ValueError, match="cannot end"):
        Window(date(2024, 1, 2), date(2024, 1, 1))


@given(dates, granularities, st.integers(0, 6))
def test_periods_tile_the_calendar(day, granularity, week_start):
    period = period_of(day, granularity, week_start)
    assert period.first <= day <= period.last
    before = period_before(period, granularity, week_start)
    assert before.last + timedelta(days=1) == period.first
    assert (
        period_of(period.first, granularity, week_start)
        == period
        == period_of(period.last, granularity, week_start)
    )
    assert periods_between(before.first, day, granularity, week_start) == (before, period)


@given(
    dates, granularities, st.sampled_from(["previous", "year_ago"]), st.integers(0, 400), st.integers(0, 6)
)
def test_a_partial_period_meets_the_same_days(day, granularity, baseline, later, week_start):
    made = comparable_windows(day, granularity, day + timedelta(days=later), baseline, week_start)
    assert made is not None
    assert made.baseline.last < made.current.first
    assert made.current.first == period_of(day, granularity, week_start).first
    if made.partial and baseline == "previous":
        assert made.same_days
    if made.partial:
        assert abs(made.current.days - made.baseline.days) <= 1
    if granularity == "week" and baseline == "year_ago":
        assert made.current.first.weekday() == made.baseline.first.weekday()
    assert made.current.last <= day + timedelta(days=later)
