"""Definitions compiled once: MetricFlow's engine over them, and what Potager needs to know of each metric.

MetricFlow is imported here and nowhere at module level: it takes most of a second.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from threading import RLock
from typing import Any

from potager.insight.metrics.semantics.documents import Document, content_hash
from potager.insight.metrics.semantics.expressions import divide_safely, filters_of
from potager.insight.metrics.semantics.findings import Finding, refuse
from potager.insight.metrics.semantics.normalize import Definitions, Located, collect, manifest

INPUT_PREFIX = "potager_input_"
_CACHED_LAYERS = 16
_CACHED_STATEMENTS = 512
_import_lock = RLock()
_LIBRARIES = ("metricflow", "metricflow_semantics", "metricflow_semantic_interfaces")
_CLIENT_VARIABLE = "METRICFLOW_CLIENT_EMAIL"


@dataclass(frozen=True, slots=True)
class SimpleMetric:
    """A metric that aggregates one expression of one semantic model, as MetricFlow resolved it.

    ``filters`` are templates; ``row_input`` names the hidden metric whose input column is this metric's value per row,
    unfiltered.
    """

    name: str
    model: str
    aggregation: str
    expression: str
    time_dimension: str
    filters: tuple[str, ...]
    row_input: str
    semi_additive: bool
    fills_gaps: bool


@dataclass
class Compiled:
    """One set of definitions, ready to answer. Holds no data and no connection; safe to share between threads."""

    hash: str
    definitions: Definitions
    semantic_manifest: Any
    engine: Any
    parser: Any
    simple: Mapping[str, SimpleMetric]
    lock: RLock = field(default_factory=RLock, repr=False)
    statements: dict[Any, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """Return MetricFlow's metrics by name, without those it keeps to itself."""
        return {
            metric.name: metric
            for metric in self.semantic_manifest.metrics
            if not metric.type_params.is_private
        }

    @cached_property
    def all_metrics(self) -> Mapping[str, Any]:
        """Return every metric by name, hidden ones included."""
        return {metric.name: metric for metric in self.semantic_manifest.metrics}

    @cached_property
    def models(self) -> Mapping[str, Any]:
        """Return MetricFlow's semantic models by name."""
        return {model.name: model for model in self.semantic_manifest.semantic_models}

    @cached_property
    def located(self) -> Mapping[str, Located]:
        """Return where each metric is written, by its name."""
        return {metric.name: metric for metric in self.definitions.metrics}

    def relation(self, model: str) -> str:
        """Return the lake table of a semantic model."""
        return str(self.models[model].node_relation.relation_name)

    def remember(self, key: Any, value: Any) -> Any:
        """Keep ``value`` under ``key`` among the last statements compiled, and return it."""
        with self.lock:
            while len(self.statements) >= _CACHED_STATEMENTS:
                self.statements.pop(next(iter(self.statements)))
            self.statements[key] = value
        return value

    @cached_property
    def finest_grains(self) -> Mapping[str, str]:
        """Return the grain of every time dimension, by ``model.dimension``."""
        return {
            f"{model.name}.{dimension.name}": dimension.type_params.time_granularity.value
            for model in self.semantic_manifest.semantic_models
            for dimension in model.dimensions
            if dimension.type_params is not None
        }


_layers: dict[Any, Compiled] = {}
_layers_lock = RLock()


def compile_documents(
    documents: Sequence[Document],
    *,
    namespace: str,
    tables: Sequence[str] = (),
    before: Callable[[], None] | None = None,
) -> Compiled:
    """Return the compiled definitions, built once per content and table resolution.

    ``before`` is called only when they have to be built. Raises :class:`~potager.kit.errors.Invalid` when MetricFlow
    cannot build them; ask ``validate`` first for findings that name lines.
    """
    definitions = collect(documents, namespace=namespace, tables=frozenset(tables))
    relations = tuple(sorted((model.name, definitions.relation(model)) for model in definitions.models))
    content = (content_hash(documents), relations)
    key = (
        *content,
        tuple(document.source for document in documents),
    )  # who defines what is part of what is built
    with _layers_lock:
        found = _layers.get(key)
        if found is None:
            if before is not None:
                before()
            found = _compile(definitions, sha256(repr(content).encode()).hexdigest())
            while len(_layers) >= _CACHED_LAYERS:
                _layers.pop(next(iter(_layers)))
            _layers[key] = found
    return found


