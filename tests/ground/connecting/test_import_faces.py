"""Imports on pages and over HTTP."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from potager.ground.connecting.models import Import
from potager.ground.connecting.pages import alive
from potager.ground.lake.service import lake

pytestmark = pytest.mark.django_db
ORDERS = b"day,country,amount\n2026-01-01,Germany,10\n2026-01-02,France,20\n2026-01-03,France,12.5\n"


@pytest.fixture(autouse=True)
def _own_folder(data_folder):
    return data_folder


def file(content: bytes = ORDERS) -> SimpleUploadedFile:
    return SimpleUploadedFile("orders.csv", content, "text/csv")


def over_http(who, **given):
    return Client().post(
        "/api/data/imports", {"file": file(), **given}, HTTP_AUTHORIZATION=f"Bearer {who.secret}"
    )


@pytest.fixture
def uploaded(bo) -> Import:
    answer = bo.browser.post("/data/upload", {"file": file()})
    return Import.objects.get(pk=answer["Location"].rsplit("/", 1)[-1])


def as_shown(imported: Import, **given: str) -> dict[str, str]:
    """The page's form as the browser would send it."""
    sent = {"table": "shop.orders"}
    for number, column in enumerate(imported.plan["columns"]):
        sent |= {
            f"include-{number}": "on",
            f"name-{number}": column["name"],
            f"type-{number}": column["type"],
        }
    return sent | given


def test_a_file_goes_in_and_out_again_in_the_browser(bo, work_off, uploaded):
    browser, page = bo.browser, f"/data/imports/{uploaded.pk}"
    seen = browser.get(page).content.decode()
    assert "orders.csv" in seen and "Germany" in seen and "12.5" in seen
    assert browser.post(page, as_shown(uploaded)).status_code == 302
    uploaded.refresh_from_db()
    assert uploaded.table == "shop.orders" and uploaded.state == "draft"
    browser.post(page, as_shown(uploaded, start="1"))
    assert "orders.csv" in browser.get(page).content.decode()
    work_off()
    assert lake().current("shop.orders").rows == 3
    home = browser.get("/data/").content.decode()
    assert "shop.orders" in home and "orders.csv" in home
    assert "country" in browser.get("/data/tables/shop.orders").content.decode()
    assert "orders.csv" in alive(bo.actor)[0]["text"]
    browser.post(f"{page}/undo")
    work_off()
    assert lake().current("shop.orders").rows == 0
    browser.post(f"{page}/discard")
    assert browser.get(page).status_code == 404


def test_the_page_tries_without_importing(bo, work_off, uploaded):
    bo.browser.post(f"/data/imports/{uploaded.pk}", as_shown(uploaded, **{"try": "1"}))
    work_off()
    assert not lake().exists("shop.orders")
    assert "nothing imported" in bo.browser.get(f"/data/imports/{uploaded.pk}").content.decode()


def test_a_column_left_out_on_the_page_is_not_imported(bo, work_off, uploaded):
    sent = as_shown(uploaded, start="1", **{"name-2": "worth"})
    del sent["include-1"]
    bo.browser.post(f"/data/imports/{uploaded.pk}", sent)
    work_off()
    columns = bo.call("get", "/data/tables/shop.orders").json()["columns"]
    assert [column["name"] for column in columns] == ["day", "worth"]


def test_a_wrong_table_name_is_said_at_its_field(bo, uploaded):
    answer = bo.browser.post(f"/data/imports/{uploaded.pk}", as_shown(uploaded, table="Orders"))
    assert answer.status_code == 422 and "namespace.table" in answer.content.decode()


def test_two_columns_of_one_name_are_said_on_the_page(bo, uploaded):
    answer = bo.browser.post(f"/data/imports/{uploaded.pk}", as_shown(uploaded, **{"name-1": "day"}))
    assert answer.status_code == 422 and "day" in answer.content.decode()


def test_a_file_that_is_nothing_is_said_on_the_page(bo):
    answer = bo.browser.post("/data/upload", {"file": file(b"\x00\x01\x02" * 50)})
    assert answer.status_code == 422 and not Import.objects.exists()


def test_a_page_without_its_file_says_so(bo, uploaded):
    uploaded.path.unlink()
    assert "is not kept any more" in bo.browser.get(f"/data/imports/{uploaded.pk}").content.decode()


def test_asking_for_undo_or_discard_changes_nothing(bo, uploaded):
    for verb in ("undo", "discard"):
        assert bo.browser.get(f"/data/imports/{uploaded.pk}/{verb}").status_code == 302
    uploaded.refresh_from_db()
    assert uploaded.state == "draft" and uploaded.archived_at is None and alive(bo.actor) == []


def test_an_import_over_http_from_upload_to_undo(bo, work_off):
    made = over_http(bo, table="shop.orders")
    assert made.status_code == 201 and made["ETag"] == '"1"'
    path = f"/data/imports/{made.json()['id']}"
    seen = bo.call("get", f"{path}/preview").json()
    assert seen["columns"] == ["day", "country", "amount"] and seen["rows"][0] == [
        "2026-01-01",
        "Germany",
        10.0,
    ]
    planned = bo.call("put", f"{path}/plan", {"table": "shop.lines", "plan": made.json()["plan"]})
    assert planned.json()["table"] == "shop.lines"
    assert bo.call("post", f"{path}/start", {}).json()["state"] == "running"
    work_off()
    assert bo.call("get", path).json()["rows"] == 3
    assert [table["name"] for table in bo.call("get", "/data/tables").json()] == ["shop.lines"]
    table = bo.call("get", "/data/tables/shop.lines").json()
    assert table["rows"] == 3 and [column["name"] for column in table["columns"]][:1] == ["day"]
    assert bo.call("post", f"{path}/undo").json()["state"] == "undone"
    work_off()
    assert bo.call("delete", path).json()["archived_at"]
    assert bo.call("get", "/data/imports").json()["total"] == 0


def test_a_viewer_reads_imports_and_starts_none(bo, vi):
    path = f"/data/imports/{over_http(bo).json()['id']}"
    assert vi.call("get", path).status_code == 200
    for method, where, body in (
        ("post", f"{path}/start", {}),
        ("post", f"{path}/undo", None),
        ("delete", path, None),
    ):
        assert vi.call(method, where, body).status_code == 403
    assert over_http(vi).status_code == 403
