"""Matrices and cohorts: totals only where all is known, nothing where nothing has happened yet."""

from __future__ import annotations

from typing import Any

import pytest

from potager.kit.charts import Chart, Cohort, cohort_grid, component_by_segment
from potager.kit.errors import Invalid
from tests.kit.charts.samples import CHARTS


def layers_of(chart: Chart, style: str, width: int = 900) -> list[dict[str, Any]]:
    return [layer for layer in chart.at(width)["layer"] if layer["mark"].get("style") == style]


def rows_of(chart: Chart, style: str, width: int = 900) -> list[dict[str, Any]]:
    return [row for layer in layers_of(chart, style, width) for row in layer["data"]["values"]]


def test_totals_are_sums_and_unknown_where_a_part_is():
    records = CHARTS["matrix"]().table.records()
    assert records[0] == {
        "segment": "United Kingdom", "active customers": 280e3, "orders per customer": 132e3,
        "average order value": -54e3, "together": 358e3,
    }  # fmt: skip
    assert records[2]["together"] is None
    assert records[3]["active customers"] == 291e3
    assert records[3]["average order value"] is None


def test_cells_carry_their_signed_number_and_the_colors_lie_about_zero():
    chart = CHARTS["matrix"]()
    assert {"+£280k", "−£54k", "unknown"} <= {
        row["said"] for style in ("label", "label-muted") for row in rows_of(chart, style) if "said" in row
    }
    scale = layers_of(chart, "cell")[0]["encoding"]["color"]["scale"]
    assert scale["domain"] == [-280e3, 280e3]
    assert scale["reverse"] is False


def test_where_down_is_good_the_colors_turn_and_the_numbers_do_not():
    chart = component_by_segment(
        [[2.0, -1.0]], components=["a", "b"], segments=["s"], title="x", unit="pp", good="down"
    )
    assert layers_of(chart, "cell")[0]["encoding"]["color"]["scale"]["reverse"] is True
    assert {"+2.0", "−1.0"} <= {row["said"] for row in rows_of(chart, "label") if "said" in row}


def test_the_largest_cells_are_said():
    assert CHARTS["matrix"]().alt == (
        "3\u00a0components by 3\u00a0segments; largest: active customers in United Kingdom +£280k, "
        "orders per customer in United Kingdom +£132k, average order value in United Kingdom −£54k. "
        "1\u00a0cell unknown."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": [[1.0]], "components": ["a", "b"], "segments": ["s"]},
        {"values": [[None]], "components": ["a"], "segments": ["s"]},
        {"values": [], "components": ["a"], "segments": []},
        {"values": [[1.0], [1.0]], "components": ["a"], "segments": ["s", "s"]},
        {"values": [[1.0]], "components": ["a"], "segments": ["s"], "good": "sideways"},
    ],
)
def test_matrices_that_do_not_fit_are_refused(wrong: dict[str, Any]):
    with pytest.raises(Invalid):
        component_by_segment(wrong.pop("values"), title="x", **wrong)


def test_the_immature_corner_is_blank_and_the_running_period_has_a_dashed_edge():
    chart = CHARTS["cohorts"]()
    cells = rows_of(chart, "cell")
    by_row: dict[str, int] = {}
    for cell in cells:
        by_row[cell["row"]] = by_row.get(cell["row"], 0) + 1
    assert [by_row[f"2011-{month:02}"] for month in range(1, 12)] == [12 - row for row in range(11)]
    dashed = {(row["row"], row["column"]) for row in rows_of(chart, "cell-partial")}
    assert dashed == {(f"2011-{row + 1:02}", str(11 - row)) for row in range(11)}
    assert "dashed: the month is not over" in chart.subtitle


def test_a_cohort_that_is_too_small_says_so_instead_of_a_share():
    chart = CHARTS["cohorts"]()
    assert "2011-12" not in {row["row"] for row in rows_of(chart, "cell")}
    assert "too few" in {row["said"] for row in rows_of(chart, "label-muted") if "said" in row}
    assert chart.alt.endswith("1\u00a0cohort too few to say.")
    assert len(chart.table.rows) == 12


def test_a_beginning_that_is_the_same_for_all_does_not_use_up_the_colors():
    scale = layers_of(CHARTS["cohorts"](), "cell")[0]["encoding"]["color"]["scale"]
    assert scale["domain"][1] == pytest.approx(0.42)
    assert scale["clamp"] is True


def test_what_does_not_fit_a_narrow_picture_is_said_to_be_in_the_table():
    chart = CHARTS["cohorts"]()
    labels = [
        layer["encoding"]["text"]["value"]
        for layer in layers_of(chart, "label-muted", 340)
        if "value" in layer["encoding"]["text"]
    ]
    assert any("see the table" in label for label in labels)
    assert not any("see the table" in str(layer) for layer in layers_of(chart, "label-muted", 900))


def test_cohorts_of_nothing_are_refused():
    with pytest.raises(Invalid):
        cohort_grid([], title="x")
    with pytest.raises(Invalid):
        cohort_grid([Cohort("a", 10, (None,))], title="x")
