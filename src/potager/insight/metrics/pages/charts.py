"""A metric's picture by address: in pages, as files, and by a signed link in a wiki."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.ground.access.actors import Actor, machine
from potager.ground.serving.pictures import check_form, served
from potager.ground.serving.requests import actor
from potager.insight.metrics import pictures, queries, reading
from potager.insight.metrics.pages.looking import Look, look_from
from potager.insight.metrics.pages.segments import table
from potager.insight.metrics.semantics import Condition
from potager.kit import words
from potager.kit.charts.chart import Chart
from potager.kit.errors import Invalid, NotFound

MOST_LINES = 5
_UNSIGNED = ("key", "width")


@dataclass(frozen=True)
class Drawn:
    """A picture, and the look it is of."""

    look: Look
    chart: Chart


def address(look: Look, form: str) -> str:
    """Return the address of a picture."""
    path = reverse("metric-chart", args=[look.metric.name, form])
    return f"{path}?{look.query}" if look.query else path


def signed(path: str) -> str:
    """Return an address that shows this one picture, and nothing else, to whoever holds it."""
    key = Signer(salt="chart").signature(path)
    return f"{path}{'&' if '?' in path else '?'}key={key}"


def _holder(request: HttpRequest) -> Actor:
    """Return who asks: a person, or whoever holds a signed link to exactly this picture."""
    if "key" not in request.GET:
        return actor(request)
    query = request.GET.copy()
    for name in _UNSIGNED:
        query.pop(name, None)
    path = f"{request.path}?{query.urlencode()}" if query else request.path
    try:
        Signer(salt="chart").unsign(f"{path}:{request.GET['key']}")
    except BadSignature:
        raise NotFound("This link is not valid.", mend="Copy it again from the metric's page.") from None
    return machine("A signed link", via="web")


def chart(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """Serve a metric's picture: to those who may see the metric, or to whoever holds a signed link."""
    who = _holder(request)
    metric = queries.metric(who, name)
    check_form(form)
    return served(
        request, drawn(look_from(metric, request.GET), who).chart, form, titled="key" in request.GET
    )


def drawable(look: Look) -> bool:
    """Return whether there is anything to draw: a filter may leave nothing."""
    return look.span is not None and any(value == value for value in look.series.values.tolist())


def drawn(look: Look, who: Actor) -> Drawn:
    """Return the picture of a look: one line with its target, or the largest segments beside each other."""
    if not drawable(look):
        within = f" where {' and '.join(look.spoken)}" if look.said else ""
        raise NotFound(
            f"{look.metric.label}{within} has no value to draw.", mend="Take a filter away, or import data."
        )
    if look.by and look.whole:
        return Drawn(look, _split(look))
    target = None
    if look.whole and not look.where:
        found = queries.target_for(who, look.metric, look.current or look.whole) or queries.target_for(
            who, look.metric, look.whole
        )
        # A target for a longer period, such as a year's, says nothing of one month of it.
        if found and (found.end - found.start).days < look.whole.days + 3:
            target = (found.value, found.low, found.high)
    return Drawn(
        look, pictures.over_time(look.series, title=_title(look), through=look.through, target=target)
    )


def _title(look: Look) -> str:
    """Return the picture's sentence: how far the metric moved between the first and the last whole period shown."""
    series = look.series
    values = [value for value in series.values.tolist()[: -1 if series.partial else None] if value == value]
    within = f" where {' and '.join(look.spoken)}" if look.said else ""
    name = f"{look.metric.label}{within}"
    if len(values) < 2:
        return f"{name} by {look.grain}"
    least, most = (words.human(found, look.metric.unit) for found in (min(values), max(values)))
    if least == most:
        return f"{name} stayed at {least}"
    return f"{name} ran between {least} and {most} by {look.grain}"


def _split(look: Look) -> Chart:
    split = table(look)
    if split is None or look.span is None or not split.rows:
        raise Invalid(f"There is nothing to split by {look.by}.", mend="Choose another dimension.")
    start, end = look.span
    lines = []
    for row in split.rows[:MOST_LINES]:
        value = None if row.name == "unknown" else row.name
        where = (*look.where, Condition(look.by, "=", (value,)))
        found = reading.series(look.metric, look.grain, start, end, where, through=look.through)
        lines.append((row.name, found))
    many = split.total > len(lines)
    shown = f"the largest {len(lines)} of {split.total} by {look.by_label}" if many else f"by {look.by_label}"
    largest = split.rows[0]
    title = f"{largest.name} is the largest part of {words.in_sentence(look.metric.label)}"
    if not split.additive:
        verb = words.is_or_are(look.metric.label)
        title = f"{look.metric.label} {verb} highest where {look.by_label} is {largest.name}"
    elif largest.share != words.UNKNOWN:
        title = f"{title}, with {largest.share} of {split.period}"
    return pictures.by_segment(look.metric, lines, title=title, subtitle=shown, through=look.through)
