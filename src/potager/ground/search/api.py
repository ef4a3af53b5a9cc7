"""Search over HTTP."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from potager.ground.access.actors import require
from potager.ground.search import queries
from potager.ground.serving.requests import actor
from potager.ground.serving.schemas import CardOut

router = Router(tags=["search"])


class HitOut(Schema):
    """A record that was found, and why."""

    card: CardOut
    why: str


class SearchIn(Schema):
    """What is sought."""

    text: str = Field("", max_length=300, description="Words; the last one may be a beginning.")
    kind: str = Field("", max_length=80, description="Only this kind of record.")
    limit: int = Field(20, ge=1, le=100)


@router.get(
    "/search", response=list[HitOut], operation_id="search_record_find", summary="Find records by words."
)
def find(request: HttpRequest, sought: Query[SearchIn]) -> Any:
    """Find records by words, among all you may see."""
    who = actor(request)
    require(who, "search.read")
    return queries.find(who, sought.text, kinds=[sought.kind] if sought.kind else [], limit=sought.limit)
