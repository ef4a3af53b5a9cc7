"""Registering, changing, launching, observing and closing bets on pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from potager.ground.access.actors import require
from potager.ground.serving.rendering import problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.impact import actions, queries
from potager.insight.impact.forms import (
    EXAMPLE,
    BetForm,
    ChangeForm,
    CloseForm,
    DesignForm,
    LaunchForm,
    ObserveForm,
)
from potager.insight.impact.models import Bet
from potager.kit.clock import today
from potager.kit.errors import Problem


def _trail(bet: Bet | None = None) -> list[dict[str, str]]:
    trail = [{"title": "Impact", "url": reverse("impact")}]
    return [*trail, {"title": bet.name, "url": bet.url()}] if bet else trail


def _page(
    request: HttpRequest,
    form: forms.Form,
    title: str,
    about: str,
    act: Callable[[], Bet],
    done: str,
    bet: Bet | None,
    submit: str,
) -> HttpResponse:
    """Show a form; when it is sent and right, do what it is for and go to the bet."""
    if form.is_bound and form.is_valid():
        try:
            written = act()
        except Problem as problem:
            problems_on(form, problem)
        else:
            messages.success(request, done)
            return redirect(written.url())
    shown = {
        "page_title": title,
        "page_about": about,
        "crumbs": _trail(bet),
        "form": form,
        "submit": submit,
        "cancel_url": bet.url() if bet else reverse("impact"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Register a bet."""
    who = actor(request)
    require(who, "impact.edit")
    form = BetForm(request.POST or None)
    about = "What is believed, by which metric it will be judged, and the range you expect. It is locked at launch."
    return _page(
        request,
        form,
        "Register a bet",
        about,
        lambda: actions.register_bet(actor=who, values=form.values()),
        "The bet is registered. Say next how it will be shipped.",
        None,
        "Register",
    )


@signed_in
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a bet."""
    who = actor(request)
    bet = queries.bet(who, key)
    require(who, "impact.edit", bet)
    form = ChangeForm(request.POST or None, bet=bet)
    about = "What was predicted and how it is judged was locked at launch." if bet.launched_on else ""
    return _page(
        request,
        form,
        f"Edit {bet.name}",
        about,
        lambda: actions.change_bet(actor=who, bet=bet, values=form.values()),
        "Kept.",
        bet,
        "Save",
    )


@signed_in
def design(request: HttpRequest, key: str) -> HttpResponse:
    """Say how a bet is shipped and what there is to judge it by."""
    who = actor(request)
    bet = queries.bet(who, key)
    require(who, "impact.edit", bet)
    text = yaml.safe_dump(bet.design, sort_keys=False, allow_unicode=True) if bet.design else EXAMPLE
    form = DesignForm(request.POST or None, initial={"design": text})
    about = "Say what there is to go by; the strongest method that it can carry is taken, and named."
    return _page(
        request,
        form,
        f"How {bet.name} is shipped",
        about,
        lambda: actions.set_design(actor=who, bet=bet, design=form.cleaned_data["design"]),
        "The design is kept.",
        bet,
        "Save",
    )


@signed_in
def launch(request: HttpRequest, key: str) -> HttpResponse:
    """Launch a bet."""
    who = actor(request)
    bet = queries.bet(who, key)
    require(who, "impact.edit", bet)
    form = LaunchForm(request.POST or None, initial={"on": today()})
    about = "The prediction, the metric, the guardrails and the kill criteria are locked from here on."
    return _page(
        request,
        form,
        f"Launch {bet.name}",
        about,
        lambda: actions.launch(actor=who, bet=bet, on=form.cleaned_data["on"]),
        "Launched. It is looked at after 30, 90 and 180 days by itself.",
        bet,
        "Launch",
    )


@signed_in
def observe(request: HttpRequest, key: str) -> HttpResponse:
    """Look at what a bet did."""
    who = actor(request)
    bet = queries.bet(who, key)
    require(who, "impact.edit", bet)
    form = ObserveForm(request.POST or None)

    def act() -> Any:
        actions.observe(actor=who, bet=bet, age=form.cleaned_data["age"])
        return bet

    about = "Potager looks after 30, 90 and 180 days by itself. What is found is kept and never changed."
    return _page(request, form, f"What did {bet.name} do?", about, act, "Looked at.", bet, "Look")


@signed_in
def close(request: HttpRequest, key: str) -> HttpResponse:
    """Close a bet."""
    who = actor(request)
    bet = queries.bet(who, key)
    require(who, "impact.edit", bet)
    form = CloseForm(request.POST or None)
    about = f"Agreed beforehand: {bet.kill_when}" if bet.kill_when else ""
    return _page(
        request,
        form,
        f"Keep {bet.name}, or take it back",
        about,
        lambda: actions.close(
            actor=who,
            bet=bet,
            ending=form.cleaned_data["ending"],
            because=form.cleaned_data["because"],
        ),
        "Closed.",
        bet,
        "Close",
    )
