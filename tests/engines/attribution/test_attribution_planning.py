from __future__ import annotations

import math

import pytest

from potager.engines.answers import CannotTell
from potager.engines.attribution import Change, gap_to_target, what_if
from tests.engines.attribution.oracle import tree_of

TREE = tree_of("revenue", revenue="customers * value", value="orders * basket")
TODAY = {"customers": 100.0, "orders": 2.0, "basket": 30.0}


def test_the_gap_is_divided_among_the_leaves_that_have_a_target():
    found = gap_to_target(TREE, TODAY, {"customers": 120.0, "orders": 2.5})
    assert found.total == pytest.approx(9000 - 6000)
    assert found.explained == pytest.approx(found.total)
    assert found.part("basket").contribution == 0
    assert found.part("basket").note == "no target, held at its actual value"
    assert found.part("customers").note == ""
    assert found.unexplained == 0


def test_what_the_leaves_targets_leave_open_of_the_roots_target_is_unexplained():
    found = gap_to_target(TREE, TODAY, {"customers": 120.0}, target_root=10_000.0)
    assert (found.before, found.after, found.total) == (6000, 10_000, 4000)
    assert found.unexplained == pytest.approx(4000 - 1200)
    assert found.explained + found.unexplained == pytest.approx(found.total)


def test_a_held_leaf_that_is_zero_keeps_its_note():
    found = gap_to_target(TREE, {**TODAY, "basket": 0.0}, {"basket": 4.0})
    assert found.part("basket").note == "appeared"


@pytest.mark.parametrize(
    ("actual", "target", "root", "words"),
    [
        ({"customers": 1.0}, {}, None, "no value of 'orders' today"),
        (TODAY, {"value": 3.0}, None, "'value' has a target but is not a leaf"),
        (TODAY, {"customers": math.nan}, None, "'customers' after is not a finite"),
        (TODAY, {"customers": 9.0}, math.inf, "target of 'revenue'"),
    ],
)
def test_a_gap_that_has_no_number_is_refused(actual, target, root, words):
    found = gap_to_target(TREE, actual, target, root)
    assert isinstance(found, CannotTell)
    assert words in found.because
    assert found.mend


@pytest.mark.parametrize(
    ("change", "customers"),
    [(Change("set", 80), 80), (Change("add", 5), 105), (Change("multiply", 1.1), 110)],
)
def test_a_changed_leaf_is_carried_up_the_tree(change, customers):
    found = what_if(TREE, TODAY, {"customers": change})
    assert found.after["customers"] == pytest.approx(customers)
    assert found.after["revenue"] == pytest.approx(customers * 60)
    assert found.attribution.part("customers").contribution == pytest.approx((customers - 100) * 60)
    assert found.before["revenue"] == 6000


def test_a_changed_inner_node_becomes_a_leaf():
    found = what_if(TREE, TODAY, {"value": Change("multiply", 1.5), "customers": Change("add", 10)})
    assert found.after["revenue"] == pytest.approx(110 * 90)
    assert {part.name for part in found.attribution.parts} == {"customers", "value"}
    assert found.attribution.explained == pytest.approx(9900 - 6000)
    rows = {row["name"]: row for row in found.table().to_pylist()}
    assert rows["value"] == {"name": "value", "before": 60, "after": 90, "change": 30}
    assert "basket" not in rows


@pytest.mark.parametrize(
    ("leaves", "changes", "words"),
    [
        ({"customers": 1.0}, {}, "no value of 'orders' today"),
        (TODAY, {"price": Change("add", 1)}, "There is no 'price' in the tree"),
        (
            TODAY,
            {"value": Change("add", 1), "orders": Change("add", 1)},
            "'orders' would not reach 'revenue'",
        ),
        (TODAY, {"orders": Change("set", math.inf)}, "'orders' after is not a finite"),
    ],
)
def test_an_assumption_that_cannot_be_carried_up_is_refused(leaves, changes, words):
    found = what_if(TREE, leaves, changes)
    assert isinstance(found, CannotTell)
    assert words in found.because
