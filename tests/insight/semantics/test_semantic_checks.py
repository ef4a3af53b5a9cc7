"""Every mistake in a definition has a finding that names its line, its cause and its mend."""

from __future__ import annotations

import pytest

from potager.insight.metrics.semantics import SemanticLayer, parse, validate
from potager.kit.errors import Invalid
from tests.insight.semantics.lake_in_memory import SHOP, shop_warehouse

TABLES = shop_warehouse().tables()


def findings(text: str, namespace: str = "shop"):
    return validate([parse(text, "shop.yml")], TABLES, namespace=namespace)


def test_a_sound_document_has_no_findings():
    assert findings(SHOP) == []


# what is written, what it is changed to, the level, what the message says, what the mend says
MISTAKES = [
    ("expr: quantity * price", "expr: quantty * price", "error", "`quantty`", "Did you mean quantity?"),
    ("expr: quantity * price", "expr: quantity *", "error", "cannot be read", "one SQL expression"),
    (
        "expr: quantity * price",
        "expr: (SELECT 1 FROM other)",
        "error",
        "its own table only",
        "one SQL expression",
    ),
    (
        "expr: quantity * price",
        "expr: 'quantity; DROP TABLE x'",
        "error",
        "more than one statement",
        "one SQL",
    ),
    ("expr: quantity * price", "expr: 'quantity -- price'", "error", "comment", "one SQL expression"),
    (
        "expr: quantity * price",
        "expr: sum(quantity)",
        "error",
        "aggregates inside",
        "`agg:` does the aggregating",
    ),
    ("expr: quantity * price", "expr: quantity / price", "warning", "may be zero", "NULLIF(price, 0)"),
    ("expr: quantity * price", "expr: country", "error", "which is text", "count_distinct"),
    ("expr: quantity * price", "expr: sold_on", "error", "a date or time", "Aggregate a number"),
    (
        "type_params: {measure: buyers}",
        "type_params: {measure: buyer}",
        "error",
        "measure `buyer`",
        "Did you mean buyers?",
    ),
    ("numerator: revenue,", "numerator: revenu,", "error", "metric `revenu`", "Did you mean revenue?"),
    (
        "metrics: [revenue, returned]",
        "metrics: [revenue, mean_prce]",
        "error",
        "`mean_prce`",
        "Did you mean mean_price?",
    ),
    ("expr: revenue - returned", "expr: revenue - retuned", "error", "none of its input metrics", "returned"),
    ("expr: revenue - returned", "expr: revenue -", "error", "cannot be read", "one expression"),
    ("expr: revenue - returned", "expr: sum(revenue) - returned", "error", "aggregates", "arithmetic"),
    ("expr: revenue - returned", "expr: revenue * 2", "warning", "does not use", "Remove the input"),
    ("expr: revenue - returned", "expr: revenue / returned", "warning", "may be zero", "type: ratio"),
    (
        "metrics: [revenue, returned]",
        "metrics: [revenue, returned, return_rate]",
        "error",
        "made of each other",
        "Take one",
    ),
    ("name: mean_price\n    label", "name: top_price\n    label", "error", "two definitions", "Rename"),
    (
        "name: mean_price\n    label",
        "name: metric_time\n    label",
        "error",
        "reserved",
        "Choose another",
    ),
    ("name: mean_price\n    label", "name: select\n    label", "error", "word of SQL", "Choose another"),
    ("- name: country", "- name: order", "error", "word of SQL", "order_key"),
    (
        "agg_time_dimension: sold_on",
        "agg_time_dimension: sold",
        "error",
        "not a time dimension",
        "Did you mean sold_on?",
    ),
    (
        "    defaults:\n      agg_time_dimension: sold_on\n",
        "",
        "error",
        "no time dimension",
        "agg_time_dimension: sold_on",
    ),
    ("    primary_entity: line\n", "", "error", "what one row is", "primary_entity: line"),
    ("model: ref('lines')", "model: ref('line')", "error", "does not have", "Did you mean shop.lines"),
    ("    model: ref('lines')\n", "", "error", "names no table", "ref('your_table')"),
    ("type: foreign", "type: foriegn", "error", "not known", "Did you mean foreign?"),
    ("agg: count_distinct", "agg: distinct_count", "error", "not known", "count"),
    ("agg: average", "agg: 12", "error", "`12`", "average"),
    ("agg: average", "agg: percentile", "error", "percentile", "0.95"),
    ("agg: average", "aggregation: average", "error", "no `aggregation`", "agg"),
    ("window: 28 days", "window: 28", "error", "where text is wanted", "quotes"),
    ("window: 28 days", "window: 28 dayz", "error", "dayz", "window"),
    ("grain_to_date: month", "grain_to_date: mnth", "error", "mnth", "grain_to_date"),
    (
        "Dimension('line__is_return')",
        "Dimension('line__is_retrn')",
        "error",
        "is no dimension",
        "line__is_return",
    ),
    ("{{ Dimension('line__is_return') }}", "is_return", "error", "refers to no dimension", "{{ Dimension("),
    (
        "{{ Dimension('line__is_return') }}",
        "{{ Dimension('line__is_return' }}",
        "error",
        "cannot be read",
        "Write it as",
    ),
    (
        "{{ Dimension('line__is_return') }}",
        "{{ Dimension('line__is_return') }} = (SELECT 1)",
        "error",
        "its own table",
        "Write",
    ),
    (
        "{{ Dimension('line__is_return') }}",
        "{{ Metric('revenu', group_by=['line__buyer']) }} > 1",
        "error",
        "`revenu`",
        "revenue",
    ),
    ("type_params: {measure: mean_price}", "type_params: {}", "error", "lacks `measure`", "Add `measure:`"),
    (
        "type_params: {numerator: revenue, denominator: buyers}",
        "type_params: {numerator: revenue}",
        "error",
        "denominator",
        "Add",
    ),
    ("label: Lines", "label: Revenue", "error", "label", "label"),
    ("  - name: line_count\n    label: Lines", "  - label: Lines", "error", "no name", "Give it `name:`"),
]


