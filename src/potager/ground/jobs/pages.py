"""The page of background work."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from potager.ground.jobs import actions, queries
from potager.ground.jobs.models import Job, State
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import NavItem, render, signed_in
from potager.ground.serving.requests import actor
from potager.kit.clock import now
from potager.kit.paging import page_of

nav = (NavItem("Jobs", "jobs", "jobs", "jobs.read"),)


def shape(job: Job) -> dict[str, Any]:
    """Return a job as ``ui/job.html`` draws it."""
    left = ""
    if job.state == State.RUNNING and job.share and job.started_at:
        seconds = (now() - job.started_at).total_seconds() / job.share * (1 - job.share)
        left = f"about {max(1, round(seconds))} s" if seconds < 90 else f"about {round(seconds / 60)} min"
    open_ended = job.state in {State.WAITING, State.RUNNING}
    stopping = job.cancel_requested_at is not None and open_ended
    return {
        "id": job.pk,
        "title": job.name,
        "url": reverse("job", args=[job.pk]),
        "running": open_ended,
        "done": job.share,
        "doing": job.doing,
        "state": "Stopping" if stopping else job.get_state_display(),
        "failed": job.state == State.FAILED,
        "finished": job.state == State.DONE,
        "owner": str(job.owner or "Potager"),
        "started": job.started_at,
        "left": left,
        "note": " ".join(str(job.problem.get(part, "")) for part in ("detail", "mend")).strip(),
        "cancel_url": reverse("job-cancel", args=[job.pk]) if open_ended and not stopping else "",
        "retry_url": reverse("job-retry", args=[job.pk])
        if job.state in {State.FAILED, State.CANCELED}
        else "",
        "poll_url": reverse("job-part", args=[job.pk]) if open_ended else "",
    }


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show background work, newest first."""
    found = page_of(queries.jobs(actor(request)), cursor=request.GET.get("cursor", ""), limit=30)
    shown = {
        "page_title": "Jobs",
        "page_about": "What is being done in the background, and what was.",
        "jobs": [shape(job) for job in found.items],
        "found": found,
    }
    return render(request, "jobs/list.html", shown)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one job."""
    job = found_in(queries.jobs(actor(request)), pk=key)
    crumbs = [{"title": "Jobs", "url": reverse("jobs")}]
    shown = {"page_title": job.name, "crumbs": crumbs, "job": shape(job), "record": job}
    return render(request, "jobs/job.html", shown)


@signed_in
def part(request: HttpRequest, key: UUID) -> HttpResponse:
    """Answer the polling of one job."""
    return render(request, "ui/job.html", {"job": shape(found_in(queries.jobs(actor(request)), pk=key))})


@signed_in
def cancel(request: HttpRequest, key: UUID) -> HttpResponse:
    """Cancel a job."""
    if request.method == "POST":
        who = actor(request)
        actions.cancel(actor=who, job=found_in(queries.jobs(who), pk=key))
    return redirect("jobs")


@signed_in
def retry(request: HttpRequest, key: UUID) -> HttpResponse:
    """Retry a job."""
    if request.method == "POST":
        who = actor(request)
        actions.retry(actor=who, job=found_in(queries.jobs(who), pk=key))
    return redirect("jobs")


urlpatterns = [
    path("jobs/", listing, name="jobs"),
    path("jobs/<uuid:key>", one, name="job"),
    path("jobs/<uuid:key>/part", part, name="job-part"),
    path("jobs/<uuid:key>/cancel", cancel, name="job-cancel"),
    path("jobs/<uuid:key>/retry", retry, name="job-retry"),
]
