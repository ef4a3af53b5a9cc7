"""Shapes that every API shares."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from ninja import Field, Query, Schema
from pydantic import BaseModel

from potager.kit.paging import LARGEST_PAGE, page_of

T = TypeVar("T")


class FieldProblemOut(Schema):
    """What is wrong at one place of the input."""

    where: str
    problem: str
    mend: str = ""


class ProblemOut(Schema):
    """An error, as RFC 9457 shapes it, with a sentence on how to mend it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    mend: str = ""
    errors: list[FieldProblemOut] = []


class PageOut(Schema, Generic[T]):
    """One page of records. ``next_cursor`` is empty on the last page."""

    items: list[T]
    next_cursor: str
    total: int


class RecordOut(Schema):
    """What every record shows. ``version`` is also its ETag."""

    id: UUID
    title: str
    url: str
    owner_id: UUID | None
    team_id: UUID | None
    visibility: str
    version: int
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    @staticmethod
    def resolve_url(record: Any) -> str:
        """Return the record's page."""
        return str(record.url() if callable(record.url) else record.url)


class CardOut(Schema):
    """What a record shows of itself where another mentions it."""

    kind: str
    id: UUID
    noun: str
    title: str
    summary: str = ""
    url: str = ""
    state: str = ""
    verdict: str = ""
    as_of: datetime | None = None
    expires_at: datetime | None = None


class Paging(BaseModel):
    """Which page: leave the cursor out for the first."""

    cursor: str = Field("", max_length=2000, description="The next_cursor of the page before.")
    limit: int = Field(50, ge=1, le=LARGEST_PAGE, description="How many at most.")


PagingIn = Annotated[Paging, Query()]


def page(rows: QuerySet[Model], paging: Paging, *, order: str = "-created_at") -> dict[str, Any]:
    """Return one page of ``rows`` in the shape of :class:`PageOut`."""
    found = page_of(rows, cursor=paging.cursor, limit=paging.limit, order=order)
    return {"items": list(found.items), "next_cursor": found.next_cursor, "total": found.total}
