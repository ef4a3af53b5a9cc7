"""People, teams, grants and tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from potager.ground.access.roles import Role
from potager.kit.clock import now
from potager.kit.ids import uuid7

TOKEN_PREFIX = "pot_"  # noqa: S105 - a marker that secret scanners can look for


class UserManager(BaseUserManager["User"]):
    """Makes people; called by sign-up (allauth) and by the actions of ``accounts``."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a person. Without a password they can only sign in by invitation or single sign-on."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Look people up without regard to case, as they type their address."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person of the organization. The e-mail address is the name they sign in with."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField("e-mail", max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.PositiveSmallIntegerField(choices=Role.choices(), default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(default=now, editable=False)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "email"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_email")
        ]

    def __str__(self) -> str:
        return self.name or self.email


class Team(models.Model):
    """People who own records together."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120, unique=True)
    purpose = models.CharField(max_length=300, blank=True)
    members = models.ManyToManyField(User, related_name="teams", blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Grant(models.Model):
    """A role on one record for one person or one team, whatever their role elsewhere."""

    record_kind = models.CharField(max_length=80)
    record_id = models.UUIDField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    role = models.PositiveSmallIntegerField(choices=Role.choices())

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False) ^ models.Q(team__isnull=False),
                name="grant_is_for_a_person_or_a_team",
            ),
            models.UniqueConstraint(fields=["record_kind", "record_id", "user"], name="one_grant_per_person"),
            models.UniqueConstraint(fields=["record_kind", "record_id", "team"], name="one_grant_per_team"),
        ]


class ApiToken(models.Model):
    """A key for programs. Only its SHA-256 is kept; the token itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return self.name

    def usable(self, at: datetime) -> bool:
        """Return whether the token opens anything at the moment ``at``."""
        return self.revoked_at is None and at < self.expires_at and self.user.is_active


def new_token() -> tuple[str, str]:
    """Return a fresh token and the digest to keep. 256 random bits need no slow hash: nobody can guess them."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """Return the digest under which ``token`` is kept."""
    return hashlib.sha256(token.encode()).hexdigest()
