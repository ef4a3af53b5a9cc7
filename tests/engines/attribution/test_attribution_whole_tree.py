from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potager.engines.answers import CannotTell
from potager.engines.attribution import Tree, attribute_tree, parse_formula
from tests.engines.attribution.oracle import by_permutations, scale_of, tree_of


def children_add_up(tree: Tree, found) -> None:
    """Where nothing is shared, the parts of a node's children add up to the node's own."""
    used = Counter(name for formula in tree.formulas.values() for name in formula.names)
    size = scale_of(*(part.contribution for part in (*found.parts, *found.nodes)))
    for parent, formula in tree.formulas.items():
        if all(used[name] == 1 for name in formula.names) and used[parent] <= 1:
            together = sum(found.part(name).contribution for name in formula.names)
            assert together == pytest.approx(found.part(parent).contribution, abs=1e-9 * size)


FORTY = {
    "profit": "contribution_margin - fixed_cost",
    "contribution_margin": "gross_revenue - returns - variable_cost",
    "gross_revenue": "online + shops + wholesale",
    "online": "visits * conversion * basket",
    "visits": "paid + organic + direct + mail",
    "paid": "budget / cost_per_click",
    "basket": "items_per_order * price",
    "shops": "shop_count * footfall * shop_conversion * shop_basket",
    "wholesale": "accounts * orders_per_account * order_value",
    "accounts": "accounts_start + won - lost",
    "returns": "gross_revenue_online_share * return_rate",
    "gross_revenue_online_share": "items_returned * price_returned",
    "variable_cost": "goods + shipping + payment",
    "goods": "units * unit_cost",
    "shipping": "parcels * parcel_cost",
    "fixed_cost": "people + rent + tools",
    "people": "heads * salary",
}


def _forty() -> tuple[Tree, dict[str, float], dict[str, float]]:
    tree = tree_of("profit", **FORTY)
    randomness = np.random.default_rng(5)
    before = {
        leaf: float(value) for leaf, value in zip(tree.leaves, randomness.uniform(1, 20, 99), strict=False)
    }
    after = {leaf: value * float(randomness.uniform(0.7, 1.4)) for leaf, value in before.items()}
    return tree, before, after


def test_a_tree_of_forty_nodes_is_attributed_exactly():
    tree, before, after = _forty()
    assert len(tree.order) >= 40
    found = attribute_tree(tree, before, after)
    assert found.method == "shapley_exact"
    assert found.explained == pytest.approx(found.total, rel=1e-9)
    assert all(part.standard_error is None for part in found.parts)
    assert found.part("profit").contribution == pytest.approx(found.total, rel=1e-9)
    children_add_up(tree, found)
    # A leaf of a sum of independent terms has the value it has in its own term.
    term = attribute_tree(tree_of("people", people="heads * salary"), before, after)
    assert found.part("heads").contribution == pytest.approx(-term.part("heads").contribution, rel=1e-9)


def test_leaves_of_a_large_product_agree_with_the_closed_form():
    names = [f"x{at}" for at in range(20)]
    tree = tree_of("r", r=" * ".join(names))
    before, after = dict.fromkeys(names, 1.0), dict.fromkeys(names, 1.1)
    found = attribute_tree(tree, before, after)
    assert found.method == "shapley_exact"
    for part in found.parts:
        assert part.contribution == pytest.approx((1.1**20 - 1) / 20, rel=1e-9)


_VALUES = st.fixed_dictionaries({name: st.floats(0.1, 30) for name in "abcdef"})
_TREES = [
    {"r": "p + q", "p": "a * b * c", "q": "d * e - f"},
    {"r": "p / q", "p": "a * b + c", "q": "d + e * f"},
    {"r": "p * q", "p": "a / (b + c)", "q": "d + e + f"},
    {"r": "p - q", "p": "a * b", "q": "a * c"},
    {"r": "p / (p + q)", "p": "a * b", "q": "c + d"},
    {"r": "p * q + s", "p": "a / b", "q": "b / c", "s": "p * d"},
    {"r": "p * p - q", "p": "q + a", "q": "b * c"},
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_TREES), _VALUES, _VALUES)
def test_leaves_agree_with_the_average_over_all_orders(formulas, before, after):
    tree = tree_of("r", **formulas)
    found = attribute_tree(tree, before, after)
    naive = by_permutations(lambda leaves: tree.evaluate(leaves)["r"], tree.leaves, before, after)
    size = scale_of(*naive.values(), found.before, found.after)
    for part in found.parts:
        assert part.contribution == pytest.approx(naive[part.name], abs=1e-9 * size)
    assert found.explained == pytest.approx(found.total, abs=1e-9 * size)
    assert found.part("r").contribution == pytest.approx(found.total, abs=1e-9 * size)
    children_add_up(tree, found)


