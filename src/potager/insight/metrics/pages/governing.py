"""The forms around a metric: what surrounds it, targets, arithmetic, influences."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from potager.ground.access.actors import may, require
from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics import actions, queries
from potager.insight.metrics.edges import examine
from potager.insight.metrics.forms import FormulaForm, GovernanceForm, InfluenceForm, TargetForm
from potager.insight.metrics.models import Influence, Metric
from potager.kit.errors import Problem


def trail(metric: Metric | None = None) -> list[dict[str, str]]:
    """Return where a page about a metric stands."""
    start = [{"title": "Metrics", "url": reverse("metrics")}]
    return start if metric is None else [*start, {"title": metric.label, "url": metric.url()}]


def _status(form: BaseForm) -> int:
    return 422 if form.errors else 200


@signed_in
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change what surrounds a metric."""
    who = actor(request)
    metric = queries.metric(who, name)
    require(who, "metrics.edit", metric)
    form = GovernanceForm(request.POST or None, metric=metric)
    if form.is_valid():
        try:
            with expecting(form.cleaned_data["version"]):
                actions.govern(actor=who, metric=metric, values=form.values())
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, "Kept.")
            return redirect(metric.url())
    shown = {
        "page_title": f"Edit {metric.label}",
        "page_about": "What the definition computes is in its source; here stands what people need around it.",
        "crumbs": trail(metric),
        "form": form,
        "cancel_url": metric.url(),
    }
    return render(request, "form.html", shown, status=_status(form))


@signed_in
def targets(request: HttpRequest, name: str) -> HttpResponse:
    """Show a metric's targets; set one."""
    who = actor(request)
    metric = queries.metric(who, name)
    form = TargetForm(request.POST or None)
    if form.is_valid():
        try:
            actions.set_target(actor=who, metric=metric, **form.values())
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, "The target is set.")
            return redirect("metric-targets", name)
    shown = {
        "page_title": "Targets",
        "page_about": f"What {metric.label} should be, by when, and the range that would do.",
        "crumbs": trail(metric),
        "metric": metric,
        "targets": list(queries.targets(who, metric)),
        "form": form,
        "edits": may(who, "metrics.edit", metric),
    }
    return render(request, "metrics/targets.html", shown, status=_status(form))


@signed_in
def drop_target(request: HttpRequest, name: str, key: UUID) -> HttpResponse:
    """Take a target away."""
    who = actor(request)
    metric = queries.metric(who, name)
    if request.method == "POST":
        actions.drop_target(actor=who, target=found_in(queries.targets(who, metric), pk=key))
        messages.success(request, "The target was dropped.")
    return redirect("metric-targets", name)


@signed_in
def formula(request: HttpRequest, name: str) -> HttpResponse:
    """Say which arithmetic of other metrics a metric is."""
    who = actor(request)
    metric = queries.metric(who, name)
    require(who, "metrics.edit", metric)
    component = getattr(metric, "component", None)
    present = component.formula if component and component.archived_at is None else ""
    form = FormulaForm(request.POST or None, initial={"formula": present})
    if form.is_valid():
        try:
            actions.set_formula(actor=who, metric=metric, formula=form.cleaned_data["formula"])
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, "The formula is kept; the page says whether the data agrees with it.")
            return redirect(f"{metric.url()}#made-of")
    shown = {
        "page_title": f"Formula of {metric.label}",
        "crumbs": trail(metric),
        "metric": metric,
        "metrics": queries.metrics(who).exclude(pk=metric.pk).order_by("label"),
        "form": form,
        "cancel_url": metric.url(),
    }
    return render(request, "metrics/formula.html", shown, status=_status(form))


@signed_in
def new_influence(request: HttpRequest) -> HttpResponse:
    """Draw an influence."""
    who = actor(request)
    require(who, "metrics.edit")
    initial = {end: request.GET.get(end, "") for end in ("driver", "outcome")}
    known = list(queries.metrics(who).order_by("label"))
    form = InfluenceForm(request.POST or None, initial=initial, metrics=known)
    if form.is_valid():
        given = dict(form.cleaned_data)
        named = {metric.name: metric for metric in known}
        try:
            made = actions.add_influence(
                actor=who, driver=named[given.pop("driver")], outcome=named[given.pop("outcome")], **given
            )
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, "The influence is in the tree. Untested, it is a claim that expires.")
            return redirect(f"{made.outcome.url()}#influences")
    shown = {
        "page_title": "New influence",
        "page_about": "One metric is believed to move another. It is never arithmetic, and it expires unless tested.",
        "crumbs": trail(),
        "form": form,
        "cancel_url": reverse("metrics"),
    }
    return render(request, "form.html", shown, status=_status(form))


@signed_in
def drop_influence(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take an influence out of the tree."""
    who = actor(request)
    influence = found_in(queries.influences(who), pk=key)
    if request.method == "POST":
        actions.drop_influence(actor=who, influence=influence)
        messages.success(request, f"“{influence}” was taken out of the tree.")
    return _back(request, influence)


@signed_in
def test_influence(request: HttpRequest, key: UUID) -> HttpResponse:
    """Test an influence on the data."""
    who = actor(request)
    influence = found_in(queries.influences(who), pk=key)
    if request.method == "POST":
        require(who, "metrics.edit", influence)
        kept = actions.keep_test(actor=who, influence=influence, outcome=examine(influence))
        said = kept.back_test.get("refused") or f"The data says: {kept.get_evidence_display().lower()}."
        messages.success(request, f"“{kept}” was tested. {said}")
    return _back(request, influence)


def _back(request: HttpRequest, influence: Influence) -> HttpResponse:
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = influence.outcome.url()
    return redirect(f"{back}#influences")
