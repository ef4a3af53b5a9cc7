"""The ask box: why our MRR is not the number by other rules; every cent by its rule, or why none can be told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from potager.ground.records.checks import keep
from potager.insight.questions.actions import ask_once
from potager.insight.questions.answering import run_again
from potager.insight.questions.understanding import understand
from potager.insight.revenue import why
from potager.insight.revenue.models import Policy
from potager.kit.clock import today
from potager.kit.errors import Invalid
from tests.insight.revenue.conftest import put
from tests.insight.revenue.test_books import described, load
from tests.insight.revenue.test_why import DISCOUNTED


@pytest.fixture
def book(own: Any, ada: Any) -> Any:
    put("billing.terms", DISCOUNTED)
    return load(ada, described(ada))


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Why is our MRR not Stripe's?", None, "stripe"),
        ("why is our mrr not the same as Stripe’s", None, "stripe"),
        ("Why is it not Stripe's number?", None, "stripe"),
        ("why does ChartMogul say something else?", None, "chartmogul"),
        ("Why does Chart Mogul's page show a different MRR?", None, "chartmogul"),
        ("Why is MRR by profitwell not that by stripe?", "profitwell", "stripe"),
        ("Why doesn't our MRR match ProfitWell's?", None, "profitwell"),
        ("Why does our number differ from the list price?", None, "list_price"),
        ("What explains MRR by stripe against MRR by chartmogul?", "stripe", "chartmogul"),
    ],
)
def test_the_words_are_read_as_a_question_of_two_policies(
    book: Any, vi: Any, text: str, first: str | None, second: str
) -> None:
    read = understand(vi.actor, text, today())
    assert read.recipe == "reconcile"
    assert read.complete, read.missing
    assert (read.slots.get("first"), read.slots["second"]) == (first, second)
    assert read.slots["book"] == str(book.pk)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Why did revenue change last month?",
        "Why is MRR not growing?",
        "Why did Stripe fees rise in March?",
        "Did revenue from Stripe fall?",
        "Why does Stripe say 3 customers left?",
        "Are numbers on list prices higher in France than in Spain?",
    ],
)
def test_other_words_are_left_to_other_kinds(book: Any, vi: Any, text: str) -> None:
    assert understand(vi.actor, text, today()).recipe != "reconcile"


def test_of_several_books_it_asks_which_and_takes_the_one_that_is_named(book: Any, ada: Any, vi: Any) -> None:
    other = described(ada, name="Second")
    read = understand(vi.actor, "Why is our MRR not Stripe's?", today())
    assert read.missing == ["Which book do you mean: Main, Second?"]
    named = understand(vi.actor, "Why is the MRR of Second not Stripe's?", today())
    assert named.slots["book"] == str(other.pk)
    with pytest.raises(Invalid, match="does not say which book"):
        ask_once(actor=vi.actor, recipe="reconcile", slots={"second": "stripe"})


def test_the_answer_is_the_difference_and_its_rules_add_up_to_it(book: Any, ada: Any) -> None:
    answer = ask_once(
        actor=ada.actor, recipe="reconcile", slots={"second": "stripe"}, words="Why is our MRR not Stripe's?"
    )
    found = why.difference(book, "chartmogul", "stripe")
    assert answer.verdict == "yes"
    assert answer.evidence_class == "exact arithmetic"
    assert answer.estimate == answer.low == answer.high == 20
    assert {one["title"]: one["amount"] for one in answer.drivers} == {
        why.knob_says(part).capitalize(): cents / 100 for _, part, cents in found.by_knob
    }
    assert sum(one["amount"] for one in answer.drivers) == answer.estimate
    assert all(check["passed"] for check in answer.checks)
    assert answer.receipt["snapshots"]["billing.terms"] == book.snapshots["billing.terms"]
    page = ada.browser.get(answer.url())
    assert page.status_code == 200
    assert ada.browser.get(f"{answer.url()}/bridge.svg").status_code == 200


def test_it_is_asked_over_http_as_in_the_box(book: Any, ada: Any) -> None:
    page = ada.browser.get("/ask", {"q": "Why is our MRR not Stripe's?"})
    assert page.status_code in {200, 302}


def test_it_runs_again_to_the_same_figures_after_another_load(book: Any, ada: Any) -> None:
    answer = ask_once(actor=ada.actor, recipe="reconcile", slots={"first": "chartmogul", "second": "stripe"})
    put("billing.terms", DISCOUNTED[:1], load_id="two")
    later = load(ada, book)
    later.through = date(2024, 12, 31)
    later.save()
    assert why.difference(later, "chartmogul", "stripe").first == {"EUR": 5_000}
    equal, _ = run_again(ada.actor, answer)
    assert equal


def test_it_can_be_asked_of_a_day_and_a_rule_may_set_a_threshold(book: Any, ada: Any) -> None:
    answer = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe", "on": "2024-10-31"})
    assert answer.estimate == 50
    assert answer.figures["on"] == "2024-10-31"
    with pytest.raises(Invalid, match="is not a day"):
        ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe", "on": "soon"})
    with pytest.raises(Invalid, match="no policy mine"):
        ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "mine"})


def test_where_no_rule_differs_it_says_that_it_is_the_same_figure(own: Any, ada: Any) -> None:
    put("billing.terms", [row for row in DISCOUNTED if row["customer"] == "forever"])
    load(ada, described(ada))
    answer = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe"})
    assert answer.verdict == "yes"
    assert answer.estimate == 0
    assert answer.drivers == []
    assert ada.browser.get(answer.url()).status_code == 200


def test_without_a_book_a_load_or_two_policies_it_cannot_tell_and_says_why(own: Any, ada: Any) -> None:
    none = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe"})
    assert (none.verdict, none.refusal["reason"]) == ("cannot_tell", "incomplete")
    put("billing.terms", DISCOUNTED)
    book = described(ada)
    unloaded = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe"})
    assert "was not loaded yet" in unloaded.refusal["because"]
    load(ada, book)
    same = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "chartmogul"})
    assert "is counted by chartmogul already" in same.refusal["because"]
    assert ada.browser.get(same.url()).status_code == 200


def test_a_policy_of_the_organizations_own_is_compared_like_any_other(book: Any, ada: Any, vi: Any) -> None:
    keep(Policy(name="board_net", based_on="stripe", discounts="all", because="The board decided so."))
    read = understand(vi.actor, "Why is MRR by stripe not that by board net?", today())
    assert (read.recipe, read.slots["first"], read.slots["second"]) == ("reconcile", "stripe", "board_net")
    answer = ask_once(actor=ada.actor, recipe="reconcile", slots=dict(read.slots))
    assert [(one["title"], one["amount"]) for one in answer.drivers] == [
        ("Which discounts lower a price", -50)
    ]
    page = vi.browser.get(f"{book.url()}/why?first=stripe&second=board_net")
    assert "The board decided so." in page.content.decode()


def test_what_their_page_shows_is_read_from_the_words_and_the_rest_is_named_unexplained(
    book: Any, ada: Any, vi: Any
) -> None:
    read = understand(vi.actor, "Why does Stripe say €151.50?", today())
    assert (read.recipe, read.slots["second"], read.slots["stated"]) == ("reconcile", "stripe", "€151.50")
    answer = ask_once(actor=ada.actor, recipe="reconcile", slots=dict(read.slots))
    assert answer.verdict == "no"
    assert answer.drivers[-1]["unexplained"]
    assert answer.drivers[-1]["amount"] == 1.5
    assert sum(one["amount"] for one in answer.drivers) == answer.estimate == 21.5
    assert answer.statement.endswith("Stripe's own page shows €151.50: €1.50 more, which no rule explains.")
    assert not answer.checks[0]["passed"]
    assert ada.browser.get(f"{answer.url()}/bridge.svg").status_code == 200
    equal = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe", "stated": 150})
    assert equal.verdict == "yes"
    same = ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "chartmogul", "stated": "0.2k"})
    assert [one["amount"] for one in same.drivers] == [70]
    with pytest.raises(Invalid, match="is not an amount"):
        ask_once(actor=ada.actor, recipe="reconcile", slots={"second": "stripe", "stated": "much"})
