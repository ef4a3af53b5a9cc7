"""Definitions against MetricFlow's own JSON schemas: unknown keys, wrong types, missing names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from potager.insight.metrics.semantics.findings import Finding, choose_from
from potager.insight.metrics.semantics.normalize import Definitions, Located, manifest

_KINDS = {
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
}


def check_schema(definitions: Definitions) -> Iterator[Finding]:
    """Yield a finding for every element that MetricFlow's schemas do not accept."""
    from metricflow_semantic_interfaces.parsing.schemas import metric_validator, semantic_model_validator

    compiled = manifest(definitions)
    kinds = (
        (definitions.models, compiled["semantic_models"], semantic_model_validator, "semantic model"),
        (definitions.metrics, compiled["metrics"], metric_validator, "metric"),
    )
    for located, elements, validator, kind in kinds:
        for element, data in zip(located, elements, strict=True):
            if not element.name:
                yield element.finding("error", f"A {kind} has no name.", "Give it `name:` in lower case.")
                continue
            for problem in validator.iter_errors(_without_metadata(data)):
                yield _explain(element, kind, problem)
    for model in definitions.models:
        if not definitions.relation(model):
            message = f"The semantic model `{model.name}` names no table."
            yield model.finding("error", message, "Add `model: ref('your_table')`.")


def _without_metadata(value: Any) -> Any:
    """Return the data as people write it: MetricFlow's schemas know neither lines nor filters in compiled shape."""
    if isinstance(value, list):
        return [_without_metadata(part) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"where_filters"}:
        return [part.get("where_sql_template") for part in value["where_filters"]]
    kept = {
        key: part
        for key, part in value.items()
        if key not in {"metadata", "input_measures"} and part is not None
    }
    return {key: _without_metadata(part) for key, part in kept.items() if not _compiled_window(key, part)}


def _compiled_window(key: str, value: Any) -> bool:
    """Say whether this is a window that dbt has already taken apart into count and granularity."""
    return (
        key in {"window", "offset_window"}
        and isinstance(value, dict)
        and set(value) == {"count", "granularity"}
    )


def _explain(element: Located, kind: str, problem: Any) -> Finding:
    deepest = problem
    while deepest.context:
        deepest = max(deepest.context, key=lambda inner: len(inner.absolute_path))
    path = tuple(deepest.absolute_path)
    where = ".".join(str(part) for part in path if not isinstance(part, int)) or kind
    named = f"In the {kind} `{element.name}`, `{where}`"
    rule, wanted, found = deepest.validator, deepest.validator_value, deepest.instance
    if rule == "additionalProperties":
        known = sorted(deepest.schema.get("properties", {}))
        unknown = [key for key in found if key not in known]
        message = f"In the {kind} `{element.name}`, there is no `{unknown[0]}`."
        return element.finding(
            "error", message, choose_from(str(unknown[0]), known, kind="key"), *path, unknown[0]
        )
    if rule == "required":
        missing = [key for key in wanted if key not in found]
        return element.finding("error", f"{named} lacks `{missing[0]}`.", f"Add `{missing[0]}:`.", *path)
    if rule == "type":
        kinds = [
            _KINDS.get(str(name), str(name)) for name in (wanted if isinstance(wanted, list) else [wanted])
        ]
        message = f"{named} is `{found}`, where {' or '.join(kinds)} is wanted."
        return element.finding("error", message, "Put it in quotes if it is text.", *path)
    if rule == "enum":
        known = sorted({str(name).lower() for name in wanted})
        mend = choose_from(str(found), known, kind="value")
        return element.finding("error", f"{named} is `{found}`, which is not known.", mend, *path)
    if rule == "pattern":
        mend = "Use lower-case letters, digits and single underscores, beginning with a letter."
        return element.finding("error", f"{named} is `{found}`, which is no valid name.", mend, *path)
    if rule == "anyOf":
        return element.finding("error", f"{named} lacks `type_params`.", "Add `type_params:`.", *path)
    return element.finding(
        "error", f"{named}: {deepest.message}.", "See the dbt semantic-layer reference.", *path
    )
