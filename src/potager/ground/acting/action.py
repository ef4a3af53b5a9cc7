"""The ``@action`` decorator."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from potager.ground.access.actors import Actor, require
from potager.ground.acting.events import Acted
from potager.ground.audit.models import AuditEntry
from potager.ground.events.bus import announce
from potager.ground.records.models import Record
from potager.kit.errors import Changed, NotFound

P = ParamSpec("P")
R = TypeVar("R")
_expected: ContextVar[int | None] = ContextVar("expected_version", default=None)


@dataclass(frozen=True, slots=True)
class Action:
    """What is known of one action: its name, the permission it asks, the argument it acts on, its help."""

    name: str
    permission: str
    on: str | None
    help: str


ACTIONS: dict[str, Action] = {}


@contextmanager
def expecting(version: int | None) -> Iterator[None]:
    """Inside the block, the action refuses a record whose version is another (If-Match)."""
    token = _expected.set(version)
    try:
        yield
    finally:
        _expected.reset(token)


def _locked(record: Record, actor: Actor) -> Record:
    """Read the record anew, locked until the transaction ends, as far as the actor may see it."""
    rows = type(record).objects.visible_to(actor).select_for_update(of=("self",))
    fresh: Record | None = rows.filter(pk=record.pk).first()
    if fresh is None:
        raise NotFound(f"{record.title} is not there any more.", mend="Look at the list again.")
    expected = _expected.get()
    if expected is not None and fresh.version != expected:
        raise Changed(
            f"{record.title} is at version {fresh.version}, not {expected}.",
            mend="Look at it again, then repeat.",
        )
    return fresh


def action(permission: str, *, on: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function an action. ``on`` names the argument that holds the record acted on.

    The function's first keyword is ``actor``. What it returns, if a record, is what the audit entry is about.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        name = f"{function.__module__.removeprefix('potager.').partition('.actions')[0]}.{function.__name__}"
        ACTIONS[name] = Action(name, permission, on, (function.__doc__ or "").partition("\n")[0])

        @functools.wraps(function)
        def act(*args: P.args, **given: P.kwargs) -> R:
            actor, before = given["actor"], {}
            assert isinstance(actor, Actor)
            with transaction.atomic():
                record = given.get(on) if on else None
                if isinstance(record, Record):
                    given[on] = record = _locked(record, actor)  # type: ignore[index]
                    before = record.facts()
                require(actor, permission, record if isinstance(record, Record) else None)
                result = function(*args, **given)
                _write_audit(actor, name, record if isinstance(record, Record) else result, before)
            return result

        return act

    return decorate


def _write_audit(actor: Actor, name: str, subject: Any, before: dict[str, Any]) -> None:
    after: dict[str, Any] = {}
    if isinstance(subject, Record):
        after = subject.facts()
        announce(Acted(actor.name, name, subject.kind(), str(subject.pk), str(subject)))
    model = subject if isinstance(subject, Model) else None
    AuditEntry.objects.create(
        actor_name=actor.name,
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        via=actor.via,
        action=name,
        record_kind="" if model is None else model._meta.label_lower,
        record_id=model.pk if model is not None and isinstance(model.pk, UUID) else None,
        record_title="" if model is None else str(model)[:300],
        before={key: value for key, value in before.items() if value != after.get(key)},
        after={key: value for key, value in after.items() if value != before.get(key)},
    )
