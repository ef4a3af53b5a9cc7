"""What a metric rests on and what uses it, and where its definition is written."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from potager.ground.access.actors import Actor
from potager.insight.metrics import compiling, queries, trees
from potager.insight.metrics.models import Metric
from potager.insight.metrics.semantics import MetricInfo
from potager.kit.errors import NotFound


def users(who: Actor, metric: Metric) -> list[dict[str, str]]:
    """Return the metrics whose definition or formula uses this one, each with how."""
    try:
        nodes = compiling.layer_of(metric).lineage().users("metric", metric.name)
    except NotFound:  # no definition mentions it: nothing uses it there
        nodes = ()
    forest = trees.forest(who)
    found = {node.name: "in its definition" for node in nodes if node.kind == "metric"}
    for name, children in forest.children.items():
        if metric.name in children:
            found[name] = "in its formula"
    return [
        {"title": forest.metrics[name].label, "url": forest.metrics[name].url(), "how": how}
        for name, how in found.items()
        if name in forest.metrics
    ]


def rests_on(who: Actor, info: MetricInfo) -> dict[str, Any]:
    """Return the metrics and tables that a metric is computed from."""
    named = {metric.name: metric for metric in queries.metrics(who).filter(name__in=info.inputs)}
    return {
        "metrics": [named[name] for name in info.inputs if name in named],
        "tables": [{"title": name, "url": reverse("data-table", args=[name])} for name in info.tables],
    }


def excerpt(metric: Metric, info: MetricInfo) -> str:
    """Return the lines of the source that define the metric; nothing where a measure made it."""
    if metric.source is None or not info.line:
        return ""
    lines = metric.source.text.splitlines()
    first = lines[info.line - 1] if info.line <= len(lines) else ""
    depth = len(first) - len(first.lstrip())
    block = [first]
    for line in lines[info.line :]:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        block.append(line)
    return "\n".join(line[depth:] for line in block).rstrip()
