"""Pages, as a browser without JavaScript sees them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from potager.garden.glossary.models import Term
from potager.ground.access.models import ApiToken, User
from potager.ground.access.roles import Role
from potager.ground.accounts import actions
from potager.ground.accounts.pages import door_of
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db
PAGES = [
    "/",
    "/search",
    "/search?q=x",
    "/glossary/",
    "/goals/",
    "/people/",
    "/settings/",
    "/jobs/",
    "/audit/",
    "/webhooks/",
]


def test_a_new_installation_leads_to_its_set_up_and_the_owner_is_signed_in(client):
    assert client.get("/")["Location"] == "/setup"
    wrong = client.post("/setup", {"email": "x", "name": "", "password": "short"})
    assert wrong.status_code == 422 and "valid email" in wrong.content.decode()
    right = client.post("/setup", {"email": "ada@example.org", "name": "Ada", "password": PASSWORD})
    assert right["Location"] == "/" and client.get("/").status_code == 200
    assert client.get("/setup")["Location"] == "/"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_its_owner_and_sends_strangers_to_sign_in(ada, client, page):
    assert ada.browser.get(page).status_code == 200
    answer = client.get(page)
    assert answer.status_code == 302 and answer["Location"].startswith("/account/login/")


def test_pages_carry_a_policy_without_inline_code(ada):
    policy = ada.browser.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_sign_in_with_a_password(bo, client):
    answer = client.post("/account/login/", {"login": "BO@example.org", "password": PASSWORD})
    assert answer.status_code == 302 and client.get("/").status_code == 200


def test_nobody_signs_up_uninvited(client):
    assert "invit" in client.get("/account/signup/").content.decode().lower()


def test_an_invitation_is_accepted_in_the_browser(ada, client):
    page = ada.browser.post("/people/", {"email": "di@example.org", "role": 20}).content.decode()
    address = page[page.index("/welcome/pot_") :].split("<")[0].split('"')[0].strip()
    assert client.get(address).status_code == 200
    assert client.post(address, {"name": "Di", "password": PASSWORD})["Location"] == "/"
    assert User.objects.get(email="di@example.org").role == Role.CONTRIBUTOR
    assert client.get(address).status_code == 404


def test_a_plain_noun_is_added_changed_archived_and_restored_on_its_pages(bo):
    browser = bo.browser
    assert browser.get("/glossary/term/new").status_code == 200
    assert browser.post("/glossary/term/new", {"name": ""}).status_code == 422
    page = browser.post("/glossary/term/new", {"name": "Churn", "definition": "They leave."})["Location"]
    assert "They leave." in browser.get(page).content.decode()
    assert browser.post(page + "/edit", {"name": "Churn", "definition": "They left."}).status_code == 302
    assert "They left." in browser.get(page).content.decode()
    browser.post(page + "/archive")
    assert "Nothing here" in browser.get("/glossary/?q=churn").content.decode()
    browser.post(page + "/restore")
    assert Term.objects.get().archived_at is None


def test_a_viewer_sees_no_way_to_edit_and_is_refused_with_a_page(bo, vi):
    bo.browser.post("/glossary/term/new", {"name": "Churn", "definition": "They leave."})
    page = Term.objects.get().url()
    assert "/edit" not in vi.browser.get(page).content.decode()
    refused = vi.browser.get(page + "/edit")
    assert refused.status_code == 403 and "contributor" in refused.content.decode()


def test_the_palette_finds_doors_commands_and_records(bo):
    bo.browser.post("/glossary/term/new", {"name": "Churn", "definition": "They leave."})
    found = bo.browser.get("/palette?q=churn").json()
    assert {"Records"} <= {item["group"] for item in found}
    titles = {item["title"] for item in bo.browser.get("/palette?q=").json()}
    assert {"Terms", "New term", "New goal"} <= titles and "Webhooks" not in titles


def test_the_choice_of_colors_is_kept_and_leads_nowhere_else(bo):
    browser = bo.browser
    answer = browser.post("/theme", {"theme": "dark", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/"
    assert 'data-theme="dark"' in browser.get("/").content.decode()


def test_settings_make_and_revoke_a_token(bo):
    browser = bo.browser
    page = browser.post("/settings/", {"name": "script", "scope": "read", "days": "9"}).content.decode()
    assert "pot_" in page
    token = ApiToken.objects.get(name="script")
    browser.post(f"/settings/tokens/{token.pk}")
    token.refresh_from_db()
    assert token.revoked_at
    assert browser.post("/settings/", {"name": "Bo B", "time_zone": "Europe/Berlin"}).status_code == 302
    assert browser.post("/settings/", {"name": "Bo", "time_zone": "Mars"}).status_code == 422


def test_an_owner_changes_roles_and_closes_accounts(ada, bo):
    browser, page = ada.browser, reverse("person", args=[bo.user.pk])
    browser.post(page, {"role": "30"})
    browser.post(page, {"close": "1"})
    bo.user.refresh_from_db()
    assert (bo.user.role, bo.user.is_active) == (30, False)
    browser.post(page, {"open": "1"})
    invitation, _ = actions.invite(actor=ada.actor, email="di@example.org")
    browser.post(reverse("invitation", args=[invitation.pk]))
    invitation.refresh_from_db()
    assert invitation.revoked_at


def test_the_operators_door_opens_once_signed_and_in_time(bo, client):
    assert client.get("/door/forged:1:x").status_code == 404
    assert client.get(door_of(bo.user))["Location"] == "/"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("address", ["/nowhere", "/glossary/term/018f0000-0000-7000-8000-000000000000"])
def test_what_is_not_there_is_said_on_a_page(bo, address):
    answer = bo.browser.get(address)
    assert answer.status_code == 404 and "mend" not in answer.content.decode()[:0]
    assert "There is no" in answer.content.decode()
