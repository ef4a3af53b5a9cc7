"""The lake and the warehouse of this installation, opened once per process, as Django's settings say.

What they are made of is imported when they are opened: a command that reads no table starts in a second.
"""

from __future__ import annotations

import atexit
import os
import shutil
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from potager.kit.errors import Problem

if TYPE_CHECKING:
    from potager.ground.lake.lake import Lake
    from potager.ground.lake.warehouse import Warehouse

LEAST_FREE_SHARE = 0.05

Check = tuple[str, bool, str, str]
_Opened = TypeVar("_Opened")
_opened: dict[tuple[str, int, str], Any] = {}
_opening = threading.RLock()


def lake() -> Lake:
    """Return the lake of this installation. A forked process opens its own: connections do not survive a fork."""
    return _once("lake", _lake)


def _lake(given: dict[str, Any]) -> Lake:
    from potager.ground.lake.lake import Lake

    return Lake(given["catalog_uri"], given["files"], before_commit=_outside_transactions)


def _outside_transactions() -> None:
    """Refuse to write to the lake inside a transaction on the same SQLite file: it would wait for itself."""
    from django.conf import settings
    from django.db import connection

    same = str(connection.settings_dict["NAME"]) in settings.POTAGER_LAKE["catalog_uri"]
    if connection.in_atomic_block and connection.vendor == "sqlite" and same:
        raise RuntimeError("The lake must not be written inside a transaction; do it in a job.")


def warehouse() -> Warehouse:
    """Return the warehouse of this installation: DuckDB, or Spark when ``POTAGER_LAKE["engine"]`` says so."""
    return _once("warehouse", _warehouse)


def _warehouse(given: dict[str, Any]) -> Warehouse:
    if given.get("engine") == "spark":
        from potager.ground.lake.spark import SparkWarehouse

        return SparkWarehouse(lake(), master=os.environ.get("POTAGER_SPARK_MASTER", "local[*]"))
    from potager.ground.lake.duck import DuckDBWarehouse

    return DuckDBWarehouse(lake(), memory=os.environ.get("POTAGER_MEMORY", "4GB"))


def _once(what: str, opened: Callable[[dict[str, Any]], _Opened]) -> _Opened:
    from django.conf import settings

    given = dict(settings.POTAGER_LAKE)
    key = (what, os.getpid(), repr(sorted(given.items())))
    if key not in _opened:
        with _opening:
            if key not in _opened:
                _opened[key] = opened(given)
    found: _Opened = _opened[key]
    return found


def close() -> None:
    """Let go of what this process opened."""
    for key in [key for key in _opened if key[1] == os.getpid()]:
        _opened.pop(key).close()


atexit.register(close)


def _after_fork() -> None:
    # Another thread may have held the lock at the fork. What the parent opened stays referenced, and so untouched.
    global _opening
    _opening = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def check() -> list[Check]:
    """Return what the doctor asks: for each check its name, whether all is well, a sentence, and how to mend it."""
    checks = [_catalogue, _files, _free, _readable]
    return [_checked(ask) for ask in checks]


def _checked(ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except Problem as problem:
        return (_title(ask), False, problem.detail, problem.mend)
    except OSError as error:
        mend = "Let the user that runs Potager write to the lake's folder, and see that its disk is there."
        return (_title(ask), False, f"The lake's files cannot be used: {error}.", mend)


def _title(ask: Callable[[], Check]) -> str:
    return {
        _catalogue: "lake catalogue",
        _files: "lake files",
        _free: "lake disk",
        _readable: "lake snapshots",
    }[ask]


def _catalogue() -> Check:
    """The catalogue answers, and no one keeps it locked."""
    lake().catalogue.probe()
    return ("lake catalogue", True, f"{len(lake().tables())} tables; it can be written.", "")


def _files() -> Check:
    """The lake's folder takes a file and gives it up again."""
    filesystem, root = lake().catalogue.filesystem()
    filesystem.create_dir(root, recursive=True)
    path = f"{root}/.written-by-the-doctor-{uuid4()}"
    with filesystem.open_output_stream(path) as sink:
        sink.write(b"Potager wrote this to see whether it can.")
    filesystem.delete_file(path)
    return ("lake files", True, f"{lake().files} can be written.", "")


def _free() -> Check:
    """Some of the disk is free, where the files are on a disk."""
    if "://" in lake().files:
        return ("lake disk", True, "The files are in an object store.", "")
    _, root = lake().catalogue.filesystem()
    usage = shutil.disk_usage(root)
    share = usage.free / usage.total
    says = f"{share:.0%} of the disk is free ({usage.free / 1e9:,.1f} GB)."
    return ("lake disk", share >= LEAST_FREE_SHARE, says, "Free some space, or sweep the lake.")


def _readable() -> Check:
    """One present snapshot can be read: its metadata, its files, and the engine."""
    name = next(iter(lake().tables()), None)
    if name is None:
        return ("lake snapshots", True, "There are no tables yet.", "")
    result = warehouse().query(f"SELECT * FROM {name} LIMIT 1")  # noqa: S608 - the name is one of ours
    return ("lake snapshots", True, f"{name} was read at snapshot {result.snapshots[name]}.", "")
