from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.attribution import (
    attribute_components_by_segment,
    attribute_formula,
    attribute_segments,
    parse_formula,
)
from potager.engines.attribution.segments import ratio_contributions
from tests.engines.attribution.oracle import by_permutations, scale_of


def _table(rows: dict[str | None, tuple[float, ...] | float]) -> pa.Table:
    values = [row if isinstance(row, tuple) else (row,) for row in rows.values()]
    table = pa.table({"segment": pa.array(list(rows), pa.string())})
    for at, name in enumerate(("numerator", "denominator")):
        if all(len(value) > at for value in values):
            table = table.append_column(name, pa.array([value[at] for value in values], pa.float64()))
    return table


def test_a_segment_of_a_sum_contributes_its_own_change():
    found = attribute_segments(
        "sum", _table({"de": 10, "fr": 5, None: 2}), _table({"fr": 9, None: 1, "it": 4})
    )
    rows = {row["segment"]: row for row in found.table().to_pylist()}
    assert {name: row["contribution"] for name, row in rows.items()} == {
        "de": -10,
        "fr": 4,
        None: -1,
        "it": 4,
    }
    assert rows["de"]["vanished"] is rows["it"]["appeared"] is True
    assert rows["fr"]["appeared"] is rows["fr"]["vanished"] is False
    assert (found.total_before, found.total_after, found.total) == (17, 14, -3)
    assert rows["fr"]["share"] == pytest.approx(4 / -3)
    parts = found.attribution().parts
    assert [(part.name, part.note) for part in parts] == [
        ("de", "vanished"),
        ("fr", ""),
        ("", ""),
        ("it", "appeared"),
    ]
    assert found.attribution().method == "own_change"
    assert found.attribution().unexplained == 0


def test_within_and_mix_by_hand():
    # Conversion: web 10 of 100 → 12 of 100; app 30 of 100 → 90 of 300.
    found = attribute_segments(
        "ratio", _table({"web": (10, 100), "app": (30, 100)}), _table({"web": (12, 100), "app": (90, 300)})
    )
    mean = (40 / 200 + 102 / 400) / 2
    assert found.total == pytest.approx(102 / 400 - 40 / 200)
    assert found.within == pytest.approx([(0.5 + 0.25) / 2 * 0.02, 0])
    assert found.mix == pytest.approx([-0.25 * (0.11 - mean), 0.25 * (0.3 - mean)])
    assert found.contributions.sum() == pytest.approx(found.total, rel=1e-12)
    assert found.attribution().method == "within_mix"


def test_mix_is_centered_so_growth_at_the_average_contributes_nothing():
    found = attribute_segments(
        "ratio",
        _table({"a": (20, 100), "b": (20, 100), "c": (20, 100)}),
        _table({"a": (180, 900), "b": (20, 100), "c": (20, 100)}),
    )
    assert found.contributions == pytest.approx([0, 0, 0], abs=1e-15)


def test_a_segment_without_a_denominator_on_one_side_is_all_mix():
    found = attribute_segments(
        "ratio", _table({"old": (5, 50), "gone": (8, 20)}), _table({"old": (6, 50), "new": (9, 10)})
    )
    rows = {row["segment"]: row for row in found.table().to_pylist()}
    assert rows["new"]["within"] == rows["gone"]["within"] == 0
    assert rows["new"]["mix"] == rows["new"]["contribution"] > 0
    assert rows["gone"]["contribution"] < 0
    assert rows["new"]["appeared"] is rows["gone"]["vanished"] is True
    assert rows["new"]["before"] is None
    assert rows["gone"]["after"] is None
    assert found.contributions.sum() == pytest.approx(found.total, rel=1e-12)
    notes = {part.name: part.note for part in found.attribution().parts}
    assert notes == {"old": "", "gone": "vanished", "new": "appeared"}


_SUMS = st.tuples(st.floats(-50, 100), st.floats(0, 100))


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefg"), _SUMS, min_size=1),
    st.dictionaries(st.sampled_from("cdefgh"), _SUMS, min_size=1),
)
def test_a_ratio_adds_up_and_reverses_with_time(before, after):
    assume(sum(d for _, d in before.values()) > 0.1 and sum(d for _, d in after.values()) > 0.1)
    there = attribute_segments("ratio", _table(before), _table(after))
    back = attribute_segments("ratio", _table(after), _table(before))
    size = scale_of(there.total_before, there.total_after, *there.contributions, *there.within)
    assert there.contributions.sum() == pytest.approx(there.total, abs=1e-9 * size)
    forth = {row["segment"]: row for row in there.table().to_pylist()}
    for row in back.table().to_pylist():
        for name in ("contribution", "within", "mix"):
            assert row[name] == pytest.approx(-forth[row["segment"]][name], abs=1e-9 * size)


