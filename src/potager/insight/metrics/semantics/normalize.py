"""Definitions brought into the one shape MetricFlow reads, each element knowing its document and line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from potager.insight.metrics.semantics.documents import Document
from potager.insight.metrics.semantics.findings import Finding, Level
from potager.insight.metrics.semantics.yaml_tree import Path

SPINE_NAMESPACE = "potager"
SPINE_TABLE = "time_spine_day"
SPINE_COLUMN = "ds"

_REF = re.compile(r"\bref\s*\((?P<arguments>[^)]*)\)")
_SOURCE = re.compile(r"\bsource\s*\((?P<arguments>[^)]*)\)")
_QUOTED = re.compile(r"""['"]([^'"]+)['"]""")
# What dbt writes beside a definition that MetricFlow neither reads nor accepts.
_DBT_ONLY = frozenset(
    {"meta", "enabled", "group", "tags", "docs", "access", "unique_id", "fqn", "original_file_path"}
)


@dataclass(frozen=True, slots=True)
class Located:
    """One element of a document: a semantic model, a measure, a metric … and where it stands."""

    data: dict[str, Any]
    document: Document
    path: Path

    @property
    def name(self) -> str:
        """Return the element's name, lower-case as MetricFlow keeps it; empty where it has none."""
        name = self.data.get("name")
        return name.lower() if isinstance(name, str) else ""

    @property
    def expression(self) -> str:
        """Return the SQL that the element is over its table: its ``expr``, else the column of its name."""
        written = self.data.get("expr")
        return self.name if written is None else str(written)

    def line(self, *below: str | int) -> int:
        """Return the line of the element, or of what is ``below`` it."""
        return self.document.line((*self.path, *below))

    def finding(self, level: Level, message: str, mend: str, *below: str | int) -> Finding:
        """Return a finding at the element, or at what is ``below`` it."""
        return Finding(self.document.source, self.line(*below), level, message, mend)

    def parts(self, key: str) -> Iterator[Located]:
        """Yield the elements of the list ``key`` of this element that are mappings."""
        parts = self.data.get(key)
        for position, part in enumerate(parts if isinstance(parts, list) else []):
            if isinstance(part, dict):
                yield Located(part, self.document, (*self.path, key, position))


@dataclass(frozen=True)
class Definitions:
    """All definitions of a set of documents, found by kind."""

    models: Sequence[Located]
    metrics: Sequence[Located]
    saved_queries: Sequence[Located]
    relations: Mapping[int, str] = field(repr=False)

    def relation(self, model: Located) -> str:
        """Return the table a semantic model reads, as ``namespace.table``; empty where it names none."""
        return self.relations.get(id(model.data), "")


def collect(documents: Sequence[Document], *, namespace: str, tables: Collection[str] = ()) -> Definitions:
    """Return the definitions of ``documents``, each semantic model's table resolved among ``tables``."""

    def located(section: str) -> list[Located]:
        return [
            Located(element, document, (section, position))
            for document in documents
            for position, element in enumerate(document.data[section])
        ]

    models = located("semantic_models")
    relations = {id(model.data): resolve_relation(model.data, namespace, tables) for model in models}
    return Definitions(models, located("metrics"), located("saved_queries"), relations)


def resolve_relation(model: Mapping[str, Any], namespace: str, tables: Collection[str] = ()) -> str:
    """Return the lake table of a semantic model.

    ``model: ref('orders')``, ``model: source('shop', 'orders')``, a plain name and a dbt ``node_relation`` are read.
    The table as named is taken when the lake has it, then the one of that name in ``namespace``, then the only one
    of that name anywhere; otherwise the name in ``namespace``, for the check to say that it does not exist.
    """
    named, table = _named_relation(model)
    if not table:
        return ""
    in_namespace = f"{namespace}.{table}"
    for candidate in (named, in_namespace):
        if candidate in tables:
            return candidate
    same_name = [known for known in tables if known.rpartition(".")[2] == table]
    if len(same_name) == 1:
        return same_name[0]
    return named if "." in named and not tables else in_namespace


