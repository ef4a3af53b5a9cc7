"""Files of events: what is there already is not added again, and what a file brought can be taken out as one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from potager.ground.jobs.work import run_job
from potager.ground.lake.service import lake, warehouse
from potager.insight.usage import actions
from potager.insight.usage.bringing import without_known
from potager.insight.usage.models import EventFile
from potager.kit.errors import Conflict

FIRST = "event_id,user_id,event,occurred_at\n" + "".join(
    f"e{number},u{number % 5},open,2024-01-{number + 1:02} 10:00:00\n" for number in range(10)
)
SECOND = "event_id,user_id,event,occurred_at\n" + "".join(
    f"e{number},u{number % 5},open,2024-01-{number + 1:02} 10:00:00\n" for number in (8, 9, 10, 11, 11)
)


@pytest.fixture
def plain_files(monkeypatch: Any) -> None:
    """Read the files by the connector for files: what a connector yields is the same for all."""
    monkeypatch.setattr(actions, "CONNECTOR", "files")


def bring(ada: Any, text: str, name: str = "events.csv") -> EventFile:
    """Bring a file and import it."""
    brought = actions.bring_file(
        actor=ada.actor, file_name=name, chunks=[text.encode()], table="app.happenings"
    )
    actions.import_file(actor=ada.actor, brought=brought)
    brought.refresh_from_db()
    run_job.call(str(brought.job_id))
    brought.refresh_from_db()
    return brought


def events() -> int:
    """How many events the table holds."""
    return int(warehouse().query("SELECT count(*) AS n FROM app.happenings").table["n"][0].as_py())


def test_an_event_is_added_once_whatever_files_it_comes_in(
    empty_lake: Any, ada: Any, plain_files: None
) -> None:
    first = bring(ada, FIRST)
    assert (first.state, first.rows, first.repeated) == ("done", 10, 0)
    second = bring(ada, SECOND, "more.csv")
    assert (second.state, second.rows, second.repeated) == ("done", 2, 3)
    assert events() == 12


def test_the_same_file_twice_adds_nothing(empty_lake: Any, ada: Any, plain_files: None) -> None:
    bring(ada, FIRST)
    again = bring(ada, FIRST, "again.csv")
    assert again.state == "done"
    assert "nothing was added" in again.note
    assert events() == 10


def test_what_a_file_brought_is_taken_out_as_one_and_can_come_again(
    empty_lake: Any, ada: Any, plain_files: None
) -> None:
    bring(ada, FIRST)
    second = bring(ada, SECOND, "more.csv")
    undone = actions.undo_import(actor=ada.actor, brought=second)
    run_job.call(str(undone.job_id))
    assert events() == 10
    actions.import_file(actor=ada.actor, brought=undone)
    undone.refresh_from_db()
    run_job.call(str(undone.job_id))
    assert events() == 12


def test_a_file_is_not_undone_before_it_is_in(empty_lake: Any, ada: Any, plain_files: None) -> None:
    brought = actions.bring_file(actor=ada.actor, file_name="x.csv", chunks=[FIRST.encode()], table="app.x")
    with pytest.raises(Conflict):
        actions.undo_import(actor=ada.actor, brought=brought)


def test_a_file_that_cannot_be_read_leaves_nothing_behind(
    empty_lake: Any, ada: Any, plain_files: None
) -> None:
    from potager.kit.errors import Problem

    with pytest.raises(Problem):
        actions.bring_file(actor=ada.actor, file_name="x.csv", chunks=[b""], table="app.x")
    assert not EventFile.objects.exists()


def test_events_without_an_id_are_all_kept(empty_lake: Any) -> None:
    batch = pa.record_batch({"event_id": ["a", None, None, "a", "b"], "n": [1, 2, 3, 4, 5]})
    with without_known([batch], "app.nothing") as fresh:
        assert (fresh.rows, fresh.repeated) == (4, 1)
        assert sorted(fresh.batches.read_all()["n"].to_pylist()) == [1, 2, 3, 5]


def test_no_event_at_all_is_no_event(empty_lake: Any) -> None:
    with without_known([], "app.nothing") as fresh:
        assert (fresh.rows, fresh.repeated) == (0, 0)


def test_the_pages_bring_import_and_undo(empty_lake: Any, bo: Any, plain_files: None) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    browser = bo.browser
    made = browser.post("/usage/files/new", {"file": SimpleUploadedFile("events.csv", FIRST.encode())})
    page = browser.get(made.headers["Location"])
    assert "First events" in page.content.decode()
    browser.post(made.headers["Location"], {"table": "app.happenings"})
    brought = EventFile.objects.get()
    run_job.call(str(brought.job_id))
    done = browser.get(made.headers["Location"]).content.decode()
    assert "Say what its columns mean" in done
    assert lake().exists("app.happenings")
    assert browser.get("/usage/new?table=app.happenings").context["form"].initial["event_id"] == "event_id"
    browser.post(f"{made.headers['Location']}/undo")
    brought.refresh_from_db()
    run_job.call(str(brought.job_id))
    assert events() == 0


def test_a_table_with_an_impossible_name_is_refused(empty_lake: Any, bo: Any, plain_files: None) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    made = bo.browser.post("/usage/files/new", {"file": SimpleUploadedFile("events.csv", FIRST.encode())})
    refused = bo.browser.post(made.headers["Location"], {"table": "No such; name"})
    assert refused.status_code == 422
    assert "namespace.table" in refused.content.decode()


def test_a_viewer_cannot_bring_events(empty_lake: Any, vi: Any, plain_files: None) -> None:
    from potager.kit.errors import NotAllowed

    with pytest.raises(NotAllowed):
        actions.bring_file(actor=vi.actor, file_name="x.csv", chunks=[FIRST.encode()])
