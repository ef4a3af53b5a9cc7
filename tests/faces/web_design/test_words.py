"""Numbers, ranges and dates are said as people say them, and never say more or less than they are."""

# ruff: noqa: E501 - rows of tables stay on one line

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.kit import words

NOW = datetime(2011, 12, 10, 8, 30, tzinfo=UTC)
REAL = st.floats(min_value=-1e13, max_value=1e13, allow_nan=False)
SCALES = {"": 1.0, "k": 1e3, "m": 1e6, "bn": 1e9, "tn": 1e12}


def plain(text: str) -> str:
    return text.replace(words.NBSP, " ").replace(words.MINUS, "-")


def read(text: str) -> float:
    """Read a said number back."""
    found = re.search(r"(-?)[^\d-]*([\d,]+(?:\.\d+)?)(tn|bn|m|k)?", plain(text))
    assert found is not None
    return (-1 if found[1] else 1) * float(found[2].replace(",", "")) * SCALES[found[3] or ""]


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1_061_234.56, "GBP", "£1.06m"), (12_345, "GBP", "£12.3k"), (9_999, "GBP", "£9,999"), (421.37, "GBP", "£421"),
        (12.5, "GBP", "£12.50"), (-12.5, "GBP", "-£12.50"), (0, "GBP", "£0"), (999_999.9, "GBP", "£1m"), (1_234_000_000, "EUR", "€1.23bn"),
        (1_500_000, "JPY", "¥1.5m"), (1234, "CHF", "CHF 1,234"), (421.5, "GBP per order", "£422 per order"), (12.5, "GBP/order", "£12.50 per order"),
        (37.12, "%", "37.1 %"), (0.3712, "share", "37.1 %"), (-0.031, "share", "-3.1 %"), (0.000123, "share", "0.0123 %"), (1, "share", "100 %"), (2.4, "pp", "2.4 pp"),
        (4, "days", "4 days"), (1, "days", "1 day"), (1, "countries", "1 country"), (1, "boxes", "1 box"), (1, "people", "1 person"), (0, "orders", "0 orders"), (1.5, "hours", "1.5 hours"),
        (4339, "", "4,339"), (541_909, "count", "541,909"), (1_067_371, "count", "1.07m"), (Decimal("0.25"), "share", "25 %"), (Decimal("19.90"), "EUR", "€19.90"),
        (None, "GBP", "unknown"), (float("nan"), "", "unknown"), (float("inf"), "%", "unknown"),
    ],
)  # fmt: skip
def test_a_number_is_said_short(value: float, unit: str, said: str) -> None:
    assert plain(words.human(value, unit)) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1_061_234.5, "GBP", "£1,061,234.50"), (-3, "GBP", "-£3.00"), (0.001, "GBP", "£0.001"), (1500, "JPY", "¥1,500"), (0.3712, "share", "37.12 %"),
        (541_909, "rows", "541,909 rows"), (1, "rows", "1 row"), (0.1 + 0.2, "", "0.3"), (None, "", "unknown"),
    ],
)  # fmt: skip
def test_a_number_is_said_in_full(value: float, unit: str, said: str) -> None:
    assert plain(words.exact(value, unit)) == said


@given(REAL, st.sampled_from(["", "GBP", "count", "%", "pp"]))
def test_a_short_number_is_within_half_a_percent_or_half_a_penny_of_the_truth(
    value: float, unit: str
) -> None:
    if 0 < abs(value) < 1e-6:
        return
    nearest = 0.0051 if unit == "GBP" else 1e-9
    assert read(words.human(value, unit)) == pytest.approx(value, rel=0.0051, abs=nearest)


@given(REAL, st.sampled_from(["", "GBP", "%", "days"]))
def test_a_sign_is_never_lost_and_never_on_zero(value: float, unit: str) -> None:
    said = words.human(value, unit)
    assert said.startswith(words.MINUS) == (value < 0 and any(digit in said for digit in "123456789"))


