from __future__ import annotations

import math
from itertools import product

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.attribution import analyze_contributions, grouping_sets
from potager.engines.attribution.grouping import read_grouped

DIMENSIONS = ("country", "plan", "device")
COUNTRIES = ("DE", "FR", "IT", "US", "JP")
PLANS = ("free", "pro", "team")
DEVICES = ("web", "ios", "android", None)


def test_grouping_sets_come_smallest_first_and_to_the_depth_asked():
    assert grouping_sets(["a", "b", "c"], 2) == [
        (),
        ("a",),
        ("b",),
        ("c",),
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    assert grouping_sets(["a", "b"], 9) == [(), ("a",), ("b",), ("a", "b")]
    assert grouping_sets(["a"], 0) == [()]
    with pytest.raises(ValueError, match="twice"):
        grouping_sets(["a", "a"], 1)
    with pytest.raises(ValueError, match="negative"):
        grouping_sets(["a"], -1)


def _lines(seed: int = 1) -> list[dict]:
    """A cube of lines whose sizes differ a lot; every cell has a little noise."""
    randomness = np.random.default_rng(seed)
    rows = []
    for country, plan, device in product(COUNTRIES, PLANS, DEVICES):
        before = 1000 * randomness.uniform(0.3, 1) * (1 + 2 * (country == "US")) * (1 + (plan == "pro"))
        count = before / 10
        rows.append(
            {
                "country": country, "plan": plan, "device": device, "before": before,
                "after": before * randomness.normal(1, 0.005),
                "before_denominator": count, "after_denominator": count * randomness.normal(1, 0.005),
            }
        )  # fmt: skip
    return rows


def _grouped(lines: list[dict], depth: int = 3, dimensions=DIMENSIONS) -> pa.Table:
    source = pa.Table.from_pylist(lines)  # noqa: F841 - read by name in the query
    names = ", ".join(dimensions)
    sets = ", ".join(f"({', '.join(chosen)})" for chosen in grouping_sets(dimensions, depth))
    sums = ", ".join(f"sum({name}) AS {name}" for name in lines[0] if name not in DIMENSIONS)
    return duckdb.sql(
        f"SELECT {names}, GROUPING({names}) AS grouping, {sums} FROM source GROUP BY GROUPING SETS ({sets})"
    ).to_arrow_table()


def _plant(lines: list[dict], factor: float, column: str = "after", **where) -> float:
    moved = 0.0
    for row in lines:
        if all(row[name] == value for name, value in where.items()):
            moved += row[column] * (factor - 1)
            row[column] *= factor
    return moved


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize(
    "where",
    [
        {"country": "FR"},
        {"plan": "pro"},
        {"device": None},
        {"country": "US", "plan": "pro"},
        {"plan": "free", "device": "ios"},
        {"country": "JP", "device": None},
    ],
)
def test_a_planted_cause_is_found_alone(depth, where):
    lines = _lines()
    moved = _plant(lines, 0.5, **where)
    found = analyze_contributions(_grouped(lines, depth), DIMENSIONS, minimum_excess=0.15)
    assert [dict(segment.conditions) for segment in found.segments] == [where]
    assert found.segments[0].excess < 0
    assert found.covered == pytest.approx(moved, rel=0.1)
    assert found.covered_share == pytest.approx(1, abs=0.25)
    assert found.redundant > 0
    assert found.uncounted == 0


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 50),
    st.sampled_from(COUNTRIES),
    st.sampled_from(PLANS),
    st.sampled_from(DEVICES),
    st.sampled_from([0.3, 0.6, 1.7]),
    st.sets(st.sampled_from(DIMENSIONS), min_size=1, max_size=2),
)
def test_any_planted_cause_comes_first(seed, country, plan, device, factor, chosen):
    where = {
        name: value for name, value in zip(DIMENSIONS, (country, plan, device), strict=True) if name in chosen
    }
    lines = _lines(seed)
    _plant(lines, factor, **where)
    found = analyze_contributions(_grouped(lines, 2), DIMENSIONS)
    assert dict(found.segments[0].conditions) == where


