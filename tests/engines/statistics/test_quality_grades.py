"""Completeness, grades with their parts, and whether an answer could change anything."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.engines.statistics import (
    PART_NAMES,
    Part,
    agreement_part,
    completeness,
    completeness_part,
    confidence,
    could_change,
    freshness_part,
    interval_part,
    sample_part,
)

STATES = ("good", "fair", "unknown", "poor")
LETTERS = "ABCD"
seven = st.lists(st.sampled_from(STATES), min_size=7, max_size=7)


def graded(states):
    return confidence(
        [Part(name, state, "Because.") for name, state in zip(PART_NAMES, states, strict=False)],
        PART_NAMES[: len(states)],
    )


def test_completeness_counts_whole_periods_and_names_the_missing():
    days = [date(2024, 1, 1) + timedelta(days=k) for k in range(40) if k not in (3, 4)]
    made = completeness(days, date(2024, 1, 1), datetime(2024, 2, 10, 9), "day")
    assert (made.expected, made.present) == (40, 38) and made.share == 0.95
    assert [window.first.day for window in made.missing] == [4, 5] and made.current is None
    months = completeness(days, date(2024, 1, 1), date(2024, 2, 9), "month")
    assert months.expected == 1 and months.share == 1.0
    assert months.last_complete.last == date(2024, 1, 31)
    assert months.current is not None and months.current.days_in == 9
    weeks = completeness([], date(2024, 1, 3), date(2024, 1, 4), "week", 6)
    assert weeks.share is None and weeks.expected == 0


@pytest.mark.parametrize(
    ("states", "letter"),
    [
        ("good " * 7, "A"),
        ("fair " + "good " * 6, "B"),
        ("fair fair " + "good " * 5, "B"),
        ("unknown fair " + "good " * 5, "B"),
        ("unknown unknown " + "good " * 5, "C"),
        ("fair fair fair " + "good " * 4, "C"),
        ("fair " * 7, "C"),
        ("poor " + "good " * 6, "C"),
        ("poor fair fair " + "good " * 4, "C"),
        ("poor fair fair fair " + "good " * 3, "D"),
        ("poor poor " + "good " * 5, "D"),
        ("unknown " * 4 + "good " * 3, "D"),
        ("unknown", "D"),
        ("", "D"),
    ],
)
def test_grades_follow_the_rule(states, letter):
    assert graded(states.split()).letter == letter


@given(seven, st.integers(0, 6))
def test_bettering_a_part_never_lowers_the_grade(states, which):
    before = graded(states).letter
    for better in STATES[: STATES.index(states[which])]:
        after = graded([*states[:which], better, *states[which + 1 :]]).letter
        assert LETTERS.index(after) <= LETTERS.index(before)


@given(seven)
def test_the_worst_part_rules(states):
    letter = graded(states).letter
    if "poor" in states:
        assert letter in "CD"
    if set(states) != {"good"}:
        assert letter != "A"
    assert letter == graded(sorted(states)).letter


def test_what_was_not_assessed_is_unknown_and_shown():
    made = confidence([Part("completeness", "good", "All in.")], ("completeness", "freshness"))
    assert [part.name for part in made.parts] == ["completeness", "freshness"]
    assert made.parts[1].state == "unknown" and made.letter == "B"
    assert [part.name for part in made.weakest] == ["freshness"]
    assert confidence([Part("completeness", "good", "All in.")]).letter == "D"
    assert graded(["good"]).weakest == ()
    with pytest.raises(ValueError, match="once"):
        confidence([Part("completeness", "good", ""), Part("completeness", "poor", "")])


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("part", "state", "words"),
    [
        (completeness_part(1.0), "good", "100%"),
        (completeness_part(0.9999), "good", "just under 100%"),
        (completeness_part(0.95), "fair", "95%"),
        (completeness_part(0.5), "poor", "50%"),
        (completeness_part(0.0001), "poor", "under 0.1%"),
        (completeness_part(None), "unknown", "expected"),
        (freshness_part(5 * HOUR, 24 * HOUR), "good", "5 hours old; 24 hours"),
        (freshness_part(36 * HOUR, 24 * HOUR), "fair", "36 hours"),
        (freshness_part(72 * HOUR, 24 * HOUR), "poor", "3 days old"),
        (freshness_part(1 * HOUR, 24 * HOUR), "good", "1 hour old"),
        (freshness_part(None, HOUR), "unknown", "how old"),
        (freshness_part(HOUR, None), "unknown", "how fresh"),
        (sample_part(4339), "good", "4,339"),
        (sample_part(50), "fair", "50"),
        (sample_part(3), "poor", "3"),
        (sample_part(None), "unknown", "how many"),
        (interval_part(100, 98, 102), "good", "± 2%"),
        (interval_part(100, 90, 110), "fair", "10%"),
        (interval_part(100, 50, 150), "poor", "50%"),
        (interval_part(0, -1, 1), "poor", "figure of 0"),
        (interval_part(0, 0, 0), "good", "0%"),
        (interval_part(5, None, 6), "unknown", "no range"),
        (agreement_part([100, 101]), "good", "2 methods"),
        (agreement_part([100, 105]), "fair", "4.9%"),
        (agreement_part([100, 200, 50]), "poor", "3 methods"),
        (agreement_part([0, 0]), "good", "0%"),
        (agreement_part([100]), "unknown", "one method"),
    ],
)
def test_parts_say_their_state_in_words(part, state, words):
    assert part.state == state and words in part.sentence


def test_a_range_on_one_side_changes_nothing():
    made = could_change([0.9, 1.0], 1.05, 1.2, ["stop", "wait", "go"])
    assert not made.changes and made.ever and made.actions == ("go",)
    assert made.nearest == 1.0 and made.distance == pytest.approx(0.05)


def test_a_range_over_a_threshold_could_change_the_action():
    made = could_change([0.9, 1.0], 0.95, 1.2, ["stop", "wait", "go"])
    assert made.changes and made.actions == ("wait", "go") and made.distance == 0.0
    assert could_change([1.0], 0.5, 1.0).actions == (
        "band 1",
        "band 2",
    )  # a value at a threshold belongs above


def test_neighbors_with_the_same_action_are_one():
    made = could_change([1.0, 2.0], 0.5, 1.5, ["keep", "keep", "act"])
    assert not made.changes and made.ever and made.nearest == 2.0 and made.distance == 0.5
    retired = could_change([1.0, 2.0], 0.0, 9.0, ["keep"] * 3)
    assert not retired.changes and not retired.ever and retired.nearest is None and retired.distance is None
    assert not could_change([], 0.0, 1.0).ever


@given(st.lists(st.floats(-100, 100), unique=True, max_size=5), st.floats(-120, 120), st.floats(0, 50))
def test_it_changes_exactly_when_some_threshold_is_crossed(cuts, low, width):
    cuts.sort()
    high = low + width
    assert could_change(cuts, low, high).changes == any(low < cut <= high for cut in cuts)


@pytest.mark.parametrize(
    "call",
    [
        lambda: could_change([2.0, 1.0], 0, 1),
        lambda: could_change([1.0, 1.0], 0, 1),
        lambda: could_change([float("nan")], 0, 1),
        lambda: could_change([1.0], 2, 1),
        lambda: could_change([1.0], float("nan"), 1),
        lambda: could_change([1.0], 0, 1, ["only one"]),
    ],
)
def test_wrong_use_of_thresholds_is_an_error(call):
    with pytest.raises(ValueError):
        call()