@given(REAL, REAL)
def test_short_numbers_keep_the_order(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert read(words.human(low, "GBP")) <= read(words.human(high, "GBP")) + 1e-9


@pytest.mark.parametrize(
    ("low", "high", "unit", "said"),
    [
        (4.13, 9.27, "%", "between 4 and 9 %"), (0.0413, 0.0927, "share", "between 4 and 9 %"), (1_021_000, 1_344_000, "GBP", "between £1.02m and £1.34m"),
        (-5, 3, "GBP", "between -£5 and £3"), (4, 9, "days", "between 4 and 9 days"), (9, 4, "days", "between 4 and 9 days"), (980_000, 1_040_000, "GBP", "between £0.98m and £1.04m"),
        (0, 30_000, "GBP", "between £0 and £30k"), (7, 7, "%", "about 7 %"), (None, 9, "%", "at most 9 %"), (4, None, "%", "at least 4 %"), (None, None, "%", "range unknown"),
        (0.2, 0.4, "GBP per order", "between £0.2 and £0.4 per order"),
    ],
)  # fmt: skip
def test_a_range_is_said_as_between(low: float | None, high: float | None, unit: str, said: str) -> None:
    assert plain(words.between(low, high, unit)) == said


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_the_said_ends_of_a_range_are_off_by_less_than_a_quarter_of_its_width(
    one: float, other: float
) -> None:
    low, high = sorted((one, other))
    said = words.between(low, high)
    if high - low < 1e-6 or said.startswith("about"):
        return
    ends = [read(end) for end in said.removeprefix("between ").split(" and ")]
    assert ends[0] <= ends[1]
    assert abs(ends[0] - low) <= (high - low) / 4
    assert abs(ends[1] - high) <= (high - low) / 4


@pytest.mark.parametrize(("ratio", "said"), [(0.37, "up 37 %"), (-0.042, "down 4.2 %"), (0.0002, "unchanged"), (0, "unchanged"), (1.5, "up 150 %"), (None, "change unknown")])  # fmt: skip
def test_a_change_is_said_with_its_direction(ratio: float | None, said: str) -> None:
    assert plain(words.change(ratio)) == said


def test_a_signed_amount_has_a_sign_unless_it_is_zero() -> None:
    assert [plain(words.signed(value, "GBP")) for value in (5300, -5300, 0, None)] == [
        "+£5,300",
        "-£5,300",
        "£0",
        "unknown",
    ]


def test_a_column_has_one_scale_and_one_count_of_decimals() -> None:
    assert [plain(text) for text in words.column([512_400, 96_300, -41_200, 0, None], "GBP", sign=True)] == [
        "+£512.4k",
        "+£96.3k",
        "-£41.2k",
        "£0.0k",
        "unknown",
    ]
    assert [plain(text) for text in words.column([0.934, -0.0751], "share")] == ["93.4 %", "-7.5 %"]
    assert words.column([4, 12, 1], "") == ["4", "12", "1"]
    assert words.column([]) == []


@given(st.lists(REAL, min_size=1, max_size=8))
def test_numbers_of_a_column_end_alike(values: list[float]) -> None:
    tails = {re.sub(r"^[^\d]*[\d,]+", "", text) for text in words.column(values, "GBP")}
    assert len({re.sub(r"\d", "0", tail) for tail in tails}) == 1


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW, "just now"), (NOW - timedelta(seconds=50), "1 minute ago"), (NOW - timedelta(minutes=12), "12 minutes ago"), (NOW - timedelta(hours=3), "3 hours ago"),
        (NOW - timedelta(days=1), "yesterday"), (NOW - timedelta(hours=14), "yesterday"), (NOW - timedelta(days=4), "4 days ago"), (NOW - timedelta(days=30), "on 10 November"), (NOW - timedelta(days=400), "on 5 November 2010"),
        (NOW + timedelta(seconds=20), "in a moment"), (NOW + timedelta(minutes=5), "in 5 minutes"), (NOW + timedelta(days=1), "tomorrow"), (NOW + timedelta(days=4), "in 4 days"), (NOW + timedelta(days=100), "on 19 March 2012"),
        (date(2011, 12, 10), "today"), (date(2011, 12, 9), "yesterday"), (date(2011, 12, 1), "9 days ago"),
    ],
)  # fmt: skip
def test_a_date_is_said_as_people_say_it(moment: date | datetime, said: str) -> None:
    assert plain(words.ago(moment, NOW)) == said


@given(st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_past_and_future_are_never_confused(moment: datetime) -> None:
    said = words.ago(moment, NOW)
    assert not (said.endswith("ago") and moment > NOW)
    assert not (said.startswith("in ") and moment < NOW)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ((2011, 11, 1), (2011, 11, 30), "November 2011"), ((2011, 12, 1), (2011, 12, 9), "1 to 9 December 2011"), ((2011, 7, 1), (2011, 9, 30), "Q3 2011"), ((2011, 1, 1), (2011, 12, 31), "2011"),
        ((2011, 2, 1), (2011, 5, 31), "February to May 2011"), ((2010, 12, 1), (2011, 1, 31), "1 December 2010 to 31 January 2011"), ((2011, 11, 20), (2011, 12, 9), "20 November to 9 December 2011"), ((2011, 12, 9), (2011, 12, 9), "9 December 2011"),
        ((2012, 2, 1), (2012, 2, 29), "February 2012"),
    ],
)  # fmt: skip
def test_a_period_has_a_name(first: tuple[int, int, int], last: tuple[int, int, int], said: str) -> None:
    assert words.period(date(*first), date(*last)) == said
    assert words.period(date(*last), date(*first)) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.041, "41 ms"), (2.5, "2.5 s"), (125, "2 min 5 s"), (12_000, "3 h 20 min"), (367_000, "4 days 5 h"), (86_400, "1 day"), (59.7, "1 min"), (-125, "-2 min 5 s")])  # fmt: skip
def test_a_duration_is_said_in_two_units(seconds: float, said: str) -> None:
    assert plain(words.duration(seconds)) == said
    assert words.duration(timedelta(seconds=seconds)) == words.duration(seconds)


def test_counts_sizes_and_lists() -> None:
    assert plain(words.of_how_many(20, 4339, "customers")) == "20 of 4,339 customers"
    assert plain(words.of_how_many(5, 5, "customers")) == "5 customers"
    assert [plain(words.file_size(size)) for size in (1, 840, 1234, 1_200_000, 999_999_999)] == [
        "1 byte",
        "840 bytes",
        "1.23 kB",
        "1.2 MB",
        "1 GB",
    ]
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.listing(["a"]) == "a"
    assert words.listing([], "or") == ""
    assert words.moment(NOW) == "Saturday, 10 December 2011, 08:30 UTC"
