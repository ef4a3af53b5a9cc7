"""Why did a number change: exact attribution to the inputs of a formula, and to the leaves of a whole tree.

Sources: additive parents give each part its own change; products follow Das Gupta (1993), which the Shapley value
reproduces; every other formula gets its Shapley value. See :mod:`potager.engines.attribution.shapley` for when the
figure is exact and when it is sampled.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.attribution.formula import Formula
from potager.engines.attribution.results import ArrayAttribution, Attribution, Method, Part
from potager.engines.attribution.shapley import Game, Values, ends, shapley
from potager.engines.attribution.steps import FloatArray
from potager.engines.attribution.tree import Tree

_BOTH_SIDES = "Compare periods in which every part of the formula can be computed."


def attribute_formula(
    formula: Formula, before: Mapping[str, float], after: Mapping[str, float]
) -> Attribution | CannotTell:
    """Take the change of one formula apart into what each of its names contributes; the parts add up to it.

    Cannot tell when a value is missing or not finite, or when the formula divides by zero before, after, or with
    some names at their value before and others at their value after.
    """
    game = formula_game(formula)
    values = read_values(formula.names, before, after)
    if isinstance(values, CannotTell):
        return values
    first, last = (float(end[0]) for end in ends(game, *values))
    refusal = no_value(formula.text, first, last)
    if refusal:
        return refusal
    found = shapley(game, *values, np.eye(len(formula.names)))
    if not np.isfinite(found.contributions).all():
        return mixed_state(formula.text)
    parts = make_parts(formula.names, values[0][:, 0], values[1][:, 0], found)
    return Attribution(last - first, parts, 0.0, method_of(formula, found), first, last)


def attribute_formula_arrays(
    formula: Formula, before: Mapping[str, FloatArray], after: Mapping[str, FloatArray]
) -> ArrayAttribution | CannotTell:
    """Take the changes of many wholes (say, segments) apart at once; every array has one entry a whole.

    A whole that has no answer is marked in ``undefined`` and does not disturb the others. Cannot tell when a name has
    no array; raises :class:`ValueError` when the arrays differ in length.
    """
    missing = [name for name in formula.names if name not in before or name not in after]
    if missing:
        return missing_value(missing[0], "before" if missing[0] not in before else "after")
    sides = [
        np.array([np.atleast_1d(np.asarray(side[name], dtype=np.float64)) for name in formula.names])
        for side in (before, after)
    ]
    if sides[0].ndim != 2 or sides[0].shape != sides[1].shape:
        raise ValueError("The arrays before and after must all have one dimension and the same length.")
    game = formula_game(formula)
    first, last = ends(game, sides[0], sides[1])
    found = shapley(game, sides[0], sides[1], np.eye(len(formula.names)))
    bad = ~(np.isfinite(first) & np.isfinite(last) & np.isfinite(found.contributions).all(axis=0))
    bad |= ~(np.isfinite(sides[0]) & np.isfinite(sides[1])).all(axis=0)
    for array in (first, last, found.contributions, found.errors):
        if array is not None:
            array[..., bad] = np.nan
    return ArrayAttribution(
        formula.names, found.contributions, found.errors, first, last, bad, method_of(formula, found)
    )


def attribute_tree(
    tree: Tree,
    before_leaves: Mapping[str, float],
    after_leaves: Mapping[str, float],
    observed_before_root: float | None = None,
    observed_after_root: float | None = None,
) -> Attribution | CannotTell:
    """Take the change of a tree's root apart into what each leaf contributes; the leaves add up to it.

    The leaves' values are swapped and the root evaluated: plain Shapley on the leaves, not level by level, so a
    leaf's figure does not depend on how the formulas between it and the root are grouped. It is exact for any number
    of leaves that only get added and multiplied, and for up to 12 moving leaves that stand in a denominator or meet
    themselves in a product; beyond that it is sampled, with a standard error.

    An inner node's figure is the sum over the paths that run through it. A leaf used in several places has one figure
    as a leaf, divided among its paths by the Shapley value within the leaf (Owen 1977); so the children of a node
    with a single parent always add up to that node.

    With the root's observed values (both or neither), ``unexplained`` is the observed change less the computed one.
    """
    if (observed_before_root is None) != (observed_after_root is None):
        raise ValueError("Give the observed value of the root before and after, or neither.")
    values = read_values(tree.leaves, before_leaves, after_leaves)
    if isinstance(values, CannotTell):
        return values
    node_before, node_after = (
        tree.evaluate(dict(zip(tree.leaves, side[:, 0], strict=True))) for side in values
    )
    for name in tree.order:
        refusal = no_value(name, node_before[name], node_after[name])
        if refusal:
            return refusal
    found = shapley(tree.game, *values, tree.members)
    if not np.isfinite(found.contributions).all():
        return mixed_state(tree.root)
    names = (*tree.leaves, *tree.inner)
    first, last = (np.array([side[name] for name in names]) for side in (node_before, node_after))
    parts = make_parts(names, first, last, found)
    leaves = tuple(_with_places(part, tree) for part in parts[: len(tree.leaves)])
    method: Method = "shapley_exact" if found.errors is None else "shapley_sampled"
    start, end = node_before[tree.root], node_after[tree.root]
    computed = end - start
    if observed_before_root is not None and observed_after_root is not None:
        start, end = float(observed_before_root), float(observed_after_root)
        if not np.isfinite([start, end]).all():
            return not_finite(tree.root, "before" if not np.isfinite(start) else "after")
    total = end - start
    return Attribution(total, leaves, total - computed, method, start, end, parts[len(tree.leaves) :])


def formula_game(formula: Formula) -> Game:
    """Return the formula as a game with one player, and one slot, a name."""
    return Game(formula.steps, tuple(range(len(formula.names))), len(formula.names))


def method_of(formula: Formula, found: Values) -> Method:
    """Name the method: the formula's own where it is additive or a product, else exact or sampled Shapley."""
    if found.errors is not None:
        return "shapley_sampled"
    if formula.kind == "additive" or formula.kind == "product":
        return formula.kind
    return "shapley_exact"


