"""What the operator says through the environment, read once and checked, with a sentence where it is wrong."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class WrongSetting(SystemExit):
    """An environment variable that cannot be used; ends the program with its sentence."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The environment variable {name} cannot be used: {problem}")


def data_folder() -> Path:
    """Return the folder that holds everything (``POTAGER_DATA``, by default ``./potager-data``)."""
    return Path(os.environ.get("POTAGER_DATA", "potager-data")).expanduser().resolve()


def secret_key(folder: Path) -> str:
    """Return the signing key: from ``POTAGER_SECRET_KEY``, or made once and kept in the data folder."""
    if given := os.environ.get("POTAGER_SECRET_KEY"):
        return given
    path = folder / "secret-key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(secrets.token_urlsafe(50))
        partial.chmod(0o600)
        try:
            os.link(partial, path)  # whoever comes first wins; everyone reads the same key
        except FileExistsError:
            pass
        finally:
            partial.unlink()
    return path.read_text().strip()


def database(folder: Path) -> dict[str, Any]:
    """Return Django's database settings: SQLite in the data folder, or ``POTAGER_DATABASE_URL``."""
    url = os.environ.get("POTAGER_DATABASE_URL", "")
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "potager.sqlite3",
            # IMMEDIATE: a writer waits its turn at BEGIN instead of failing in the middle of its transaction.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise WrongSetting(
            "POTAGER_DATABASE_URL", "it must start with postgresql://. Leave it out to use SQLite."
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "potager",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": True,
    }


def lake(folder: Path) -> dict[str, str]:
    """Return where the lake's catalogue (beside the records) and its files are, and which engine reads them."""
    engine = os.environ.get("POTAGER_ENGINE", "duckdb").strip().lower()
    if engine not in {"duckdb", "spark"}:
        raise WrongSetting("POTAGER_ENGINE", f"'{engine}' is neither duckdb nor spark.")
    url = os.environ.get("POTAGER_DATABASE_URL", "")
    catalogue = f"sqlite:///{folder / 'potager.sqlite3'}"
    if url:
        catalogue = "postgresql+psycopg" + url[url.index("://") :]
    files = os.environ.get("POTAGER_LAKE_FILES", str(folder / "lake"))
    return {"catalog_uri": catalogue, "files": files, "engine": engine}


def listed(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def counted(name: str, default: int) -> int:
    """Return a variable that is a whole number above zero."""
    value = os.environ.get(name, "").strip()
    if value and not (value.isdecimal() and int(value)):
        raise WrongSetting(name, f"'{value}' is not a whole number above zero.")
    return int(value or default)


def switched(name: str, default: bool = False) -> bool:
    """Return a yes-or-no variable."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if value == "" else value in {"1", "true", "yes", "on"}
    raise WrongSetting(name, f"'{value}' is neither yes nor no.")


def mail(url: str) -> dict[str, Any]:
    """Return Django's mail settings for ``smtp://user:password@host:port`` (``smtps`` for TLS from the start)."""
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps", "smtp+tls"} or not parts.hostname:
        raise WrongSetting("POTAGER_MAIL_URL", "write smtp+tls://user:password@host:587.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_TIMEOUT": 20,
    }
