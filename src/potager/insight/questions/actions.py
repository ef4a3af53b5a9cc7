"""Keeping questions and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.events.bus import announce
from potager.ground.records.checks import keep
from potager.insight.metrics.compiling import layer_of
from potager.insight.questions import answering
from potager.insight.questions.events import AnswerChanged
from potager.insight.questions.models import Answer, Question, Status, Verdict
from potager.insight.questions.recipes.draft import Asked, Draft
from potager.insight.questions.recipes.registry import kind
from potager.insight.questions.rules import parse_rule
from potager.insight.questions.sureness import grade, kept
from potager.kit.clock import now
from potager.kit.errors import FieldProblem, Invalid

WRITTEN = (
    "words", "recipe", "slots", "asker", "decider", "decision", "cadence", "deadline", "rule", "actions", "as_of",
)  # fmt: skip


@action("questions.edit")
def keep_question(*, actor: Actor, values: Mapping[str, Any]) -> Question:
    """Keep a strategic question: its recipe and slots, who decides what with it, its rule and agreed actions."""
    question = Question(owner_id=actor.user_id, next_ask_at=now())
    return _written(actor, question, values)


@action("questions.edit", on="question")
def change_question(*, actor: Actor, question: Question, values: Mapping[str, Any]) -> Question:
    """Change a question; it is asked again at the next turn."""
    question.next_ask_at = now()
    return _written(actor, question, values)


def _written(actor: Actor, question: Question, values: Mapping[str, Any]) -> Question:
    unknown = sorted(set(values) - set(WRITTEN))
    if unknown:
        problems = [FieldProblem(name, f"A question has no {name}.") for name in unknown]
        raise Invalid(problems[0].problem, mend=f"It has {', '.join(WRITTEN)}.", errors=problems)
    for name, value in values.items():
        setattr(question, name, value)
    asked_for = kind(question.recipe)
    for verdict, rule in question.rule.items():
        if verdict not in {Verdict.YES, Verdict.AT_RISK}:
            problem = FieldProblem("rule", f"A rule says when the answer is yes or at risk, not {verdict}.")
            raise Invalid(problem.problem, mend="Everything else is no.", errors=[problem])
        parse_rule(rule, asked_for.variables)
    for verdict in question.actions:
        if verdict not in Verdict.values:
            problem = FieldProblem(
                "actions", f"There is no answer {verdict} that an action could follow from."
            )
            raise Invalid(problem.problem, mend=f"Use {', '.join(Verdict.values)}.", errors=[problem])
    # Asked once, dry: slots that name nothing are refused before the question is kept.
    answering.draft(actor, question.recipe, question.slots, rule=question.rule, as_of=question.as_of)
    return keep(question)


@action("questions.edit", on="question")
def set_status(*, actor: Actor, question: Question, status: str) -> Question:
    """Say where a question stands: proposed, accepted, acted on, retired."""
    if status not in Status.values:
        problem = FieldProblem("status", f"There is no status {status}.")
        raise Invalid(problem.problem, mend=f"Use {', '.join(Status.values)}.", errors=[problem])
    question.status = status
    question.next_ask_at = None if status == Status.RETIRED else question.next_ask_at or now()
    question.archived_at = now() if status == Status.RETIRED else None
    return keep(question)


def ask(*, actor: Actor, question: Question) -> Answer:
    """Answer a kept question and keep the answer. Reading comes first, outside any transaction."""
    question.refresh_from_db()
    made, asked = answering.draft_of(actor, question)
    return keep_answer(actor=actor, made=made, asked=asked, recipe=question.recipe, question=question)


def ask_once(
    *, actor: Actor, recipe: str, slots: Mapping[str, Any], words: str = "", as_of: date | None = None
) -> Answer:
    """Answer a question that is not kept, and keep the answer."""
    made, asked = answering.draft(actor, recipe, slots, words=words, as_of=as_of)
    return keep_answer(actor=actor, made=made, asked=asked, recipe=recipe)


@action("questions.ask")
def keep_answer(
    *, actor: Actor, made: Draft, asked: Asked, recipe: str, question: Question | None = None
) -> Answer:
    """Keep an answer as it was given; one to the same question supersedes the former."""
    former = question.answers.order_by("-created_at").first() if question else None
    cadence = question.cadence if question else "once"
    answer = Answer(
        question=question,
        supersedes=former,
        words=(asked.words or _words(recipe, asked))[:300],
        recipe=recipe,
        slots=dict(asked.slots),
        verdict=made.verdict,
        statement=made.statement,
        estimate=made.estimate,
        low=made.low,
        high=made.high,
        level=made.level,
        unit=made.unit,
        evidence_class=made.evidence_class,
        data_through=_aware(made.freshness.data_through) if made.freshness else None,
        complete_through=made.freshness.complete_through if made.freshness else None,
        metrics=[
            {
                "name": metric.name,
                "label": metric.label,
                "definition": layer_of(metric).definition_hash(metric.name),
                "version": metric.source.number if metric.source else None,
            }
            for metric in made.metrics
        ],
        checks=[asdict(check) for check in made.checks],
        grade=grade(made.parts),
        confidence=kept(made.parts),
        drivers=[asdict(driver) for driver in made.drivers],
        would_change=list(made.would_change),
        action=question.actions.get(made.verdict, "") if question else "",
        next_questions=list(made.next_questions),
        refusal=asdict(made.refusal) if made.refusal else {},
        receipt=made.receipt(asked),
        figures=dict(made.figures),
        expires_at=answering.expiry(cadence, made),
        owner_id=actor.user_id,
        visibility=question.visibility if question else "organization",
        team_id=question.team_id if question else None,
    )
    keep(answer)
    if question is not None:
        question.refresh_from_db()  # reading took its time; others may have edited meanwhile
        question.status = (
            Status.ANSWERED if question.status in {Status.ACCEPTED, Status.PROPOSED} else question.status
        )
        question.next_ask_at = None if cadence == "once" else now() + answering.LIVES[cadence]  # type: ignore[index]
        keep(question)
        if former is not None and (lines := answering.differences(former, answer)):
            announce(
                AnswerChanged(
                    actor=actor.name,
                    question=str(question.pk),
                    answer=str(answer.pk),
                    before=former.verdict,
                    after=answer.verdict,
                    says=" ".join(lines)[:1000],
                )
            )
    return answer


def _aware(moment: Any) -> Any:
    from datetime import UTC

    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(recipe: str, asked: Asked) -> str:
    said = ", ".join(f"{name} {value}" for name, value in asked.slots.items() if value)
    return f"{kind(recipe).title} {said}"


@action("questions.edit", on="question")
def put_off(*, actor: Actor, question: Question) -> Question:
    """Ask a question a day later than it would have been."""
    question.next_ask_at = now() + answering.LIVES["daily"]  # type: ignore[index]
    return keep(question)


@action("questions.edit", on="question")
def ask_soon(*, actor: Actor, question: Question) -> Question:
    """Let a question be asked at the worker's next turn."""
    question.next_ask_at = now()
    return keep(question)