def read_values(
    names: tuple[str, ...], before: Mapping[str, float], after: Mapping[str, float]
) -> tuple[FloatArray, FloatArray] | CannotTell:
    """Return both sides as arrays of shape (names, 1), or why that cannot be: a value missing or not finite."""
    for name in names:
        for side, word in ((before, "before"), (after, "after")):
            if name not in side or side[name] is None:
                return missing_value(name, word)
            if not np.isfinite(float(side[name])):
                return not_finite(name, word)
    first, last = (
        np.array([float(side[name]) for name in names], dtype=np.float64).reshape(-1, 1)
        for side in (before, after)
    )
    return first, last


def make_parts(
    names: tuple[str, ...], before: FloatArray, after: FloatArray, found: Values
) -> tuple[Part, ...]:
    """Return one part a name from contributions of shape (names, 1)."""
    return tuple(
        Part(
            name,
            float(before[at]),
            float(after[at]),
            float(found.contributions[at, 0]),
            None if found.errors is None else float(found.errors[at, 0]),
            appearance(before[at] == 0, after[at] == 0),
        )
        for at, name in enumerate(names)
    )


def appearance(nothing_before: bool, nothing_after: bool) -> str:
    """Return the note for something that came from nothing or went to nothing."""
    if nothing_before == nothing_after:
        return ""
    return "appeared" if nothing_before else "vanished"


def missing_value(name: str, side: str) -> CannotTell:
    """Refuse because a value is missing; missing is not zero."""
    return CannotTell(
        "incomplete",
        f"There is no value of '{name}' {side}.",
        "Load it, or leave the metric out of the formula.",
    )


def not_finite(name: str, side: str) -> CannotTell:
    """Refuse because a value is no finite number."""
    return CannotTell(
        "undefined", f"The value of '{name}' {side} is not a finite number.", "Mend the data it comes from."
    )


def no_value(name: str, before: float, after: float) -> CannotTell | None:
    """Refuse when a computed value is not finite on one of the sides."""
    for value, side in ((before, "before"), (after, "after")):
        if not np.isfinite(value):
            return CannotTell(
                "undefined",
                f"'{name}' has no finite value {side}: it divides by zero, or its numbers are too large.",
                _BOTH_SIDES,
            )
    return None


def mixed_state(name: str) -> CannotTell:
    """Refuse because the way from before to after leads through a division by zero."""
    return CannotTell(
        "undefined",
        f"'{name}' has a value before and after, but not with some inputs as before and others as after: "
        "a denominator passes through zero.",
        "Write the denominator as one metric, or compare periods in which it keeps its sign.",
    )


def _with_places(part: Part, tree: Tree) -> Part:
    places = tree.game.player_of_slot.count(tree.leaves.index(part.name))
    if places == 1:
        return part
    note = f"used in {places} places" + (f", {part.note}" if part.note else "")
    return Part(part.name, part.before, part.after, part.contribution, part.standard_error, note)
