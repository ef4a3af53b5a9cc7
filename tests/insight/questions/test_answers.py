"""What each recipe answers on a shop small enough to be added up by hand, and what it refuses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from potager.insight.metrics import actions as metrics
from potager.insight.metrics import treeview
from potager.insight.questions import actions, answering, upkeep
from potager.insight.questions.models import Question
from potager.kit.clock import now
from potager.kit.errors import Invalid, NotFound
from tests.insight.shop import FIRST, LAST, SHOP, Shop, total

pytestmark = pytest.mark.django_db
JANUARY = (date(2024, 1, 1), date(2024, 1, 31))
FEBRUARY = (date(2024, 2, 1), date(2024, 2, 29))
MARCH = (date(2024, 3, 1), date(2024, 3, 31))


def test_a_target_of_a_period_that_is_over_is_yes_no_or_at_risk_by_the_figure_itself(shop: Shop) -> None:
    actual = total(*FEBRUARY)
    verdicts = {}
    for name, value, low in (
        ("met", actual - 1, None),
        ("near", actual + 10, actual - 10),
        ("missed", actual + 10, None),
    ):
        shop.target("revenue", value, *FEBRUARY, low=low)
        answer = shop.ask("target", metric="revenue", period="2024-02")
        verdicts[name] = answer.verdict
        assert answer.estimate == answer.low == answer.high == pytest.approx(actual)
    assert verdicts == {"met": "yes", "near": "at_risk", "missed": "no"}


@pytest.mark.parametrize(
    ("direction", "by", "low", "high", "verdict"),
    [
        ("down", 1, None, None, "yes"),
        ("down", -10, None, 20, "at_risk"),
        ("down", -10, None, None, "no"),
        ("range", 5, -10, 10, "yes"),
        ("range", -50, -10, 10, "no"),
        ("range", 50, -10, 10, "no"),
    ],
)
def test_a_target_that_is_not_to_be_passed_is_judged_as_the_tree_judges_it(
    shop: Shop, direction: str, by: float, low: float | None, high: float | None, verdict: str
) -> None:
    """The target is so much more than what came in, and its ends so much below and above itself."""
    goal = total(*FEBRUARY) + by
    ends = {"low": None if low is None else goal + low, "high": None if high is None else goal + high}
    shop.govern("revenue", direction=direction)
    shop.target("revenue", goal, *FEBRUARY, **ends)
    assert shop.ask("target", metric="revenue", period="2024-02").verdict == verdict
    view = treeview.view(shop.actor, "revenue", as_of=FEBRUARY[1], spark=False)
    assert view.nodes["revenue"].verdict == verdict


@pytest.mark.parametrize(
    ("direction", "share", "low", "high", "verdict"),
    [
        ("down", 2.0, None, None, "yes"),
        ("down", 0.5, None, None, "no"),
        ("range", 1.0, 0.5, 2.0, "yes"),
        ("range", 2.0, 1.9, 2.1, "no"),
        ("range", 0.5, 0.4, 0.6, "no"),
    ],
)
def test_an_open_period_is_judged_by_the_direction_that_is_good(
    shop: Shop, direction: str, share: float, low: float | None, high: float | None, verdict: str
) -> None:
    whole = total(*MARCH)
    ends = {"low": None if low is None else whole * low, "high": None if high is None else whole * high}
    shop.govern("revenue", direction=direction)
    shop.target("revenue", whole * share, *MARCH, **ends)
    answer = shop.ask("target", metric="revenue", period="2024-03")
    assert answer.verdict == verdict and answer.statement.startswith("Staying")


def test_where_the_other_period_is_shorter_both_end_with_it(shop: Shop) -> None:
    """30 days of March against the 29 of February: 29 of both."""
    shop.append(LAST + timedelta(days=1), date(2024, 3, 30))
    answer = shop.ask("change", date(2024, 3, 30), metric="revenue", period="2024-03")
    assert answer.estimate == pytest.approx(total(MARCH[0], date(2024, 3, 29)) - total(*FEBRUARY))


def test_without_a_target_nobody_can_tell_and_the_answer_says_how_to_mend_it(shop: Shop) -> None:
    answer = shop.ask("target", metric="revenue", period="2024-02")
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "not_governed")
    assert answer.statement == "Cannot tell yet: no target is set for Revenue in February 2024."
    assert answer.refusal["mend"] == "Set one on the metric's page, or give a value."
    assert answer.estimate is None


def test_late_data_is_refused_as_stale_where_the_future_is_asked_about(shop: Shop) -> None:
    late = LAST + timedelta(days=9)
    answer = shop.ask("target", late, metric="revenue", period="2024-03", value=1000)
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "stale")
    assert "6 days later than was promised" in answer.refusal["because"]


def test_a_forecast_far_beyond_what_the_history_can_test_is_refused(shop: Shop) -> None:
    answer = shop.ask("target", metric="revenue", period="2025", value=1e6)
    assert answer.verdict == "cannot_tell" and "values to be tested on" in answer.refusal["because"]


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "yes"), (2.0, "no")])
def test_an_open_period_is_forecast_with_a_range_around_what_is_in(
    shop: Shop, share: float, verdict: str
) -> None:
    so_far, whole = total(MARCH[0], LAST), total(*MARCH)
    answer = shop.ask("target", metric="revenue", period="2024-03", value=whole * share)
    assert answer.verdict == verdict
    assert so_far < answer.low <= answer.estimate <= answer.high
    assert answer.estimate == pytest.approx(whole, rel=0.1)
    assert sum(driver["amount"] for driver in answer.drivers) == pytest.approx(answer.estimate)


def test_a_change_is_the_difference_and_its_drivers_add_up_to_it(shop: Shop) -> None:
    answer = shop.ask("change", metric="revenue", period="2024-02", by=["country"])
    change = total(*FEBRUARY) - total(*JANUARY)
    assert answer.estimate == pytest.approx(change)
    assert {driver["metric"] for driver in answer.drivers} == {"lines", "line_value"}
    assert sum(driver["amount"] for driver in answer.drivers) == pytest.approx(change)
    split = {name: part for name, _, _, part in answer.figures["segments"]["country"]}
    for country in ("Germany", "France"):
        assert split[country] == pytest.approx(total(*FEBRUARY, country) - total(*JANUARY, country))
    assert answer.verdict == "yes" and answer.statement.startswith("Revenue rose")


def test_a_part_of_a_period_is_set_against_the_same_days(shop: Shop) -> None:
    answer = shop.ask("change", metric="revenue", period="2024-03")
    expected = total(date(2024, 3, 1), LAST) - total(date(2024, 2, 1), date(2024, 2, 20))
    assert answer.estimate == pytest.approx(expected)
    assert "against the same days" in answer.statement
    assert answer.verdict == "yes"
    assert any(check["name"] == "whole periods" for check in answer.checks)


def test_as_of_an_earlier_day_nothing_later_is_seen(shop: Shop) -> None:
    answer = shop.ask("change", date(2024, 3, 5), metric="revenue", period="2024-03")
    expected = total(date(2024, 3, 1), date(2024, 3, 5)) - total(date(2024, 2, 1), date(2024, 2, 5))
    assert answer.estimate == pytest.approx(expected)


@pytest.mark.parametrize(
    ("period", "says"), [("2024-05", "before May 2024 begins"), ("2024-01", "The data begins")]
)
def test_a_change_outside_the_data_is_refused(shop: Shop, period: str, says: str) -> None:
    answer = shop.ask("change", metric="revenue", period=period)
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "incomplete")
    assert says in answer.refusal["because"]


def test_a_condition_narrows_what_is_looked_at(shop: Shop) -> None:
    answer = shop.ask("change", metric="revenue", period="2024-02", where="country=France")
    assert answer.estimate == pytest.approx(total(*FEBRUARY, "France") - total(*JANUARY, "France"))


@pytest.mark.parametrize(
    "value",
    ["x' OR '1'='1", "'; DROP TABLE shop.sales; --", "France') OR 1=1 --", "{{ 1 }}", '"', "\\'"],
)
def test_a_condition_is_a_value_and_never_sql(shop: Shop, value: str) -> None:
    answer = shop.ask("change", metric="revenue", period="2024-02", where=f"country={value}")
    assert answer.verdict == "cannot_tell" or not answer.estimate
    whole = shop.ask("change", metric="revenue", period="2024-02")
    assert whole.estimate == pytest.approx(total(*FEBRUARY) - total(*JANUARY))


def test_a_dimension_that_is_not_there_is_refused_with_a_sentence(shop: Shop) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        shop.ask("change", metric="revenue", period="2024-02", where="cuntry=France")
    assert "cuntry" in refused.value.detail


def test_two_segments_that_differ_are_told_apart_per_unit(shop: Shop) -> None:
    slots = {"dimension": "country", "unit": "buyer", "period": "2024-01-01..2024-03-20"}
    answer = shop.ask("compare", metric="revenue", a="Germany", b="France", **slots)
    assert answer.verdict == "yes" and answer.low > 0
    assert answer.figures["counts"] == [70, 70]
    assert answer.figures["values"] == pytest.approx(
        [total(FIRST, LAST, c) / 70 for c in ("Germany", "France")]
    )
    other = shop.ask("compare", metric="revenue", a="France", b="Germany", **slots)
    assert other.verdict == "no" and other.estimate == pytest.approx(-answer.estimate)


def test_too_few_units_to_compare_are_refused(shop: Shop) -> None:
    from potager.ground.lake.service import lake

    few = {"sold_on": [LAST], "country": ["Malta"], "buyer": ["m"], "amount": [5.0]}
    import pyarrow as pa

    lake().append("shop.sales", pa.table(few), load_id="malta")
    answer = shop.ask(
        "compare",
        metric="revenue",
        dimension="country",
        a="Malta",
        b="France",
        unit="buyer",
        period="2024-03",
    )
    assert (answer.verdict, answer.refusal["reason"]) == ("cannot_tell", "too_few")


def test_a_segment_that_is_not_there_is_refused_with_those_that_are(shop: Shop) -> None:
    answer = shop.ask(
        "compare", metric="revenue", dimension="country", a="Peru", b="France", unit="buyer", period="2024-03"
    )
    assert answer.verdict == "cannot_tell" and "Germany" in answer.refusal["mend"]


@pytest.mark.parametrize(
    ("recipe", "slots"),
    [
        ("change", {"period": "2024-03", "by": ["country"]}),
        ("target", {"period": "2024-03", "value": 9000}),
        (
            "compare",
            {"period": "2024-03", "dimension": "country", "a": "Germany", "b": "France", "unit": "buyer"},
        ),
    ],
    ids=["change", "target", "compare"],
)
def test_a_receipt_comes_out_the_same_after_more_data_came(
    shop: Shop, recipe: str, slots: dict[str, Any]
) -> None:
    answer = shop.ask(recipe, metric="revenue", **slots)
    assert answer.receipt["snapshots"] and answer.receipt["queries"]
    shop.append(LAST + timedelta(days=1), LAST + timedelta(days=5))
    answer.refresh_from_db()
    equal, digest = answering.run_again(shop.actor, answer)
    assert equal and digest == answer.receipt["digest"]
    later = shop.ask(recipe, LAST + timedelta(days=5), metric="revenue", **slots)
    assert later.receipt["snapshots"] != answer.receipt["snapshots"]
    assert later.receipt["digest"] != answer.receipt["digest"]


def kept(shop: Shop, **values: Any) -> Question:
    given = {
        "words": "Why did revenue change in March?",
        "recipe": "change",
        "slots": {"metric": "revenue", "period": "2024-03"},
        "cadence": "daily",
        "as_of": LAST,
        **values,
    }
    return actions.keep_question(actor=shop.actor, values=given)


def test_the_answer_to_a_kept_question_supersedes_the_former_and_is_told_apart(shop: Shop) -> None:
    question = kept(shop, rule={"yes": "relative >= 0"}, actions={"yes": "Order more.", "no": "Look."})
    first = actions.ask(actor=shop.actor, question=question)
    assert (first.verdict, first.action) == ("yes", "Order more.")
    question = actions.change_question(
        actor=shop.actor, question=question, values={"as_of": LAST, "rule": {"yes": "relative >= 9"}}
    )
    later = actions.ask(actor=shop.actor, question=question)
    assert later.supersedes == first and (later.verdict, later.action) == ("no", "Look.")
    lines = answering.differences(first, later)
    assert any(line.startswith("Yes became no") for line in lines)
    assert answering.differences(first, first) == []


def test_what_is_due_is_asked_again_by_the_worker(shop: Shop) -> None:
    question = kept(shop)
    actions.ask(actor=shop.actor, question=question)
    question.refresh_from_db()
    assert question.next_ask_at > now() and question not in upkeep.due()
    actions.ask_soon(actor=shop.actor, question=question)
    assert question in upkeep.due()
    assert upkeep.enqueue_what_is_due() and not upkeep.enqueue_what_is_due()
    from potager.ground.jobs.models import Job
    from potager.ground.jobs.work import run_job

    job = Job.objects.get(job_kind=upkeep.JOB)
    run_job.call(str(job.pk))
    job.refresh_from_db()
    assert job.result == {"asked": 1, "failed": 0}
    assert question.answers.count() == 2


def test_a_changed_definition_has_its_questions_asked_again_and_the_answer_says_so(shop: Shop) -> None:
    question = kept(shop)
    first = actions.ask(actor=shop.actor, question=question)
    changed = SHOP.replace("expr: amount}", "expr: amount * 2}")
    metrics.publish(actor=shop.actor, name="shop.yml", namespace="shop", text=changed)
    question.refresh_from_db()
    assert question.next_ask_at <= now()
    later = actions.ask(actor=shop.actor, question=question)
    assert later.estimate == pytest.approx(2 * first.estimate)
    assert "The definition of Revenue was changed in between." in answering.differences(first, later)


def test_a_question_about_what_is_not_there_is_refused_before_it_is_kept(shop: Shop) -> None:
    for values, word in (
        ({"slots": {"metric": "revenu", "period": "2024-03"}}, "revenue"),
        ({"slots": {"metric": "revenue"}}, "period"),
        ({"slots": {"metric": "revenue", "period": "soon"}}, "soon"),
        ({"rule": {"no": "relative > 0"}}, "not no"),
        ({"weed": 1}, "weed"),
    ):
        with pytest.raises((Invalid, NotFound)) as refused:
            kept(shop, **values)
        assert word in f"{refused.value.detail} {refused.value.mend}"
    assert not Question.objects.exists()