def test_a_leaf_used_twice_has_one_figure_and_is_divided_among_its_paths():
    tree = tree_of("profit", profit="revenue - cost", revenue="orders * price", cost="orders * unit_cost")
    found = attribute_tree(
        tree, {"orders": 10, "price": 5, "unit_cost": 3}, {"orders": 14, "price": 5, "unit_cost": 3}
    )
    assert found.part("orders").contribution == pytest.approx(8)
    assert found.part("orders").note == "used in 2 places"
    assert found.part("revenue").contribution == pytest.approx(20)
    assert found.part("cost").contribution == pytest.approx(-12)


def test_a_shared_denominator_is_divided_by_the_game_within_the_leaf():
    tree = tree_of("r", r="p * q", p="a / x", q="b / x")
    before, after = {"a": 2.0, "b": 3.0, "x": 1.0}, {"a": 4.0, "b": 3.0, "x": 2.0}
    found = attribute_tree(tree, before, after)
    assert found.part("p").contribution + found.part("q").contribution == pytest.approx(found.total)
    assert found.part("r").contribution == pytest.approx(found.total)
    # By hand, and by symmetry: x's two places weigh the same, whether a moved before or after them.
    assert found.part("q").contribution == pytest.approx(found.part("x").contribution / 2)
    absent = attribute_tree(tree, {**before, "x": 0.0, "a": 0.0}, after)
    assert isinstance(absent, CannotTell)
    assert absent.because.startswith("'p' has no finite value before")


def test_a_leaf_from_nothing_that_is_shared_says_both():
    found = attribute_tree(
        tree_of("r", r="p + q", p="x * a", q="x + b"), *({"x": x, "a": 1, "b": 1} for x in (0, 2))
    )
    assert found.part("x").note == "used in 2 places, appeared"


def test_the_sampled_way_divides_shared_leaves_too_and_adds_up(monkeypatch):
    tree = tree_of("r", r="p * q + s", p="a / b", q="b / c", s="p * d")
    randomness = np.random.default_rng(8)
    before, after = (
        {name: float(v) for name, v in zip("abcd", randomness.uniform(1, 4, 4), strict=True)} for _ in "ab"
    )
    exact = attribute_tree(tree, before, after)
    monkeypatch.setattr("potager.engines.attribution.shapley.MOST_STATES", 1)
    sampled = attribute_tree(tree, before, after)
    assert sampled.method == "shapley_sampled"
    assert sampled.explained == pytest.approx(sampled.total, rel=1e-9)
    for part in (*sampled.parts, *sampled.nodes):
        true = exact.part(part.name).contribution
        assert abs(part.contribution - true) <= 5 * part.standard_error + 1e-9 * abs(exact.total)


def test_more_leaves_in_a_denominator_than_can_be_written_out_are_sampled():
    channels = [f"visits_{at}" for at in range(20)]
    tree = Tree(
        "conversion",
        {"conversion": parse_formula("orders / visits"), "visits": parse_formula(" + ".join(channels))},
    )
    before = {**dict.fromkeys(channels, 100.0), "orders": 90.0}
    after = {**{name: 100.0 + 3 * at for at, name in enumerate(channels)}, "orders": 95.0}
    found = attribute_tree(tree, before, after)
    assert found.method == "shapley_sampled"
    assert found.explained == pytest.approx(found.total, rel=1e-9)
    assert found.part("visits_0").contribution == 0
    assert found.part("visits_19").contribution < found.part("visits_2").contribution < 0
    few = {**before, **{name: after[name] for name in channels[:12]}, "orders": 95.0}
    assert attribute_tree(tree, before, few).method == "shapley_exact"


@pytest.mark.parametrize(
    ("before", "observed", "reason"),
    [
        ({"a": 1.0}, (), "incomplete"),
        ({"a": 1.0, "b": math.nan}, (), "undefined"),
        ({"a": 1.0, "b": 2.0}, (math.nan, 1.0), "undefined"),
        ({"a": 1.0, "b": 2.0}, (1.0, math.inf), "undefined"),
    ],
)
def test_what_has_no_number_is_refused(before, observed, reason):
    found = attribute_tree(tree_of("r", r="a * b"), before, {"a": 2.0, "b": 3.0}, *observed)
    assert isinstance(found, CannotTell)
    assert found.reason == reason


def test_a_way_through_zero_is_refused_and_half_an_observation_is_an_error():
    tree = tree_of("r", r="a / d", d="b - c")
    found = attribute_tree(tree, {"a": 1, "b": 5, "c": 3}, {"a": 1, "b": 9, "c": 5})
    assert isinstance(found, CannotTell)
    with pytest.raises(ValueError, match="or neither"):
        attribute_tree(tree, {"a": 1, "b": 5, "c": 3}, {"a": 1, "b": 9, "c": 5}, 3.0)
