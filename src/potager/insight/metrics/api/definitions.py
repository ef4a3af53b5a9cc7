"""Definition documents over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from potager.ground.access.actors import require
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.metrics import actions, compiling, queries

router = Router(tags=["metrics"])


class SourceOut(RecordOut):
    """A definition document."""

    name: str
    namespace: str
    text: str
    number: int
    digest: str


class SourceIn(Schema):
    """A definition document to publish or check."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120, description="A file name, such as orders.yml.")
    namespace: str = Field(max_length=60, description="The lake namespace that ref('table') means.")
    text: str = Field(
        max_length=2_000_000, description="dbt semantic-layer YAML, or a dbt semantic manifest."
    )
    note: str = Field("", max_length=300)


class DocumentIn(Schema):
    """One of several definition documents."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120, description="A file name, such as models/orders.yml.")
    text: str = Field(
        max_length=2_000_000, description="dbt semantic-layer YAML, or a dbt semantic manifest."
    )


class SourcesIn(Schema):
    """Definition documents to publish together."""

    model_config = {"extra": "forbid"}
    namespace: str = Field(max_length=60, description="The lake namespace that ref('table') means.")
    documents: list[DocumentIn] = Field(min_length=1, max_length=500)
    note: str = Field("", max_length=300)


class DefinitionFindingOut(Schema):
    """What is wrong or doubtful in a definition, at which line, and how to mend it."""

    level: str
    source: str
    line: int
    message: str
    mend: str


class VersionOut(Schema):
    """One version of a definition document."""

    number: int
    at: datetime
    by: str
    note: str
    text: str

    @staticmethod
    def resolve_by(version: Any) -> str:
        """Return who published it."""
        return str(version.by or "Potager")


class ProposalIn(Schema):
    """A table to propose definitions for."""

    model_config = {"extra": "forbid"}
    table: str = Field(max_length=120)


class ProposalOut(Schema):
    """Definitions as a person would have begun them, to be read and changed before they are published."""

    name: str
    namespace: str
    text: str
    notes: list[str]


@router.get(
    "/definitions",
    response=PageOut[SourceOut],
    operation_id="metrics_source_list",
    summary="List definition documents.",
)
def list_sources(request: HttpRequest, paging: PagingIn) -> Any:
    """List definition documents."""
    return page(queries.sources(actor(request)), paging, order="name")


@router.post(
    "/definitions",
    response=SourceOut,
    operation_id="metrics_source_publish",
    summary="Publish a definition document.",
)
def publish_source(request: HttpRequest, response: HttpResponse, payload: SourceIn) -> Any:
    """Publish a definition document; one of the same name gets a new version."""
    return tagged(response, actions.publish(actor=actor(request), **payload.dict()))


@router.post(
    "/definitions/import",
    response=list[SourceOut],
    operation_id="metrics_source_import",
    summary="Publish several definition documents together.",
)
def import_sources(request: HttpRequest, payload: SourcesIn) -> Any:
    """Publish several definition documents that may rest on each other: all of them or none."""
    texts = {document.name: document.text for document in payload.documents}
    return actions.publish_together(
        actor=actor(request), namespace=payload.namespace, texts=texts, note=payload.note
    )


@router.post(
    "/definitions/check",
    response=list[DefinitionFindingOut],
    operation_id="metrics_source_check",
    summary="Check a definition document without publishing it.",
)
def check_source(request: HttpRequest, payload: SourceIn) -> Any:
    """Return everything wrong or doubtful in a definition document, with lines."""
    require(actor(request), "metrics.edit")
    return compiling.check(payload.namespace, {payload.name: payload.text})


@router.get(
    "/definitions/{uuid:key}",
    response=SourceOut,
    operation_id="metrics_source_get",
    summary="Read a definition document.",
)
def get_source(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read a definition document."""
    return tagged(response, found_in(queries.sources(actor(request)), pk=key))


@router.get(
    "/definitions/{uuid:key}/versions",
    response=list[VersionOut],
    operation_id="metrics_version_list",
    summary="List the versions of a definition document.",
)
def list_versions(request: HttpRequest, key: UUID) -> Any:
    """List every version of a definition document, newest first."""
    who = actor(request)
    return queries.versions(who, found_in(queries.sources(who), pk=key))


@router.delete(
    "/definitions/{uuid:key}",
    response=SourceOut,
    operation_id="metrics_source_withdraw",
    summary="Take a definition document away.",
)
def withdraw_source(request: HttpRequest, key: UUID) -> Any:
    """Take a definition document away; its metrics are retired, its versions stay."""
    who = actor(request)
    return actions.withdraw(actor=who, source=found_in(queries.sources(who), pk=key))


@router.post(
    "/definitions/propose",
    response=ProposalOut,
    operation_id="metrics_source_propose",
    summary="Propose definitions for a table.",
)
def propose_source(request: HttpRequest, payload: ProposalIn) -> Any:
    """Propose definitions for a table, from its columns."""
    return compiling.proposal(actor(request), payload.table)
