"""MetricFlow's own validation rules, their findings said in ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from potager.insight.metrics.semantics.compiled import finding_from_exception, metricflow, transform
from potager.insight.metrics.semantics.findings import Finding, Level
from potager.insight.metrics.semantics.normalize import Definitions, Located

# What to do about what each rule finds. A rule that is not here gets the general advice.
_MENDS = {
    "PercentileAggregationRule": "Give `agg_params: {percentile: 0.95}` with a number between 0 and 1.",
    "CountAggregationExprRule": "Give `expr`, such as `expr: '1'` to count rows.",
    "CumulativeMetricRule": "Give either `window` or `grain_to_date` under `cumulative_type_params:`, not both.",
    "ConversionMetricRule": "Give both measures, one entity of their models, and a window.",
    "NaturalEntityConfigurationRule": "Use `type: natural` only with validity windows.",
    "SemanticModelValidityWindowRule": "Mark one dimension `is_start` and one `is_end` under `validity_params:`.",
    "DimensionConsistencyRule": "Give the dimension the same type wherever it is defined.",
    "ElementConsistencyRule": "Use a name for one kind of thing only.",
    "UniqueAndValidNameRule": "Use lower-case letters, digits and single underscores; choose another name.",
    "ReservedKeywordsRule": "Choose another name, or give it an `expr`.",
    "MeasuresNonAdditiveDimensionRule": "Point `non_additive_dimension` at a time dimension of the same model.",
    "NonEmptyRule": "Add a semantic model with a measure, and a metric over it.",
    "MetricLabelsRule": "Give each metric its own label.",
    "SemanticModelLabelsRule": "Give each element of the model its own label.",
    "EntityLabelsRule": "Use one label for an entity everywhere.",
    "PrimaryEntityDimensionPairs": "Rename the dimension, or the primary entity, in one of the models.",
    "WhereFiltersAreParseable": "Write filters as `{{ Dimension('entity__dimension') }} = 'value'`.",
}
_GENERAL_MEND = "Compare it with the dbt semantic-layer reference."
# MetricFlow's transformation adds the metric beside the measure and then its rule complains of both.
_OUR_DOING = re.compile(r"should not have both a measure and a metric as inputs")
_SAID_TWICE = re.compile(r"\. Issue occurred in method .*$", re.DOTALL)


def check_with_metricflow(definitions: Definitions) -> Iterator[Finding]:
    """Yield what MetricFlow's rules find; the definitions have passed our own checks."""
    metricflow()
    from metricflow_semantic_interfaces.validations.semantic_manifest_validator import (
        SemanticManifestValidator,
    )

    try:
        semantic_manifest = transform(definitions)
    except (
        Exception
    ) as error:  # whatever MetricFlow trips over is a finding about the definition, not a fault
        yield finding_from_exception(error, definitions)
        return
    for rule in SemanticManifestValidator.DEFAULT_RULES:
        name = (
            type(rule).__name__
            if not hasattr(rule, "__orig_class__")
            else rule.__orig_class__.__origin__.__name__
        )
        try:
            issues = list(rule.validate_manifest(semantic_manifest))
        except Exception as error:  # a rule that falls over has met a definition it did not foresee
            yield finding_from_exception(error, definitions)
            continue
        for issue in issues:
            if not _OUR_DOING.search(str(issue.message)):
                yield _finding(issue, name, definitions)


def _finding(issue: Any, rule: str, definitions: Definitions) -> Finding:
    level: Level = "error" if issue.level.name == "ERROR" else "warning"
    context = getattr(issue.context, "file_context", issue.context)
    source, line = getattr(context, "file_name", None), getattr(context, "line_number", None)
    part: Any = getattr(issue.context, "semantic_model_element", None)
    for model in definitions.models if part is not None else ():
        for key in ("entities", "dimensions", "measures") if model.name == part.semantic_model_name else ():
            line = next((one.line() for one in model.parts(key) if one.name == part.element_name), line)
    if not source or not line:
        mentioned = _mentioned(issue.message, definitions)
        source, line = mentioned.document.source, mentioned.line()
    message = _SAID_TWICE.sub("", str(issue.message)).strip()
    message = message if message.endswith((".", "!", "?")) else f"{message}."
    return Finding(str(source), int(line), level, message, _MENDS.get(rule, _GENERAL_MEND))


def _mentioned(message: str, definitions: Definitions) -> Located:
    """Return the element that a message without a place speaks of, else the first there is."""
    everything = [*definitions.metrics, *definitions.models]
    words = set(re.findall(r"\w+", message))
    return next((one for one in everything if one.name in words), everything[0])
