"""The API's root: who asks, one error shape, and a router from every context and every resource."""

from __future__ import annotations

import logging
import math
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled
from ninja.errors import ValidationError as NinjaValidationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.security.base import AuthBase

from potager import __version__
from potager.faces.api.calling import LOCAL_ACTOR
from potager.faces.api.documents import with_problems
from potager.faces.api.limits import RateLimit
from potager.ground.access.actors import NOBODY, Actor, actor_of, actor_of_token
from potager.ground.context import Context
from potager.ground.records.checks import as_invalid
from potager.kit.errors import FieldProblem, Invalid, NotFound, NotSignedIn, Problem, TooMany, Unavailable

log = logging.getLogger(__name__)


class Token(HttpBearer):
    """``Authorization: Bearer pot_…``."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Return the token's actor."""
        found = actor_of_token(token, via=request.headers.get("X-Potager-Face", "api")[:12])
        return None if found is NOBODY else found


class Session(APIKeyCookie):
    """The browser's session; writes need the CSRF token, as on pages."""

    param_name = "potager_session"

    def __init__(self) -> None:
        super().__init__(csrf=True)

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """Return the signed-in person's actor."""
        found = actor_of(request.user, via="api")
        return None if found is NOBODY else found


class SameMachine(AuthBase):
    """A command or an assistant in this very process, on the operator's machine (see ``calling``)."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Actor | None:
        """Return the actor that the process put into the request; no network request can."""
        found = request.META.get(LOCAL_ACTOR)
        return found if isinstance(found, Actor) else None


class Api(NinjaAPI):
    """The API, whose document names the problems every operation can answer with."""

    def get_openapi_schema(self, **options: Any) -> Any:
        """Return the OpenAPI document."""
        return with_problems(super().get_openapi_schema(**options))


api = Api(
    title="Potager",
    version=__version__,
    description="Everything a screen does is one of these calls. Errors are RFC 9457 problem documents.",
    auth=[SameMachine(), Token(), Session()],
    throttle=[RateLimit()],
    docs_url=None,
    urls_namespace="api",
)


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return a problem as the one error shape."""
    response = api.create_response(request, problem.document(request.path), status=problem.status)
    response["Content-Type"] = "application/problem+json"
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_response(request, problem)


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    mend = "Send an API token as 'Authorization: Bearer pot_…', or sign in."
    return problem_response(
        request, NotSignedIn("Nobody is signed in, or the token is not valid.", mend=mend)
    )


@api.exception_handler(NinjaValidationError)
def _invalid(request: HttpRequest, error: NinjaValidationError) -> HttpResponse:
    found = []
    for item in error.errors:
        where = ".".join(str(part) for part in item["loc"][1:] if part not in {"data", "payload"})
        found.append(FieldProblem(where, str(item["msg"])))
    sentence = "; ".join(f"{e.where}: {e.problem}" if e.where else e.problem for e in found)
    return problem_response(request, Invalid(f"The request cannot be read: {sentence}.", errors=found))


@api.exception_handler(ValidationError)
def _not_kept(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem_response(request, as_invalid(error, "This"))


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_response(request, NotFound("There is nothing at this address."))


@api.exception_handler(Throttled)
def _too_many(request: HttpRequest, error: Throttled) -> HttpResponse:
    wait = math.ceil(error.wait or 1)
    allowed = settings.POTAGER_API_RATE
    problem = TooMany(
        f"More than {allowed} requests in this minute.",
        mend=f"Go on in {wait} seconds; lists give more rows at once with 'limit'.",
    )
    response = problem_response(request, problem)
    response["Retry-After"] = str(wait)
    return response


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    problem = Invalid(f"The request cannot be read: {error}.")
    document = {**problem.document(request.path), "status": error.status_code}
    response = api.create_response(request, document, status=error.status_code)
    response["Content-Type"] = "application/problem+json"
    return response


@api.exception_handler(OperationalError)
def _database_busy(request: HttpRequest, error: OperationalError) -> HttpResponse:
    log.exception("The database did not answer")
    return problem_response(request, Unavailable("The database is busy.", mend="Try again in a moment."))


def _mount() -> None:
    from potager.faces.api.resources import resource_router
    from potager.ground.resources.resource import RESOURCES

    for config in apps.get_app_configs():
        if isinstance(config, Context) and find_spec(f"{config.name}.api") is not None:
            api.add_router("", import_module(f"{config.name}.api").router)
    for resource in RESOURCES.values():
        api.add_router("", resource_router(resource))


_mount()
