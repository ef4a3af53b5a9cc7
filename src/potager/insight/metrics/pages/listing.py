"""The list of metrics, by level."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.ground.access.actors import Actor, may
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics import queries
from potager.insight.metrics.models import Level, Maturity, Metric
from potager.insight.metrics.pages.standing import Standing, standings

MOST = 400
_ORDER = {level: position for position, level in enumerate(Level.values)}
_FILTERS = ("level", "maturity", "owner", "state")
_STATES = {"behind": "behind target", "stale": "stale"}


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the metrics, the most strategic first, with where they stand."""
    who = actor(request)
    asked = {name: request.GET.get(name, "").strip() for name in (*_FILTERS, "q")}
    rows = queries.metrics(who, search=asked["q"], level=asked["level"])
    if asked["maturity"]:
        rows = rows.filter(maturity=asked["maturity"])
    if asked["owner"]:
        rows = rows.filter(owner_role=asked["owner"])
    metrics = sorted(rows[:MOST], key=lambda metric: (_ORDER[metric.level], metric.label.lower()))
    found = [one for one in standings(who, metrics) if _in_state(one, asked["state"])]
    shown = {
        "page_title": "Metrics",
        "page_about": "What is measured, who answers for it, and where it stands in the last whole month.",
        "levels": [
            {"key": level, "title": Level(level).label, "rows": list(group)}
            for level, group in groupby(found, key=lambda one: one.metric.level)
        ],
        "count": len(found),
        "total": queries.metrics(who).count(),
        "periods": sorted({one.period for one in found if one.period is not None}),
        "search": asked["q"],
        "filters": _filters(request, asked),
        "filter_choices": _choices(request, who, asked),
        "clear_url": reverse("metrics"),
        "edits": may(who, "metrics.edit"),
    }
    return render(request, "metrics/list.html", shown)


def _in_state(one: Standing, state: str) -> bool:
    if state == "behind":
        return one.verdict in {"no", "at_risk"}
    return one.stale if state == "stale" else True


def _with(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"?{query.urlencode()}"


def _filters(request: HttpRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    said = {"level": dict(Level.choices), "maturity": dict(Maturity.choices), "state": _STATES}
    return [
        {
            "name": name,
            "value": str(said.get(name, {}).get(asked[name], asked[name])).lower()
            if name in said
            else asked[name],
            "remove": _with(request, **{name: ""}),
        }
        for name in _FILTERS
        if asked[name]
    ]


def _choices(request: HttpRequest, who: Actor, asked: dict[str, str]) -> list[dict[str, str]]:
    choices: list[tuple[str, str, str]] = []
    if not asked["level"]:
        choices += [("level", str(value), f"Level is {label.lower()}") for value, label in Level.choices]
    if not asked["state"]:
        choices += [("state", value, f"State is {label}") for value, label in _STATES.items()]
    if not asked["maturity"]:
        used = set(queries.metrics(who).values_list("maturity", flat=True))
        choices += [
            ("maturity", str(value), f"Maturity is {label.lower()}")
            for value, label in Maturity.choices
            if value in used
        ]
    if not asked["owner"]:
        choices += [("owner", owner, f"Owner is {owner}") for owner in _owners(who)]
    return [{"title": title, "url": _with(request, **{name: value})} for name, value, title in choices]


def _owners(who: Actor) -> list[Any]:
    names = Metric.objects.visible_to(who).alive().exclude(owner_role="")
    return sorted(set(names.values_list("owner_role", flat=True)))[:20]
