"""Announcing inside a transaction, hearing after it.

``announce`` is called inside an action and writes the outbox row in the action's own transaction: a fact is told
exactly when its change is kept. Reactions run after the commit, in their own transactions; what fails or is
killed midway is repeated by the worker's sweep.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from potager.ground.events.models import OutboxEntry
from potager.kit.clock import now

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Event:
    """Base of every fact. ``actor`` is the name of whoever caused it."""

    actor: str

    @classmethod
    def name(cls) -> str:
        """Return the event's public name, ``context.past_tense`` (``goals.renamed``)."""
        context = cls.__module__.split(".")[-2]
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)
        return f"{context}.{words.lstrip('_')}"


E = TypeVar("E", bound=Event)
Reaction = Callable[[Any], None]
_events: dict[str, type[Event]] = {}
_reactions: dict[str, list[tuple[str, Reaction]]] = {}


def reacts_to(event: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a function to be called with every such event, after the commit."""

    def register(reaction: Callable[[E], None]) -> Callable[[E], None]:
        _events[event.name()] = event
        _reactions.setdefault(event.name(), []).append(
            (f"{reaction.__module__}.{reaction.__name__}", reaction)
        )
        return reaction

    return register


def announce(event: Event) -> OutboxEntry:
    """Tell a fact: keep it with the change it tells of, and let others hear it after the commit."""
    payload = json.loads(json.dumps(dataclasses.asdict(event), cls=DjangoJSONEncoder))
    entry = OutboxEntry.objects.create(name=event.name(), payload=payload)
    transaction.on_commit(lambda: hear(entry))
    return entry


def hear(entry: OutboxEntry) -> None:
    """Call every reaction that has not yet heard this event; each in its own transaction."""
    reactions = [*_reactions.get(entry.name, []), *_reactions.get("*", [])]
    for name, reaction in reactions:
        if name in entry.heard:
            continue
        try:
            with transaction.atomic():
                reaction(entry if name in _wildcards else _rebuild(entry))
            entry.heard = [*entry.heard, name]
            entry.failed.pop(name, None)
        except Exception as error:  # one deaf listener must not silence the others; the sweep repeats it
            log.exception("The reaction %s to %s failed", name, entry)
            entry.failed = {**entry.failed, name: f"{type(error).__name__}: {error}"}
    entry.attempts += 1
    if not entry.failed or entry.attempts >= MOST_ATTEMPTS:
        entry.done_at = now()
    entry.save(update_fields=["heard", "failed", "attempts", "done_at"])


_wildcards: set[str] = set()


def hears_everything(reaction: Callable[[OutboxEntry], None]) -> Callable[[OutboxEntry], None]:
    """Register a function to be called with the outbox entry of every event (webhooks do)."""
    name = f"{reaction.__module__}.{reaction.__name__}"
    _wildcards.add(name)
    _reactions.setdefault("*", []).append((name, reaction))
    return reaction


def _rebuild(entry: OutboxEntry) -> Event:
    return _events[entry.name](**entry.payload)


def sweep(*, older_than: timedelta = timedelta(seconds=30)) -> int:
    """Let everything be heard that was announced but not heard; return how many entries there were."""
    waiting = OutboxEntry.objects.filter(done_at__isnull=True, at__lt=now() - older_than)
    entries = list(waiting[:500])
    for entry in entries:
        hear(entry)
    return len(entries)
