"""The pages of metrics: the list, one metric, the tree for the wall, the definitions."""

from __future__ import annotations

import difflib
import json
from typing import Any
from uuid import UUID

import yaml
from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.safestring import mark_safe

from potager.engines.answers import CannotTell
from potager.ground.access.actors import Actor, machine, may, require
from potager.ground.connecting.queries import tables
from potager.ground.links.margin import margin
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import Command, NavItem, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics import actions, compiling, queries, treeview
from potager.insight.metrics.explaining import explain
from potager.insight.metrics.forms import FormulaForm, Governance, SourceForm, TargetForm
from potager.insight.metrics.models import Level, Metric
from potager.insight.metrics.periods import parse_period, period_of
from potager.insight.metrics.pictures import over_time, wall
from potager.insight.metrics.reading import freshness, series, values
from potager.insight.metrics.trees import Forest, checks, forest, needs
from potager.kit.charts.render import to_json, to_png, to_svg
from potager.kit.charts.theme import theme_named
from potager.kit.charts.tree_svg import file_tree, page_tree
from potager.kit.errors import NotFound, Problem

nav = (
    NavItem("Metrics", "metrics", "metrics", "metrics.read"),
    NavItem("Tree", "tree", "tree", "metrics.read"),
)
commands = (
    Command("Propose metrics for a table", "metrics-new", "metrics.edit"),
    Command("Publish definitions", "definition-new", "metrics.edit"),
)
_TYPES = {"svg": "image/svg+xml", "png": "image/png", "json": "application/json"}
PERIODS = 25


def _trail(*more: tuple[str, str]) -> list[dict[str, str]]:
    return [{"title": title, "url": url} for title, url in (("Metrics", reverse("metrics")), *more)]


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the metrics by level, each with its last whole period."""
    who, search = actor(request), request.GET.get("q", "")
    found = list(queries.metrics(who, search=search).select_related("source"))
    values = treeview.latest(found)
    levels = [
        {
            "title": title,
            "rows": [(metric, values.get(metric.name)) for metric in found if metric.level == level],
        }
        for level, title in Level.choices
    ]
    shown = {
        "page_title": "Metrics",
        "page_about": "What is measured, one definition each, from strategy down to operations.",
        "levels": [level for level in levels if level["rows"]],
        "search": search,
        "edits": may(who, "metrics.edit"),
        "sources": queries.sources(who),
    }
    return render(request, "metrics/metric_list.html", shown)


@signed_in
def one(request: HttpRequest, name: str) -> HttpResponse:
    """Show one metric: its line, its target, what it is made of, how it is defined."""
    who = actor(request)
    metric = queries.metric(who, name)
    layer, known = compiling.layer_of(metric), freshness(metric)
    info, trees = layer.metric(name), forest(who)
    last = treeview.latest([metric]).get(name)
    by = request.GET.get("by", "")
    shown = {
        "page_title": metric.label,
        "page_about": metric.description,
        "crumbs": _trail(),
        "metric": metric,
        "last": last,
        "known": known,
        "info": info,
        "formula": trees.formulas.get(name, ""),
        "check": _check(who, trees, name, last) if last and name in trees.formulas else None,
        "influences": [edge for edge in trees.influences if name in {edge.driver.name, edge.outcome.name}],
        "targets": queries.targets(who, metric)[:12],
        "uses": [other.name for other in layer.metrics() if name in other.inputs],
        "dimensions": [dimension for dimension in layer.dimensions(name) if dimension.kind == "categorical"],
        "by": by,
        "segments": _segments(metric, trees, last, by) if by and last else None,
        "edits": may(who, "metrics.edit", metric),
        "target_form": TargetForm(),
        "formula_form": FormulaForm(initial={"formula": trees.formulas.get(name, "")}),
        "why": f"Why did {metric.label.lower()} change in {last.period}?" if last else "",
        "embed": _embed(request, name),
        "sql": last.sql if last else "",
        **margin(who, metric),
    }
    return render(request, "metrics/metric_page.html", shown)


def _check(who: Actor, trees: Forest, name: str, last: treeview.Latest) -> Any:
    tree = trees.tree(name)
    found, _ = values([trees.metrics[one] for one in needs(tree)], last.period)
    return next(check for check in checks(tree, found) if check.parent == name)


def _segments(metric: Metric, trees: Any, last: treeview.Latest, by: str) -> Any:
    split = explain(metric, trees, last.period, last.period.previous(), by=[by]).segments[by]
    if isinstance(split, CannotTell):
        return {"refusal": split}
    parts = sorted(split.attribution().parts, key=lambda part: -abs(part.after or 0))
    return {"rows": parts[:25], "period": last.period, "against": last.period.previous()}


def _embed(request: HttpRequest, name: str) -> str:
    address = reverse("metric-chart", args=[name, "png"])
    return request.build_absolute_uri(f"{address}?key={Signer(salt='chart').signature(address)}")


def chart(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """Serve a metric's picture: to those who may see it, or to whoever holds a signed link."""
    who = actor(request)
    if "key" in request.GET:
        try:
            Signer(salt="chart").unsign(f"{request.path}:{request.GET['key']}")
        except BadSignature:
            raise NotFound("This link is not valid.", mend="Copy it again from the metric's page.") from None
        who = machine("A signed link", via="web")
    metric = queries.metric(who, name)
    through = freshness(metric).complete_through
    if through is None:
        raise NotFound(f"There is no data for {metric.label}.", mend="Import some first.")
    period = period_of(through, metric.grain)  # type: ignore[arg-type]
    found = series(metric, metric.grain, period.shifted(1 - PERIODS).start, period.end, through=through)  # type: ignore[arg-type]
    made = over_time(found, queries.target_for(who, metric, period))
    theme = theme_named("dark" if request.GET.get("theme") == "dark" else "light")
    if form == "json":
        return HttpResponse(to_json(made), content_type=_TYPES[form])
    titled = "key" in request.GET
    content = to_svg(made, theme, titled=titled) if form == "svg" else to_png(made, theme=theme)
    return HttpResponse(content, content_type=_TYPES[form])


