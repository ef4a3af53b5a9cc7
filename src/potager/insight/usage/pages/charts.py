"""A reading's picture by address: the same parameters as its page, the same computation."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from potager.ground.serving.pictures import check_form, served
from potager.ground.serving.rendering import signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import queries
from potager.insight.usage.pages.reading import given
from potager.insight.usage.readings.base import parsed, reading_named


@signed_in
def chart(request: HttpRequest, key: UUID, name: str, form: str) -> HttpResponse:
    """Serve the picture of a reading."""
    check_form(form)
    stream, reading = queries.stream(actor(request), key), reading_named(name)
    return served(request, reading.answer(stream, parsed(reading, given(request))).chart, form)
