"""Metrics, their values and their definitions over HTTP. The tree and explanations: ``api_tree``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.metrics import actions, compiling, queries, reading
from potager.insight.metrics.periods import parse_period
from potager.insight.metrics.semantics import MetricQuery

router = Router(tags=["metrics"])
GrainName = Literal["day", "week", "month", "quarter", "year"]


class MetricOut(RecordOut):
    """A governed metric."""

    name: str
    label: str
    description: str
    definition_type: str
    definition_digest: str
    defined_at: datetime
    source_id: UUID | None
    level: str
    purpose: str
    unit: str
    direction: str
    grain: str
    owner_role: str
    freshness_days: int | None
    maturity: str
    pitfalls: str
    benchmark: dict[str, Any]
    synonyms: list[str]


class Governance(Schema):
    """What surrounds a metric."""

    model_config = {"extra": "forbid"}
    label: str = Field(None, max_length=160)
    description: str = Field(None, max_length=20_000)
    level: Literal["strategic", "driver", "input", "operational"] = None  # type: ignore[assignment]
    purpose: Literal["outcome", "output", "guardrail", "health", "cost"] = None  # type: ignore[assignment]
    unit: str = Field(None, max_length=30)
    direction: Literal["up", "down", "range"] = None  # type: ignore[assignment]
    grain: GrainName = None  # type: ignore[assignment]
    owner_role: str = Field(None, max_length=120)
    freshness_days: int = Field(None, ge=0, le=3650)
    maturity: Literal["draft", "validated", "certified", "degraded", "retired"] = None  # type: ignore[assignment]
    pitfalls: str = Field(None, max_length=20_000)
    benchmark: dict[str, Any] = None  # type: ignore[assignment]
    synonyms: list[str] = None  # type: ignore[assignment]


class MetricSearch(Schema):
    """Which metrics."""

    search: str = Field("", max_length=200)
    level: Literal["", "strategic", "driver", "input", "operational"] = ""


class SeriesIn(Schema):
    """Which values."""

    grain: GrainName = "month"
    start: date | None = None
    end: date | None = None
    by: list[str] = Field([], description="Dimensions to split by.", max_length=4)
    where: list[str] = Field([], description="Conditions such as country=Germany.", max_length=10)
    limit: int = Field(1000, ge=1, le=100_000)


class ValuesOut(Schema):
    """Values, with the SQL that ran and the snapshots it read."""

    columns: list[str]
    rows: list[list[Any]]
    sql: str
    snapshots: dict[str, str]
    engine: str
    seconds: float
    definition_hash: str
    notes: list[str]


class ValueOut(Schema):
    """One value: null where there is none."""

    metric: str
    period: str
    value: float | None
    unit: str
    data_through: datetime | None
    sql: str
    snapshots: dict[str, str]


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


class FindingOut(Schema):
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


class DimensionOut(Schema):
    """What a metric can be split and filtered by."""

    name: str
    short: str
    kind: str
    label: str
    description: str


class TargetOut(RecordOut):
    """A target: a value for a period, and the range that would do."""

    value: float
    low: float | None
    high: float | None
    start: date
    end: date
    note: str


class TargetIn(Schema):
    """A target to be set."""

    model_config = {"extra": "forbid"}
    value: float
    low: float | None = None
    high: float | None = None
    period: str = Field(max_length=60, description="2011-11, 2011-Q4, 2011, or two days with .. between.")
    note: str = Field("", max_length=300)


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
    "/metrics", response=PageOut[MetricOut], operation_id="metrics_metric_list", summary="List metrics."
)
def list_metrics(request: HttpRequest, paging: PagingIn, sought: Query[MetricSearch]) -> Any:
    """List the governed metrics."""
    return page(queries.metrics(actor(request), **sought.dict()), paging, order="name")


@router.get(
    "/metrics/{name}", response=MetricOut, operation_id="metrics_metric_get", summary="Read one metric."
)
def get_metric(request: HttpRequest, response: HttpResponse, name: str) -> Any:
    """Read one metric."""
    return tagged(response, queries.metric(actor(request), name))


@router.patch(
    "/metrics/{name}",
    response=MetricOut,
    operation_id="metrics_metric_govern",
    summary="Say what surrounds a metric.",
)
def govern_metric(request: HttpRequest, response: HttpResponse, name: str, payload: Governance) -> Any:
    """Say what surrounds a metric: level, owner, unit, direction, freshness promise, pitfalls."""
    who = actor(request)
    with expecting(expected_version(request)):
        found = queries.metric(who, name)
        return tagged(
            response, actions.govern(actor=who, metric=found, values=payload.dict(exclude_unset=True))
        )


@router.get(
    "/metrics/{name}/value",
    response=ValueOut,
    operation_id="metrics_value_get",
    summary="Read a metric in a period.",
)
def get_value(request: HttpRequest, name: str, period: str = Query(..., max_length=60)) -> Any:
    """Read a metric over one period."""
    found = queries.metric(actor(request), name)
    value, ran = reading.value(found, parse_period(period))
    through = reading.freshness(found).data_through
    return {
        "metric": name,
        "period": period,
        "value": None if value != value else value,
        "unit": found.unit,
        "data_through": through,
        "sql": ran.sql,
        "snapshots": dict(ran.snapshots),
    }


@router.get(
    "/metrics/{name}/series",
    response=ValuesOut,
    operation_id="metrics_series_get",
    summary="Read a metric over time.",
)
def get_series(request: HttpRequest, name: str, asked: Query[SeriesIn]) -> Any:
    """Read a metric by period, split and filtered by dimensions."""
    found = queries.metric(actor(request), name)
    query = MetricQuery(
        metrics=(name,),
        group_by=tuple(asked.by),
        grain=asked.grain,
        start=asked.start,
        end=asked.end,
        where=queries.conditions(asked.where),
        limit=asked.limit,
    )
    result = reading.ask(found, query)
    columns = result.table.column_names
    return {
        "columns": columns,
        "rows": [[_plain(row[column]) for column in columns] for row in result.table.to_pylist()],
        "sql": result.sql,
        "snapshots": dict(result.snapshots),
        "engine": result.engine,
        "seconds": result.seconds,
        "definition_hash": result.definition_hash,
        "notes": list(result.notes),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


@router.get(
    "/metrics/{name}/dimensions",
    response=list[DimensionOut],
    operation_id="metrics_dimension_list",
    summary="List what a metric can be split by.",
)
def list_dimensions(request: HttpRequest, name: str) -> Any:
    """List what a metric can be split and filtered by."""
    found = queries.metric(actor(request), name)
    return compiling.layer_of(found).dimensions(name)


@router.get(
    "/metrics/{name}/targets",
    response=PageOut[TargetOut],
    operation_id="metrics_target_list",
    summary="List a metric's targets.",
)
def list_targets(request: HttpRequest, name: str, paging: PagingIn) -> Any:
    """List a metric's targets."""
    who = actor(request)
    return page(queries.targets(who, queries.metric(who, name)), paging, order="-end")


