"""Definition documents: the list, the guided start from a table, the editor with its checks and versions."""

from __future__ import annotations

import difflib
import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import Actor, may, require
from potager.ground.lake.service import warehouse
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics import actions, compiling, queries
from potager.insight.metrics.forms import DefinitionForm
from potager.insight.metrics.models import Source, SourceVersion
from potager.kit.errors import Problem

_LINE = re.compile(r"line (\d+)$")


def _trail(*, inside: bool = True) -> list[dict[str, str]]:
    found = [{"title": "Metrics", "url": reverse("metrics")}]
    return [*found, {"title": "Definitions", "url": reverse("definitions")}] if inside else found


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the definition documents."""
    who = actor(request)
    shown = {
        "page_title": "Definitions",
        "page_about": "What metrics mean, in the YAML of dbt's semantic layer. Every version is kept.",
        "crumbs": _trail(inside=False),
        "sources": queries.sources(who).prefetch_related("metrics"),
        "edits": may(who, "metrics.edit"),
    }
    return render(request, "metrics/definitions.html", shown)


@signed_in
def choose_table(request: HttpRequest) -> HttpResponse:
    """Begin with a table: its columns propose the first metrics."""
    who = actor(request)
    require(who, "metrics.edit")
    defined = {table for namespace in _namespaces(who) for table in _tables_of(namespace)}
    tables = [
        {"name": name, "rows": info.rows, "columns": len(info.schema), "defined": name in defined}
        for name, info in sorted(warehouse().tables().items())
    ]
    shown = {
        "page_title": "Define metrics from a table",
        "page_about": "Potager reads a table's columns and proposes definitions. You read and change them before "
        "anything is published.",
        "crumbs": _trail(inside=False),
        "tables": tables,
    }
    return render(request, "metrics/choose_table.html", shown)


def _namespaces(who: Actor) -> set[str]:
    return set(queries.sources(who).values_list("namespace", flat=True))


def _tables_of(namespace: str) -> set[str]:
    try:
        return {table for metric in compiling.layer(namespace).metrics() for table in metric.tables}
    except Problem:  # a namespace that does not compile now says so on its own pages
        return set()


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Write a definition document, perhaps from what a table proposes."""
    who = actor(request)
    require(who, "metrics.edit")
    initial: dict[str, Any] = {}
    notes: list[str] = []
    table = request.GET.get("table", "")
    if table:
        proposed = compiling.proposal(who, table)
        notes = [note.replace("`", "") for note in proposed.pop("notes")]
        initial = {**proposed, "note": f"Proposed from {table}"}
    form = DefinitionForm(request.POST or None, initial=initial)
    shown = {"page_title": "New definition", "crumbs": _trail(), "notes": notes, "table": table}
    return _editor(request, form, shown, None)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a definition document with its versions; check it, publish a new version."""
    who = actor(request)
    source = found_in(queries.sources(who), pk=key)
    versions = list(queries.versions(who, source))
    chosen = _version(versions, request.GET.get("version", ""))
    begun = _version(versions, request.GET.get("from", ""))
    initial = {
        "name": source.name,
        "namespace": source.namespace,
        "text": begun.text if begun else source.text,
        "note": f"Back to version {begun.number}" if begun else "",
        "number": source.number,
    }
    form = DefinitionForm(request.POST or None, initial=initial, fixed=True)
    shown = {
        "page_title": source.name,
        "page_about": f"Version {source.number}, over the tables of {source.namespace}.",
        "crumbs": _trail(),
        "source": source,
        "metrics": queries.metrics(who).filter(source=source),
        "versions": versions,
        "chosen": chosen,
        "diff": _diff(versions, chosen) if chosen else [],
    }
    return _editor(request, form, shown, source)


def _editor(
    request: HttpRequest, form: DefinitionForm, shown: dict[str, Any], source: Source | None
) -> HttpResponse:
    who = actor(request)
    shown |= {"form": form, "source": source, "edits": may(who, "metrics.edit")}
    if request.method == "POST":
        require(who, "metrics.edit")
        if form.is_valid():
            given = {name: form.cleaned_data[name] for name in ("name", "namespace", "text")}
            shown["findings"] = findings = check(**given)
            wrong = [one for one in findings if one["level"] == "error"]
            if "publish" in request.POST and not wrong and _still(form, source):
                try:
                    made = actions.publish(actor=who, note=form.cleaned_data["note"], **given)
                except Problem as problem:
                    problems_on(form, problem)
                else:
                    messages.success(request, f"Published: {made.name} is at version {made.number}.")
                    return redirect("definition", made.pk)
            elif "publish" in request.POST and wrong:
                form.add_error("text", f"Nothing was published: {_counted(len(wrong))} to be mended first.")
            shown["checked"] = True
    return render(request, "metrics/editor.html", shown, status=422 if form.errors else 200)


def _still(form: DefinitionForm, source: Source | None) -> bool:
    """Return whether nobody published another version since the form was opened; else say so on it."""
    number = form.cleaned_data.get("number")
    if source is None or number in (None, source.number):
        return True
    form.add_error(
        "text",
        f"Version {source.number} was published meanwhile, and you began with version {number}. "
        "Look at what changed below, then publish again.",
    )
    form.data = {**form.data.dict(), "number": str(source.number)}  # type: ignore[attr-defined]
    return False


def _counted(errors: int) -> str:
    return "1 error is" if errors == 1 else f"{errors} errors are"


def check(name: str, namespace: str, text: str) -> list[dict[str, Any]]:
    """Return what is wrong or doubtful in a text: level, line, what, and how to mend it; errors first."""
    found: list[dict[str, Any]]
    try:
        found = [
            {
                "level": one.level,
                "source": one.source,
                "line": one.line,
                "message": one.message,
                "mend": one.mend,
            }
            for one in compiling.check(namespace, {name: text})
        ]
    except Problem as problem:  # YAML that cannot be read at all
        found = []
        for error in problem.errors:
            line = _LINE.search(error.where)
            number = int(line[1]) if line else 0
            found.append(
                {
                    "level": "error",
                    "source": name,
                    "line": number,
                    "message": error.problem,
                    "mend": error.mend,
                }
            )
        if not found:
            found = [
                {"level": "error", "source": name, "line": 0, "message": problem.detail, "mend": problem.mend}
            ]
    lines = text.splitlines()
    for one in found:
        number = one["line"]
        one["said"] = (
            lines[number - 1].strip()[:200] if one["source"] == name and 0 < number <= len(lines) else ""
        )
    return sorted(found, key=lambda one: (one["level"] != "error", one["source"] != name, one["line"]))


def _version(versions: list[SourceVersion], number: str) -> SourceVersion | None:
    return next((one for one in versions if str(one.number) == number), None)


def _diff(versions: list[SourceVersion], chosen: SourceVersion) -> list[dict[str, str]]:
    """Return what a version changed against the one before, line by line."""
    before = next((one for one in versions if one.number == chosen.number - 1), None)
    lines = difflib.unified_diff(
        before.text.splitlines() if before else [],
        chosen.text.splitlines(),
        f"version {chosen.number - 1}" if before else "nothing",
        f"version {chosen.number}",
        lineterm="",
    )
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return [
        {"kind": "head" if number < 2 else kinds.get(line[:1], ""), "text": line}
        for number, line in enumerate(lines)
    ]


@signed_in
def withdraw(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a definition document away, after saying what goes with it."""
    who = actor(request)
    source = found_in(queries.sources(who), pk=key)
    require(who, "metrics.edit", source)
    if request.method == "POST":
        actions.withdraw(actor=who, source=source)
        messages.success(
            request,
            f"{source.name} was withdrawn; its versions are kept. Publish a document of this name to bring it back.",
        )
        return redirect("definitions")
    shown = {
        "page_title": f"Withdraw {source.name}",
        "crumbs": [*_trail(), {"title": source.name, "url": source.url()}],
        "source": source,
        "metrics": queries.metrics(who).filter(source=source),
    }
    return render(request, "metrics/withdraw.html", shown)
