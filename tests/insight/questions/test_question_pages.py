"""The pages of questions and answers: what stands on them, who may do what, and forms that say what is wrong."""

from __future__ import annotations

from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.utils.html import strip_tags

from potager.insight.questions import actions
from potager.insight.questions.models import Answer, Question
from tests.insight.questions.test_answers import kept
from tests.insight.shop import LAST, Shop

pytestmark = pytest.mark.django_db
WORDS = "Why did revenue change in February 2024?"
GIVEN = {
    "words": WORDS,
    "recipe": "change",
    "slots": "metric: revenue\nperiod: 2024-02\nby: [country]",
    "cadence": "weekly",
    "decider": "Head of sales",
    "decision": "Whether to order more.",
    "rule_yes": "relative >= 0",
    "action_yes": "Order more.",
}


def asked(shop: Shop) -> tuple[Question, Answer]:
    question = kept(shop, decider="Head of sales", decision="Whether to order more.")
    return question, actions.ask(actor=shop.actor, question=question)


def test_every_page_of_questions_stands_for_owner_and_viewer(shop: Shop, ada: Any, vi: Any) -> None:
    question, answer = asked(shop)
    unanswered = kept(shop, words="Not asked yet")
    once = shop.ask("compare", metric="revenue", dimension="country", a="Germany", b="France",
                    unit="buyer", period="2024-02")  # fmt: skip
    refused = shop.ask("target", metric="revenue", period="2024-02")
    goal = shop.ask("target", metric="revenue", period="2024-03", value=1000)
    paths = (
        "/questions/", "/questions/?q=march", "/questions/?verdict=yes", "/questions/digest",
        "/questions/digest.atom", "/ask", "/ask?q=why+did+revenue+change", "/ask?q=weather",
        f"/questions/{question.pk}", f"/questions/{unanswered.pk}",
        *(f"/answers/{one.pk}" for one in (answer, once, refused, goal)),
        f"/answers/{answer.pk}/movement.svg", f"/answers/{answer.pk}/time.svg?theme=dark",
        f"/answers/{answer.pk}/movement.png", f"/answers/{answer.pk}/time.json?width=480",
        f"/answers/{once.pk}/groups.svg", f"/answers/{goal.pk}/time.svg",
    )  # fmt: skip
    for person in (ada, vi):
        found = {path: person.browser.get(path).status_code for path in paths}
        assert found == dict.fromkeys(paths, 200)
    changing = ("/questions/new", f"/questions/new?answer={answer.pk}", f"/questions/{question.pk}/edit")
    assert {path: ada.browser.get(path).status_code for path in changing} == dict.fromkeys(changing, 200)
    assert {path: vi.browser.get(path).status_code for path in changing} == dict.fromkeys(changing, 403)


def test_what_is_not_there_is_not_found_and_never_an_error(shop: Shop, ada: Any) -> None:
    _, answer = asked(shop)
    for path in (
        f"/questions/{uuid4()}", f"/answers/{uuid4()}", f"/answers/{answer.pk}/groups.svg",
        f"/answers/{answer.pk}/time.pdf", f"/answers/{answer.pk}/weed.svg", "/questions/new?answer=weed",
        f"/questions/new?answer={uuid4()}",
    ):  # fmt: skip
        assert ada.browser.get(path).status_code in {404, 422}, path


def test_who_is_not_signed_in_sees_no_answer(shop: Shop, client: Any) -> None:
    question, answer = asked(shop)
    for path in ("/questions/", f"/questions/{question.pk}", f"/answers/{answer.pk}", "/ask?q=revenue",
                 "/questions/digest", "/questions/digest.atom", f"/answers/{answer.pk}/time.svg"):  # fmt: skip
        told = client.get(path)
        assert told.status_code in {302, 401, 403, 404}, path
        assert b"evenue rose" not in told.content


def test_an_answers_page_shows_its_evidence_its_sql_and_who_decides(shop: Shop, ada: Any) -> None:
    question, answer = asked(shop)
    page = unescape(ada.browser.get(f"/questions/{question.pk}").content.decode())
    plain = strip_tags(page).replace("\u2060", "")  # what keeps a sign with its number
    assert answer.statement.replace("\u2060", "") in plain
    for said in ("Head of sales", "Whether to order more.", "SELECT", "shop.sales @",
                 answer.receipt["digest"][:24], "Order lines", "Line value"):  # fmt: skip
        assert said in page, said