def test_two_causes_that_pull_in_opposite_directions_are_both_found():
    lines = _lines()
    _plant(lines, 0.4, country="DE", plan="pro")
    _plant(lines, 1.8, country="JP")
    found = analyze_contributions(_grouped(lines), DIMENSIONS, minimum_excess=0.15)
    assert [dict(segment.conditions) for segment in found.segments] == [
        {"country": "JP"},
        {"country": "DE", "plan": "pro"},
    ]
    assert [segment.excess > 0 for segment in found.segments] == [True, False]


def test_a_cause_in_a_ratio_is_found():
    lines = _lines()
    _plant(lines, 0.6, country="US", device="ios")
    found = analyze_contributions(_grouped(lines), DIMENSIONS, "ratio", minimum_excess=0.15)
    (segment,) = found.segments
    assert dict(segment.conditions) == {"country": "US", "device": "ios"}
    assert segment.change == pytest.approx(segment.after - segment.before)
    assert segment.contribution == pytest.approx(found.change, rel=0.3)
    assert segment.surprise is None
    assert found.kind == "ratio"
    total_before = sum(row["before"] for row in lines) / sum(row["before_denominator"] for row in lines)
    assert found.before == pytest.approx(total_before)


def test_every_figure_by_hand():
    table = pa.table(
        {
            "plan": ["free", "pro", None, None],
            "grouping": [0, 0, 0, 1],
            "before": [60.0, 40.0, 0.0, 100.0],
            "after": [60.0, 0.0, 20.0, 80.0],
        }
    )
    found = analyze_contributions(table, ["plan"], redundancy=0.0, minimum_excess=0.0)
    first, second = found.segments[:2]
    assert first.conditions == (("plan", "pro"),)
    assert (first.before, first.after, first.change, first.relative_change) == (40, 0, -40, -1)
    assert (first.contribution, first.expected, first.excess) == (-40, -8, -32)
    assert (first.share, first.support, first.vanished, first.appeared) == (2, 0.4, True, False)
    assert first.surprise == pytest.approx(0.4 * math.log(2) / 2)
    assert first.label == "plan = pro"
    assert second.label == "plan unknown"
    assert (second.expected, second.excess, second.relative_change, second.appeared) == (0, 20, None, True)
    assert second.surprise == pytest.approx(0.25 * math.log(2) / 2)
    assert (found.before, found.after, found.change, found.covered) == (100, 80, -20, -20)
    assert found.statement == (
        "The 2 segments listed hold -20 of a change of -20 (100%); all else moved by 0."
    )
    rows = found.table().to_pylist()
    assert rows[0]["segment"] == "plan = pro"
    assert (rows[0]["dimensions"], rows[0]["values"], rows[1]["values"]) == (["plan"], ["pro"], [None])
    assert rows[0]["excess"] == -32
    assert rows[1]["relative_change"] is None


def test_segments_are_ranked_by_excess_and_limited():
    lines = _lines()
    for at, country in enumerate(COUNTRIES[:3]):
        _plant(lines, 0.8 - 0.2 * at, country=country)
    found = analyze_contributions(_grouped(lines), DIMENSIONS)
    sizes = [abs(segment.excess) for segment in found.segments]
    assert sizes == sorted(sizes, reverse=True)
    assert len(analyze_contributions(_grouped(lines), DIMENSIONS, limit=2).segments) == 2
    assert all(
        segment.excess == pytest.approx(segment.contribution - segment.expected) for segment in found.segments
    )


def test_segments_without_support_are_not_considered():
    lines = _lines()
    _plant(lines, 0.0, country="JP", plan="team", device="web")
    table = _grouped(lines)
    every = analyze_contributions(table, DIMENSIONS, minimum_support=0.0)
    large = analyze_contributions(table, DIMENSIONS, minimum_support=0.05)
    assert every.considered == len(table) - 1 > large.considered
    assert all(segment.support >= 0.05 for segment in large.segments)
    assert dict(every.segments[0].conditions) == {"country": "JP", "plan": "team", "device": "web"}


