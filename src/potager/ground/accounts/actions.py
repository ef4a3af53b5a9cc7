"""Set-up, invitations, roles, teams, profile and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from potager.ground.access.actors import Actor, machine
from potager.ground.access.models import ApiToken, Team, User, digest_of, new_token
from potager.ground.access.roles import Role, all_permissions
from potager.ground.accounts.models import Installation, Invitation
from potager.ground.acting.action import action
from potager.kit.clock import now
from potager.kit.errors import Conflict, FieldProblem, Invalid, NotAllowed, NotFound

INVITATION_DAYS = 7
LONGEST_TOKEN_DAYS = 365


def _invalid(where: str, problem: str, mend: str = "") -> Invalid:
    return Invalid(problem, mend=mend, errors=[FieldProblem(where, problem, mend)])


def _new_person(*, email: str, name: str, password: str, role: Role) -> User:
    try:
        validate_email(email)
    except ValidationError:
        raise _invalid("email", f"'{email}' is not an e-mail address.") from None
    if User.objects.filter(email__iexact=email).exists():
        raise _invalid("email", f"{email} has an account already.", "Sign in, or use another address.")
    if not name.strip():
        raise _invalid("name", "The name is empty.", "Say how others should call you.")
    _check_password(password, User(email=email, name=name))
    return User.objects.create_user(email, password, name=name.strip()[:120], role=role)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise _invalid(
            "password", " ".join(error.messages), "Use a longer phrase that is not a common one."
        ) from None


def set_up(*, email: str, name: str, password: str) -> User:
    """Make the first owner; refused once anybody is there."""
    return _set_up(actor=machine("First run", via="web"), email=email, name=name, password=password)


@action("accounts.manage")
def _set_up(*, actor: Actor, email: str, name: str, password: str) -> User:
    if User.objects.exists():
        raise Conflict(
            "This installation has an owner already.", mend="Sign in, or ask the owner for an invitation."
        )
    return _new_person(email=email, name=name, password=password, role=Role.OWNER)


@action("accounts.manage")
def describe_installation(*, actor: Actor, organization: str, notice: str = "") -> Installation:
    """Say whose installation this is, and what every page says of it."""
    made, _ = Installation.objects.update_or_create(
        pk=1, defaults={"organization": organization[:120], "notice": notice[:300]}
    )
    return made


@action("accounts.invite")
def invite(
    *, actor: Actor, email: str, role: int = Role.VIEWER, team: Team | None = None
) -> tuple[Invitation, str]:
    """Invite somebody by e-mail; returns the invitation and its secret, which is shown once."""
    try:
        validate_email(email)
        wanted = Role(role)
    except (ValidationError, ValueError):
        raise _invalid("email", f"'{email}' is not an e-mail address, or {role} not a role.") from None
    if actor.role is None or wanted > actor.role:
        raise NotAllowed(f"Nobody can invite others to a higher role than their own ({wanted.title}).")
    if User.objects.filter(email__iexact=email).exists():
        raise _invalid("email", f"{email} has an account already.", "Change their role instead.")
    secret, digest = new_token()
    Invitation.objects.filter(email__iexact=email, accepted_at=None, revoked_at=None).update(revoked_at=now())
    expires = now() + timedelta(days=INVITATION_DAYS)
    invitation = Invitation.objects.create(
        email=email, role=wanted, team=team, digest=digest, invited_by_id=actor.user_id, expires_at=expires
    )
    return invitation, secret


@action("accounts.invite")
def revoke_invitation(*, actor: Actor, invitation: Invitation) -> Invitation:
    """Take an invitation back."""
    invitation.revoked_at = now()
    invitation.save(update_fields=["revoked_at"])
    return invitation


def open_invitation(secret: str) -> Invitation:
    """Return the open invitation behind a secret."""
    found = Invitation.objects.select_related("team").filter(digest=digest_of(secret)).first()
    if found is None or not found.open:
        mend = "Ask for a new one."
        raise NotFound("This invitation was used, taken back, or has expired.", mend=mend)
    return found


def accept_invitation(*, secret: str, name: str, password: str) -> User:
    """Become a person of the organization, by invitation."""
    who = machine("An invitation", via="web")
    return _accept(actor=who, secret=secret, name=name, password=password)


@action("accounts.invite")
def _accept(*, actor: Actor, secret: str, name: str, password: str) -> User:
    invitation = open_invitation(secret)
    person = _new_person(email=invitation.email, name=name, password=password, role=Role(invitation.role))
    if invitation.team is not None:
        person.teams.add(invitation.team)
    invitation.accepted_at = now()
    invitation.save(update_fields=["accepted_at"])
    return person


@action("accounts.manage")
def change_role(*, actor: Actor, person: User, role: int) -> User:
    """Give somebody another role; the last owner stays one."""
    _keep_an_owner(person, losing=role < Role.OWNER)
    person.role = Role(role)
    person.save(update_fields=["role"])
    return person


@action("accounts.manage")
def close_account(*, actor: Actor, person: User) -> User:
    """Close somebody's account: no more sign-in, all tokens revoked; what they wrote stays."""
    _keep_an_owner(person, losing=True)
    person.is_active = False
    person.save(update_fields=["is_active"])
    person.tokens.filter(revoked_at=None).update(revoked_at=now())
    return person


