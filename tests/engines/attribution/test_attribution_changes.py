from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.attribution import (
    Attribution,
    attribute_formula,
    attribute_formula_arrays,
    attribute_tree,
    parse_formula,
)
from tests.engines.attribution.oracle import by_permutations, scale_of, tree_of

# Das Gupta's printed examples: factors before, factors after, contributions to the digits printed.
DAS_GUPTA = [
    ([10930, 0.717892], [16591, 0.825974], ["4369.913", "1487.262"]),
    ([51.78746, 0.45919, 0.52638], [84.90502, 0.75756, 0.51065], ["10.4340333", "10.5608476", "-0.6670084"]),
    (
        [25.3, 0.214, 0.279, 0.949],
        [32.7, 0.290, 0.473, 0.986],
        ["0.6889411", "0.8125381", "1.3829055", "0.1047547"],
    ),
]


@pytest.mark.parametrize(("before", "after", "printed"), DAS_GUPTA)
def test_products_agree_with_das_gupta_to_every_printed_digit(before, after, printed):
    names = "abcd"[: len(before)]
    found = attribute_formula(
        parse_formula(" * ".join(names)),
        dict(zip(names, before, strict=True)),
        dict(zip(names, after, strict=True)),
    )
    assert found.method == "product"
    for part, text in zip(found.parts, printed, strict=True):
        assert f"{part.contribution:.{len(text.partition('.')[2])}f}" == text


@pytest.mark.parametrize(("before", "after", "printed"), DAS_GUPTA)
def test_a_tree_of_nested_products_gives_its_leaves_the_same_figures(before, after, printed):
    names = "abcd"[: len(before)]
    tree = tree_of("r", r="a * rest" if len(names) > 2 else "a * b", rest=" * ".join(names[1:]))
    found = attribute_tree(tree, dict(zip(names, before, strict=True)), dict(zip(names, after, strict=True)))
    for name, text in zip(names, printed, strict=True):
        assert f"{found.part(name).contribution:.{len(text.partition('.')[2])}f}" == text


def test_an_additive_parent_gives_each_part_its_own_change():
    found = attribute_formula(parse_formula("a - 2 * b + 5"), {"a": 10, "b": 3}, {"a": 14, "b": 8})
    assert found == Attribution(
        total=-6.0, parts=found.parts, unexplained=0.0, method="additive", before=9.0, after=3.0
    )
    assert [part.contribution for part in found.parts] == [4, -10]
    assert [part.standard_error for part in found.parts] == [None, None]
    assert found.explained == found.total
    assert found.part("b").after == 8
    with pytest.raises(KeyError):
        found.part("c")


def test_a_ratio_is_the_mean_of_both_orders():
    found = attribute_formula(parse_formula("a / b"), {"a": 10, "b": 4}, {"a": 12, "b": 5})
    assert found.method == "shapley_exact"
    assert found.part("a").contribution == pytest.approx(2 * (1 / 4 + 1 / 5) / 2)
    assert found.part("b").contribution == pytest.approx((10 + 12) / 2 * (1 / 5 - 1 / 4))


_FORMULAS = [
    "a + b - 3 * c + d",
    "a * b * c",
    "a * b - c * d",
    "a / b",
    "(a + b) / (c + d)",
    "-(a - b) * c / -(d + e)",
    "(a + b) / (a + b + c)",
    "a * b / c + d * e",
    "a * a * b - a / b",
    "a * (b + c * (d - e / f))",
    "(a - b) / a + c * f / (d + e)",
]
_POSITIVE = st.floats(0.1, 50)


def _values(draw_from):
    return st.fixed_dictionaries(dict.fromkeys("abcdef", draw_from))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_FORMULAS), _values(_POSITIVE), _values(_POSITIVE))
def test_every_formula_agrees_with_the_average_over_all_orders(text, before, after):
    formula = parse_formula(text)
    found = attribute_formula(formula, before, after)
    naive = by_permutations(formula.evaluate, formula.names, before, after)
    size = scale_of(*naive.values(), found.before, found.after)
    for part in found.parts:
        assert part.contribution == pytest.approx(naive[part.name], abs=1e-9 * size)


@settings(deadline=None)
@given(st.sampled_from(_FORMULAS), _values(_POSITIVE), _values(_POSITIVE))
def test_contributions_add_up_and_reverse_with_time(text, before, after):
    formula = parse_formula(text)
    there, back = attribute_formula(formula, before, after), attribute_formula(formula, after, before)
    size = scale_of(there.before, there.after, *(part.contribution for part in there.parts))
    assert there.explained == pytest.approx(there.total, abs=1e-9 * size)
    assert there.total == there.after - there.before
    for part, other in zip(there.parts, back.parts, strict=True):
        assert part.contribution == pytest.approx(-other.contribution, abs=1e-9 * size)


