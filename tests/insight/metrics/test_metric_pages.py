"""The pages of metrics: they stand for who may see them, and show a form again with its sentences."""

from __future__ import annotations

from datetime import date
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from potager.insight.metrics import actions
from potager.insight.metrics.models import Component, Influence, Metric, Source, Target
from tests.insight.shop import LAST, SHOP, Shop

pytestmark = pytest.mark.django_db
READ = (
    "/metrics/",
    "/metrics/?q=turnover",
    "/metrics/?level=strategic",
    "/metrics/?state=stale",
    "/metrics/?state=behind",
    "/metrics/?maturity=draft&owner=Nobody",
    "/metrics/revenue",
    "/metrics/revenue?grain=week",
    "/metrics/revenue?by=country",
    "/metrics/revenue?grain=day&where=country%3DFrance",
    "/metrics/revenue?grain=year",
    "/metrics/line_value?by=country",
    "/metrics/lines",
    "/metrics/tree/revenue",
    "/metrics/tree/revenue?as_of=2024-02-10&grain=week&where=country%3DFrance",
    "/metrics/tree/lines",
    "/metrics/tree.css",
    "/metrics/tree/revenue.svg",
    "/metrics/tree/revenue.svg?theme=dark",
    "/metrics/tree/revenue.json",
    "/metrics/tree/revenue.yml",
    "/metrics/definitions/",
    "/metrics/revenue/targets",
    "/metrics/revenue/chart.svg",
    "/metrics/revenue/chart.svg?by=country",
    "/metrics/revenue/chart.png?width=480",
    "/metrics/revenue/chart.json",
)
EDIT = (
    "/metrics/new/",
    "/metrics/definitions/new",
    "/metrics/definitions/new?table=shop.sales",
    "/metrics/revenue/edit",
    "/metrics/revenue/formula",
    "/metrics/influences/new",
    "/metrics/influences/new?driver=lines&outcome=line_value",
)


def statuses(browser: Any, paths: tuple[str, ...]) -> dict[str, int]:
    return {path: browser.get(path).status_code for path in paths}


def test_every_page_of_metrics_stands_for_their_owner(shop: Shop, ada: Any) -> None:
    assert statuses(ada.browser, (*READ, *EDIT)) == dict.fromkeys((*READ, *EDIT), 200)


def test_a_viewer_sees_what_shows_and_is_refused_what_changes(shop: Shop, vi: Any) -> None:
    assert statuses(vi.browser, READ) == dict.fromkeys(READ, 200)
    assert statuses(vi.browser, EDIT) == dict.fromkeys(EDIT, 403)


def test_who_is_not_signed_in_sees_nothing(shop: Shop, client: Any) -> None:
    for path in (path for path in (*READ, *EDIT) if path != "/metrics/tree.css"):
        told = client.get(path)
        assert told.status_code in {302, 401, 403, 404}, path
        assert b"Revenue" not in told.content, path


def test_the_pages_stand_where_nothing_is_defined(lake_folder: Any, ada: Any) -> None:
    for path in ("/metrics/", "/metrics/tree/", "/metrics/definitions/", "/metrics/new/"):
        assert ada.browser.get(path).status_code == 200


def test_the_tree_opens_at_its_most_strategic_root(shop: Shop, ada: Any) -> None:
    told = ada.browser.get("/metrics/tree/")
    assert (told.status_code, told["Location"]) == (302, "/metrics/tree/revenue")


def test_an_address_that_asks_for_what_is_not_there_is_answered_with_a_sentence(shop: Shop, ada: Any) -> None:
    for path, status, says in (
        ("/metrics/revnue", 404, "Did you mean revenue?"),
        ("/metrics/tree/revnue", 404, "Did you mean revenue?"),
        ("/metrics/revenue?grain=fortnight", 422, "There is no grain fortnight"),
        ("/metrics/revenue?by=weed", 422, "has no dimension weed"),
        ("/metrics/revenue?where=weed%3D1", 422, "has no dimension weed"),
        ("/metrics/revenue?where=weed", 422, "is not a condition"),
        ("/metrics/tree/revenue?as_of=soon", 422, "is not a day"),
        ("/metrics/tree/revenue?grain=fortnight", 422, "There is no grain fortnight"),
        ("/metrics/tree/revenue?where=weed%3D1", 404, "weed"),
        ("/metrics/revenue/chart.gif", 404, "Pictures are not made as gif"),
        ("/metrics/revenue/chart.svg?width=9", 422, "pixels wide"),
        ("/metrics/revenue/chart.svg?where=country%3DPeru", 404, "has no value to draw"),
        ("/metrics/definitions/new?table=shop.nothing", 404, "There is no table shop.nothing"),
    ):
        told = ada.browser.get(path)
        assert told.status_code == status, path
        assert says in unescape(told.content.decode()), path


