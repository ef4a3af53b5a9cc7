"""A reading's picture by address: the same parameters as its page, the same computation."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from potager.ground.serving.rendering import signed_in
from potager.ground.serving.requests import actor
from potager.insight.usage import queries
from potager.insight.usage.pages.reading import given
from potager.insight.usage.readings.base import parsed, reading_named
from potager.kit.charts.chart import NARROWEST, WIDEST
from potager.kit.charts.render import to_json, to_png, to_svg
from potager.kit.charts.theme import theme_named
from potager.kit.errors import NotFound

TYPES = {"svg": "image/svg+xml", "png": "image/png", "json": "application/json"}


@signed_in
def chart(request: HttpRequest, key: UUID, name: str, form: str) -> HttpResponse:
    """Serve the picture of a reading."""
    if form not in TYPES:
        raise NotFound(f"Pictures are not made as {form[:20]}.", mend=f"Ask for {', '.join(TYPES)}.")
    stream, reading = queries.stream(actor(request), key), reading_named(name)
    made = reading.answer(stream, parsed(reading, given(request))).chart
    if made is None:
        raise NotFound("There is nothing to draw here.", mend="Look at the page: it says why.")
    theme = theme_named("dark" if request.GET.get("theme") == "dark" else "light")
    asked = request.GET.get("width", "")
    width = min(max(int(asked), NARROWEST), WIDEST) if asked.isdecimal() else 0
    content: str | bytes
    if form == "json":
        content = to_json(made, width=width or None)
    elif form == "svg":
        content = to_svg(made, theme, width or 720, titled=False)
    else:
        content = to_png(made, theme=theme, width=width or 720, titled=True)
    response = HttpResponse(content, content_type=TYPES[form])
    response["Cache-Control"] = "private, max-age=60"
    return response