def test_of_two_names_for_the_same_rows_the_shorter_is_kept():
    lines = [{**row, "device": "till" if row["country"] == "FR" else "web"} for row in _lines()]
    _plant(lines, 0.5, country="FR")
    found = analyze_contributions(_grouped(lines), DIMENSIONS, minimum_excess=0.15)
    assert len(found.segments) == 1
    assert len(found.segments[0].conditions) == 1


def test_when_all_move_alike_no_segment_stands_out():
    lines = _lines()
    for row in lines:
        row["after"] = row["before"] * 1.25
    found = analyze_contributions(_grouped(lines), DIMENSIONS)
    assert found.segments == ()
    assert found.statement == "No segment moved differently from what its size predicts."
    assert (found.covered, found.covered_share) == (0, 0)
    assert found.table().num_rows == 0


def test_segments_move_while_the_whole_stands_still():
    table = pa.table(
        {
            "plan": ["a", "b", None],
            "grouping": [0, 0, 1],
            "before": [50.0, 50.0, 100.0],
            "after": [80.0, 20.0, 100.0],
        }
    )
    found = analyze_contributions(table, ["plan"])
    assert found.segments[0].share is None
    assert found.covered_share is None
    assert "of a change of 0;" in found.statement


def test_the_cover_counts_each_row_once():
    lines = _lines()
    _plant(lines, 0.5, country="FR")
    _plant(lines, 0.5, plan="team")
    deep = analyze_contributions(_grouped(lines), DIMENSIONS, minimum_excess=0.15)
    assert {segment.label for segment in deep.segments} == {"country = FR", "plan = team"}
    union = sum(
        row["after"] - row["before"] for row in lines if row["country"] == "FR" or row["plan"] == "team"
    )
    assert deep.covered == pytest.approx(union)
    assert deep.uncounted == 0
    shallow = analyze_contributions(_grouped(lines, 1), DIMENSIONS, minimum_excess=0.15)
    assert len(shallow.segments) == 2
    assert shallow.uncounted == 1
    assert shallow.statement.startswith("The segment listed holds")
    assert "1 more listed overlap these" in shallow.statement
    assert shallow.covered == pytest.approx(shallow.segments[0].contribution)


def test_segments_that_never_meet_cover_the_sum_of_both():
    lines = [row for row in _lines() if not (row["country"] == "FR" and row["plan"] == "team")]
    _plant(lines, 0.5, country="FR")
    _plant(lines, 0.5, plan="team")
    found = analyze_contributions(_grouped(lines), DIMENSIONS, minimum_excess=0.15)
    assert found.covered == pytest.approx(sum(segment.contribution for segment in found.segments))
    assert found.uncounted == 0


def test_a_whole_that_falls_to_nothing_has_supports_from_before_only():
    table = pa.table(
        {
            "plan": ["a", "b", None],
            "grouping": [0, 0, 1],
            "before": [50.0, 50.0, 100.0],
            "after": [30.0, -30.0, 0.0],
        }
    )
    found = analyze_contributions(table, ["plan"])
    assert found.segments[0].support == 0.5
    assert found.segments[0].surprise is None


