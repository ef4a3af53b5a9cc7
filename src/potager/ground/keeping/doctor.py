"""Is everything well? A sentence for each check, and a mend for each failure."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from potager.kit.clock import now

WORKER_SILENT_AFTER = timedelta(minutes=2)
LEAST_FREE_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether all is well, what was found, and how to mend it."""

    check: str
    well: bool
    says: str
    mend: str = ""


def examine() -> list[Finding]:
    """Return what every check found."""
    return [*_versions(), *_database(), *_lake(), *_worker(), *_disk(), *_permissions()]


def _versions() -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    well = sys.version_info >= (3, 11)
    engines = ", ".join(f"{name} {version(name)}" for name in ("django", "duckdb", "pyiceberg", "metricflow"))
    yield Finding("versions", well, f"Python {python}; {engines}", "Potager needs Python 3.11 or newer.")
    if connection.vendor == "sqlite":
        modern = sqlite3.sqlite_version_info >= (3, 35)
        yield Finding(
            "SQLite", modern, sqlite3.sqlite_version, "Install a Python whose SQLite is 3.35 or newer."
        )


def _database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        mend = "Is the database server running, and is POTAGER_DATABASE_URL right?"
        yield Finding("database", False, f"It does not answer: {error}", mend)
        return
    says = "at this version" if not waiting else f"{len(waiting)} migrations wait"
    yield Finding("database", not waiting, f"{connection.vendor}, {says}", "Run 'potager migrate'.")
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            verdict = cursor.fetchone()[0]
        yield Finding("database file", verdict == "ok", f"integrity: {verdict}", "Restore the latest backup.")


def _lake() -> Iterator[Finding]:
    from potager.ground.lake.service import check

    for name, well, says, mend in check():
        yield Finding(name, well, says, mend)


def _worker() -> Iterator[Finding]:
    from potager.ground.jobs.models import Job, State, Tick

    try:
        sign = Tick.objects.filter(name="worker").first()
        waiting = Job.objects.filter(state=State.WAITING).count()
        broken = list(Tick.objects.exclude(problem="").values_list("name", "problem"))
    except DatabaseError:
        return
    alive = sign is not None and sign.at > now() - WORKER_SILENT_AFTER
    says = (
        "running" if alive else "no sign of life" + (f" since {sign.at:%Y-%m-%d %H:%M} UTC" if sign else "")
    )
    yield Finding("worker", alive, f"{says}; {waiting} jobs wait", "Run 'potager serve' or 'potager worker'.")
    for name, problem in broken:
        yield Finding(f"schedule {name}", False, problem, "Look at the worker's log.")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.POTAGER_DATA).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(
        "disk", enough, f"{free / 1e9:,.1f} GB free", "Free some space: imports need room for their files."
    )


def _permissions() -> Iterator[Finding]:
    folder = settings.POTAGER_DATA
    writable = os.access(folder, os.W_OK)
    yield Finding("data folder", writable, str(folder), f"Let the user that runs Potager write to {folder}.")
    key = folder / "secret-key"
    if key.exists():
        private = key.stat().st_mode & 0o077 == 0
        yield Finding(
            "signing key", private, "private" if private else "others can read it", f"Run: chmod 600 {key}"
        )