@signed_in
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change what surrounds a metric."""
    who = actor(request)
    metric = queries.metric(who, name)
    require(who, "metrics.edit", metric)
    form = Governance(request.POST or None, instance=metric)
    if request.method == "POST" and form.is_valid():
        try:
            actions.govern(actor=who, metric=metric, values=form.cleaned_data)
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect("metric", name)
    shown = {
        "page_title": f"Edit {metric.label}",
        "crumbs": _trail((metric.label, metric.url())),
        "form": form,
    }
    return render(
        request, "form.html", {**shown, "cancel_url": metric.url()}, status=422 if form.errors else 200
    )


@signed_in
def change(request: HttpRequest, name: str, what: str) -> HttpResponse:
    """Set or drop a target, or set the formula."""
    who = actor(request)
    metric = queries.metric(who, name)
    if request.method != "POST":
        return redirect("metric", name)
    form = TargetForm(request.POST) if what == "target" else FormulaForm(request.POST)
    try:
        if "drop" in request.POST:
            actions.drop_target(
                actor=who, target=found_in(queries.targets(who, metric), pk=request.POST["drop"])
            )
        elif form.is_valid() and what == "target":
            given = dict(form.cleaned_data)
            period = parse_period(given.pop("period"))
            actions.set_target(actor=who, metric=metric, start=period.start, end=period.end, **given)
        elif form.is_valid():
            actions.set_formula(actor=who, metric=metric, formula=form.cleaned_data["formula"])
        messages.success(request, "Kept.") if form.is_valid() or "drop" in request.POST else None
    except Problem as problem:
        problems_on(form, problem)
    if form.is_bound and form.errors and "drop" not in request.POST:
        shown = {"page_title": metric.label, "crumbs": _trail((metric.label, metric.url())), "form": form}
        return render(request, "form.html", {**shown, "cancel_url": metric.url()}, status=422)
    return redirect("metric", name)


@signed_in
def tree(request: HttpRequest, root: str = "") -> HttpResponse:
    """Show the tree for the wall, as of a day, filtered as a whole."""
    who = actor(request)
    found = forest(who)
    if not found.roots:
        return render(request, "metrics/metric_tree.html", {"page_title": "Tree", "view": None})
    name = root or found.roots[0]
    view = _view(request, who, name)
    picture = page_tree(wall(view))
    shown = {
        "page_title": "Tree" if not root else found.metrics[name].label,
        "crumbs": [{"title": "Tree", "url": reverse("tree")}] if root else [],
        "view": view,
        "root": found.metrics[name],
        "roots": [found.metrics[other] for other in found.roots],
        "picture": mark_safe(picture),  # noqa: S308 - made by the charts kit, which escapes all text
        "where": request.GET.getlist("where"),
        "as_of": request.GET.get("as_of", ""),
        "grain": request.GET.get("grain", "month"),
        "query": request.GET.urlencode(),
        "dimensions": [
            one.short
            for one in compiling.layer_of(found.metrics[name]).dimensions(name)
            if one.kind == "categorical"
        ],
    }
    return render(request, "metrics/metric_tree.html", shown)


def _view(request: HttpRequest, who: Actor, name: str) -> treeview.View:
    from datetime import date

    from potager.kit.errors import Invalid

    queries.metric(who, name)
    try:
        day = date.fromisoformat(request.GET["as_of"]) if request.GET.get("as_of") else None
    except ValueError:
        raise Invalid("The day cannot be read.", mend="Write it as 2011-11-30.") from None
    where = queries.conditions([one for one in request.GET.getlist("where") if one])
    grain = request.GET.get("grain", "month")
    if grain not in {"day", "week", "month", "quarter", "year"}:
        raise Invalid(f"There is no grain {grain}.", mend="Use day, week, month, quarter or year.")
    return treeview.view(who, name, as_of=day, grain=grain, where=where)  # type: ignore[arg-type]


@signed_in
def tree_file(request: HttpRequest, root: str, form: str) -> HttpResponse:
    """Serve the tree as a file: SVG for the wall, YAML and JSON for programs."""
    who = actor(request)
    if form == "svg":
        drawn = file_tree(wall(_view(request, who, root)), theme="auto")
        return HttpResponse(drawn, content_type="image/svg+xml")
    data = treeview.exported(forest(who))
    if form == "json":
        return HttpResponse(json.dumps(data, indent=1), content_type="application/json")
    return HttpResponse(
        yaml.safe_dump(data, sort_keys=False, allow_unicode=True), content_type="text/plain; charset=utf-8"
    )


@signed_in
def guided(request: HttpRequest) -> HttpResponse:
    """Choose a table to propose metrics for."""
    who = actor(request)
    require(who, "metrics.edit")
    shown = {"page_title": "Metrics from a table", "crumbs": _trail(), "tables": list(tables(who).values())}
    return render(request, "metrics/metric_new.html", shown)


@signed_in
def definition(request: HttpRequest, key: UUID | None = None) -> HttpResponse:
    """Write, check and publish a definition document; every version is kept."""
    who = actor(request)
    require(who, "metrics.edit")
    source = found_in(queries.sources(who), pk=key) if key else None
    notes: list[str] = []
    initial: dict[str, Any] = {}
    if source is not None:
        initial = {"name": source.name, "namespace": source.namespace, "text": source.text}
    elif request.GET.get("table"):
        proposal = compiling.proposal(who, request.GET["table"])
        initial, notes = proposal, proposal["notes"]
    form = SourceForm(request.POST or None, initial=initial)
    findings: list[Any] = []
    if form.is_valid():
        given = form.cleaned_data
        try:
            findings = compiling.check(given["namespace"], given["name"], given["text"])
            if "publish" in request.POST:
                made = actions.publish(actor=who, **given)
                messages.success(request, f"{made.name} is published, version {made.number}.")
                return redirect("definition", made.pk)
        except Problem as problem:
            problems_on(form, problem)
    versions = list(queries.versions(who, source)) if source else []
    shown = {
        "page_title": source.name if source else "New definitions",
        "crumbs": _trail(),
        "form": form,
        "findings": findings,
        "checked": form.is_bound and form.is_valid(),
        "notes": notes,
        "versions": [(version, _diff(versions, place)) for place, version in enumerate(versions)],
    }
    return render(request, "metrics/metric_source.html", shown, status=422 if form.errors else 200)


def _diff(versions: list[Any], place: int) -> str:
    if place + 1 >= len(versions):
        return ""
    before, after = versions[place + 1], versions[place]
    lines = difflib.unified_diff(
        before.text.splitlines(),
        after.text.splitlines(),
        f"version {before.number}",
        f"version {after.number}",
        lineterm="",
    )
    return "\n".join(lines)


def alive(who: Actor) -> list[dict[str, Any]]:
    """Return what home shows of the metrics: the strategic ones, as they last stood."""
    found = list(queries.metrics(who, level="strategic")[:3])
    values = treeview.latest(found)
    lines = []
    for metric in found:
        last = values.get(metric.name)
        if last is not None and last.value is not None:
            lines.append(
                {
                    "context": "Metrics",
                    "context_url": reverse("metrics"),
                    "text": last.sentence,
                    "url": metric.url(),
                }
            )
    return lines


urlpatterns = [
    path("metrics/", listing, name="metrics"),
    path("metrics/new", guided, name="metrics-new"),
    path("metrics/tree/", tree, name="tree"),
    path("metrics/tree/<str:root>.<str:form>", tree_file, name="tree-file"),
    path("metrics/tree/<str:root>", tree, name="tree-of"),
    path("metrics/sources/new", definition, name="definition-new"),
    path("metrics/sources/<uuid:key>", definition, name="definition"),
    path("metrics/<str:name>/chart.<str:form>", chart, name="metric-chart"),
    path("metrics/<str:name>/edit", edit, name="metric-edit"),
    path("metrics/<str:name>/set/<str:what>", change, name="metric-change"),
    path("metrics/<str:name>", one, name="metric"),
]
