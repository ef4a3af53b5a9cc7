"""Retention against a naive count, censoring, and what cohorts are worth."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.behavior import (
    BehaviorError,
    Match,
    Retention,
    RetentionGrid,
    Scope,
    Weights,
    read_retention,
    retention_members_sql,
    retention_sql,
    revenue_retention_sql,
)
from tests.engines.behavior.happened import EVENTS, FIRST, SCOPE, Happened, asked, at, happenings, week, who

START, BACK = Match(("open",)), Match(("search", "buy"))
LONG_AFTER = date(2026, 1, 1)


def weeks(happened: list[Happened], person: str, match: Match) -> set[int]:
    return {week(one.at) for one in happened if one.who == person and one.what in match.events}


def naive(
    happened: list[Happened], kind: str, offsets: int
) -> tuple[dict[int, int], dict[tuple[int, int], int]]:
    """Return the sizes of cohorts and how many were kept in each cell, counted person by person."""
    sizes: dict[int, int] = {}
    kept: dict[tuple[int, int], int] = {}
    for person in "abcd":
        starts, backs = weeks(happened, person, START), weeks(happened, person, BACK)
        cohorts = sorted(starts) if kind == "recurring" else sorted(starts)[:1]
        for cohort in cohorts:
            sizes[cohort] = sizes.get(cohort, 0) + 1
            for offset in range(offsets + 1):
                came = (
                    {later for later in backs if later >= cohort + offset}
                    if kind == "rolling"
                    else backs & {cohort + offset}
                )
                if came:
                    kept[cohort, offset] = kept.get((cohort, offset), 0) + 1
    return sizes, kept


@given(happenings(), st.sampled_from(["first_time", "recurring", "rolling"]))
def test_the_grid_is_what_counting_person_by_person_gives(happened, kind):
    retention = Retention(kind, "week", 4, START, BACK)
    rows = asked(retention_sql(EVENTS, SCOPE, retention), happened)
    sizes, kept = naive(happened, kind, 4)
    assert {row["cohort"]: row["kept"] for row in rows if row["shift"] == -1} == sizes
    assert {(row["cohort"], row["shift"]): row["kept"] for row in rows if row["shift"] >= 0} == kept


@given(happenings(), st.sampled_from(["first_time", "recurring", "rolling", "24h"]))
def test_the_members_of_a_cell_are_as_many_as_it_says_and_the_rest_were_lost(happened, kind):
    retention = Retention(kind, "week", 2, START, BACK)
    rows = asked(retention_sql(EVENTS, SCOPE, retention), happened)
    sizes = {row["cohort"]: row["kept"] for row in rows if row["shift"] == -1}
    for row in rows:
        cohort, shift = row["cohort"], row["shift"]
        if shift == -1:
            assert len(who(retention_members_sql(EVENTS, SCOPE, retention, cohort), happened)) == row["kept"]
            continue
        kept = who(retention_members_sql(EVENTS, SCOPE, retention, cohort, shift), happened)
        lost = who(retention_members_sql(EVENTS, SCOPE, retention, cohort, shift, lost=True), happened)
        assert len(kept) == row["kept"] and len(kept) + len(lost) == sizes[cohort]


@given(happenings())
def test_windows_of_24_hours_run_from_the_very_moment(happened):
    retention = Retention("24h", "day", 3, START, BACK)
    rows = asked(retention_sql(EVENTS, SCOPE, retention), happened)
    expected: dict[tuple[int, int], int] = {}
    for person in "abcd":
        starts = [one.at for one in happened if one.who == person and one.what == "open"]
        if not starts:
            continue
        first = min(starts)
        cohort = (first.date() - FIRST.date()).days
        shifts = {
            (one.at - first) // timedelta(days=1)
            for one in happened
            if one.who == person and one.what in BACK.events and one.at >= first
        }
        for shift in {-1} | {shift for shift in shifts if shift <= 3}:
            expected[cohort, shift] = expected.get((cohort, shift), 0) + 1
    assert {(row["cohort"], row["shift"]): row["kept"] for row in rows} == expected


def grid(happened: list[Happened], retention: Retention, through: date = LONG_AFTER, **more) -> RetentionGrid:
    found = read_retention(
        asked(retention_sql(EVENTS, SCOPE, retention), happened),
        EVENTS,
        SCOPE,
        retention,
        through=through,
        **more,
    )
    assert isinstance(found, RetentionGrid)
    return found


def test_who_began_before_the_days_is_no_cohort_but_is_not_new_either():
    happened = [
        at("a", "open", day=-10),
        at("a", "open", day=1),
        at("a", "buy", day=2),
        at("b", "open", day=1),
    ]
    (cohort,) = grid(happened, Retention("first_time", "week", 1, START, BACK)).cohorts
    assert cohort.size == 1 and cohort.cells[0].kept.part == 0


def test_a_cell_whose_week_is_not_over_is_unknown_and_never_zero():
    happened = [at("a", "open"), at("a", "buy", day=8), at("b", "open", day=8)]
    found = grid(happened, Retention("first_time", "week", 2, START, BACK), through=date(2025, 3, 18))
    first, second = found.cohorts
    assert [cell.kept and cell.kept.part for cell in first.cells] == [0, 1, None]
    assert [cell.kept and cell.kept.part for cell in second.cells] == [0, None, None]
    # All together, an offset counts only the cohorts for which it is known.
    assert [(cell.kept.part, cell.kept.whole) for cell in found.overall if cell.kept] == [(0, 2), (1, 1)]
    assert found.overall[2].kept is None


def test_windows_from_a_moment_are_whole_a_day_later():
    happened = [at("a", "open", day=0.9), at("a", "buy", day=1.8)]
    retention = Retention("24h", "day", 0 + 1, START, BACK)
    found = grid(happened, retention, through=FIRST.date())
    assert found.cohorts[0].cells[0].kept is None
    found = grid(happened, retention, through=FIRST.date() + timedelta(days=1))
    assert found.cohorts[0].cells[0].kept.part == 1


def test_weeks_begin_when_the_organization_says():
    sunday = [at("a", "open", day=5.5), at("a", "buy", day=6.5)]  # a Saturday and a Sunday
    monday_weeks = asked(
        retention_sql(EVENTS, SCOPE, Retention("first_time", "week", 1, START, BACK)), sunday
    )
    from dataclasses import replace

    sunday_weeks = replace(EVENTS, week_starts=7)
    retention = Retention("first_time", "week", 1, START, BACK)
    other = asked(retention_sql(sunday_weeks, Scope(date(2025, 3, 2), SCOPE.end), retention), sunday)
    assert {row["shift"] for row in monday_weeks if row["kept"]} == {-1, 0}
    assert {row["shift"] for row in other if row["kept"]} == {-1, 1}


def test_months_are_counted_by_the_calendar():
    happened = [at("a", "open", day=27), at("a", "buy", day=29)]  # 30 March and 1 April
    rows = asked(retention_sql(EVENTS, SCOPE, Retention("first_time", "month", 1, START, BACK)), happened)
    assert {(row["cohort"], row["shift"]) for row in rows} == {(0, -1), (0, 1)}


def test_a_look_at_two_years_of_days_is_right_beyond_62_of_them():
    scope = Scope(date(2024, 1, 1), date(2025, 12, 31))
    happened = [Happened("a", "open", datetime(2024, 1, 1)), Happened("a", "buy", datetime(2024, 2, 29))]
    happened += [Happened("b", "open", datetime(2025, 6, 1)), Happened("b", "buy", datetime(2025, 6, 20))]
    rows = asked(retention_sql(EVENTS, scope, Retention("first_time", "day", 60, START, BACK)), happened)
    assert {(row["cohort"], row["shift"]) for row in rows} == {(0, -1), (0, 59), (517, -1), (517, 19)}
    rolling = asked(retention_sql(EVENTS, scope, Retention("rolling", "day", 60, START, BACK)), happened)
    assert sum(row["kept"] for row in rolling if row["cohort"] == 0 and row["shift"] >= 0) == 60


WORTH = pa.table(
    {
        "customer": ["a", "a", "b", "b", "z"],
        "month": [date(2025, 3, 1), date(2025, 4, 1), date(2025, 3, 1), date(2025, 4, 1), date(2025, 3, 1)],
        "cents": [100, 150, 200, 0, 999],
    }
)


def test_revenue_retention_is_what_the_cohort_is_worth_later():
    happened = [at("a", "open"), at("b", "open", day=3)]
    retention = Retention("first_time", "month", 1, START, BACK)
    weights = Weights("worth_by_month", "customer", "month", "cents")
    worth = asked(revenue_retention_sql(EVENTS, SCOPE, retention, weights), happened, worth_by_month=WORTH)
    (cohort,) = grid(happened, retention, worth=worth).cohorts
    assert cohort.value == 300 and [cell.value for cell in cohort.cells] == [300, 150]


def test_revenue_is_not_kept_by_those_who_begin_again_and_again():
    with pytest.raises(BehaviorError, match="began once"):
        revenue_retention_sql(EVENTS, SCOPE, Retention("recurring"), Weights("t", "a", "b", "c"))


def test_nobody_to_keep_and_too_many_periods_get_a_sentence():
    retention = Retention("first_time", "week", 4, START, BACK)
    found = read_retention([], EVENTS, SCOPE, retention, through=LONG_AFTER)
    assert isinstance(found, CannotTell) and "open" in found.because
    with pytest.raises(BehaviorError, match="0 periods"):
        Retention(offsets=0)
    with pytest.raises(BehaviorError, match="too many"):
        retention_sql(EVENTS, Scope(date(2020, 1, 1), date(2025, 1, 1)), Retention(grain="day"))
    with pytest.raises(BehaviorError, match="no such cohort"):
        retention_members_sql(EVENTS, SCOPE, retention, 60)
