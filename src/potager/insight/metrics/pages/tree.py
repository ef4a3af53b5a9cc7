"""The tree of metrics: a picture for the wall, and the same numbers as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import mark_safe

from potager.ground.access.actors import Actor, may
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics import compiling, pictures, queries, treeview
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import GRAINS, Grain
from potager.insight.metrics.trees import Forest, forest
from potager.kit import words
from potager.kit.charts.tree import TreePicture
from potager.kit.charts.tree_style import page_rules
from potager.kit.charts.tree_svg import file_tree, page_tree
from potager.kit.errors import FieldProblem, Invalid, Problem

MOST_VALUES, MOST_DIMENSIONS = 12, 3


@dataclass(frozen=True)
class Asked:
    """How the tree is asked for."""

    as_of: date | None
    grain: Grain
    said: tuple[str, ...]

    @property
    def query(self) -> str:
        """Return it as a query string."""
        day = [("as_of", self.as_of.isoformat())] if self.as_of else []
        grain = [("grain", self.grain)] if self.grain != "month" else []
        return urlencode([*day, *grain, *(("where", said) for said in self.said)])


def _asked(request: HttpRequest) -> Asked:
    day, grain = request.GET.get("as_of", "").strip(), request.GET.get("grain", "month")
    try:
        as_of = date.fromisoformat(day) if day else None
    except ValueError:
        raise _wrong("as_of", f"'{day}' is not a day.", "Write it as 2011-11-30.") from None
    known = next((one for one in GRAINS if one == grain), None)
    if known is None:
        raise _wrong("grain", f"There is no grain {grain}.", f"The grains are {', '.join(GRAINS)}.")
    said = tuple(dict.fromkeys(where.strip() for where in request.GET.getlist("where") if where.strip()))
    return Asked(as_of, known, said)


def _wrong(where: str, problem: str, mend: str) -> Invalid:
    return Invalid(problem, mend=mend, errors=[FieldProblem(where, problem, mend)])


def _view(who: Actor, root: Metric, asked: Asked) -> treeview.View:
    where = queries.conditions(asked.said)
    return treeview.view(who, root.name, as_of=asked.as_of, grain=asked.grain, where=where)


def _picture(view: treeview.View, root: Metric, asked: Asked) -> TreePicture:
    within = f" · only {' and '.join(asked.said)}" if asked.said else ""
    partial = " (the period is not over: the same days of both)" if view.partial else ""
    return pictures.tree(
        view,
        title=f"What {words.in_sentence(root.label)} {words.is_or_are(root.label)} made of, and what moves "
        f"{words.is_or_are(root.label, 'it', 'them')}",
        subtitle=f"{_said(view.shown)} against {view.against}{partial}{within}",
    )


def _said(period: Any) -> str:
    text = str(period)
    return text[:1].upper() + text[1:]


@signed_in
def first(request: HttpRequest) -> HttpResponse:
    """Show the most strategic tree there is, or say how to begin one."""
    who = actor(request)
    found = forest(who)
    if found.roots:
        return redirect("tree-of", found.roots[0])
    moved = next(iter(found.influences), None)
    if moved is not None:
        return redirect("tree-of", moved.outcome.name)
    shown = {
        "page_title": "Metric tree",
        "edits": may(who, "metrics.edit"),
        "some": queries.metrics(who).first(),
    }
    return render(request, "metrics/no_tree.html", shown)


@signed_in
def wall(request: HttpRequest, root: str) -> HttpResponse:
    """Show a tree with live values, as of a day, filtered as a whole."""
    who = actor(request)
    metric = queries.metric(who, root)
    found = forest(who)
    shown: dict[str, Any] = {
        "page_title": f"Tree of {metric.label}",
        "crumbs": [
            {"title": "Metrics", "url": reverse("metrics")},
            {"title": metric.label, "url": metric.url()},
        ],
        "metric": metric,
        "grains": GRAINS,
        "roots": _roots(found, metric),
        "values": _values(metric),
        "edits": may(who, "metrics.edit", metric),
    }
    try:
        asked = _asked(request)
        view = _view(who, metric, asked)
        picture = _picture(view, metric, asked)
    except Problem as problem:
        return render(request, "metrics/tree.html", {**shown, "problem": problem}, status=problem.status)
    query = f"?{asked.query}" if asked.query else ""
    shown |= {
        "asked": asked,
        "view": view,
        "picture": mark_safe(page_tree(picture)),  # noqa: S308 - the kit escapes every word it draws
        "picture_title": picture.title,
        "subtitle": picture.subtitle,
        "rows": [{"node": view.nodes[name], "depth": depth} for name, depth in _reading_order(view)],
        "wrong": [node for node in view.nodes.values() if node.holds is False],
        "lone": len(view.nodes) == 1,
        "filters": _filters(asked),
        "whole_url": _whole_url(view, asked),
        "query": query,
    }
    return render(request, "metrics/tree.html", shown)


def _reading_order(view: treeview.View) -> list[tuple[str, int]]:
    """Return the names as they are read: a parent, then what stands under it."""
    found: dict[str, int] = {}
    todo = [(view.root, 0)]
    while todo:
        name, depth = todo.pop()
        if name in found or name not in view.nodes:
            continue
        found[name] = depth
        drivers = [edge.driver.name for edge in view.influences if edge.outcome.name == name]
        todo += [(child, depth + 1) for child in reversed([*view.nodes[name].children, *drivers])]
    return list(found.items())


def _roots(found: Forest, metric: Metric) -> list[dict[str, Any]]:
    names = list(dict.fromkeys([*found.roots, metric.name]))
    tabs = [
        {
            "title": found.metrics[name].label,
            "url": reverse("tree-of", args=[name]),
            "current": name == metric.name,
        }
        for name in names
    ]
    return tabs if len(tabs) > 1 else []


def _values(metric: Metric) -> list[str]:
    """Return conditions to choose from: the most frequent values of the first dimensions."""
    try:
        layer = compiling.layer_of(metric)
        dimensions = [one for one in layer.dimensions(metric.name) if one.kind == "categorical"]
        return [
            f"{one.short}={value}"
            for one in dimensions[:MOST_DIMENSIONS]
            for value in layer.dimension_values(metric.name, one.name, limit=MOST_VALUES)["value"].to_pylist()
            if value is not None and "," not in str(value)
        ]
    except Problem:  # choices are a help only; what is wrong is said where the tree would stand
        return []


def _filters(asked: Asked) -> list[dict[str, str]]:
    def without(said: str) -> str:
        kept: Sequence[str] = [one for one in asked.said if one != said]
        return f"?{Asked(asked.as_of, asked.grain, tuple(kept)).query}"

    return [
        {
            "name": said.split("=")[0].removesuffix("!"),
            "joint": "is not" if "!=" in said else "is",
            "value": said.partition("=")[2],
            "remove": without(said),
        }
        for said in asked.said
    ]


def _whole_url(view: treeview.View, asked: Asked) -> str:
    """Return the way to the last period that is over, where this one is not."""
    if not view.partial:
        return ""
    return f"?{Asked(view.period.previous().end, asked.grain, asked.said).query}"


def rules(request: HttpRequest) -> HttpResponse:
    """Serve the rules of the tree's picture, as the kit that draws it makes them."""
    response = HttpResponse(page_rules(), content_type="text/css")
    response["Cache-Control"] = "public, max-age=3600"
    return response


