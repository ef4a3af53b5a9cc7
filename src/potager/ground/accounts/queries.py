"""People, teams, invitations and tokens, as far as one may see them."""

from __future__ import annotations

from django.db.models import QuerySet

from potager.ground.access.actors import Actor, require
from potager.ground.access.models import ApiToken, Team, User
from potager.ground.accounts.models import Installation, Invitation


def people(actor: Actor) -> QuerySet[User]:
    """Return everybody."""
    require(actor, "access.read")
    return User.objects.prefetch_related("teams")


def teams(actor: Actor) -> QuerySet[Team]:
    """Return the teams with their members."""
    require(actor, "access.read")
    return Team.objects.prefetch_related("members")


def invitations(actor: Actor) -> QuerySet[Invitation]:
    """Return the invitations that are open."""
    require(actor, "accounts.invite")
    return Invitation.objects.filter(accepted_at=None, revoked_at=None).select_related("invited_by", "team")


def tokens(actor: Actor) -> QuerySet[ApiToken]:
    """Return one's own tokens that were not revoked."""
    require(actor, "accounts.profile")
    if actor.user_id is None:
        return ApiToken.objects.none()
    return ApiToken.objects.filter(user_id=actor.user_id, revoked_at=None)


def demo_notice() -> str:
    """Return what every page says of an organization that is not real, or nothing."""
    found = Installation.objects.first()
    return found.notice if found else ""
