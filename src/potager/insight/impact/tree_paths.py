"""Ways through the metric tree: from the metric that a bet moves to the one that is money."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.attribution import parse_formula
from potager.engines.causal import EvidenceClass, Hop
from potager.ground.access.actors import Actor
from potager.insight.metrics.models import Influence, Metric
from potager.insight.metrics.periods import Grain, last_whole
from potager.insight.metrics.reading import freshness, series, value
from potager.insight.metrics.trees import Forest, forest
from potager.kit import words
from potager.kit.words import CURRENCIES

# How the tree's evidence and the engine's are the same.
CLASS_OF: Mapping[str, EvidenceClass] = {
    "experimental": "experiment",
    "quasi_experimental": "quasi_experiment",
    "predictive": "elasticity",
    "correlated": "elasticity",
    "asserted": "belief",
}
TREE_EVIDENCE: Mapping[str, str] = {
    "arithmetic": "experimental",
    "experiment": "experimental",
    "holdout": "experimental",
    "quasi_experiment": "quasi_experimental",
    "elasticity": "predictive",
    "belief": "asserted",
}
_STRENGTH = ("experimental", "quasi_experimental", "predictive", "correlated", "asserted")
_PERIODS = 36


@dataclass(frozen=True, slots=True)
class Step:
    """One edge on the way up: by arithmetic (``influence`` is None) or by an influence."""

    child: Metric
    parent: Metric
    formula: str = ""
    influence: Influence | None = None


def is_money(metric: Metric) -> bool:
    """Return whether a metric counts money: its unit is a currency, and it is no ratio such as money per order."""
    if metric.definition_type == "ratio":
        return False
    return metric.unit in CURRENCIES or (len(metric.unit) == 3 and metric.unit.isupper())


def path(woods: Forest, start: Metric, goal: Metric) -> list[Step] | CannotTell:
    """Return the shortest way up from one metric to another; among equals that with the stronger edges."""
    seen: dict[str, Step | None] = {start.name: None}
    waiting = deque([start.name])
    while waiting and goal.name not in seen:
        name = waiting.popleft()
        for step in _up(woods, name):
            if step.parent.name not in seen:
                seen[step.parent.name] = step
                waiting.append(step.parent.name)
    if goal.name not in seen:
        return CannotTell(
            "not_identified",
            f"No edge of the tree leads from {words.in_sentence(start.label)} to {words.in_sentence(goal.label)}.",
            "Draw the edge in the tree and test it, or judge the bet by a metric that leads there.",
        )
    steps: list[Step] = []
    last: Step | None = seen[goal.name]
    while last is not None:
        steps.append(last)
        last = seen[last.child.name]
    return steps[::-1]


def _up(woods: Forest, name: str) -> list[Step]:
    """Return the edges up from a metric: arithmetic ones first, then influences, the strongest first."""
    child = woods.metrics[name]
    exact = [
        Step(child, woods.metrics[parent], formula=text)
        for parent, text in sorted(woods.formulas.items())
        if name in parse_formula(text).names
    ]
    influences = sorted(
        (one for one in woods.influences if one.driver.name == name),
        key=lambda one: (one.estimate is None, _STRENGTH.index(one.present_evidence), one.outcome.name),
    )
    return exact + [Step(child, woods.metrics[one.outcome.name], influence=one) for one in influences]


def money_above(woods: Forest, metric: Metric) -> Metric | None:
    """Return the money metric that a metric leads to: itself, or the most strategic one that can be reached."""
    if is_money(metric):
        return metric
    order = {"strategic": 0, "driver": 1, "input": 2, "operational": 3}
    found = [one for one in woods.metrics.values() if is_money(one)]
    for one in sorted(found, key=lambda one: (order[one.level], one.name)):
        if not isinstance(path(woods, metric, one), CannotTell):
            return one
    return None


def counted_as(metric: Metric) -> str:
    """Return what one unit of a money metric is, by its name: ARR is money of a year, MRR of a month."""
    said = f" {metric.name} {metric.label} ".lower().replace("_", " ")
    if " arr " in said or "annual recurring" in said or "annualized" in said:
        return "yearly"
    if " mrr " in said or "monthly recurring" in said:
        return "monthly"
    return "flow"


def influence_between(actor: Actor, driver: Metric, outcome: Metric) -> Influence | CannotTell:
    """Return the influence from one metric to another, or why there is none to go by."""
    for one in forest(actor).influences:
        if (one.driver.name, one.outcome.name) == (driver.name, outcome.name):
            return one
    return CannotTell(
        "not_identified",
        f"The tree has no edge from {words.in_sentence(driver.label)} to {words.in_sentence(outcome.label)}.",
        "Draw it and test it.",
    )


def edge_hop(influence: Influence, through: date) -> Hop | CannotTell:
    """Return an influence as a hop: units of the outcome for one unit of the driver, with its interval.

    Where both are above 0 throughout, tests estimate percent per percent; the present levels turn it into units.
    """
    name = f"{influence.driver.label} → {influence.outcome.label}"
    if influence.estimate is None or influence.low is None or influence.high is None:
        return CannotTell(
            "not_identified",
            f"The edge {name} is asserted and was never estimated, so nothing can be carried through it.",
            "Test the edge on the tree's page.",
        )
    scale = 1.0
    levels = _levels(influence, through)
    if levels is not None:
        driver, outcome = levels
        scale = outcome / driver
    evidence = CLASS_OF[influence.present_evidence]
    low, high = sorted((influence.low * scale, influence.high * scale))
    return Hop(name, influence.estimate * scale, low, high, evidence)


def _levels(influence: Influence, through: date) -> tuple[float, float] | None:
    """Return the present levels of both ends where the estimate is percent per percent; None where it is a slope."""
    grain: Grain = influence.grain  # type: ignore[assignment]
    ends = [freshness(metric).complete_through for metric in (influence.driver, influence.outcome)]
    last = last_whole(min(through, *(end for end in ends if end)), grain)
    first = last.shifted(-_PERIODS)
    means = []
    for metric in (influence.driver, influence.outcome):
        values = series(metric, grain, first.start, last.end).values
        known = values[np.isfinite(values)]
        if not len(known) or float(known.min()) <= 0.0:
            return None
        means.append(float(known[-3:].mean()))
    return means[0], means[1]


def arithmetic_hop(
    step: Step, amount: float, through: date, grain: Grain, at: Mapping[str, str] | None = None
) -> Hop | CannotTell:
    """Return what one unit of a component is worth in its parent, over the last whole period: exact.

    The parent is recomputed with the effect taken off, so that the hop is the mean slope over the effect.
    """
    formula = parse_formula(step.formula)
    known = [freshness(one, at=at).complete_through for one in (step.child, step.parent)]
    if not all(known):
        return CannotTell("incomplete", f"There is no data for {step.formula}.", "Import some.")
    last = last_whole(min(through, *(day for day in known if day)), grain)
    names = list(formula.names)
    found = {name: value(_named(step, name), last, at=at)[0] for name in names}
    if missing := [name for name in names if not math.isfinite(found[name])]:
        return CannotTell(
            "incomplete",
            f"{missing[0]} has no value {last.when}, so {step.formula} cannot be evaluated.",
            "Import the missing data.",
        )
    here = found[step.child.name]
    off = amount if amount and abs(amount) > 1e-9 * max(abs(here), 1.0) else max(abs(here), 1.0) * 1e-4
    now = formula.evaluate(found)
    without = formula.evaluate({**found, step.child.name: here - off})
    slope = (now - without) / off
    if not math.isfinite(slope):
        return CannotTell(
            "undefined", f"{step.formula} cannot be evaluated without the effect.", "Look at its values."
        )
    return Hop(f"{step.child.label} → {step.parent.label}", slope, slope, slope, "arithmetic")


def _named(step: Step, name: str) -> Metric:
    if name == step.child.name:
        return step.child
    return Metric.objects.select_related("source").get(name=name)