@lru_cache(maxsize=1)
def metricflow() -> Any:
    """Return MetricFlow's engine module, imported once, quiet and calling nobody.

    Its telemetry reporter only writes to the log, but on import it would identify the machine by its network card;
    a given client name spares that. Its handlers are removed and its loggers speak of errors only.
    """
    with _import_lock:
        kept = os.environ.get(_CLIENT_VARIABLE)
        os.environ[_CLIENT_VARIABLE] = "nobody"
        try:
            from metricflow.engine import metricflow_engine
        finally:
            if kept is None:
                del os.environ[_CLIENT_VARIABLE]
            else:
                os.environ[_CLIENT_VARIABLE] = kept
        metricflow_engine._telemetry_reporter._handlers.clear()
        for name in _LIBRARIES:
            logging.getLogger(name).setLevel(logging.ERROR)
    return metricflow_engine


def transform(definitions: Definitions) -> Any:
    """Return MetricFlow's manifest of the definitions, defaults filled in and measures turned into metrics."""
    metricflow()
    from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
    from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
        PydanticSemanticManifestTransformer,
    )

    data = manifest(definitions)
    for model in data["semantic_models"]:
        for key in ("entities", "dimensions", "measures"):
            for element in model[key]:
                if isinstance(element.get("expr"), str):
                    element["expr"] = divide_safely(element["expr"])
    for metric in data["metrics"]:
        parameters = metric.get("type_params")
        if isinstance(parameters, dict) and isinstance(parameters.get("expr"), str):
            parameters["expr"] = divide_safely(parameters["expr"])
    return PydanticSemanticManifestTransformer.transform(PydanticSemanticManifest.parse_obj(data))


def _compile(definitions: Definitions, layer_hash: str) -> Compiled:
    module = metricflow()
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    from potager.insight.metrics.semantics.exact_time import exact_time_parser

    try:
        semantic_manifest = transform(definitions)
        simple = _simple_metrics(semantic_manifest)
        simple |= _add_row_inputs(semantic_manifest, simple)
        lookup = SemanticManifestLookup(semantic_manifest)
        client = type("Client", (), {})()
        client.sql_engine_type = SqlEngine.DUCKDB
        client.sql_plan_renderer = DuckDbSqlPlanRenderer()
        parser = exact_time_parser(lookup)
        engine = module.MetricFlowEngine(lookup, client, query_parser=parser)
    except Exception as error:
        refuse([finding_from_exception(error, definitions)])
        raise
    return Compiled(layer_hash, definitions, semantic_manifest, engine, parser, simple)


def finding_from_exception(error: Exception, definitions: Definitions) -> Finding:
    """Return a finding for what MetricFlow raised, at the first element whose name its message mentions."""
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    everything = [*definitions.metrics, *definitions.models]
    mentioned = next((one for one in everything if one.name and f"{one.name}" in message), None)
    source, line = ("the definitions", 1)
    if mentioned is not None:
        source, line = mentioned.document.source, mentioned.line()
    elif everything:
        source, line = everything[0].document.source, everything[0].line()
    return Finding(
        source, line, "error", f"MetricFlow cannot build this: {message}", "Compare it with a simpler one."
    )


