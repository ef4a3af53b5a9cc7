"""Customers for the tests: a table of companies and one of people in an empty lake, and a worker that works at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from potager.ground.jobs.models import Job
from potager.ground.jobs.work import run_job
from potager.ground.lake.service import lake
from potager.insight.customers import actions
from potager.insight.customers.models import Sync

ACCOUNTS = {
    "account_id": ["acct-1", "acct-2", "acct-3", "acct-2", None, "acct-4"],
    "company": ["Acme", "Bolt", "Casa", "Bolt twice", "Nobody", "=SUM(1)"],
    "domain": ["acme.com", "https://www.bolt.example/about", "gmail.com", "", "", "not a domain"],
    "plan": ["pro", "free", "pro", "free", "", None],
    "seats": [12, 3, None, 3, 1, 40],
    "Country code": ["DE", "AT", "DE", "AT", "", None],
}
PEOPLE = {
    "user_id": ["u-1", "u-2", "u-3", "u-4", "u-5"],
    "full_name": ["Ada Acme", "Ben Bolt", "Gil Mail", "Xenia New", "Ida Odd"],
    "email": ["Ada@Acme.com", "ben@eu.bolt.example", "gil@gmail.com", "x@fresh.example", "no address"],
    "role": ["admin", "user", "user", "admin", "user"],
}


def table(columns: dict[str, list[Any]]) -> pa.Table:
    """Return columns as a table."""
    return pa.table(columns)


@pytest.fixture
def tables(lake_folder: Any) -> None:
    """The lake has a table of companies and one of people."""
    lake().append("crm.accounts", pa.table(ACCOUNTS).to_reader(), load_id="a1")
    lake().append("crm.people", pa.table(PEOPLE).to_reader(), load_id="p1")


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sync], Sync]:
    """Do a sync's job, as a worker would, and return what became of the sync."""

    def work(sync: Sync) -> Sync:
        assert sync.job is not None
        run_job.func(str(sync.job.pk))
        sync.refresh_from_db()
        job = Job.objects.get(pk=sync.job_id)
        assert job.state == "done", job.problem
        return sync

    return work


@pytest.fixture
def synced(tables: None, ada: Any, worked: Callable[[Sync], Sync]) -> Sync:
    """The companies are in."""
    return worked(actions.sync_accounts(actor=ada.actor, table="crm.accounts"))
