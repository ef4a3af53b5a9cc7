"""Finding any record by its reference, as far as the actor may see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from potager.ground.access.actors import Actor
from potager.ground.records.models import Card, Record, model_of
from potager.kit.errors import NotFound

M = TypeVar("M", bound=Model)


def record(actor: Actor, kind: str, key: UUID | str) -> Record:
    """Return the record ``kind``/``key``; to those who may not see it, it is not there."""
    from django.core.exceptions import ValidationError

    try:
        found = model_of(kind).objects.visible_to(actor).filter(pk=key).first()
    except (LookupError, ValueError, ValidationError):
        found = None
    if not isinstance(found, Record):
        raise NotFound(f"There is no {kind} {key}.", mend="It may have been removed, or you may not see it.")
    return found


def found_in(rows: QuerySet[M], **lookup: Any) -> M:
    """Return the single row of ``rows`` that matches, or say that it is not there."""
    from django.core.exceptions import ValidationError

    try:
        found = rows.filter(**lookup).first()
    except (ValueError, ValidationError):
        found = None
    if found is None:
        noun = str(rows.model._meta.verbose_name)
        name = ", ".join(str(value) for value in lookup.values())
        raise NotFound(f"There is no {noun} {name}.", mend="It may have been removed, or you may not see it.")
    return found


def cards(actor: Actor, references: Iterable[tuple[str, UUID]]) -> dict[tuple[str, UUID], Card]:
    """Return the cards of all references the actor may see, with one query per kind."""
    by_kind: dict[str, set[UUID]] = {}
    for kind, key in references:
        by_kind.setdefault(kind, set()).add(key)
    found: dict[tuple[str, UUID], Card] = {}
    for kind, keys in by_kind.items():
        for row in model_of(kind).objects.visible_to(actor).filter(pk__in=keys):
            found[kind, row.pk] = row.card()
    return found
