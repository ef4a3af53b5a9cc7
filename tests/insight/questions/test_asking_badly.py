"""Whatever is asked, by slot or in plain words, the answer is a sentence and never an error of the server."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potager.insight.questions.understanding import understand
from potager.kit.errors import Problem
from tests.insight.shop import LAST, Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "words",
    [
        "Why did revenue change in 2024-13?",
        "Why did revenue change in 2024-02-31?",
        "Why did revenue change in February 0000?",
        "Why did revenue change from 2024-02-30 to 2024-03-99?",
    ],
)
def test_a_day_that_no_calendar_has_is_asked_back(shop: Shop, words: str) -> None:
    read = understand(shop.actor, words, LAST)
    assert not read.complete and "no calendar has" in read.missing[0]
    assert read.slots["metric"] == "revenue"


def test_two_days_the_wrong_way_round_are_read_the_right_way_round(shop: Shop) -> None:
    read = understand(shop.actor, "revenue 2024-03-07 to 2024-03-01: why did it move?", LAST)
    assert read.slots["period"] == "2024-03-01..2024-03-07"


@pytest.mark.parametrize(
    ("recipe", "slots", "says"),
    [
        ("oracle", {}, "There is no recipe oracle"),
        ("change", {}, "does not say which metric"),
        ("change", {"metric": "weed", "period": "2024-02"}, "There is no metric weed"),
        ("change", {"metric": "revenue", "period": 7}, "cannot be read as a period"),
        ("change", {"metric": "revenue", "period": "0001-01"}, "outside the calendar"),
        ("change", {"metric": "revenue", "period": "2024-02", "against": "soon"}, "cannot be read as a period"),
        ("change", {"metric": "revenue", "period": "2024-02", "by": ["weed"]}, "weed"),
        ("change", {"metric": "revenue", "period": "2024-02", "where": "country"}, "is not a condition"),
        ("change", {"metric": "revenue", "period": "2024-02", "by": 7}, "list of texts"),
        ("change", {"metric": "revenue", "period": "2024-02", "by": [["country"]]}, "list of texts"),
        ("change", {"metric": "revenue", "period": "2024-02", "by": {"country": 1}}, "list of texts"),
        ("change", {"metric": "revenue", "period": "2024-02", "where": [7]}, "list of texts"),
        ("change", {"metric": "revenue", "period": "2024-02", "where": True}, "list of texts"),
        ("change", {"metric": ["revenue"], "period": "2024-02"}, "There is no metric"),
        ("target", {"metric": "revenue", "period": "2024-03", "value": "many"}, "'many' is not a number"),
        ("target", {"metric": "revenue", "period": "2024-03", "value": "nan"}, "'nan' is not a number"),
        ("target", {"metric": "revenue", "period": "2024-03", "value": [1]}, "is not a number"),
        ("compare", {"metric": "revenue", "period": "2024-03"}, "does not say which dimension"),
        (
            "compare",
            {"metric": "revenue", "period": "2024-03", "dimension": "weed", "a": "x", "unit": "buyer"},
            "weed",
        ),
        (
            "compare",
            {"metric": "revenue", "period": "2024-03", "dimension": "country", "a": "x", "unit": "weed"},
            "weed",
        ),
    ],
)  # fmt: skip
def test_a_slot_that_cannot_be_gets_a_sentence(
    shop: Shop, recipe: str, slots: dict[str, Any], says: str
) -> None:
    with pytest.raises(Problem) as refused:
        shop.ask(recipe, **slots)
    assert says in refused.value.detail and refused.value.mend


def test_a_dimension_named_twice_is_split_by_once(shop: Shop, ada: Any) -> None:
    split = shop.ask("change", metric="revenue", period="2024-02", by=["country", "country"])
    assert list(split.figures["segments"]) == ["country"]
    told = ada.call("get", "/metrics/revenue/explain?period=2024-02&by=country&by=country")
    assert told.status_code == 200 and list(told.json()["segments"]) == ["country"]


def test_an_action_follows_from_an_answer_that_there_is(shop: Shop, ada: Any) -> None:
    body = {
        "words": "Did it move?",
        "recipe": "change",
        "slots": {"metric": "revenue", "period": "2024-02"},
        "actions": {"maybe": "Wait."},
    }
    told = ada.call("post", "/questions", body)
    assert told.status_code == 422 and "There is no answer maybe" in told.json()["detail"]


def test_a_number_is_read_with_its_thousands_separated(shop: Shop) -> None:
    answer = shop.ask("target", metric="revenue", period="2024-02", value="9,999,999")
    assert answer.figures["target"] == 9_999_999.0


def test_a_metric_whose_definition_was_taken_away_is_said_to_be_gone(shop: Shop) -> None:
    from potager.insight.metrics import actions
    from potager.insight.metrics.models import Source

    actions.withdraw(actor=shop.actor, source=Source.objects.get())
    with pytest.raises(Problem) as refused:
        shop.ask("change", metric="revenue", period="2024-02")
    assert "revenue" in refused.value.detail


def test_the_ends_of_the_calendar_are_a_sentence_on_the_tree_and_in_series(shop: Shop, ada: Any) -> None:
    for path in (
        "/metrics/revenue/tree?as_of=0001-01-01",
        "/metrics/revenue/tree?as_of=9999-12-31",
        "/metrics/revenue/value?period=0001",
        "/metrics/revenue/explain?period=0001",
        "/metrics/revenue/explain?period=2024-02&against=9998",
        "/metrics/revenue/series?grain=day&start=0001-01-01&end=9999-12-31",
        "/metrics/revenue/series?grain=day&start=2024-03-01&end=2024-02-01",
    ):
        assert ada.call("get", path).status_code in {200, 422}, path
    assert ada.browser.get("/metrics/tree/revenue?as_of=0001-01-01").status_code == 422


PIECES = st.sampled_from(
    ["why", "did", "revenue", "turnover", "lines", "fall", "in", "February", "2024", "2024-02", "99", "q9", "-",
     "last year", "against", "France", "Germany", "per buyer", "reach", "30k", "vs", "since", "%", "2024-99-99"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=9).map(" ".join) | st.text(max_size=40))
def test_any_words_are_read_or_something_is_said_to_be_missing(shop: Shop, words: str) -> None:
    read = understand(shop.actor, words, date(2024, 3, 20))
    assert read.complete != bool(read.missing)
    assert not read.complete or read.slots["metric"] in {"revenue", "lines", "line_value"}
