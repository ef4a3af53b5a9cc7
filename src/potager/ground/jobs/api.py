"""Background work over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router

from potager.ground.jobs import actions, queries
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page

router = Router(tags=["jobs"])


class JobOut(RecordOut):
    """One piece of background work."""

    job_kind: str
    name: str
    state: str
    doing: str
    done: int
    total: int | None
    unit: str
    result: dict[str, Any]
    problem: dict[str, Any]
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None


@router.get("/jobs", response=PageOut[JobOut], operation_id="jobs_job_list", summary="List background work.")
def list_jobs(
    request: HttpRequest,
    paging: PagingIn,
    state: Literal["", "waiting", "running", "done", "failed", "canceled"] = "",
) -> Any:
    """List background work, newest first."""
    return page(queries.jobs(actor(request), state=state), paging)


@router.get("/jobs/{uuid:key}", response=JobOut, operation_id="jobs_job_get", summary="Read one job.")
def get_job(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one job and how far it is."""
    return tagged(response, found_in(queries.jobs(actor(request)), pk=key))


@router.post(
    "/jobs/{uuid:key}/cancel", response=JobOut, operation_id="jobs_job_cancel", summary="Cancel a job."
)
def cancel_job(request: HttpRequest, key: UUID) -> Any:
    """Cancel a job."""
    who = actor(request)
    return actions.cancel(actor=who, job=found_in(queries.jobs(who), pk=key))


@router.post("/jobs/{uuid:key}/retry", response=JobOut, operation_id="jobs_job_retry", summary="Retry a job.")
def retry_job(request: HttpRequest, key: UUID) -> Any:
    """Retry a job that failed or was canceled."""
    who = actor(request)
    return actions.retry(actor=who, job=found_in(queries.jobs(who), pk=key))
