"""Publishing definitions: line and cause are named, versions are kept, and what rests on what is known."""

from __future__ import annotations

from typing import Any

import pytest

from potager.insight.metrics import actions, compiling
from potager.insight.metrics.models import Metric, Source, SourceVersion
from potager.insight.metrics.pages.lineage import users
from potager.kit.errors import Invalid, NotFound
from tests.insight.shop import SHOP, Shop

pytestmark = pytest.mark.django_db


def publish(shop: Shop, text: str, name: str = "shop.yml") -> Source:
    return actions.publish(actor=shop.actor, name=name, namespace="shop", text=text)


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("expr: amount", "expr: amuont"),
        ("numerator: revenue", "numerator: nothing"),
        ("agg: sum, expr: amount", "agg: smu, expr: amount"),
        ("type: ratio", "type: ration"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_document_its_line_and_a_mend(
    shop: Shop, before: str, after: str
) -> None:
    text = SHOP.replace(before, after, 1)
    with pytest.raises(Invalid) as refused:
        publish(shop, text)
    places = {error.where for error in refused.value.errors}
    assert f"shop.yml line {line_of(text, after)}" in places
    assert all(error.problem and error.mend for error in refused.value.errors)
    assert Source.objects.get().text == SHOP and Source.objects.get().number == 1


def test_an_alias_that_contains_itself_is_refused_with_its_line(shop: Shop) -> None:
    text = SHOP + "extra: &loop\n  - *loop\n"
    with pytest.raises(Invalid) as refused:
        publish(shop, text)
    assert f"line {len(text.splitlines())}" in f"{refused.value.detail} {refused.value.errors}"
    assert "contains itself" in refused.value.detail


def test_aliases_that_multiply_are_refused_instead_of_being_read(shop: Shop) -> None:
    rings = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rings += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(Invalid) as refused:
        publish(shop, SHOP + "\n".join(rings))
    assert "multiply" in refused.value.detail


@pytest.mark.parametrize("text", ["", "   \n", "- 1\n- 2", "metrics: 7", "\x00", "metrics: [{}]", "a: b: c"])
def test_what_is_no_definition_at_all_gets_a_sentence(shop: Shop, text: str) -> None:
    try:
        publish(shop, text, "other.yml")
    except Invalid as refused:
        assert refused.detail.strip().endswith((".", "?", "]", ")", "'", "`")) and refused.errors
    assert set(Metric.objects.filter(archived_at=None).values_list("name", flat=True)) == {
        "revenue", "lines", "line_value",
    }  # fmt: skip


def test_every_version_is_kept_with_who_made_it_and_why(shop: Shop, ada: Any) -> None:
    changed = SHOP.replace("label: Order lines", "label: Lines sold")
    source = actions.publish(
        actor=shop.actor, name="shop.yml", namespace="shop", text=changed, note="In plainer words"
    )
    kept = list(SourceVersion.objects.order_by("number"))
    assert [(one.number, one.text, one.note, one.by_id) for one in kept] == [
        (1, SHOP, "", ada.user.pk),
        (2, changed, "In plainer words", ada.user.pk),
    ]
    listed = ada.call("get", f"/definitions/{source.pk}/versions").json()
    assert [(one["number"], one["text"]) for one in listed] == [(2, changed), (1, SHOP)]


def test_a_version_can_be_brought_back_as_a_new_one(shop: Shop, ada: Any) -> None:
    changed = SHOP.replace("expr: amount}", "expr: amount * 2}")
    source = publish(shop, changed)
    page = ada.browser.get(f"/metrics/sources/{source.pk}?from=1")
    assert "amount * 2" not in page.context["form"]["text"].value()
    assert page.context["form"]["note"].value() == "Back to version 1"
    assert publish(shop, SHOP).number == 3
    assert SourceVersion.objects.count() == 3


def test_a_definition_has_the_same_hash_in_the_same_words_and_another_in_others(shop: Shop) -> None:
    first = compiling.layer("shop").definition_hash("revenue")
    other = compiling.layer("shop").definition_hash("lines")
    publish(shop, SHOP.replace("expr: amount}", "expr: amount * 2}"))
    assert compiling.layer("shop").definition_hash("revenue") != first
    assert compiling.layer("shop").definition_hash("lines") == other
    publish(shop, SHOP)
    assert compiling.layer("shop").definition_hash("revenue") == first


def test_a_metric_knows_what_uses_it_in_definitions_and_in_formulas(shop: Shop) -> None:
    found = {row["title"]: row["how"] for row in users(shop.actor, shop.metric("lines"))}
    assert found == {"Line value": "in its definition", "Revenue": "in its formula"}
    assert {row["title"] for row in users(shop.actor, shop.metric("line_value"))} == {"Revenue"}
    assert {row["title"] for row in users(shop.actor, shop.metric("revenue"))} == {"Line value"}


def test_two_documents_of_one_namespace_are_checked_together(shop: Shop) -> None:
    text = "metrics:\n  - {name: double, label: Double, type: derived, type_params: {expr: revenue * 2, "
    text += "metrics: [{name: revenue}]}}\n"
    publish(shop, text, "more.yml")
    assert Metric.objects.get(name="double").source.name == "more.yml"
    with pytest.raises(Invalid) as refused:
        publish(shop, text.replace("name: double", "name: revenue"), "more.yml")
    assert "revenue" in refused.value.detail


def test_a_metric_of_another_namespace_is_not_taken_over(shop: Shop) -> None:
    from potager.ground.lake.service import lake
    from tests.insight.shop import FIRST, sales

    lake().append("stall.sales", sales(FIRST, FIRST), load_id="one")
    with pytest.raises(Invalid) as refused:
        actions.publish(actor=shop.actor, name="stall.yml", namespace="stall", text=SHOP)
    assert "is defined in shop.yml already" in refused.value.detail
    assert shop.metric("revenue").source.name == "shop.yml"


def test_the_same_text_under_another_name_is_another_document(shop: Shop) -> None:
    """Compiled once per content: but who defines a metric is not taken from another document of the same words."""
    actions.withdraw(actor=shop.actor, source=Source.objects.get())
    publish(shop, SHOP, "again.yml")
    assert {metric.source.name for metric in Metric.objects.filter(archived_at=None)} == {"again.yml"}
    with pytest.raises(Invalid) as refused:
        actions.publish(actor=shop.actor, name="copy.yml", namespace="nowhere", text=SHOP)
    assert "is defined in again.yml already" in refused.value.detail


def test_withdrawing_a_document_retires_its_metrics_and_keeps_its_versions(shop: Shop, ada: Any) -> None:
    source = Source.objects.get()
    actions.withdraw(actor=shop.actor, source=source)
    assert not Metric.objects.filter(archived_at=None).exists()
    assert set(Metric.objects.values_list("maturity", flat=True)) == {"retired"}
    assert SourceVersion.objects.count() == 1
    with pytest.raises(NotFound):
        compiling.layer("shop")
    publish(shop, SHOP)
    assert Metric.objects.filter(archived_at=None).count() == 3


def test_checking_says_what_publishing_would_and_publishes_nothing(shop: Shop, ada: Any, vi: Any) -> None:
    body = {"name": "new.yml", "namespace": "shop", "text": "metrics:\n  - {name: a, type: simple}\n"}
    found = ada.call("post", "/definitions/check", body)
    assert found.status_code == 200
    assert {one["line"] for one in found.json()} == {2} and found.json()[0]["mend"]
    assert vi.call("post", "/definitions/check", body).status_code == 403
    assert Source.objects.count() == 1


def test_a_proposal_from_a_table_can_be_published_as_it_is(shop: Shop, ada: Any) -> None:
    actions.withdraw(actor=shop.actor, source=Source.objects.get())
    proposed = ada.call("post", "/definitions/propose", {"table": "shop.sales"}).json()
    given = {name: proposed[name] for name in ("name", "namespace", "text")}
    made = ada.call("post", "/definitions", given)
    assert made.status_code == 200, made.content
    assert Metric.objects.filter(archived_at=None).count() >= 2
    assert ada.call("post", "/definitions/propose", {"table": "shop.nothing"}).status_code == 404


RATIO = "metrics: [{name: share, label: Share, type: ratio, type_params: {numerator: extra, denominator: lines}}]\n"
EXTRA = "metrics: [{name: extra, label: Extra, type: simple, type_params: {measure: revenue}}]\n"


def test_documents_that_rest_on_each_other_are_published_together_whatever_their_order(shop: Shop) -> None:
    texts = {"a.yml": RATIO, "b.yml": EXTRA}
    made = actions.publish_together(actor=shop.actor, namespace="shop", texts=texts)
    assert [source.name for source in made] == ["a.yml", "b.yml"]
    assert Metric.objects.get(name="share").source == made[0]
    again = actions.publish_together(actor=shop.actor, namespace="shop", texts=texts)
    assert [source.number for source in again] == [1, 1]


def test_of_documents_published_together_all_are_in_or_none(shop: Shop) -> None:
    texts = {"b.yml": EXTRA, "c.yml": RATIO.replace("lines", "nothing")}
    with pytest.raises(Invalid) as refused:
        actions.publish_together(actor=shop.actor, namespace="shop", texts=texts)
    assert any(error.where.startswith("c.yml line") for error in refused.value.errors)
    assert not Metric.objects.filter(name="extra").exists() and Source.objects.count() == 1
