"""The tree: parents equal their formulas or say that they do not, and every change adds up at the root."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import pytest
import yaml

from potager.demo.loading import apply_tree
from potager.insight.metrics import actions, treeview
from potager.insight.metrics.explaining import explain
from potager.insight.metrics.models import Component, Influence
from potager.insight.metrics.periods import parse_period
from potager.insight.metrics.trees import forest
from potager.kit.charts.tree_style import page_rules
from tests.insight.shop import LAST, Shop, total

pytestmark = pytest.mark.django_db
JANUARY, FEBRUARY = "2024-01", "2024-02"
BOTH = ((date(2024, 1, 1), date(2024, 1, 31)), (date(2024, 2, 1), date(2024, 2, 29)))


def explained(ada: Any, **asked: Any) -> dict[str, Any]:
    from urllib.parse import urlencode

    query = urlencode({"period": FEBRUARY, **asked}, doseq=True)
    told = ada.call("get", f"/metrics/revenue/explain?{query}")
    assert told.status_code == 200, told.content
    found: dict[str, Any] = told.json()
    return found


def test_a_parent_equals_its_formula_in_the_data(shop: Shop) -> None:
    view = treeview.view(shop.actor, "revenue", as_of=date(2024, 2, 29))
    assert {name: node.holds for name, node in view.nodes.items()} == {
        "revenue": True, "lines": None, "line_value": None,
    }  # fmt: skip
    assert view.nodes["revenue"].value == pytest.approx(total(*BOTH[1]))


def test_a_parent_that_does_not_equal_its_formula_is_said_to(shop: Shop, ada: Any) -> None:
    actions.set_formula(actor=shop.actor, metric=shop.metric("revenue"), formula="lines * 2")
    told = ada.call("get", f"/metrics/revenue/tree?as_of={LAST}").json()
    assert {node["name"]: node["holds"] for node in told["nodes"]} == {"revenue": False, "lines": None}
    page = ada.browser.get("/metrics/tree/revenue").content.decode()
    assert "does not equal" in page or "not what its formula" in page or "disagree" in page


def test_what_a_formula_does_not_account_for_is_named_unexplained(shop: Shop, ada: Any) -> None:
    actions.set_formula(actor=shop.actor, metric=shop.metric("revenue"), formula="lines * 2")
    change = total(*BOTH[1]) - total(*BOTH[0])
    of_lines = 2 * (290 - 310)
    tree = explained(ada)["tree"]
    assert tree["total"] == pytest.approx(change)
    assert [(part["name"], part["contribution"]) for part in tree["parts"]] == [
        ("lines", pytest.approx(of_lines))
    ]
    assert tree["unexplained"] == pytest.approx(change - of_lines)
    answer = shop.ask("change", metric="revenue", period=FEBRUARY)
    rest = [driver for driver in answer.drivers if driver["unexplained"]]
    assert [driver["amount"] for driver in rest] == [pytest.approx(change - of_lines)]


@pytest.mark.parametrize("against", ["previous", "2024-01", "2024-01-05..2024-01-20"])
def test_contributions_add_up_at_the_root(shop: Shop, ada: Any, against: str) -> None:
    found = explained(ada, against=against, by="country")
    change = found["after"] - found["before"]
    for split in (found["tree"], found["segments"]["country"]):
        added = math.fsum([*(part["contribution"] for part in split["parts"]), split["unexplained"]])
        assert abs(added - change) <= 1e-9 * max(abs(found["before"]), abs(found["after"]))
        assert split["total"] == pytest.approx(change, rel=1e-9)


def test_a_product_of_two_is_shared_as_das_gupta_does(shop: Shop, ada: Any) -> None:
    """Each factor's change times the mean of the other: the exact Shapley value of a product of two."""
    found = {part["name"]: part["contribution"] for part in explained(ada)["tree"]["parts"]}
    n0, n1 = 310, 290
    v0, v1 = total(*BOTH[0]) / n0, total(*BOTH[1]) / n1
    assert found["lines"] == pytest.approx((n1 - n0) * (v0 + v1) / 2)
    assert found["line_value"] == pytest.approx((v1 - v0) * (n0 + n1) / 2)


def test_a_change_looked_at_from_its_end_is_the_same_with_the_sign_turned(shop: Shop) -> None:
    metric, trees = shop.metric("revenue"), forest(shop.actor)
    there = explain(metric, trees, parse_period(FEBRUARY), parse_period(JANUARY))
    back = explain(metric, trees, parse_period(JANUARY), parse_period(FEBRUARY))
    ahead = {part.name: part.contribution for part in there.tree.parts}
    behind = {part.name: part.contribution for part in back.tree.parts}
    assert ahead == {name: pytest.approx(-amount) for name, amount in behind.items()}


def test_a_segment_that_appears_counts_with_all_it_brought(shop: Shop, ada: Any) -> None:
    import pyarrow as pa

    from potager.ground.lake.service import lake

    new = {"sold_on": [date(2024, 2, 10)], "country": ["Peru"], "buyer": ["p"], "amount": [50.0]}
    lake().append("shop.sales", pa.table(new), load_id="peru")
    split = {part["name"]: part for part in explained(ada, by="country")["segments"]["country"]["parts"]}
    assert split["Peru"]["contribution"] == pytest.approx(50.0) and split["Peru"]["before"] in (None, 0.0)


