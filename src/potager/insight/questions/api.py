"""Questions and answers over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.ground.access.actors import require
from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.metrics.queries import leading
from potager.insight.questions import actions, answering, queries
from potager.insight.questions.models import Question
from potager.insight.questions.recipes.registry import kinds
from potager.insight.questions.understanding import Understood, understand
from potager.kit.clock import today
from potager.kit.errors import Invalid

router = Router(tags=["questions"])
CadenceName = Literal["daily", "weekly", "monthly", "quarterly", "once"]
VerdictName = Literal["", "yes", "at_risk", "no", "cannot_tell"]


class QuestionIn(Schema):
    """A strategic question to be kept."""

    model_config = {"extra": "forbid"}
    words: str = Field(max_length=300)
    recipe: str = Field(max_length=20, description="The kind of question: questions_kind_list names them.")
    slots: dict[str, Any]
    asker: str = Field("", max_length=120)
    decider: str = Field("", max_length=120)
    decision: str = Field("", max_length=500)
    cadence: CadenceName = "monthly"
    deadline: date | None = None
    rule: dict[str, str] = Field({}, description="yes and at_risk: thresholds such as probability >= 0.8.")
    actions: dict[str, str] = Field({}, description="What is agreed to follow, by verdict.")
    as_of: date | None = None


class QuestionChange(Schema):
    """What is to be changed about a question."""

    model_config = {"extra": "forbid"}
    words: str | None = Field(None, max_length=300)
    slots: dict[str, Any] | None = None
    asker: str | None = Field(None, max_length=120)
    decider: str | None = Field(None, max_length=120)
    decision: str | None = Field(None, max_length=500)
    cadence: CadenceName | None = None
    deadline: date | None = None
    rule: dict[str, str] | None = None
    actions: dict[str, str] | None = None
    as_of: date | None = None


class QuestionOut(RecordOut):
    """A strategic question."""

    words: str
    recipe: str
    slots: dict[str, Any]
    asker: str
    decider: str
    decision: str
    cadence: str
    deadline: date | None
    rule: dict[str, str]
    actions: dict[str, str]
    status: str
    as_of: date | None
    next_ask_at: datetime | None


class StatusIn(Schema):
    """Where a question stands."""

    model_config = {"extra": "forbid"}
    status: Literal["proposed", "accepted", "answered", "acted", "retired"]


class AnswerOut(RecordOut):
    """An answer with its evidence, range, freshness, confidence and receipt; or a refusal."""

    question_id: UUID | None
    supersedes_id: UUID | None
    words: str
    recipe: str
    slots: dict[str, Any]
    verdict: str
    statement: str
    estimate: float | None
    low: float | None
    high: float | None
    level: float | None
    unit: str
    evidence_class: str
    as_of: datetime
    data_through: datetime | None
    complete_through: date | None
    metrics: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    grade: str
    confidence: list[dict[str, Any]]
    drivers: list[dict[str, Any]]
    would_change: list[str]
    action: str
    next_questions: list[str]
    refusal: dict[str, Any]
    receipt: dict[str, Any]
    figures: dict[str, Any]
    expires_at: datetime | None


class AskIn(Schema):
    """A question in plain words."""

    model_config = {"extra": "forbid"}
    text: str = Field(min_length=1, max_length=500)
    as_of: date | None = Field(None, description="Ask as if it were this day.")


class OnceIn(Schema):
    """A question with its slots, not to be kept."""

    model_config = {"extra": "forbid"}
    recipe: str = Field(max_length=20, description="The kind of question: questions_kind_list names them.")
    slots: dict[str, Any]
    as_of: date | None = None


class FoundOut(Schema):
    """A part of the words that was understood."""

    words: str
    role: str
    reading: str


class UnderstoodOut(Schema):
    """How a question in plain words is read."""

    text: str
    recipe: str
    slots: dict[str, Any]
    found: list[FoundOut]
    missing: list[str]
    choices: list[str]
    notes: list[str]


class RerunOut(Schema):
    """Whether an answer came to the same when it was run again on its own snapshots."""

    equal: bool
    digest: str
    receipt_digest: str
    because: str = Field("", description="Where it did not: what was changed since.")


class KindOut(Schema):
    """A kind of question that can be answered."""

    name: str
    title: str
    about: str
    variables: dict[str, str] = Field(description="What a rule may set thresholds on.")


class QuestionSearch(Schema):
    """Which questions."""

    search: str = Field("", max_length=200)
    verdict: VerdictName = ""


def _question(request: HttpRequest, key: UUID) -> Question:
    return found_in(queries.questions(actor(request)), pk=key)


@router.get(
    "/questions/kinds",
    response=list[KindOut],
    operation_id="questions_kind_list",
    summary="List the kinds of question.",
)
def list_kinds(request: HttpRequest) -> Any:
    """List the kinds of question that can be answered."""
    require(actor(request), "questions.read")
    return kinds()


@router.get(
    "/questions",
    response=PageOut[QuestionOut],
    operation_id="questions_question_list",
    summary="List questions.",
)
def list_questions(request: HttpRequest, paging: PagingIn, sought: Query[QuestionSearch]) -> Any:
    """List the strategic questions in use."""
    return page(queries.questions(actor(request), **sought.dict()), paging, order="-updated_at")


@router.post(
    "/questions",
    response={201: QuestionOut},
    operation_id="questions_question_create",
    summary="Keep a question.",
)
def create_question(request: HttpRequest, response: HttpResponse, payload: QuestionIn) -> Any:
    """Keep a strategic question; the worker asks it on its cadence."""
    return Status(201, tagged(response, actions.keep_question(actor=actor(request), values=payload.dict())))


@router.get(
    "/questions/{uuid:key}",
    response=QuestionOut,
    operation_id="questions_question_get",
    summary="Read one question.",
)
def get_question(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one question."""
    return tagged(response, _question(request, key))


