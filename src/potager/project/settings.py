"""Django's settings, from the environment. ``docs/reference/configuration.md`` lists every variable."""

from __future__ import annotations

import os
from typing import Any

from csp.constants import NONE, SELF

from potager.kit import environment

POTAGER_DATA = environment.data_folder()
POTAGER_LAKE = environment.lake(POTAGER_DATA)
POTAGER_WEBHOOK_NETWORKS = tuple(environment.listed("POTAGER_WEBHOOK_NETWORKS"))
POTAGER_ADDRESS = os.environ.get("POTAGER_ADDRESS", "http://127.0.0.1:8350").rstrip("/")

SECRET_KEY = environment.secret_key(POTAGER_DATA)
DEBUG = environment.switched("POTAGER_DEBUG")
ALLOWED_HOSTS = environment.listed("POTAGER_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = [POTAGER_ADDRESS]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "potager.faces.web",  # before allauth: its sign-in pages wear our layout
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_tasks",
    "django_tasks_db",
    "potager.ground.access",
    "potager.ground.records",
    "potager.ground.audit",
    "potager.ground.events",
    "potager.ground.acting",
    "potager.ground.resources",
    "potager.ground.serving",
    "potager.ground.jobs",
    "potager.ground.links",
    "potager.ground.search",
    "potager.ground.webhooks",
    "potager.ground.accounts",
    "potager.ground.connecting",
    "potager.insight.metrics",
    "potager.insight.questions",
    "potager.insight.goals",
    "potager.insight.revenue",
    "potager.insight.customers",
    "potager.insight.usage",
    "potager.insight.impact",
    "potager.garden.glossary",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "potager.faces.web.middleware.ProblemPages",
    "potager.faces.api.idempotency.IdempotencyKeys",
]

ROOT_URLCONF = "potager.project.urls"
ASGI_APPLICATION = "potager.project.asgi.application"
WSGI_APPLICATION = "potager.project.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "potager.faces.web.context.shell",
            ],
        },
    }
]

DATABASES = {"default": environment.database(POTAGER_DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Shared by all processes on the machine, so that rate limits count across workers.
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": POTAGER_DATA / "cache",
    }
}

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "potager.ground.accounts.adapter.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "potager.ground.accounts.adapter.SocialAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
POTAGER_API_RATE = environment.counted("POTAGER_API_RATE", 600)
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,30/5m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Potager"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if os.environ.get("POTAGER_OIDC_SERVER"):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": os.environ.get("POTAGER_OIDC_NAME", "Single sign-on"),
                "client_id": os.environ.get("POTAGER_OIDC_CLIENT_ID", ""),
                "secret": os.environ.get("POTAGER_OIDC_SECRET", ""),
                "settings": {"server_url": os.environ["POTAGER_OIDC_SERVER"]},
            }
        ],
    }

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

globals().update(environment.mail(os.environ.get("POTAGER_MAIL_URL", "")))
DEFAULT_FROM_EMAIL = os.environ.get("POTAGER_MAIL_FROM", "Potager <potager@localhost>")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
_https = POTAGER_ADDRESS.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "potager_session"
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if environment.switched("POTAGER_PROXY") else None
)
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
FILE_UPLOAD_TEMP_DIR = None

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": os.environ.get("POTAGER_LOG", "WARNING").upper()},
}
