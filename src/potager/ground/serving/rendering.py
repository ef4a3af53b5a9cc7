"""What pages share: who is signed in, rendering, problems on forms, and where a page stands in the house."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render as render_template

from potager.ground.serving.requests import actor
from potager.kit.errors import Invalid, Problem

P = ParamSpec("P")
V = TypeVar("V", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True)
class NavItem:
    """A door in the rail: its title, the URL name behind it, an icon, and the permission to see it."""

    title: str
    url_name: str
    icon: str
    permission: str
    pillar: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something the palette offers: what it does, the URL name it opens, and the permission to do it."""

    title: str
    url_name: str
    permission: str
    hint: str = ""


def signed_in(
    view: Callable[Concatenate[HttpRequest, P], V],
) -> Callable[Concatenate[HttpRequest, P], V | HttpResponseRedirect]:
    """Send those who are not signed in to the sign-in page, and back here afterwards."""

    @functools.wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> V | HttpResponseRedirect:
        if actor(request).role is None:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return page


def render(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page with the actor at hand; ``crumbs`` is a list of ``(title, url)``."""
    return render_template(request, template, {"actor": actor(request), **(context or {})}, status=status)


def problems_on(form: BaseForm, problem: Problem) -> None:
    """Put a problem's sentences where they belong on a form: at their field, or at the top."""
    placed = False
    for error in problem.errors:
        if error.where in form.fields:
            form.add_error(error.where, f"{error.problem} {error.mend}".strip())
            placed = True
    if not placed or not isinstance(problem, Invalid):
        form.add_error(None, f"{problem.detail} {problem.mend}".strip())


def crumbs(*trail: tuple[str, str]) -> Sequence[dict[str, str]]:
    """Return the trail to a page, for the line at its top."""
    return [{"title": title, "url": url} for title, url in trail]
