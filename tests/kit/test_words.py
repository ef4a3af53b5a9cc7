"""Numbers, dates and changes as people say them; what is not known is said to be unknown, never zero."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.kit import words

N = words.NBSP
M = words.MINUS
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
numbers = st.floats(-1e15, 1e15, allow_nan=False)
units = st.sampled_from(
    ["", "GBP", "JPY", "%", "share", "pp", "days", "orders", "GBP per customer", "items/order"]
)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1_061_234.56, "GBP", "£1.06m"),
        (9_747_747.934, "GBP", "£9.75m"),
        (12_345, "GBP", "£12.3k"),
        (-950, "GBP", f"{M}£950"),
        (3.5, "GBP", "£3.50"),
        (0.371, "share", f"37.1{N}%"),
        (37.1, "%", f"37.1{N}%"),
        (1, "days", f"1{N}day"),
        (4, "days", f"4{N}days"),
        (1, "people", f"1{N}person"),
        (541_909, "count", "541,909"),
        (5_176_450, "items", f"5.18m{N}items"),
        (1.5, "orders per customer", f"1.5{N}orders per customer"),
        (450, "GBP/customer", "£450 per customer"),
        (999_999, "GBP", "£1m"),
        (0, "GBP", "£0"),
        (-0.0, "", "0"),
        (Decimal("12.5"), "pp", f"12.5{N}pp"),
    ],
)
def test_a_number_is_said_with_three_digits_that_matter(value: float, unit: str, said: str) -> None:
    assert words.human(value, unit) == said


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_said_to_be_unknown_everywhere(value: float | None) -> None:
    for say in (words.human, words.exact, words.signed):
        assert say(value, "GBP") == "unknown"
    assert words.column([value, 1.0], "GBP")[0] == "unknown"
    assert words.change(value) == "change unknown"
    assert words.between(value, value) == "range unknown"
    assert words.between(value, 9, "%") == f"at most 9{N}%"
    assert words.between(4, value, "%") == f"at least 4{N}%"


@given(numbers, units)
def test_a_number_never_loses_its_sign_and_never_is_empty(value: float, unit: str) -> None:
    said = words.human(value, unit)
    assert any(map(str.isdigit, said))
    assert not said.startswith("-"), "the minus is a minus and not a hyphen"
    if any(digit in said for digit in "123456789"):
        assert said.startswith(M) == (value < 0)


@given(st.floats(-1e12, 1e12, allow_nan=False), st.floats(-1e12, 1e12, allow_nan=False))
def test_a_range_reads_the_same_from_either_end(low: float, high: float) -> None:
    assert words.between(low, high, "GBP") == words.between(high, low, "GBP")


@given(st.lists(st.one_of(st.none(), numbers), min_size=1, max_size=8), units)
def test_a_column_has_as_many_entries_as_values(values: list[float | None], unit: str) -> None:
    said = words.column(values, unit)
    assert len(said) == len(values)
    assert [text == "unknown" for text in said] == [value is None for value in values]


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=2, max_size=8))
def test_a_column_stays_on_one_scale(values: list[float]) -> None:
    said = words.column(values, "GBP")
    scales = {
        text[-1] for text in said if any(figure in text for figure in "123456789") and text[-1].isalpha()
    }
    assert len(scales) <= 1
    assert len({len(text.rstrip("kmbnt").partition(".")[2]) for text in said}) == 1


@pytest.mark.parametrize(
    ("low", "high", "unit", "said"),
    [
        (4, 9, "%", f"between 4 and 9{N}%"),
        (9, 4, "%", f"between 4 and 9{N}%"),
        (0.041, 0.093, "share", f"between 4 and 9{N}%"),
        (1_250_000, 1_420_000, "GBP", "between £1.25m and £1.42m"),
        (5, 5, "days", f"about 5{N}days"),
    ],
)
def test_a_range_is_no_finer_than_its_width_deserves(low: float, high: float, unit: str, said: str) -> None:
    assert words.between(low, high, unit) == said


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (0.37, f"up 37{N}%"),
        (-0.042, f"down 4.2{N}%"),
        (0, "unchanged"),
        (0.0004, "unchanged"),
        (2.5, f"up 250{N}%"),
    ],
)
def test_a_change_is_said_with_its_direction(ratio: float, said: str) -> None:
    assert words.change(ratio) == said


def test_a_change_carries_its_sign_and_zero_has_none() -> None:
    assert [words.signed(value, "GBP") for value in (12_400, -12_400, 0)] == ["+£12.4k", f"{M}£12.4k", "£0"]


def test_an_exact_number_is_exact() -> None:
    assert words.exact(1_061_234.56, "GBP") == "£1,061,234.56"
    assert words.exact(0.0012345, "share") == f"0.12345{N}%"
    assert words.exact(1234, "JPY") == "¥1,234"
    assert words.exact(-2, "GBP per order") == f"{M}£2.00 per order"


@pytest.mark.parametrize(
    ("count", "unit", "said"),
    [(1, "queries", "query"), (2, "queries", "queries"), (1, "boxes", "box"), (1, "classes", "class"),
     (1, "kg", "kg"), (1, "access", "access")],
)  # fmt: skip
def test_a_counted_noun_takes_the_number_that_fits(count: int, unit: str, said: str) -> None:
    assert words.noun(count, unit) == said


@pytest.mark.parametrize(
    ("label", "verb"),
    [("Active customers", "are"), ("Share of orders", "is"), ("Revenue", "is"), ("Orders per customer", "are"),
     ("Loss", "is"), ("Churn analysis", "is")],
)  # fmt: skip
def test_the_verb_fits_the_label(label: str, verb: str) -> None:
    assert words.is_or_are(label) == verb


def test_a_label_inside_a_sentence_keeps_its_abbreviations() -> None:
    assert [words.in_sentence(label) for label in ("Active customers", "MRR churn", "")] == [
        "active customers", "MRR churn", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2011, 1, 1), date(2011, 12, 31), "2011"),
        (date(2011, 10, 1), date(2011, 12, 31), "Q4 2011"),
        (date(2011, 11, 1), date(2011, 11, 30), "November 2011"),
        (date(2011, 2, 1), date(2011, 4, 30), "February to April 2011"),
        (date(2011, 12, 1), date(2011, 12, 9), "1 to 9 December 2011"),
        (date(2011, 11, 28), date(2011, 12, 9), "28 November to 9 December 2011"),
        (date(2010, 12, 1), date(2011, 12, 9), "1 December 2010 to 9 December 2011"),
        (date(2012, 2, 1), date(2012, 2, 28), "1 to 28 February 2012"),
        (date(2012, 2, 9), date(2012, 2, 1), "1 to 9 February 2012"),
        (date(2012, 2, 9), date(2012, 2, 9), "9 February 2012"),
    ],
)
def test_a_stretch_of_days_is_called_by_its_name(first: date, last: date, said: str) -> None:
    assert words.period(first, last) == said


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-5), "in a moment"),
        (timedelta(minutes=3), f"3{N}minutes ago"),
        (timedelta(hours=3), f"3{N}hours ago"),
        (timedelta(hours=-3), f"in 3{N}hours"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=-1), "tomorrow"),
        (timedelta(days=9), f"9{N}days ago"),
        (timedelta(days=40), "on 14 October"),
        (timedelta(days=400), "on 19 October 2025"),
    ],
)
def test_how_long_ago_is_said_as_people_say_it(before: timedelta, said: str) -> None:
    assert words.ago(NOW - before, NOW) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [(0.34, f"340{N}ms"), (2.04, f"2{N}s"), (125, f"2{N}min 5{N}s"),
     (timedelta(days=4, hours=6, minutes=1), f"4{N}days 6{N}h"),
     (59.96, f"1{N}min"), (-2, f"{M}2{N}s")],
)  # fmt: skip
def test_a_duration_is_said_in_two_units_at_most(length: float | timedelta, said: str) -> None:
    assert words.duration(length) == said


def test_sizes_and_lists_are_said_as_people_say_them() -> None:
    assert [words.file_size(count) for count in (1, 840, 1_000, 999_900, 1_234_567)] == [
        f"1{N}byte", f"840{N}bytes", f"1{N}kB", f"1{N}MB", f"1.23{N}MB",
    ]  # fmt: skip
    assert [words.listing(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert words.of_how_many(20, 4339, "customers") == f"20 of 4,339{N}customers"
    assert words.of_how_many(4339, 4339, "customers") == f"4,339{N}customers"