@pytest.mark.parametrize(("written", "changed", "level", "says", "mends"), MISTAKES)
def test_a_mistake_has_a_finding_with_line_cause_and_mend(written, changed, level, says, mends):
    assert written in SHOP
    text = SHOP.replace(written, changed, 1)

    found = findings(text)

    matching = [one for one in found if one.level == level and says in one.message and mends in one.mend]
    assert matching, found
    assert 1 <= matching[0].line <= len(text.splitlines())
    assert matching[0].source == "shop.yml"


def test_a_finding_stands_at_the_line_of_its_cause():
    text = SHOP.replace("expr: quantity * price", "expr: quantty * price")
    line = next(number for number, content in enumerate(text.splitlines(), 1) if "quantty" in content)

    assert [one.where for one in findings(text)] == [f"shop.yml line {line}"]


def test_a_time_dimension_over_text_says_how_to_cast():
    text = SHOP.replace(
        "- name: sold_on\n        type: time", "- name: sold_on\n        expr: country\n        type: time"
    )

    assert [one.mend for one in findings(text)] == ["Write `expr: CAST(country AS TIMESTAMP)`."]


def test_two_primary_entities_are_refused():
    text = SHOP.replace(
        "      - name: buyer\n        type: primary",
        "      - name: other\n        type: primary\n      - name: buyer\n        type: primary",
    )

    assert any("second primary" in one.message for one in findings(text))


def test_a_ring_of_any_length_is_found_once_and_at_once():
    ring = "".join(
        f"  - {{name: m{n}, type: derived, type_params: {{expr: m{(n + 1) % 400}, metrics: [m{(n + 1) % 400}]}}}}\n"
        for n in range(400)
    )
    found = [one for one in findings(SHOP + ring) if "each other" in one.message]

    assert len(found) == 1


def test_a_lattice_of_metrics_is_not_walked_twice():
    def level(number: int) -> str:
        below = [f"m{number - 1}"] * 2 if number else ["revenue", "returned"]
        inputs = f"[{{name: {below[0]}, alias: a}}, {{name: {below[1]}, alias: b}}]"
        parameters = f"{{expr: a + b, metrics: {inputs}}}"
        return f"  - {{name: m{number}, label: M{number}, type: derived, type_params: {parameters}}}\n"

    lattice = "".join(level(number) for number in range(12))

    assert [one for one in findings(SHOP + lattice) if "each other" in one.message] == []


def test_an_empty_document_and_unknown_sections_are_said():
    assert [one.message for one in findings("")] == ["There is no semantic model and no metric."]
    assert "The section `metric_list` is not read." in [
        one.message for one in findings("metric_list: []\n" + SHOP)
    ]


def test_definitions_over_an_empty_lake_say_which_table_is_missing():
    found = validate([parse(SHOP, "shop.yml")], {}, namespace="shop")

    assert {"`shop.lines`", "`shop.buyers`"} <= {
        word.strip(",") for one in found for word in one.message.split()
    }


def test_a_layer_over_wrong_definitions_is_refused_with_every_line():
    text = SHOP.replace("expr: quantity * price", "expr: quantty * price").replace(
        "numerator: revenue,", "numerator: x,"
    )

    with pytest.raises(Invalid) as caught:
        SemanticLayer([parse(text, "shop.yml")], shop_warehouse(), namespace="shop")

    assert len(caught.value.errors) == 3  # the measure, and the two ratios
    assert all(error.where.startswith("shop.yml line ") and error.mend for error in caught.value.errors)


@pytest.mark.parametrize(
    "text",
    [
        "metrics: 3",
        "semantic_models: [{name: [1]}]",
        "metrics: [{name: {a: b}}]",
        "metrics: [{name: ab, type: 3, type_params: []}]",
        "metrics: [{name: ab, type: derived, type_params: {metrics: 3, expr: 4}}]",
        "semantic_models: [{name: ab, model: 4, entities: 3, measures: {a: b}}]",
        "metrics: [{name: ab, type: ratio, filter: 3, type_params: {numerator: [], denominator: 1}}]",
        "metrics: [{name: ab, type: simple, type_params: {measure: {name: 3}}}]",
    ],
)
def test_values_of_any_wrong_type_are_findings_and_never_faults(text):
    try:
        found = findings(text)
    except Invalid as problem:
        assert problem.errors and problem.errors[0].mend
    else:
        assert [one for one in found if one.level == "error"]
        assert all(one.mend for one in found)