@settings(deadline=None)
@given(st.permutations("abcd"), _values(_POSITIVE), _values(_POSITIVE))
def test_the_order_of_names_does_not_matter(order, before, after):
    plain = attribute_formula(parse_formula("a * b * c * d"), before, after)
    mixed = attribute_formula(parse_formula("*".join(order)), before, after)
    for part in plain.parts:
        assert mixed.part(part.name).contribution == pytest.approx(part.contribution, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(_values(st.floats(-1e6, 1e6)), _values(st.floats(-1e6, 1e6)))
def test_zero_and_change_of_sign_are_no_obstacle_to_sums_and_products(before, after):
    for text in ("a * b * c", "a * b - c * d"):
        found = attribute_formula(parse_formula(text), before, after)
        size = scale_of(found.before, found.after, *(part.contribution for part in found.parts))
        assert found.explained == pytest.approx(found.total, abs=1e-9 * size)


def test_a_name_that_does_not_move_contributes_nothing():
    found = attribute_formula(parse_formula("a / b + c"), {"a": 1, "b": 2, "c": 3}, {"a": 5, "b": 2, "c": 3})
    assert [part.contribution for part in found.parts] == [2, 0, 0]


def test_what_comes_from_nothing_or_goes_to_nothing_is_noted():
    found = attribute_formula(parse_formula("a + b + c"), {"a": 0, "b": 4, "c": 1}, {"a": 3, "b": 0, "c": 2})
    assert [part.note for part in found.parts] == ["appeared", "vanished", ""]


@pytest.mark.parametrize(
    ("before", "after", "reason", "words"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, "incomplete", "There is no value of 'b' before"),
        ({"a": 1, "b": 2}, {"a": None, "b": 2}, "incomplete", "There is no value of 'a' after"),
        ({"a": math.nan, "b": 2}, {"a": 1, "b": 2}, "undefined", "'a' before is not a finite"),
        ({"a": 1, "b": 2}, {"a": 1, "b": math.inf}, "undefined", "'b' after is not a finite"),
        ({"a": 1, "b": 0}, {"a": 1, "b": 2}, "undefined", "no finite value before"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 0}, "undefined", "no finite value after"),
    ],
)
def test_what_has_no_number_is_refused(before, after, reason, words):
    found = attribute_formula(parse_formula("a / b"), before, after)
    assert isinstance(found, CannotTell)
    assert found.reason == reason
    assert words in found.because
    assert found.mend


def test_a_denominator_that_passes_through_zero_on_the_way_is_refused():
    found = attribute_formula(
        parse_formula("a / (b - c)"), {"a": 1, "b": 5, "c": 3}, {"a": 1, "b": 9, "c": 5}
    )
    assert isinstance(found, CannotTell)
    assert "passes through zero" in found.because


def test_numbers_too_large_are_refused():
    found = attribute_formula(parse_formula("a * b"), {"a": 1e200, "b": 1}, {"a": 1e200, "b": 1e200})
    assert isinstance(found, CannotTell)
    assert found.reason == "undefined"


def test_more_than_twelve_curved_inputs_are_sampled_with_an_error_and_still_add_up():
    names = [f"x{at}" for at in range(14)]
    formula = parse_formula(f"100 * y / ({' + '.join(names)})")
    randomness = np.random.default_rng(1)
    before = dict(zip([*names, "y"], randomness.uniform(1, 5, 15), strict=True))
    after = dict(zip([*names, "y"], randomness.uniform(1, 5, 15), strict=True))
    after["x3"] = before["x3"]
    found = attribute_formula(formula, before, after)
    assert found.method == "shapley_sampled"
    assert found.explained == pytest.approx(found.total, rel=1e-9)
    assert found.part("x3").contribution == 0
    assert all(part.standard_error > 0 for part in found.parts if part.name != "x3")
    again = attribute_formula(formula, before, after)
    assert again == found
    back = attribute_formula(formula, after, before)
    for part in found.parts:
        assert back.part(part.name).contribution == pytest.approx(-part.contribution, abs=1e-9)


def test_the_sampled_figures_lie_within_their_errors_of_the_exact_ones(monkeypatch):
    formula = parse_formula("a * b / (c + d) + e / (a + f)")
    before = {"a": 2.0, "b": 3.0, "c": 1.0, "d": 4.0, "e": 5.0, "f": 2.0}
    after = {"a": 3.0, "b": 1.0, "c": 2.0, "d": 2.5, "e": 4.0, "f": 6.0}
    exact = attribute_formula(formula, before, after)
    monkeypatch.setattr("potager.engines.attribution.shapley.MOST_CURVED", 1)
    sampled = attribute_formula(formula, before, after)
    assert sampled.method == "shapley_sampled"
    for part in sampled.parts:
        assert part.standard_error > 0
        assert abs(part.contribution - exact.part(part.name).contribution) < 4 * part.standard_error


