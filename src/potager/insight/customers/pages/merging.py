"""Merging two accounts or two people, as pages: which other, what would happen, then do it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import require
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.customers import actions, queries
from potager.insight.customers.actions.merging import preview
from potager.insight.customers.forms import MergeForm
from potager.insight.customers.models import Account, Merge, Noun, Person
from potager.insight.customers.pages import home
from potager.kit.errors import Conflict, Problem


@signed_in
def accounts(request: HttpRequest, key: UUID) -> HttpResponse:
    """Merge another account into this one."""
    return _merge(request, found_in(Account.objects.visible_to(actor(request)), pk=key))


@signed_in
def people(request: HttpRequest, key: UUID) -> HttpResponse:
    """Merge another person into this one."""
    return _merge(request, found_in(Person.objects.visible_to(actor(request)), pk=key))


def _merge(request: HttpRequest, kept: Account | Person) -> HttpResponse:
    who = actor(request)
    require(who, "customers.merge", kept)
    given = request.POST or ({"merged": request.GET["merged"]} if request.GET.get("merged") else None)
    form, other, seen = MergeForm(given), None, None
    if form.is_valid():
        try:
            other = _other(request, kept, form.cleaned_data["merged"])
            if request.method == "POST" and "merge" in request.POST:
                merge: Any = actions.merge_accounts if isinstance(kept, Account) else actions.merge_people
                done = merge(actor=who, kept=kept, merged=other, reason=form.cleaned_data["reason"])
                undo = reverse("merge-undo", args=[done.pk])
                messages.success(request, f"{other.title} is {kept.title} now.", extra_tags=f"undo:{undo}")
                return redirect(kept.url())
            seen = preview(kept, other)  # type: ignore[type-var]
        except Problem as problem:
            problems_on(form, problem)
    shown = {
        "page_title": f"Merge into {kept.title}",
        "page_about": "Say which other is really the same. Everything of it moves here, and can be moved back.",
        "crumbs": home.trail((kept.title, kept.url())),
        "form": form,
        "kept": kept,
        "other": other,
        "seen": seen,
        "noun": kept.noun(),
    }
    return render(request, "customers/merge.html", shown, status=422 if form.errors else 200)


def _other(request: HttpRequest, kept: Account | Person, given: str) -> Account | Person:
    who = actor(request)
    found: Account | Person
    found = queries.account_of(who, given) if isinstance(kept, Account) else queries.person_of(who, given)
    if found.pk == kept.pk:
        raise Conflict(f"{given} is {kept.title} itself.", mend="Name another.")
    return found


@signed_in
def undo(request: HttpRequest, key: UUID) -> HttpResponse:
    """Undo a merge."""
    who = actor(request)
    merge: Merge = found_in(queries.merges(who), pk=key)
    page = "account" if merge.noun_kind == Noun.ACCOUNTS else "customer-person"
    if request.method == "POST":
        actions.unmerge(actor=who, merge=merge)
        messages.success(request, "The two are two again.")
    return redirect(page, merge.kept_id)
