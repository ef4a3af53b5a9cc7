"""A file on its way into the lake: upload, plan, start, undo; the same file adds nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from potager.ground.connecting import actions, queries
from potager.ground.connecting.connectors import connector
from potager.ground.connecting.models import Import
from potager.ground.jobs.actions import cancel
from potager.ground.jobs.models import Job
from potager.ground.jobs.work import Canceled, Work
from potager.ground.lake.service import lake, warehouse
from potager.kit.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable

pytestmark = pytest.mark.django_db
ORDERS = b"day,country,amount\n2026-01-01,Germany,10\n2026-01-02,France,20\n2026-01-03,France,12.5\n"
BROKEN = "day,amount\n" + "\n".join(f"2026-01-{day:02},{day}" for day in range(1, 29)) + "\n"


@pytest.fixture(autouse=True)
def _own_folder(data_folder):
    return data_folder


def upload(who, content: bytes = ORDERS, name: str = "orders.csv", table: str = "shop.orders") -> Import:
    return actions.upload(actor=who.actor, file_name=name, chunks=[content], table=table)


@pytest.fixture
def bring(bo, work_off):
    """Upload, start, and do the work."""

    def brought(content: bytes = ORDERS, **given: str) -> Import:
        imported = actions.start(actor=bo.actor, imported=upload(bo, content, **given))
        work_off()
        return Import.objects.get(pk=imported.pk)

    return brought


def sums() -> tuple[int, float | None]:
    row = warehouse().query("SELECT count(*) n, sum(amount) s FROM shop.orders").table.to_pylist()[0]
    return row["n"], row["s"]


def again(imported: Import) -> Import:
    return Import.objects.get(pk=imported.pk)


def test_an_upload_proposes_a_table_and_a_plan_and_imports_nothing(bo):
    made = actions.upload(actor=bo.actor, file_name="../Order Lines (2).csv", chunks=[ORDERS[:9], ORDERS[9:]])
    assert (made.file_name, made.table, made.state) == (
        "Order Lines (2).csv",
        "data.order_lines_2",
        "draft",
    )
    assert made.path.read_bytes() == ORDERS and made.path.name == f"{made.pk}.csv"
    assert [(column["name"], column["type"]) for column in made.shape["columns"]] == [
        ("day", "date"),
        ("country", "text"),
        ("amount", "number"),
    ]
    assert queries.tables(bo.actor) == {}


@pytest.mark.parametrize(
    ("name", "table"), [("2024.csv", "data.table_2024"), ("….csv", "data.table"), ("", "data.file")]
)
def test_every_file_name_becomes_a_name_for_a_table(bo, name, table):
    assert actions.upload(actor=bo.actor, file_name=name, chunks=[ORDERS]).table == table


def test_a_viewer_uploads_nothing(vi, data_folder):
    with pytest.raises(NotAllowed):
        upload(vi)
    assert not [*data_folder.glob("uploads/*")]


def test_an_empty_file_is_refused_and_not_kept(bo, data_folder):
    with pytest.raises(Invalid) as refused:
        upload(bo, b"")
    assert refused.value.detail and refused.value.mend
    assert not [*data_folder.glob("uploads/*")] and not Import.objects.exists()


def test_a_table_without_a_namespace_is_refused_and_the_file_not_kept(bo, data_folder):
    with pytest.raises(Invalid, match=r"namespace\.table"):
        upload(bo, table="Orders")
    assert not [*data_folder.glob("uploads/*")]


def test_an_upload_that_does_not_fit_on_the_disk_is_said_so_and_leaves_nothing(bo, data_folder):
    def chunks():
        yield ORDERS
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Unavailable, match="could not be kept: No space left") as refused:
        actions.upload(actor=bo.actor, file_name="orders.csv", chunks=chunks())
    assert "Free some space" in refused.value.mend
    assert not [*data_folder.glob("uploads/*")] and not [*data_folder.glob("uploads/.*")]


def test_an_import_brings_every_row_and_says_what_came(bring, bo):
    done = bring()
    assert (done.state, done.rows, done.rejected, done.note) == ("done", 3, 0, "")
    assert sums() == (3, 42.5)
    assert done.snapshot == lake().current("shop.orders").id
    assert queries.table(bo.actor, "shop.orders").rows == 3
    assert "3 rows, 0 set aside" in done.summary()


def test_the_same_file_twice_adds_nothing(bring):
    bring()
    second = bring(name="the same under another name.csv")
    assert (second.state, second.rows) == ("done", 3) and "nothing was added" in second.note
    assert sums() == (3, 42.5)


def test_the_same_file_into_another_table_is_another_load(bring):
    bring()
    bring(table="shop.other")
    assert lake().current("shop.other").rows == 3 and sums() == (3, 42.5)


def test_undo_takes_away_exactly_what_the_import_brought(bring, bo, work_off):
    first, second = bring(), bring(b"day,country,amount\n2026-02-01,Spain,7\n")
    actions.undo(actor=bo.actor, imported=first)
    work_off()
    assert sums() == (1, 7) and again(first).state == "undone" and again(second).state == "done"


def test_what_was_undone_can_be_brought_anew_again_and_again(bring, bo, work_off):
    imported = bring()
    for _ in range(3):
        actions.undo(actor=bo.actor, imported=again(imported))
        work_off()
        assert sums() == (0, None)
        actions.start(actor=bo.actor, imported=again(imported))
        work_off()
        assert sums() == (3, 42.5)


def test_what_was_undone_and_brought_anew_is_not_added_by_another_upload_of_it(bring, bo, work_off):
    first = bring()
    actions.undo(actor=bo.actor, imported=first)
    work_off()
    actions.start(actor=bo.actor, imported=again(first))
    work_off()
    second = bring()
    assert sums() == (3, 42.5) and "nothing was added" in second.note
    assert again(first).load_id == second.load_id


def test_brought_anew_before_the_undo_was_done_is_there_once(bring, bo, work_off):
    first = bring()
    actions.undo(actor=bo.actor, imported=first)
    actions.start(actor=bo.actor, imported=again(first))
    work_off()
    assert sums() == (3, 42.5) and again(first).state == "done"


def test_undoing_one_of_two_imports_of_the_same_file_undoes_both(bring, bo, work_off):
    first, second = bring(), bring()
    actions.undo(actor=bo.actor, imported=second)
    work_off()
    assert {again(first).state, again(second).state} == {"undone"} and sums() == (0, None)
    assert "another import of the same file" in again(first).note


def test_a_dry_run_counts_and_imports_nothing(bo, work_off):
    tried = actions.start(actor=bo.actor, imported=upload(bo), dry_run=True)
    work_off()
    tried = again(tried)
    assert (tried.state, tried.rows, tried.snapshot) == ("draft", 3, "")
    assert "nothing imported" in tried.note and not lake().exists("shop.orders")
    actions.start(actor=bo.actor, imported=tried)
    work_off()
    assert sums() == (3, 42.5) and again(tried).note == ""


def test_a_plan_renames_leaves_out_and_casts(bo, work_off):
    imported = upload(bo)
    plan = dict(imported.plan)
    plan["columns"] = [
        {**column, "name": "worth" if column["name"] == "amount" else column["name"]}
        for column in plan["columns"]
        if column["name"] != "country"
    ]
    imported = actions.plan(actor=bo.actor, imported=imported, table="shop.worth", plan=plan)
    actions.start(actor=bo.actor, imported=imported)
    work_off()
    rows = warehouse().query("SELECT * FROM shop.worth ORDER BY day").table.to_pylist()
    assert [set(row) for row in rows] == [{"day", "worth"}] * 3
    assert sum(row["worth"] for row in rows) == 42.5


def test_a_plan_that_makes_no_sense_is_refused(bo):
    imported = upload(bo)
    with pytest.raises(Invalid) as refused:
        actions.plan(actor=bo.actor, imported=imported, table="shop.orders", plan={"columns": "all"})
    assert refused.value.detail
    assert again(imported).plan == imported.plan


def test_rows_that_do_not_fit_are_set_aside_with_line_and_reason(bo, work_off):
    content = BROKEN + "2026-02-30,5\n2026-02-01,six\n"
    imported = upload(bo, content.encode())
    plan = dict(imported.plan)
    kinds = {"day": "date", "amount": "integer"}
    plan["columns"] = [{**column, "type": kinds[column["name"]]} for column in plan["columns"]]
    imported = actions.plan(actor=bo.actor, imported=imported, table="shop.orders", plan=plan)
    actions.start(actor=bo.actor, imported=imported)
    work_off()
    done = again(imported)
    assert (done.state, done.rows, done.rejected) == ("done", 28, 2), done.note
    assert sum(done.reasons.values()) == 2
    assert {reason.split(":")[0] for reason in done.reasons} == {"day", "amount"}
    rejects = done.rejects_path.read_bytes().decode()
    assert "2026-02-30" in rejects and "six" in rejects and "30" in rejects and "31" in rejects
    answer = bo.call("get", f"/data/imports/{done.pk}/rejects")
    assert b"".join(answer.streaming_content).decode() == rejects
    assert answer["Content-Type"] == "text/csv" and "attachment" in answer["Content-Disposition"]
    page = bo.browser.get(f"/data/imports/{done.pk}/rejects")
    assert b"".join(page.streaming_content).decode() == rejects


def test_where_nothing_was_set_aside_there_is_nothing_to_download(bring, bo):
    done = bring()
    assert bo.call("get", f"/data/imports/{done.pk}/rejects").json()["detail"] == "No rows were set aside."
    assert bo.browser.get(f"/data/imports/{done.pk}/rejects").status_code == 404


def test_a_running_import_is_left_alone(bo):
    imported = actions.start(actor=bo.actor, imported=upload(bo))
    for meddle in (
        lambda: actions.start(actor=bo.actor, imported=imported),
        lambda: actions.undo(actor=bo.actor, imported=imported),
        lambda: actions.discard(actor=bo.actor, imported=imported),
        lambda: actions.plan(actor=bo.actor, imported=imported, table="a.b", plan=imported.plan),
    ):
        with pytest.raises(Conflict, match="is running") as refused:
            meddle()
        assert refused.value.mend == "Wait for it to end, or undo it first."


def test_a_done_import_is_undone_first(bring, bo):
    with pytest.raises(Conflict, match="is done") as refused:
        actions.discard(actor=bo.actor, imported=bring())
    assert refused.value.mend == "Undo it first."


def test_a_discarded_upload_is_gone_with_its_file(bo):
    imported = upload(bo)
    actions.discard(actor=bo.actor, imported=imported)
    assert not imported.path.exists() and not queries.imports(bo.actor).exists()


def test_a_file_that_is_gone_fails_with_a_sentence_and_can_be_retried(bo, work_off):
    imported = upload(bo)
    content = imported.path.read_bytes()
    imported.path.unlink()
    with pytest.raises(NotFound, match="is not kept any more"):
        queries.preview(bo.actor, imported)
    actions.start(actor=bo.actor, imported=imported)
    (job,) = work_off()
    failed = again(imported)
    assert (job.state, failed.state) == ("failed", "failed") and failed.note
    assert not lake().exists("shop.orders")
    imported.path.write_bytes(content)
    actions.start(actor=bo.actor, imported=failed)
    work_off()
    assert again(imported).state == "done" and sums() == (3, 42.5)


def test_an_unexpected_error_is_kept_with_the_import_and_nothing_is_in(bo, work_off, monkeypatch):
    imported = actions.start(actor=bo.actor, imported=upload(bo))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the reader broke")

    with monkeypatch.context() as patched:
        patched.setattr("potager.connectors.files.read", broken)
        (job,) = work_off()
    assert job.state == "failed" and "RuntimeError: the reader broke" in job.problem["detail"]
    assert "stopped unexpectedly: the reader broke" in again(imported).note
    assert not lake().exists("shop.orders")


def test_an_import_canceled_while_it_waits_can_be_started_anew(bo, work_off):
    imported = actions.start(actor=bo.actor, imported=upload(bo))
    cancel(actor=bo.actor, job=imported.job)
    assert (again(imported).state, again(imported).note) == ("draft", "Canceled.")
    assert work_off() == [] and not lake().exists("shop.orders")
    actions.start(actor=bo.actor, imported=again(imported))
    work_off()
    assert sums() == (3, 42.5)


def test_an_import_canceled_while_it_runs_leaves_nothing(bo, work_off, monkeypatch):
    imported = actions.start(actor=bo.actor, imported=upload(bo))

    def canceled(*_: object, **__: object) -> None:
        raise Canceled

    with monkeypatch.context() as patched:
        patched.setattr(Work, "progress", canceled)
        (job,) = work_off()
    assert (job.state, again(imported).state) == ("canceled", "draft")
    assert not lake().exists("shop.orders")


def test_an_undo_that_was_canceled_leaves_the_import_as_it_was(bring, bo, work_off):
    first, second = bring(), bring()
    undone = actions.undo(actor=bo.actor, imported=first)
    cancel(actor=bo.actor, job=undone.job)
    assert (again(first).state, again(second).state) == ("done", "done")
    assert "It was not undone" in again(first).note and sums() == (3, 42.5)


def test_an_import_whose_owner_left_meanwhile_does_not_wait_for_ever(ada, bo, work_off):
    imported = actions.start(actor=bo.actor, imported=upload(bo))
    bo.user.is_active = False
    bo.user.save()
    (job,) = work_off()
    assert job.state == "failed" and again(imported).state == "failed" and again(imported).note
    actions.start(actor=ada.actor, imported=again(imported))
    work_off()
    assert sums()[0] == 3


def test_an_unknown_connector_is_named_with_those_there_are():
    with pytest.raises(NotFound, match="called carrier_pigeon") as refused:
        connector("carrier_pigeon")
    assert "files" in refused.value.mend


def test_a_table_that_is_not_there_is_said_so(bo):
    with pytest.raises(NotFound, match=r"no table shop\.orders"):
        queries.table(bo.actor, "shop.orders")


def test_the_lake_is_tidied_as_a_job(bring, work_off, data_folder: Path):
    from potager.ground.connecting.tasks import enqueue_upkeep

    bring()
    enqueue_upkeep()
    (job,) = work_off()
    assert (job.state, job.result) == ("done", {"expired_snapshots": 0}) and job.owner is None
    assert sums() == (3, 42.5) and Job.objects.filter(job_kind="connecting.upkeep").count() == 1
