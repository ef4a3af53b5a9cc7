"""A data folder of its own for each test, with an empty lake in it, and a hand that does what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from potager.ground.jobs.models import Job, State
from potager.ground.jobs.work import run_job
from potager.ground.lake import service


@pytest.fixture
def data_folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder."""
    settings.POTAGER_DATA = tmp_path
    settings.POTAGER_LAKE = {
        "catalog_uri": f"sqlite:///{tmp_path / 'catalog.sqlite3'}",
        "files": str(tmp_path / "lake"),
    }
    monkeypatch.setenv("POTAGER_DATA", str(tmp_path))
    yield tmp_path
    service.close()


@pytest.fixture
def work_off(db: Any) -> Callable[[], list[Job]]:
    """Do every job that waits, as a worker would; return them as they ended."""

    def done() -> list[Job]:
        waiting = list(Job.objects.filter(state=State.WAITING).order_by("created_at"))
        for job in waiting:
            run_job.call(str(job.pk))
            job.refresh_from_db()
        return waiting

    return done