def test_a_segment_contributes_what_its_parts_contribute():
    randomness = np.random.default_rng(4)
    tops, belows = ([randomness.uniform(1, 9, 6) for _ in range(2)] for _ in range(2))
    fine = ratio_contributions(tops, belows)
    coarse = ratio_contributions(
        [t.reshape(3, 2).sum(1) for t in tops], [b.reshape(3, 2).sum(1) for b in belows]
    )
    assert fine.reshape(3, 2).sum(1) == pytest.approx(coarse)


def test_labels_of_other_types_and_empty_sides_are_fine():
    before = pa.table({"segment": pa.array(["a", "b"]).dictionary_encode(), "numerator": [1, 2]})
    after = pa.table({"segment": pa.array(["b"], pa.large_string()), "numerator": [5.0]})
    assert attribute_segments("sum", before, after).contributions.tolist() == [-1, 3]
    numbers = pa.table({"segment": [7, 8], "numerator": [1, 2]})
    nothing = pa.table(
        {"segment": pa.chunked_array([], pa.int64()), "numerator": pa.chunked_array([], pa.int64())}
    )
    assert attribute_segments("sum", numbers, nothing).total == -3
    still = attribute_segments("sum", numbers, numbers)
    assert still.table().column("share").to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("kind", "before", "reason", "words"),
    [
        ("sum", {"a": math.nan}, "undefined", "numerator of some segments is not a finite"),
        ("sum", {"a": None}, "incomplete", "numerator of some segments is unknown before"),
        ("ratio", {"a": (1, None)}, "incomplete", "denominator of some segments is unknown before"),
        ("ratio", {"a": (1, 0)}, "undefined", "add up to 0 before"),
    ],
)
def test_segments_without_a_number_are_refused(kind, before, reason, words):
    found = attribute_segments(kind, _table(before), _table({"a": (1, 2)}))
    assert isinstance(found, CannotTell)
    assert found.reason == reason
    assert words in found.because


def test_a_segment_in_two_rows_is_refused_and_a_missing_column_is_an_error():
    twice = pa.table({"segment": ["a", "a"], "numerator": [1, 2]})
    assert attribute_segments("sum", _table({"a": 1}), twice).reason == "ambiguous"
    with pytest.raises(ValueError, match="no column 'denominator'"):
        attribute_segments("ratio", _table({"a": 1}), _table({"a": 1}))


def _arrays(seed: int, names: str, segments: int) -> list[dict[str, np.ndarray]]:
    randomness = np.random.default_rng(seed)
    return [{name: randomness.uniform(1, 9, segments) for name in names} for _ in range(2)]


@pytest.mark.parametrize("text", ["a * b", "a * b / c", "a + b - c", "a * b * c"])
def test_components_by_segment_of_a_sum_are_exact_in_both_margins(text):
    formula = parse_formula(text)
    before, after = _arrays(1, "abc", 25)
    found = attribute_components_by_segment(formula, before, after)
    change = formula.evaluate(after) - formula.evaluate(before)
    assert found.components == formula.names
    assert found.by_segment == pytest.approx(change, rel=1e-9)
    assert found.by_component.sum() == pytest.approx(found.total, rel=1e-9)
    assert found.total == pytest.approx(change.sum())
    single = attribute_formula(
        formula, {n: v[7] for n, v in before.items()}, {n: v[7] for n, v in after.items()}
    )
    assert found.contributions[:, 7] == pytest.approx([part.contribution for part in single.parts])


def test_a_segment_that_appears_or_vanishes_has_a_row_of_its_own():
    before = {"orders": np.array([10.0, 0.0, 4.0]), "aov": np.array([5.0, np.nan, 2.0])}
    after = {"orders": np.array([12.0, 3.0, np.nan]), "aov": np.array([5.0, 7.0, np.nan])}
    found = attribute_components_by_segment(parse_formula("orders * aov"), before, after)
    assert found.components == ("orders", "aov", "appeared", "vanished")
    assert found.contributions.tolist() == [[10, 0, 0], [0, 0, 0], [0, 21, 0], [0, 0, -8]]
    assert found.total == 23
    rows = found.table(pa.array(["x", "y", "z"])).to_pylist()
    assert rows[1] == {"segment": "y", "orders": 0, "aov": 0, "appeared": 21, "vanished": 0, "total": 21}


