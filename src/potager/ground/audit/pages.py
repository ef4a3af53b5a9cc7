"""The page of the audit log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from potager.ground.audit.queries import entries
from potager.ground.serving.rendering import NavItem, render, signed_in
from potager.ground.serving.requests import actor
from potager.kit.paging import page_of

nav = (NavItem("Audit", "audit", "audit", "audit.read"),)


@signed_in
def log(request: HttpRequest) -> HttpResponse:
    """Show who did what, newest first."""
    found = page_of(entries(actor(request)), cursor=request.GET.get("cursor", ""), order="-at", limit=50)
    shown = {
        "page_title": "Audit",
        "page_about": "Who did what, and what it changed. Entries are never removed.",
    }
    return render(request, "audit/log.html", {**shown, "found": found})


urlpatterns = [path("audit/", log, name="audit")]
