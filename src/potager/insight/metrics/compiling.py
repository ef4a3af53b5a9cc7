"""The present definitions, compiled: one semantic layer per namespace of the lake, kept while nothing changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from potager.ground.access.actors import Actor, require
from potager.ground.lake.service import warehouse
from potager.insight.metrics.models import Metric, Source
from potager.insight.metrics.semantics import Document, Finding, SemanticLayer, parse, validate
from potager.kit.errors import NotFound

_lock = threading.Lock()


@lru_cache(maxsize=256)
def document(text: str, name: str) -> Document:
    """Return a source's text as a document; the same text is read once."""
    return parse(text, name)


@lru_cache(maxsize=32)
def _layer(namespace: str, sources: tuple[tuple[str, str], ...], tables: tuple[str, ...]) -> SemanticLayer:
    return SemanticLayer([document(text, name) for name, text in sources], warehouse(), namespace=namespace)


def layer(namespace: str) -> SemanticLayer:
    """Return the compiled definitions over one namespace."""
    found = (
        Source.objects.filter(namespace=namespace, archived_at=None)
        .order_by("name")
        .values_list("name", "text")
    )
    sources = tuple(found)
    if not sources:
        raise NotFound(
            f"Nothing is defined over {namespace}.", mend="Import definitions, or run 'potager metrics new'."
        )
    tables = tuple(sorted(name for name in warehouse().tables() if name.startswith(f"{namespace}.")))
    with _lock:  # compiling takes a moment; two requests must not both do it
        return _layer(namespace, sources, tables)


def layer_of(metric: Metric) -> SemanticLayer:
    """Return the layer that a metric is compiled by."""
    if metric.source is None or metric.source.archived_at is not None:
        raise NotFound(
            f"The definition of {metric.label} was taken away.", mend="Publish a source that defines it."
        )
    return layer(metric.source.namespace)


def check(namespace: str, texts: Mapping[str, str], *, without: str = "") -> list[Finding]:
    """Return everything wrong or doubtful in texts by name, together with the other sources of their namespace."""
    others = Source.objects.filter(namespace=namespace, archived_at=None).exclude(name__in=[*texts, without])
    documents: Sequence[Document] = [
        *(document(other.text, other.name) for other in others.order_by("name")),
        *(document(text, name) for name, text in texts.items()),
    ]
    return list(validate(documents, warehouse().tables(), namespace=namespace))


def proposal(actor: Actor, table: str) -> dict[str, Any]:
    """Return definitions for a table as a person would have begun them, and what to look at in them."""
    from potager.insight.metrics.semantics import profile, propose

    require(actor, "metrics.edit")
    if table not in warehouse().tables():
        raise NotFound(f"There is no table {table}.", mend="Import a file into it first.")
    namespace, _, name = table.partition(".")
    found = propose(table, warehouse().tables()[table].schema, profile(warehouse(), table))
    return {
        "name": f"{name}.yml",
        "namespace": namespace,
        "text": found.yaml_text,
        "notes": list(found.notes),
    }
