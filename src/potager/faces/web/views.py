"""Home, search, the palette, and the choice of colors."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from potager.faces.api.operations import operations
from potager.faces.web.home import beds, needs
from potager.faces.web.registry import commands, doors
from potager.ground.access.actors import may
from potager.ground.access.models import User
from potager.ground.search.queries import find
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor

YEAR_SECONDS = 31_536_000
MOST_OPERATIONS = 8
MOST_FOUND = 80
THEMES = {"", "light", "dark"}


def home(request: HttpRequest) -> HttpResponseBase:
    """Show the map: what needs you, and what is alive in each pillar. A new installation goes to its set-up."""
    if actor(request).role is None and not User.objects.exists():
        return redirect("setup")
    return _map(request)


@signed_in
def _map(request: HttpRequest) -> HttpResponseBase:
    who = actor(request)
    top, under = beds(who)
    shown = {"page_title": "Home", "needs": needs(who), "beds": top, "under": under}
    return render(request, "house/home.html", shown)


@signed_in
def search(request: HttpRequest) -> HttpResponseBase:
    """Show everything that holds the words."""
    text = request.GET.get("q", "")[:300]
    hits = find(actor(request), text, limit=50)
    title = f"Search: {text}" if text else "Search"
    return render(request, "house/search.html", {"page_title": title, "q": text, "hits": hits})


@signed_in
def palette(request: HttpRequest) -> HttpResponseBase:
    """Answer the palette: doors, commands, operations and records that hold the words."""
    who, text = actor(request), request.GET.get("q", "")[:200]
    words = text.casefold().split()

    def matches(title: str, hint: str = "") -> bool:
        return all(word in f"{title} {hint}".casefold() for word in words)

    found: list[dict[str, Any]] = [
        {
            "group": "Go to",
            "title": door.item.title,
            "hint": "",
            "url": reverse(door.item.url_name),
            "keys": "",
        }
        for door in doors()
        if may(who, door.item.permission) and matches(door.item.title)
    ]
    found += [
        {"group": "Do", "title": item.title, "hint": item.hint, "url": reverse(item.url_name), "keys": ""}
        for item in commands()
        if may(who, item.permission) and matches(item.title, item.hint)
    ]
    found += [
        {
            "group": "Operations",
            "title": op.summary.rstrip("."),
            "hint": " ".join(op.words),
            "url": reverse("operation", args=[op.id]),
            "keys": "",
        }
        for op in operations().values()
        if words and matches(op.summary, " ".join(op.words))
    ][:MOST_OPERATIONS]
    found += [
        {"group": "Records", "title": hit.card.title, "hint": hit.card.noun, "url": hit.card.url, "keys": ""}
        for hit in find(who, text, limit=8)
    ]
    if text.strip() and may(who, "questions.ask"):
        ask = f"{reverse('ask')}?q={request.GET['q']}"
        found.append({"group": "Ask", "title": f"Ask: {text}", "hint": "", "url": ask, "keys": ""})
    return JsonResponse(found[:MOST_FOUND], safe=False)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice of colors in a cookie, and go back."""
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "/")
    chosen = request.POST.get("theme", "")
    response.set_cookie("theme", chosen if chosen in THEMES else "", max_age=YEAR_SECONDS, samesite="Lax")
    return response
