"""Every operation has a page that says what it does, runs it as the one who asks, and shows the same call elsewhere."""

from __future__ import annotations

import pytest

from potager.faces.api.operations import operations
from potager.faces.web.operations import elsewhere
from potager.garden.glossary.models import Term

pytestmark = pytest.mark.django_db
NEW_TERM = "/operations/glossary_term_create"


def test_the_list_names_every_operation(ada):
    page = ada.browser.get("/operations/").content.decode()
    assert all(f"/operations/{name}" in page for name in operations())


@pytest.mark.parametrize("name", sorted(operations()))
def test_each_operation_has_a_page(ada, name):
    response = ada.browser.get(f"/operations/{name}")
    assert response.status_code == 200
    assert f"potager {' '.join(operations()[name].words)}" in response.content.decode()


def test_an_operation_is_done_as_the_one_who_asks(bo):
    response = bo.browser.post(
        NEW_TERM, {"name": "Order", "definition": "An invoice that is no cancellation."}
    )
    assert response.status_code == 200 and "An invoice that is no cancellation." in response.content.decode()
    assert Term.objects.get().owner_id == bo.user.pk


def test_who_may_not_gets_the_refusal_and_nothing_is_done(vi):
    response = vi.browser.post(NEW_TERM, {"name": "Order", "definition": "An invoice."})
    assert response.status_code == 403
    assert not Term.objects.exists()


def test_what_is_missing_or_wrong_is_said_at_its_field(ada):
    page = ada.browser.post(NEW_TERM, {"name": ""}).content.decode()
    assert "This field is required." in page
    page = ada.browser.post("/operations/jobs_job_list", {"limit": "many"}).content.decode()
    assert "limit takes a number." in page


def test_a_stranger_is_led_to_the_door(client):
    assert client.get("/operations/").status_code == 302
    assert client.post(NEW_TERM, {"name": "x"}).status_code == 302


def test_the_same_call_elsewhere_is_quoted_for_a_shell():
    calls = dict(
        elsewhere(operations()["metrics_value_get"], {"name": "a b", "period": "2011-11"}, "http://x")
    )
    assert calls["Command line"] == "potager metrics value get 'a b' --period 2011-11"
    assert calls["API"].endswith("'http://x/api/metrics/a%20b/value?period=2011-11'")


def test_the_palette_finds_operations(ada):
    found = ada.browser.get("/palette?q=undo import").json()
    assert any(one["group"] == "Operations" and one["url"].startswith("/operations/") for one in found)
