"""Pictures of metrics: their line over time, and the tree for the wall."""

from __future__ import annotations

import math
from collections.abc import Mapping

from potager.engines.attribution import parse_formula
from potager.insight.metrics.models import Influence, Target
from potager.insight.metrics.reading import Series
from potager.insight.metrics.treeview import Node, View
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.charts.series import Series as Line
from potager.kit.charts.series import Target as Goal
from potager.kit.charts.series import time_series
from potager.kit.charts.tree import TreeEdge, TreeNode, TreePicture

_OPERATORS: Mapping[str, str] = {"additive": "+", "product": "×", "ratio": "÷"}


def over_time(found: Series, target: Target | None) -> Chart:
    """Return a metric's line, its last period apart where the data does not hold all of it."""
    metric = found.metric
    values = tuple(None if math.isnan(value) else value for value in found.values.tolist())
    goal = Goal(target.value, target.low, target.high) if target else None
    return time_series(
        Line(metric.label, tuple(period.start for period in found.periods), values),
        title=f"{metric.label} by {found.grain}",
        unit=metric.unit,
        grain=found.grain,
        target=goal,
        partial_last=found.partial,
    )


def wall(view: View) -> TreePicture:
    """Return the tree as the wall shows it."""
    nodes = tuple(_card(name, node, view) for name, node in view.nodes.items())
    edges = [
        TreeEdge(name, child, operator=_operator(node.formula, child))
        for name, node in view.nodes.items()
        for child in node.children
    ]
    edges += [
        _influence(edge)
        for edge in view.influences
        if {edge.driver.name, edge.outcome.name} <= set(view.nodes)
    ]
    against = f"against {view.against}"
    return TreePicture(
        nodes, tuple(edges), title=f"{view.nodes[view.root].metric.label} in {view.shown}", subtitle=against
    )


def _card(name: str, node: Node, view: View) -> TreeNode:
    metric, relative = node.metric, node.relative
    # A card has no room for "accounts" behind every number; its title says what is counted.
    unit = metric.unit if metric.unit in {*words.CURRENCIES, "%", "share", "pp"} else ""
    good = "neutral"
    if relative is not None and metric.direction in {"up", "down"} and abs(relative) >= 0.005:
        good = "good" if (relative > 0) == (metric.direction == "up") else "bad"
    return TreeNode(
        id=name,
        title=metric.label,
        value="unknown" if node.value is None else words.human(node.value, unit),
        target=words.human(node.target.value, unit) if node.target else "",
        change="" if relative is None else words.signed(round(relative * 100, 1), "%"),
        direction=good,  # type: ignore[arg-type]
        verdict=node.verdict,  # type: ignore[arg-type]
        level=metric.level,
        url=metric.url(),
        spark=node.spark,
        spark_partial=view.partial,
    )


def _operator(formula: str, child: str) -> str:
    found = parse_formula(formula)
    if found.kind == "additive":
        text = formula.replace(" ", "")
        return "−" if f"-{child}" in text else "+"
    return _OPERATORS.get(found.kind, "")


def _influence(edge: Influence) -> TreeEdge:
    lag = f"{edge.lag} {words.noun(edge.lag, edge.grain + 's')} later" if edge.lag else ""
    return TreeEdge(
        edge.outcome.name,
        edge.driver.name,
        "influence",
        operator="+" if edge.sign > 0 else "−",
        lag=lag,
        evidence=edge.present_evidence.replace("_", "-"),
    )
