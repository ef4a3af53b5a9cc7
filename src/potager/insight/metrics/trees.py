"""The tree: component edges as arithmetic, checked against the data, and influence edges beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from potager.engines.answers import CannotTell
from potager.engines.attribution import (
    FormulaError,
    Reconciliation,
    Tree,
    TreeError,
    parse_formula,
    reconcile,
)
from potager.ground.access.actors import Actor
from potager.insight.metrics.models import Component, Influence, Metric
from potager.kit.errors import FieldProblem, Invalid

TOLERANCE = 1e-6  # relative: a parent and its formula are the same number, up to rounding of money


@dataclass(frozen=True)
class Forest:
    """All metrics an actor may see, and the edges between them."""

    metrics: Mapping[str, Metric]
    formulas: Mapping[str, str]
    influences: Sequence[Influence]

    @property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Return the component children of each parent."""
        return {name: parse_formula(text).names for name, text in self.formulas.items()}

    @property
    def roots(self) -> list[str]:
        """Return the names to begin with: strategic ones, and those under nothing; each stands over something.

        The most strategic come first, and among those the ones with the most beneath.
        """
        under = {child for names in self.children.values() for child in names}
        driven = {influence.driver.name for influence in self.influences}
        tops = [
            name
            for name in self.formulas
            if self.metrics[name].level == "strategic" or (name not in under and name not in driven)
        ]
        order = {"strategic": 0, "driver": 1, "input": 2, "operational": 3}
        beneath = {name: len(self.tree(name).formulas) for name in tops}
        return sorted(tops, key=lambda name: (order[self.metrics[name].level], -beneath[name], name))

    def tree(self, root: str) -> Tree:
        """Return the component tree under one metric; a metric without a formula is a tree of itself."""
        return Tree(root, {name: parse_formula(text) for name, text in self.formulas.items()})


def forest(actor: Actor) -> Forest:
    """Return the forest as far as the actor may see it."""
    metrics = {
        metric.name: metric
        for metric in Metric.objects.visible_to(actor).alive().select_related("source", "component", "owner")
    }
    components = Component.objects.filter(archived_at=None, metric__name__in=metrics).select_related("metric")
    formulas = {
        found.metric.name: found.formula
        for found in components
        if all(name in metrics for name in parse_formula(found.formula).names)
    }
    influences = [
        found
        for found in Influence.objects.visible_to(actor).alive().select_related("driver", "outcome")
        if found.driver.name in metrics and found.outcome.name in metrics
    ]
    return Forest(metrics, formulas, influences)


def check_formula(parent: str, text: str, formulas: Mapping[str, str], known: Mapping[str, Metric]) -> None:
    """Say what is wrong with a formula for ``parent``: how it is written, a name nobody knows, a ring."""
    try:
        formula = parse_formula(text)
    except FormulaError as error:
        raise _wrong(str(error), getattr(error, "mend", "")) from error
    unknown = [name for name in formula.names if name not in known]
    if unknown:
        from difflib import get_close_matches

        near = get_close_matches(unknown[0], known, n=1)
        mend = f"Did you mean {near[0]}?" if near else "Define it first."
        raise _wrong(f"There is no metric {unknown[0]}.", mend)
    spaces = {source.namespace for name in (parent, *formula.names) if (source := known[name].source)}
    if len(spaces) > 1:
        raise _wrong(
            "These metrics are over different namespaces of the lake.", "Define them over the same tables."
        )
    try:
        Tree(parent, {name: parse_formula(said) for name, said in {**formulas, parent: text}.items()})
    except TreeError as error:
        ring = " → ".join(error.ring)
        raise _wrong(f"{error} {ring}".strip(), getattr(error, "mend", "")) from error


def _wrong(problem: str, mend: str) -> Invalid:
    return Invalid(problem, mend=mend, errors=[FieldProblem("formula", problem, mend)])


def checks(tree: Tree, values: Mapping[str, float]) -> list[Reconciliation]:
    """Return whether each parent of the tree equals its formula in the data."""
    return reconcile(tree, values, TOLERANCE)


def needs(tree: Tree) -> list[str]:
    """Return the names whose values a tree needs, the root first."""
    return list(reversed(tree.order))


def say(refusal: CannotTell) -> str:
    """Return a refusal as one sentence."""
    return f"{refusal.because} {refusal.mend}".strip()
