"""Problems as pages: the same sentence and mend as the API's, in the shell."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from potager.faces.api.root import problem_response
from potager.ground.serving.rendering import render
from potager.ground.serving.requests import actor
from potager.kit.errors import NotAllowed, NotFound, Problem


class BadRequest(Problem):
    """The request itself cannot be read."""

    status, type, title = 400, "bad-request", "The request cannot be read"


class Broken(Problem):
    """Something is broken here."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "broken"
    title: ClassVar[str] = "Something is broken on this side"


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page of a problem; programs, which ask under ``/api/``, get its document."""
    if request.path.startswith("/api/"):
        return problem_response(request, problem)
    layout = "plain.html" if actor(request).role is None else "shell.html"
    context = {"layout": layout, "problem": problem, "page_title": problem.title}
    return render(request, "problem.html", context, status=problem.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return problem_page(
        request, BadRequest("The browser sent something that cannot be read.", mend="Go back, try again.")
    )


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    detail = "The form is too old, or you may not do this."
    return problem_page(request, NotAllowed(detail, mend="Load the page again and repeat what you did."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return problem_page(
        request, NotFound("There is no page at this address.", mend="Start from home, or search.")
    )


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500 without touching the database, which may be what is broken."""
    if request.path.startswith("/api/"):
        return problem_response(
            request, Broken("The server failed.", mend="Tell the operator; its log says more.")
        )
    return HttpResponse(render_to_string("500.html"), status=500)
