"""Walking the chains: why do we believe this, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db.models import Q

from potager.ground.access.actors import Actor
from potager.ground.links.models import Grade, Link
from potager.ground.records.models import Card, Record, RecordQuerySet
from potager.ground.records.queries import cards

Direction = Literal["why", "what_came_of_it"]
Reference = tuple[str, UUID]
DEEPEST = 6
MOST_HOPS = 200


@dataclass(frozen=True, slots=True)
class Hop:
    """One link of a chain: how far from the start, the link, and the cards of both its ends."""

    depth: int
    link: Link
    source: Card
    target: Card


@dataclass(frozen=True, slots=True)
class Chain:
    """What was found from one record in one direction. ``weakest`` is the least proven hop, if there is any."""

    hops: tuple[Hop, ...]
    weakest: Hop | None
    complete: bool


def links(actor: Actor) -> RecordQuerySet[Link]:
    """Return the links the actor may see, archived ones left out."""
    rows: RecordQuerySet[Link] = Link.objects.visible_to(actor)
    return rows.alive()


def chain(actor: Actor, record: Record, direction: Direction, *, depth: int = DEEPEST) -> Chain:
    """Walk from ``record``, a level at a time (one query for links and one per kind of record on each level).

    Links to records that the actor may not see are left out, together with what lies behind them.
    """
    near, far = ("to", "from") if direction == "why" else ("from", "to")
    level: set[Reference] = {(record.kind(), record.pk)}
    seen = set(level)
    hops: list[Hop] = []
    for step in range(1, min(depth, DEEPEST) + 1):
        found = list(links(actor).filter(_any_of(near, level))[:MOST_HOPS])
        shown = cards(actor, {end for link in found for end in _ends(link)})
        for link in found:
            source, target = (shown.get(end) for end in _ends(link))
            if source is not None and target is not None:
                hops.append(Hop(step, link, source, target))
        level = {
            (getattr(hop.link, f"{far}_kind"), getattr(hop.link, f"{far}_id"))
            for hop in hops
            if hop.depth == step
        } - seen
        seen |= level
        if not level or len(hops) >= MOST_HOPS:
            break
    weakest = min(hops, key=lambda hop: (_strength(hop.link), hop.depth), default=None)
    return Chain(tuple(hops[:MOST_HOPS]), weakest, complete=not level and len(hops) < MOST_HOPS)


def _ends(link: Link) -> tuple[Reference, Reference]:
    return (link.from_kind, link.from_id), (link.to_kind, link.to_id)


def _any_of(end: str, references: Iterable[Reference]) -> Q:
    by_kind: dict[str, list[UUID]] = {}
    for kind, key in references:
        by_kind.setdefault(kind, []).append(key)
    wanted = Q()
    for kind, keys in by_kind.items():
        wanted |= Q(**{f"{end}_kind": kind, f"{end}_id__in": keys})
    return wanted


def _strength(link: Link) -> tuple[Grade, float]:
    return link.present_grade, link.confidence if link.confidence is not None else 0.5