@router.patch(
    "/questions/{uuid:key}",
    response=QuestionOut,
    operation_id="questions_question_change",
    summary="Change a question.",
)
def change_question(request: HttpRequest, response: HttpResponse, key: UUID, payload: QuestionChange) -> Any:
    """Change a question; it is asked again at the next turn."""
    values = {name: value for name, value in payload.dict(exclude_unset=True).items() if value is not None}
    with expecting(expected_version(request)):
        changed = actions.change_question(
            actor=actor(request), question=_question(request, key), values=values
        )
        return tagged(response, changed)


@router.put(
    "/questions/{uuid:key}/status",
    response=QuestionOut,
    operation_id="questions_question_status",
    summary="Say where a question stands.",
)
def set_status(request: HttpRequest, key: UUID, payload: StatusIn) -> Any:
    """Say where a question stands: proposed, accepted, acted on, retired."""
    return actions.set_status(actor=actor(request), question=_question(request, key), status=payload.status)


@router.post(
    "/questions/{uuid:key}/ask",
    response=AnswerOut,
    operation_id="questions_question_ask",
    summary="Ask a kept question now.",
)
def ask_question(request: HttpRequest, key: UUID) -> Any:
    """Answer a kept question and keep the answer."""
    return actions.ask(actor=actor(request), question=_question(request, key))


@router.get(
    "/questions/{uuid:key}/answers",
    response=PageOut[AnswerOut],
    operation_id="questions_history_list",
    summary="List the answers to a question.",
)
def list_history(request: HttpRequest, key: UUID, paging: PagingIn) -> Any:
    """List the answers to a question, newest first."""
    return page(queries.answers(actor(request), _question(request, key)), paging)


@router.post(
    "/ask", response=AnswerOut, operation_id="questions_answer_ask", summary="Ask a question in plain words."
)
def ask(request: HttpRequest, payload: AskIn) -> Any:
    """Answer a question in plain words; where it is not understood, say what is missing."""
    who = actor(request)
    require(who, "questions.ask")
    read = understand(who, payload.text, payload.as_of or today())
    if not read.complete:
        raise not_understood(read, [metric.label for metric in leading(who, 5)])
    return actions.ask_once(
        actor=who, recipe=read.recipe, slots=read.slots, words=payload.text, as_of=payload.as_of
    )


def not_understood(read: Understood, examples: list[str]) -> Invalid:
    """Return what is missing in a question as a problem; ``examples`` are metrics that could be named."""
    if read.choices:
        mend = f"It could be {', '.join(metric.label for metric in read.choices)}: use one of these names."
    elif read.metric is None and examples:
        mend = f"Name a metric, such as {', '.join(examples)}."
    else:
        mend = "Name a metric, a period, or two segments."
    return Invalid(" ".join(read.missing), mend=mend)


@router.post(
    "/ask/understand",
    response=UnderstoodOut,
    operation_id="questions_answer_understand",
    summary="Show how a question is read, without answering it.",
)
def understood(request: HttpRequest, payload: AskIn) -> Any:
    """Show how a question in plain words is read, without answering it."""
    who = actor(request)
    require(who, "questions.ask")
    read = understand(who, payload.text, payload.as_of or today())
    return {
        "text": read.text,
        "recipe": read.recipe,
        "slots": dict(read.slots),
        "found": list(read.found),
        "missing": list(read.missing),
        "choices": [metric.name for metric in read.choices],
        "notes": list(read.notes),
    }


@router.post(
    "/answers",
    response={201: AnswerOut},
    operation_id="questions_answer_create",
    summary="Answer a question once.",
)
def answer_once(request: HttpRequest, payload: OnceIn) -> Any:
    """Answer a question by recipe and slots, without keeping the question."""
    made = actions.ask_once(
        actor=actor(request), recipe=payload.recipe, slots=payload.slots, as_of=payload.as_of
    )
    return Status(201, made)


@router.get(
    "/answers", response=PageOut[AnswerOut], operation_id="questions_answer_list", summary="List answers."
)
def list_answers(request: HttpRequest, paging: PagingIn) -> Any:
    """List answers, newest first."""
    return page(queries.answers(actor(request)), paging)


@router.get(
    "/answers/{uuid:key}", response=AnswerOut, operation_id="questions_answer_get", summary="Read one answer."
)
def get_answer(request: HttpRequest, key: UUID) -> Any:
    """Read one answer."""
    return found_in(queries.answers(actor(request)), pk=key)


@router.post(
    "/answers/{uuid:key}/rerun",
    response=RerunOut,
    operation_id="questions_answer_rerun",
    summary="Run an answer again on its own snapshots.",
)
def rerun(request: HttpRequest, key: UUID) -> Any:
    """Run an answer again on the snapshots of its receipt, and compare the hashes."""
    who = actor(request)
    require(who, "questions.read")
    answer = found_in(queries.answers(who), pk=key)
    equal, digest = answering.run_again(who, answer)
    because = "" if equal else answering.why_different(who, answer)
    return {
        "equal": equal,
        "digest": digest,
        "receipt_digest": answer.receipt["digest"],
        "because": because,
    }
