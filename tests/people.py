"""The cast: Ada owns the installation, Bo contributes on a team, Vi looks on, Cy is an outsider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import Client

from potager.ground.access.actors import Actor, actor_of
from potager.ground.access.models import ApiToken, Team, User, new_token
from potager.ground.access.roles import Role
from potager.kit.clock import now

PASSWORD = "a garden of one's own"


@dataclass
class Person:
    """A person of the cast: their account, their actor, a signed-in browser, a token."""

    user: User
    secret: str

    @property
    def actor(self) -> Actor:
        """As an actor, as of now."""
        self.user.refresh_from_db()
        return actor_of(self.user)

    @property
    def browser(self) -> Client:
        """A signed-in browser."""
        client = Client()
        client.force_login(self.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the API with the person's token."""
        names = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        send = getattr(Client(), method)
        given = {} if body is None else {"data": body, "content_type": "application/json"}
        return send(f"/api{path}", HTTP_AUTHORIZATION=f"Bearer {self.secret}", **given, **names)


def person(
    name: str, role: Role, *, team: Team | None = None, scopes: tuple[str, ...] = ("write",)
) -> Person:
    """Make a person with a token."""
    from datetime import timedelta

    user = User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, name=name, role=role)
    if team is not None:
        user.teams.add(team)
    secret, digest = new_token()
    expires = now() + timedelta(days=1)
    ApiToken.objects.create(user=user, name="test", digest=digest, scopes=list(scopes), expires_at=expires)
    return Person(user, secret)
