"""Subscriptions and rates go the way of every import: told what is what, tried, imported, undone."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from potager.ground.connecting.models import Import
from potager.ground.lake.service import lake, warehouse

pytestmark = pytest.mark.django_db
PLAIN = b"who,from,until,price,what\nacme,2026-01-01,,100.00,gold\nzeta,2026-02-01,2026-01-01,50.00,gold\n"
RATES = b"Date,USD,GBP\n2026-01-02,1.25,0.8\n2026-01-01,1.25,N/A\n"
YEARLY = {
    "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "currency": "eur",
    "start_date": 1_700_000_000, "created": 1_700_000_000, "current_period_end": 1_800_000_000,
    "items": {"data": [{"id": "si_1", "quantity": 1, "price": {
        "id": "price_1", "nickname": "Gold", "unit_amount": 120_000, "currency": "eur",
        "recurring": {"interval": "year", "interval_count": 1, "usage_type": "licensed"},
    }}]},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_folder(data_folder):
    return data_folder


def brought(who, name: str, content: bytes) -> Import:
    file = SimpleUploadedFile(name, content)
    answer = who.browser.post("/data/upload", {"file": file, "reader": "stripe"})
    return Import.objects.get(pk=answer["Location"].rsplit("/", 1)[-1])


def test_objects_of_the_api_become_terms_and_go_again(bo, work_off):
    imported = brought(bo, "subscriptions.json", json.dumps(YEARLY).encode())
    page = f"/data/imports/{imported.pk}"
    assert (imported.connector, imported.table) == ("stripe", "billing.terms")
    assert "Gold" in bo.browser.get(page).content.decode()
    bo.browser.post(page, {"table": "billing.terms", "start": "1"})
    work_off()
    (row,) = warehouse().query("SELECT * FROM billing.terms").table.to_pylist()
    assert (row["customer"], row["unit_cents"], row["interval_unit"], row["plan"]) == (
        "cus_1", 120_000, "year", "Gold",
    )  # fmt: skip
    assert row["known_at"] is not None
    bo.browser.post(f"{page}/undo")
    work_off()
    assert lake().current("billing.terms").rows == 0


def test_a_table_says_by_hand_which_column_is_which(bo, work_off):
    imported = brought(bo, "contracts.csv", PLAIN)
    page = f"/data/imports/{imported.pk}"
    told = {
        "role-customer": "who", "role-starts": "from", "role-ends": "until", "role-amount": "price",
        "role-plan": "what", "role-currency": "=EUR", "role-interval": "=month",
    }  # fmt: skip
    bo.browser.post(page, {"table": "billing.terms", **told, "start": "1"})
    work_off()
    imported.refresh_from_db()
    assert (imported.state, imported.rows, imported.rejected) == ("done", 1, 1), imported.note
    (reason,) = imported.reasons
    assert "before it starts" in reason
    kept = b"".join(bo.browser.get(f"{page}/rejects").streaming_content).decode()
    assert "zeta" in kept
    (row,) = warehouse().query("SELECT customer, starts, unit_cents FROM billing.terms").table.to_pylist()
    assert row == {"customer": "acme", "starts": date(2026, 1, 1), "unit_cents": 10_000}


def test_rates_are_turned_into_the_currency_of_the_book(bo, work_off):
    imported = brought(bo, "eurofxref-hist.csv", RATES)
    assert imported.table == "billing.rates"
    page = f"/data/imports/{imported.pk}"
    assert "Rates into" in bo.browser.get(page).content.decode()
    bo.browser.post(page, {"table": "billing.rates", "base": "gbp", "start": "1"})
    work_off()
    rows = warehouse().query("SELECT day, currency, rate FROM billing.rates ORDER BY ALL").table.to_pylist()
    found = {(row["day"], row["currency"]): row["rate"] for row in rows}
    assert found[date(2026, 1, 2), "USD"] == pytest.approx(0.8 / 1.25)
    assert found[date(2026, 1, 2), "EUR"] == pytest.approx(0.8)
    assert (date(2026, 1, 1), "USD") not in found  # no pound was told of that day


def test_what_is_no_file_of_subscriptions_is_refused_with_what_would_be(bo):
    answer = Client().post(
        "/api/data/imports",
        {"file": SimpleUploadedFile("a.json", b'{"object": "charge"}'), "reader": "stripe"},
        HTTP_AUTHORIZATION=f"Bearer {bo.secret}",
    )
    assert answer.status_code == 422
    assert "a.json is JSON with a charge" in answer.json()["detail"]
    assert not Import.objects.exists()


def test_a_reader_that_is_none_is_refused(bo):
    answer = Client().post(
        "/api/data/imports",
        {"file": SimpleUploadedFile("a.csv", PLAIN), "reader": "oracle"},
        HTTP_AUTHORIZATION=f"Bearer {bo.secret}",
    )
    assert answer.status_code == 422
    assert "no reader called oracle" in answer.json()["detail"] and "stripe" in answer.json()["mend"]


def test_a_long_file_says_how_far_it_is_and_can_be_stopped(tmp_path):
    from potager.connectors.stripe import source

    path = tmp_path / "subscriptions.jsonl"
    path.write_text("".join(json.dumps({**YEARLY, "id": f"sub_{at}"}) + "\n" for at in range(12_000)))
    plan, heard = source.plan_from(source.inspect(path)), []
    with source.read(path, plan, progress=lambda progress: heard.append(progress.done)) as reading:
        assert reading.rows == 12_000
    assert heard == [5_000, 10_000]

    def stop(_: object) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), source.read(path, plan, progress=stop):
        pass
