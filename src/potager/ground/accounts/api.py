"""People, teams, invitations and tokens over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from potager.ground.access.actors import Actor, all_permissions_of
from potager.ground.accounts import actions, queries
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor
from potager.ground.serving.schemas import PageOut, PagingIn, page

router = Router(tags=["accounts"])


class TeamRef(Schema):
    """A team, in short."""

    id: UUID
    name: str


class PersonOut(Schema):
    """A person of the organization. Roles: 10 viewer, 20 contributor, 30 maintainer, 40 owner."""

    id: UUID
    email: str
    name: str
    role: int
    is_active: bool
    time_zone: str
    teams: list[TeamRef]
    created_at: datetime

    @staticmethod
    def resolve_teams(person: Any) -> list[Any]:
        """Return the person's teams."""
        return list(person.teams.all())


class MeOut(Schema):
    """Who I am to this installation."""

    name: str
    kind: str
    role: int
    user_id: UUID | None
    permissions: list[str]


class TeamOut(TeamRef):
    """A team and its members."""

    purpose: str
    members: list[UUID]

    @staticmethod
    def resolve_members(team: Any) -> list[UUID]:
        """Return the members' keys."""
        return [member.pk for member in team.members.all()]


class TeamIn(Schema):
    """A team to be made or changed."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120)
    purpose: str = Field("", max_length=300)
    members: list[UUID] = []


class InvitationIn(Schema):
    """Somebody to be invited."""

    model_config = {"extra": "forbid"}
    email: str = Field(max_length=254)
    role: int = Field(10, description="10 viewer, 20 contributor, 30 maintainer, 40 owner.")
    team_id: UUID | None = None


class InvitationOut(Schema):
    """An invitation. ``secret`` is in the answer that makes it, and never again."""

    id: UUID
    email: str
    role: int
    created_at: datetime
    expires_at: datetime
    secret: str = ""


class RoleIn(Schema):
    """A role."""

    model_config = {"extra": "forbid"}
    role: int = Field(ge=10, le=40, multiple_of=10)


class TokenIn(Schema):
    """A token to be made."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120)
    scopes: list[str] = Field(["read"], description="read, write, or names of permissions.")
    days: int = Field(90, ge=1, le=365)


class TokenOut(Schema):
    """A token. ``secret`` is in the answer that makes it, and never again."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    secret: str = ""


def _me(who: Actor) -> dict[str, Any]:
    return {
        "name": who.name,
        "kind": who.kind,
        "role": who.role or 0,
        "user_id": who.user_id,
        "permissions": all_permissions_of(who),
    }


@router.get("/me", response=MeOut, operation_id="accounts_me_get", summary="Say who I am and what I may do.")
def me(request: HttpRequest) -> Any:
    """Say who I am and what I may do."""
    return _me(actor(request))


@router.get(
    "/people", response=PageOut[PersonOut], operation_id="accounts_person_list", summary="List people."
)
def list_people(request: HttpRequest, paging: PagingIn) -> Any:
    """List people."""
    return page(queries.people(actor(request)), paging, order="created_at")


@router.put(
    "/people/{uuid:key}/role",
    response=PersonOut,
    operation_id="accounts_person_role",
    summary="Change a role.",
)
def change_role(request: HttpRequest, key: UUID, payload: RoleIn) -> Any:
    """Give somebody another role."""
    who = actor(request)
    return actions.change_role(actor=who, person=found_in(queries.people(who), pk=key), role=payload.role)


@router.post(
    "/people/{uuid:key}/close",
    response=PersonOut,
    operation_id="accounts_person_close",
    summary="Close an account.",
)
def close_account(request: HttpRequest, key: UUID) -> Any:
    """Close somebody's account."""
    who = actor(request)
    return actions.close_account(actor=who, person=found_in(queries.people(who), pk=key))


@router.post(
    "/people/{uuid:key}/open",
    response=PersonOut,
    operation_id="accounts_person_open",
    summary="Open an account again.",
)
def open_account(request: HttpRequest, key: UUID) -> Any:
    """Open a closed account again."""
    who = actor(request)
    return actions.open_account(actor=who, person=found_in(queries.people(who), pk=key))


@router.get("/teams", response=PageOut[TeamOut], operation_id="accounts_team_list", summary="List teams.")
def list_teams(request: HttpRequest, paging: PagingIn) -> Any:
    """List teams."""
    return page(queries.teams(actor(request)), paging, order="name")


@router.post("/teams", response={201: TeamOut}, operation_id="accounts_team_create", summary="Make a team.")
def create_team(request: HttpRequest, payload: TeamIn) -> Any:
    """Make a team."""
    return Status(201, actions.keep_team(actor=actor(request), **payload.dict()))


@router.put(
    "/teams/{uuid:key}", response=TeamOut, operation_id="accounts_team_change", summary="Change a team."
)
def change_team(request: HttpRequest, key: UUID, payload: TeamIn) -> Any:
    """Change a team's name, purpose and members."""
    who = actor(request)
    return actions.keep_team(actor=who, team=found_in(queries.teams(who), pk=key), **payload.dict())


@router.get(
    "/invitations",
    response=PageOut[InvitationOut],
    operation_id="accounts_invitation_list",
    summary="List open invitations.",
)
def list_invitations(request: HttpRequest, paging: PagingIn) -> Any:
    """List open invitations."""
    return page(queries.invitations(actor(request)), paging)


@router.post(
    "/invitations",
    response={201: InvitationOut},
    operation_id="accounts_invitation_create",
    summary="Invite somebody.",
)
def create_invitation(request: HttpRequest, payload: InvitationIn) -> Any:
    """Invite somebody; the answer holds the secret for the address ``/welcome/SECRET``, once."""
    who = actor(request)
    team = found_in(queries.teams(who), pk=payload.team_id) if payload.team_id else None
    invitation, secret = actions.invite(actor=who, email=payload.email, role=payload.role, team=team)
    return Status(201, InvitationOut.from_orm(invitation).model_copy(update={"secret": secret}))


@router.delete(
    "/invitations/{uuid:key}",
    response=InvitationOut,
    operation_id="accounts_invitation_revoke",
    summary="Take an invitation back.",
)
def revoke_invitation(request: HttpRequest, key: UUID) -> Any:
    """Take an invitation back."""
    who = actor(request)
    return actions.revoke_invitation(actor=who, invitation=found_in(queries.invitations(who), pk=key))


@router.get(
    "/tokens", response=PageOut[TokenOut], operation_id="accounts_token_list", summary="List my tokens."
)
def list_tokens(request: HttpRequest, paging: PagingIn) -> Any:
    """List my tokens."""
    return page(queries.tokens(actor(request)), paging)


@router.post(
    "/tokens", response={201: TokenOut}, operation_id="accounts_token_create", summary="Make a token."
)
def create_token(request: HttpRequest, payload: TokenIn) -> Any:
    """Make a token for myself; the answer holds its secret, once."""
    token, secret = actions.make_token(actor=actor(request), **payload.dict())
    return Status(201, TokenOut.from_orm(token).model_copy(update={"secret": secret}))


@router.delete(
    "/tokens/{uuid:key}", response=TokenOut, operation_id="accounts_token_revoke", summary="Revoke a token."
)
def revoke_token(request: HttpRequest, key: UUID) -> Any:
    """Revoke one of my tokens."""
    who = actor(request)
    return actions.revoke_token(actor=who, token=found_in(queries.tokens(who), pk=key))
