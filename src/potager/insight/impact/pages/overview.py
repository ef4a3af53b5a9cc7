"""The ledger's page, and the CFO's: one sheet that ends with a receipt."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager import __version__
from potager.ground.access.actors import may
from potager.ground.serving.pictures import pictured
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.impact import forecasting, queries, saying, shapes
from potager.insight.impact.ledger import BY, Ledger, weakest_first
from potager.insight.impact.lines import Line
from potager.insight.impact.models import State
from potager.insight.impact.pages import charts
from potager.insight.impact.to_money import Worth
from potager.insight.metrics.compiling import layer_of
from potager.kit.clock import now, today

MOST_MOVEMENTS = 3


@signed_in
def ledger_page(request: HttpRequest) -> HttpResponse:
    """Show what was invested and what it returned, bet by bet."""
    who = actor(request)
    found = charts.asked_ledger(who, request.GET)
    by = request.GET.get("by", "team")
    by = by if by in BY else "team"
    query = request.GET.urlencode()
    waiting = queries.bets(who).filter(state=State.REGISTERED)
    shown = {
        "page_title": "Impact",
        "says": saying.of_ledger(found),
        "found": found,
        "lines": [row(line) for line in found.lines],
        "returns": pictured(charts.ledger_chart(who, found, "returns"), charts.of_ledger("returns", query)),
        "movements": _movements(found, query),
        "capped": [said for movement in found.movements if (said := saying.of_cap(movement))],
        "by": by,
        "by_tabs": [
            {"title": name.capitalize(), "url": f"?by={name}#rolled", "current": name == by} for name in BY
        ],
        "rolled": found.by(by),
        "waiting": waiting,
        "weakest": saying.weakest_sentence(weakest_first(found.lines)) if found.total.told else "",
        "calibration": saying.of_calibration(forecasting.calibration(forecasting.judged(who, today()))),
        "edits": may(who, "impact.edit"),
        "as_of": today(),
    }
    return render(request, "impact/ledger.html", shown)


def _movements(found: Ledger, query: str) -> list[dict[str, Any]]:
    from potager.insight.impact.pictures import movement

    return [
        {
            "says": one.says,
            "chart": pictured(movement(one), charts.of_ledger(f"movement-{place}", query)),
        }
        for place, one in list(enumerate(found.movements, 1))[-MOST_MOVEMENTS:]
    ]


def row(line: Line) -> dict[str, Any]:
    """Return one line of the ledger as tables show it."""
    worth = line.worth if isinstance(line.worth, Worth) else None
    metric = worth.metric if worth else line.bet.metric
    if line.returned is None:
        verdict = "cannot_tell"
    else:
        verdict = "yes" if line.returned[1] > 0.0 else "no" if line.returned[2] < 0.0 else "at_risk"
    return {
        "line": line,
        "bet": line.bet,
        "verdict": verdict,
        "evidence": saying.RANK[line.evidence] if line.told else 0,
        "how": saying.EVIDENCE[line.evidence],
        "unit": metric.unit,
        "predicted": line.predicted.over_life if isinstance(line.predicted, Worth) else None,
        "because": line.because,
    }


@signed_in
def sheet(request: HttpRequest) -> HttpResponse:
    """Show the CFO's page: what we invested, what it returned, how sure, and what we said before; with its receipt."""
    who = actor(request)
    found = charts.asked_ledger(who, request.GET)
    weak = weakest_first(found.lines)
    shown = {
        "page_title": "What product investments returned",
        "crumbs": [{"title": "Impact", "url": reverse("impact")}],
        "says": saying.of_ledger(found),
        "found": found,
        "lines": [row(line) for line in found.lines],
        "movements": [movement.says for movement in found.movements],
        "weakest": saying.weakest_sentence(weak) if weak else "",
        "calibration": saying.of_calibration(forecasting.calibration(forecasting.judged(who, today()))),
        "receipt": receipt(found, request),
        "as_of": today(),
    }
    return render(request, "impact/sheet.html", shown)


def receipt(found: Ledger, request: HttpRequest) -> list[dict[str, str]]:
    """Return what the sheet rests on: the same figures give the same hash."""
    whole = shapes.whole(found, saying.of_ledger(found))
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()
    metrics = {line.bet.metric.name: line.bet.metric for line in found.lines}
    metrics |= {
        line.worth.metric.name: line.worth.metric for line in found.lines if isinstance(line.worth, Worth)
    }
    seen = sorted(str(line.observation.pk)[-12:] for line in found.lines if line.observation)
    asked = request.build_absolute_uri(f"/api/impact/ledger?as_of={today()}")
    pairs = [
        ("As of", str(today())),
        ("Printed", f"{now():%Y-%m-%d %H:%M} UTC"),
        (
            "Definitions",
            ", ".join(
                f"{name} {layer_of(metric).definition_hash(name)[:12]}"
                for name, metric in sorted(metrics.items())
            ),
        ),
        ("Observations", ", ".join(seen)),
        ("Same figures", asked),
        ("Hash", digest),
        ("Potager", __version__),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]
