"""Metrics against each other and their measures: unknown names, rings, formulas, filters, divisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

from potager.insight.metrics.semantics.expressions import (
    DIALECT,
    NotAnExpression,
    columns,
    filter_expression,
    filter_items,
    filters_of,
    read_expression,
    unguarded_divisors,
)
from potager.insight.metrics.semantics.findings import Finding, choose_from
from potager.insight.metrics.semantics.normalize import Definitions, Located
from potager.insight.metrics.semantics.yaml_tree import Path

Reference = tuple[str, Path]


def check_metrics(definitions: Definitions) -> Iterator[Finding]:
    """Yield what is wrong with each metric, given all the others and the measures there are."""
    measures = {part.name for model in definitions.models for part in model.parts("measures")}
    made = {
        part.name
        for model in definitions.models
        for part in model.parts("measures")
        if part.data.get("create_metric")
    }
    metrics = {metric.name: metric for metric in definitions.metrics}
    dimensions = _dimension_names(definitions)
    for metric in definitions.metrics:
        for name, path in measure_references(metric.data):
            if name not in measures:
                message = f"The metric `{metric.name}` uses the measure `{name}`, which does not exist."
                yield metric.finding(
                    "error", message, choose_from(name, list(measures), kind="measure"), *path
                )
        for name, path in metric_references(metric.data):
            if name not in metrics and name not in made:
                message = f"The metric `{metric.name}` uses the metric `{name}`, which does not exist."
                mend = choose_from(name, [*metrics, *made], kind="metric")
                if name in measures:
                    mend = f"`{name}` is a measure; add a metric of `type: simple` over it."
                yield metric.finding("error", message, mend, *path)
        yield from _needs(metric)
        yield from _formula(metric)
        yield from _filters(metric, dimensions, [*metrics, *made])
    yield from _rings(metrics)


def _parameters(data: Mapping[str, Any]) -> Mapping[str, Any]:
    found = data.get("type_params")
    return found if isinstance(found, dict) else {}


def _named(value: Any, path: Path) -> Iterator[Reference]:
    if isinstance(value, str):
        yield value.lower(), path
    elif isinstance(value, dict) and isinstance(value.get("name"), str):
        yield value["name"].lower(), (*path, "name")


def measure_references(data: Mapping[str, Any]) -> Iterator[Reference]:
    """Yield the measures a metric names, with the place of each."""
    parameters = _parameters(data)
    yield from _named(parameters.get("measure"), ("type_params", "measure"))
    conversion = parameters.get("conversion_type_params")
    for key in ("base_measure", "conversion_measure"):
        if isinstance(conversion, dict):
            yield from _named(conversion.get(key), ("type_params", "conversion_type_params", key))


def metric_references(data: Mapping[str, Any]) -> Iterator[Reference]:
    """Yield the metrics a metric names as its inputs, with the place of each."""
    parameters = _parameters(data)
    for key in ("numerator", "denominator"):
        yield from _named(parameters.get(key), ("type_params", key))
    for position, part in enumerate(parameters.get("metrics") or []):
        yield from _named(part, ("type_params", "metrics", position))
    inner_keys = {
        "cumulative_type_params": ("metric",),
        "conversion_type_params": ("base_metric", "conversion_metric"),
    }
    for group, keys in inner_keys.items():
        inner = parameters.get(group)
        if isinstance(inner, dict):
            for key in keys:
                yield from _named(inner.get(key), ("type_params", group, key))


def _needs(metric: Located) -> Iterator[Finding]:
    """Yield what the metric's type asks for and it does not say."""
    kind = str(metric.data.get("type", "")).lower()
    parameters = _parameters(metric.data)
    measured = bool(parameters.get("measure") or parameters.get("metric_aggregation_params"))
    cumulative = parameters.get("cumulative_type_params")
    if isinstance(cumulative, dict):
        measured = measured or bool(cumulative.get("metric"))
    wanted = {
        "simple": [] if measured else ["measure"],
        "cumulative": [] if measured else ["measure"],
        "ratio": [key for key in ("numerator", "denominator") if not parameters.get(key)],
        "derived": [key for key in ("expr", "metrics") if not parameters.get(key)],
        "conversion": [] if parameters.get("conversion_type_params") else ["conversion_type_params"],
    }
    for key in wanted.get(kind, []):
        message = f"The {kind} metric `{metric.name}` lacks `{key}`."
        yield metric.finding("error", message, f"Add `{key}:` under `type_params:`.", "type_params")


