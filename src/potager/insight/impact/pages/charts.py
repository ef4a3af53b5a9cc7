"""Pictures of the ledger by address: in pages and as files."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.ground.access.actors import Actor, require
from potager.ground.records.queries import found_in
from potager.ground.serving.pictures import served
from potager.ground.serving.rendering import signed_in
from potager.ground.serving.requests import actor
from potager.insight.impact import forecasting, pictures, queries
from potager.insight.impact.ledger import Ledger, ledger
from potager.insight.impact.models import Bet, Observation
from potager.insight.metrics.periods import parse_period
from potager.kit.charts.chart import Chart
from potager.kit.clock import today

ROLLED = ("team", "objective", "product", "year", "horizon", "risk")


def of_bet(bet: Bet, name: str, observation: Observation | None) -> str:
    """Return the address of a bet's picture."""
    path = reverse("bet-picture", args=[bet.key, name, "FORM"])
    return f"{path}?{urlencode({'observation': observation.pk})}" if observation is not None else path


def of_ledger(name: str, query: str = "") -> str:
    """Return the address of one of the ledger's pictures."""
    path = reverse("impact-picture", args=[name, "FORM"])
    return f"{path}?{query}" if query else path


def bet_chart(who: Actor, bet: Bet, name: str, observation: Observation | None) -> Chart | None:
    """Return one picture of a bet: effect, prediction or placebos."""
    if name == "prediction":
        return pictures.against_prediction(observation, forecasting.judge(bet, observation))
    if observation is None or not observation.told:
        return None
    if name == "placebos":
        return pictures.placebos(observation)
    if name == "effect":
        shipped = [(row.shipped_at, row.name) for row in queries.changes(who, key=bet.key)]
        return pictures.effect(observation, bet, shipped)
    return None


def asked_ledger(who: Actor, given: Any) -> Ledger:
    """Return the ledger that a page's filters ask for."""
    require(who, "impact.read")
    span = parse_period(given["period"]) if given.get("period") else None
    filters = {name: given[name] for name in ("team_name", "product", "objective") if given.get(name)}
    return ledger(who, today(), start=span.start if span else None, end=span.end if span else None, **filters)


def ledger_chart(who: Actor, found: Ledger, name: str) -> Chart | None:
    """Return one picture of the ledger: returns, calibration, by-team …, movement-1 …"""
    if name == "returns":
        return pictures.returns(found)
    if name == "calibration":
        return pictures.calibration(forecasting.judged(who, today()))
    kind, _, rest = name.partition("-")
    if kind == "by" and rest in ROLLED:
        return pictures.shares(found.by(rest), found.currency, rest)
    if kind == "movement" and rest.isdecimal() and 0 < int(rest) <= len(found.movements):
        return pictures.movement(found.movements[int(rest) - 1])
    return None


@signed_in
def bet_picture(request: HttpRequest, key: str, name: str, form: str) -> HttpResponse:
    """Serve a bet's picture."""
    who = actor(request)
    bet = queries.bet(who, key)
    observation = None
    if request.GET.get("observation"):
        observation = found_in(queries.observations(who, bet), pk=request.GET["observation"])
    return served(request, bet_chart(who, bet, name, observation), form)


@signed_in
def ledger_picture(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """Serve one of the ledger's pictures."""
    who = actor(request)
    return served(request, ledger_chart(who, asked_ledger(who, request.GET), name), form)
