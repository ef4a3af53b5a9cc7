"""What the shell shows on every page."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from potager import __version__
from potager.faces.web.registry import PILLARS, doors
from potager.ground.access.actors import may
from potager.ground.accounts.queries import demo_notice
from potager.ground.jobs.queries import running
from potager.ground.serving.requests import actor


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the rail's doors that this actor may open."""
    who = actor(request)
    if who.role is None:
        return {"nav": [], "theme": request.COOKIES.get("theme", "")}
    urls = {door.item.url_name: reverse(door.item.url_name) for door in doors()}
    here = [
        url for url in urls.values() if request.path == url or request.path.startswith(url.rstrip("/") + "/")
    ]
    current = max(here, key=len, default="")
    nav = []
    for pillar, standing in groupby(doors(), key=lambda door: door.pillar):
        items = [
            {
                "title": door.item.title,
                "url": urls[door.item.url_name],
                "icon": door.item.icon,
                "current": urls[door.item.url_name] == current,
            }
            for door in standing
            if may(who, door.item.permission)
        ]
        if items:
            nav.append({"title": PILLARS[pillar], "key": pillar, "items": items})
    return {
        "nav": nav,
        "theme": request.COOKIES.get("theme", ""),
        "running_jobs": running(who).count(),
        "demo_notice": demo_notice(),
        "version": __version__,
    }
