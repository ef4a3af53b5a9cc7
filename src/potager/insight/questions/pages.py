"""Questions, answers, the ask box and the digest, as pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import yaml
from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from potager.ground.access.actors import Actor, machine, may, require
from potager.ground.links.margin import margin
from potager.ground.records.queries import found_in
from potager.ground.serving.pictures import check_form, served
from potager.ground.serving.rendering import Command, NavItem, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics.queries import leading
from potager.insight.questions import actions, answering, digest, queries, shapes
from potager.insight.questions.forms import QuestionForm
from potager.insight.questions.models import Answer, Question, Verdict
from potager.insight.questions.pictures import picture, pictures_of
from potager.insight.questions.understanding import understand
from potager.kit import words
from potager.kit.clock import now, today
from potager.kit.errors import NotFound, Problem
from potager.kit.paging import page_of

nav = (NavItem("Questions", "questions", "questions", "questions.read"),)
commands = (
    Command("Ask a question", "ask", "questions.ask", "in plain words"),
    Command("Keep a strategic question", "question-new", "questions.edit"),
    Command("Read the weekly digest", "digest", "questions.read"),
)
first_step = {
    "text": "Bring a file, let Potager propose metrics from its columns, and ask your first question.",
    "action": "Import a file",
    "url": "/data/upload",
    "main": True,
}


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the strategic questions with their latest answers."""
    who = actor(request)
    search, verdict = request.GET.get("q", ""), request.GET.get("verdict", "")
    found = page_of(
        queries.questions(who, search=search, verdict=verdict),
        cursor=request.GET.get("cursor", ""),
        limit=50,
        order="urgency",
    )
    latest = queries.latest(who, found.items)
    tabs = [{"title": "All", "url": reverse("questions"), "current": not verdict}]
    tabs += [
        {"title": label, "url": f"?verdict={value}", "current": verdict == value}
        for value, label in Verdict.choices
    ]
    shown = {
        "page_title": "Questions",
        "page_about": "What leaders need to know, who decides with it, and the answer as it stands.",
        "answers": [shapes.card(latest.get(question.pk), question) for question in found.items],
        "found": found,
        "tabs": tabs,
        "search": search,
        "edits": may(who, "questions.edit"),
    }
    return render(request, "questions/list.html", shown)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a question with its latest answer."""
    who = actor(request)
    question = found_in(queries.questions(who), pk=key)
    history = list(queries.answers(who, question)[:13])
    if not history:
        shown = {"page_title": question.words, "crumbs": _trail(), "question": question}
        return render(request, "questions/unanswered.html", shown)
    return _answer_page(request, history[0], question, history)


@signed_in
def answer(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one answer as it was given."""
    who = actor(request)
    found = found_in(queries.answers(who), pk=key)
    history = list(queries.answers(who, found.question)[:13]) if found.question else []
    return _answer_page(request, found, found.question, history)


def _answer_page(
    request: HttpRequest, found: Answer, question: Question | None, history: list[Answer]
) -> HttpResponse:
    who = actor(request)
    later = next((one for one in history if one.supersedes_id == found.pk), None)
    shown = {
        "page_title": found.words,
        "crumbs": _trail(),
        "answer": shapes.page(found, question, history),
        "record": found,
        "question": question,
        "differences": answering.differences(found.supersedes, found) if found.supersedes else [],
        "later": later,
        "edits": may(who, "questions.edit", question) if question else may(who, "questions.edit"),
        "embed": _embed(request, found),
        **margin(who, question or found),
    }
    return render(request, "questions/answer.html", shown)


def _trail() -> list[dict[str, str]]:
    return [{"title": "Questions", "url": reverse("questions")}]


def _embed(request: HttpRequest, found: Answer) -> str:
    names = pictures_of(found)
    if not names:
        return ""
    address = reverse("answer-picture", args=[found.pk, names[0], "png"])
    return request.build_absolute_uri(f"{address}?key={Signer(salt='chart').signature(address)}")


