"""Streams, and what follows from them: metrics, health, influences."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.ground.access.actors import require
from potager.ground.acting.action import expecting
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.usage import actions, queries
from potager.insight.usage.facts import facts_of
from potager.insight.usage.models import Made

router = Router(tags=["usage"])


class StreamIn(Schema):
    """A table of events, and what its columns mean."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120)
    table: str = Field(max_length=120, description="namespace.table of the lake.")
    person: str = Field(max_length=120, description="The column that says who did it.")
    time: str = Field(max_length=120, description="The column that says when, in UTC.")
    event: str = Field(
        "", max_length=120, description="What was done; empty where every row is the same event."
    )
    account: str = Field("", max_length=120, description="The account's key.")
    event_id: str = Field("", max_length=120, description="Repeats of it count once.")
    properties: list[str] = Field([], max_length=100, description="Further columns, to filter and split by.")
    json_column: str = Field("", max_length=120, description="A column of JSON with further properties.")
    identities_table: str = Field("", max_length=120, description="A table with alias and person.")
    zone: str = Field("UTC", max_length=60, description="Such as Europe/Berlin: where days begin.")
    week_starts: int = Field(1, ge=1, le=7, description="1 is Monday.")
    active_event: str = Field("", max_length=200, description="What makes active; empty for any event.")
    accounts_table: str = Field("", max_length=120)
    accounts_key: str = Field("", max_length=120)
    seats: str = Field("", max_length=120, description="The column with the seats an account pays for.")
    revenue_table: str = Field("", max_length=120, description="Months per customer, as revenue keeps them.")
    book: str = Field("", max_length=120)
    policy: str = Field("", max_length=60)


class StreamChange(Schema):
    """What is to be changed about a stream."""

    model_config = {"extra": "forbid"}
    name: str | None = Field(None, max_length=120)
    table: str | None = Field(None, max_length=120)
    person: str | None = Field(None, max_length=120)
    time: str | None = Field(None, max_length=120)
    event: str | None = Field(None, max_length=120)
    account: str | None = Field(None, max_length=120)
    event_id: str | None = Field(None, max_length=120)
    properties: list[str] | None = Field(None, max_length=100)
    json_column: str | None = Field(None, max_length=120)
    identities_table: str | None = Field(None, max_length=120)
    zone: str | None = Field(None, max_length=60)
    week_starts: int | None = Field(None, ge=1, le=7)
    active_event: str | None = Field(None, max_length=200)
    accounts_table: str | None = Field(None, max_length=120)
    accounts_key: str | None = Field(None, max_length=120)
    seats: str | None = Field(None, max_length=120)
    revenue_table: str | None = Field(None, max_length=120)
    book: str | None = Field(None, max_length=120)
    policy: str | None = Field(None, max_length=60)


class StreamOut(RecordOut):
    """A table of events, and what its columns mean."""

    name: str
    table: str
    person: str
    time: str
    event: str
    account: str
    event_id: str
    properties: list[str]
    json_column: str
    identities_table: str
    zone: str
    week_starts: int
    active_event: str
    accounts_table: str
    accounts_key: str
    seats: str
    revenue_table: str
    book: str
    policy: str


class StreamGuessOut(Schema):
    """A table that looks like events, with its columns as guessed from their names."""

    table: str
    rows: int | None = None
    person: str = ""
    time: str = ""
    event: str = ""
    account: str = ""
    event_id: str = ""
    json_column: str = ""
    properties: list[str] = []


class StreamGuessSearch(Schema):
    """Which table."""

    table: str = Field("", max_length=120, description="One table; empty for all that look like events.")


class StreamEventOut(Schema):
    """An event: its name, how often it happened, to how many."""

    name: str
    count: int
    people: int


class StreamFactsOut(Schema):
    """What a stream holds, in days of its own time zone; odd says what a reader should know."""

    events: int
    people: int
    accounts: int
    first: date | None
    last: date | None
    names: list[StreamEventOut]
    odd: list[str]


class HealthJobOut(Schema):
    """The job that does it."""

    id: UUID
    name: str
    state: str


class UsageSourceOut(Schema):
    """The definitions that were published."""

    id: UUID
    name: str
    namespace: str
    number: int
    text: str


class UsageInfluenceOut(Schema):
    """An influence that was drawn and tested; without an estimate the data did not carry one."""

    id: UUID
    driver: str
    outcome: str
    sign: int
    lag: int
    grain: str
    estimate: float | None
    low: float | None
    high: float | None
    evidence: str

    @staticmethod
    def resolve_driver(edge: Any) -> str:
        """Return the driver's name."""
        return str(edge.driver.name)

    @staticmethod
    def resolve_outcome(edge: Any) -> str:
        """Return the outcome's name."""
        return str(edge.outcome.name)


