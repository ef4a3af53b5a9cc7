"""Usage at a glance: the streams, what was kept, what is odd."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.ground.access.actors import Actor, may
from potager.ground.jobs.pages import shape as job_shape
from potager.ground.lake.service import lake
from potager.ground.links.margin import margin
from potager.ground.serving.pictures import pictured
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import queries
from potager.insight.usage.facts import Facts, facts_of
from potager.insight.usage.models import Stream
from potager.insight.usage.pages.reading import tabs
from potager.insight.usage.readings import glance
from potager.insight.usage.readings.base import readings
from potager.kit import words
from potager.kit.errors import Problem

MOST_EVENTS = 12


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the streams and the analyses that were kept."""
    who = actor(request)
    streams = list(queries.streams(who))
    shown = {
        "page_title": "Usage",
        "page_about": "What people and accounts do in the product, and what goes with keeping and paying.",
        "streams": [_card(stream) for stream in streams],
        "analyses": list(queries.analyses(who).order_by("name")[:50]),
        "files": list(queries.files(who)[:10]),
        "guesses": [] if streams else queries.guesses()[:3],
        "edits": may(who, "usage.edit"),
    }
    return render(request, "usage/home.html", shown)


def _card(stream: Stream) -> dict[str, Any]:
    try:
        return {"stream": stream, "sentence": sentence(stream, facts_of(stream))}
    except Problem as problem:
        return {"stream": stream, "sentence": "", "problem": f"{problem.detail} {problem.mend}"}


def sentence(stream: Stream, facts: Facts) -> str:
    """Return what a stream holds, in a sentence."""
    if not facts.events or facts.first is None or facts.last is None:
        return f"There are no events in {stream.name} yet."
    of = f" in {words.counted(facts.accounts, 'accounts')}" if facts.accounts else ""
    return (
        f"{words.counted(facts.people, 'people')}{of} did {words.counted(facts.events, 'things')} "
        f"between {words.day(facts.first)} and {words.day(facts.last)}."
    )


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one stream: what it holds, and each way to look at it with its first line."""
    who = actor(request)
    stream = queries.stream(who, key)
    shown: dict[str, Any] = {
        "page_title": stream.name,
        "crumbs": [{"title": "Usage", "url": reverse("usage")}],
        "stream": stream,
        "edits": may(who, "usage.edit"),
        "tabs": tabs(stream),
        "analyses": list(queries.analyses(who, stream)[:30]),
        "files": list(queries.files(who).filter(table=stream.table)[:10]),
        **margin(who, stream),
    }
    try:
        facts = facts_of(stream)
    except Problem as problem:
        shown["problem"] = problem
        return render(request, "usage/stream.html", shown, status=200)
    shown |= {
        "facts": facts,
        "sentence": glance.sentence(stream) or sentence(stream, facts),
        "holds": sentence(stream, facts),
        "looks": [
            {
                "title": reading.title,
                "about": reading.about,
                "url": reverse("usage-reading", args=[stream.pk, reading.name]),
                "needs": reading.needs(stream),
            }
            for reading in readings()
        ],
        "events": facts.names[:MOST_EVENTS],
        "events_total": len(facts.names),
        "health": glance.health(stream),
        "job": job_shape(job) if (job := glance.health_job(stream)) else None,
        "has_health": lake().exists(glance.HEALTH_TABLE),
    }
    if facts.events:
        at = reverse("usage-chart", args=[stream.pk, "trends", "FORM"])
        shown["chart"] = pictured(glance.chart(stream), at)
    return render(request, "usage/stream.html", shown)


def alive(who: Actor) -> list[dict[str, Any]]:
    """Return what home shows of usage: a line per stream."""
    lines = []
    for stream in queries.streams(who)[:3]:
        try:
            said = glance.sentence(stream) or sentence(stream, facts_of(stream))
        except Problem as problem:
            said = f"{stream.name}: {problem.detail}"
        lines.append({"context": "Usage", "context_url": reverse("usage"), "text": said, "url": stream.url()})
    return lines


def needs_you(who: Actor) -> list[dict[str, Any]]:
    """Return the event files that failed and wait on the person who brought them."""
    if who.user_id is None:
        return []
    failed = queries.files(who).filter(owner_id=who.user_id, state="failed")[:4]
    return [
        {"title": f"{one.file_name} could not be imported", "url": one.url(), "why": one.note, "when": one.updated_at,
         "icon": "import"}
        for one in failed
    ]  # fmt: skip
