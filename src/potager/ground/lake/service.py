"""The lake and the warehouse of this installation, one of each per process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from potager.ground.lake.lake import Lake
from potager.ground.lake.warehouse import Warehouse
from potager.kit.errors import Problem


def lake() -> Lake:
    """Return the lake that the settings name."""
    from django.conf import settings

    return _lake(os.getpid(), settings.POTAGER_LAKE["catalog_uri"], settings.POTAGER_LAKE["files"])


@lru_cache(maxsize=4)
def _lake(pid: int, catalog_uri: str, files: str) -> Lake:
    if "://" not in files:
        Path(files).mkdir(parents=True, exist_ok=True)
    return Lake(catalog_uri, files, before_commit=_outside_transactions)


def _outside_transactions() -> None:
    """Refuse to commit to the lake inside a transaction on the same SQLite file: it would wait for itself."""
    from django.conf import settings
    from django.db import connection

    same = str(connection.settings_dict["NAME"]) in settings.POTAGER_LAKE["catalog_uri"]
    if connection.in_atomic_block and connection.vendor == "sqlite" and same:
        raise RuntimeError("The lake must not be written inside a transaction; do it in a job.")


def warehouse() -> Warehouse:
    """Return the engine that the settings name, over the lake."""
    from django.conf import settings

    given = settings.POTAGER_LAKE
    return _warehouse(os.getpid(), given["catalog_uri"], given["files"], given.get("engine", "duckdb"))


@lru_cache(maxsize=4)
def _warehouse(pid: int, catalog_uri: str, files: str, engine: str) -> Warehouse:
    found = _lake(pid, catalog_uri, files)
    if engine == "spark":
        from potager.ground.lake.spark_warehouse import SparkWarehouse

        return SparkWarehouse(found, master=os.environ.get("POTAGER_SPARK_MASTER", "local[2]"))
    from potager.ground.lake.duckdb_warehouse import DuckDBWarehouse

    return DuckDBWarehouse(found, memory=os.environ.get("POTAGER_MEMORY", "4GB"))


def check() -> Iterator[tuple[str, bool, str, str]]:
    """Yield what the doctor wants to know: name, whether all is well, what was found, and the mend."""
    found = lake()
    try:
        names = found.tables()
    except Problem as problem:
        yield "lake catalogue", False, problem.detail, problem.mend
        return
    yield "lake catalogue", True, f"{len(names)} tables", ""
    for name in names:
        try:
            warehouse().query(f"SELECT count(*) FROM {name}")  # noqa: S608 - a checked name
        except Problem as problem:
            yield f"table {name}", False, problem.detail, "Restore the lake's files from a backup."
    if "://" not in found.files:
        free = shutil.disk_usage(found.files).free
        writable = os.access(found.files, os.W_OK)
        yield "lake files", writable, f"{free / 1e9:,.1f} GB free", f"Let Potager write to {found.files}."
