"""Metrics taken apart: the sums behind them equal a naive second computation, or are refused with a reason."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.insight.metrics.semantics import Condition, MetricQuery, SemanticLayer, Window, parse
from potager.kit.errors import Invalid, NotFound
from tests.insight.semantics.lake_in_memory import LINES, SHOP, shop_layer, shop_warehouse

LAYER = shop_layer()
JANUARY = Window(date(2024, 1, 1), date(2024, 1, 31))
FEBRUARY = Window(date(2024, 2, 1), date(2024, 2, 29))
MARCH = Window(date(2024, 3, 1), date(2024, 3, 31))
SEGMENTS = {1: "big", 2: "small", 3: "small"}


def inside(line, window: Window) -> bool:
    return window.start.isoformat() <= line[0] <= window.end.isoformat()


def revenue(lines) -> float:
    return sum(line[3] * line[4] for line in lines)


def test_the_sums_of_two_windows_by_several_dimensions_are_one_query():
    warehouse = shop_warehouse()
    layer = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")

    sums = layer.component_sums("revenue", ["country", "segment"], JANUARY, FEBRUARY)

    assert len(warehouse.asked) == 1 and warehouse.asked[0] == sums.sql
    assert sums.cells().to_pylist() == [
        {"numerator_before": 35.0, "numerator_after": 27.0, "rows_before": 3, "rows_after": 3}
    ]
    assert sums.cells("country").to_pylist() == [
        {
            "country": "France",
            "numerator_before": 25.0,
            "numerator_after": -10.0,
            "rows_before": 2,
            "rows_after": 1,
        },
        {
            "country": "Spain",
            "numerator_before": 10.0,
            "numerator_after": 37.0,
            "rows_before": 1,
            "rows_after": 2,
        },
    ]
    assert sums.cells("segment").to_pylist() == [
        {
            "segment": "big",
            "numerator_before": 30.0,
            "numerator_after": -10.0,
            "rows_before": 2,
            "rows_after": 1,
        },
        {
            "segment": "small",
            "numerator_before": 5.0,
            "numerator_after": 30.0,
            "rows_before": 1,
            "rows_after": 1,
        },
        {"segment": None, "numerator_before": 0.0, "numerator_after": 7.0, "rows_before": 0, "rows_after": 1},
    ]
    assert sums.adds_up("numerator", "country") and sums.adds_up("numerator", "segment")


def test_segments_appear_and_vanish():
    cells = LAYER.component_sums("revenue", ["country"], FEBRUARY, MARCH).cells("country").to_pylist()

    rows = {cell["country"]: (cell["rows_before"], cell["rows_after"]) for cell in cells}
    assert rows == {"France": (1, 1), "Spain": (2, 0), None: (0, 1)}


def test_a_ratio_has_a_numerator_and_a_denominator():
    sums = LAYER.component_sums("revenue_per_buyer", ["country"], JANUARY, FEBRUARY)

    assert sums.parts["revenue_per_buyer"].denominator == "denominator"
    assert sums.cells().to_pylist()[0] | {"rows_before": 0, "rows_after": 0} == {
        "numerator_before": 35.0, "numerator_after": 27.0, "denominator_before": 2.0, "denominator_after": 2.0,
        "rows_before": 0, "rows_after": 0,
    }  # fmt: skip


def test_counts_of_distinct_values_say_whether_they_add_up():
    sums = LAYER.component_sums("buyers", ["country"], JANUARY, FEBRUARY)

    assert sums.parts["buyers"].distinct
    assert not sums.adds_up("numerator", "country")  # buyer 1 bought in two countries in January
    assert not LAYER.component_sums("revenue", ["country"], JANUARY, FEBRUARY).parts["revenue"].distinct


def test_an_average_is_a_sum_over_a_count():
    cells = LAYER.component_sums("mean_price", [], JANUARY, FEBRUARY).cells().to_pylist()[0]

    assert (cells["numerator_before"], cells["denominator_before"]) == (17.5, 3.0)


def test_a_formula_of_sums_is_a_sum_and_of_one_ratio_a_ratio():
    kept = LAYER.component_sums("kept", [], JANUARY, FEBRUARY).cells().to_pylist()[0]
    rate = LAYER.component_sums("return_rate", [], JANUARY, FEBRUARY).cells().to_pylist()[0]

    assert (kept["numerator_before"], kept["numerator_after"]) == (35.0, 37.0)
    assert (rate["numerator_after"], rate["denominator_after"]) == (1000.0, 37.0)


def test_sets_of_dimensions_can_be_asked_together():
    sums = LAYER.component_sums(
        "revenue", ["country", "segment"], JANUARY, MARCH, sets=[("country", "segment")]
    )

    assert sums.sets == ((), ("country", "segment"))
    cells = sums.cells("segment", "country")
    assert sum(cells["numerator_before"].to_pylist()) == 35.0
    with pytest.raises(Invalid, match="not asked by country"):
        sums.cells("country")


def test_conditions_hold_for_sums_as_for_values():
    where = (Condition("country", "!=", ("France",)),)
    sums = LAYER.component_sums("revenue", ["segment"], JANUARY, MARCH, where=where)

    assert sums.cells()["numerator_after"].to_pylist() == [30.0]


@pytest.mark.parametrize(
    ("metric", "because"),
    [
        ("top_price", "the max"),
        ("growth", "another period"),
        ("active_buyers", "cumulative"),
        ("revenue_per_active_buyer", "cumulative"),
    ],
)
def test_what_no_sums_make_up_is_refused_with_the_reason(metric, because):
    refused = LAYER.component_sums(metric, ["country"], JANUARY, FEBRUARY)

    assert isinstance(refused, CannotTell)
    assert because in refused.because and refused.mend
    assert isinstance(LAYER.unit_sums(metric, "buyer", None, JANUARY), CannotTell)


@pytest.mark.parametrize(
    "formula",
    [
        "revenue * returned",
        "revenue + 1",
        "revenue / returned + returned / revenue",
        "abs(revenue)",
        "revenue / (returned / revenue)",
        "returned - returned",
    ],
)
def test_formulas_that_are_neither_sum_nor_ratio_are_refused(formula):
    layer = shop_layer(SHOP.replace("expr: revenue - returned", f"expr: {formula}"))

    assert isinstance(layer.component_sums("kept", [], JANUARY, FEBRUARY), CannotTell)


@pytest.mark.parametrize(
    ("formula", "numerator", "denominator"),
    [
        ("revenue + revenue", 54.0, None),
        ("2 * revenue - returned / 4", 56.5, None),
        ("-(revenue)", -27.0, None),
        ("1 - returned / NULLIF(revenue, 0)", 37.0, 27.0),
        ("COALESCE(returned, 0) / CAST(revenue AS DOUBLE) * 100", -1000.0, 27.0),
        ("(revenue - returned) / revenue - returned / revenue", 47.0, 27.0),
    ],
)
def test_a_formula_comes_down_to_what_it_says(formula, numerator, denominator):
    layer = shop_layer(SHOP.replace("expr: revenue - returned", f"expr: {formula}"))
    cells = layer.component_sums("kept", [], JANUARY, FEBRUARY).cells().to_pylist()[0]

    assert cells["numerator_after"] == pytest.approx(numerator)
    assert cells.get("denominator_after") == denominator


def test_several_leaves_are_one_query_with_one_scan():
    warehouse = shop_warehouse()
    layer = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")
    windows = {"january": JANUARY, "february": FEBRUARY, "march": MARCH}

    sums = layer.leaf_sums(["revenue", "returned", "line_count", "buyers", "top_price"], ["country"], windows)

    assert len(warehouse.asked) == 1
    assert sums.sql.count("shop.lines") == 1
    assert list(sums.refused) == ["top_price"]
    total = sums.cells().to_pylist()[0]
    assert [total[f"revenue_{name}"] for name in windows] == [35.0, 27.0, 130.0]
    assert [total[f"returned_{name}"] for name in windows] == [0.0, -10.0, 0.0]
    assert [total[f"buyers_{name}"] for name in windows] == [2.0, 2.0, 2.0]


def test_windows_may_overlap():
    windows = {"january": JANUARY, "quarter": Window(JANUARY.start, MARCH.end), "february": FEBRUARY}
    total = LAYER.leaf_sums(["revenue", "buyers"], ["country"], windows).cells().to_pylist()[0]

    assert [total[f"revenue_{name}"] for name in windows] == [35.0, 192.0, 27.0]
    assert [total[f"buyers_{name}"] for name in windows] == [2.0, 4.0, 2.0]


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ((["revenu"], ["country"], {"a": JANUARY}), NotFound),
        ((["revenue"], ["contry"], {"a": JANUARY}), NotFound),
        ((["revenue"], ["country", "country"], {"a": JANUARY}), Invalid),
        ((["revenue"], ["country"], {}), Invalid),
        ((["revenue"], ["country"], {"a b": JANUARY}), Invalid),
        ((["revenue"], ["country"], {"a": Window(FEBRUARY.start, JANUARY.start)}), Invalid),
        ((["top_price"], ["country"], {"a": JANUARY}), Invalid),
        ((["revenue"], [f"d{number}" for number in range(13)], {"a": JANUARY}), Invalid),
    ],
)
def test_sums_that_cannot_be_asked_say_why(asked, problem):
    with pytest.raises(problem) as caught:
        LAYER.leaf_sums(*asked)
    assert caught.value.mend


def test_a_set_of_an_unknown_dimension_is_refused():
    with pytest.raises(Invalid, match="not among the dimensions"):
        LAYER.component_sums("revenue", ["country"], JANUARY, FEBRUARY, sets=[("segment",)])


ROWS = st.lists(
    st.tuples(
        st.integers(1, 90).map(
            lambda day: date.fromordinal(date(2024, 1, 1).toordinal() + day - 1).isoformat()
        ),
        st.one_of(st.none(), st.integers(1, 5)),
        st.sampled_from(["France", "Spain", None]),
        st.integers(-3, 5),
        st.integers(0, 50).map(float),
    ),
    min_size=1,
    max_size=40,
)


@given(rows=ROWS)
@settings(max_examples=30, deadline=None)
def test_sums_equal_a_naive_computation(rows):
    warehouse = shop_warehouse()
    warehouse.connection.execute("DELETE FROM shop.lines")
    warehouse.connection.executemany("INSERT INTO shop.lines VALUES (?, ?, ?, ?, ?)", rows)
    layer = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop")

    sums = layer.component_sums("revenue_per_buyer", ["country", "segment"], JANUARY, FEBRUARY)

    keys = {"country": lambda line: line[2], "segment": lambda line: SEGMENTS.get(line[1])}
    for dimension, key in keys.items():
        for window, name in ((JANUARY, "before"), (FEBRUARY, "after")):
            expected, buyers, counts = defaultdict(float), defaultdict(set), defaultdict(int)
            for line in rows:
                if inside(line, window):
                    expected[key(line)] += line[3] * line[4]
                    buyers[key(line)] |= {line[1]} - {None}
                    counts[key(line)] += 1
            for cell in sums.cells(dimension).to_pylist():
                value = cell[dimension]
                assert cell[f"numerator_{name}"] == pytest.approx(expected[value])
                assert cell[f"denominator_{name}"] == len(buyers[value])
                assert cell[f"rows_{name}"] == counts[value]
    whole = layer.query(
        MetricQuery(("revenue", "buyers"), start=JANUARY.start, end=JANUARY.end)
    ).table.to_pylist()
    if whole and whole[0]["revenue"] is not None:
        total = sums.cells().to_pylist()[0]
        assert (total["numerator_before"], total["denominator_before"]) == (
            whole[0]["revenue"],
            whole[0]["buyers"],
        )


def test_moments_over_units_equal_numpys():
    quarter = Window(JANUARY.start, MARCH.end)
    per_buyer = defaultdict(lambda: np.zeros(2))
    for line in LINES:
        if line[1] is not None:
            per_buyer[line[1]] += [line[3] * line[4], 1]
    values = np.array(list(per_buyer.values()))
    text = SHOP.replace(
        "numerator: revenue, denominator: buyers}", "numerator: revenue, denominator: line_count}"
    )

    found = shop_layer(text).unit_sums("revenue_per_buyer", "buyer", None, quarter)

    y, x = values[:, 0], values[:, 1]
    assert found.ratio and found.segment is None
    assert found.table.to_pylist() == [
        {"units": 4, "y": y.sum(), "yy": (y**2).sum(), "x": x.sum(), "xx": (x**2).sum(), "xy": (x * y).sum(),
         "y_without_unit": 7.0}
    ]  # fmt: skip


def test_moments_by_segment_leave_out_rows_that_name_no_unit_and_say_how_much():
    found = LAYER.unit_sums("revenue", "buyer", "country", Window(JANUARY.start, MARCH.end))

    assert found.segment == "country"
    assert found.table.to_pylist() == [
        {
            "country": "France",
            "units": 3,
            "y": 115.0,
            "yy": 10.0**2 + 5.0**2 + 100.0**2,
            "y_without_unit": 0.0,
        },
        {"country": "Spain", "units": 2, "y": 40.0, "yy": 10.0**2 + 30.0**2, "y_without_unit": 7.0},
        {"country": None, "units": 1, "y": 30.0, "yy": 900.0, "y_without_unit": 0.0},
    ]


def test_moments_by_a_joined_segment_and_under_a_condition():
    found = LAYER.unit_sums(
        "revenue", "buyer", "segment", JANUARY, where=(Condition("country", "=", ("France",)),)
    ).table.to_pylist()

    assert [(row["segment"], row["units"], row["y"]) for row in found] == [
        ("big", 1, 20.0),
        ("small", 1, 5.0),
    ]
