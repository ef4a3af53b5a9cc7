"""Analyses: readings that were kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema, Status

from potager.ground.acting.action import expecting
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.usage import actions, queries
from potager.insight.usage.api.shapes import ReadingOut, outcome_out

router = Router(tags=["usage"])


class AnalysisIn(Schema):
    """A reading to be kept under a name."""

    model_config = {"extra": "forbid"}
    stream_id: UUID
    name: str = Field(max_length=160)
    reading: str = Field(max_length=20, description="The kind of reading, such as funnel.")
    parameters: dict[str, Any] = Field({}, description="As the reading's own operation takes them.")
    note: str = ""


class AnalysisChange(Schema):
    """What is to be changed about an analysis."""

    model_config = {"extra": "forbid"}
    name: str | None = Field(None, max_length=160)
    parameters: dict[str, Any] | None = None
    note: str | None = None


class AnalysisOut(RecordOut):
    """A reading that was kept."""

    stream_id: UUID
    name: str
    reading: str
    parameters: dict[str, Any]
    note: str


@router.get(
    "/usage/analyses",
    response=PageOut[AnalysisOut],
    operation_id="usage_analysis_list",
    summary="List analyses.",
)
def list_analyses(request: HttpRequest, paging: PagingIn) -> Any:
    """List the analyses that were kept."""
    return page(queries.analyses(actor(request)), paging)


@router.post(
    "/usage/analyses",
    response={201: AnalysisOut},
    operation_id="usage_analysis_keep",
    summary="Keep a reading under a name.",
)
def keep_analysis(request: HttpRequest, response: HttpResponse, payload: AnalysisIn) -> Any:
    """Keep a reading under a name: it runs again whenever it is looked at."""
    given = payload.dict()
    stream = queries.stream(actor(request), given.pop("stream_id"))
    return Status(201, tagged(response, actions.keep_analysis(actor=actor(request), stream=stream, **given)))


@router.get(
    "/usage/analyses/{uuid:key}",
    response=AnalysisOut,
    operation_id="usage_analysis_get",
    summary="Read one analysis.",
)
def get_analysis(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read what an analysis reads."""
    return tagged(response, queries.analysis(actor(request), key))


@router.patch(
    "/usage/analyses/{uuid:key}",
    response=AnalysisOut,
    operation_id="usage_analysis_change",
    summary="Change an analysis.",
)
def change_analysis(request: HttpRequest, response: HttpResponse, key: UUID, payload: AnalysisChange) -> Any:
    """Change an analysis: its name, its note, its parameters."""
    values = {name: value for name, value in payload.dict(exclude_unset=True).items() if value is not None}
    with expecting(expected_version(request)):
        found = queries.analysis(actor(request), key)
        return tagged(response, actions.change_analysis(actor=actor(request), analysis=found, values=values))


@router.delete(
    "/usage/analyses/{uuid:key}",
    response=AnalysisOut,
    operation_id="usage_analysis_archive",
    summary="Put an analysis away.",
)
def archive_analysis(request: HttpRequest, key: UUID) -> Any:
    """Put an analysis away."""
    return actions.archive_analysis(actor=actor(request), analysis=queries.analysis(actor(request), key))


@router.get(
    "/usage/analyses/{uuid:key}/run",
    response=ReadingOut,
    operation_id="usage_analysis_run",
    summary="Run an analysis.",
)
def run_analysis(request: HttpRequest, key: UUID) -> Any:
    """Run an analysis on the data as it is now."""
    found = queries.analysis(actor(request), key)
    reading, parameters = queries.read_of(found)
    return outcome_out(reading.answer(found.stream, parameters))
