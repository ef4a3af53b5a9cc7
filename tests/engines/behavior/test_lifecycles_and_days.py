"""Lifecycle, stickiness, trends, sessions and the description of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given

from potager.engines.answers import CannotTell
from potager.engines.behavior import (
    STATES,
    BehaviorError,
    Condition,
    Events,
    Match,
    Scope,
    lifecycle_members_sql,
    lifecycle_sql,
    read_lifecycle,
    read_stickiness,
    read_trends,
    sessions_sql,
    stickiness_members_sql,
    stickiness_sql,
    trend_members_sql,
    trends_sql,
)
from tests.engines.behavior.happened import (
    EVENTS,
    FIRST,
    SCOPE,
    Happened,
    asked,
    at,
    day,
    happenings,
    week,
    who,
)

WEEKS = 6
LONG_AFTER = date(2026, 1, 1)


def naive_lifecycle(happened: list[Happened]) -> list[dict[str, int]]:
    active = {person: {week(one.at) for one in happened if one.who == person} for person in "abcd"}
    rows = []
    for place in range(WEEKS):
        row = dict.fromkeys(STATES, 0)
        for weeks in active.values():
            if place in weeks:
                state = "new" if min(weeks) == place else "returning" if place - 1 in weeks else "resurrected"
                row[state] += 1
            elif place - 1 in weeks:
                row["dormant"] += 1
        rows.append({"p": place, **row})
    return rows


@given(happenings())
def test_everybody_is_in_the_state_that_their_weeks_say(happened):
    rows = asked(lifecycle_sql(EVENTS, SCOPE, "week"), happened)
    assert (rows or naive_lifecycle(happened)) == naive_lifecycle(happened)


@given(happenings())
def test_who_is_active_now_was_there_before_or_is_new_or_came_back(happened):
    found = read_lifecycle(
        asked(lifecycle_sql(EVENTS, SCOPE, "week"), happened), EVENTS, SCOPE, "week", through=LONG_AFTER
    )
    if isinstance(found, CannotTell):
        assert not happened
        return
    for former, period in pairwise(found):
        # Growth accounting: nobody appears or vanishes without a name for it.
        assert period.active == former.active + period.new + period.resurrected - period.dormant


@given(happenings(most=25))
def test_the_members_of_a_state_are_as_many_as_it_says(happened):
    for row in asked(lifecycle_sql(EVENTS, SCOPE, "week"), happened)[:3]:
        for state in STATES:
            members = lifecycle_members_sql(EVENTS, SCOPE, "week", row["p"], state)
            assert len(who(members, happened)) == row[state]


def test_the_quick_ratio_is_gains_over_losses_and_none_without_losses():
    happened = [
        at("a", "open"),
        at("b", "open"),
        at("b", "open", day=7),
        at("c", "open", day=7),
        at("a", "open", day=14),
    ]
    found = read_lifecycle(
        asked(lifecycle_sql(EVENTS, SCOPE, "week"), happened),
        EVENTS,
        SCOPE,
        "week",
        through=date(2025, 3, 16),
    )
    assert not isinstance(found, CannotTell)
    first, second, third, *_ = found
    assert isinstance(first.quick_ratio, CannotTell) and second.quick_ratio == 1.0
    assert (third.resurrected, third.dormant, third.quick_ratio) == (1, 2, 0.5)
    assert [period.whole for period in found] == [True, True, False, False, False, False]


def test_who_was_there_before_the_days_is_not_new():
    happened = [
        at("a", "open", day=-30),
        at("a", "open", day=1),
        at("b", "open", day=-2),
        at("b", "open", day=1),
    ]
    first = asked(lifecycle_sql(EVENTS, SCOPE, "week"), happened)[0]
    assert (first["new"], first["resurrected"], first["returning"]) == (0, 1, 1)


@given(happenings())
def test_stickiness_counts_days_of_weeks(happened):
    expected: dict[int, int] = {}
    for person in "abcd":
        for place in range(WEEKS):
            days = len({day(one.at) for one in happened if one.who == person and week(one.at) == place})
            if days:
                expected[days] = expected.get(days, 0) + 1
    rows = asked(stickiness_sql(EVENTS, SCOPE, "week"), happened)
    assert {row["days"]: row["people"] for row in rows} == expected


def test_stickiness_has_every_number_of_days_and_a_mean():
    happened = [
        at("a", "open", day=0),
        at("a", "open", day=1),
        at("a", "open", day=6),
        at("b", "open", day=2),
    ]
    found = read_stickiness(asked(stickiness_sql(EVENTS, SCOPE, "week"), happened), EVENTS, SCOPE, "week")
    assert not isinstance(found, CannotTell)
    assert found.counts == (1, 0, 1, 0, 0, 0, 0) and found.people == 2
    assert found.mean_days == 2.0 and found.share_of_days == pytest.approx(2 / 7)
    assert who(stickiness_members_sql(EVENTS, SCOPE, "week", 3), happened) == ["a"]
    month = read_stickiness(asked(stickiness_sql(EVENTS, SCOPE, "month"), happened), EVENTS, SCOPE, "month")
    assert not isinstance(month, CannotTell) and len(month.counts) == 31 and month.periods == 2
    with pytest.raises(BehaviorError, match="no days"):
        stickiness_sql(EVENTS, SCOPE, "day")
    assert isinstance(read_stickiness([], EVENTS, SCOPE, "week"), CannotTell)


@given(happenings())
def test_trends_count_events_and_people_by_day(happened):
    rows = asked(trends_sql(EVENTS, SCOPE, "day", Match(("open", "buy"))), happened)
    wanted = [one for one in happened if one.what in {"open", "buy"}]
    days = sorted({day(one.at) for one in wanted})
    assert [row["events"] for row in rows] == [sum(day(one.at) == d for one in wanted) for d in days]
    assert [row["people"] for row in rows] == [
        len({one.who for one in wanted if day(one.at) == d}) for d in days
    ]


def test_a_split_shows_the_largest_and_the_rest_as_other():
    happened = [
        at(person, "open", day=k, plan=plan)
        for k, (person, plan) in enumerate(
            [
                ("a", "free"),
                ("a", "free"),
                ("b", "free"),
                ("b", "paid"),
                ("c", "paid"),
                ("c", "team"),
                ("d", None),
            ]
        )
    ]
    found = read_trends(
        asked(trends_sql(EVENTS, SCOPE, "week", by="plan", top=2), happened),
        EVENTS,
        SCOPE,
        "week",
        through=LONG_AFTER,
    )
    assert not isinstance(found, CannotTell)
    assert [(line.name, line.events) for line in found] == [("free", 3), ("paid", 2), ("other", 2)]
    first = found[0].points[0]
    assert (first.value("events"), first.value("people"), first.value("per_person")) == (3.0, 2.0, 1.5)
    assert found[0].points[5].value("per_person") is None and found[0].points[5].value("events") == 0.0
    assert who(trend_members_sql(EVENTS, SCOPE, "week", 0, by="plan", value="paid"), happened) == ["b", "c"]
    assert who(trend_members_sql(EVENTS, SCOPE, "week", 0), happened) == ["a", "b", "c", "d"]
    with pytest.raises(BehaviorError, match="at least one"):
        trends_sql(EVENTS, SCOPE, "week", by="plan", top=0)
    assert isinstance(read_trends([], EVENTS, SCOPE, "week", through=LONG_AFTER), CannotTell)


def test_a_session_ends_with_a_pause():
    minutes = [0, 10, 29, 60, 61]
    happened = [Happened("a", "open", FIRST + timedelta(minutes=m)) for m in minutes] + [
        at("b", "open", day=8)
    ]
    rows = asked(sessions_sql(EVENTS, SCOPE, "week", pause=30 * 60), happened)
    assert [(row["p"], row["sessions"], row["people"]) for row in rows] == [(0, 2, 1), (1, 1, 1)]
    assert rows[0]["seconds"] == (29 * 60 + 60) / 2 and rows[0]["events"] == 2.5
    with pytest.raises(BehaviorError, match="pause"):
        sessions_sql(EVENTS, SCOPE, "week", pause=0)


# --- The description of events


def counted(
    events: Events, happened: list[Happened], scope: Scope = SCOPE, **tables: pa.Table
) -> tuple[int, int]:
    rows = asked(trends_sql(events, scope, "month"), happened, **tables)
    return sum(row["events"] for row in rows), sum(row["people"] for row in rows)


def test_events_after_the_last_day_and_without_somebody_are_left_out():
    nobody = Happened(None, "open", FIRST)  # type: ignore[arg-type]
    assert counted(EVENTS, [at("a", "open"), at("a", "open", day=400), nobody]) == (1, 1)


def test_repeats_of_an_event_id_count_once():
    twice = [
        at("a", "open", plan="id-1"),
        at("a", "open", day=1, plan="id-1"),
        at("a", "open", day=1, plan="id-2"),
    ]
    assert counted(replace(EVENTS, event_id="plan", properties=()), twice) == (2, 1)


def test_merged_identities_count_as_one():
    known = pa.table({"alias": ["a", "b"], "person": ["p", "p"]})
    events = replace(EVENTS, identities="main.identities")
    happened = [at("a", "open"), at("b", "open"), at("c", "open")]
    assert counted(events, happened, identities=known) == (3, 2)
    assert events.tables == ("main.happened", "main.identities")


def test_days_are_those_of_the_time_zone():
    late = [Happened("a", "open", datetime(2025, 3, 31, 22, 30))]  # half past midnight in Berlin, on 1 April
    april = Scope(date(2025, 4, 1), date(2025, 4, 30))
    assert counted(replace(EVENTS, zone="Europe/Berlin"), late, april) == (1, 1)
    assert counted(EVENTS, late, april) == (0, 0)


def test_a_moment_that_knows_its_zone_is_read_as_such():
    sql = trends_sql(replace(EVENTS, aware=True, zone="Europe/Berlin"), SCOPE, "day")
    assert "AT TIME ZONE 'UTC'" not in sql and "AT TIME ZONE 'Europe/Berlin'" in sql


def test_accounts_are_counted_where_there_is_a_column_for_them():
    happened = [at("a", "open", company="x"), at("b", "open", company="x"), at("c", "open", company=None)]
    rows = asked(trends_sql(EVENTS, replace(SCOPE, unit="account"), "month"), happened)
    assert (rows[0]["events"], rows[0]["people"]) == (2, 1)
    with pytest.raises(BehaviorError, match="account"):
        trends_sql(replace(EVENTS, account=""), replace(SCOPE, unit="account"), "month")


def test_properties_are_columns_or_in_json():
    events = replace(EVENTS, properties=(), json_column="plan")
    happened = [
        at("a", "open", plan='{"color": "red"}'),
        at("b", "open", plan='{"color": "blue"}'),
        at("c", "open"),
    ]
    red = replace(SCOPE, where=(Condition("color", ("red",)),))
    assert counted(events, happened, red) == (1, 1)
    assert counted(events, happened, replace(SCOPE, where=(Condition("color", ("red",), negated=True),))) == (
        2,
        2,
    )


def test_every_row_is_an_event_where_no_column_names_it():
    events = replace(EVENTS, event="", every="order")
    assert counted(events, [at("a", "x"), at("a", "y")]) == (2, 1)
    assert len(asked(trends_sql(events, SCOPE, "week", Match(("order",))), [at("a", "x")])) == 1


def test_names_and_values_are_quoted():
    nasty = "it's; DROP TABLE happened --"
    assert counted(EVENTS, [at("a", nasty)]) == (1, 1)
    rows = asked(trends_sql(EVENTS, SCOPE, "week", Match((nasty,))), [at("a", nasty)])
    assert rows[0]["events"] == 1
    with pytest.raises(BehaviorError, match="column's name"):
        trends_sql(replace(EVENTS, person="a\x00"), SCOPE, "week")


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Scope(date(2025, 2, 1), date(2025, 1, 1)), "before"),
        (lambda: Condition("plan", ()).sql(EVENTS), "No value"),
        (lambda: Condition("color", ("red",)).sql(EVENTS), "They have"),
        (lambda: lifecycle_members_sql(EVENTS, SCOPE, "week", 0, "asleep"), "no state asleep"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(build, says):
    with pytest.raises(BehaviorError) as refused:
        build()
    assert says in f"{refused.value.detail} {refused.value.mend}"
