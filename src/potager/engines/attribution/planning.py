"""The same maths looking forward: what closes a gap to a target, and what a changed assumption would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.attribution.attribute import attribute_tree, missing_value
from potager.engines.attribution.results import Attribution, WhatIf
from potager.engines.attribution.tree import Tree


@dataclass(frozen=True, slots=True)
class Change:
    """A changed assumption: *set* a value, *add* an amount, or *multiply* by a factor (1.05 is 5 % more)."""

    how: Literal["set", "add", "multiply"]
    amount: float

    def apply(self, value: float) -> float:
        """Return the value as it would be."""
        if self.how == "set":
            return self.amount
        return value + self.amount if self.how == "add" else value * self.amount


def gap_to_target(
    tree: Tree,
    actual_leaves: Mapping[str, float],
    target_leaves: Mapping[str, float],
    target_root: float | None = None,
) -> Attribution | CannotTell:
    """Take the gap (target less actual) of the root apart: what each leaf adds to it by reaching its own target.

    A leaf without a target is held at its actual value and says so in its note. With ``target_root``, the total is
    the gap to that target, and ``unexplained`` is the part of it that stays open when every leaf reaches its own.
    """
    missing = [leaf for leaf in tree.leaves if leaf not in actual_leaves]
    if missing:
        return missing_value(missing[0], "today")
    unknown = sorted(set(target_leaves) - set(tree.leaves))
    if unknown:
        return CannotTell(
            "ambiguous",
            f"'{unknown[0]}' has a target but is not a leaf of the tree.",
            f"Set targets on leaves: {', '.join(tree.leaves)}.",
        )
    held = [leaf for leaf in tree.leaves if leaf not in target_leaves]
    targets = {**{leaf: actual_leaves[leaf] for leaf in held}, **target_leaves}
    found = attribute_tree(tree, actual_leaves, targets)
    if isinstance(found, CannotTell):
        return found
    parts = tuple(
        replace(part, note="; ".join(filter(None, ["no target, held at its actual value", part.note])))
        if part.name in held
        else part
        for part in found.parts
    )
    if target_root is None:
        return replace(found, parts=parts)
    if not np.isfinite(target_root):
        return CannotTell(
            "undefined", f"The target of '{tree.root}' is not a finite number.", "Set a number."
        )
    total = target_root - found.before
    rest = total - found.total
    return replace(found, parts=parts, total=total, after=float(target_root), unexplained=rest)


def what_if(tree: Tree, leaves: Mapping[str, float], changes: Mapping[str, Change]) -> WhatIf | CannotTell:
    """Return every node's value as it is and as it would be, and what each change does to the root.

    A change may be made to an inner node too: its formula is then put aside and it becomes a leaf. Cannot tell when a
    change is to a node that is not in the tree, or that reaches the root only through another changed node.
    """
    missing = [leaf for leaf in tree.leaves if leaf not in leaves]
    if missing:
        return missing_value(missing[0], "today")
    unknown = [name for name in changes if name not in tree.order]
    if unknown:
        return CannotTell(
            "ambiguous",
            f"There is no '{unknown[0]}' in the tree of '{tree.root}'.",
            f"Choose one of: {', '.join(tree.order)}.",
        )
    cut = Tree(tree.root, {name: made for name, made in tree.formulas.items() if name not in changes})
    idle = [name for name in changes if name not in cut.order]
    if idle:
        return CannotTell(
            "ambiguous",
            f"A change of '{idle[0]}' would not reach '{tree.root}', because a node above it is changed as well.",
            "Change one of the two.",
        )
    values = tree.evaluate(leaves)
    before = {leaf: values[leaf] for leaf in cut.leaves}
    after = {
        leaf: changes[leaf].apply(before[leaf]) if leaf in changes else before[leaf] for leaf in cut.leaves
    }
    found = attribute_tree(cut, before, after)
    if isinstance(found, CannotTell):
        return found
    return WhatIf({name: values[name] for name in cut.order}, cut.evaluate(after), found)