def test_a_metric_page_says_what_is_there_and_who_uses_it(shop: Shop, ada: Any) -> None:
    shop.govern("revenue", pitfalls="Germany is twice France.", owner_role="Head of sales")
    shop.target("revenue", 3000, date(2024, 2, 1), date(2024, 2, 29))
    told = ada.browser.get("/metrics/revenue")
    page = told.content.decode()
    for said in ("Revenue was", "met its target", "Germany is twice France.", "Head of sales", "Line value"):
        assert said in page, said
    assert "in its definition" in page or "its definition" in page
    assert told.context["partial"]["there"] == "20 of 31\u00a0days"


# Forms


def test_what_surrounds_a_metric_is_edited(shop: Shop, ada: Any) -> None:
    form = ada.browser.get("/metrics/revenue/edit").context["form"]
    given = {name: form[name].value() for name in form.fields}
    given = {name: "" if value is None else value for name, value in given.items()}
    given |= {"label": "Net revenue", "synonyms": "turnover, sales,, sales", "benchmark_value": "1,200"}
    told = ada.browser.post("/metrics/revenue/edit", given)
    assert told.status_code == 302
    metric = Metric.objects.get(name="revenue")
    assert (metric.label, metric.synonyms, metric.benchmark) == (
        "Net revenue", ["turnover", "sales"], {"value": 1200.0},
    )  # fmt: skip
    again = ada.browser.post("/metrics/revenue/edit", {**given, "label": "Mine"})
    assert again.status_code == 422, "somebody else's change is not overwritten"
    assert Metric.objects.get(name="revenue").label == "Net revenue"


def test_a_form_with_errors_is_shown_again_with_its_sentences_and_what_was_typed(
    shop: Shop, ada: Any
) -> None:
    for path, given, says in (
        ("/metrics/revenue/edit", {"label": "", "benchmark_value": "much"}, "Write a number, such as"),
        ("/metrics/revenue/targets", {"period": "soon", "value": "many"}, "Write 2011-11, 2011-Q4"),
        ("/metrics/revenue/targets", {"period": "2024-02", "value": "10", "low": "11"}, "must not be above"),
        ("/metrics/revenue/formula", {"formula": "lines * line_valu"}, "Did you mean line_value?"),
        ("/metrics/lines/formula", {"formula": "revenue ÷ line_value"}, "→"),
        ("/metrics/influences/new", {"driver": "lines", "outcome": "lines"}, "does not drive itself"),
        ("/metrics/influences/new", {"driver": "weed", "outcome": "lines"}, "weed"),
        ("/metrics/definitions/new", {"name": "", "namespace": "Shop!", "text": "a"}, "lower-case letters"),
    ):
        told = ada.browser.post(path, given)
        page = told.content.decode().replace("&#x27;", "'").replace("&gt;", ">")
        assert told.status_code == 422, path
        assert says in page, (path, says)
        typed = given.get("period") or given.get("formula")
        assert not typed or f'value="{typed}"' in page
    assert not Target.objects.exists() and not Influence.objects.exists()
    assert Component.objects.get().formula == "lines * line_value"


def test_a_target_is_set_and_dropped_by_form(shop: Shop, ada: Any) -> None:
    told = ada.browser.post(
        "/metrics/revenue/targets", {"period": "2024-Q1", "value": "1 200 000", "low": "1,100,000"}
    )
    assert told.status_code == 302
    made = Target.objects.get()
    assert (made.value, made.low, made.start, made.end) == (1.2e6, 1.1e6, date(2024, 1, 1), date(2024, 3, 31))
    path = f"/metrics/revenue/targets/{made.pk}/drop"
    ada.browser.get(path)
    assert Target.objects.get().archived_at is None, "looking at an address changes nothing"
    ada.browser.post(path)
    assert Target.objects.get().archived_at is not None


def test_a_formula_may_be_written_with_the_signs_of_arithmetic(shop: Shop, ada: Any) -> None:
    actions.set_formula(actor=shop.actor, metric=shop.metric("revenue"), formula="")
    told = ada.browser.post("/metrics/revenue/formula", {"formula": "lines × line_value"})
    assert told.status_code == 302
    assert Component.objects.get().formula == "lines * line_value"
    assert Component.objects.get().archived_at is None


def test_an_influence_is_drawn_and_dropped_by_form(shop: Shop, ada: Any) -> None:
    given = {"driver": "lines", "outcome": "line_value", "sign": "-1", "lag": "2", "grain": "week",
             "evidence": "asserted", "because": "More lines, smaller ones."}  # fmt: skip
    assert ada.browser.post("/metrics/influences/new", given).status_code == 302
    made = Influence.objects.get()
    assert (made.sign, made.lag, made.grain) == (-1, 2, "week")
    again = ada.browser.post("/metrics/influences/new", given)
    assert again.status_code == 422 and "in the tree already" in again.content.decode()
    for path in ("/metrics/line_value", "/metrics/lines", "/metrics/tree/line_value"):
        assert ada.browser.get(path).status_code == 200
    away = ada.browser.post(f"/metrics/influences/{made.pk}/drop", {"next": "https://elsewhere.example/"})
    assert away["Location"].startswith("/metrics/line_value"), "nobody is sent elsewhere"
    assert Influence.objects.get().archived_at is not None


