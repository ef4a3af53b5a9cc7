"""Syncs, as pages: choose a table, say which column is what, look at what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import may, require
from potager.ground.jobs.pages import shape as job_shape
from potager.ground.lake.service import warehouse
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.customers import actions, queries
from potager.insight.customers.forms import SyncForm
from potager.insight.customers.mapping import FIELDS, propose
from potager.insight.customers.models import Noun, Sync, SyncState
from potager.insight.customers.pages import home
from potager.insight.customers.traits import trait_name
from potager.kit import words
from potager.kit.errors import NotFound, Problem
from potager.kit.paging import page_of

_TITLES = {"source_id": "Id in the source", "updated_at": "When it was updated", "emails": "E-mail"}


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show what brought customers, newest first."""
    who = actor(request)
    require(who, "customers.read")
    shown = {
        "page_title": "Syncs",
        "page_about": "What brought customers from tables. The same again changes nothing; each can be undone as one.",
        "crumbs": home.trail(),
        "tabs": home.tabs("syncs"),
        "found": page_of(queries.syncs(who), cursor=request.GET.get("cursor", ""), limit=30),
        "syncs": may(who, "customers.sync"),
    }
    return render(request, "customers/syncs.html", shown)


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Choose a table, then say which of its columns becomes what."""
    who = actor(request)
    require(who, "customers.sync")
    tables = warehouse().tables()
    asked = request.POST or (request.GET if request.GET.get("table") else None)
    form = SyncForm(asked, tables=sorted(tables))
    shown: dict[str, Any] = {
        "page_title": "Bring customers from a table",
        "page_about": "Choose a table; Potager proposes what its columns are, and nothing comes in before you say so.",
        "crumbs": home.trail(("Syncs", reverse("syncs"))),
        "form": form,
        "tables": tables,
    }
    if form.is_valid():
        table, noun = form.cleaned_data["table"], form.cleaned_data["noun"]
        columns = tables[table].schema.names
        if request.method == "POST":
            try:
                return redirect("sync", _started(request, table, noun, columns))
            except Problem as problem:
                problems_on(form, problem)
        mapping = _mapping(request, noun, columns) if request.method == "POST" else propose(columns, noun)
        shown |= _plan(columns, noun, mapping)
    return render(request, "customers/sync_new.html", shown, status=422 if form.errors else 200)


def _plan(columns: list[str], noun: str, mapping: dict[str, Any]) -> dict[str, Any]:
    role = {column: name for name, column in mapping.items() if name != "traits"}
    role |= dict.fromkeys(mapping["traits"].values(), "trait")
    roles = [("", "leave out"), ("trait", "a trait")]
    roles += [(name, _TITLES.get(name, name.capitalize())) for name in FIELDS[noun]]
    return {
        "columns": [(number, column, role.get(column, "")) for number, column in enumerate(columns)],
        "roles": roles,
        "people": noun == Noun.PEOPLE,
    }


def _mapping(request: HttpRequest, noun: str, columns: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"traits": {}}
    for number, column in enumerate(columns):
        role = request.POST.get(f"role-{number}", "")
        if role == "trait":
            found["traits"][trait_name(column)] = column
        elif role:
            found.setdefault(role, column)
    return found


def _started(request: HttpRequest, table: str, noun: str, columns: list[str]) -> UUID:
    who, mapping = actor(request), _mapping(request, noun, columns)
    if noun == Noun.ACCOUNTS:
        return actions.sync_accounts(actor=who, table=table, mapping=mapping).pk
    make = "make_accounts" in request.POST
    return actions.sync_people(actor=who, table=table, mapping=mapping, make_accounts=make).pk


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show what came of a sync."""
    who = actor(request)
    sync = found_in(queries.syncs(who), pk=key)
    columns = [(name, column) for name, column in sync.mapping.items() if name != "traits"]
    shown = {
        "page_title": str(sync),
        "page_about": _sentence(sync),
        "crumbs": home.trail(("Syncs", reverse("syncs"))),
        "sync": sync,
        "pairs": [
            *({"key": _TITLES.get(name, name.capitalize()), "value": column} for name, column in columns),
            *({"key": f"Trait {name}", "value": column} for name, column in sync.mapping["traits"].items()),
        ],
        "job": job_shape(sync.job) if sync.job else None,
        "running": sync.state in {SyncState.RUNNING, SyncState.UNDOING},
        "reasons": sorted(sync.reasons.items(), key=lambda item: -int(item[1])),
        "problems": sync.rejects_path.exists(),
        "undoes": may(who, "customers.sync", sync) and sync.state in {SyncState.DONE, SyncState.FAILED},
    }
    return render(request, "customers/sync.html", shown)


def _sentence(sync: Sync) -> str:
    """Return what came of a sync in one sentence."""
    noun = sync.get_noun_kind_display().lower()
    if sync.state == SyncState.UNDONE:
        return "What it brought was taken back."
    if sync.state != SyncState.DONE:
        return ""
    if not sync.added and not sync.changed:
        return f"Nothing new in {words.counted(sync.rows, 'rows')}: all was as the table says."
    came = f"{words.counted(sync.added, noun)} came in and {words.grouped(sync.changed)} changed"
    aside = f"; {words.counted(sync.set_aside, 'rows')} set aside" if sync.set_aside else ""
    return f"{came}{aside}."


@signed_in
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    """Undo a sync."""
    who = actor(request)
    if request.method == "POST":
        actions.undo_sync(actor=who, sync=found_in(queries.syncs(who), pk=key))
        messages.success(request, "The sync is being undone.")
    return redirect("sync", key)


@signed_in
def problems(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Download the rows with problems."""
    sync = found_in(queries.syncs(actor(request)), pk=key)
    if not sync.rejects_path.exists():
        raise NotFound("No row had a problem.", mend="There is nothing to download.")
    name = f"problems-{sync.pk}.csv"
    return FileResponse(
        sync.rejects_path.open("rb"), as_attachment=True, filename=name, content_type="text/csv"
    )