def test_a_segment_with_a_numerator_but_no_denominator_does_not_break_a_ratio():
    table = pa.table(
        {
            "plan": ["a", "b", None], "grouping": [0, 0, 1],
            "before": [50.0, 0.0, 50.0], "after": [50.0, 10.0, 60.0],
            "before_denominator": [10.0, 0.0, 10.0], "after_denominator": [10.0, 0.0, 10.0],
        }
    )  # fmt: skip
    found = analyze_contributions(table, ["plan"], "ratio", minimum_support=0.0)
    assert found.segments[0].label == "plan = b"
    assert found.segments[0].before is found.segments[0].change is None
    assert found.segments[0].excess == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "change", "reason", "words"),
    [
        ("sum", {"before": [1.0, 0.0]}, "undefined", "whole was 0 before"),
        ("sum", {"after": [None, 2.0]}, "incomplete", "column 'after' has unknown"),
        ("sum", {"after": [math.inf, 2.0]}, "undefined", "not finite"),
        ("sum", {"grouping": [0, 0]}, "incomplete", "no row for the whole"),
        ("sum", {"grouping": [1, 1]}, "ambiguous", "more than one row"),
        ("ratio", {"before_denominator": [1.0, 0.0]}, "undefined", "denominator of the whole is 0 before"),
        ("ratio", {"after_denominator": [1.0, 0.0]}, "undefined", "denominator of the whole is 0 after"),
    ],
)
def test_a_table_without_an_answer_is_refused(kind, change, reason, words):
    columns = {
        "plan": ["a", None], "grouping": [0, 1], "before": [1.0, 1.0], "after": [2.0, 2.0],
        "before_denominator": [1.0, 1.0], "after_denominator": [1.0, 1.0],
    }  # fmt: skip
    found = analyze_contributions(pa.table(columns | change), ["plan"], kind)
    assert isinstance(found, CannotTell)
    assert found.reason == reason
    assert words in found.because
    assert found.mend


def test_a_table_without_the_columns_of_the_contract_is_an_error():
    table = pa.table({"plan": ["a"], "grouping": [0], "before": [1.0]})
    with pytest.raises(ValueError, match="no column 'after'"):
        analyze_contributions(table, ["plan"])
    with pytest.raises(ValueError, match="between 1 and 30"):
        read_grouped(table, [], ["before"])


def test_dimensions_of_other_types_and_dictionaries_are_read():
    table = pa.table(
        {
            "year": [2010, 2011, None, None],
            "plan": pa.array([None, None, "a", None]).dictionary_encode(),
            "grouping": [1, 1, 2, 3],
            "before": [40.0, 60.0, 100.0, 100.0],
            "after": [40.0, 10.0, 50.0, 50.0],
        }
    )
    found = analyze_contributions(table, ["year", "plan"])
    assert found.segments[0].conditions == (("year", 2011),)
    empty = pa.table({"plan": pa.chunked_array([], pa.string()), "grouping": pa.array([], pa.int64()),
                      "before": pa.array([], pa.float64()), "after": pa.array([], pa.float64())})  # fmt: skip
    assert analyze_contributions(empty, ["plan"]).reason == "incomplete"


def test_a_child_that_holds_nearly_all_of_the_excess_stands_for_its_parent():
    lines = _lines()
    _plant(lines, 0.8, country="US")
    _plant(lines, 0.4, country="US", plan="pro")
    found = analyze_contributions(_grouped(lines), DIMENSIONS)
    parent = next(row for row in analyze_contributions(
        _grouped(lines, 1), DIMENSIONS).segments if row.label == "country = US")  # fmt: skip
    assert abs(parent.excess) > abs(found.segments[0].excess)
    assert found.segments[0].label == "country = US, plan = pro"
    assert found.segments[0].times_noise > 10


def test_noise_is_not_listed_and_is_counted():
    randomness = np.random.default_rng(3)
    lines = [
        {
            "country": f"c{a}", "plan": f"p{b}", "device": f"d{c}",
            "before": 100.0, "after": 100 * randomness.normal(1, 0.1),
        }
        for a, b, c in product(range(8), range(6), range(5))
    ]  # fmt: skip
    table = _grouped(lines)
    quiet = analyze_contributions(table, DIMENSIONS)
    assert quiet.segments == ()
    assert quiet.noise > 0
    assert quiet.statement.endswith("beyond what chance makes some do.")
    loud = analyze_contributions(table, DIMENSIONS, above_noise=0.0)
    assert len(loud.segments) == 10
    assert loud.noise == 0
    _plant(lines, 0.5, country="c3")
    assert [row.label for row in analyze_contributions(_grouped(lines), DIMENSIONS).segments] == [
        "country = c3"
    ]


