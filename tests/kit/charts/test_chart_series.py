"""Time series: axes that do not lie, periods that are not over, labels apart, thinning that hides nothing."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.kit.charts import Happening, Series, Target, time_series
from potager.kit.charts.axes import (
    hatched,
    kept_apart,
    line_domain,
    middle,
    milliseconds,
    next_start,
    ticks,
    time_axis,
)
from potager.kit.charts.measure import ellipsed, width_of, wrapped
from potager.kit.charts.series_words import Scales, Sign, happening_layers, in_lanes
from potager.kit.charts.thin import thinned
from potager.kit.errors import Invalid
from tests.kit.charts.samples import CHARTS, HAPPENINGS, MONTHS, NET_REVENUE, REVENUE


def layers_of(spec: dict[str, Any], style: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"].get("style") == style]


def rows_of(spec: dict[str, Any], style: str) -> list[dict[str, Any]]:
    return [row for layer in layers_of(spec, style) for row in layer["data"]["values"]]


def domain_of(spec: dict[str, Any], channel: str = "y") -> list[float]:
    found: list[float] = spec["layer"][0]["encoding"][channel]["scale"]["domain"]
    return found


def test_bars_start_at_zero_whatever_their_values():
    close = Series("Retention", MONTHS[:3], (0.91, 0.92, 0.93))
    spec = time_series(close, title="Bars", unit="share", form="bars").spec
    assert domain_of(spec)[0] == 0
    assert {row["y2"] for row in rows_of(spec, "bar")} == {0}
    below = Series("Profit", MONTHS[:2], (-5.0, -4.0))
    low, high = domain_of(time_series(below, title="Bars", form="bars").spec)
    assert low <= -5
    assert high == 0


def test_a_line_starts_at_zero_where_its_values_come_near_and_says_so_where_not():
    assert domain_of(time_series(NET_REVENUE, title="Line", unit="GBP").spec)[0] == 0
    close = time_series(Series("Retention", MONTHS[:3], (0.91, 0.92, 0.93)), title="Line", unit="share")
    assert domain_of(close.spec)[0] > 0.85
    assert "the axis starts at 91\u00a0%" in close.subtitle
    assert domain_of(time_series(NET_REVENUE, title="Line", zero=True).spec)[0] == 0


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8), st.booleans())
def test_every_value_is_on_the_axis(values: list[float], zero: bool):
    low, high, at = line_domain(values, zero=zero)
    assert low <= min(values) + 1e-6 * abs(min(values))
    assert high >= max(values) - 1e-6 * abs(max(values))
    assert low < high
    assert not zero or low <= 0 <= high
    assert 1 <= len(at) <= 12


def test_ticks_are_round_and_begin_below():
    assert ticks(0, 1_461_756) == (0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000)
    assert ticks(0.55, 0.72)[0] <= 0.55


def test_the_incomplete_period_is_joined_to_nothing_and_drawn_hollow():
    spec = CHARTS["partial_line"]().spec
    line = rows_of(spec, "actual")
    december = middle(MONTHS[-1], "month")
    assert line[-1] == {"x": december, "y": None}
    assert [row["y"] for row in line[:-1]] == list(REVENUE[:-1])
    assert rows_of(spec, "partial-end") == [{"x": december, "y": REVENUE[-1], "y2": 0.0}]
    assert rows_of(spec, "actual-partial")[0]["x"] == december
    assert rows_of(spec, "partial-zone")
    assert rows_of(spec, "actual-end")[0]["y"] == REVENUE[-2]


def test_the_bar_of_an_incomplete_period_is_hatched_and_not_among_the_whole_ones():
    chart = CHARTS["partial_bars"]()
    assert [row["y"] for row in rows_of(chart.spec, "bar")] == list(REVENUE[:-1])
    assert [row["y"] for row in rows_of(chart.spec, "bar-partial")] == [REVENUE[-1]]
    assert len(rows_of(chart.spec, "bar-hatch")) > 3
    assert "December 2011: 9 of 31 days" in chart.subtitle
    assert chart.table.records()[-1]["complete"] is False


@given(st.floats(1, 200), st.floats(1, 200), st.floats(2, 12))
def test_hatching_stays_inside_its_rectangle_and_runs_diagonally(wide: float, tall: float, step: float):
    for stroke in hatched(10, 10 + wide * 3, 5, 5 + tall * 2, 3, 2, step):
        assert min(stroke["x"], stroke["x2"]) >= 10 - 1e-6
        assert max(stroke["x"], stroke["x2"]) <= 10 + wide * 3 + 1e-6
        assert min(stroke["y"], stroke["y2"]) >= 5 - 1e-6
        assert max(stroke["y"], stroke["y2"]) <= 5 + tall * 2 + 1e-6
        run, rise = (stroke["x"] - stroke["x2"]) / 3, (stroke["y2"] - stroke["y"]) / 2
        assert run == pytest.approx(rise, abs=1e-6)


def test_words_for_the_picture_are_true_of_the_data():
    alt = CHARTS["partial_line"]().alt
    assert alt.startswith(
        "Net revenue by month, December 2010 to November 2011; rises from £749k to £1.46m, lowest £493k in April 2011; "
        "the last month is partial (9 of 31 days)."
    )
    assert "Target for Q4, monthly: £1.2m." in alt
    assert "14 March 2011 shipped: new price list" in alt
    falling = time_series(Series("Orders", MONTHS[:3], (30, None, 10)), title="Fewer")
    assert (
        falling.alt
        == "Orders by month, December 2010 to February 2011; falls from 30 to 10; 1\u00a0month unknown."
    )
    flat = time_series(Series("Orders", MONTHS[:2], (10, 10)), title="Same")
    assert "stays at 10" in flat.alt
    single = time_series(Series("Orders", MONTHS[:2], (10, 4)), title="One", partial_last=True)
    assert single.alt == "Orders by month, December 2010: 10; the last month is partial (not complete)."
    assert "Forecast, 80 % range for March 2012: £700k, between £540k and £850k." in CHARTS["forecast"]().alt


def test_the_forecast_is_dashed_from_the_last_complete_point_on_with_its_band():
    spec = CHARTS["forecast"]().spec
    dashed = rows_of(spec, "forecast")
    assert dashed[0] == {"x": middle(MONTHS[-2], "month"), "y": REVENUE[-2]}
    assert [row["y"] for row in dashed[1:]] == [6e5, 6.2e5, 7e5]
    assert rows_of(spec, "forecast-band")[-1]["low"] == 5.4e5
    assert rows_of(spec, "target-range") == [{"y": 900_000, "y2": 1_000_000}]


def test_gaps_stay_gaps_and_lonely_values_are_points():
    spec = CHARTS["banded_weeks"]().spec
    assert [row["y"] for row in rows_of(spec, "actual")] == [0.041, 0.043, None, 0.046, None, 0.047]
    assert 0.046 in [row["y"] for row in rows_of(spec, "actual-end")]
    assert any(row["low"] is None for row in layers_of(spec, "band")[0]["data"]["values"])


def test_missing_numbers_of_any_kind_are_missing():
    series = Series("Rate", MONTHS[:3], (float("nan"), None, 0.5))
    assert series.values == (None, None, 0.5)


def test_every_end_label_of_several_lines_has_its_own_place():
    spec = CHARTS["several_lines"]().at(900)
    places = [layer["encoding"]["y"]["value"] for layer in layers_of(spec, "label")]
    assert len(places) == 6
    assert min(b - a for a, b in pairwise(sorted(places))) >= 30


boxes = st.lists(st.tuples(st.floats(-50, 300), st.floats(10, 40)), min_size=1, max_size=9)


@given(boxes)
def test_boxes_kept_apart_never_overlap_keep_their_order_and_stay_where_they_can(
    wanted: list[tuple[float, float]],
):
    middles = kept_apart([at for at, _ in wanted], [height for _, height in wanted], 0, 260)
    placed = sorted((at, height) for at, (_, height) in zip(middles, wanted, strict=True))
    for (above, tall), (below, small) in pairwise(placed):
        assert below - above >= (tall + small) / 2 - 1e-6
    if sum(height for _, height in wanted) <= 260:
        assert placed[0][0] - placed[0][1] / 2 >= -1e-6
        assert placed[-1][0] + placed[-1][1] / 2 <= 260 + 1e-6
    by_wish = sorted(range(len(wanted)), key=lambda index: wanted[index][0])
    assert [middles[index] for index in by_wish] == sorted(middles)


def test_a_box_that_has_room_stays_where_it_wants_to_be():
    assert kept_apart([20, 100], [30, 30], 0, 260) == (20, 100)


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=600), st.integers(10, 100))
def test_thinning_keeps_ends_peaks_and_gaps(values: list[float | None], most: int):
    kept = thinned(values, most)
    assert len(kept) <= max(most, 5)
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    known = [value for value in values if value is not None]
    drawn = [values[index] for index in kept if values[index] is not None]
    if known:
        assert max(drawn) == max(known)
        assert min(drawn) == min(known)
    assert (None in values) == (None in [values[index] for index in kept])


def test_a_long_series_is_thinned_in_the_drawing_but_not_in_the_table_and_says_so():
    chart = CHARTS["long_days"]()
    rows = rows_of(chart.spec, "actual")
    assert len(rows) <= 800
    assert max(row["y"] for row in rows) > 500
    assert len(chart.table.rows) == 1460
    assert "every high and low of 1,460 days is drawn" in chart.subtitle


def test_what_happened_is_marked_where_it_happened_with_a_sign_of_its_own():
    spec = CHARTS["partial_line"]().at(900)
    signs = layers_of(spec, "happened-sign")
    assert {sign["mark"]["shape"] for sign in signs} == {"triangle-up", "cross", "diamond", "circle"}
    assert sorted(sign["data"]["values"][0]["x"] for sign in signs) == [
        milliseconds(each.on) for each in HAPPENINGS
    ]


def test_what_happened_outside_the_time_drawn_does_not_stretch_the_axis():
    late = Happening(date(2015, 1, 1), "much later")
    chart = time_series(NET_REVENUE, title="x", happenings=[late, HAPPENINGS[0]])
    assert "much later" not in chart.alt
    assert domain_of(chart.spec, "x")[1] == milliseconds(date(2012, 1, 1))


@given(
    st.lists(st.dates(date(2011, 1, 1), date(2011, 12, 31)), min_size=1, max_size=5, unique=True),
    st.integers(150, 900),
)
def test_words_of_happenings_never_stand_in_each_other(days: list[date], plot: int):
    scales = Scales(260, 0, 1, milliseconds(date(2011, 1, 1)), milliseconds(date(2012, 1, 1)))
    happenings = [
        Happening(day, f"launch number {number}", "shipped") for number, day in enumerate(sorted(days))
    ]
    layers, lanes = happening_layers(happenings, scales, float(plot), 60.0)
    spans: dict[float, list[tuple[float, float]]] = {}
    for layer in layers:
        if layer["mark"]["type"] == "text":
            x = (layer["data"]["values"][0]["x"] - scales.left) / (scales.right - scales.left) * plot
            width = width_of(layer["encoding"]["text"]["value"])
            span = (x - 9 - width, x) if layer["mark"]["align"] == "right" else (x, x + 9 + width)
            spans.setdefault(layer["encoding"]["y"]["value"], []).append(span)
    assert len(spans) == lanes
    for lane in spans.values():
        ordered = sorted(lane)
        assert all(left[1] <= right[0] for left, right in pairwise(ordered))


def test_the_rule_of_one_happening_does_not_run_through_the_words_of_another():
    left = Sign(10, (4, 120), False, "left", HAPPENINGS[0])
    right = Sign(60, (54, 150), False, "right", HAPPENINGS[1])
    assert in_lanes([right, left]) == [0, 1]


def test_a_point_stands_in_the_middle_of_its_period():
    assert milliseconds(MONTHS[0]) < middle(MONTHS[0], "month") < milliseconds(MONTHS[1])
    assert next_start(date(2011, 11, 1), "quarter") == date(2012, 2, 1)
    assert next_start(date(2011, 12, 26), "week") == date(2012, 1, 2)


@given(
    st.dates(date(1995, 1, 1), date(2030, 1, 1)),
    st.integers(1, 400),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.floats(100, 1200),
)
def test_time_labels_have_room_and_lie_in_the_time_drawn(first: date, count: int, grain: Any, room: float):
    first = first if grain in ("day", "week") else first.replace(day=1)
    count = min(count, 60) if grain in ("quarter", "year") else count
    last = next_start(first, grain, count - 1)
    axis = time_axis(first, last, grain, room)
    assert len(axis["values"]) <= max(2, room // 46)
    assert all(milliseconds(first) <= at <= milliseconds(next_start(last, grain)) for at in axis["values"])
    assert axis["values"] == sorted(set(axis["values"]))


def test_series_come_from_arrow():
    table = pa.table({"period": pa.array(MONTHS[:2]), "value": [1.0, None]})
    assert Series.from_arrow(table, "Orders") == Series("Orders", MONTHS[:2], (1.0, None))
    with pytest.raises(Invalid, match="no column"):
        Series.from_arrow(table, "Orders", value="amount")


@pytest.mark.parametrize(
    ("starts", "values", "low", "high"),
    [
        (MONTHS[:2], (1.0,), (), ()),
        ((MONTHS[1], MONTHS[0]), (1.0, 2.0), (), ()),
        (MONTHS[:1], (1.0,), (0.5,), ()),
        ((MONTHS[0], MONTHS[0]), (1.0, 2.0), (), ()),
    ],
)
def test_series_that_contradict_themselves_are_refused(starts: Any, values: Any, low: Any, high: Any):
    with pytest.raises(Invalid):
        Series("Orders", starts, values, low, high)


@pytest.mark.parametrize(
    "wrong",
    [
        {"series": []},
        {"series": [Series("x", MONTHS[:1], (None,))]},
        {"series": [Series(str(number), MONTHS[:1], (1.0,)) for number in range(7)]},
        {"series": [NET_REVENUE, NET_REVENUE]},
        {"series": [NET_REVENUE, Series("b", MONTHS[:1], (1.0,))], "form": "bars"},
        {"series": NET_REVENUE, "grain": "decade"},
        {"series": NET_REVENUE, "forecast": Series("f", MONTHS[:1], (1.0,))},
    ],
)
def test_pictures_that_cannot_be_read_are_refused(wrong: dict[str, Any]):
    with pytest.raises(Invalid):
        time_series(wrong.pop("series"), title="x", **wrong)


@given(st.text(max_size=60), st.floats(20, 300))
def test_words_fit_the_room_they_are_given(text: str, room: float):
    assert width_of(ellipsed(text, room)) <= max(room, width_of("…"))
    lines = wrapped(text, room, lines=2)
    assert 1 <= len(lines) <= 2
    assert all(width_of(line) <= max(room, width_of("…")) for line in lines)


def test_widths_are_those_of_the_published_metrics():
    assert width_of("Hello", 1000) == 722 + 556 + 222 + 222 + 556
    assert width_of("é", 1000) == width_of("e", 1000)
    assert width_of("漢", 12) == 12


def test_a_target_without_any_number_draws_nothing():
    spec = time_series(NET_REVENUE, title="x", target=Target(label="none yet")).spec
    assert not layers_of(spec, "target")