def test_a_question_is_kept_by_form_and_answered_at_once(shop: Shop, ada: Any) -> None:
    told = ada.browser.post("/questions/new", GIVEN)
    question = Question.objects.get()
    assert told["Location"] == f"/questions/{question.pk}"
    assert question.slots == {"metric": "revenue", "period": "2024-02", "by": ["country"]}
    answer = question.answers.get()
    assert (answer.verdict, answer.action) == ("yes", "Order more.")
    edited = {**GIVEN, "rule_yes": "relative >= 900%", "action_no": "Wait."}
    assert ada.browser.post(f"/questions/{question.pk}/edit", edited).status_code == 302
    latest = question.answers.order_by("-created_at")[0]
    assert (latest.verdict, latest.action, latest.supersedes) == ("no", "Wait.", answer)


def test_a_period_of_a_year_is_not_mistaken_for_a_number(shop: Shop, ada: Any) -> None:
    """YAML reads a bare 2024 as a number and a bare day as a date; both are periods."""
    for period, says in (("2024", "2024"), ("2024-02-05", "5 February 2024")):
        ada.browser.post(
            "/questions/new", {**GIVEN, "slots": f"metric: revenue\nperiod: {period}\nagainst: 2024-01"}
        )
        assert says in Answer.objects.order_by("-created_at")[0].statement


def test_a_question_that_cannot_be_asked_is_shown_again_with_its_sentence(shop: Shop, ada: Any) -> None:
    for change, says in (
        ({"slots": "metric: revenu\nperiod: 2024-02"}, "Did you mean revenue?"),
        ({"slots": "metric: revenue"}, "does not say which period"),
        ({"slots": "metric: revenue\nperiod: soon"}, "cannot be read as a period"),
        ({"slots": "a: [1"}, "Write one 'name: value' per line"),
        ({"slots": "just words"}, "Write one 'name: value' per line"),
        ({"slots": "metric: revenue\nperiod: 2024-02\nwhere: weed=1"}, "weed"),
        ({"slots": "metric: revenue\nperiod: 2024-02\nby: [weed]"}, "weed"),
        ({"recipe": "target", "slots": "metric: revenue\nperiod: 2024-02\nvalue: many", "rule_yes": ""}, "many"),
        ({"recipe": "compare", "slots": "metric: revenue\nperiod: 2024-02", "rule_yes": ""}, "dimension"),
        ({"rule_yes": "probability >= 0.8"}, "has no probability"),
        ({"words": ""}, "required"),
        ({"recipe": "oracle"}, "oracle"),
    ):  # fmt: skip
        told = ada.browser.post("/questions/new", {**GIVEN, **change})
        assert told.status_code == 422, change
        assert says in unescape(told.content.decode()), change
    assert not Question.objects.exists() and not Answer.objects.exists()


def test_a_viewer_asks_but_keeps_and_changes_nothing(shop: Shop, vi: Any) -> None:
    question, _ = asked(shop)
    for path, body in (
        ("/questions/new", GIVEN),
        (f"/questions/{question.pk}/edit", GIVEN),
        (f"/questions/{question.pk}/status", {"status": "retired"}),
    ):
        assert vi.browser.post(path, body).status_code == 403, path
    question.refresh_from_db()
    assert (question.words, question.archived_at) == ("Why did revenue change in March?", None)


def test_a_question_is_acted_on_and_retired_and_then_not_asked_again(shop: Shop, ada: Any) -> None:
    question, _ = asked(shop)
    path = f"/questions/{question.pk}/status"
    ada.browser.post(path, {"status": "acted"})
    question.refresh_from_db()
    assert question.status == "acted" and question.next_ask_at is not None
    assert ada.browser.post(path, {"status": "weed"}).status_code == 422
    ada.browser.post(path, {"status": "retired"})
    question.refresh_from_db()
    assert question.archived_at is not None and question.next_ask_at is None
    assert ada.browser.get(f"/questions/{question.pk}").status_code == 404


def test_looking_asks_nothing_and_posting_asks_again(shop: Shop, ada: Any) -> None:
    question, answer = asked(shop)
    ada.browser.get(f"/questions/{question.pk}/ask")
    ada.browser.get(f"/answers/{answer.pk}/rerun")
    assert question.answers.count() == 1
    ada.browser.post(f"/questions/{question.pk}/ask")
    assert question.answers.count() == 2
    page = ada.browser.post(f"/answers/{answer.pk}/rerun", follow=True).content.decode()
    assert "every figure came out the same" in page


