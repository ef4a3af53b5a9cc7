"""Periods: what people write is read, said and shifted without losing a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.insight.metrics.periods import (
    GRAINS,
    Period,
    against_of,
    parse_period,
    period_of,
    periods_between,
)
from potager.kit.errors import Invalid

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
grains = st.sampled_from(GRAINS)


@pytest.mark.parametrize(
    ("text", "start", "end", "said"),
    [
        ("2011", date(2011, 1, 1), date(2011, 12, 31), "2011"),
        ("2011-Q4", date(2011, 10, 1), date(2011, 12, 31), "quarter 4 of 2011"),
        ("2011q1", date(2011, 1, 1), date(2011, 3, 31), "quarter 1 of 2011"),
        ("2012-02", date(2012, 2, 1), date(2012, 2, 29), "February 2012"),
        ("2011-2", date(2011, 2, 1), date(2011, 2, 28), "February 2011"),
        ("2011-W01", date(2011, 1, 3), date(2011, 1, 9), "the week of 3 January 2011"),
        ("2020-W53", date(2020, 12, 28), date(2021, 1, 3), "the week of 28 December 2020"),
        ("2011-12-09", date(2011, 12, 9), date(2011, 12, 9), "9 December 2011"),
        (" 2011-12-01 .. 2011-12-09 ", date(2011, 12, 1), date(2011, 12, 9), "1 to 9 December 2011"),
        ("2011-11-28..2011-12-09", date(2011, 11, 28), date(2011, 12, 9), "28 November to 9 December 2011"),
    ],
)
def test_a_period_is_read_as_it_is_written(text: str, start: date, end: date, said: str) -> None:
    found = parse_period(text)
    assert (found.start, found.end, str(found)) == (start, end, said)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2011-13", "2011-Q5", "2011-W54", "2011-02-30", "2011-02-02..2011-02-01", "..", "0000"],
)
def test_what_is_no_period_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_period(text)
    assert "2011-Q4" in refused.value.mend and [e.where for e in refused.value.errors] == ["period"]


@given(days, grains)
def test_a_period_is_read_back_from_its_key(day: date, grain) -> None:
    period = period_of(day, grain)
    assert period.start <= day <= period.end
    assert parse_period(period.key) == period


@given(days, grains)
def test_periods_of_a_grain_touch_and_never_overlap(day: date, grain) -> None:
    period = period_of(day, grain)
    assert period.previous().end + timedelta(days=1) == period.start
    assert period.shifted(1).previous() == period


@given(days, st.integers(0, 400), grains)
def test_the_periods_between_two_days_cover_every_day_once(first: date, length: int, grain) -> None:
    last = first + timedelta(days=length)
    found = list(periods_between(first, last, grain))
    assert found[0].start <= first and found[-1].end >= last
    assert sum(one.days for one in found) == (found[-1].end - found[0].start).days + 1


@given(days, st.integers(0, 100), st.integers(1, 100))
def test_a_part_of_a_period_and_the_same_days_have_the_same_length(
    day: date, reach: int, length: int
) -> None:
    period = Period(day, day + timedelta(days=length))
    part = period.until(day + timedelta(days=reach))
    assert part.days == min(reach, length) + 1
    assert period.previous().first_days(part.days).days == part.days


def test_the_same_period_a_year_before_is_the_same_month_quarter_or_weekday() -> None:
    assert against_of(parse_period("2012-02"), "year") == parse_period("2011-02")
    assert against_of(parse_period("2012-Q1"), "last year") == parse_period("2011-Q1")
    assert against_of(parse_period("2012"), "year") == parse_period("2011")
    week = against_of(parse_period("2012-W10"), "year")
    assert week.start == parse_period("2012-W10").start - timedelta(days=364)
    assert against_of(parse_period("2012-02-29"), "year") == parse_period("2011-02-28")
    assert against_of(parse_period("2012-03"), "") == parse_period("2012-02")
    assert against_of(parse_period("2012-03"), "2011-07") == parse_period("2011-07")


@pytest.mark.parametrize(
    "text", ["0001", "0001-01", "0001-Q1", "0001-W02", "0001-01-01", "9998", "9999-12", "9999-11"]
)
def test_the_ends_of_the_calendar_are_said_and_never_an_error(text: str) -> None:
    def walk() -> None:
        period = parse_period(text)
        for _ in range(2):
            period.previous(), period.year_before(), period.shifted(1).shifted(1)

    with pytest.raises(Invalid) as refused:
        walk()
    assert refused.value.mend
