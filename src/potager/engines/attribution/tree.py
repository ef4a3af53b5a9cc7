"""The component tree: formulas over formulas down to leaves that are measured.

Nodes are of three kinds, and the arithmetic here is the same for all; what differs is how a value of a period comes
about, and that is the caller's matter before a value enters a tree (:func:`over_periods` does it):

- *flow* (revenue, orders): adds up over time. Two periods of different length are compared per day or not at all.
- *stock* (active customers, cash): the value at the end of the period; it must not be added up over time.
- *rate* (price, conversion): a quotient; over a longer period it is the mean weighted by its denominator, never the
  mean of the rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.attribution.formula import Formula
from potager.engines.attribution.results import Reconciliation
from potager.engines.attribution.shapley import Game
from potager.engines.attribution.steps import FloatArray, Step

NodeKind = Literal["flow", "stock", "rate"]

MOST_PATHS = 5_000
"""Paths from the root to a leaf at most; a metric tree that people read has some dozens."""
DEEPEST_TREE = 100
"""Levels at most."""


class TreeError(ValueError):
    """Formulas that do not make a tree. ``ring`` names the nodes of a circle, first and last the same."""

    def __init__(self, sentence: str, mend: str, ring: tuple[str, ...] = ()) -> None:
        super().__init__(f"{sentence} {mend}")
        self.sentence = sentence
        self.mend = mend
        self.ring = ring


class Tree:
    """A root and the formulas under it; immutable. Names without a formula are leaves.

    Formulas that the root does not reach are left out. A node may be used by several parents. Raises
    :class:`TreeError` for a circle, more than ``DEEPEST_TREE`` levels or more than ``MOST_PATHS`` paths.
    """

    def __init__(self, root: str, formulas: Mapping[str, Formula]) -> None:
        self.root = root
        self.order: tuple[str, ...] = _order(root, formulas)
        """All nodes, each after the nodes its formula uses; the root is the last."""
        self.formulas: Mapping[str, Formula] = {
            name: formulas[name] for name in self.order if name in formulas
        }
        self.leaves: tuple[str, ...] = tuple(name for name in self.order if name not in formulas)
        """The names without a formula, in the order in which they are first met."""
        paths: dict[str, int] = {}
        levels: dict[str, int] = {}
        for name in self.order:
            names = self.formulas[name].names if name in self.formulas else ()
            paths[name] = sum(paths[child] for child in names) or 1
            levels[name] = 1 + max((levels[child] for child in names), default=0)
        if levels[root] > DEEPEST_TREE:
            raise TreeError(
                f"The tree under '{root}' has {levels[root]} levels; the most is {DEEPEST_TREE}.",
                "Write some of the formulas into their parents.",
            )
        if paths[root] > MOST_PATHS:
            raise TreeError(
                f"There are {paths[root]} paths from '{root}' to its leaves; the most is {MOST_PATHS}.",
                "Make a node that many formulas share a leaf of this tree and give it a tree of its own.",
            )

    def __repr__(self) -> str:
        return f"Tree({self.root!r}, {len(self.order)} nodes, {len(self.leaves)} leaves)"

    @property
    def inner(self) -> tuple[str, ...]:
        """The nodes that have a formula, the root first."""
        return tuple(reversed(tuple(self.formulas)))

    def evaluate(self, leaves: Mapping[str, float]) -> dict[str, float]:
        """Return the value of every node, in topological order; nan where it cannot be computed.

        Raises :class:`KeyError` for a leaf without a value.
        """
        values: dict[str, float] = {}
        for name in self.order:
            values[name] = (
                self.formulas[name].evaluate(values) if name in self.formulas else float(leaves[name])
            )
        return values

    @cached_property
    def game(self) -> Game:
        """The tree as one game whose players are :attr:`leaves`, with one slot for every path to a leaf."""
        return self._expanded[0]

    @cached_property
    def members(self) -> FloatArray:
        """Which slots lie on or under each of :attr:`leaves` and then each of :attr:`inner` (rows, slots)."""
        paths = self._expanded[1]
        names = (*self.leaves, *self.inner)
        return np.array([[float(name in path) for path in paths] for name in names])

    @cached_property
    def _expanded(self) -> tuple[Game, list[frozenset[str]]]:
        steps: list[Step] = []
        players: list[int] = []
        paths: list[frozenset[str]] = []

        def write(name: str, above: frozenset[str]) -> int:
            path = above | {name}
            formula = self.formulas.get(name)
            if formula is None:
                players.append(self.leaves.index(name))
                paths.append(path)
                steps.append(Step("input", len(players) - 1))
                return len(steps) - 1
            children = [write(child, path) for child in formula.names]
            at: list[int] = []
            for step in formula.steps:
                if step.operation == "input":
                    at.append(children[step.left])
                    continue
                left = at[step.left] if step.left >= 0 else -1
                right = at[step.right] if step.right >= 0 else -1
                steps.append(Step(step.operation, left, right, step.number))
                at.append(len(steps) - 1)
            return at[-1]

        write(self.root, frozenset())
        return Game(tuple(steps), tuple(players), len(self.leaves)), paths


def reconcile(tree: Tree, observed: Mapping[str, float], tolerance: float = 1e-6) -> list[Reconciliation]:
    """Check every observed parent against its formula over its children's *observed* values, the root first.

    ``tolerance`` is relative to the larger of the two values. A parent that was not observed is left out; one whose
    children were not all observed, or whose formula has no value there, is reported as not checkable.
    """
    found: list[Reconciliation] = []
    for parent in tree.inner:
        if parent not in observed:
            continue
        value = float(observed[parent])
        missing = [name for name in tree.formulas[parent].names if name not in observed]
        if missing:
            note = f"Not checked: there is no observed value of {', '.join(missing)}."
            found.append(Reconciliation(parent, value, None, None, None, note))
            continue
        computed = tree.formulas[parent].evaluate(observed)
        if not (np.isfinite(computed) and np.isfinite(value)):
            note = "Not checked: the observed value is not finite, or the formula divides by zero."
            found.append(Reconciliation(parent, value, None, None, None, note))
            continue
        difference = value - computed
        holds = abs(difference) <= tolerance * max(abs(value), abs(computed))
        found.append(Reconciliation(parent, value, computed, difference, holds))
    return found


def over_periods(
    kind: NodeKind, values: Sequence[float], denominators: Sequence[float] | None = None
) -> float | CannotTell:
    """Return one value for consecutive periods: a flow's sum, a stock's last, a rate's weighted mean.

    A rate needs its ``denominators``; without them, or when they add up to 0, there is no value.
    """
    if not len(values):
        return CannotTell("too_few", "There is no period to take a value from.", "Give at least one period.")
    if kind == "stock":
        return float(values[-1])
    numbers = np.asarray(values, dtype=np.float64)
    if kind == "flow":
        return float(numbers.sum())
    if denominators is None:
        return CannotTell(
            "undefined",
            "A rate over several periods needs the denominators of each.",
            "Give the denominators, or make the rate a quotient of two flows.",
        )
    weights = np.asarray(denominators, dtype=np.float64)
    if not weights.sum():
        return CannotTell(
            "undefined",
            "The denominators of the rate add up to 0.",
            "Choose periods in which something was counted.",
        )
    present = weights != 0  # a period without a denominator has no rate, and no weight
    return float((numbers[present] * weights[present]).sum() / weights.sum())


def _order(root: str, formulas: Mapping[str, Formula]) -> tuple[str, ...]:
    done: dict[str, None] = {}
    walk: list[tuple[str, int]] = [(root, 0)]
    trail: dict[str, None] = {root: None}
    while walk:
        name, place = walk.pop()
        children = formulas[name].names if name in formulas else ()
        if place == len(children):
            done[name] = None
            del trail[name]
            continue
        walk.append((name, place + 1))
        child = children[place]
        if child in trail:
            names = list(trail)
            ring = (*names[names.index(child) :], child)
            raise TreeError(
                f"The formulas go in a circle: {' → '.join(ring)}.",
                "Change one of them so that no metric is computed from itself.",
                ring,
            )
        if child not in done:
            trail[child] = None
            walk.append((child, 0))
    return tuple(done)
