"""Metrics, their values and their targets over HTTP."""

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
    label: str | None = Field(None, max_length=160)
    description: str | None = Field(None, max_length=20_000)
    level: Literal["strategic", "driver", "input", "operational"] | None = None
    purpose: Literal["outcome", "output", "guardrail", "health", "cost"] | None = None
    unit: str | None = Field(None, max_length=30)
    direction: Literal["up", "down", "range"] | None = None
    grain: GrainName | None = None
    owner_role: str | None = Field(None, max_length=120)
    freshness_days: int | None = Field(None, ge=0, le=3650)
    maturity: Literal["draft", "validated", "certified", "degraded", "retired"] | None = None
    pitfalls: str | None = Field(None, max_length=20_000)
    benchmark: dict[str, Any] | None = None
    synonyms: list[str] | None = None


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


class PeriodIn(Schema):
    """Which period."""

    period: str = Field(max_length=60, description="2011-11, 2011-Q4, 2011-12-01..2011-12-09.")


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
def get_value(request: HttpRequest, name: str, asked: Query[PeriodIn]) -> Any:
    """Read a metric over one period."""
    found = queries.metric(actor(request), name)
    value, ran = reading.value(found, parse_period(asked.period))
    through = reading.freshness(found).data_through
    return {
        "metric": name,
        "period": asked.period,
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
