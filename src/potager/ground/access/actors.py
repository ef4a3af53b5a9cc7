"""The actor: whoever does something, with what they may do. Every read and write starts from one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from potager.ground.access.models import ApiToken, Grant, User, digest_of
from potager.ground.access.roles import Role, all_permissions, permission
from potager.kit.clock import now
from potager.kit.errors import NotAllowed, NotSignedIn

if TYPE_CHECKING:
    from potager.ground.records.models import Record

Kind = Literal["person", "token", "machine", "nobody"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as of the moment the request came in.

    ``scopes`` is ``None`` for a person on a page (all their role allows); a token holds ``read``, ``write`` or
    permission names. ``via`` says through which face they came, for the audit.
    """

    name: str
    role: Role | None
    kind: Kind
    user_id: UUID | None = None
    teams: frozenset[UUID] = frozenset()
    scopes: frozenset[str] | None = None
    via: str = "web"
    time_zone: str = field(default="UTC", compare=False)

    def holds(self, name: str) -> bool:
        """Return whether the actor's token (if any) covers the permission called ``name``."""
        if self.scopes is None or name in self.scopes or "write" in self.scopes:
            return True
        return "read" in self.scopes and not permission(name).writes


NOBODY = Actor(name="Nobody", role=None, kind="nobody")


def machine(name: str, *, via: str = "worker") -> Actor:
    """Return the actor for work nobody asked for just now: schedules, relays, imports of a demonstration."""
    return Actor(name=name, role=Role.OWNER, kind="machine", via=via)


def actor_of(user: Any, *, via: str = "web", token: ApiToken | None = None) -> Actor:
    """Return the actor for a signed-in person, or for one of their tokens."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    return Actor(
        name=str(user) if token is None else f"{user} ({token.name})",
        role=Role(user.role),
        kind="person" if token is None else "token",
        user_id=user.pk,
        teams=frozenset(user.teams.values_list("pk", flat=True)),
        scopes=None if token is None else frozenset(token.scopes),
        via=via,
        time_zone=user.time_zone,
    )


def actor_of_token(secret: str, *, via: str = "api") -> Actor:
    """Return the actor behind an API token, or nobody where it is unknown, expired or revoked."""
    token = ApiToken.objects.select_related("user").filter(digest=digest_of(secret)).first()
    if token is None or not token.usable(now()):
        return NOBODY
    return actor_of(token.user, via=via, token=token)


def role_on(actor: Actor, record: Record) -> Role | None:
    """Return the actor's role on one record: their own, a grant's, or maintainer of what they own."""
    roles = [] if actor.role is None else [actor.role]
    if actor.user_id is not None:
        if record.owner_id == actor.user_id and actor.role is not None and actor.role >= Role.CONTRIBUTOR:
            roles.append(Role.MAINTAINER)
        granted = Grant.objects.filter(record_kind=record.kind(), record_id=record.pk)
        granted = granted.filter(user_id=actor.user_id) | granted.filter(team_id__in=actor.teams)
        roles += [Role(role) for role in granted.values_list("role", flat=True)]
    return max(roles, default=None)


def may(actor: Actor, name: str, record: Record | None = None) -> bool:
    """Return whether the actor may do ``name``, to ``record`` where one is given."""
    role = actor.role if record is None else role_on(actor, record)
    return role is not None and role >= permission(name).role and actor.holds(name)


def all_permissions_of(actor: Actor) -> list[str]:
    """Return the names of everything the actor may do."""
    return [known.name for known in all_permissions() if may(actor, known.name)]


def require(actor: Actor, name: str, record: Record | None = None) -> None:
    """Raise unless the actor may do ``name``."""
    if actor.role is None:
        raise NotSignedIn("This needs somebody who is signed in.", mend="Sign in, or send an API token.")
    if not may(actor, name, record):
        wanted = permission(name)
        raise NotAllowed(
            f"{actor.name} may not do this: {wanted.title.lower()} needs the role {wanted.role.title.lower()}"
            + ("" if actor.holds(name) else " and a token whose scopes cover it")
            + ".",
            mend="Ask a maintainer to do it, or an owner to change your role.",
        )
