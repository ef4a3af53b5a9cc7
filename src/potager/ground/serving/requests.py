"""Who asks, and what they expect."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest

from potager.ground.access.actors import NOBODY, Actor, actor_of
from potager.ground.records.models import Record
from potager.kit.errors import FieldProblem, Invalid

_ETAG = re.compile(r'^(?:W/)?"(\d+)"$')


def actor(request: HttpRequest) -> Actor:
    """Return the actor of a request; nobody where no one signed in."""
    known = getattr(request, "auth", None) or getattr(request, "actor", None)
    if not isinstance(known, Actor):
        known = actor_of(request.user) if hasattr(request, "user") else NOBODY
        request.actor = known  # type: ignore[attr-defined]
    return known


def expected_version(request: HttpRequest) -> int | None:
    """Return the version that the If-Match header names, if it has one."""
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    found = _ETAG.match(header)
    if found is None:
        problem = FieldProblem("If-Match", 'Expected the ETag as it was given, such as "3".')
        raise Invalid(
            "The If-Match header cannot be read.", mend="Send the ETag back unchanged.", errors=[problem]
        )
    return int(found[1])


def etag(record: Record) -> str:
    """Return the record's ETag."""
    return f'"{record.version}"'


def tagged(response: Any, record: Record) -> Record:
    """Set the record's ETag on ``response`` and return the record."""
    response["ETag"] = etag(record)
    return record
