"""Definitions, formulas, targets: what cannot be is refused with the names of what is near."""

from __future__ import annotations

from datetime import date

import pytest

from potager.insight.metrics import actions
from potager.insight.metrics.models import Component, Metric, SourceVersion, Target
from potager.insight.metrics.queries import conditions, metric
from potager.kit.errors import Invalid, NotAllowed, NotFound
from tests.insight.shop import SHOP, Shop

pytestmark = pytest.mark.django_db


def test_publishing_makes_a_governed_metric_of_every_definition_and_keeps_every_version(shop: Shop) -> None:
    assert set(Metric.objects.values_list("name", flat=True)) == {"revenue", "lines", "line_value"}
    again = actions.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=SHOP)
    assert again.number == 1
    changed = SHOP.replace("label: Order lines", "label: Lines sold")
    assert actions.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=changed).number == 2
    assert [one.text for one in SourceVersion.objects.order_by("number")] == [SHOP, changed]


def test_a_metric_that_its_document_no_longer_defines_is_retired(shop: Shop) -> None:
    text = "\n".join(line for line in SHOP.splitlines() if "name: line_value" not in line)
    actions.set_formula(actor=shop.actor, metric=shop.metric("revenue"), formula="")
    actions.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=text)
    assert shop.metric("line_value").archived_at is not None
    with pytest.raises(NotFound):
        metric(shop.actor, "line_value")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("ref('sales')", "ref('sails')", "sails"),
        ("expr: amount", "expr: amuont", "amuont"),
        ("measure: revenue", "measure: revenu", "revenu"),
        ("numerator: revenue", "numerator: nothing", "nothing"),
        ("metrics:", "metrics: [", "line"),
    ],
)
def test_definitions_that_cannot_be_used_are_refused_with_place_and_cause(
    shop: Shop, before: str, after: str, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        actions.publish(
            actor=shop.actor, name="shop.yml", namespace="shop", text=SHOP.replace(before, after, 1)
        )
    assert says in refused.value.detail and refused.value.errors


def test_a_document_that_loops_is_refused(shop: Shop) -> None:
    loops = SHOP + (
        "  - {name: one, label: One, type: derived, type_params: {expr: two, metrics: [{name: two}]}}\n"
        "  - {name: two, label: Two, type: derived, type_params: {expr: one, metrics: [{name: one}]}}\n"
    )
    with pytest.raises(Invalid) as refused:
        actions.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=loops)
    assert "one" in refused.value.detail and "two" in refused.value.detail


def test_a_ring_of_formulas_is_refused_with_its_names(shop: Shop) -> None:
    with pytest.raises(Invalid) as refused:
        actions.set_formula(actor=shop.actor, metric=shop.metric("lines"), formula="revenue / line_value")
    assert "revenue" in refused.value.detail and "lines" in refused.value.detail
    assert "→" in refused.value.detail
    assert not Component.objects.filter(metric__name="lines").exists()


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("lines * line_valu", "Did you mean line_value?"),
        ("lines * zzz", "Define it first."),
        ("lines *", ""),
        ("revenue + lines", "revenue"),
        ("__import__('os')", ""),
    ],
)
def test_a_formula_that_cannot_be_is_refused(shop: Shop, formula: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.set_formula(actor=shop.actor, metric=shop.metric("revenue"), formula=formula)
    assert says in f"{refused.value.detail} {refused.value.mend}"
    assert Component.objects.get(metric__name="revenue").formula == "lines * line_value"


def test_an_unknown_metric_is_answered_with_those_near(shop: Shop) -> None:
    with pytest.raises(NotFound) as refused:
        metric(shop.actor, "revnue")
    assert refused.value.mend == "Did you mean revenue?"


@pytest.mark.parametrize("said", ["", "=France", "country", "country France"])
def test_a_condition_that_cannot_be_read_is_refused(said: str) -> None:
    with pytest.raises(Invalid) as refused:
        conditions([said])
    assert "is not a condition" in refused.value.detail


def test_a_condition_may_name_several_values_none_and_all_but() -> None:
    one, two = conditions(["country=France, Germany,unknown", "country!=Peru"])
    assert (one.op, one.values) == ("in", ("France", "Germany", None))
    assert (two.op, two.values) == ("not_in", ("Peru",))


def test_one_target_stands_for_one_period(shop: Shop) -> None:
    february = (date(2024, 2, 1), date(2024, 2, 29))
    shop.target("revenue", 10, *february)
    shop.target("revenue", 20, *february)
    assert [target.value for target in Target.objects.filter(archived_at=None)] == [20]
    assert Target.objects.count() == 2


def test_a_target_that_ends_before_it_begins_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid):
        shop.target("revenue", 10, date(2024, 2, 29), date(2024, 2, 1))


def test_governing_refuses_fields_that_a_metric_does_not_have(shop: Shop) -> None:
    with pytest.raises(Invalid) as refused:
        shop.govern("revenue", weed=1)
    assert "no field weed" in refused.value.detail


def test_a_viewer_can_neither_publish_nor_govern(shop: Shop, vi) -> None:
    with pytest.raises(NotAllowed):
        actions.publish(actor=vi.actor, name="v.yml", namespace="shop", text=SHOP)
    with pytest.raises(NotAllowed):
        actions.govern(actor=vi.actor, metric=shop.metric("revenue"), values={"unit": "EUR"})
