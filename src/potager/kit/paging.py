"""Cursor paging: stable under inserts, the same cost on the first page and the thousandth."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

T = TypeVar("T")
LARGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of records, the cursor of the next one (empty at the end), and of how many."""

    items: Sequence[T]
    next_cursor: str
    total: int


def _encode(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position, default=str).encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _not_a_cursor() from error
    if not isinstance(position, list) or len(position) != length:
        raise _not_a_cursor()
    return position


def _not_a_cursor() -> Invalid:
    problem = FieldProblem("cursor", "This is not a cursor that Potager gave out.", "Ask for the first page.")
    return Invalid("The page cursor cannot be read.", mend="Leave the cursor out.", errors=[problem])


M = TypeVar("M", bound="Model")


def page_of(
    rows: QuerySet[M], *, cursor: str = "", limit: int = 50, order: str = "-created_at", count: bool = True
) -> Page[M]:
    """Return the page of ``rows`` after ``cursor``, ordered by ``order`` (``-`` for descending) and key.

    Ordering by the pair (field, key) makes the position unique, so rows that share a value are never skipped.
    """
    from django.core.exceptions import ValidationError
    from django.db.models import Q

    limit = max(1, min(limit, LARGEST_PAGE))
    field, descending = order.lstrip("-"), order.startswith("-")
    sign, compare = ("-", "lt") if descending else ("", "gt")
    total = rows.count() if count else -1
    rows = rows.order_by(f"{sign}{field}", f"{sign}pk")
    if cursor:
        value, key = _decode(cursor, 2)
        try:
            # The bound alone says nothing new, but lets a database enter the index where the page begins.
            rows = rows.filter(
                Q(**{f"{field}__{compare}": value}) | Q(**{field: value, f"pk__{compare}": key}),
                **{f"{field}__{compare}e": value},
            )
        except (ValidationError, ValueError, TypeError) as error:
            raise _not_a_cursor() from error
    found = list(rows[: limit + 1])
    more = len(found) > limit
    items = found[:limit]
    next_cursor = _encode([getattr(items[-1], field), items[-1].pk]) if more else ""
    return Page(items, next_cursor, total)
