"""Funnels against a search through all attempts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.behavior import (
    BehaviorError,
    Condition,
    Funnel,
    FunnelResult,
    Match,
    funnel_members_sql,
    funnel_sql,
    read_funnel,
)
from tests.engines.behavior.happened import EVENTS, SCOPE, Happened, asked, at, happenings, who

DAY = 24 * 3600
STEPS = tuple(Match((name,)) for name in ("open", "search", "buy"))
WINDOW = 5 * DAY


def of(person: str, happened: list[Happened]) -> list[Happened]:
    return sorted((one for one in happened if one.who == person), key=lambda one: one.at)


def reaches_in_order(own: list[Happened], names: list[str], window: int, barred: str = "") -> bool:
    """Search every start: greedily, the earliest of each next step loses nothing."""
    for place, start in enumerate(own):
        if start.what != names[0]:
            continue
        wanted = list(names[1:])
        for later in own[place + 1 :]:
            if not wanted or later.at - start.at > timedelta(seconds=window) or later.what == barred:
                break
            if later.what == wanted[0]:
                wanted.pop(0)
        if not wanted:
            return True
    return False


def reaches_strictly(own: list[Happened], names: list[str], window: int) -> bool:
    for place in range(len(own) - len(names) + 1):
        run = own[place : place + len(names)]
        if [one.what for one in run] == names and run[-1].at - run[0].at <= timedelta(seconds=window):
            return True
    return False


def reaches_anyhow(own: list[Happened], names: list[str], count: int, window: int) -> bool:
    return any(reaches_in_order(own, list(order), window) for order in permutations(names, count))


def reached(happened: list[Happened], funnel: Funnel) -> list[int]:
    """Count by the fold, and by the window passes of who has more than two events: both must find the same."""
    rows, passed = (
        asked(funnel_sql(EVENTS, SCOPE, replace(funnel, folded=most)), happened) for most in (None, 2)
    )
    assert rows == passed
    return [rows[0][f"reached_{k}"] for k in range(1, len(funnel.steps) + 1)]


@given(happenings(), st.sampled_from([DAY, WINDOW, 30 * DAY]))
def test_an_ordered_funnel_finds_whom_a_search_through_all_starts_finds(happened, window):
    names = ["open", "search", "buy"]
    expected = [
        sum(reaches_in_order(of(person, happened), names[:k], window) for person in "abcd") for k in (1, 2, 3)
    ]
    assert reached(happened, Funnel(STEPS, window)) == expected


@given(happenings(most=40))
def test_a_strict_funnel_lets_nothing_come_between(happened):
    names = ["open", "search", "buy"]
    expected = [
        sum(reaches_strictly(of(person, happened), names[:k], WINDOW) for person in "abcd") for k in (1, 2, 3)
    ]
    assert reached(happened, Funnel(STEPS, WINDOW, "strict")) == expected


@given(happenings(most=40))
def test_an_unordered_funnel_counts_steps_in_any_order(happened):
    names = ["open", "search", "buy"]
    expected = [
        sum(reaches_anyhow(of(person, happened), names, k, WINDOW) for person in "abcd") for k in (1, 2, 3)
    ]
    assert reached(happened, Funnel(STEPS, WINDOW, "unordered")) == expected


@given(happenings())
def test_an_exclusion_ends_the_attempts_on_the_way(happened):
    names = ["open", "search", "buy"]
    expected = [
        sum(reaches_in_order(of(person, happened), names[:k], WINDOW, "share") for person in "abcd")
        for k in (1, 2, 3)
    ]
    assert reached(happened, Funnel(STEPS, WINDOW, exclusions=(Match(("share",)),))) == expected


@given(happenings())
def test_fewer_reach_a_later_step_and_a_wider_window_loses_nobody(happened):
    narrow, wide = (reached(happened, Funnel(STEPS, window)) for window in (DAY, WINDOW))
    assert narrow == sorted(narrow, reverse=True)
    assert all(w >= n for n, w in zip(narrow, wide, strict=True))


@given(happenings())
def test_the_members_of_a_step_are_as_many_as_it_says(happened):
    funnel = Funnel(STEPS, WINDOW)
    counts = reached(happened, funnel)
    for k in (1, 2, 3):
        assert len(who(funnel_members_sql(EVENTS, SCOPE, funnel, k), happened)) == counts[k - 1]
    for k in (1, 2):
        dropped = who(funnel_members_sql(EVENTS, SCOPE, funnel, k, dropped=True), happened)
        assert len(dropped) == counts[k - 1] - counts[k]


def told(happened: list[Happened], funnel: Funnel) -> list[FunnelResult]:
    found = read_funnel(asked(funnel_sql(EVENTS, SCOPE, funnel), happened), funnel)
    assert not isinstance(found, CannotTell)
    return found


def test_the_same_step_twice_takes_two_events():
    twice = Funnel((STEPS[0], STEPS[0]), WINDOW)
    assert reached([at("a", "open")], twice) == [1, 0]
    assert reached([at("a", "open"), at("a", "open", day=1)], twice) == [1, 1]


def test_the_latest_start_counts_when_an_earlier_one_is_too_long_ago():
    happened = [at("a", "open"), at("a", "open", day=6), at("a", "search", day=8)]
    (result,) = told(happened, Funnel(STEPS[:2], WINDOW))
    assert result.steps[1].reached == 1 and result.steps[1].seconds == 2 * DAY


def test_the_median_time_is_of_those_who_made_it():
    happened = [
        event
        for person, days in (("a", 1), ("b", 2), ("c", 4))
        for event in (at(person, "open"), at(person, "search", day=days))
    ]
    (result,) = told([*happened, at("d", "open")], Funnel(STEPS[:2], WINDOW))
    step = result.steps[1]
    assert step.seconds == 2 * DAY and (step.of_first.part, step.of_first.whole) == (3, 4)


def test_a_split_goes_by_the_first_the_last_or_every_steps_value():
    happened = [
        at("a", "open", plan="free"),
        at("a", "open", day=1, plan="paid"),
        at("a", "search", day=2, plan="paid"),
        at("b", "open", plan="free"),
    ]

    def shown(touch):
        return {
            one.by: [step.reached for step in one.steps]
            for one in told(happened, Funnel(STEPS[:2], WINDOW, by="plan", touch=touch))
        }

    assert shown("first") == {"free": [2, 1]}
    assert shown("last") == {"free": [1, 0], "paid": [1, 1]}
    assert shown("all") == {"free": [2, 0], "paid": [1, 1]}
    members = funnel_members_sql(
        EVENTS, SCOPE, Funnel(STEPS[:2], WINDOW, by="plan", touch="last"), 2, value="paid"
    )
    assert who(members, happened) == ["a"]


def test_a_step_can_have_conditions_and_several_events():
    happened = [
        at("a", "open", plan="free"),
        at("a", "share", day=1),
        at("b", "open", plan="paid"),
        at("b", "buy", day=1),
    ]
    paid = Match(("open",), (Condition("plan", ("paid",)),))
    assert reached(happened, Funnel((paid, Match(("buy", "share"))), WINDOW)) == [1, 1]
    unpaid = Match(("open",), (Condition("plan", ("paid",), negated=True),))
    assert reached(happened, Funnel((unpaid, Match(("buy", "share"))), WINDOW)) == [1, 1]


def test_a_funnel_nobody_began_is_refused():
    funnel = Funnel(STEPS, WINDOW)
    found = read_funnel(asked(funnel_sql(EVENTS, SCOPE, funnel), [at("a", "buy")]), funnel)
    assert isinstance(found, CannotTell) and "open" in found.because


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Funnel(STEPS[:1], WINDOW), "1 steps"),
        (lambda: Funnel(STEPS, 0), "shorter than a second"),
        (lambda: Funnel(STEPS, WINDOW, "strict", exclusions=(STEPS[0],)), "Only an ordered funnel"),
        (lambda: Funnel(STEPS, WINDOW, exclusions=(STEPS[0],) * 7), "exclusions"),
        (lambda: funnel_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW, by="color")), "no property color"),
        (lambda: funnel_members_sql(EVENTS, SCOPE, Funnel(STEPS, WINDOW), 4), "no step 4"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(build, says):
    with pytest.raises(BehaviorError) as refused:
        build()
    assert says in refused.value.detail and refused.value.mend
