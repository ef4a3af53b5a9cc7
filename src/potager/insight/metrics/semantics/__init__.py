"""The semantic layer: definitions in the dbt semantic-layer YAML, answered over the lake.

Words: a *document* is one source of definitions; a *finding* is what a check says about one of its lines; a *layer* is
definitions over a warehouse, which answers *queries* for metrics, takes metrics apart into *sums*, and says how
*complete* their data is. MetricFlow compiles; what it computes slowly or not at all is Potager's own SQL. Who owns a
metric, its targets and its versions are left to ``metrics``. Importing this package loads no MetricFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from potager.insight.metrics.semantics.checks import validate
    from potager.insight.metrics.semantics.completeness import Completeness, TableCompleteness
    from potager.insight.metrics.semantics.describe import Lineage, Node
    from potager.insight.metrics.semantics.documents import Document, content_hash, parse, read_documents
    from potager.insight.metrics.semantics.export import to_yaml
    from potager.insight.metrics.semantics.findings import Finding
    from potager.insight.metrics.semantics.layer import SemanticLayer
    from potager.insight.metrics.semantics.profiling import ColumnProfile, TableProfile, profile
    from potager.insight.metrics.semantics.proposing import Proposal, propose
    from potager.insight.metrics.semantics.shapes import (
        Condition,
        DimensionInfo,
        MetricInfo,
        MetricQuery,
        MetricResult,
        Window,
    )
    from potager.insight.metrics.semantics.sums import Parts, Sums, UnitSums

# Loaded when first asked for: Arrow and sqlglot take longer to import than a command line may take to answer.
_MODULES = {
    "ColumnProfile": "profiling",
    "Completeness": "completeness",
    "Condition": "shapes",
    "DimensionInfo": "shapes",
    "Document": "documents",
    "Finding": "findings",
    "Lineage": "describe",
    "MetricInfo": "shapes",
    "MetricQuery": "shapes",
    "MetricResult": "shapes",
    "Node": "describe",
    "Parts": "sums",
    "Proposal": "proposing",
    "SemanticLayer": "layer",
    "Sums": "sums",
    "TableCompleteness": "completeness",
    "TableProfile": "profiling",
    "UnitSums": "sums",
    "Window": "shapes",
    "content_hash": "documents",
    "parse": "documents",
    "profile": "profiling",
    "propose": "proposing",
    "read_documents": "documents",
    "to_yaml": "export",
    "validate": "checks",
}

__all__ = [
    "ColumnProfile",
    "Completeness",
    "Condition",
    "DimensionInfo",
    "Document",
    "Finding",
    "Lineage",
    "MetricInfo",
    "MetricQuery",
    "MetricResult",
    "Node",
    "Parts",
    "Proposal",
    "SemanticLayer",
    "Sums",
    "TableCompleteness",
    "TableProfile",
    "UnitSums",
    "Window",
    "content_hash",
    "parse",
    "profile",
    "propose",
    "read_documents",
    "to_yaml",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