class AccountHealthOut(Schema):
    """What the last computing of the accounts' health came to; empty where it was never computed."""

    sentence: str = ""
    tested: str = ""
    day: date | None = None
    accounts: int = 0
    healthy: int = 0
    low: int = 0
    area: float | None = Field(None, description="How often one that left had scored below one that stayed.")


@router.get(
    "/usage/guesses",
    response=list[StreamGuessOut],
    operation_id="usage_guess_list",
    summary="List tables that look like events.",
)
def list_guesses(request: HttpRequest, sought: Query[StreamGuessSearch]) -> Any:
    """List the tables of the lake that look like events, with their columns as guessed from the names."""
    require(actor(request), "usage.read")
    return [queries.guess_of(sought.table)] if sought.table else queries.guesses()


@router.get(
    "/usage/streams", response=PageOut[StreamOut], operation_id="usage_stream_list", summary="List streams."
)
def list_streams(request: HttpRequest, paging: PagingIn) -> Any:
    """List the streams in use."""
    return page(queries.streams(actor(request)), paging)


@router.post(
    "/usage/streams",
    response={201: StreamOut},
    operation_id="usage_stream_describe",
    summary="Describe a table of events.",
)
def describe_stream(request: HttpRequest, response: HttpResponse, payload: StreamIn) -> Any:
    """Say which table of the lake holds events, and what its columns mean."""
    return Status(201, tagged(response, actions.describe_stream(actor=actor(request), values=payload.dict())))


@router.get(
    "/usage/streams/{uuid:key}",
    response=StreamOut,
    operation_id="usage_stream_get",
    summary="Read one stream.",
)
def get_stream(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one stream."""
    return tagged(response, queries.stream(actor(request), key))


@router.patch(
    "/usage/streams/{uuid:key}",
    response=StreamOut,
    operation_id="usage_stream_change",
    summary="Change a stream.",
)
def change_stream(request: HttpRequest, response: HttpResponse, key: UUID, payload: StreamChange) -> Any:
    """Change what a stream's columns mean, its time zone, or the tables beside it."""
    values = {name: value for name, value in payload.dict(exclude_unset=True).items() if value is not None}
    with expecting(expected_version(request)):
        stream = queries.stream(actor(request), key)
        return tagged(response, actions.change_stream(actor=actor(request), stream=stream, values=values))


@router.delete(
    "/usage/streams/{uuid:key}",
    response=StreamOut,
    operation_id="usage_stream_archive",
    summary="Put a stream away.",
)
def archive_stream(request: HttpRequest, key: UUID) -> Any:
    """Put a stream away; its table stays in the lake."""
    return actions.archive_stream(actor=actor(request), stream=queries.stream(actor(request), key))


@router.get(
    "/usage/streams/{uuid:key}/facts",
    response=StreamFactsOut,
    operation_id="usage_stream_facts",
    summary="Say what a stream holds.",
)
def get_facts(request: HttpRequest, key: UUID) -> Any:
    """Say what a stream holds: how far it goes, which events, and what is odd about them."""
    return facts_of(queries.stream(actor(request), key))


@router.post(
    "/usage/streams/{uuid:key}/metrics",
    response=UsageSourceOut,
    operation_id="usage_metrics_publish",
    summary="Publish a stream's governed metrics.",
)
def publish_metrics(request: HttpRequest, key: UUID) -> Any:
    """Publish active people by day, week and month, stickiness, and the health of accounts where it was computed."""
    return actions.publish_metrics(actor=actor(request), stream=queries.stream(actor(request), key))


@router.post(
    "/usage/streams/{uuid:key}/health",
    response=HealthJobOut,
    operation_id="usage_health_compute",
    summary="Compute the health of every account.",
)
def compute_health(request: HttpRequest, key: UUID) -> Any:
    """Compute the health of every account by week, in the background, and test it against who left."""
    return actions.ask_for_health(actor=actor(request), stream=queries.stream(actor(request), key))


@router.get(
    "/usage/streams/{uuid:key}/health",
    response=AccountHealthOut,
    operation_id="usage_health_get",
    summary="Say how healthy the accounts are.",
)
def get_health(request: HttpRequest, key: UUID) -> Any:
    """Say how healthy the accounts were when their health was last computed, and how well it foretold."""
    made = Made.objects.filter(stream=queries.stream(actor(request), key)).first()
    return made.outcome if made else {}


@router.post(
    "/usage/streams/{uuid:key}/influences",
    response=list[UsageInfluenceOut],
    operation_id="usage_influence_propose",
    summary="Draw and test influences of usage on revenue.",
)
def propose_influences(request: HttpRequest, key: UUID) -> Any:
    """Draw the influences of usage on revenue that the tree lacks, and test each on the data."""
    return actions.propose_influences(actor=actor(request), stream=queries.stream(actor(request), key))
