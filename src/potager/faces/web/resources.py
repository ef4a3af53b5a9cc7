"""The pages of a plain noun, from its description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import models
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from potager.faces.web.templatetags.potager_ui import markdown
from potager.ground.access.actors import may, require
from potager.ground.acting.action import expecting
from potager.ground.audit.queries import history
from potager.ground.links.margin import margin
from potager.ground.records.models import Record
from potager.ground.records.queries import found_in
from potager.ground.resources.resource import RESOURCES, Resource
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.kit.errors import Problem
from potager.kit.paging import page_of

Page = Callable[..., HttpResponseBase]


def _widget(field: models.Field[Any, Any], **given: Any) -> forms.Field | None:
    if isinstance(field, models.DateField):
        given["widget"] = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return field.formfield(**given)


def _shown(record: Record, name: str) -> Any:
    value = getattr(record, name)
    return markdown(value) if isinstance(record._meta.get_field(name), models.TextField) else value


def resource_pages(resource: Resource[Any]) -> list[URLPattern]:
    """Return list, record, new, edit, archive and restore for one resource."""
    model, noun, context = resource.model, resource.noun, resource.context
    names = {
        verb: f"{context}-{noun}-{verb}" for verb in ("list", "page", "new", "edit", "archive", "restore")
    }
    form_of = modelform_factory(model, fields=list(resource.fields), formfield_callback=_widget)
    title = resource.title

    def trail(request: HttpRequest) -> list[dict[str, str]]:
        return [{"title": title, "url": reverse(names["list"])}]

    def found(request: HttpRequest, key: UUID) -> Any:
        return found_in(model.objects.visible_to(actor(request)), pk=key)

    @signed_in
    def listing(request: HttpRequest) -> HttpResponseBase:
        who = actor(request)
        require(who, f"{context}.read")
        search, archived = request.GET.get("q", ""), "archived" in request.GET
        rows = resource.rows(who, search=search, archived=archived)
        shown = page_of(rows, cursor=request.GET.get("cursor", ""), order=resource.order)
        head = [str(model._meta.get_field(name).verbose_name).capitalize() for name in resource.columns]
        lines = [(row, [getattr(row, name) for name in resource.columns[1:]]) for row in shown.items]
        return render(
            request,
            "resources/list.html",
            {
                "page_title": title,
                "page_about": resource.purpose,
                "resource": resource,
                "head": head,
                "lines": lines,
                "shown": shown,
                "search": search,
                "archived": archived,
                "new_url": reverse(names["new"]) if may(who, f"{context}.edit") else "",
            },
        )

    @signed_in
    def reading(request: HttpRequest, key: UUID) -> HttpResponseBase:
        who, record = actor(request), found(request, key)
        pairs = [
            {
                "key": str(model._meta.get_field(name).verbose_name).capitalize(),
                "value": _shown(record, name),
            }
            for name in resource.fields[1:]
            if getattr(record, name) not in (None, "")
        ]
        editable = may(who, f"{context}.edit", record)
        return render(
            request,
            "resources/record.html",
            {
                "page_title": record.title,
                "crumbs": trail(request),
                "record": record,
                "pairs": pairs,
                "history": history(who, record)[:20],
                "edit_url": reverse(names["edit"], args=[key]) if editable else "",
                "archive_url": reverse(names["archive"], args=[key]) if editable else "",
                "restore_url": reverse(names["restore"], args=[key]) if editable else "",
                **margin(who, record),
            },
        )

    def write(
        request: HttpRequest, record: Any, act: Callable[[dict[str, Any]], Record], done: str
    ) -> HttpResponseBase:
        form = form_of(request.POST or None, instance=record)
        if request.method == "POST" and form.is_valid():
            try:
                written = act(form.cleaned_data)
            except Problem as problem:
                problems_on(form, problem)
            else:
                messages.success(request, f"{written.title} was {done}.")
                return redirect(written.url() or reverse(names["list"]))
        heading = f"New {model.noun()}" if record is None else f"Edit {record.title}"
        cancel = reverse(names["list"]) if record is None else record.url()
        shown = {"page_title": heading, "crumbs": trail(request), "form": form, "cancel_url": cancel}
        return render(request, "form.html", shown, status=422 if form.errors else 200)

    @signed_in
    def adding(request: HttpRequest) -> HttpResponseBase:
        who = actor(request)
        require(who, f"{context}.edit")
        return write(request, None, lambda values: resource.create(actor=who, values=values), "added")

    @signed_in
    def editing(request: HttpRequest, key: UUID) -> HttpResponseBase:
        who, record = actor(request), found(request, key)
        require(who, f"{context}.edit", record)
        version = record.version

        def act(values: dict[str, Any]) -> Record:
            with expecting(version):
                changed: Record = resource.change(actor=who, record=record, values=values)
                return changed

        return write(request, record, act, "changed")

    @signed_in
    def archiving(request: HttpRequest, key: UUID) -> HttpResponseBase:
        if request.method == "POST":
            record = resource.archive(actor=actor(request), record=found(request, key))
            undo = reverse(names["restore"], args=[key])
            messages.success(request, f"{record.title} was archived.", extra_tags=f"undo:{undo}")
        return redirect(names["list"])

    @signed_in
    def restoring(request: HttpRequest, key: UUID) -> HttpResponseBase:
        record = found(request, key)
        if request.method == "POST":
            record = resource.restore(actor=actor(request), record=record)
            messages.success(request, f"{record.title} is back.")
        return redirect(record.url())

    base = f"{context}/"
    alone = sum(other.context == context for other in RESOURCES.values()) == 1
    return [
        # A context's only noun is listed where the context stands; several, and one without a door, at their own place.
        path(base if alone and resource.door else f"{base}{noun}/", listing, name=names["list"]),
        path(f"{base}{noun}/new", adding, name=names["new"]),
        path(f"{base}{noun}/<uuid:key>", reading, name=names["page"]),
        path(f"{base}{noun}/<uuid:key>/edit", editing, name=names["edit"]),
        path(f"{base}{noun}/<uuid:key>/archive", archiving, name=names["archive"]),
        path(f"{base}{noun}/<uuid:key>/restore", restoring, name=names["restore"]),
    ]
