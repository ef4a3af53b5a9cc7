"""Who in the house knows something of a person: for the export of everything known, and for the erasure.

Every context that keeps words or numbers about people registers a :class:`Holder` (in ``apps.ready`` or a module
loaded there). The export is complete exactly when all of them have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from potager.ground.access.actors import Actor
from potager.insight.customers.models import Person


def _keeps_nothing(actor: Actor, person: Person) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Holder:
    """One part of the house that knows of people.

    ``tell`` returns plain JSON of everything it knows of a person. ``forget`` runs inside the erasure's transaction,
    takes away what tells who it was, and returns a sentence for each thing that it keeps, with why.
    """

    name: str
    title: str
    tell: Callable[[Actor, Person], Any]
    forget: Callable[[Actor, Person], list[str]] = _keeps_nothing


_HOLDERS: dict[str, Holder] = {}


def register(holder: Holder) -> None:
    """Enter a holder; the same name again replaces it."""
    _HOLDERS[holder.name] = holder


def holders() -> tuple[Holder, ...]:
    """Return every holder, by name."""
    return tuple(_HOLDERS[name] for name in sorted(_HOLDERS))