def test_segments_absent_on_both_sides_contribute_nothing():
    nothing = {"a": np.array([np.nan]), "b": np.array([0.0])}
    found = attribute_components_by_segment(parse_formula("a * b"), nothing, nothing)
    assert found.contributions.tolist() == [[0], [0]]


@pytest.mark.parametrize("text", ["a / b", "a * b / c", "a / (b + c)", "a + b"])
def test_components_by_segment_of_a_ratio_are_exact_in_both_margins(text):
    formula = parse_formula(text)
    before, after = _arrays(2, "abc", 20)
    found = attribute_components_by_segment(formula, before, after, "formula_of_sums")
    sums = [{name: float(values.sum()) for name, values in side.items()} for side in (before, after)]
    naive = by_permutations(formula.evaluate, formula.names, *sums)
    assert found.by_component == pytest.approx([naive[name] for name in formula.names])
    assert found.by_segment.sum() == pytest.approx(found.total, rel=1e-9)
    assert found.total == pytest.approx(formula.evaluate(sums[1]) - formula.evaluate(sums[0]))
    assert found.before.tolist() == pytest.approx([formula.evaluate(sums[0])])


def test_segments_that_only_change_places_within_a_standing_sum_are_seen():
    before = {"a": np.array([10.0, 10.0]), "b": np.array([4.0, 6.0])}
    after = {"a": np.array([10.0, 10.0]), "b": np.array([6.0, 4.0])}
    found = attribute_components_by_segment(parse_formula("a / b"), before, after, "formula_of_sums")
    assert found.total == 0
    assert found.contributions[1] == pytest.approx([-20 / 100 * 2, 20 / 100 * 2])


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_a_segment_at_the_average_rate_contributes_nothing_to_a_standing_ratio(seed):
    before, after = _arrays(seed, "b", 5)
    sides = [{"b": side["b"], "a": 3 * side["b"]} for side in (before, after)]
    found = attribute_components_by_segment(parse_formula("a / b"), *sides, "formula_of_sums")
    assert found.by_segment == pytest.approx(np.zeros(5), abs=1e-12)


def test_sums_over_segments_beyond_twelve_curved_names_are_sampled_and_add_up():
    names = [f"x{at}" for at in range(13)]
    formula = parse_formula(f"y / ({' + '.join(names)})")
    randomness = np.random.default_rng(0)
    before, after = ({name: randomness.uniform(1, 2, 3) for name in [*names, "y"]} for _ in range(2))
    found = attribute_components_by_segment(formula, before, after, "formula_of_sums")
    assert found.method == "shapley_sampled"
    assert found.by_segment.sum() == pytest.approx(found.total, rel=1e-9)


@pytest.mark.parametrize("parent", ["sum_of_formula", "formula_of_sums"])
@pytest.mark.parametrize(
    ("text", "before", "reason"),
    [
        ("a * b", {"a": [1.0, 2.0], "b": [1.0, np.nan]}, "incomplete"),
        ("a * b", {"a": [1.0, 2.0], "b": [1.0, np.inf]}, "incomplete"),
        ("a * b", {"a": [1.0, 2.0]}, "incomplete"),
        ("a / b", {"a": [1.0, 2.0], "b": [0.0, 0.0]}, "undefined"),
        ("b / (b - a)", {"a": [7.0, 7.0], "b": [12.0, 12.0]}, "undefined"),
    ],
)
def test_a_matrix_without_a_number_is_refused(parent, text, before, reason):
    after = {"a": np.array([12.0, 12.0]), "b": np.array([20.0, 20.0])}
    sides = {name: np.array(values) for name, values in before.items()}
    found = attribute_components_by_segment(parse_formula(text), sides, after, parent)
    assert isinstance(found, CannotTell)
    assert found.reason == reason


def test_arrays_of_different_lengths_are_an_error():
    ones = np.ones(2)
    with pytest.raises(ValueError, match="one length"):
        attribute_components_by_segment(parse_formula("a"), {"a": ones}, {"a": np.ones(3)})