def test_a_viewer_changes_nothing_by_form(shop: Shop, vi: Any) -> None:
    shop.target("revenue", 1, date(2024, 2, 1), date(2024, 2, 29))
    target, source = Target.objects.get(), Source.objects.get()
    given = {"name": "shop.yml", "namespace": "shop", "text": SHOP + "# mine", "publish": "1"}
    for path, body in (
        ("/metrics/revenue/targets", {"period": "2024-03", "value": "1"}),
        (f"/metrics/revenue/targets/{target.pk}/drop", {}),
        ("/metrics/revenue/formula", {"formula": ""}),
        ("/metrics/revenue/edit", {"label": "Mine"}),
        ("/metrics/influences/new", {"driver": "lines", "outcome": "line_value"}),
        ("/metrics/definitions/new", {**given, "name": "mine.yml"}),
        (f"/metrics/sources/{source.pk}", given),
        (f"/metrics/sources/{source.pk}/withdraw", {}),
    ):
        assert vi.browser.post(path, body).status_code in {403, 422}, path
    assert Target.objects.get().archived_at is None and Source.objects.get().number == 1
    assert (
        Component.objects.get().archived_at is None and Metric.objects.get(name="revenue").label == "Revenue"
    )
    assert not Influence.objects.exists()


def test_definitions_are_checked_before_they_are_published(shop: Shop, ada: Any) -> None:
    source = Source.objects.get()
    wrong = SHOP.replace("expr: amount", "expr: amuont")
    path = f"/metrics/sources/{source.pk}"
    checked = ada.browser.post(path, {"text": wrong, "number": "1"})
    assert checked.status_code == 200
    (finding,) = [one for one in checked.context["findings"] if one["level"] == "error"]
    assert (
        "amuont" in finding["message"] and finding["said"] == wrong.splitlines()[finding["line"] - 1].strip()
    )
    refused = ada.browser.post(path, {"text": wrong, "number": "1", "publish": "1"})
    assert refused.status_code == 422 and "1 error is to be mended first" in refused.content.decode()
    assert "amuont" in refused.content.decode() and Source.objects.get().number == 1


def test_definitions_published_meanwhile_are_not_overwritten(shop: Shop, ada: Any) -> None:
    source = Source.objects.get()
    theirs = SHOP.replace("label: Order lines", "label: Lines sold")
    actions.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=theirs)
    mine = SHOP.replace("label: Order lines", "label: Rows")
    told = ada.browser.post(f"/metrics/sources/{source.pk}", {"text": mine, "number": "1", "publish": "1"})
    assert told.status_code == 422 and "Version 2 was published meanwhile" in told.content.decode()
    assert Source.objects.get().text == theirs
    again = ada.browser.post(f"/metrics/sources/{source.pk}", {"text": mine, "number": "2", "publish": "1"})
    assert again.status_code == 302 and Source.objects.get().text == mine


def test_what_a_version_changed_is_shown_line_by_line(shop: Shop, ada: Any) -> None:
    changed = SHOP.replace("label: Order lines", "label: Lines sold")
    source = actions.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=changed)
    lines = ada.browser.get(f"/metrics/sources/{source.pk}?version=2").context["diff"]
    kinds = {line["kind"] for line in lines if "Lines sold" in line["text"] or "Order lines" in line["text"]}
    assert kinds == {"added", "removed"}


def test_withdrawing_says_what_goes_with_it_first(shop: Shop, ada: Any) -> None:
    path = f"/metrics/sources/{Source.objects.get().pk}/withdraw"
    asked = ada.browser.get(path)
    assert asked.status_code == 200 and "Line value" in asked.content.decode()
    assert Source.objects.get().archived_at is None
    assert ada.browser.post(path).status_code == 302
    assert ada.browser.get("/metrics/revenue").status_code == 404
    assert ada.browser.get("/metrics/").status_code == 200


# Pictures behind a signed address


def test_a_signed_address_shows_its_one_picture_and_no_other(shop: Shop, ada: Any, client: Any) -> None:
    embed = urlsplit(ada.browser.get("/metrics/revenue?by=country").context["embed"])
    signed = f"{embed.path}?{embed.query}"
    told = client.get(signed)
    assert told.status_code == 200 and told.content.startswith(b"\x89PNG")
    assert client.get(f"{signed}&width=480").status_code == 200
    key = parse_qs(embed.query)["key"][0]
    for path in (
        f"/metrics/revenue/chart.png?by=country&key={key[:-1]}{'A' if key[-1] != 'A' else 'B'}",
        f"/metrics/revenue/chart.png?key={key}",
        f"/metrics/revenue/chart.png?by=country&where=country%3DFrance&key={key}",
        f"/metrics/lines/chart.png?by=country&key={key}",
        f"/metrics/revenue/chart.svg?by=country&key={key}",
        "/metrics/revenue/chart.png?by=country&key=",
    ):
        assert client.get(path).status_code == 404, path


def test_a_picture_is_as_of_where_the_data_ends(shop: Shop, ada: Any) -> None:
    spec = ada.browser.get("/metrics/revenue/chart.json").json()
    assert str(LAST.year) in str(spec)
