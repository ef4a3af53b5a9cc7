"""How django-allauth behaves here: nobody signs up by themselves; single sign-on makes viewers."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Password sign-up is by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return no: invitations make people."""
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Whoever the organization's identity provider knows may come in, as a viewer."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return yes: the operator connected this provider."""
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        """Take the name as the provider says it."""
        user = super().populate_user(request, sociallogin, data)
        name = data.get("name") or f"{data.get('first_name') or ''} {data.get('last_name') or ''}"
        user.name = name.strip()[:120]
        return user
