"""The ask box: what predicts keeping, what goes with churn; an association with its interval, never a cause."""

from __future__ import annotations

from typing import Any

import pytest

from potager.insight.questions.actions import ask_once
from potager.insight.questions.answering import run_again
from potager.insight.questions.understanding import understand
from potager.insight.usage.models import Stream
from potager.kit.clock import today


@pytest.mark.parametrize(
    ("text", "outcome", "event"),
    [
        ("What predicts keeping?", "keeping", None),
        ("what goes with churn?", "churn", None),
        ("Which features go with leaving?", "churn", None),
        ("What drives expansion?", "expansion", None),
        ("What makes customers stay?", "keeping", None),
        ("Do accounts that use export churn less?", "churn", "export"),
    ],
)
def test_the_words_are_read_as_a_question_of_relation(
    product: Stream, vi: Any, text: str, outcome: str, event: str | None
) -> None:
    read = understand(vi.actor, text, today())
    assert read.recipe == "relation"
    assert read.complete, read.missing
    assert read.slots["outcome"] == outcome
    assert read.slots.get("event") == event


@pytest.mark.parametrize("text", ["Why did revenue change last month?", "What happened to keeping?", ""])
def test_other_words_are_left_to_other_kinds(product: Stream, vi: Any, text: str) -> None:
    assert understand(vi.actor, text, today()).recipe != "relation"


def test_what_goes_with_churn_is_an_association_and_says_so(product: Stream, ada: Any) -> None:
    answer = ask_once(
        actor=ada.actor, recipe="relation", slots={"outcome": "churn"}, words="What goes with churn?"
    )
    assert answer.verdict == "yes"
    assert "export" in answer.statement
    assert answer.evidence_class == "correlated"
    assert answer.low < answer.estimate < answer.high < 0
    assert any(check["name"] == "confounders" and not check["passed"] for check in answer.checks)
    page = ada.browser.get(answer.url())
    assert page.status_code == 200
    assert ada.browser.get(f"{answer.url()}/related.svg").status_code == 200


def test_it_runs_again_to_the_same_figures(product: Stream, ada: Any) -> None:
    answer = ask_once(actor=ada.actor, recipe="relation", slots={"outcome": "churn", "event": "export"})
    equal, _ = run_again(ada.actor, answer)
    assert equal


def test_what_predicts_keeping_answers_or_says_why_not(product: Stream, ada: Any) -> None:
    answer = ask_once(actor=ada.actor, recipe="relation", slots={"outcome": "keeping"})
    assert answer.verdict in {"yes", "no", "cannot_tell"}
    assert answer.statement
    assert answer.receipt["snapshots"]["app.events"]


def test_an_outcome_that_does_not_exist_is_refused(product: Stream, ada: Any) -> None:
    from potager.kit.errors import Invalid

    with pytest.raises(Invalid, match="There is no outcome joy"):
        ask_once(actor=ada.actor, recipe="relation", slots={"outcome": "joy"})
