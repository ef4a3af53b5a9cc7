"""Every check of a set of definitions, in the order in which people would mend them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from potager.insight.metrics.semantics.check_metrics import check_metrics
from potager.insight.metrics.semantics.check_models import check_models
from potager.insight.metrics.semantics.documents import Document
from potager.insight.metrics.semantics.findings import Finding, errors
from potager.insight.metrics.semantics.normalize import Definitions, Located, collect
from potager.insight.metrics.semantics.schema import check_schema
from potager.insight.metrics.semantics.words import RESERVED, SQL_WORDS

if TYPE_CHECKING:
    from potager.ground.lake.warehouse import TableInfo

# Sections of a dbt project that are expected beside definitions and say nothing about metrics.
_DBT_SECTIONS = frozenset(
    {
        "version",
        "models",
        "sources",
        "seeds",
        "snapshots",
        "exposures",
        "groups",
        "macros",
        "analyses",
        "unit_tests",
    }
    | {"project_configuration", "data_tests", "functions"}
)


def validate(
    documents: Sequence[Document], warehouse_tables: Mapping[str, TableInfo], *, namespace: str = "main"
) -> list[Finding]:
    """Return everything wrong or doubtful in ``documents``, ordered by document and line.

    ``warehouse_tables`` is what ``Warehouse.tables()`` returns: columns and types are checked against it. Structure
    comes first; MetricFlow's own rules run when ours find no error, since theirs presuppose what ours establish.
    Never raises for a bad definition.
    """
    definitions = collect(documents, namespace=namespace, tables=warehouse_tables)
    findings = [*_passed_over(documents), *_names(definitions), *check_schema(definitions)]
    if not definitions.models and not definitions.metrics:
        source = documents[0].source if documents else "the definitions"
        message, mend = "There is no semantic model and no metric.", "Add `semantic_models:` and `metrics:`."
        findings.append(Finding(source, 1, "error", message, mend))
    if not errors(findings):
        findings += check_models(definitions, warehouse_tables)
        findings += check_metrics(definitions)
    if not errors(findings):
        from potager.insight.metrics.semantics.check_metricflow import check_with_metricflow

        findings += check_with_metricflow(definitions)
    return sorted(set(findings))


def _passed_over(documents: Sequence[Document]) -> Iterator[Finding]:
    for document in documents:
        for key, line in document.passed_over.items():
            if key not in _DBT_SECTIONS:
                yield Finding(
                    document.source,
                    line,
                    "warning",
                    f"The section `{key}` is not read.",
                    "Definitions stand under `semantic_models:` and `metrics:`.",
                )


def _names(definitions: Definitions) -> Iterator[Finding]:
    for metric in definitions.metrics:
        yield from _sql_word(metric, "metric")
    yield from _unique(definitions.models, "semantic model")
    yield from _unique(definitions.metrics, "metric")
    measures = [measure for model in definitions.models for measure in model.parts("measures")]
    yield from _unique(measures, "measure")
    for model in definitions.models:
        elements = [element for key in ("entities", "dimensions") for element in model.parts(key)]
        yield from _unique(elements, f"element of `{model.name}`")
        for element in elements:
            yield from _reserved(element, "name")
            yield from _sql_word(element, "element")
    for metric in definitions.metrics:
        yield from _reserved(metric, "metric")


def _unique(elements: Sequence[Located], kind: str) -> Iterator[Finding]:
    named: dict[str, list[Located]] = defaultdict(list)
    for element in elements:
        if element.name:
            named[element.name].append(element)
    for name, same in named.items():
        for again in same[1:]:
            first = same[0]
            message = (
                f"There are two definitions of the {kind} `{name}`; the first is in {first.document.source}"
            )
            yield again.finding("error", f"{message} line {first.line()}.", "Rename or remove one.", "name")


def _sql_word(element: Located, kind: str) -> Iterator[Finding]:
    if element.name in SQL_WORDS:
        mend = f"Choose another, such as `{element.name}_{'value' if kind == 'metric' else 'key'}`."
        yield element.finding(
            "error", f"The {kind} `{element.name}` is named by a word of SQL.", mend, "name"
        )


def _reserved(element: Located, kind: str) -> Iterator[Finding]:
    if element.name in RESERVED or element.name.startswith("potager_"):
        mend = f"Choose another, such as `{element.name.removeprefix('potager_')}_value`."
        yield element.finding(
            "error", f"The {kind} `{element.name}` has a name that is reserved.", mend, "name"
        )