def test_many_wholes_at_once_equal_one_at_a_time():
    formula = parse_formula("a * b / (a + c)")
    randomness = np.random.default_rng(2)
    before, after = ({name: randomness.uniform(1, 9, 40) for name in "abc"} for _ in range(2))
    after["b"][::2] = before["b"][::2]
    found = attribute_formula_arrays(formula, before, after)
    assert found.standard_errors is None
    assert not found.undefined.any()
    for at in range(40):
        single = attribute_formula(
            formula, {n: before[n][at] for n in "abc"}, {n: after[n][at] for n in "abc"}
        )
        assert found.contributions[:, at] == pytest.approx(
            [part.contribution for part in single.parts], rel=1e-9
        )
    assert found.contributions.sum(axis=0) == pytest.approx(found.after - found.before, rel=1e-9)


def test_many_wholes_in_small_blocks_equal_all_at_once(monkeypatch):
    formula = parse_formula("a * b / (a + c)")
    randomness = np.random.default_rng(3)
    before, after = ({name: randomness.uniform(1, 9, 30) for name in "abc"} for _ in range(2))
    found = attribute_formula_arrays(formula, before, after)
    monkeypatch.setattr("potager.engines.attribution.shapley._CELLS", 100)
    assert np.array_equal(attribute_formula_arrays(formula, before, after).contributions, found.contributions)
    monkeypatch.setattr("potager.engines.attribution.shapley.MOST_CURVED", 0)
    monkeypatch.setattr("potager.engines.attribution.shapley.PAIRS", 50)
    sampled = attribute_formula_arrays(formula, before, after)
    assert sampled.standard_errors.shape == (3, 30)
    assert sampled.contributions.sum(axis=0) == pytest.approx(found.after - found.before, rel=1e-9)


def test_a_whole_without_an_answer_does_not_disturb_the_others():
    found = attribute_formula_arrays(
        parse_formula("a / b"),
        {"a": np.array([1.0, 2.0, np.nan]), "b": np.array([2.0, 0.0, 1.0])},
        {"a": np.array([2.0, 2.0, 1.0]), "b": np.array([2.0, 1.0, 1.0])},
    )
    assert found.undefined.tolist() == [False, True, True]
    assert found.table().column("a").to_pylist() == [0.5, None, None]
    assert found.table().column("before").to_pylist() == [0.5, None, None]


def test_arrays_of_different_lengths_are_an_error_and_a_missing_one_a_refusal():
    formula = parse_formula("a + b")
    ones = np.ones(3)
    with pytest.raises(ValueError, match="same length"):
        attribute_formula_arrays(formula, {"a": ones, "b": ones}, {"a": ones[:2], "b": ones[:2]})
    assert attribute_formula_arrays(formula, {"a": ones}, {"a": ones, "b": ones}).reason == "incomplete"
    assert attribute_formula_arrays(formula, {"a": ones, "b": ones}, {"a": ones}).because.endswith("after.")


def test_the_table_shows_parts_nodes_and_what_is_unexplained():
    tree = tree_of("r", r="a + p", p="b * c")
    found = attribute_tree(tree, {"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 2, "c": 4}, 7.5, 12.0)
    rows = found.table().to_pylist()
    assert [(row["role"], row["name"]) for row in rows] == [
        ("part", "a"), ("part", "b"), ("part", "c"), ("node", "r"), ("node", "p"), ("unexplained", "unexplained"),
    ]  # fmt: skip
    assert found.total == 4.5
    assert found.unexplained == rows[-1]["contribution"] == 1.5
    assert rows[-1]["share"] == pytest.approx(1 / 3)
    assert sum(row["contribution"] for row in rows if row["role"] != "node") == pytest.approx(4.5)
    still = attribute_formula(parse_formula("a - b"), {"a": 1, "b": 1}, {"a": 2, "b": 2})
    assert still.table().column("share").to_pylist() == [None, None, None]


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(-100, 100))
def test_observed_change_is_explained_plus_unexplained(first, last):
    tree = tree_of("r", r="a * b")
    found = attribute_tree(tree, {"a": 1, "b": 2}, {"a": 2, "b": 3}, first, last)
    assume(isinstance(found, Attribution))
    assert found.total == last - first
    assert (found.before, found.after) == (first, last)
    assert found.explained + found.unexplained == pytest.approx(found.total, abs=1e-9)


def test_signs_in_front_of_a_denominator_and_a_shared_name_are_followed():
    formula = parse_formula("-a / -(b + -c) - -a")
    before, after = {"a": 2.0, "b": 9.0, "c": 1.0}, {"a": 5.0, "b": 6.0, "c": 2.0}
    found = attribute_formula(formula, before, after)
    naive = by_permutations(formula.evaluate, formula.names, before, after)
    assert {part.name: part.contribution for part in found.parts} == pytest.approx(naive)


def test_decimals_are_numbers_and_a_formula_without_names_has_no_parts():
    found = attribute_formula(parse_formula("a * 2"), {"a": Decimal("1.5")}, {"a": Decimal(2)})
    assert found.total == 1
    constant = attribute_formula(parse_formula("12"), {}, {})
    assert (constant.total, constant.parts, constant.before) == (0, (), 12)
    assert attribute_tree(tree_of("r", r="12"), {}, {}).total == 0
