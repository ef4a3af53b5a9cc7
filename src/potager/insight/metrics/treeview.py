"""The tree with live values: what the wall picture, the API and the export show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from potager.engines.attribution import parse_formula
from potager.ground.access.actors import Actor
from potager.insight.metrics.models import Influence, Metric, Target
from potager.insight.metrics.periods import Grain, Period, period_of, same_days
from potager.insight.metrics.queries import target_for
from potager.insight.metrics.reading import Where, freshness, series, values
from potager.insight.metrics.trees import Forest, checks, forest

SPARK_PERIODS = 13


@dataclass(frozen=True)
class Node:
    """One metric in the tree, with its value in a period, the comparable one before, and its target."""

    metric: Metric
    children: tuple[str, ...]
    formula: str
    value: float | None
    before: float | None
    target: Target | None
    verdict: str
    holds: bool | None
    spark: tuple[float | None, ...]
    questions: int = 0

    @property
    def relative(self) -> float | None:
        """Return the change against the comparable days of the period before."""
        if self.value is None or self.before is None or not self.before:
            return None
        return (self.value - self.before) / abs(self.before)


@dataclass(frozen=True)
class View:
    """A tree as of a day. ``partial`` says that the period is not over in the data: both sides have the same days."""

    root: str
    period: Period
    shown: Period
    against: Period
    nodes: Mapping[str, Node]
    influences: Sequence[Influence]
    partial: bool
    through: date | None


def view(
    actor: Actor,
    root: str,
    *,
    as_of: date | None = None,
    grain: Grain = "month",
    where: Where = (),
    spark: bool = True,
) -> View:
    """Return the tree under ``root`` in the period that holds ``as_of`` (by default the last day with data)."""
    found = forest(actor)
    metric = found.metrics[root]
    through = freshness(metric).complete_through
    day = min(as_of or through or date.min, through or date.max)
    period = period_of(day, grain)
    shown, against, partial = same_days(period, period.previous(), day)
    names = _reached(found, root)
    metrics = [found.metrics[name] for name in names]
    now, _ = values(metrics, shown, where)
    then, _ = values(metrics, against, where)
    held = _held(found, names, now)
    nodes = {}
    for one in metrics:
        target = target_for(actor, one, period) if not where else None
        formula = found.formulas.get(one.name, "")
        value = _known(now[one.name])
        nodes[one.name] = Node(
            metric=one,
            children=parse_formula(formula).names if formula else (),
            formula=formula,
            value=value,
            before=_known(then[one.name]),
            target=target,
            verdict=verdict(one, value, target, partial=partial),
            holds=held.get(one.name),
            spark=_spark(one, period, grain, where) if spark else (),
        )
    influences = [
        edge for edge in found.influences if edge.outcome.name in nodes or edge.driver.name in nodes
    ]
    return View(root, period, shown, against, nodes, influences, partial, through)


def _held(found: Forest, names: Sequence[str], values: Mapping[str, float]) -> dict[str, bool | None]:
    """Return for each formula whether it holds; influences reach trees of their own, which are checked as well."""
    held: dict[str, bool | None] = {}
    for name in names:
        if name not in held and name in found.formulas:
            held |= {check.parent: check.holds for check in checks(found.tree(name), values)}
    return held


def _reached(found: Forest, root: str) -> list[str]:
    """Return the names under a root, along both kinds of edges."""
    names, todo = [], [root]
    while todo:
        name = todo.pop(0)
        if name in names or name not in found.metrics:
            continue
        names.append(name)
        todo += found.children.get(name, ())
        todo += [edge.driver.name for edge in found.influences if edge.outcome.name == name]
    space = found.metrics[root].source
    return [
        name
        for name in names
        if (source := found.metrics[name].source) and space and source.namespace == space.namespace
    ]


def verdict(metric: Metric, value: float | None, target: Target | None, *, partial: bool = False) -> str:
    """Return how a value stands against its target: nothing where there is none, or where the period is not over."""
    if target is None or partial:
        return ""
    if value is None:
        return "cannot_tell"
    return stands(metric.direction, value, target.value, target.low, target.high)


def stands(direction: str, value: float, goal: float, low: float | None, high: float | None) -> str:
    """Return whether a figure is what it should be: yes, no, or at risk where the range that would do holds it."""
    low, high = (goal if end is None else end for end in (low, high))
    if direction == "range":
        return "yes" if low <= value <= high else "no"
    if direction == "down":
        return "yes" if value <= goal else "at_risk" if value <= high else "no"
    return "yes" if value >= goal else "at_risk" if value >= low else "no"


def _spark(metric: Metric, period: Period, grain: Grain, where: Where) -> tuple[float | None, ...]:
    first = period.shifted(1 - SPARK_PERIODS)
    found = series(metric, grain, first.start, period.end, where)
    return tuple(_known(value) for value in found.values.tolist())


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def exported(found: Forest) -> dict[str, Any]:
    """Return the whole tree as plain data, in the form that ``potager`` reads trees."""
    return {
        "metrics": {
            name: {
                "level": metric.level,
                "kind": metric.purpose,
                "unit": metric.unit,
                "direction": metric.direction,
                "grain": metric.grain,
                "owner": metric.owner_role,
                "freshness_days": metric.freshness_days,
                "maturity": metric.maturity,
                "pitfalls": metric.pitfalls,
                "benchmark": metric.benchmark or None,
            }
            for name, metric in found.metrics.items()
        },
        "components": dict(found.formulas),
        "influences": [
            {
                "from": edge.driver.name,
                "to": edge.outcome.name,
                "lag": f"{edge.lag} {edge.grain}",
                "direction": "+" if edge.sign > 0 else "-",
                "evidence": edge.present_evidence,
                "because": edge.because,
            }
            for edge in found.influences
        ],
    }
