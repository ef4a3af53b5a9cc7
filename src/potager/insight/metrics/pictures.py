"""The pictures of metrics, from values: over time, split by a dimension, and the tree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from potager.engines.attribution import Formula, parse_formula
from potager.insight.metrics.models import Influence, Metric
from potager.insight.metrics.periods import Period
from potager.insight.metrics.reading import Series
from potager.insight.metrics.treeview import Node, View
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.charts.series import Series as Line
from potager.kit.charts.series import Target as Mark
from potager.kit.charts.series import time_series
from potager.kit.charts.tree import Good, TreeEdge, TreeNode, TreePicture, Verdict

_VERDICTS: Mapping[str, Verdict] = {
    "yes": "yes", "at_risk": "at_risk", "no": "no", "cannot_tell": "cannot_tell",
}  # fmt: skip


def partial_words(period: Period, through: date | None) -> str:
    """Return how much of an unfinished period is there: ``9 of 31 days``."""
    there = (min(through, period.end) - period.start + timedelta(days=1)).days if through else 0
    return f"{max(0, there)} of {words.counted(period.days, 'days')}"


def over_time(
    series: Series,
    *,
    title: str,
    through: date | None,
    target: tuple[float, float | None, float | None] | None = None,
) -> Chart:
    """Return a metric by period; ``target`` is value, low and high, and the unfinished period is said to be so."""
    metric = series.metric
    return time_series(
        _line(metric.label, series.periods, series.values.tolist()),
        title=title,
        unit=metric.unit,
        grain=series.grain,
        as_of=through,
        target=Mark(*target) if target else None,
        partial_last=series.partial,
        partial_note=partial_words(series.periods[-1], through) if series.partial else "",
    )


def by_segment(
    metric: Metric, lines: Sequence[tuple[str, Series]], *, title: str, subtitle: str, through: date | None
) -> Chart:
    """Return one line for each segment, the largest first."""
    first = lines[0][1]
    return time_series(
        [_line(name, found.periods, found.values.tolist()) for name, found in lines],
        title=title,
        subtitle=subtitle,
        unit=metric.unit,
        grain=first.grain,
        as_of=through,
        partial_last=first.partial,
        partial_note=partial_words(first.periods[-1], through) if first.partial else "",
    )


def _line(name: str, periods: Sequence[Period], values: Sequence[float]) -> Line:
    starts = tuple(period.start for period in periods)
    return Line(name, starts, tuple(value if math.isfinite(value) else None for value in values))


def tree(view: View, *, title: str, subtitle: str) -> TreePicture:
    """Return the tree with its live values, ready to be drawn."""
    names = list(view.nodes)
    edges = [edge for name, node in view.nodes.items() for edge in _components(name, node, view)]
    drawn = {(edge.parent, edge.child) for edge in edges}
    for influence in view.influences:
        ends = (influence.outcome.name, influence.driver.name)
        if all(end in view.nodes for end in ends) and ends not in drawn:
            edges.append(
                TreeEdge(
                    *ends, kind="influence", lag=lag_words(influence), evidence=evidence_words(influence)
                )
            )
    nodes = tuple(_node(name, view.nodes[name], view) for name in names)
    return TreePicture(nodes, tuple(edges), title=title, subtitle=subtitle)


def _node(name: str, node: Node, view: View) -> TreeNode:
    metric, unit = node.metric, node.metric.unit
    return TreeNode(
        id=name,
        title=metric.label,
        value=short(node.value, unit) if node.value is not None else "",
        target=short(node.target.value, unit) if node.target else "",
        change=words.change(node.relative) if node.relative is not None else "",
        direction=welcome(metric, node.relative),
        verdict=_VERDICTS.get(node.verdict, ""),
        level=metric.level,
        url=metric.url(),
        spark=node.spark,
        spark_partial=view.partial,
    )


def short(value: float, unit: str) -> str:
    """Return a value as a card has room for: its sign of currency or percent, without the noun that is counted."""
    base = unit.split(" per ")[0].split("/")[0]
    symbol = base in words.CURRENCIES or base in {"%", "percent", "share", "ratio", "pp"}
    return words.human(value, base if symbol else "")


def welcome(metric: Metric, relative: float | None) -> Good:
    """Return whether a change is in the direction that is good for the metric."""
    if not relative or metric.direction not in {"up", "down"}:
        return "neutral"
    return "good" if (relative > 0) == (metric.direction == "up") else "bad"


def _components(name: str, node: Node, view: View) -> list[TreeEdge]:
    if not node.formula:
        return []
    formula = parse_formula(node.formula)
    return [
        TreeEdge(name, child, operator=operator(formula, child))
        for child in node.children
        if child in view.nodes
    ]


def operator(formula: Formula, name: str) -> str:
    """Return the sign of an input in its formula: ``+ − × ÷``, or nothing where no single sign says it."""
    if formula.kind == "general" or len(formula.names) == 1:
        return ""
    flat = dict.fromkeys(formula.names, 1.0)
    moved = formula.evaluate({**flat, name: 2.0}) - formula.evaluate(flat)
    if formula.kind == "additive":
        return "+" if moved > 0 else "−"
    if formula.kind == "product":
        return "×"
    base = formula.evaluate(flat)
    if (moved > 0) != (base > 0):
        return "÷"
    above = [one for one in formula.names if (formula.evaluate({**flat, one: 2.0}) - base > 0) == (base > 0)]
    return "×" if len(above) > 1 else ""


def lag_words(influence: Influence) -> str:
    """Return how much later an influence is felt: ``2 months later``, nothing for the same period."""
    return f"{words.counted(influence.lag, f'{influence.grain}s')} later" if influence.lag else ""


def evidence_words(influence: Influence) -> str:
    """Return what an influence is believed on at present."""
    said = influence.present_evidence.replace("_", "-")
    return f"{said}, expired" if influence.expired else said
