"""Files of events: brought, looked at, imported, undone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import may, require
from potager.ground.connecting.connectors import connector
from potager.ground.connecting.models import table_rule
from potager.ground.jobs.pages import shape as job_shape
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import actions, queries
from potager.insight.usage.forms import EventFileForm
from potager.insight.usage.models import EventFile, FileState
from potager.kit.errors import FieldProblem, Invalid, Problem

SHOWN_ROWS = 8


def _trail() -> list[dict[str, str]]:
    return [{"title": "Usage", "url": reverse("usage")}]


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Take a file of events in and show what it is."""
    who = actor(request)
    require(who, "usage.edit")
    form = EventFileForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = actions.bring_file(actor=who, file_name=file.name, chunks=file.chunks())
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect(made.url())
    shown = {
        "page_title": "Bring a file of events",
        "crumbs": _trail(),
        "form": form,
        "submit": "Upload",
        "cancel_url": reverse("usage"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one file of events: whose it is, what becomes what, how it went."""
    who = actor(request)
    brought = found_in(queries.files(who), pk=key)
    status = 200
    shown: dict[str, Any] = {}
    if request.method == "POST":
        try:
            table = request.POST.get("table", brought.table).strip()
            _check_table(table)
            actions.import_file(actor=who, brought=brought, table=table)
            return redirect(brought.url())
        except Problem as problem:
            shown["problem"], status = problem, problem.status
    stream = brought.stream or queries.streams(who).filter(table=brought.table).first()
    shown |= {
        "page_title": brought.file_name,
        "crumbs": _trail(),
        "brought": brought,
        "stream": stream,
        "job": job_shape(brought.job) if brought.job else None,
        "plannable": brought.state in {FileState.DRAFT, FileState.FAILED, FileState.UNDONE},
        "reasons": sorted(brought.reasons.items(), key=lambda item: -int(item[1])),
        "edits": may(who, "usage.edit"),
        **_first_rows(brought),
    }
    return render(request, "usage/file.html", shown, status=status)


def _check_table(table: str) -> None:
    from django.core.exceptions import ValidationError

    try:
        table_rule(table)
    except ValidationError as error:
        problem = FieldProblem("table", str(error.messages[0]))
        raise Invalid(problem.problem, mend="Such as usage.events.", errors=[problem]) from error


def _first_rows(brought: EventFile) -> dict[str, Any]:
    if brought.state not in {FileState.DRAFT, FileState.FAILED} or not brought.path.exists():
        return {}
    found = connector(actions.CONNECTOR)
    try:
        preview = found.preview(brought.path, found.ReadPlan.from_dict(brought.plan), rows=SHOWN_ROWS)
    except Problem as problem:
        return {"preview_problem": f"{problem.detail} {problem.mend}"}
    table = preview.rows
    return {"names": table.column_names, "rows": [list(row.values()) for row in table.to_pylist()]}


@signed_in
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take out again what a file brought."""
    who = actor(request)
    brought = found_in(queries.files(who), pk=key)
    if request.method == "POST":
        actions.undo_import(actor=who, brought=brought)
        messages.success(request, f"{brought.file_name} is being taken out again.")
    return redirect(brought.url())


@signed_in
def discard(request: HttpRequest, key: UUID) -> HttpResponse:
    """Forget a file that was not imported."""
    who = actor(request)
    brought = found_in(queries.files(who), pk=key)
    if request.method == "POST":
        actions.discard_file(actor=who, brought=brought)
        return redirect("usage")
    return redirect(brought.url())
