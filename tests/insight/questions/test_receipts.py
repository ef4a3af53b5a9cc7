"""Receipts: an answer runs again to the same hash, whatever came since; and it is said where that cannot be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from potager.insight.metrics import actions as metrics
from potager.insight.questions import answering
from potager.insight.questions.models import Answer
from potager.kit.errors import NotFound
from tests.insight.shop import LAST, SHOP, Shop

pytestmark = pytest.mark.django_db
FEBRUARY = {"metric": "revenue", "period": "2024-02"}


def rerun(ada: Any, answer: Answer) -> Any:
    return ada.call("post", f"/answers/{answer.pk}/rerun")


def test_a_receipt_holds_what_it_takes_to_run_the_answer_again(shop: Shop) -> None:
    answer = shop.ask("change", by=["country"], where="country!=Peru", **FEBRUARY)
    answer.refresh_from_db()
    receipt = answer.receipt
    assert receipt["slots"] == answer.slots and receipt["as_of"] == str(LAST)
    assert list(receipt["snapshots"]) == ["shop.sales"] and receipt["engine"].startswith("duckdb")
    assert len(receipt["digest"]) == 64 and list(receipt["definitions"]) == ["revenue"]
    assert all(
        query["for"] and query["sql"].lstrip().upper().startswith(("SELECT", "WITH"))
        for query in receipt["queries"]
    )


def test_the_sql_of_a_receipt_gives_the_figures_of_the_answer(shop: Shop) -> None:
    """Whoever doubts an answer can run what it shows in any DuckDB."""
    from potager.ground.lake.service import warehouse

    answer = shop.ask("change", **FEBRUARY)
    found = []
    for query in answer.receipt["queries"][:2]:
        table = warehouse().query(query["sql"], at=answer.receipt["snapshots"]).table
        found.append(table["revenue"][0].as_py())
    assert found == [answer.figures["before"], answer.figures["after"]]


@pytest.mark.parametrize(
    ("recipe", "slots"),
    [
        ("target", {"period": "2024-02"}),
        ("target", {"period": "2024-05", "value": 1}),
        ("change", {"period": "2024-05"}),
        ("compare", {"period": "2024-03", "dimension": "country", "a": "Peru", "unit": "buyer"}),
    ],
    ids=["not governed", "stale", "before it begins", "no such segment"],
)
def test_a_refusal_runs_again_to_the_same_refusal_after_the_missing_data_came(
    shop: Shop, ada: Any, recipe: str, slots: dict[str, Any]
) -> None:
    late = LAST + timedelta(days=9)
    answer = shop.ask(recipe, late, metric="revenue", **slots)
    assert answer.verdict == "cannot_tell" and answer.receipt["snapshots"]
    shop.append(LAST + timedelta(days=1), LAST + timedelta(days=60))
    told = rerun(ada, answer).json()
    assert told["equal"] is True and told["digest"] == told["receipt_digest"]


def test_a_changed_definition_is_named_where_an_answer_no_longer_runs_to_the_same(
    shop: Shop, ada: Any
) -> None:
    answer = shop.ask("change", **FEBRUARY)
    metrics.publish(
        actor=shop.actor,
        name="shop.yml",
        namespace="shop",
        text=SHOP.replace("expr: amount}", "expr: amount * 2}"),
    )
    told = rerun(ada, answer).json()
    assert told["equal"] is False and told["digest"] != told["receipt_digest"]
    assert told["because"] == "The definition of Revenue was changed since."
    page = ada.browser.post(f"/answers/{answer.pk}/rerun", follow=True).content.decode()
    assert "The definition of Revenue was changed since." in page
    metrics.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=SHOP)
    assert rerun(ada, answer).json()["equal"] is True


def test_a_snapshot_that_is_gone_is_said_to_be(shop: Shop, ada: Any) -> None:
    answer = shop.ask("change", **FEBRUARY)
    receipt = {**answer.receipt, "snapshots": {"shop.sales": "4711"}}
    Answer.objects.filter(pk=answer.pk).update(receipt=receipt)
    answer.refresh_from_db()
    with pytest.raises(NotFound) as refused:
        answering.run_again(shop.actor, answer)
    assert "4711" in refused.value.detail and refused.value.mend
    assert rerun(ada, answer).status_code == 404
    page = ada.browser.post(f"/answers/{answer.pk}/rerun", follow=True)
    assert "4711" in page.content.decode()


def test_a_table_that_is_gone_is_said_to_be(shop: Shop, ada: Any) -> None:
    from potager.ground.lake.service import lake

    answer = shop.ask("change", **FEBRUARY)
    lake().drop("shop.sales")
    told = rerun(ada, answer)
    assert told.status_code in {404, 422} and "sales" in told.json()["detail"]


def test_running_an_answer_again_writes_nothing(shop: Shop, ada: Any) -> None:
    answer = shop.ask("change", **FEBRUARY)
    before = Answer.objects.values().get()
    assert rerun(ada, answer).json()["equal"] is True
    assert Answer.objects.values().get() == before


def test_nobody_can_change_or_remove_an_answer_that_was_given(shop: Shop, ada: Any) -> None:
    answer = shop.ask("change", **FEBRUARY)
    before = Answer.objects.values().get()
    for method, body in (("patch", {"verdict": "no"}), ("put", {"verdict": "no"}), ("delete", None)):
        assert ada.call(method, f"/answers/{answer.pk}", body).status_code in {404, 405}, method
    assert ada.browser.post(f"/answers/{answer.pk}", {"verdict": "no"}).status_code in {200, 403, 405}
    assert Answer.objects.values().get() == before


def test_an_answer_is_never_changed_by_a_later_one(shop: Shop) -> None:
    from potager.insight.questions import actions
    from tests.insight.questions.test_answers import kept

    question = kept(shop)
    first = actions.ask(actor=shop.actor, question=question)
    before = Answer.objects.values().get(pk=first.pk)
    shop.append(LAST + timedelta(days=1), LAST + timedelta(days=5))
    actions.ask(actor=shop.actor, question=question)
    assert Answer.objects.values().get(pk=first.pk) == before


def test_an_answer_expires_with_its_cadence_and_a_refusal_after_a_day(shop: Shop) -> None:
    from potager.insight.questions import actions
    from potager.kit.clock import held, now
    from tests.insight.questions.test_answers import kept

    for cadence, days in (("daily", 1), ("weekly", 7), ("monthly", 31), ("quarterly", 92), ("once", 365)):
        answer = actions.ask(actor=shop.actor, question=kept(shop, cadence=cadence))
        assert abs(answer.expires_at - now() - timedelta(days=days)) < timedelta(minutes=1)
        with held(now() + timedelta(days=days, hours=1)):
            assert answer.expired
    refusal = actions.ask(
        actor=shop.actor, question=kept(shop, slots={"metric": "revenue", "period": "2024-09"})
    )
    assert refusal.expires_at - now() <= timedelta(days=1)


def test_from_yes_to_cannot_tell_is_said_with_the_reason(shop: Shop) -> None:
    """Yesterday yes, today cannot tell: the data went stale in between."""
    from potager.insight.questions import actions
    from tests.insight.questions.test_answers import kept

    question = kept(
        shop, recipe="target", slots={"metric": "revenue", "period": "2024-03", "value": 10.0}, as_of=LAST
    )
    yesterday = actions.ask(actor=shop.actor, question=question)
    question = actions.change_question(
        actor=shop.actor, question=question, values={"as_of": LAST + timedelta(days=7)}
    )
    today = actions.ask(actor=shop.actor, question=question)
    assert (yesterday.verdict, today.verdict) == ("yes", "cannot_tell")
    line = answering.differences(yesterday, today)[0]
    assert line.startswith(
        "Yes became cannot tell: The data behind Revenue ends on 20 March 2024, 4 days later"
    )
    assert date.fromisoformat(str(today.complete_through)) == LAST
