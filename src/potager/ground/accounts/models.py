"""Invitations."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from potager.ground.access.models import Team, User
from potager.ground.access.roles import Role
from potager.kit.clock import now
from potager.kit.ids import uuid7


class Invitation(models.Model):
    """An address at which one e-mail may become a person here. Only the digest of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    role = models.PositiveSmallIntegerField(choices=Role.choices(), default=Role.VIEWER)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return self.email

    @property
    def open(self) -> bool:
        """Return whether it can still be accepted."""
        return self.accepted_at is None and self.revoked_at is None and now() < self.expires_at


class Installation(models.Model):
    """What is true of the whole installation: its organization, and a notice that every page carries."""

    organization = models.CharField(max_length=120, blank=True)
    notice = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.organization