def _named_relation(model: Mapping[str, Any]) -> tuple[str, str]:
    node = model.get("node_relation")
    if isinstance(node, dict):
        alias = str(node.get("alias") or "")
        schema = str(node.get("schema_name") or "")
        return (f"{schema}.{alias}" if schema else alias), alias
    written = model.get("model")
    if not isinstance(written, str):
        return "", ""
    for pattern in (_REF, _SOURCE):
        called = pattern.search(written)
        if called:
            names = _QUOTED.findall(called["arguments"])
            # ref('package', 'model') names a package first, source('schema', 'table') a schema.
            named = ".".join(names[-2:]) if pattern is _SOURCE else "".join(names[-1:])
            return named, named.rpartition(".")[2]
    name = written.strip().strip("\"'")
    return name, name.rpartition(".")[2]


def manifest(definitions: Definitions) -> dict[str, Any]:
    """Return the plain data of a MetricFlow semantic manifest, every element carrying its line."""
    return {
        "semantic_models": [_model(model, definitions.relation(model)) for model in definitions.models],
        "metrics": [_metric(metric) for metric in definitions.metrics],
        "saved_queries": [],
        "project_configuration": {
            "time_spines": [
                {
                    "node_relation": {
                        "alias": SPINE_TABLE,
                        "schema_name": SPINE_NAMESPACE,
                        "relation_name": f"{SPINE_NAMESPACE}.{SPINE_TABLE}",
                    },
                    "primary_column": {"name": SPINE_COLUMN, "time_granularity": "day"},
                }
            ]
        },
    }


def _metadata(located: Located) -> dict[str, Any]:
    return {
        "repo_file_path": located.document.source,
        "file_slice": {
            "filename": located.document.source,
            "content": "",
            "start_line_number": located.line(),
            "end_line_number": located.line(),
        },
    }


def element(located: Located) -> dict[str, Any]:
    """Return an element's data with what only dbt reads taken out and ``meta`` where MetricFlow looks for it."""
    data = {key: deepcopy(value) for key, value in located.data.items() if key not in _DBT_ONLY}
    meta = meta_of(located.data)
    data.pop("config", None)
    if meta:
        data["config"] = {"meta": meta}
    if located.name:
        data["name"] = located.name
    return data


def meta_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an element's ``meta``, written directly or under ``config``."""
    config = data.get("config")
    inner = config.get("meta") if isinstance(config, dict) else None
    merged: dict[str, Any] = {}
    for part in (data.get("meta"), inner):
        if isinstance(part, dict):
            merged |= {str(key): value for key, value in part.items()}
    return merged


def _model(model: Located, relation: str) -> dict[str, Any]:
    data = element(model)
    data.pop("model", None)
    schema, _, alias = relation.rpartition(".")
    data["node_relation"] = {"alias": alias, "schema_name": schema, "relation_name": relation}
    for key in ("entities", "dimensions", "measures"):
        data[key] = [element(part) | {"metadata": _metadata(part)} for part in model.parts(key)]
    for measure in data["measures"]:
        if isinstance(measure.get("expr"), int | float | bool):
            measure["expr"] = str(measure["expr"])
    for dimension in data["dimensions"]:
        if str(dimension.get("type", "")).lower() == "time" and not dimension.get("type_params"):
            dimension["type_params"] = {"time_granularity": "day"}
    data["metadata"] = _metadata(model)
    return data


def _metric(metric: Located) -> dict[str, Any]:
    data = element(metric)
    parameters = data.get("type_params")
    if isinstance(parameters, dict):
        for key in ("numerator", "denominator"):
            if isinstance(parameters.get(key), str):
                parameters[key] = {"name": parameters[key]}
        inputs = parameters.get("metrics")
        if isinstance(inputs, list):
            parameters["metrics"] = [{"name": part} if isinstance(part, str) else part for part in inputs]
    data["metadata"] = _metadata(metric)
    return data