def _formula(metric: Located) -> Iterator[Finding]:
    parameters = _parameters(metric.data)
    text = parameters.get("expr")
    if str(metric.data.get("type")).lower() != "derived" or not isinstance(text, str):
        return
    place = ("type_params", "expr")
    try:
        expression = read_expression(text)
    except NotAnExpression as error:
        message = f"The formula of `{metric.name}`, `{text}`, cannot be read: {error}."
        yield metric.finding("error", message, "Write one expression over its input metrics.", *place)
        return
    inputs = [part for part in parameters.get("metrics") or [] if isinstance(part, dict | str)]
    known = {
        str(part if isinstance(part, str) else part.get("alias") or part.get("name")).lower()
        for part in inputs
    }
    used = {name.lower() for name in columns(expression)}
    for name in sorted(used - known):
        message = f"The formula of `{metric.name}` uses `{name}`, which is none of its input metrics."
        mend = choose_from(name, sorted(known), kind="input") + f" Or list `{name}` under `metrics:`."
        yield metric.finding("error", message, mend, *place)
    for name in sorted(known - used):
        message = f"`{metric.name}` takes the input `{name}`, which its formula does not use."
        yield metric.finding("warning", message, "Remove the input, or use it.", "type_params", "metrics")
    if next(expression.find_all(exp.AggFunc), None) is not None:
        message = f"The formula of `{metric.name}` aggregates; its inputs are aggregated already."
        yield metric.finding("error", message, "Use arithmetic only.", *place)
    for divisor in unguarded_divisors(expression):
        shown = divisor.sql(DIALECT)
        message = f"`{metric.name}` divides by `{shown}`, which may be zero; the metric is then null."
        mend = f"Write `NULLIF({shown}, 0)` to say that this is meant, or make it a metric of `type: ratio`."
        yield metric.finding("warning", message, mend, *place)


def _dimension_names(definitions: Definitions) -> set[str]:
    names: set[str] = set()
    for model in definitions.models:
        prefixes = {entity.name for entity in model.parts("entities")}
        if isinstance(model.data.get("primary_entity"), str):
            prefixes.add(model.data["primary_entity"].lower())
        names |= {f"{prefix}__{part.name}" for prefix in prefixes for part in model.parts("dimensions")}
    return names


def _filter_places(data: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield every filter template of a metric, on itself and on its inputs."""

    def walk(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "filter":
                    for template in filters_of(inner):
                        yield template, (*path, key)
                else:
                    yield from walk(inner, (*path, key))
        elif isinstance(value, list):
            for position, inner in enumerate(value):
                yield from walk(inner, (*path, position))

    yield from walk({key: value for key, value in data.items() if key in {"filter", "type_params"}}, ())


def _filters(metric: Located, dimensions: set[str], metrics: list[str]) -> Iterator[Finding]:
    for template, path in _filter_places(metric.data):
        shown = " ".join(template.split())
        try:
            items = filter_items(template)
            filter_expression(template, lambda item: item.name)
        except NotAnExpression as error:
            message = f"A filter of `{metric.name}`, `{shown}`, cannot be read: {error}."
            mend = "Write it as `{{ Dimension('entity__dimension') }} = 'value'`."
            yield metric.finding("error", message, mend, *path)
            continue
        if not items:
            message = f"A filter of `{metric.name}`, `{shown}`, refers to no dimension."
            mend = "Refer to dimensions as `{{ Dimension('entity__dimension') }}`; bare columns are not seen here."
            yield metric.finding("error", message, mend, *path)
        for item in items:
            last_two = "__".join(item.name.split("__")[-2:])
            if item.kind in {"dimension", "timedimension"} and not _known(item.name, last_two, dimensions):
                message = f"A filter of `{metric.name}` uses `{item.name}`, which is no dimension."
                yield metric.finding(
                    "error", message, choose_from(last_two, sorted(dimensions), kind="dimension"), *path
                )
            if item.kind == "metric" and item.name not in metrics:
                message = f"A filter of `{metric.name}` uses the metric `{item.name}`, which does not exist."
                yield metric.finding("error", message, choose_from(item.name, metrics, kind="metric"), *path)


def _known(name: str, last_two: str, dimensions: set[str]) -> bool:
    if name.split("__")[0] == "metric_time" or last_two in dimensions:
        return True
    # A time dimension may carry its grain at the end: order__created_at__month.
    head, _, _ = name.rpartition("__")
    return "__".join(head.split("__")[-2:]) in dimensions


def _rings(metrics: Mapping[str, Located]) -> Iterator[Finding]:
    """Yield one finding per ring of metrics, at the first of its members in the documents."""
    inputs = {name: [used for used, _ in metric_references(metric.data)] for name, metric in metrics.items()}
    settled: set[str] = set()
    for start in metrics:
        trail: list[str] = []
        ahead: list[tuple[str, bool]] = [(start, False)]
        while ahead:
            name, leaving = ahead.pop()
            if leaving:
                settled.add(trail.pop())
            elif name in trail:
                ring = " → ".join(f"`{part}`" for part in [*trail[trail.index(name) :], name])
                message = f"The metrics {ring} are made of each other."
                mend = "Take one of them out of another's inputs."
                yield metrics[name].finding("error", message, mend, "type_params")
            elif name in metrics and name not in settled:
                trail.append(name)
                ahead.append((name, True))
                ahead.extend((used, False) for used in reversed(inputs[name]))