@router.post(
    "/metrics/{name}/targets",
    response={201: TargetOut},
    operation_id="metrics_target_set",
    summary="Set a target.",
)
def set_target(request: HttpRequest, name: str, payload: TargetIn) -> Any:
    """Set a metric's target for a period; one for the same period takes its place."""
    who, given = actor(request), payload.dict()
    period = parse_period(given.pop("period"))
    found = queries.metric(who, name)
    made = actions.set_target(actor=who, metric=found, start=period.start, end=period.end, **given)
    return Status(201, made)


@router.delete(
    "/metrics/{name}/targets/{uuid:key}",
    response=TargetOut,
    operation_id="metrics_target_drop",
    summary="Take a target away.",
)
def drop_target(request: HttpRequest, name: str, key: UUID) -> Any:
    """Take a target away."""
    who = actor(request)
    target = found_in(queries.targets(who, queries.metric(who, name)), pk=key)
    return actions.drop_target(actor=who, target=target)


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
    "/definitions/check",
    response=list[FindingOut],
    operation_id="metrics_source_check",
    summary="Check a definition document without publishing it.",
)
def check_source(request: HttpRequest, payload: SourceIn) -> Any:
    """Return everything wrong or doubtful in a definition document, with lines."""
    from potager.ground.access.actors import require

    require(actor(request), "metrics.edit")
    return compiling.check(payload.namespace, payload.name, payload.text)


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
