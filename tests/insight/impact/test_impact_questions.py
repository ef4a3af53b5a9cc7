"""The CFO's question in words, by slots and in the API: one figure."""

from __future__ import annotations

import json

import pytest

from potager.insight.impact import actions
from potager.insight.impact.ledger import ledger
from potager.insight.questions import actions as questions
from potager.insight.questions.answering import run_again
from potager.insight.questions.understanding import understand
from potager.kit.clock import today
from tests.insight.impact.test_ledger import observed


@pytest.mark.parametrize(
    ("text", "recipe", "slots"),
    [
        ("what did the guided setup bet do for revenue?", "impact", {"bet": "guided", "metric": "revenue"}),
        ("What did guided setup do?", "impact", {"bet": "guided"}),
        (
            "what did product investments return last year?",
            "portfolio",
            {"show": "returns", "period": "2024"},
        ),
        ("which of our claims are weakest?", "portfolio", {"show": "weakest"}),
        ("What have our bets returned in 2024?", "portfolio", {"show": "returns", "period": "2024"}),
    ],
)
def test_questions_in_words_are_read(app, text, recipe, slots):
    app.launched()
    read = understand(app.actor, text, today())
    assert (read.recipe, dict(read.slots), list(read.missing)) == (recipe, slots, [])


@pytest.mark.parametrize("text", ["why did revenue change last month?", "did returns fall in march?"])
def test_questions_about_a_metric_stay_questions_about_a_metric(app, text):
    app.launched()
    assert understand(app.actor, text, today()).recipe == "change"


def test_two_bets_of_one_word_are_asked_back(app):
    app.launched(key="setup-1", name="Guided setup")
    app.launched(key="payments-1", name="Guided payments")
    read = understand(app.actor, "what did the guided bet do?", today())
    assert "Guided setup" in read.missing[0] and "Guided payments" in read.missing[0]


def test_the_same_figure_in_the_ledger_in_words_and_over_http(app, ada):
    observed(app)
    kept = questions.ask_once(
        actor=app.actor, recipe="portfolio", slots={}, words="What did investments return?"
    )
    found = ledger(app.actor, today())
    over_http = json.loads(ada.call("get", "/impact/ledger").content)
    assert kept.estimate == found.total.returned[0]
    assert over_http["total"]["returned"]["estimate"] == pytest.approx(kept.estimate)
    assert kept.statement.startswith("Product investments of €5,000 returned")
    assert kept.verdict == "yes"


def test_what_a_bet_did_has_a_receipt_that_runs_again(app):
    observed(app)
    kept = questions.ask_once(actor=app.actor, recipe="impact", slots={"bet": "guided"})
    assert kept.low < kept.estimate < kept.high
    assert kept.evidence_class == "experiment"
    equal, _ = run_again(app.actor, kept)
    assert equal


def test_a_bet_that_cannot_be_told_is_a_refusal(app):
    observed(app, design={"panel": {"by": "country", "treated": ["DE"], "controls": ["FR"]}})
    kept = questions.ask_once(actor=app.actor, recipe="impact", slots={"bet": "guided"})
    assert kept.verdict == "cannot_tell"
    assert kept.refusal["because"]


def test_no_bets_is_a_refusal_that_says_what_to_do(app):
    kept = questions.ask_once(actor=app.actor, recipe="portfolio", slots={})
    assert kept.verdict == "cannot_tell"
    assert "Register a bet" in kept.refusal["mend"]


def test_the_weakest_claim_is_named(app):
    observed(app)
    bet = app.launched(key="hope", name="Hope", design={"belief": {"low": 100, "high": 900}})
    actions.observe(actor=app.actor, bet=bet, age=90)
    kept = questions.ask_once(actor=app.actor, recipe="portfolio", slots={"show": "weakest"})
    assert "The weakest claim is that of Hope" in kept.statement
    assert kept.verdict == "no"


def test_what_is_only_believed_is_no_answer(app):
    bet = app.launched(key="hope", name="Hope", design={"belief": {"low": 100, "high": 900}})
    actions.observe(actor=app.actor, bet=bet, age=90)
    kept = questions.ask_once(actor=app.actor, recipe="impact", slots={"bet": "hope"})
    assert kept.verdict == "cannot_tell"
    assert "Nothing was measured" in kept.refusal["because"]
    assert kept.estimate is None


def test_a_bet_is_asked_about_for_a_metric_further_up(app):
    observed(app, metric="orders", predicted={})
    kept = questions.ask_once(
        actor=app.actor, recipe="impact", slots={"bet": "guided", "metric": "revenue"}, words="for revenue"
    )
    assert kept.unit == "EUR"
    assert kept.figures["weakest"] == "Effect on orders"
    own = questions.ask_once(actor=app.actor, recipe="impact", slots={"bet": "guided", "metric": "orders"})
    assert own.unit == "orders"
    nowhere = questions.ask_once(
        actor=app.actor, recipe="impact", slots={"bet": "guided", "metric": "returns"}
    )
    assert "No edge of the tree" in nowhere.refusal["because"]
