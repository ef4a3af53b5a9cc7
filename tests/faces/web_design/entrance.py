"""allauth's pages in our clothes, with forms that look like allauth's."""

# ruff: noqa: E501 - rows of tables stay on one line

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django import forms


class SignIn(forms.Form):
    login = forms.EmailField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label="Password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    remember = forms.BooleanField(label="Remember me", required=False)


class Address(forms.Form):
    email = forms.EmailField(label="Email")


class Passwords(forms.Form):
    password1 = forms.CharField(
        label="New password", widget=forms.PasswordInput, help_text="Ten characters or more."
    )
    password2 = forms.CharField(label="New password (again)", widget=forms.PasswordInput)


class Code(forms.Form):
    secret = "JBSWY3DPEHPK3PXP"
    code = forms.CharField(label="Authenticator code")


_ADDRESSES = [
    SimpleNamespace(email="ruth@harbor.example", verified=True, primary=True),
    SimpleNamespace(email="r.adeyemi@harbor.example", verified=False, primary=False),
]
_RADIOS = [
    SimpleNamespace(emailaddress=address, checked=not index, id=f"email_radio_{index}")
    for index, address in enumerate(_ADDRESSES)
]
_QR = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 5 5'%3E"
    "%3Cpath d='M0 0h2v2H0zM3 0h2v2H3zM0 3h2v2H0zM3 3h1v1H3z'/%3E%3C/svg%3E"
)
ENTRANCE: dict[str, dict[str, Any]] = {
    "account/login.html": {"form": SignIn({"login": "ruth", "password": ""})},
    "account/logout.html": {},
    "account/signup_closed.html": {},
    "account/account_inactive.html": {},
    "account/verification_sent.html": {},
    "account/password_reset.html": {"form": Address()},
    "account/password_reset_done.html": {},
    "account/password_reset_from_key.html": {"form": Passwords(), "action_url": "/reset"},
    "account/password_reset_from_key_done.html": {},
    "account/password_change.html": {"form": Passwords()},
    "account/password_set.html": {"form": Passwords()},
    "account/email.html": {"form": Address(), "emailaddresses": _ADDRESSES, "emailaddress_radios": _RADIOS, "can_add_email": True},
    "account/reauthenticate.html": {"form": Passwords(), "reauthentication_alternatives": []},
    "mfa/index.html": {"MFA_SUPPORTED_TYPES": ["totp", "recovery_codes"], "authenticators": {}},
    "mfa/authenticate.html": {"form": Code(), "MFA_SUPPORTED_TYPES": ["totp"]},
    "mfa/reauthenticate.html": {"form": Code()},
    "mfa/totp/activate_form.html": {"form": Code(), "totp_svg_data_uri": _QR},
    "mfa/totp/deactivate_form.html": {"form": forms.Form()},
    "mfa/recovery_codes/index.html": {"unused_codes": ["8f2k 1m9x", "77qa 03bd"], "total_count": 10, "can_view_codes": True, "can_download_codes": True, "can_generate_codes": True},
    "mfa/recovery_codes/generate.html": {"form": forms.Form(), "unused_code_count": 2},
    "socialaccount/login.html": {"provider": SimpleNamespace(name="Single sign-on")},
    "socialaccount/login_cancelled.html": {},
    "socialaccount/authentication_error.html": {},
}  # fmt: skip


def entrance_page(template: str, theme: str = "") -> str:
    """Return one of allauth's pages."""
    from tests.faces.web_design.content import NAV
    from tests.faces.web_design.site import page

    return page(template, {"nav": NAV, "messages": [], **ENTRANCE[template]}, theme=theme)
