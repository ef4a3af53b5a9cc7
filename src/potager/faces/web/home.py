"""What home shows: what needs you, and what is alive in each pillar. Contexts register their lines."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.urls import reverse

from potager.faces.web.registry import PILLARS, page_modules
from potager.ground.access.actors import Actor, may
from potager.ground.resources.resource import RESOURCES, Resource

ABOUT = {
    "insight": "Business data and insights",
    "voice": "Customer and market insights",
    "practice": "Process and practices",
    "infrastructure": "Services others build on",
    "enablement": "Product operations itself",
    "garden": "The living document",
}
TOP = ("insight", "voice", "practice")
MOST_LINES = 8


def beds(actor: Actor) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the beds of the map, the three pillars apart; pillars that are not built yet do not appear."""
    lines: dict[str, list[list[dict[str, Any]]]] = {}  # by pillar, a list for each of its contexts
    first: dict[str, dict[str, Any]] = {}
    for config, module in page_modules():
        if config.pillar == "ground":
            continue
        alive = getattr(module, "alive", None)
        if alive is not None:
            lines.setdefault(config.pillar, []).append(alive(actor))
        step = getattr(module, "first_step", None)
        if step is not None and config.pillar not in first:
            first[config.pillar] = step
    for resource in RESOURCES.values():
        pillar = str(getattr(apps.get_app_config(resource.context), "pillar", "ground"))
        if resource.door and pillar != "ground" and may(actor, f"{resource.context}.read"):
            lines.setdefault(pillar, []).append([_noun_line(actor, resource)])
    made = [
        {
            "key": key,
            "title": title,
            "about": ABOUT[key],
            "lines": _fairly(lines[key], MOST_LINES),
            "first": first.get(key),
        }
        for key, title in PILLARS.items()
        if key in lines
    ]
    return [bed for bed in made if bed["key"] in TOP], [bed for bed in made if bed["key"] not in TOP]


def _fairly(several: list[list[dict[str, Any]]], most: int) -> list[dict[str, Any]]:
    """Return ``most`` lines at the most, each context's together: a talkative one leaves room for the others."""
    shares = [0] * len(several)
    for _ in range(most):
        left = [place for place, lines in enumerate(several) if shares[place] < len(lines)]
        if not left:
            break
        shares[min(left, key=lambda place: shares[place])] += 1
    return [line for lines, share in zip(several, shares, strict=True) for line in lines[:share]]


def _noun_line(actor: Actor, resource: Resource[Any]) -> dict[str, Any]:
    """Return one line for a plain noun: how many there are, and the latest."""
    title, rows = resource.title, resource.rows(actor).order_by("-updated_at")
    latest, count = rows.first(), rows.count()
    text = f"{latest.title}: {latest.summary()}".rstrip(": ") if latest else resource.purpose
    url = reverse(f"{resource.context}-{resource.noun}-list")
    return {
        "context": title,
        "context_url": url,
        "text": text,
        "url": latest.url() if latest else url,
        "count": count,
    }


def needs(actor: Actor) -> list[dict[str, Any]]:
    """Return what waits for this person, from every context that knows of something."""
    found = [
        need for _, module in page_modules() for need in getattr(module, "needs_you", lambda _: [])(actor)
    ]
    return found[:10]
