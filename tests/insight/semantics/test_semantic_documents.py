"""Definitions read: every element keeps its line, and no text can do harm."""

from __future__ import annotations

import json

import pytest

from potager.insight.metrics.semantics import (
    SemanticLayer,
    content_hash,
    parse,
    read_documents,
    to_yaml,
    validate,
)
from potager.kit.errors import Invalid, NotFound
from tests.insight.semantics.lake_in_memory import SHOP, shop_warehouse

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: &a [*a]\n", 1, "contains itself"),
        ("a: &a\n  b: *a\n", 2, "contains itself"),
        (LAUGHS, 6, "multiply"),
        ("x: *nowhere\n", 1, "no anchor"),
        ("metrics:\n\t- name: a\n", 2, "tab"),
        ("metrics:\n  - name: a\n    type: simple\n    name: b\n", 4, "already on line 2"),
        ("metrics: {a: 1}\n", 1, "should be a list"),
        ("metrics:\n  - one\n", 2, "should be a mapping"),
        ("- one\n- two\n", 1, "is a list"),
        ("just text", 1, "is text"),
        ("metrics:\n  - name: 'x\n", 3, "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "tag"),
        ("a: \x00\n", 1, "control character"),
        ("[" * 5000, 1, "nesting"),
        ("? [a, b]\n: 1\n", 1, "key must be plain text"),
        ("metrics:\n  - <<: [1]\n", 2, "merges mappings only"),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_its_line_and_a_mend(text, line, says):
    with pytest.raises(Invalid) as caught:
        parse(text, "orders.yml")

    first = caught.value.errors[0]
    assert first.where == f"orders.yml line {line}"
    assert says in first.problem
    assert first.mend


def test_a_document_of_any_length_is_not_read():
    with pytest.raises(Invalid, match="longer than 2,000,000 characters"):
        parse("x" * 2_000_001, "orders.yml")


def test_forty_thousand_keys_in_one_mapping_take_no_quadratic_time():
    text = "metrics: []\nother:\n" + "".join(f"  k{n}: 1\n" for n in range(40_000))

    assert parse(text, "orders.yml").passed_over == {"other": 2}


def test_every_element_keeps_its_line():
    document = parse(SHOP, "shop.yml")
    lines = SHOP.splitlines()

    assert lines[document.line(("semantic_models", 0, "measures", 2, "expr")) - 1].strip() == "expr: buyer_id"
    assert (
        lines[document.line(("metrics", 7, "type_params", "expr")) - 1].strip() == "expr: revenue - returned"
    )
    assert document.line(("metrics", 7, "type_params", "metrics", 0, "name")) == document.line(
        ("metrics", 7, "type_params", "metrics")
    )


def test_anchors_and_merges_that_a_person_would_write_are_read():
    text = "base: &base {type: simple, label: A}\nmetrics:\n  - <<: *base\n    name: a\n    label: B\n"

    assert parse(text, "a.yml").data["metrics"] == [{"type": "simple", "label": "B", "name": "a"}]


def test_metricflows_own_singular_documents_are_read_too():
    text = "metric:\n  name: a\n  type: simple\n---\nmetric:\n  name: b\n"
    document = parse(text, "a.yml")

    assert [metric["name"] for metric in document.data["metrics"]] == ["a", "b"]
    assert document.line(("metrics", 1, "name")) == 6


def test_dates_stay_the_text_that_was_written():
    assert (
        parse("metrics:\n  - name: a\n    since: 2011-01-01\n", "a.yml").data["metrics"][0]["since"]
        == "2011-01-01"
    )


def test_a_folder_is_read_without_what_belongs_to_dbt_or_is_hidden(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "shop.yml").write_text(SHOP)
    (tmp_path / "models" / "sources.yaml").write_text("version: 2\nsources: []\n")
    for hidden in (".git", "target", "dbt_packages"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "x.yml").write_text("metrics: {broken")

    assert [document.source for document in read_documents(tmp_path)] == ["models/shop.yml"]


def test_a_path_without_definitions_says_so(tmp_path):
    with pytest.raises(NotFound, match=r"no \.yml"):
        read_documents(tmp_path)
    with pytest.raises(NotFound, match="no file or folder"):
        read_documents(tmp_path / "nowhere")


def test_a_file_in_another_encoding_says_so(tmp_path):
    (tmp_path / "a.yml").write_bytes("metrics: []  # caf\xe9".encode("latin-1"))

    with pytest.raises(Invalid, match="not UTF-8"):
        read_documents(tmp_path / "a.yml")


def test_a_dbt_projects_compiled_manifest_answers_as_its_yaml_does(tmp_path):
    from potager.insight.metrics.semantics.compiled import transform
    from potager.insight.metrics.semantics.normalize import collect
    from potager.insight.metrics.semantics.shapes import MetricQuery

    warehouse = shop_warehouse()
    compiled = transform(collect([parse(SHOP, "shop.yml")], namespace="analytics"))
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "semantic_manifest.json").write_text(compiled.json())
    documents = read_documents(tmp_path)

    assert documents[0].source == "semantic_manifest.json"
    assert [
        finding
        for finding in validate(documents, warehouse.tables(), namespace="shop")
        if finding.level == "error"
    ] == []
    asked = MetricQuery(("revenue", "revenue_per_buyer", "active_buyers"), ("country",), "month")
    ours = SemanticLayer([parse(SHOP, "shop.yml")], warehouse, namespace="shop").query(asked)
    theirs = SemanticLayer(documents, warehouse, namespace="shop").query(asked)
    assert theirs.table.equals(ours.table)


@pytest.mark.parametrize(
    "model",
    [
        "ref('lines')",
        "\"{{ ref('lines') }}\"",
        "ref('package', 'lines')",
        "source('shop', 'lines')",
        "lines",
        "shop.lines",
    ],
)
def test_a_models_table_may_be_named_in_each_of_dbts_ways(model):
    text = SHOP.replace("model: ref('lines')", f"model: {model}")

    assert validate([parse(text, "shop.yml")], shop_warehouse().tables(), namespace="shop") == []


def test_a_node_relation_of_another_schema_finds_the_lakes_table_of_that_name():
    text = SHOP.replace("model: ref('lines')", "node_relation: {alias: lines, schema_name: dbt_prod}")

    assert validate([parse(text, "shop.yml")], shop_warehouse().tables(), namespace="elsewhere") == []


def test_what_is_exported_says_the_same(tmp_path):
    half = SHOP.split("\nmetrics:\n", 1)
    documents = [parse(half[0], "models.yml"), parse("metrics:\n" + half[1], "metrics.yml")]

    again = parse(to_yaml(documents), "all.yml")

    assert again.hash == parse(SHOP, "shop.yml").hash
    assert to_yaml([parse(SHOP, "shop.yml")]) == SHOP
    assert json.loads(json.dumps(again.data))["metrics"][0]["name"] == "revenue"


def test_the_hash_is_blind_to_layout_and_order_but_not_to_meaning():
    plain, spaced = (
        parse(SHOP, "a.yml"),
        parse("# a comment\n" + SHOP.replace("expr: '1'", 'expr: "1"'), "b.yml"),
    )
    changed = parse(SHOP.replace("quantity * price", "quantity * price * 2"), "a.yml")

    assert content_hash([plain]) == content_hash([spaced])
    assert content_hash([plain]) != content_hash([changed])
    assert content_hash([plain, changed]) == content_hash([changed, plain])