def _simple_metrics(semantic_manifest: Any) -> dict[str, SimpleMetric]:
    defaults = {
        model.name: model.defaults.agg_time_dimension if model.defaults is not None else None
        for model in semantic_manifest.semantic_models
    }
    inputs: dict[tuple[str, str, str], str] = {}
    found = {}
    for metric in semantic_manifest.metrics:
        parameters = metric.type_params
        if metric.type.value != "simple" or parameters.metric_aggregation_params is None:
            continue
        aggregated = parameters.metric_aggregation_params
        time_dimension = aggregated.agg_time_dimension or defaults[aggregated.semantic_model] or ""
        expression = parameters.expr or metric.name
        key = (aggregated.semantic_model, time_dimension, expression)
        row_input = inputs.setdefault(key, f"{INPUT_PREFIX}{len(inputs)}")
        templates = metric.filter.where_filters if metric.filter is not None else []
        found[metric.name] = SimpleMetric(
            name=metric.name,
            model=aggregated.semantic_model,
            aggregation=aggregated.agg.value,
            expression=expression,
            time_dimension=time_dimension,
            filters=tuple(template.where_sql_template for template in templates),
            row_input=row_input,
            semi_additive=aggregated.non_additive_dimension is not None,
            fills_gaps=bool(parameters.join_to_timespine) or parameters.fill_nulls_with is not None,
        )
    return found


def _add_row_inputs(semantic_manifest: Any, simple: Mapping[str, SimpleMetric]) -> dict[str, SimpleMetric]:
    """Add one hidden, unfiltered metric per distinct row expression, and return them.

    MetricFlow writes the SQL that brings an expression and its dimensions together (joins, grains, entity paths);
    asked for these metrics, it does so for rows that Potager then aggregates in shapes MetricFlow does not know.
    """
    from metricflow_semantic_interfaces.implementations.metric import PydanticMetric

    added: dict[str, SimpleMetric] = {}
    for metric in simple.values():
        if metric.row_input in added:
            continue
        added[metric.row_input] = replace(metric, name=metric.row_input, aggregation="max", filters=())
        semantic_manifest.metrics.append(
            PydanticMetric.parse_obj(
                {
                    "name": metric.row_input,
                    "type": "simple",
                    "type_params": {
                        "expr": metric.expression,
                        "is_private": True,
                        "metric_aggregation_params": {
                            "semantic_model": metric.model,
                            "agg": "max",
                            "agg_time_dimension": metric.time_dimension,
                        },
                    },
                }
            )
        )
    return added


def definition_hash(compiled: Compiled, names: Sequence[str]) -> str:
    """Return a hash of everything the values of the metrics depend on: inputs, measures, filters, tables.

    Labels, descriptions and other metrics do not change it.
    """
    parts: dict[str, Any] = {}
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name in parts:
            continue
        metric = compiled.all_metrics[name]
        data = json.loads(metric.json(exclude={"metadata", "description", "label", "config"}, sort_keys=True))
        parts[name] = data
        ahead.extend(inputs_of(metric))
        simple = compiled.simple.get(name)
        if simple is not None:
            parts[f"{name}:model"] = _model_facts(compiled, simple)
    return sha256(json.dumps([sorted(names), parts], sort_keys=True).encode()).hexdigest()


def _model_facts(compiled: Compiled, simple: SimpleMetric) -> list[Any]:
    model = compiled.models[simple.model]
    text = " ".join(simple.filters)
    elements = {
        dimension.name: dimension.expr or dimension.name
        for dimension in model.dimensions
        if dimension.name == simple.time_dimension
        or f"__{dimension.name}'" in text
        or f'__{dimension.name}"' in text
    }
    return [
        compiled.relation(simple.model),
        simple.time_dimension,
        simple.expression,
        simple.aggregation,
        elements,
    ]


def inputs_of(metric: Any) -> list[str]:
    """Return the names of the metrics that MetricFlow computes this one from."""
    parameters = metric.type_params
    inputs = [part.name for part in (parameters.numerator, parameters.denominator) if part is not None]
    inputs += [part.name for part in parameters.metrics or []]
    cumulative = parameters.cumulative_type_params
    if metric.type.value == "cumulative" and cumulative is not None and cumulative.metric is not None:
        inputs.append(cumulative.metric.name)
    conversion = parameters.conversion_type_params
    if conversion is not None:
        inputs += [
            part.name for part in (conversion.base_metric, conversion.conversion_metric) if part is not None
        ]
    return inputs


def filters_on(value: Any) -> tuple[str, ...]:
    """Return the filter templates of a MetricFlow filter intersection, or none."""
    return tuple(filters_of(json.loads(value.json()))) if value is not None else ()
