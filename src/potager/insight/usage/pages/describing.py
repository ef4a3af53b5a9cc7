"""Describing a stream, and what follows from it: metrics, health, influences."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import require
from potager.ground.lake.service import warehouse
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import actions, queries
from potager.insight.usage.forms import StreamForm
from potager.insight.usage.models import Stream
from potager.kit.errors import Problem


def _trail(stream: Stream | None = None) -> list[dict[str, str]]:
    trail = [{"title": "Usage", "url": reverse("usage")}]
    return trail + ([{"title": stream.name, "url": stream.url()}] if stream else [])


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Describe a table of events: first which table, then what its columns mean, as guessed."""
    who = actor(request)
    require(who, "usage.edit")
    table = request.GET.get("table", request.POST.get("table", ""))
    if not table:
        guesses = [
            {**guess, "url": f"?table={guess['table']}", "words": _guess_words(guess)}
            for guess in queries.guesses()
        ]
        shown = {"page_title": "Describe a table of events", "crumbs": _trail(), "guesses": guesses}
        return render(request, "usage/choose.html", shown)
    guess = queries.guess_of(table)
    initial = {**guess, "name": table.partition(".")[2].replace("_", " ").capitalize()}
    form = _form(table, request.POST or None, initial)
    if form.is_valid():
        try:
            made = actions.describe_stream(actor=who, values=form.values())
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect(made.url())
    page: dict[str, Any] = {
        "page_title": f"What the columns of {table} mean",
        "crumbs": _trail(),
        "form": form,
        "cancel_url": reverse("usage"),
    }
    return render(request, "form.html", page, status=422 if form.errors else 200)


def _guess_words(guess: dict[str, Any]) -> str:
    said = [f"{guess['person']} does", guess.get("event") or "something", f"at {guess['time']}"]
    return " ".join(said) + (f", for {guess['account']}" if guess.get("account") else "")


def _form(table: str, data: Any, initial: dict[str, Any]) -> StreamForm:
    tables = warehouse().tables()
    info = tables.get(table)
    columns = list(info.schema.names) if info else []
    return StreamForm(
        data, initial=initial, columns=columns, tables=[name for name in tables if name != table]
    )


@signed_in
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change what a stream's columns mean."""
    who = actor(request)
    stream = queries.stream(who, key)
    require(who, "usage.edit", stream)
    initial = {name: getattr(stream, name) for name in actions.WRITTEN}
    form = _form(stream.table, request.POST or None, initial)
    if form.is_valid():
        try:
            actions.change_stream(actor=who, stream=stream, values=form.values())
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect(stream.url())
    shown = {
        "page_title": f"What {stream.name} means",
        "crumbs": _trail(stream),
        "form": form,
        "cancel_url": stream.url(),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def archive(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put a stream away."""
    who = actor(request)
    stream = queries.stream(who, key)
    if request.method == "POST":
        actions.archive_stream(actor=who, stream=stream)
        messages.success(request, f"{stream.name} was put away; its table stays.")
        return redirect("usage")
    return redirect(stream.url())


@signed_in
def publish(request: HttpRequest, key: UUID) -> HttpResponse:
    """Publish the governed metrics of a stream."""
    who = actor(request)
    stream = queries.stream(who, key)
    if request.method == "POST":
        try:
            made = actions.publish_metrics(actor=who, stream=stream)
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.mend}")
        else:
            messages.success(request, f"Published as version {made.number} of {made.name}.")
            return redirect(made.url())
    return redirect(stream.url())


@signed_in
def health(request: HttpRequest, key: UUID) -> HttpResponse:
    """Compute the health of every account, in the background."""
    who = actor(request)
    stream = queries.stream(who, key)
    if request.method == "POST":
        try:
            job = actions.ask_for_health(actor=who, stream=stream)
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.mend}")
        else:
            return redirect(job.url())
    return redirect(stream.url())


@signed_in
def influences(request: HttpRequest, key: UUID) -> HttpResponse:
    """Draw and test the influences of usage on revenue in the tree."""
    who = actor(request)
    stream = queries.stream(who, key)
    if request.method == "POST":
        try:
            made = actions.propose_influences(actor=who, stream=stream)
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.mend}")
        else:
            said = (
                f"{len(made)} influences were drawn and tested."
                if made
                else "Every influence is drawn already."
            )
            messages.success(request, said)
            return redirect("tree")
    return redirect(stream.url())
