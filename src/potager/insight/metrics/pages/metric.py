"""A metric's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.engines.attribution import Reconciliation
from potager.ground.access.actors import Actor, may
from potager.ground.links.margin import margin
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.metrics import queries, reading, trees, treeview
from potager.insight.metrics.models import Target
from potager.insight.metrics.pages import charts, segments
from potager.insight.metrics.pages.lineage import excerpt, rests_on, users
from potager.insight.metrics.pages.looking import Look, look_from
from potager.insight.metrics.pages.standing import days_late, relative
from potager.insight.metrics.periods import GRAINS, Period, same_days
from potager.insight.metrics.pictures import evidence_words, lag_words, partial_words
from potager.kit import words
from potager.kit.errors import Problem


@dataclass(frozen=True)
class Reading:
    """A metric in one period against a comparable one."""

    period: Period
    against: Period
    value: float | None
    before: float | None

    @property
    def relative(self) -> float | None:
        """Return the change as a share of what was before."""
        return relative(self.value, self.before)

    @property
    def change(self) -> float | None:
        """Return the change in the metric's unit."""
        return None if self.value is None or self.before is None else self.value - self.before


@signed_in
def one(request: HttpRequest, name: str) -> HttpResponse:
    """Show one metric: what it is, where it stands, what it is made of, what it rests on, who uses it."""
    who = actor(request)
    metric = queries.metric(who, name)
    shown: dict[str, Any] = {
        "page_title": metric.label,
        "page_about": metric.description,
        "crumbs": [{"title": "Metrics", "url": reverse("metrics")}],
        "metric": metric,
        "edits": may(who, "metrics.edit", metric),
        "grains": GRAINS,
        "targets": list(queries.targets(who, metric)[:12]),
        "moved_by": [_influence(edge, "driver") for edge in queries.influences(who).filter(outcome=metric)],
        "moves": [_influence(edge, "outcome") for edge in queries.influences(who).filter(driver=metric)],
        **margin(who, metric),
    }
    status = 200
    try:
        look = look_from(metric, request.GET)
        shown |= _values(request, who, look)
    except Problem as problem:
        shown["problem"], status = problem, problem.status if request.GET else 200
    return render(request, "metrics/metric.html", shown, status=status)


def _influence(edge: Any, end: str) -> dict[str, Any]:
    return {
        "edge": edge,
        "other": getattr(edge, end),
        "lag": lag_words(edge) or "at once",
        "evidence": edge.present_evidence.replace("_", "-"),
        "said": evidence_words(edge),
    }


def _values(request: HttpRequest, who: Actor, look: Look) -> dict[str, Any]:
    metric, info = look.metric, look.info
    whole = _reading(look, look.whole, look.whole.previous()) if look.whole else None
    target = queries.target_for(who, metric, look.whole) if look.whole and not look.where else None
    verdict = treeview.verdict(metric, whole.value, target) if whole else ""
    shown: dict[str, Any] = {
        "look": look,
        "info": info,
        "whole": whole,
        "target": target,
        "verdict": verdict,
        "sentence": _sentence(look, whole, target, verdict),
        "partial": _partial(look),
        "facts": look.freshness,
        "promise_broken": days_late(metric, look.through),
        "formula": _formula(who, look),
        "uses": users(who, metric),
        "rests_on": rests_on(who, info),
        "excerpt": excerpt(metric, info),
        "filters": [
            {"name": words_of.split("=")[0].removesuffix("!"), "joint": "is not" if "!=" in words_of else "is",
             "value": words_of.partition("=")[2], "remove": look.link(where=[w for w in look.said if w != words_of])}
            for words_of in look.said
        ],
        "clear_url": look.link(where=[]),
        "grain_tabs": [
            {"title": grain.capitalize(), "url": look.link(grain=grain), "current": grain == look.grain}
            for grain in GRAINS
        ],
        "dimension_tabs": segments.tabs(look),
        "split": segments.table(look) if look.by else None,
        "sql": [],
        "ask_url": _ask_url(look, whole),
    }  # fmt: skip
    made = charts.drawn(look, who) if charts.drawable(look) else None
    if made is not None:
        shown["chart"] = {
            "image": charts.address(look, "svg"), "spec": charts.address(look, "json"),
            "png": charts.address(look, "png"),
            "title": made.chart.title, "alt": made.chart.alt, "note": made.chart.subtitle,
        }  # fmt: skip
        shown["embed"] = request.build_absolute_uri(charts.signed(charts.address(look, "png")))
        shown["chart_rows"] = [
            (period, value)
            for period, value in zip(look.series.periods, look.series.values.tolist(), strict=True)
        ][::-1]
        shown["sql"] = [("By period", look.series.ran.sql)]
    if shown["split"] is not None:
        shown["sql"].append((f"By {look.by_label}", shown["split"].sql))
    return shown


def _reading(look: Look, period: Period, against: Period) -> Reading:
    value, _ = reading.value(look.metric, period, look.where)
    before, _ = reading.value(look.metric, against, look.where)
    if look.freshness.first and against.end < look.freshness.first:
        before = float("nan")
    return Reading(period, against, known(value), known(before))


def known(value: float) -> float | None:
    """Return the number, or None where it is not one."""
    return None if value != value else value


def _partial(look: Look) -> dict[str, Any] | None:
    """Return the period that is not over, on the days it has, against the same days of the one before."""
    if look.current is None or look.through is None:
        return None
    shown, against, _ = same_days(look.current, look.current.previous(), look.through)
    return {
        "reading": _reading(look, shown, against),
        "period": look.current,
        "there": partial_words(look.current, look.through),
    }


def _sentence(look: Look, whole: Reading | None, target: Target | None, verdict: str) -> str:
    metric = look.metric
    if whole is None or whole.value is None:
        when = f" {look.whole.when}" if look.whole else ""
        return f"{metric.label} {words.is_or_are(metric.label)} not known{when}."
    within = f" where {' and '.join(look.spoken)}" if look.said else ""
    was = words.is_or_are(metric.label, "was", "were")
    said = f"{metric.label}{within} {was} {words.human(whole.value, metric.unit)} {whole.period.when}"
    if whole.relative is not None:
        said += f", {words.change(whole.relative)} on {whole.against}"
    if target is not None and verdict:
        goal = words.human(target.value, metric.unit)
        stands = {"yes": "it met", "at_risk": "it is near", "no": "it missed"}.get(
            verdict, "nobody can tell about"
        )
        said += f"; {stands} its target of {goal}"
    return f"{said}."


def _formula(who: Actor, look: Look) -> dict[str, Any] | None:
    """Return a metric's arithmetic with its parts, and whether it holds in the last whole period."""
    forest = trees.forest(who)
    text = forest.formulas.get(look.metric.name)
    if not text:
        return None
    parts = [forest.metrics[name] for name in forest.children[look.metric.name]]
    check: Reconciliation | None = None
    values: dict[str, float] = {}
    if look.whole:
        tree = forest.tree(look.metric.name)
        values, _ = reading.values(
            [forest.metrics[name] for name in trees.needs(tree)], look.whole, look.where
        )
        check = next((c for c in trees.checks(tree, values) if c.parent == look.metric.name), None)
    rows = [{"metric": part, "value": known(values.get(part.name, float("nan")))} for part in parts]
    return {"text": text, "parts": rows, "check": check}


def _ask_url(look: Look, whole: Reading | None) -> str:
    if whole is None:
        return ""
    spoken = words.in_sentence(look.metric.label)
    return f"/ask?{urlencode({'q': f'Why did {spoken} change {whole.period.when}?'})}"