def test_the_ask_box_says_what_it_understood_and_what_it_did_not(shop: Shop, ada: Any) -> None:
    told = ada.browser.post("/ask", {"q": WORDS})
    answer = Answer.objects.get()
    assert told["Location"] == f"/answers/{answer.pk}" and answer.words == WORDS
    weather = unescape(ada.browser.post("/ask", {"q": "how is the weather?"}).content.decode())
    assert (
        "No governed metric is named in the question." in weather and 'value="how is the weather?"' in weather
    )
    assert Answer.objects.count() == 1
    shown = unescape(
        ada.browser.get("/ask", {"q": "Why did Turnover fall in February 2024?"}).content.decode()
    )
    assert "February 2024" in shown and "Revenue" in shown and Answer.objects.count() == 1


def test_the_ask_box_never_takes_words_for_markup(shop: Shop, ada: Any) -> None:
    for words in ("<script>alert(1)</script> revenue?", 'revenue"><img src=x onerror=alert(1)>'):
        page = ada.browser.get("/ask", {"q": words}).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page


def test_a_signed_picture_of_an_answer_is_that_picture_only(shop: Shop, ada: Any, client: Any) -> None:
    _, answer = asked(shop)
    other = shop.ask("change", metric="revenue", period="2024-02")
    embed = urlsplit(ada.browser.get(f"/answers/{answer.pk}").context["embed"])
    told = client.get(f"{embed.path}?{embed.query}")
    assert told.status_code == 200 and told.content.startswith(b"\x89PNG")
    key = embed.query.removeprefix("key=")
    for path in (
        f"{embed.path}?key={key[:-1]}{'A' if key[-1] != 'A' else 'B'}",
        f"{embed.path}?key=",
        f"/answers/{answer.pk}/time.png?key={key}",
        f"/answers/{answer.pk}/movement.svg?key={key}",
        f"/answers/{other.pk}/movement.png?key={key}",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get(f"/answers/{answer.pk}?key={key}").status_code == 302


def test_a_picture_of_an_answer_stays_as_it_was_when_data_comes(shop: Shop, ada: Any) -> None:
    from datetime import timedelta

    _, answer = asked(shop)
    before = ada.browser.get(f"/answers/{answer.pk}/movement.json").json()
    shop.append(LAST + timedelta(days=1), LAST + timedelta(days=5))
    assert ada.browser.get(f"/answers/{answer.pk}/movement.json").json() == before


# Over HTTP


def test_questions_and_answers_over_http(shop: Shop, ada: Any, vi: Any) -> None:
    body = {"words": WORDS, "recipe": "change", "slots": {"metric": "revenue", "period": "2024-02"}}
    assert vi.call("post", "/questions", body).status_code == 403
    made = ada.call("post", "/questions", body)
    assert made.status_code == 201
    key = made.json()["id"]
    answer = ada.call("post", f"/questions/{key}/ask").json()
    assert answer["verdict"] == "yes" and answer["question_id"] == key
    assert [one["id"] for one in vi.call("get", f"/questions/{key}/answers").json()["items"]] == [
        answer["id"]
    ]
    assert vi.call("post", f"/answers/{answer['id']}/rerun").json()["equal"] is True
    once = vi.call(
        "post", "/answers", {"recipe": "change", "slots": {"metric": "lines", "period": "2024-02"}}
    )
    assert once.status_code == 201 and once.json()["estimate"] == 290 - 310
    bad = {**body, "slots": {"metric": "revenue", "period": "2024-02", "value": "many"}, "recipe": "target"}
    assert ada.call("post", "/questions", bad).status_code == 422


def test_plain_words_over_http_are_answered_or_what_is_missing_is_said(shop: Shop, vi: Any) -> None:
    told = vi.call("post", "/ask", {"text": WORDS})
    assert told.status_code == 200 and told.json()["estimate"] == pytest.approx(2270 + 1620, abs=5000)
    missing = vi.call("post", "/ask", {"text": "how is the weather?"})
    assert missing.status_code == 422 and "No governed metric" in missing.json()["detail"]
    read = vi.call("post", "/ask/understand", {"text": "Is revenue higher in France?"}).json()
    assert read["recipe"] == "compare" and {"role", "words", "reading"} == set(read["found"][0])
