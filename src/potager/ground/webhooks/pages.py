"""The pages of webhooks."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import Command, NavItem, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.ground.webhooks import actions, queries
from potager.ground.webhooks.forms import EndpointForm
from potager.kit.errors import Problem
from potager.kit.paging import page_of

nav = (NavItem("Webhooks", "webhooks", "webhooks", "webhooks.read"),)
commands = (Command("Register a webhook", "webhooks", "webhooks.edit"),)
VERBS = {
    "test": (actions.test, "A test event is on its way."),
    "on": (actions.turn_on, "It is told again."),
    "secret": (actions.renew_secret, "It signs with a new secret."),
    "remove": (actions.remove, "It was taken away."),
}


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the webhooks; register one."""
    who = actor(request)
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = actions.register(actor=who, **form.cleaned_data)
        except Problem as problem:
            problem.errors = tuple(type(e)("address", e.problem, e.mend) for e in problem.errors)
            problems_on(form, problem)
        else:
            return redirect("webhook", made.pk)
    shown = {
        "page_title": "Webhooks",
        "page_about": "Addresses that are told what happens here, signed as Standard Webhooks describes.",
        "endpoints": queries.endpoints(who),
        "form": form,
    }
    return render(request, "webhooks/list.html", shown, status=422 if form.errors else 200)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one webhook with what was sent to it; test it, turn it on, renew its secret, take it away."""
    who = actor(request)
    endpoint = found_in(queries.endpoints(who), pk=key)
    if request.method == "POST":
        for name, (act, done) in VERBS.items():
            if name in request.POST:
                act(actor=who, endpoint=endpoint)
                messages.success(request, done)
                return redirect("webhooks") if name == "remove" else redirect("webhook", key)
    found = page_of(queries.deliveries(who, endpoint), cursor=request.GET.get("cursor", ""), limit=30)
    crumbs = [{"title": "Webhooks", "url": reverse("webhooks")}]
    shown = {"page_title": endpoint.name, "crumbs": crumbs, "endpoint": endpoint, "found": found}
    return render(request, "webhooks/endpoint.html", shown)


urlpatterns = [path("webhooks/", listing, name="webhooks"), path("webhooks/<uuid:key>", one, name="webhook")]
