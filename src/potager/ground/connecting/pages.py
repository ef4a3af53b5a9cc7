"""The pages of data: tables, imports, and the way in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse

from potager.ground.access.actors import Actor, may
from potager.ground.connecting import actions, queries
from potager.ground.connecting.connectors import offered
from potager.ground.connecting.models import Import, State, table_rule
from potager.ground.jobs.pages import shape as job_shape
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import Command, NavItem, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.kit.errors import NotFound, Problem
from potager.kit.paging import page_of

nav = (NavItem("Data", "data", "data", "connecting.read"),)
commands = (Command("Import a file", "data-upload", "connecting.import", "CSV, JSON Lines, Parquet, Excel"),)
TYPES = ("text", "integer", "number", "boolean", "date", "timestamp", "json")


class Upload(forms.Form):
    """A file to bring in."""

    file = forms.FileField(help_text="Nothing is imported before you have seen it.")
    reader = forms.ChoiceField(
        label="What it holds", choices=offered, widget=forms.RadioSelect, required=False
    )


class Table(forms.Form):
    """Where the rows go."""

    table = forms.CharField(
        max_length=120, validators=[table_rule], help_text="namespace.table, such as shop.order_lines."
    )


def _trail() -> list[dict[str, str]]:
    return [{"title": "Data", "url": reverse("data")}]


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Show the tables and the latest imports."""
    who = actor(request)
    found = page_of(queries.imports(who), cursor=request.GET.get("cursor", ""), limit=20)
    shown = {
        "page_title": "Data",
        "page_about": "What the lake holds, and how it came in. Every import can be undone as one.",
        "tables": list(queries.tables(who).values()),
        "found": found,
        "imports_allowed": may(who, "connecting.import"),
    }
    return render(request, "connecting/home.html", shown)


@signed_in
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file in and show what it is."""
    asked = request.GET.get("reader", "files")
    form = Upload(request.POST or None, request.FILES or None, initial={"reader": asked})
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = actions.upload(
                actor=actor(request),
                file_name=file.name,
                chunks=file.chunks(),
                reader=form.cleaned_data["reader"] or "files",
            )
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect("import", made.pk)
    shown = {"page_title": "Import a file", "crumbs": _trail(), "form": form, "submit": "Upload"}
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one import: what was found, what would come in, how it went."""
    who = actor(request)
    imported = found_in(queries.imports(who), pk=key)
    form = Table(request.POST or None, initial={"table": imported.table})
    if request.method == "POST" and form.is_valid():
        try:
            _act(request, imported, form.cleaned_data["table"])
            return redirect("import", key)
        except Problem as problem:
            problems_on(form, problem)
    shown = {
        "page_title": imported.file_name,
        "crumbs": _trail(),
        "imported": imported,
        "form": form,
        "columns": imported.plan.get("columns", []),
        "types": TYPES,
        "roles": imported.plan.get("roles", {}),
        "headers": imported.plan.get("headers", []),
        "rates_in": imported.plan.get("base", "") if imported.plan.get("kind") == "rates" else "",
        "job": job_shape(imported.job) if imported.job else None,
        "plannable": imported.state in {State.DRAFT, State.FAILED, State.UNDONE},
        "reasons": sorted(imported.reasons.items(), key=lambda item: -int(item[1])),
        **_preview(request, imported),
    }
    return render(request, "connecting/import.html", shown, status=422 if form.errors else 200)


def _act(request: HttpRequest, imported: Import, table: str) -> None:
    who, plan = actor(request), dict(imported.plan)
    plan["columns"] = [
        {
            **column,
            "include": f"include-{number}" in request.POST,
            "name": request.POST.get(f"name-{number}", column["name"]),
            "type": request.POST.get(f"type-{number}", column.get("type", "text")),
        }
        for number, column in enumerate(plan.get("columns", []))
    ]
    if "roles" in plan:
        plan["roles"] = {
            role: str(request.POST.get(f"role-{role}", column)).strip()
            for role, column in plan["roles"].items()
        }
    if "base" in plan:
        plan["base"] = str(request.POST.get("base", plan["base"])).strip().upper()
    imported = actions.plan(actor=who, imported=imported, table=table, plan=plan)
    if "start" in request.POST or "try" in request.POST:
        actions.start(actor=who, imported=imported, dry_run="try" in request.POST)
    else:
        messages.success(request, "The plan was kept.")


def _preview(request: HttpRequest, imported: Import) -> dict[str, Any]:
    try:
        seen = queries.preview(actor(request), imported, rows=12)
    except Problem as problem:
        return {"preview_problem": f"{problem.detail} {problem.mend}"}
    names = seen.rows.schema.names
    return {
        "names": names,
        "rows": [[row[name] for name in names] for row in seen.rows.to_pylist()],
        "rejected": seen.rejected[:10],
    }


@signed_in
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    """Undo an import."""
    who = actor(request)
    if request.method == "POST":
        actions.undo(actor=who, imported=found_in(queries.imports(who), pk=key))
        messages.success(request, "The import is being undone; its rows leave the table all at once.")
    return redirect("import", key)


@signed_in
def discard(request: HttpRequest, key: UUID) -> HttpResponse:
    """Forget an upload."""
    who = actor(request)
    if request.method == "POST":
        actions.discard(actor=who, imported=found_in(queries.imports(who), pk=key))
    return redirect("data")


@signed_in
def rejects(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Download the rows that were set aside."""
    imported = found_in(queries.imports(actor(request)), pk=key)
    if not imported.rejects_path.exists():
        raise NotFound("No rows were set aside.", mend="There is nothing to download.")
    name = f"rejected-{imported.pk}.csv"
    return FileResponse(
        imported.rejects_path.open("rb"), as_attachment=True, filename=name, content_type="text/csv"
    )


@signed_in
def table(request: HttpRequest, name: str) -> HttpResponse:
    """Show one table's columns and what brought its rows."""
    who = actor(request)
    shown = {
        "page_title": name,
        "crumbs": _trail(),
        "table": queries.table(who, name),
        "imports": queries.imports(who).filter(table=name)[:30],
    }
    return render(request, "connecting/table.html", shown)


urlpatterns = [
    path("data/", home, name="data"),
    path("data/upload", upload, name="data-upload"),
    path("data/tables/<str:name>", table, name="data-table"),
    path("data/imports/<uuid:key>", one, name="import"),
    path("data/imports/<uuid:key>/undo", undo, name="import-undo"),
    path("data/imports/<uuid:key>/discard", discard, name="import-discard"),
    path("data/imports/<uuid:key>/rejects", rejects, name="import-rejects"),
]


def alive(who: Actor) -> list[dict[str, Any]]:
    """Return what home shows of the data: the latest load."""
    last = queries.imports(who).filter(state=State.DONE).first()
    if last is None:
        return []
    text = f"{last.rows:,} rows of {last.file_name} in {last.table}"
    return [
        {
            "context": "Data",
            "context_url": reverse("data"),
            "text": text,
            "url": last.url(),
            "when": last.updated_at,
        }
    ]
