"""The people and accounts behind a number: listed, downloaded, kept as a segment."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import may
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import actions, groups, queries
from potager.insight.usage.models import Stream
from potager.insight.usage.pages.csvs import as_csv
from potager.insight.usage.pages.reading import address, given
from potager.insight.usage.readings.base import Group, Reading, parsed, reading_named
from potager.kit import words
from potager.kit.errors import Problem

NOUNS = {"person": "people", "account": "accounts"}


def _behind(request: HttpRequest, key: UUID, name: str) -> tuple[Stream, Reading[Any], Any, Group]:
    stream, reading = queries.stream(actor(request), key), reading_named(name)
    parameters = parsed(reading, given(request, "cell", "page"))
    return (
        stream,
        reading,
        parameters,
        groups.group_of(stream, reading, parameters, request.GET.get("cell", "")),
    )


@signed_in
def who(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """List who is behind a cell."""
    person = actor(request)
    stream, reading, parameters, group = _behind(request, key, name)
    asked = request.GET.get("page", "1")
    found = groups.members(person, group, page=int(asked) if asked.isdecimal() else 1)
    query = urlencode(parameters.said(), doseq=True)
    cell = urlencode({"cell": request.GET.get("cell", "")})
    whole = f"{query}&{cell}" if query else cell
    shown = {
        "page_title": words.counted(found.total, NOUNS[group.unit]),
        "crumbs": [
            {"title": "Usage", "url": reverse("usage")},
            {"title": stream.name, "url": stream.url()},
            {"title": reading.title, "url": f"{address(stream, name)}{'?' + query if query else ''}"},
        ],
        "group": group,
        "noun": NOUNS[group.unit],
        "found": found,
        "first": (found.page - 1) * groups.PAGE + 1,
        "last": (found.page - 1) * groups.PAGE + len(found.items),
        "back": f"?{whole}&page={found.page - 1}" if found.page > 1 else "",
        "next": f"?{whole}&page={found.page + 1}" if found.more else "",
        "csv_url": f"{reverse('usage-who-csv', args=[stream.pk, name])}?{whole}",
        "segment_url": f"{reverse('usage-who-segment', args=[stream.pk, name])}?{whole}",
        "edits": may(person, "customers.edit"),
        "sql": [(found.ran.role, group.sql)],
        "proposed": f"{stream.name}: {group.words}"[:120],
    }
    return render(request, "usage/who.html", shown)


@signed_in
def csv(request: HttpRequest, key: UUID, name: str) -> HttpResponseBase:
    """Serve everybody behind a cell as CSV."""
    _, reading, _, group = _behind(request, key, name)
    return as_csv([group.unit], ([one] for one in groups.every(group)), f"{reading.name}-{group.unit}.csv")


@signed_in
def segment(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """Keep everybody behind a cell as a segment of customers."""
    stream, reading, parameters, group = _behind(request, key, name)
    back = f"{reverse('usage-who', args=[stream.pk, name])}?{request.GET.urlencode()}"
    if request.method != "POST":
        return redirect(back)
    try:
        made = actions.keep_group(
            actor=actor(request), stream=stream, reading=reading.name, parameters=parameters.said(),
            cell=request.GET.get("cell", ""), name=request.POST.get("name", "").strip()[:120],
        )  # fmt: skip
    except Problem as problem:
        messages.error(request, f"{problem.detail} {problem.mend}")
        return redirect(back)
    messages.success(
        request, f"Kept as the segment {made.name}: {words.counted(group_size(made), NOUNS[group.unit])}."
    )
    return redirect(made.url())


def group_size(made: Any) -> int:
    """Return how many keys a kept segment holds."""
    return int(made.members.count())
