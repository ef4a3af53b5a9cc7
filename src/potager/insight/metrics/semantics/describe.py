"""Metrics as the definitions describe them, and what uses what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from potager.insight.metrics.semantics.compiled import Compiled, filters_on, inputs_of
from potager.insight.metrics.semantics.components import Components, components_of
from potager.insight.metrics.semantics.expressions import columns, filter_items, read_expression
from potager.insight.metrics.semantics.findings import choose_from
from potager.insight.metrics.semantics.normalize import meta_of
from potager.insight.metrics.semantics.shapes import MetricInfo
from potager.insight.metrics.semantics.statements import leaves
from potager.insight.metrics.semantics.vocabulary import dimensions_of
from potager.kit.errors import NotFound

Kind = Literal["table", "column", "measure", "metric"]


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One thing that others rest on. Columns are ``namespace.table.column``."""

    kind: Kind
    name: str


@dataclass(frozen=True)
class Lineage:
    """Who rests on whom: pairs of what is used and what uses it."""

    edges: tuple[tuple[Node, Node], ...]

    @cached_property
    def _users(self) -> Mapping[Node, list[Node]]:
        users: dict[Node, list[Node]] = {}
        for used, user in self.edges:
            users.setdefault(used, []).append(user)
        return users

    def users(self, kind: Kind, name: str) -> tuple[Node, ...]:
        """Return everything that rests on this, directly or through others, nearest first.

        Raises :class:`NotFound` for what no definition mentions.
        """
        start = Node(kind, name)
        everything = {node for edge in self.edges for node in edge}
        if start not in everything:
            known = sorted(node.name for node in everything if node.kind == kind)
            raise NotFound(
                f"No definition mentions the {kind} `{name}`.", mend=choose_from(name, known, kind=kind)
            )
        found: dict[Node, None] = {}
        ahead = [start]
        while ahead:
            reached = [user for node in ahead for user in self._users.get(node, [])]
            ahead = [user for user in dict.fromkeys(reached) if user not in found]
            found.update(dict.fromkeys(ahead))
        return tuple(found)


def lineage(compiled: Compiled) -> Lineage:
    """Return what uses what in the definitions: tables, columns, measures, metrics."""
    edges: dict[tuple[Node, Node], None] = {}

    def uses(user: Node, used: Iterable[Node]) -> None:
        edges.update(dict.fromkeys((one, user) for one in used))

    for model in compiled.models.values():
        table = compiled.relation(model.name)
        for measure in model.measures:
            node = Node("measure", measure.name)
            uses(node, _columns(table, measure.expr or measure.name))
            for column in _columns(table, measure.expr or measure.name):
                uses(column, [Node("table", table)])
            uses(node, [Node("table", table)])
    for name, metric in compiled.metrics.items():
        node = Node("metric", name)
        uses(node, (Node("metric", one) for one in inputs_of(metric) if one in compiled.metrics))
        measures = _measures(metric)
        uses(node, (Node("measure", one) for one in measures))
        simple = compiled.simple.get(name)
        if simple is not None and not measures:
            uses(node, _columns(compiled.relation(simple.model), simple.expression))
        uses(node, _filtered_columns(compiled, metric))
    return Lineage(tuple(edges))


def _columns(table: str, expression: str) -> list[Node]:
    return [Node("column", f"{table}.{name}") for name in columns(read_expression(expression))]


def _measures(metric: Any) -> list[str]:
    """Return the measures a metric names itself, not those of its inputs."""
    parameters = metric.type_params
    named = [parameters.measure]
    if parameters.conversion_type_params is not None:
        named += [
            parameters.conversion_type_params.base_measure,
            parameters.conversion_type_params.conversion_measure,
        ]
    return [one.name for one in named if one is not None]


def _filtered_columns(compiled: Compiled, metric: Any) -> Iterable[Node]:
    for template in filters_on(metric.filter):
        for item in filter_items(template):
            last = item.name.rpartition("__")[2]
            for model in compiled.models.values():
                for dimension in model.dimensions:
                    if dimension.name == last:
                        yield from _columns(compiled.relation(model.name), dimension.expr or dimension.name)


def metric_info(compiled: Compiled, name: str) -> MetricInfo:
    """Return what the definitions say about a metric."""
    metric = compiled.metrics[name]
    located = compiled.located.get(name)
    data = located.data if located is not None else {}
    meta = meta_of(data) or (dict(metric.config.meta) if metric.config is not None else {})
    resting = [compiled.simple[leaf] for leaf in leaves(compiled, [name])]
    models = tuple(dict.fromkeys(simple.model for simple in resting))
    inputs = [one for one in inputs_of(metric) if one in compiled.metrics]
    synonyms = meta.get("synonyms") or []
    measures = {one.name: None for one in metric.type_params.input_measures}
    label = metric.label or str(meta.get("label") or name.replace("_", " "))
    return MetricInfo(
        name=name,
        label=label[:1].upper() + label[1:],
        description=metric.description or "",
        kind=metric.type.value,
        inputs=tuple(dict.fromkeys(inputs)),
        measures=tuple(measures),
        models=models,
        tables=tuple(compiled.relation(model) for model in models),
        dimensions=tuple(dimensions_of(compiled, [name])),
        synonyms=tuple(str(one) for one in (synonyms if isinstance(synonyms, list) else [synonyms])),
        formula=_formula(compiled, name),
        filters=filters_on(metric.filter),
        meta=meta,
        source=located.document.source if located is not None else "",
        line=located.line() if located is not None else 0,
        adds_up=_adds_up(compiled, name),
    )


def _adds_up(compiled: Compiled, name: str) -> bool:
    made = components_of(compiled, name)
    return isinstance(made, Components) and made.denominator is None and not made.numerator.distinct


def _formula(compiled: Compiled, name: str) -> str:
    """Return the metric in a line that a person reads: ``sum(quantity * unit_price)``, ``revenue / orders``."""
    metric = compiled.metrics[name]
    parameters = metric.type_params
    kind = metric.type.value
    if kind == "simple":
        return _aggregate(compiled, name)
    if kind == "ratio":
        return f"{parameters.numerator.name} / {parameters.denominator.name}"
    if kind == "derived":
        return str(parameters.expr)
    if kind == "conversion":
        conversion = parameters.conversion_type_params
        base, made = (
            one.name if one is not None else ""
            for one in (
                conversion.base_metric or conversion.base_measure,
                conversion.conversion_metric or conversion.conversion_measure,
            )
        )
        return f"{base} → {made} by {conversion.entity}"
    cumulative = parameters.cumulative_type_params
    over = cumulative.metric.name if cumulative.metric is not None else parameters.measure.name
    shown = _aggregate(compiled, over) if over in compiled.simple else over
    if cumulative.window is not None:
        return f"{shown} over {cumulative.window.count} {cumulative.window.granularity}s"
    return f"{shown} {cumulative.grain_to_date} to date" if cumulative.grain_to_date else f"{shown} so far"


def _aggregate(compiled: Compiled, name: str) -> str:
    simple = compiled.simple[name]
    counts_rows = simple.aggregation == "sum" and simple.expression == "1"
    return "count of rows" if counts_rows else f"{simple.aggregation}({simple.expression})"
