"""The wholesaler's answers: a change adds up, December is set against the same days, receipts run again."""

from __future__ import annotations

import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from potager.ground.access.actors import actor_of
from potager.insight.metrics import treeview
from potager.insight.questions import answering
from potager.insight.questions.models import Answer
from tests.insight.lakes import own_lake, place_in
from tests.insight.retail.conftest import TREE
from tests.insight.retail.oracle import Oracle
from tests.insight.shop import Shop

pytestmark = [pytest.mark.retail, pytest.mark.django_db]
LAST = date(2011, 12, 9)
OCTOBER = (date(2011, 10, 1), date(2011, 10, 31))
NOVEMBER = (date(2011, 11, 1), date(2011, 11, 30))
LEAVES = {
    "customers", "orders_per_customer", "anonymous_orders", "items_per_order", "average_unit_price",
    "cancellations", "value_per_cancellation", "adjustments", "voided_orders",
}  # fmt: skip


def test_what_drove_november_adds_up_at_the_root_and_over_countries(
    wholesaler: Shop, ada: Any, oracle: Oracle
) -> None:
    told = ada.call(
        "get", "/metrics/revenue/explain?period=2011-11&against=2011-10&by=country&by=customer_known"
    ).json()
    change = oracle.between("revenue", *NOVEMBER) - oracle.between("revenue", *OCTOBER)
    assert told["change"] == pytest.approx(change, abs=0.005)
    splits = [told["tree"], *told["segments"].values()]
    assert len(splits) == 3 and told["refusals"] == {}
    for split in splits:
        added = math.fsum([*(part["contribution"] for part in split["parts"]), split["unexplained"]])
        assert abs(added - told["change"]) <= 1e-9 * told["after"]
    assert {part["name"] for part in told["tree"]["parts"]} == LEAVES
    assert abs(told["tree"]["unexplained"]) <= 1e-9 * told["after"]
    countries = {part["name"]: part["contribution"] for part in told["segments"]["country"]["parts"]}
    for place in ("United Kingdom", "Germany", "EIRE"):
        where = f"country = '{place}'"
        expected = oracle.between("revenue", *NOVEMBER, where) - oracle.between("revenue", *OCTOBER, where)
        assert countries[place] == pytest.approx(expected, abs=0.005)


def test_every_parent_of_the_tree_equals_its_formula_on_the_real_data(wholesaler: Shop) -> None:
    view = treeview.view(wholesaler.actor, "revenue", as_of=date(2011, 11, 30), spark=False)
    held = {name: node.holds for name, node in view.nodes.items() if node.formula}
    assert held and set(held.values()) == {True}
    assert set(held) <= set(TREE["components"])


@pytest.mark.parametrize("against", ["previous", "year"])
def test_december_is_set_against_the_same_nine_days_and_has_not_collapsed(
    wholesaler: Shop, oracle: Oracle, against: str
) -> None:
    answer = wholesaler.ask("change", LAST, metric="revenue", period="2011-12", against=against)
    first = date(2011, 11, 1) if against == "previous" else date(2010, 12, 1)
    before = oracle.between("revenue", first, first.replace(day=9))
    after = oracle.between("revenue", date(2011, 12, 1), LAST)
    assert answer.figures["before"] == pytest.approx(before, abs=0.005)
    assert answer.figures["after"] == pytest.approx(after, abs=0.005)
    assert answer.estimate == pytest.approx(after - before, abs=0.005)
    assert "against the same days" in answer.statement
    assert any(check["name"] == "whole periods" for check in answer.checks)
    collapse = oracle.between("revenue", *NOVEMBER)
    assert answer.estimate / before > after / collapse - 1, (
        "nine days against thirty would have been a collapse"
    )


def test_a_period_before_the_data_begins_cannot_be_told(wholesaler: Shop) -> None:
    answer = wholesaler.ask("change", LAST, metric="revenue", period="2011-11", against="year")
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "incomplete")
    assert "1 December 2010" in answer.refusal["because"]


def test_november_met_its_target_by_the_figure_itself(wholesaler: Shop, oracle: Oracle) -> None:
    answer = wholesaler.ask("target", LAST, metric="revenue", period="2011-11")
    actual = oracle.between("revenue", *NOVEMBER)
    assert answer.estimate == pytest.approx(actual, abs=0.005)
    assert answer.verdict == ("yes" if actual >= 1_200_000 else "at_risk" if actual >= 1_100_000 else "no")


def test_december_is_forecast_from_what_is_in_and_never_below_it(wholesaler: Shop, oracle: Oracle) -> None:
    answer = wholesaler.ask("target", LAST, metric="revenue", period="2011-12")
    so_far = oracle.between("revenue", date(2011, 12, 1), LAST)
    assert answer.drivers[0]["amount"] == pytest.approx(so_far, abs=0.005)
    assert so_far < answer.low < answer.estimate < answer.high
    assert 0 < answer.figures["probability"] < 1
    assert sum(driver["amount"] for driver in answer.drivers) == pytest.approx(answer.estimate)


def test_plain_words_about_the_wholesaler_are_understood(wholesaler: Shop) -> None:
    from potager.insight.questions.understanding import understand

    for words, recipe, slots in (
        ("Why did turnover change in November 2011?", "change", {"metric": "revenue", "period": "2011-11"}),
        ("Did average order value fall last month in Germany?", "change",
         {"metric": "average_order_value", "period": "2011-11", "where": ["country=Germany"]}),
        ("Will sales reach £1.4m this month?", "target", {"metric": "revenue", "period": "2011-12", "value": 1.4e6}),
        ("Do Germany and France differ in revenue per customer?", "compare",
         {"metric": "revenue_per_customer", "a": "Germany", "b": "France", "unit": "customer"}),
    ):  # fmt: skip
        read = understand(wholesaler.actor, words, LAST)
        assert read.complete and read.recipe == recipe, (words, read)
        assert {name: read.slots.get(name) for name in slots} == slots


def test_the_demonstration_is_built_from_the_file_and_every_answer_runs_again_to_the_same(
    real_file: Path, tmp_path: Path, settings: Any, db: Any
) -> None:
    from potager.demo import loading

    said: list[str] = []
    with own_lake(settings, place_in(tmp_path)):
        built = loading.retail(real_file, said.append)
        assert "541,909 rows imported, 0 set aside." in said
        answers = list(Answer.objects.select_related("question"))
        assert len(answers) == built.questions
        verdicts = {answer.words: answer.verdict for answer in answers}
        assert verdicts["Has revenue collapsed in December?"] == "no"
        bring_a_later_line()
        owner = actor_of(built.owner, via="web")
        for answer in answers:
            answer.refresh_from_db()
            equal, digest = answering.run_again(owner, answer)
            assert equal and digest == answer.receipt["digest"], answer.words


def bring_a_later_line() -> None:
    """Append a line that would change nearly every figure."""
    from potager.ground.lake.service import lake

    schema = lake().schema("retail.order_lines")
    line: dict[str, Any] = {
        "invoice_no": "900000", "stock_code": "X", "description": "x", "quantity": 5, "unit_price": 10_000.0,
        "country": "France", "customer_id": 1, "invoice_date": datetime(2011, 12, 9, 13),
    }  # fmt: skip
    lake().append("retail.order_lines", pa.Table.from_pylist([line], schema=schema), load_id="later")
