"""The week in answers: what changed, to each what they may see, as a page, as Atom, as a mail with its picture."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core import mail as postbox

from potager.ground.access.actors import machine
from potager.ground.jobs.models import Job
from potager.ground.jobs.work import enqueue, run_job
from potager.insight.questions import actions, digest, upkeep
from potager.insight.questions.models import Answer, Question
from potager.kit.clock import held, now
from tests.insight.questions.test_answers import kept
from tests.insight.shop import LAST, Shop

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def turned(shop: Shop) -> tuple[Answer, Answer]:
    """A question whose answer went from yes to no."""
    question = kept(shop, rule={"yes": "relative >= 0"})
    first = actions.ask(actor=shop.actor, question=question)
    question = actions.change_question(
        actor=shop.actor, question=question, values={"rule": {"yes": "relative >= 9"}}
    )
    return first, actions.ask(actor=shop.actor, question=question)


def send(moment: Any = None) -> dict[str, Any]:
    job = enqueue(machine("Potager"), digest.JOB, "Mail the weekly digest")
    run_job.call(str(job.pk))
    job.refresh_from_db()
    found: dict[str, Any] = job.result
    return found


def test_what_turned_is_told_apart_from_what_stayed(shop: Shop) -> None:
    _, later = turned(shop)
    steady = kept(
        shop, words="Did revenue change in February?", slots={"metric": "revenue", "period": "2024-02"}
    )
    actions.ask(actor=shop.actor, question=steady)
    again = actions.ask(actor=shop.actor, question=steady)
    week = digest.of_week(shop.actor, now())
    assert [entry["answer"] for entry in week["changed"]] == [later]
    assert week["changed"][0]["differences"][0].startswith("Yes became no")
    assert [entry["answer"] for entry in week["steady"]] == [again]


def test_a_week_holds_seven_days_and_no_answer_of_another(shop: Shop) -> None:
    turned(shop)
    assert digest.of_week(shop.actor, now() + timedelta(days=6, hours=23))["changed"]
    later = digest.of_week(shop.actor, now() + timedelta(days=8))
    assert not later["changed"] and not later["steady"]
    assert not digest.of_week(shop.actor, now() - timedelta(days=1))["changed"]


def test_an_answer_to_no_kept_question_is_nobodys_news(shop: Shop) -> None:
    shop.ask("change", metric="revenue", period="2024-02")
    week = digest.of_week(shop.actor, now())
    assert not week["changed"] and not week["steady"]


def test_the_feed_is_atom_and_every_entry_leads_to_its_answer(shop: Shop, ada: Any) -> None:
    _, later = turned(shop)
    Question.objects.update(words="Why <did> revenue & lines change?")
    Answer.objects.update(words="Why <did> revenue & lines change?")
    told = ada.browser.get("/questions/digest.atom")
    assert told["Content-Type"] == "application/atom+xml"
    root = ElementTree.fromstring(told.content)
    (entry,) = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == f"urn:uuid:{later.pk}"
    assert entry.findtext(f"{ATOM}title") == "Why <did> revenue & lines change?"
    assert entry.find(f"{ATOM}link").attrib["href"] == f"http://testserver/answers/{later.pk}"
    assert "Yes became no" in entry.findtext(f"{ATOM}summary")
    assert root.findtext(f"{ATOM}updated") == later.created_at.isoformat()


def test_the_feed_opens_by_a_token_in_its_address_and_not_by_another(
    shop: Shop, vi: Any, client: Any
) -> None:
    turned(shop)
    assert client.get(f"/questions/digest.atom?token={vi.secret}").status_code == 200
    for token in ("", "nonsense", f"{vi.secret}x"):
        told = client.get(f"/questions/digest.atom?token={token}")
        assert told.status_code in {302, 401, 403, 404}, token
        assert b"<entry>" not in told.content


def test_the_mail_carries_its_statement_its_link_and_its_picture(shop: Shop, vi: Any, settings: Any) -> None:
    _, later = turned(shop)
    settings.POTAGER_ADDRESS = "https://potager.example"
    assert send() == {"sent": 2}
    assert {address for message in postbox.outbox for address in message.to} == {
        "ada@example.org",
        "vi@example.org",
    }
    message = postbox.outbox[0]
    assert message.subject.startswith("1 answer") and "changed this week" in message.subject
    assert later.statement in message.body and f"https://potager.example/answers/{later.pk}" in message.body
    (page, kind) = message.alternatives[0]
    assert kind == "text/html" and "cid:picture-0" in page and f"/answers/{later.pk}" in page
    pictures = [one for one in message.attachments if getattr(one, "get_content_type", str)() == "image/png"]
    assert [one["Content-ID"] for one in pictures] == ["<picture-0>"]
    assert pictures[0].get_payload(decode=True).startswith(b"\x89PNG")


def test_one_answer_is_not_said_in_the_plural(shop: Shop) -> None:
    turned(shop)
    assert send() == {"sent": 1}
    assert postbox.outbox[0].subject == "1 answer changed this week"


def test_nobody_is_mailed_in_a_week_without_answers_nor_once_they_left(shop: Shop, cy: Any) -> None:
    assert send() == {"sent": 0}
    turned(shop)
    assert send() == {"sent": 1}
    assert all("cy@example.org" not in message.to for message in postbox.outbox)


def test_a_private_answer_is_mailed_to_its_owner_only(shop: Shop, vi: Any) -> None:
    question = kept(shop)
    Question.objects.filter(pk=question.pk).update(visibility="private")
    question.refresh_from_db()
    actions.ask(actor=shop.actor, question=question)
    assert send() == {"sent": 1}
    assert postbox.outbox[0].to == ["ada@example.org"]


def test_where_no_mail_is_set_up_none_is_enqueued(shop: Shop, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert digest.enqueue_digest() is False and not Job.objects.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert digest.enqueue_digest() is True and Job.objects.get().job_kind == digest.JOB


# The worker's turns


@pytest.mark.parametrize(
    ("cadence", "days"), [("daily", 1), ("weekly", 7), ("monthly", 31), ("quarterly", 92)]
)
def test_a_question_comes_due_with_its_cadence_and_not_before(shop: Shop, cadence: str, days: int) -> None:
    question = kept(shop, cadence=cadence)
    assert question in upkeep.due()
    actions.ask(actor=shop.actor, question=question)
    assert upkeep.due() == []
    with held(now() + timedelta(days=days) - timedelta(hours=1)):
        assert upkeep.due() == []
    with held(now() + timedelta(days=days, hours=1)):
        assert upkeep.due() == [question]


def test_what_is_asked_once_retired_or_only_proposed_never_comes_due(shop: Shop) -> None:
    once = kept(shop, cadence="once")
    actions.ask(actor=shop.actor, question=once)
    gone = kept(shop)
    actions.set_status(actor=shop.actor, question=gone, status="retired")
    proposed = kept(shop)
    actions.set_status(actor=shop.actor, question=proposed, status="proposed")
    with held(now() + timedelta(days=400)):
        assert upkeep.due() == []


def test_one_question_that_fails_does_not_stop_the_others(shop: Shop) -> None:
    broken, whole = kept(shop), kept(shop)
    Question.objects.filter(pk=broken.pk).update(slots={"metric": "weed", "period": "2024-03"})
    assert upkeep.enqueue_what_is_due()
    job = Job.objects.get()
    run_job.call(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"asked": 1, "failed": 1})
    assert whole.answers.count() == 1 and broken.answers.count() == 0
    assert upkeep.due() == []
    with held(now() + timedelta(days=1, hours=1)):
        assert broken in upkeep.due()


def test_what_the_worker_asks_is_answered_as_its_owner_sees_it(shop: Shop, bo: Any) -> None:
    question = kept(Shop(bo.actor))
    upkeep.enqueue_what_is_due()
    run_job.call(str(Job.objects.get().pk))
    answer = question.answers.get()
    assert answer.owner_id == bo.user.pk and answer.receipt["as_of"] == str(LAST)
