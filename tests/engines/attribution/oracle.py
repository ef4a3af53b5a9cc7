"""The naive second computation: Shapley values straight from the definition, and builders that tests share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from potager.engines.attribution import Tree, parse_formula


def by_permutations(worth, names: Sequence[str], before: Mapping[str, float], after: Mapping[str, float]):
    """Average each name's marginal over every order in which the names can change."""
    totals = dict.fromkeys(names, 0.0)
    orders = list(permutations(names))
    for order in orders:
        state = dict(before)
        last = worth(state)
        for name in order:
            state[name] = after[name]
            now = worth(state)
            totals[name] += now - last
            last = now
    return {name: total / len(orders) for name, total in totals.items()}


def tree_of(root: str, **formulas: str) -> Tree:
    return Tree(root, {name: parse_formula(text) for name, text in formulas.items()})


def scale_of(*numbers: float) -> float:
    """The size against which a relative error of 1e-9 is meant."""
    return max(1e-300, *(abs(number) for number in numbers))
