"""The addresses that the shell links to, so that the gallery shows all of it."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def nowhere(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


_NAMES = {
    "home": "", "ask": "ask", "search": "search", "palette": "palette", "jobs": "jobs", "theme": "theme",
    "account_login": "sign-in", "account_logout": "sign-out", "account_change_password": "password",
    "account_email": "email", "account_reset_password": "reset", "account_signup": "signup",
    "mfa_index": "mfa", "account_settings": "settings", "mfa_activate_totp": "totp/activate",
    "mfa_deactivate_totp": "totp/deactivate", "mfa_view_recovery_codes": "codes", "mfa_reauthenticate": "mfa/again",
    "mfa_download_recovery_codes": "codes/download", "mfa_generate_recovery_codes": "codes/generate",
    "mfa_authenticate": "mfa/enter", "account_reauthenticate": "again", "socialaccount_connections": "connections",
    "account_set_password": "password/set", "account_reset_password_done": "reset/done",
}  # fmt: skip
urlpatterns = [path(address, nowhere, name=name) for name, address in _NAMES.items()]
