"""Bars, dots, parts and movements: from zero, adding up, said in words, never by color alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.kit.charts import (
    Bar,
    End,
    Estimate,
    Movement,
    Shares,
    WithinMix,
    compared,
    ranked_bars,
    share_bars,
    within_mix,
)  # fmt: skip
from potager.kit.charts.waterfall import UNEXPLAINED, waterfall
from potager.kit.errors import Invalid
from tests.kit.charts.samples import CHARTS, MOVEMENTS

BARS = {
    "bar",
    "bar-quiet",
    "bar-partial",
    "bar-good",
    "bar-bad",
    "bar-neutral",
    "bar-unexplained",
    "bar-total",
}
WIDTHS = (340, 900)


def rows_of(spec: dict[str, Any], *styles: str) -> list[dict[str, Any]]:
    return [
        row
        for layer in spec["layer"]
        if layer["mark"].get("style") in styles
        for row in layer["data"]["values"]
    ]


def domain_of(spec: dict[str, Any]) -> list[float]:
    found: list[float] = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]
    return found


def said_in(spec: dict[str, Any]) -> set[str]:
    """Return all words set in a picture: values of rows, and fixed labels."""
    found: set[str] = set()
    for layer in spec["layer"]:
        text = layer["encoding"].get("text", {})
        if "value" in text:
            found.update([text["value"]] if isinstance(text["value"], str) else text["value"])
        elif "field" in text:
            found.update(row[text["field"]] for row in layer["data"]["values"])
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["ranked", "ranked_signs", "movement", "through_zero", "mixed", "shares"])
def test_bars_begin_where_the_axis_holds_zero(kind: str, width: int):
    spec = CHARTS[kind]().at(width)
    low, high = domain_of(spec)
    assert low <= 0 <= high
    for row in rows_of(spec, "bar", "bar-quiet", "bar-partial"):
        assert row["x2"] == 0
    for row in rows_of(spec, *BARS, "cell"):
        assert low <= min(row["x"], row["x2"])
        assert max(row["x"], row["x2"]) <= high + 1e-9


def test_ranked_bars_are_ranked_and_the_rest_is_their_sum():
    chart = CHARTS["ranked"]()
    values = [row["x"] for row in rows_of(chart.spec, "bar")]
    assert values == sorted(values, reverse=True)
    quiet = rows_of(chart.spec, "bar-quiet")
    assert quiet[0]["name"] == "all others (4)"
    assert sum(values) + quiet[0]["x"] == pytest.approx(
        sum(row["net revenue"] for row in chart.table.records())
    )
    assert len(chart.table.rows) == 15
    assert chart.alt.startswith("Net revenue of 15\u00a0rows: Country 0 £8m, Country 1 £2m,")


def test_what_does_not_add_up_is_not_summed_and_the_subtitle_says_how_many_are_shown():
    bars = [Bar(str(number), number / 100) for number in range(20)]
    chart = ranked_bars(bars, title="x", unit="share", adds_up=False, most=5)
    assert len(rows_of(chart.spec, "bar")) == 5
    assert "the first 5 of 20" in chart.subtitle
    assert not rows_of(chart.spec, "bar-quiet")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_bar_carries_its_value_in_words_and_a_partial_one_is_hatched(width: int):
    spec = CHARTS["ranked_signs"]().at(width)
    assert {"£12.3k · from 9 customers", "£4,000", "−£8,200"} <= said_in(spec)
    assert rows_of(spec, "bar-partial")[0]["name"] == "Heart"
    assert rows_of(spec, "bar-hatch")


@pytest.mark.parametrize("width", WIDTHS)
def test_words_beside_negative_bars_have_room_inside_the_plot(width: int):
    spec = CHARTS["ranked_signs"]().at(width)
    low, high = domain_of(spec)
    assert (-8200 - low) / (high - low) * spec["width"] > 50


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (ranked_bars, []),
        (ranked_bars, [Bar("a", 1), Bar("a", 2)]),
        (ranked_bars, [Bar("a", float("nan"))]),
        (compared, [Estimate("a", None)]),
        (within_mix, [WithinMix("a", 1, float("inf"))]),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused(make: Any, wrong: list[Any]):
    with pytest.raises(Invalid):
        make(wrong, title="x")


@pytest.mark.parametrize("width", WIDTHS)
def test_segments_are_dots_with_whiskers_and_an_unknown_one_is_listed_as_unknown(width: int):
    spec = CHARTS["estimates"]().at(width)
    assert [row["x"] for row in rows_of(spec, "dot")] == [0.653, 0.71]
    assert {(row["x"], row["x2"]) for row in rows_of(spec, "whisker") if "x2" in row} == {
        (0.64, 0.666),
        (0.61, 0.79),
    }
    assert {"unknown", "71\u00a0%", "95\u00a0customers", "Bahrain"} <= said_in(spec)
    assert all(row["x"] == 0.655 for row in rows_of(spec, "reference"))


def test_compared_segments_are_said_with_their_ranges():
    chart = CHARTS["estimates"]()
    assert "Germany 71\u00a0% (between 61 and 79\u00a0%)" in chart.alt
    assert chart.alt.endswith("Bahrain unknown. All: 65.5\u00a0%.")


def test_parts_of_opposite_sign_stand_on_both_sides_of_zero_and_add_up_to_what_is_said():
    chart = CHARTS["mixed"]()
    parts: dict[str, dict[str, tuple[float, float]]] = {}
    for row in rows_of(chart.spec, "cell"):
        parts.setdefault(row["name"], {})[row["category"]] = (row["x"], row["x2"])
    assert parts["Wholesale"] == {"within": (0.0, -1.2), "mix": (0.0, 0.4)}
    assert parts["France"] == {"within": (0.0, -0.05), "mix": (-0.05, pytest.approx(-0.15))}
    assert {"−0.8\u00a0pp", "+0.5\u00a0pp", "−0.15\u00a0pp"} <= said_in(chart.spec)
    assert chart.alt.startswith("Within −0.45\u00a0pp, mix 0\u00a0pp.")


@given(
    st.lists(
        st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda parts: sum(parts) > 1),
        min_size=1,
        max_size=4,
    )
)
def test_shares_fill_the_whole(rows: list[list[float]]):
    chart = share_bars(
        [Shares(str(at), tuple(parts)) for at, parts in enumerate(rows)], ["a", "b", "c"], title="x"
    )
    ends: dict[str, float] = {}
    for row in rows_of(chart.spec, "cell"):
        assert row["x"] == pytest.approx(ends.get(row["name"], 0.0))
        ends[row["name"]] = row["x2"]
    assert all(end == pytest.approx(1) for end in ends.values())


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([Shares("a", (1, -1))], ["x", "y"]),
        ([Shares("a", (0, 0))], ["x", "y"]),
        ([Shares("a", (1,))], ["x", "y"]),
        ([Shares("a", (1,))], ["x"]),
        ([Shares("a", (1, 1))], ["x", "x"]),
    ],
)
def test_what_is_no_share_of_a_whole_is_refused(rows: list[Shares], parts: list[str]):
    with pytest.raises(Invalid):
        share_bars(rows, parts, title="x")


# -- movements -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_good_bad_neutral_and_unexplained_differ_in_shape_sign_and_words(width: int):
    spec = CHARTS["movement"]().at(width)
    assert [row["name"] for row in rows_of(spec, "bar-good")] == ["more customers"]
    assert [row["name"] for row in rows_of(spec, "bar-neutral")] == ["more orders each"]
    assert [row["name"] for row in rows_of(spec, "bar-bad")] == ["smaller orders"]
    assert [row["name"] for row in rows_of(spec, "bar-unexplained")] == [UNEXPLAINED]
    assert {"+£280k", "+£132k", "−£54k", "+£33.1k", "£1.07m", "£1.46m"} <= said_in(spec)


amounts = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=14)


@given(st.floats(-1e6, 1e6), amounts, st.floats(-1e6, 1e6))
def test_the_parts_of_a_movement_lead_from_before_to_after_whatever_they_are(
    before: float, parts: list[float], after: float
):
    movements = [Movement(f"part {number}", amount) for number, amount in enumerate(parts)]
    chart = waterfall(End("before", before), movements, End("after", after), title="x")
    rows = chart.table.rows
    assert rows[0] == ("before", before)
    assert rows[-1] == ("after", after)
    assert before + sum(float(row[1]) for row in rows[1:-1]) == pytest.approx(after, abs=1e-2)  # type: ignore[arg-type]
    drawn = rows_of(chart.spec, "bar-good", "bar-bad", "bar-neutral", "bar-unexplained")
    for one, following in pairwise(drawn):
        assert following["x"] == pytest.approx(one["x2"], abs=1e-6)


def test_nothing_unexplained_is_not_drawn():
    chart = waterfall(End("a", 0.3), [Movement("b", 0.1), Movement("c", 0.2)], End("d", 0.6), title="x")
    assert UNEXPLAINED not in chart.alt
    assert not rows_of(chart.spec, "bar-unexplained")


def test_small_changes_are_drawn_from_before_and_the_picture_says_so_instead_of_cutting_bars():
    chart = CHARTS["small_movement"]()
    assert "bars count from October, not from zero" in chart.subtitle
    assert not rows_of(chart.spec, "bar-total")
    assert [row["x"] for row in rows_of(chart.spec, "dot")] == [0, pytest.approx(1_061_756 - 1_070_704)]
    assert "bars count from" not in CHARTS["movement"]().subtitle


def test_many_parts_become_few_whose_sum_is_the_same_and_the_table_keeps_all():
    movements = [Movement(f"part {number}", float(number + 1)) for number in range(20)]
    chart = waterfall(End("a", 0), movements, End("b", 210), title="x", most=5)
    drawn = rows_of(chart.spec, "bar-neutral")
    assert len(drawn) == 5
    assert drawn[-1]["name"] == "smaller parts (16)"
    assert drawn[-1]["x2"] == 210
    assert len(chart.table.rows) == 22


def test_a_movement_is_said_by_its_largest_parts_first():
    assert CHARTS["movement"]().alt == (
        "From £1.07m (October) to £1.46m (November): more customers +£280k, more orders each +£132k, "
        "smaller orders −£54k, unexplained +£33.1k."
    )


@pytest.mark.parametrize("wrong", [[Movement("a", 1), Movement("a", 2)], [Movement("a", float("nan"))]])
def test_movements_that_cannot_be_drawn_are_refused(wrong: list[Movement]):
    with pytest.raises(Invalid):
        waterfall(End("x", 0), wrong, End("y", 1), title="x")
    with pytest.raises(Invalid):
        waterfall(End("x", float("inf")), MOVEMENTS, End("y", 1), title="x")
