from __future__ import annotations

import math

import pytest

from potager.engines.answers import CannotTell
from potager.engines.attribution import Tree, TreeError, over_periods, parse_formula, reconcile
from tests.engines.attribution.oracle import tree_of


def test_leaves_order_and_values():
    tree = tree_of("profit", profit="revenue - cost", revenue="orders * price", cost="orders * unit_cost")
    assert tree.leaves == ("orders", "price", "unit_cost")
    assert tree.inner == ("profit", "cost", "revenue")
    assert [name for name in tree.order if name in tree.inner] == ["revenue", "cost", "profit"]
    values = tree.evaluate({"orders": 10, "price": 5, "unit_cost": 3})
    assert values == {"orders": 10, "price": 5, "unit_cost": 3, "revenue": 50, "cost": 30, "profit": 20}
    assert list(values) == list(tree.order)
    assert repr(tree) == "Tree('profit', 6 nodes, 3 leaves)"


def test_a_root_without_a_formula_is_its_own_leaf():
    tree = Tree("revenue", {})
    assert tree.leaves == tree.order == ("revenue",)
    assert tree.evaluate({"revenue": 4}) == {"revenue": 4}


def test_a_node_that_is_another_name_or_a_number_is_a_node():
    tree = tree_of("top", top="middle", middle="(leaf)", leaf="fixed + x", fixed="7")
    assert tree.evaluate({"x": 1})["top"] == 8
    assert tree.leaves == ("x",)


def test_formulas_that_the_root_does_not_reach_are_left_out():
    tree = tree_of("a", a="b + c", z="y * z2")
    assert tree.order == ("b", "c", "a")
    assert "z" not in tree.formulas


@pytest.mark.parametrize(
    ("formulas", "ring"),
    [
        ({"a": "a + 1"}, ("a", "a")),
        ({"a": "b", "b": "a"}, ("a", "b", "a")),
        ({"a": "x + b", "b": "y * c", "c": "z / b"}, ("b", "c", "b")),
    ],
)
def test_a_circle_is_refused_and_the_ring_named(formulas, ring):
    with pytest.raises(TreeError) as caught:
        tree_of("a", **formulas)
    assert caught.value.ring == ring
    assert " → ".join(ring) in caught.value.sentence
    assert caught.value.mend


def test_a_tree_too_deep_or_with_too_many_paths_is_refused():
    with pytest.raises(TreeError, match="has 102 levels"):
        Tree("n0", {f"n{at}": parse_formula(f"n{at + 1} + 1") for at in range(101)})
    braid = {f"n{at}": parse_formula(f"a{at} * b{at}") for at in range(13)}
    braid |= {f"{side}{at}": parse_formula(f"n{at + 1} + 1") for at in range(13) for side in "ab"}
    with pytest.raises(TreeError, match="8192 paths"):
        Tree("n0", braid)


def test_reconciliation_compares_each_parent_with_its_own_children():
    tree = tree_of("revenue", revenue="orders * aov", orders="new + repeat", aov="a / b")
    observed = {
        "revenue": 1000.0,
        "orders": 100.0,
        "aov": 10.0,
        "new": 60.0,
        "repeat": 30.0,
        "a": 1.0,
        "b": 0.0,
    }
    rows = {row.parent: row for row in reconcile(tree, observed)}
    assert list(rows) == list(tree.inner)
    assert rows["revenue"].holds is True
    assert (rows["orders"].computed, rows["orders"].difference, rows["orders"].holds) == (90, 10, False)
    assert rows["aov"].holds is None
    assert "divides by zero" in rows["aov"].note


def test_reconciliation_says_what_it_could_not_check_and_skips_what_was_not_observed():
    tree = tree_of("revenue", revenue="orders * aov", orders="new + repeat")
    rows = reconcile(tree, {"revenue": 1000.0, "new": 60.0, "repeat": 30.0})
    assert [row.parent for row in rows] == ["revenue"]
    assert rows[0].holds is rows[0].computed is rows[0].difference is None
    assert rows[0].note == "Not checked: there is no observed value of orders, aov."


def test_the_tolerance_is_relative():
    tree = tree_of("r", r="a + b")
    observed = {"r": 100.5, "a": 50.0, "b": 50.0}
    assert reconcile(tree, observed, 0.01)[0].holds is True
    assert reconcile(tree, observed, 0.001)[0].holds is False
    assert reconcile(tree, {"r": 0.0, "a": 5.0, "b": -5.0})[0].holds is True


def test_flows_add_up_stocks_keep_the_last_and_rates_are_weighted():
    assert over_periods("flow", [1, 2, 3]) == 6
    assert over_periods("stock", [1, 2, 3]) == 3
    assert over_periods("rate", [0.5, 0.1], [10, 90]) == pytest.approx(0.14)
    assert over_periods("rate", [0.5, math.nan], [10, 0]) == 0.5


def test_a_rate_without_denominators_and_no_periods_have_no_value():
    assert over_periods("rate", [0.5, 0.1]).reason == "undefined"
    assert over_periods("rate", [0.5, 0.1], [0, 0]).reason == "undefined"
    assert isinstance(over_periods("flow", []), CannotTell)