def test_a_filter_holds_for_the_whole_tree(shop: Shop, ada: Any) -> None:
    told = ada.call("get", f"/metrics/revenue/tree?as_of={LAST}&where=country=France").json()
    nodes = {node["name"]: node for node in told["nodes"]}
    expected = total(date(2024, 3, 1), LAST, "France")
    assert nodes["revenue"]["value"] == pytest.approx(expected)
    assert nodes["lines"]["value"] == 100 and nodes["line_value"]["value"] == pytest.approx(expected / 100)
    assert nodes["revenue"]["holds"] is True


def test_a_period_that_is_not_over_is_set_against_the_same_days(shop: Shop, ada: Any) -> None:
    told = ada.call("get", "/metrics/revenue/tree").json()
    assert told["partial"] is True
    assert [told[name] for name in ("from", "to", "against_from", "against_to")] == [
        "2024-03-01", "2024-03-20", "2024-02-01", "2024-02-20",
    ]  # fmt: skip
    root = next(node for node in told["nodes"] if node["name"] == "revenue")
    assert root["before"] == pytest.approx(total(date(2024, 2, 1), date(2024, 2, 20)))
    whole = ada.call("get", "/metrics/revenue/tree?as_of=2024-02-29").json()
    assert (whole["partial"], whole["against_to"]) == (False, "2024-01-31")


def test_as_of_an_earlier_day_the_tree_knows_nothing_later(shop: Shop, ada: Any) -> None:
    told = ada.call("get", "/metrics/revenue/tree?as_of=2024-02-10").json()
    root = next(node for node in told["nodes"] if node["name"] == "revenue")
    assert told["to"] == "2024-02-10"
    assert root["value"] == pytest.approx(total(date(2024, 2, 1), date(2024, 2, 10)))


def test_a_target_is_shown_where_the_period_is_over_and_nothing_is_filtered(shop: Shop, ada: Any) -> None:
    shop.target("revenue", 1e6, *BOTH[1])
    over = ada.call("get", "/metrics/revenue/tree?as_of=2024-02-29").json()["nodes"][0]
    assert (over["target"], over["verdict"]) == (1e6, "no")
    within = ada.call("get", "/metrics/revenue/tree?as_of=2024-02-29&where=country=France").json()["nodes"][0]
    assert within["target"] is None


def test_the_tree_goes_out_as_json_yaml_and_svg(shop: Shop, ada: Any) -> None:
    shop.target("revenue", 5000, *BOTH[1])
    view = ada.browser
    told = json.loads(view.get("/metrics/tree/revenue.json?as_of=2024-02-29").content)
    assert told["values"]["revenue"] == {
        "value": pytest.approx(total(*BOTH[1])), "before": pytest.approx(total(*BOTH[0])),
        "target": 5000, "verdict": "yes", "holds": True,
    }  # fmt: skip
    written = yaml.safe_load(view.get("/metrics/tree/revenue.yml").content)
    assert written["components"] == {"revenue": "lines * line_value"} == told["components"]
    assert set(written["metrics"]) == {"revenue", "lines", "line_value"}
    drawn = view.get("/metrics/tree/revenue.svg")
    assert drawn["Content-Type"] == "image/svg+xml"
    assert all(label in drawn.content.decode() for label in ("Revenue", "Order lines", "Line value"))


def test_a_tree_that_went_out_can_be_read_in_again(shop: Shop, ada: Any) -> None:
    shop.govern("lines", level="driver", owner_role="Head of sales", pitfalls="Returns are lines too.")
    driver, outcome = shop.metric("lines"), shop.metric("line_value")
    actions.add_influence(actor=shop.actor, driver=driver, outcome=outcome, sign=-1, lag=2, grain="week")
    written = yaml.safe_load(ada.browser.get("/metrics/tree/revenue.yml").content)
    whole = ada.call("get", "/tree").json()
    Component.objects.all().delete()
    Influence.objects.all().delete()
    shop.govern("lines", level="input", owner_role="", pitfalls="")
    apply_tree(shop.actor, written)
    assert ada.call("get", "/tree").json() == whole


def test_the_rules_of_the_page_are_those_of_the_picture(shop: Shop, ada: Any) -> None:
    told = ada.browser.get("/metrics/tree.css")
    assert told["Content-Type"].startswith("text/css") and told.content.decode() == page_rules()


def test_the_formula_is_set_and_taken_away_over_http(shop: Shop, ada: Any, vi: Any) -> None:
    told = ada.call("put", "/metrics/revenue/formula", {"formula": "lines * line_valu"})
    assert told.status_code == 422 and "Did you mean line_value?" in str(told.json())
    ring = ada.call("put", "/metrics/lines/formula", {"formula": "revenue / line_value"})
    assert ring.status_code == 422 and "→" in str(ring.json())
    assert vi.call("put", "/metrics/revenue/formula", {"formula": ""}).status_code == 403
    assert ada.call("put", "/metrics/revenue/formula", {"formula": ""}).json()["formula"] == ""
    assert ada.call("get", "/metrics/revenue/tree").json()["nodes"][0]["children"] == []
