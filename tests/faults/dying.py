"""Potager, killed (``kill -9``) at a chosen moment, or with a full disk.

``python -m tests.faults.dying MOMENT words of the program …`` runs the real program; ``dead`` runs a function in a
process of its own, which starts from a fork server that has the heavy imports done.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb  # noqa: F401 - so that the fork server has it
import pyiceberg.catalog.sql  # noqa: F401
import sqlglot  # noqa: F401

LOADS = ("reading", "writing", "metadata", "committing", "committed", "noting", "noted")
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.faults.dying", "tests.ground.lake.processes"])
ACTIONS = ("audit", "commit", "reactions")


def die(*_: Any, **__: Any) -> Any:
    """Be killed, as the kernel kills when memory is short: nothing is tidied."""
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(function: Any) -> Any:
    def did(*given: Any, **more: Any) -> None:
        function(*given, **more)
        die()

    return did


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_a_load(moment: str) -> None:
    from pyarrow.parquet import ParquetWriter
    from pyiceberg.catalog.sql import SqlCatalog

    from potager.ground.connecting import actions
    from potager.ground.jobs import work

    if moment == "reading":
        work.Work.progress = die  # type: ignore[method-assign]
    elif moment == "writing":
        ParquetWriter.write_table = then_die(ParquetWriter.write_table)  # type: ignore[method-assign]
    elif moment == "metadata":
        SqlCatalog._write_metadata = die
    elif moment == "committing":
        SqlCatalog.commit_table = die
    elif moment == "committed":
        SqlCatalog.commit_table = then_die(SqlCatalog.commit_table)
    elif moment == "noting":
        actions.finish = die
    elif moment == "noted":
        work._end = die
    elif moment == "full":
        ParquetWriter.write_table = full  # type: ignore[method-assign]


def in_an_action(moment: str) -> None:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from potager.ground.acting import action
    from potager.ground.events import bus

    if moment == "audit":
        action._write_audit = die
    elif moment == "commit":
        BaseDatabaseWrapper.commit = die  # type: ignore[method-assign]
    elif moment == "reactions":
        bus.hear = die


def open_house(moment: str, folder: str) -> None:
    """Open the installation in ``folder`` in this process, set up to die at ``moment``."""
    os.environ.update(DJANGO_SETTINGS_MODULE="potager.project.settings", POTAGER_DATA=folder)
    os.environ.pop("POTAGER_DATABASE_URL", None)
    os.environ.pop("POTAGER_SECRET_KEY", None)
    import django

    django.setup()
    (in_an_action if moment in ACTIONS else in_a_load)(moment)


def bring(file: str, table: str) -> None:
    """Upload a file and import it, as ``potager import`` does."""
    from potager.faces.cli.session import local_actor
    from potager.ground.connecting import actions
    from potager.ground.jobs.work import run_job

    path = Path(file)
    given = {"file_name": path.name, "chunks": [path.read_bytes()], "table": table}
    made = actions.upload(actor=local_actor(), **given)
    run_job.call(str(actions.start(actor=local_actor(), imported=made).job_id))


def define(name: str) -> None:
    """Add a term to the glossary."""
    from potager.faces.cli.session import local_actor
    from potager.garden.glossary.resources import terms

    terms.create(actor=local_actor(), values={"name": name, "definition": "A first deposit."})


def _work(moment: str, folder: str, function: Callable[..., None], given: tuple[str, ...]) -> None:
    open_house(moment, folder)
    function(*given)


def started(moment: str, folder: Path, function: Callable[..., None], *given: str) -> Any:
    """Start ``function`` in a process of its own, to be killed at ``moment`` (never, where it is empty)."""
    process = context.Process(target=_work, args=(moment, str(folder), function, given), daemon=True)
    process.start()
    return process


def dead(moment: str, folder: Path, function: Callable[..., None], *given: str) -> None:
    """Run ``function`` in a process of its own, which is killed at ``moment``."""
    process = started(moment, folder, function, *given)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, (moment, process.exitcode)


def main() -> None:
    """Set the program up to fail, and run it."""
    moment, *words = sys.argv[1:]
    open_house(moment, words[1])  # words are --data FOLDER …
    from potager.faces.cli.main import main as program

    program(words)


if __name__ == "__main__":
    main()
