"""Plain words and how they are read: recipe, period, segments; what is missing is said."""

from __future__ import annotations

import pytest

from potager.insight.questions.understanding import understand
from tests.insight.shop import LAST, Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("words", "recipe", "slots"),
    [
        ("Why did revenue fall in February 2024?", "change", {"metric": "revenue", "period": "2024-02"}),
        ("why did turnover change last month", "change", {"metric": "revenue", "period": "2024-02"}),
        ("What happened to order lines this month?", "change", {"metric": "lines", "period": "2024-03"}),
        ("Did revenue grow in 2024-02?", "change", {"period": "2024-02", "against": "previous"}),
        (
            "Why did revenue drop in March against January?",
            "change",
            {"period": "2024-03", "against": "2024-01"},
        ),
        ("Why did line value move in Q1 2024?", "change", {"metric": "line_value", "period": "2024-Q1"}),
        ("Why did revenue in France change in February?", "change", {"where": ["country=France"]}),
        ("Will revenue reach 30k this month?", "target", {"period": "2024-03", "value": 30_000.0}),
        ("Will we hit £1.2m of revenue in 2024?", "target", {"period": "2024", "value": 1_200_000.0}),
        ("Will revenue reach its target this quarter?", "target", {"period": "2024-Q1", "value": None}),
        (
            "Do Germany and France differ in revenue per buyer?",
            "compare",
            {"dimension": "country", "a": "Germany", "b": "France", "unit": "buyer"},
        ),
        (
            "Revenue 2024-03-01 to 2024-03-07: why did it move?",
            "change",
            {"period": "2024-03-01..2024-03-07"},
        ),
        ("WHY DID REVENUE CHANGE YESTERDAY?", "change", {"period": "2024-03-19"}),
    ],
)
def test_plain_words_are_read_as_recipe_and_slots(shop: Shop, words: str, recipe: str, slots: dict) -> None:
    read = understand(shop.actor, words, LAST)
    assert read.complete, read.missing
    assert read.recipe == recipe
    assert {name: read.slots.get(name) for name in slots} == slots


def test_the_longest_name_wins(shop: Shop) -> None:
    assert understand(shop.actor, "why did line value fall", LAST).slots["metric"] == "line_value"


def test_what_was_understood_is_shown_with_the_words_that_said_it(shop: Shop) -> None:
    read = understand(shop.actor, "Why did Turnover fall in february 2024?", LAST)
    assert {(part.role, part.words, part.reading) for part in read.found} >= {
        ("metric", "Turnover", "Revenue"),
        ("period", "february 2024", "February 2024"),
    }


@pytest.mark.parametrize("words", ["how is the weather?", "revenues-like things", "?"])
def test_words_without_a_metric_are_not_guessed_at(shop: Shop, words: str) -> None:
    read = understand(shop.actor, words, LAST)
    if words.startswith("revenues"):
        assert read.slots["metric"] == "revenue"
    else:
        assert not read.complete and "No governed metric" in read.missing[0]


def test_two_metrics_of_one_name_are_asked_back(shop: Shop) -> None:
    shop.govern("lines", synonyms=["sales"])
    shop.govern("revenue", synonyms=["sales"])
    read = understand(shop.actor, "why did sales fall?", LAST)
    assert read.missing == ["Which metric do you mean?"]
    assert {metric.name for metric in read.choices} == {"lines", "revenue"}


def test_a_comparison_without_segments_says_what_is_missing_or_is_a_change(shop: Shop) -> None:
    read = understand(shop.actor, "Is revenue in France higher?", LAST)
    assert (read.recipe, read.slots["a"], read.slots["b"]) == ("compare", "France", "")


def test_last_month_is_counted_from_where_the_data_ends(shop: Shop) -> None:
    from datetime import date

    read = understand(shop.actor, "why did revenue change last month", date(2024, 9, 1))
    assert read.slots["period"] == "2024-02"
    assert read.notes == ["The data ends on 20 March 2024; 'last' and 'this' are read from there."]
