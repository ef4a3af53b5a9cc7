"""A reading's page: the controls are a plain form, and the address is the whole state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import may
from potager.ground.links.margin import margin
from potager.ground.serving.pictures import pictured
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import actions, queries
from potager.insight.usage.facts import facts_of
from potager.insight.usage.forms import controls
from potager.insight.usage.models import Analysis, Stream
from potager.insight.usage.pages.csvs import as_csv
from potager.insight.usage.readings.base import (
    Block,
    Cell,
    Head,
    Outcome,
    Reading,
    parsed,
    reading_named,
    readings,
)
from potager.kit.errors import Invalid, Problem


@signed_in
def one(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """Show one reading of a stream."""
    who = actor(request)
    stream, reading = queries.stream(who, key), reading_named(name)
    return _page(request, stream, reading, given(request), None)


@signed_in
def kept(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show an analysis: the reading that was kept, run again."""
    found = queries.analysis(actor(request), key)
    return _page(request, found.stream, reading_named(found.reading), dict(found.parameters), found)


def given(request: HttpRequest, *without: str) -> dict[str, Any]:
    """Return the parameters in an address, several values of one name as a list."""
    return {
        name: request.GET.getlist(name)
        for name in request.GET
        if name not in {*without, "theme", "width", "key"}
    }


def _page(
    request: HttpRequest,
    stream: Stream,
    reading: Reading[Any],
    values: dict[str, Any],
    analysis: Analysis | None,
) -> HttpResponse:
    who = actor(request)
    crumbs = [{"title": "Usage", "url": reverse("usage")}, {"title": stream.name, "url": stream.url()}]
    shown: dict[str, Any] = {
        "page_title": analysis.name if analysis else reading.title,
        "page_about": analysis.note if analysis and analysis.note else reading.about,
        "crumbs": crumbs,
        "stream": stream,
        "reading": reading,
        "analysis": analysis,
        "tabs": tabs(stream, reading),
        "edits": may(who, "usage.edit"),
        "facts": facts_of(stream),
    }
    status = 200
    needs = reading.needs(stream)
    if needs:
        shown["needs"] = needs
        return render(request, "usage/reading.html", shown)
    parameters = None
    try:
        parameters = parsed(reading, values)
        shown |= _answered(stream, reading, parameters, analysis)
    except Invalid as problem:
        shown["problem"], status = problem, problem.status
    shown["form"] = controls(
        reading, stream, shown["facts"], request.GET if not analysis else None, parameters
    )
    if analysis:
        shown |= margin(who, analysis)
    return render(request, "usage/reading.html", shown, status=status)


def _answered(
    stream: Stream, reading: Reading[Any], parameters: Any, analysis: Analysis | None
) -> dict[str, Any]:
    outcome = reading.answer(stream, parameters)
    query = urlencode(parameters.said(), doseq=True)
    shown: dict[str, Any] = {
        "outcome": outcome,
        "query": query,
        "blocks": [_block(stream, reading, query, block) for block in outcome.blocks],
        "sql": [(run.role, run.sql) for run in outcome.ran],
        "seconds": sum(run.seconds for run in outcome.ran),
        "next_looks": [
            {"title": title, "url": f"{address(stream, name)}{'?' + more if more else ''}"}
            for title, name, more in outcome.next
        ],
        "look_url": f"{address(stream, reading.name)}{'?' + query if query else ''}" if analysis else "",
    }
    at = reverse("usage-chart", args=[stream.pk, reading.name, "FORM"])
    shown["chart"] = pictured(outcome.chart, f"{at}{'?' + query if query else ''}")
    return shown


def address(stream: Stream, name: str) -> str:
    """Return the address of a reading."""
    return reverse("usage-reading", args=[stream.pk, name])


def tabs(stream: Stream, current: Reading[Any] | None = None) -> list[dict[str, Any]]:
    """Return the readings as tabs, without those that the stream lacks something for."""
    return [
        {"title": one.tab, "url": address(stream, one.name), "current": one is current}
        for one in readings()
        if one is current or not one.needs(stream)
    ]


def _block(stream: Stream, reading: Reading[Any], query: str, block: Block) -> dict[str, Any]:
    at = reverse("usage-who", args=[stream.pk, reading.name])
    joint = f"{query}&" if query else ""

    def cell(head: Head, found: Cell) -> dict[str, Any]:
        link = f"{at}?{joint}{urlencode({'cell': found.who})}" if found.who else ""
        return {"cell": found, "head": head, "link": link}

    return {
        "title": block.title,
        "about": block.about,
        "heads": block.heads,
        "rows": [[cell(head, one) for head, one in zip(block.heads, row, strict=True)] for row in block.rows],
    }


@signed_in
def keep(request: HttpRequest, key: UUID, name: str) -> HttpResponse:
    """Keep a reading under a name."""
    who = actor(request)
    stream, reading = queries.stream(who, key), reading_named(name)
    parameters = given(request)
    query = urlencode(parameters, doseq=True)
    if request.method == "POST":
        try:
            found = actions.keep_analysis(
                actor=who, stream=stream, reading=reading.name, parameters=parameters,
                name=request.POST.get("name", "").strip(), note=request.POST.get("note", "").strip(),
            )  # fmt: skip
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.mend}")
        else:
            messages.success(request, f"Kept as {found.name}.")
            return redirect(found.url())
    return redirect(f"{address(stream, name)}{'?' + query if query else ''}")


@signed_in
def archive(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put an analysis away."""
    who = actor(request)
    found = queries.analysis(who, key)
    if request.method == "POST":
        actions.archive_analysis(actor=who, analysis=found)
        messages.success(request, f"{found.name} was put away.")
        return redirect(found.stream.url())
    return redirect(found.url())


@signed_in
def table(request: HttpRequest, key: UUID, name: str) -> HttpResponseBase:
    """Serve the rows of a reading as CSV that no spreadsheet takes for a formula."""
    stream, reading = queries.stream(actor(request), key), reading_named(name)
    outcome: Outcome = reading.answer(stream, parsed(reading, given(request)))
    if outcome.refusal is not None or not outcome.blocks:
        raise Invalid(outcome.sentence, mend=outcome.refusal.mend if outcome.refusal else "Look at the page.")
    block = outcome.blocks[0]
    rows: Iterable[Iterable[Any]] = ([cell.value for cell in row] for row in block.rows)
    return as_csv([head.title for head in block.heads], rows, f"{reading.name}.csv")
