"""Bets as a group: how good predictions are, and where people and money go."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.engines.answers import CannotTell
from potager.ground.access.actors import require
from potager.ground.serving.pictures import pictured
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.impact import forecasting, pictures, saying
from potager.insight.impact.ledger import Ledger
from potager.insight.impact.pages import charts
from potager.kit import words
from potager.kit.clock import today

GROUPS = ("team", "product", "objective", "horizon", "risk")


def _trail() -> list[dict[str, str]]:
    return [{"title": "Impact", "url": reverse("impact")}]


@signed_in
def calibration_page(request: HttpRequest) -> HttpResponse:
    """Show how often predicted ranges held what came."""
    who = actor(request)
    require(who, "impact.read")
    rows = forecasting.judged(who, today())
    made = forecasting.calibration(rows)
    shown = {
        "page_title": "How good our predictions are",
        "crumbs": _trail(),
        "says": saying.of_calibration(made),
        "made": None if isinstance(made, CannotTell) else made,
        "widen": "" if isinstance(made, CannotTell) else _widen(made.widen),
        "rows": [
            {
                "bet": row.bet,
                "predicted": saying.of_prediction(row.bet),
                "observed": pictures.effect_words(row.observation) if row.observation else "",
                "held": row.held,
                "why_not": row.why_not,
            }
            for row in rows
        ],
        "chart": pictured(pictures.calibration(rows), charts.of_ledger("calibration")),
    }
    return render(request, "impact/calibration.html", shown)


def _widen(factor: float) -> str:
    if 0.9 <= factor <= 1.1:
        return "The ranges had about the right width."
    way = "wider" if factor > 1.0 else "narrower"
    return f"For the misses seen, the ranges should have been {factor:.1f} times as wide: {way}."


@signed_in
def portfolio_page(request: HttpRequest) -> HttpResponse:
    """Show the ledger by horizon and risk, and what moving people would have changed."""
    who = actor(request)
    found = charts.asked_ledger(who, {})
    cells = forecasting.portfolio(who, found)
    by = request.GET.get("by", "team")
    by = by if by in GROUPS else "team"
    names = [one.name for one in found.by(by) if one.name != "not said"]
    source, target = request.GET.get("source", ""), request.GET.get("target", "")
    scenario = None
    if source in names and target in names and source != target:
        scenario = forecasting.moving_people(who, found, by, source, target)
    shown = {
        "page_title": "Portfolio of bets",
        "crumbs": _trail(),
        "says": _says(found, cells),
        "cells": [cell for cell in cells if cell.bets],
        "empty_cells": [f"{cell.horizon}, {cell.risk.lower()}" for cell in cells if not cell.bets],
        "currency": found.currency,
        "charts": [
            pictured(charts.ledger_chart(who, found, f"by-{what}"), charts.of_ledger(f"by-{what}"))
            for what in ("horizon", "team")
        ],
        "groups": GROUPS,
        "by": by,
        "names": names,
        "source": source,
        "target": target,
        "scenario": _scenario(scenario),
        "any": bool(found.lines),
    }
    return render(request, "impact/portfolio.html", shown)


def _scenario(made: Any) -> dict[str, str] | None:
    if made is None:
        return None
    if isinstance(made, CannotTell):
        return {"verdict": "cannot_tell", "says": str(made)}
    verdict = "at_risk" if made.low < 0.0 < made.high else "yes" if made.change > 0.0 else "no"
    return {"verdict": verdict, "says": made.sentence}


def _says(found: Ledger, cells: list[forecasting.Cell]) -> str:
    total = sum(cell.cost for cell in cells)
    if not found.lines:
        return "No bet was launched yet."
    if total <= 0.0:
        return f"{words.counted(len(found.lines), 'bets')} were launched, and no cost is recorded for them."
    parts = []
    for horizon in dict.fromkeys(cell.horizon for cell in cells):
        share = sum(cell.cost for cell in cells if cell.horizon == horizon) / total
        if share > 0.0:
            parts.append(f"{words.human(share, 'share')} {horizon.lower()}")
    bold = sum(cell.cost for cell in cells if cell.risk == "Bold") / total
    return (
        f"Of {words.human(total, found.currency)} in bets, {words.listing(parts)}; "
        f"{words.human(bold, 'share')} of it bold."
    )
