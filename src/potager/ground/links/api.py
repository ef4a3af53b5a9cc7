"""Links over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status

from potager.ground.links import actions, queries
from potager.ground.links.models import Link
from potager.ground.records.queries import found_in, record
from potager.ground.serving.requests import actor, tagged
from potager.ground.serving.schemas import CardOut, PageOut, PagingIn, RecordOut, page

router = Router(tags=["links"])
RelationName = Literal[
    "supports",
    "contradicts",
    "drives",
    "measures",
    "answers",
    "decides",
    "leads_to",
    "supersedes",
    "mentions",
]


class LinkProof(Schema):
    """How well a link is proven."""

    model_config = {"extra": "forbid"}
    evidence: str = Field("", max_length=20_000)
    grade: int = Field(
        1, ge=1, le=5, description="1 asserted, 2 correlated, 3 predictive, 4 quasi-, 5 experimental."
    )
    confidence: float | None = Field(None, ge=0, le=1)
    expires_at: datetime | None = None


class LinkIn(LinkProof):
    """A link to be made."""

    relation: RelationName
    from_kind: str = Field(max_length=80)
    from_id: UUID
    to_kind: str = Field(max_length=80)
    to_id: UUID


class LinkOut(RecordOut):
    """One link."""

    relation: str
    from_kind: str
    from_id: UUID
    to_kind: str
    to_id: UUID
    evidence: str
    grade: int
    present_grade: int
    confidence: float | None
    expires_at: datetime | None


class HopOut(Schema):
    """One hop of a chain."""

    depth: int
    link: LinkOut
    source: CardOut
    target: CardOut


class ChainOut(Schema):
    """A chain; ``weakest`` is its least proven hop."""

    hops: list[HopOut]
    weakest: HopOut | None
    complete: bool


def _found(request: HttpRequest, key: UUID) -> Link:
    link: Link = found_in(queries.links(actor(request)), pk=key)
    return link


@router.get("/links", response=PageOut[LinkOut], operation_id="links_link_list", summary="List links.")
def list_links(request: HttpRequest, paging: PagingIn) -> Any:
    """List links, newest first."""
    return page(queries.links(actor(request)), paging)


@router.post("/links", response={201: LinkOut}, operation_id="links_link_create", summary="Link two records.")
def create_link(request: HttpRequest, response: HttpResponse, payload: LinkIn) -> Any:
    """Link two records: what explains, what is explained, how, on what evidence, until when."""
    who, given = actor(request), payload.dict()
    source = record(who, given.pop("from_kind"), given.pop("from_id"))
    target = record(who, given.pop("to_kind"), given.pop("to_id"))
    return Status(201, tagged(response, actions.link(actor=who, source=source, target=target, **given)))


@router.put(
    "/links/{uuid:key}/proof", response=LinkOut, operation_id="links_link_regrade", summary="Regrade a link."
)
def regrade_link(request: HttpRequest, key: UUID, payload: LinkProof) -> Any:
    """Say anew how well a link is proven."""
    return actions.regrade(actor=actor(request), link=_found(request, key), **payload.dict())


@router.delete(
    "/links/{uuid:key}", response=LinkOut, operation_id="links_link_remove", summary="Take a link away."
)
def remove_link(request: HttpRequest, key: UUID) -> Any:
    """Take a link away."""
    return actions.unlink(actor=actor(request), link=_found(request, key))


@router.get(
    "/records/{kind}/{uuid:key}/chain",
    response=ChainOut,
    operation_id="links_chain_get",
    summary="Walk from a record: why do we believe this, or what came of it.",
)
def get_chain(
    request: HttpRequest, kind: str, key: UUID, direction: Literal["why", "what_came_of_it"] = "why"
) -> Any:
    """Walk the links from a record, against or along their direction."""
    who = actor(request)
    return queries.chain(who, record(who, kind, key), direction)