def _file(content: str, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@signed_in
def svg(request: HttpRequest, root: str) -> HttpResponse:
    """Serve the tree as a document that stands on its own, to print or hang up."""
    who, asked = actor(request), _asked(request)
    metric = queries.metric(who, root)
    theme = request.GET.get("theme", "")
    drawn = file_tree(
        _picture(_view(who, metric, asked), metric, asked), theme="dark" if theme == "dark" else "light"
    )
    return _file(drawn, "image/svg+xml", f"{root}-tree.svg")


def _exported(who: Actor, view: treeview.View) -> dict[str, Any]:
    """Return the part of the tree under a root, in the form that trees are read in."""
    whole, names = treeview.exported(forest(who)), set(view.nodes)
    return {
        "metrics": {name: one for name, one in whole["metrics"].items() if name in names},
        "components": {name: text for name, text in whole["components"].items() if name in names},
        "influences": [edge for edge in whole["influences"] if {edge["from"], edge["to"]} <= names],
    }


@signed_in
def as_yaml(request: HttpRequest, root: str) -> HttpResponse:
    """Serve the tree as YAML."""
    who, asked = actor(request), _asked(request)
    view = _view(who, queries.metric(who, root), asked)
    text = yaml.safe_dump(_exported(who, view), sort_keys=False, allow_unicode=True)
    return _file(text, "application/yaml; charset=utf-8", f"{root}-tree.yml")


@signed_in
def as_json(request: HttpRequest, root: str) -> HttpResponse:
    """Serve the tree with its values as JSON."""
    who, asked = actor(request), _asked(request)
    view = _view(who, queries.metric(who, root), asked)
    values = {
        name: {
            "value": node.value,
            "before": node.before,
            "target": node.target.value if node.target else None,
            "verdict": node.verdict,
            "holds": node.holds,
        }
        for name, node in view.nodes.items()
    }
    found = {
        "root": view.root,
        "period": {"from": str(view.shown.start), "to": str(view.shown.end), "partial": view.partial},
        "against": {"from": str(view.against.start), "to": str(view.against.end)},
        "through": str(view.through) if view.through else None,
        "where": list(asked.said),
        "values": values,
        **_exported(who, view),
    }
    return _file(json.dumps(found, ensure_ascii=False, indent=2), "application/json", f"{root}-tree.json")
