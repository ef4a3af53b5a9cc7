"""Home."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from potager.ground.serving.rendering import render, signed_in


@signed_in
def home(request: HttpRequest) -> HttpResponseBase:
    """Show the map of the three pillars."""
    return render(request, "home.html", {"page_title": "Home"})