@signed_in
def ask_again(request: HttpRequest, key: UUID) -> HttpResponse:
    """Ask a kept question now."""
    who = actor(request)
    if request.method == "POST":
        actions.ask(actor=who, question=found_in(queries.questions(who), pk=key))
    return redirect("question", key)


@signed_in
def rerun(request: HttpRequest, key: UUID) -> HttpResponse:
    """Run an answer again on its own snapshots."""
    who = actor(request)
    found = found_in(queries.answers(who), pk=key)
    if request.method == "POST":
        equal, _ = answering.run_again(who, found)
        if equal:
            messages.success(request, "Run again on the same snapshots: every figure came out the same.")
        else:
            why = answering.why_different(who, found)
            messages.error(request, f"Run again on the same snapshots, something came out differently. {why}")
    return redirect(found.url())


@signed_in
def set_status(request: HttpRequest, key: UUID) -> HttpResponse:
    """Say that a question was acted on, or retire it."""
    who = actor(request)
    question = found_in(queries.questions(who), pk=key)
    if request.method == "POST":
        actions.set_status(actor=who, question=question, status=request.POST.get("status", ""))
        messages.success(request, "Kept.")
    return redirect("questions") if request.POST.get("status") == "retired" else redirect("question", key)


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Keep a new question."""
    who = actor(request)
    require(who, "questions.edit")
    initial = {}
    if "answer" in request.GET:
        found = found_in(queries.answers(who), pk=request.GET["answer"])
        slots = yaml.safe_dump(found.slots, sort_keys=False, allow_unicode=True)
        initial = {"words": found.words, "recipe": found.recipe, "slots": slots}
    form = QuestionForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            question = actions.keep_question(actor=who, values=form.values())
            actions.ask(actor=who, question=question)
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect("question", question.pk)
    shown = {
        "page_title": "New question",
        "crumbs": _trail(),
        "form": form,
        "cancel_url": reverse("questions"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change a question."""
    who = actor(request)
    question = found_in(queries.questions(who), pk=key)
    require(who, "questions.edit", question)
    initial: dict[str, Any] = {
        name: getattr(question, name)
        for name in ("words", "recipe", "decider", "decision", "cadence", "deadline")
    }
    initial["slots"] = yaml.safe_dump(question.slots, sort_keys=False, allow_unicode=True)
    initial |= {f"rule_{name}": rule for name, rule in question.rule.items()}
    initial |= {f"action_{name}": text for name, text in question.actions.items()}
    form = QuestionForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            question = actions.change_question(actor=who, question=question, values=form.values())
            actions.ask(actor=who, question=question)
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect("question", key)
    shown = {
        "page_title": "Edit the question",
        "crumbs": _trail(),
        "form": form,
        "cancel_url": question.url(),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def ask(request: HttpRequest) -> HttpResponse:
    """Answer a question in plain words, or show what was understood and what is missing."""
    who = actor(request)
    require(who, "questions.ask")
    text = request.GET.get("q", request.POST.get("q", "")).strip()[:500]
    shown: dict[str, Any] = {"page_title": "Ask", "q": text, "examples": _examples(who)}
    if not text:
        return render(request, "questions/ask.html", shown)
    read = understand(who, text, today())
    if read.complete and request.method == "POST":
        try:
            made = actions.ask_once(actor=who, recipe=read.recipe, slots=read.slots, words=text)
        except Problem as problem:
            return render(
                request,
                "questions/ask.html",
                {**shown, "read": read, "problem": problem},
                status=problem.status,
            )
        return redirect("answer", made.pk)
    return render(request, "questions/ask.html", {**shown, "read": read})


def _examples(who: Actor) -> list[str]:
    named = [words.in_sentence(metric.label) for metric in leading(who, 3)]
    if not named:
        return []
    first, last = named[0], named[-1]
    return [
        f"Why did {first} change last month?",
        f"Will {first} reach its target this month?",
        f"What happened to {last} this year?",
    ]


def answer_picture(request: HttpRequest, key: UUID, name: str, form: str) -> HttpResponse:
    """Serve an answer's picture: to those who may see the answer, or to whoever holds a signed link."""
    who = actor(request)
    if "key" in request.GET:
        try:
            Signer(salt="chart").unsign(f"{request.path}:{request.GET['key']}")
        except BadSignature:
            raise NotFound("This link is not valid.", mend="Copy it again from the answer's page.") from None
        who = machine("A signed link", via="web")
    found = found_in(queries.answers(who), pk=key)
    check_form(form)
    if name not in pictures_of(found):
        raise NotFound("This answer has no such picture.", mend="Take the address from the answer's page.")
    # An answer is never changed.
    return served(request, picture(found, name), form, titled="key" in request.GET, seconds=86_400)


@signed_in
def digest_page(request: HttpRequest) -> HttpResponse:
    """Show what changed in the answers this week."""
    who = actor(request)
    shown = {
        "page_title": "This week",
        "page_about": "What changed in the answers, and what is due.",
        **digest.of_week(who, now()),
    }
    return render(request, "questions/digest.html", shown)


def digest_feed(request: HttpRequest) -> HttpResponse:
    """Serve the changed answers as Atom, to those signed in or holding a token in the address."""
    from potager.ground.access.actors import actor_of_token

    who = actor_of_token(request.GET["token"], via="web") if "token" in request.GET else actor(request)
    require(who, "questions.read")
    return HttpResponse(
        digest.atom(who, request.build_absolute_uri("/")), content_type="application/atom+xml"
    )


def alive(who: Actor) -> list[dict[str, Any]]:
    """Return what home shows of the questions: the latest answers, what is not in order first."""
    order = {"no": 0, "cannot_tell": 1, "at_risk": 2, "yes": 3}
    found = list(queries.questions(who)[:200])
    latest = queries.latest(who, found)
    rows = sorted(
        (question for question in found if question.pk in latest),
        key=lambda question: order.get(latest[question.pk].verdict, 4),
    )
    return [
        {
            "context": "Questions",
            "context_url": reverse("questions"),
            "text": latest[question.pk].statement,
            "url": question.url(),
            "verdict": latest[question.pk].verdict,
        }
        for question in rows[:5]
    ]


def needs_you(who: Actor) -> list[dict[str, Any]]:
    """Return the agreed actions that wait on the person's own questions."""
    if who.user_id is None:
        return []
    mine = list(queries.questions(who).filter(owner_id=who.user_id, status="answered")[:100])
    latest = queries.latest(who, mine)
    waiting = [
        q
        for q in mine
        if q.pk in latest and latest[q.pk].verdict in {"no", "at_risk"} and latest[q.pk].action
    ]
    return [
        {
            "title": latest[q.pk].action,
            "url": q.url(),
            "why": f"Agreed for: {q.words}",
            "when": latest[q.pk].as_of,
            "icon": "questions",
        }
        for q in waiting[:6]
    ]


urlpatterns = [
    path("questions/", listing, name="questions"),
    path("questions/new", new, name="question-new"),
    path("questions/digest", digest_page, name="digest"),
    path("questions/digest.atom", digest_feed, name="digest-feed"),
    path("questions/<uuid:key>", one, name="question"),
    path("questions/<uuid:key>/edit", edit, name="question-edit"),
    path("questions/<uuid:key>/ask", ask_again, name="question-ask"),
    path("questions/<uuid:key>/status", set_status, name="question-status"),
    path("answers/<uuid:key>", answer, name="answer"),
    path("answers/<uuid:key>/rerun", rerun, name="answer-rerun"),
    path("answers/<uuid:key>/<str:name>.<str:form>", answer_picture, name="answer-picture"),
    path("ask", ask, name="ask"),
]
