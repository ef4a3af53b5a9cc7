"""The evidence margin of a record's page: chains in the shape that templates draw."""

from __future__ import annotations

from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.links.queries import Chain, chain
from potager.ground.records.models import Record


def margin(actor: Actor, record: Record) -> dict[str, Any]:
    """Return why the record is believed and what came of it, as ``chain_up`` and ``chain_down``."""
    return {
        "chain_up": _hops(chain(actor, record, "why"), "source"),
        "chain_down": _hops(chain(actor, record, "what_came_of_it"), "target"),
    }


def _hops(found: Chain, end: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": f"{getattr(hop, end).noun} · {hop.link.get_relation_display()}",
            "title": getattr(hop, end).title,
            "url": getattr(hop, end).url,
            "grade": int(hop.link.present_grade),
            "weakest": hop is found.weakest and len(found.hops) > 1,
            "why": "its proof has expired" if hop.link.expired else "",
        }
        for hop in found.hops
    ]
