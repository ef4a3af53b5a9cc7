"""Set-up, welcome, people and one's own settings."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from potager.ground.access.actors import may
from potager.ground.access.models import User
from potager.ground.access.roles import Role
from potager.ground.accounts import actions, queries
from potager.ground.accounts.forms import Invite, NewPerson, Owner, Profile, Token
from potager.ground.records.queries import found_in
from potager.ground.serving.rendering import Command, NavItem, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.kit.errors import NotFound, Problem

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
DOOR_SECONDS = 600
nav = (NavItem("People", "people", "person", "access.read"),)
commands = (
    Command("Invite somebody", "people", "accounts.invite"),
    Command("Make an API token", "account_settings", "accounts.profile"),
)


@never_cache
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first owner and sign them in."""
    if User.objects.exists():
        return redirect("home")
    form = Owner(request.POST or None)
    if form.is_valid():
        try:
            owner = actions.set_up(**form.cleaned_data)
        except Problem as problem:
            problems_on(form, problem)
        else:
            login(request, owner, backend=BACKEND)
            return redirect("home")
    title = "Set up Potager"
    shown = {"page_title": title, "form": form, "submit": "Make me the owner"}
    return render(request, "accounts/come_in.html", shown, status=422 if form.errors else 200)


@never_cache
def welcome(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation."""
    invitation = actions.open_invitation(secret)
    form = NewPerson(request.POST or None)
    if form.is_valid():
        try:
            person = actions.accept_invitation(secret=secret, **form.cleaned_data)
        except Problem as problem:
            problems_on(form, problem)
        else:
            login(request, person, backend=BACKEND)
            return redirect("home")
    title = f"Welcome, {invitation.email}"
    shown = {"page_title": title, "form": form, "submit": "Come in"}
    return render(request, "accounts/come_in.html", shown, status=422 if form.errors else 200)


def door_of(person: User) -> str:
    """Return the path that signs a person in on the operator's own machine, for ten minutes."""
    return reverse("door", args=[TimestampSigner(salt="door").sign(str(person.pk))])


@never_cache
def door(request: HttpRequest, signed: str) -> HttpResponse:
    """Sign somebody in who was given this address by a command on the operator's machine."""
    try:
        key = TimestampSigner(salt="door").unsign(signed, max_age=DOOR_SECONDS)
    except BadSignature:
        raise NotFound("This address has expired.", mend="Sign in, or run the command again.") from None
    person = User.objects.filter(pk=key, is_active=True).first()
    if person is None:
        raise NotFound("This person has no account any more.")
    login(request, person, backend=BACKEND)
    onward = request.GET.get("next", "/")
    return redirect(onward if url_has_allowed_host_and_scheme(onward, None) else "/")


@signed_in
def people(request: HttpRequest) -> HttpResponse:
    """Show everybody; invite, change roles, close accounts."""
    who = actor(request)
    form = Invite(request.POST if request.method == "POST" else None)
    address = ""
    if form.is_valid():
        try:
            _, secret = actions.invite(actor=who, **form.cleaned_data)
        except Problem as problem:
            problems_on(form, problem)
        else:
            address = request.build_absolute_uri(reverse("welcome", args=[secret]))
            form = Invite()
    shown = {
        "page_title": "People",
        "people": queries.people(who),
        "teams": queries.teams(who),
        "invitations": queries.invitations(who) if may(who, "accounts.invite") else [],
        "form": form if may(who, "accounts.invite") else None,
        "address": address,
        "manages": may(who, "accounts.manage"),
        "roles": Role.choices(),
    }
    return render(request, "accounts/people.html", shown, status=422 if form.errors else 200)


@signed_in
def person(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change somebody's role, or close or open their account."""
    who = actor(request)
    found = found_in(queries.people(who), pk=key)
    if request.method == "POST":
        if "role" in request.POST:
            actions.change_role(actor=who, person=found, role=int(request.POST["role"]))
        elif "close" in request.POST:
            actions.close_account(actor=who, person=found)
        elif "open" in request.POST:
            actions.open_account(actor=who, person=found)
        messages.success(request, f"{found} was changed.")
    return redirect("people")


@signed_in
def invitation(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take an invitation back."""
    who = actor(request)
    if request.method == "POST":
        found = found_in(queries.invitations(who), pk=key)
        actions.revoke_invitation(actor=who, invitation=found)
        messages.success(request, f"The invitation of {found.email} was taken back.")
    return redirect("people")


@signed_in
def settings(request: HttpRequest) -> HttpResponse:
    """Change one's own name and time zone; make and revoke tokens."""
    who, secret = actor(request), ""
    posted = request.POST if request.method == "POST" else None
    known = {"name": request.user.name, "time_zone": request.user.time_zone}  # type: ignore[union-attr]
    profile = Profile(posted if posted and "time_zone" in posted else None, initial=known)
    token = Token(posted if posted and "scope" in posted else None)
    try:
        if profile.is_valid():
            actions.change_profile(actor=who, **profile.cleaned_data)
            messages.success(request, "Your settings were kept.")
            return redirect("account_settings")
        if token.is_valid():
            given = token.cleaned_data
            _, secret = actions.make_token(
                actor=who, name=given["name"], scopes=[given["scope"]], days=given["days"]
            )
            token = Token()
    except Problem as problem:
        problems_on(token if token.is_bound else profile, problem)
    shown = {
        "page_title": "Your settings",
        "profile": profile,
        "token_form": token,
        "tokens": queries.tokens(who),
        "secret": secret,
    }
    return render(
        request, "accounts/settings.html", shown, status=422 if profile.errors or token.errors else 200
    )


@signed_in
def token(request: HttpRequest, key: UUID) -> HttpResponse:
    """Revoke one of one's own tokens."""
    who = actor(request)
    if request.method == "POST":
        found = actions.revoke_token(actor=who, token=found_in(queries.tokens(who), pk=key))
        messages.success(request, f"The token “{found.name}” opens nothing any more.")
    return redirect("account_settings")


urlpatterns = [
    path("setup", setup, name="setup"),
    path("welcome/<str:secret>", welcome, name="welcome"),
    path("door/<str:signed>", door, name="door"),
    path("people/", people, name="people"),
    path("people/<uuid:key>", person, name="person"),
    path("people/invitations/<uuid:key>", invitation, name="invitation"),
    path("settings/", settings, name="account_settings"),
    path("settings/tokens/<uuid:key>", token, name="token"),
]