@action("accounts.manage")
def open_account(*, actor: Actor, person: User) -> User:
    """Open a closed account again."""
    person.is_active = True
    person.save(update_fields=["is_active"])
    return person


def _keep_an_owner(person: User, *, losing: bool) -> None:
    others = User.objects.select_for_update().filter(role=Role.OWNER, is_active=True).exclude(pk=person.pk)
    if losing and person.role == Role.OWNER and not others.exists():
        raise Conflict("Somebody has to own this installation.", mend="Make another person owner first.")


@action("accounts.teams")
def keep_team(
    *, actor: Actor, name: str, purpose: str = "", members: Sequence[UUID] = (), team: Team | None = None
) -> Team:
    """Make a team, or change its name, purpose and members."""
    team = team or Team()
    if not name.strip():
        raise _invalid("name", "The team has no name.")
    if Team.objects.filter(name__iexact=name.strip()).exclude(pk=team.pk).exists():
        raise _invalid("name", f"There is a team called {name} already.")
    team.name, team.purpose = name.strip()[:120], purpose[:300]
    team.save()
    team.members.set(User.objects.filter(pk__in=members))
    return team


@action("accounts.profile")
def change_profile(*, actor: Actor, name: str, time_zone: str) -> User:
    """Change one's own name and time zone."""
    if time_zone not in available_timezones():
        raise _invalid(
            "time_zone", f"There is no time zone {time_zone}.", "Use a name such as Europe/Berlin."
        )
    person = _self(actor)
    person.name, person.time_zone = name.strip()[:120], ZoneInfo(time_zone).key
    person.save(update_fields=["name", "time_zone"])
    return person


@action("accounts.profile")
def make_token(*, actor: Actor, name: str, scopes: Sequence[str], days: int = 90) -> tuple[ApiToken, str]:
    """Make an API token for oneself; returns it and its secret, which is shown once."""
    person = _self(actor)
    known = {"read", "write", *(permission.name for permission in all_permissions())}
    unknown = sorted(set(scopes) - known)
    if unknown or not scopes:
        problem = f"Unknown scopes: {', '.join(unknown)}." if unknown else "A token needs at least one scope."
        raise _invalid("scopes", problem, "Use read, write, or names of permissions.")
    if actor.scopes is not None and "write" not in actor.scopes and not set(scopes) <= actor.scopes:
        raise NotAllowed(
            "A token cannot make one that may do more.", mend="Sign in and make it on your profile page."
        )
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise _invalid("days", f"A token lives between 1 and {LONGEST_TOKEN_DAYS} days.")
    if not name.strip():
        raise _invalid("name", "The token has no name.", "Say what will use it.")
    secret, digest = new_token()
    expires = now() + timedelta(days=days)
    token = ApiToken.objects.create(
        user=person, name=name.strip()[:120], digest=digest, scopes=sorted(set(scopes)), expires_at=expires
    )
    return token, secret


@action("accounts.profile")
def revoke_token(*, actor: Actor, token: ApiToken) -> ApiToken:
    """Revoke a token: one's own, or anybody's as an owner."""
    if token.user_id != actor.user_id and (actor.role or 0) < Role.OWNER:
        raise NotFound("There is no such token.")
    token.revoked_at = now()
    token.save(update_fields=["revoked_at"])
    return token


def _self(actor: Actor) -> User:
    if actor.user_id is None:
        raise NotAllowed("This is done by people for themselves.")
    return User.objects.get(pk=actor.user_id)
