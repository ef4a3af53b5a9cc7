"""Reading questions and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, OuterRef, Subquery, When

from potager.ground.access.actors import Actor
from potager.ground.records.models import RecordQuerySet
from potager.insight.questions.models import Answer, Question, Verdict

URGENCY = {Verdict.NO: 0, Verdict.AT_RISK: 1, Verdict.CANNOT_TELL: 2, Verdict.YES: 4}
NOT_ANSWERED = 3


def questions(
    actor: Actor, *, search: str = "", verdict: str = "", decider: str = ""
) -> RecordQuerySet[Question]:
    """Return the questions in use, each with its latest verdict and its ``urgency``: 0 is what leaders see first."""
    every: Any = Answer.objects
    latest = every.filter(question=OuterRef("pk")).order_by("-created_at")
    rows: Any = Question.objects.visible_to(actor)
    rows = (
        rows.alive()
        .annotate(
            last_verdict=Subquery(latest.values("verdict")[:1]),
            last_answer_id=Subquery(latest.values("pk")[:1]),
        )
        .annotate(
            urgency=Case(
                *(When(last_verdict=verdict, then=place) for verdict, place in URGENCY.items()),
                default=NOT_ANSWERED,
            )
        )
    )
    if verdict:
        rows = rows.filter(last_verdict=verdict)
    if decider:
        rows = rows.filter(decider=decider)
    for word in search.split():
        rows = rows.filter(words__icontains=word)
    found: RecordQuerySet[Question] = rows
    return found


def answers(actor: Actor, question: Question | None = None) -> RecordQuerySet[Answer]:
    """Return answers, newest first."""
    every: Any = Answer.objects
    rows = every.visible_to(actor).select_related("question", "supersedes")
    found: RecordQuerySet[Answer] = rows if question is None else rows.filter(question=question)
    return found


def latest(actor: Actor, found: Sequence[Question]) -> dict[object, Answer]:
    """Return the latest answer of each question, in one query."""
    keys = [getattr(question, "last_answer_id", None) for question in found]
    rows = answers(actor).filter(pk__in=[key for key in keys if key])
    return {answer.question_id: answer for answer in rows}