def test_a_parent_chosen_first_is_given_up_when_its_child_leaves_it_little():
    lines = _lines()
    child = {"country": "JP", "plan": "team", "device": "web"}
    _plant(lines, 0.965, country="JP")
    _plant(lines, 0.0, **child)
    table = _grouped(lines)
    found = analyze_contributions(table, DIMENSIONS, minimum_support=0.001, minimum_excess=0.4)
    excess = {
        row.label: row.excess
        for row in analyze_contributions(
            _grouped(lines, 1), DIMENSIONS, minimum_excess=0.0, redundancy=0.0
        ).segments
    }
    assert abs(excess["country = JP"]) > abs(found.segments[0].excess) / 0.9
    assert [dict(segment.conditions) for segment in found.segments] == [child]


def test_without_any_scatter_all_that_moved_is_listed():
    lines = [{**row, "after": row["before"]} for row in _lines()]
    moved = _plant(lines, 0.5, country="FR") + _plant(lines, 0.5, country="JP", device="ios")
    found = analyze_contributions(_grouped(lines), DIMENSIONS)
    assert [row.label for row in found.segments] == ["country = FR", "country = JP, device = ios"]
    assert [row.times_noise for row in found.segments] == [None, None]
    assert found.covered == pytest.approx(moved) == pytest.approx(found.change)


def test_swapping_before_and_after_turns_the_signs():
    lines = _lines()
    _plant(lines, 0.5, country="FR")
    there = analyze_contributions(_grouped(lines), DIMENSIONS, "ratio")
    turned = [
        {
            **row,
            "before": row["after"],
            "after": row["before"],
            "before_denominator": row["after_denominator"],
            "after_denominator": row["before_denominator"],
        }
        for row in lines
    ]
    back = analyze_contributions(_grouped(turned), DIMENSIONS, "ratio")
    assert back.segments[0].label == there.segments[0].label == "country = FR"
    assert back.segments[0].contribution == pytest.approx(-there.segments[0].contribution)
    assert back.change == pytest.approx(-there.change)


def test_nothing_to_list_is_fine():
    lines = _lines()
    _plant(lines, 0.5, country="FR")
    table = _grouped(lines)
    assert analyze_contributions(table, DIMENSIONS, limit=0).segments == ()
    whole = table.filter(pc.equal(table["grouping"], 7))
    only_whole = analyze_contributions(whole, DIMENSIONS)
    assert (only_whole.segments, only_whole.considered, only_whole.covered) == ((), 0, 0)


@pytest.mark.retail
def test_the_covered_change_of_real_sales_equals_a_second_count(retail_file):
    source = duckdb.read_parquet(str(retail_file))
    lines = source.query(
        "lines",
        """SELECT country, left(stock_code, 2) AS range, customer_id IS NULL AS anonymous,
                  invoice_date >= DATE '2011-09-01' AS late, quantity * unit_price AS revenue
           FROM lines WHERE invoice_date >= DATE '2011-06-01' AND invoice_date < DATE '2011-12-01'""",
    )
    names = ("country", "range", "anonymous")
    sets = ", ".join(f"({', '.join(chosen)})" for chosen in grouping_sets(names, 3))
    table = lines.query(
        "lines",
        f"""SELECT {", ".join(names)}, GROUPING({", ".join(names)}) AS grouping,
                   coalesce(sum(revenue) FILTER (WHERE NOT late), 0) AS before,
                   coalesce(sum(revenue) FILTER (WHERE late), 0) AS after
            FROM lines GROUP BY GROUPING SETS ({sets})""",
    ).to_arrow_table()
    found = analyze_contributions(table, names)
    assert found.segments
    quoted = " OR ".join(
        "("
        + " AND ".join(
            f"{name} IS NOT DISTINCT FROM {'NULL' if value is None else repr(value)}"
            for name, value in row.conditions
        )
        + ")"
        for row in found.segments
    )
    ((change, covered),) = lines.query(
        "lines",
        f"""SELECT sum(CASE WHEN late THEN revenue ELSE -revenue END),
                   sum(CASE WHEN late THEN revenue ELSE -revenue END) FILTER (WHERE {quoted}) FROM lines""",
    ).fetchall()
    assert found.change == pytest.approx(change)
    assert found.covered == pytest.approx(covered)
    assert found.uncounted == 0
