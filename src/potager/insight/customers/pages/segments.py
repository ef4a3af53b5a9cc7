"""Segments, as pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import may, require
from potager.ground.audit.queries import history
from potager.ground.links.margin import margin
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.customers import actions, queries
from potager.insight.customers.files import account_lines, person_lines
from potager.insight.customers.forms import SegmentForm
from potager.insight.customers.models import Noun, Segment
from potager.insight.customers.pages import home
from potager.kit import words
from potager.kit.errors import Problem
from potager.kit.paging import page_of


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the segments, each with how many are in it now."""
    who = actor(request)
    require(who, "customers.read")
    found = page_of(queries.segments(who), cursor=request.GET.get("cursor", ""), limit=20, order="name")
    shown = {
        "page_title": "Segments",
        "page_about": "Customers under a name: by a condition that is asked anew each time, or as a fixed list.",
        "crumbs": home.trail(),
        "tabs": home.tabs("segments"),
        "found": found,
        "lines": [(segment, queries.how_many(who, segment)) for segment in found.items],
        "edits": may(who, "customers.edit"),
    }
    return render(request, "customers/segments.html", shown)


def _found(request: HttpRequest, key: UUID) -> Segment:
    return found_in(Segment.objects.visible_to(actor(request)).select_related("owner"), pk=key)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show who is in a segment now."""
    who, segment = actor(request), _found(request, key)
    count = queries.how_many(who, segment)
    noun = segment.get_noun_kind_display().lower()
    people = segment.noun_kind == Noun.PEOPLE
    whole = (queries.people(who) if people else queries.accounts(who)).count()
    share = f", {words.human(100 * count / whole, '%')} of all" if whole else ""
    verb = "is" if count == 1 else "are"
    shown = {
        "page_title": segment.name,
        "page_about": f"{words.counted(count, noun)} {verb} in it now{share}.",
        "crumbs": home.trail(("Segments", reverse("segments"))),
        "segment": segment,
        "conditions": segment.condition.splitlines(),
        "nobody": queries.nobody_has(who, segment) if segment.fixed else 0,
        "members": queries.members(who, segment).order_by("name", "pk")[:20],
        "count": count,
        "all_url": f"{reverse('people' if people else 'customers')}?in={segment.pk}",
        "history": history(who, segment)[:20],
        "edits": may(who, "customers.edit", segment),
        **margin(who, segment),
    }
    return render(request, "customers/segment.html", shown)


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Name some customers."""
    require(actor(request), "customers.edit")
    return _write(request, None)


@signed_in
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change a segment."""
    segment = _found(request, key)
    require(actor(request), "customers.edit", segment)
    return _write(request, segment)


def _write(request: HttpRequest, segment: Segment | None) -> HttpResponse:
    who = actor(request)
    form = SegmentForm(request.POST or None, initial=SegmentForm.initial_of(segment) if segment else None)
    if segment is not None:
        del form.fields["noun"]
    if request.method == "POST" and form.is_valid():
        try:
            values: dict[str, Any] = form.values()
            if segment is None:
                values["keys"] = values["keys"] or None  # an empty list by hand is a form not filled in
                written = actions.create_segment(actor=who, noun=form.cleaned_data["noun"], **values)
            else:
                written = actions.change_segment(actor=who, segment=segment, **values)
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, f"{written.name} was kept.")
            return redirect("segment", written.pk)
    shown = {
        "page_title": f"Edit {segment.name}" if segment else "Name a segment",
        "crumbs": home.trail(("Segments", reverse("segments"))),
        "form": form,
        "cancel_url": segment.url() if segment else reverse("segments"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def archive(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take a segment out of use."""
    segment = _found(request, key)
    if request.method == "POST":
        actions.archive_segment(actor=actor(request), segment=segment)
        undo = reverse("segment-restore", args=[key])
        messages.success(request, f"{segment.name} was archived.", extra_tags=f"undo:{undo}")
    return redirect("segments")


@signed_in
def restore(request: HttpRequest, key: UUID) -> HttpResponse:
    """Bring an archived segment back."""
    segment = _found(request, key)
    if request.method == "POST":
        actions.restore_segment(actor=actor(request), segment=segment)
    return redirect("segment", key)


@signed_in
def as_csv(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Download who is in a segment now."""
    segment = _found(request, key)
    lines = person_lines if segment.noun_kind == Noun.PEOPLE else account_lines
    return home.download(lines(queries.members(actor(request), segment)), "members.csv")
