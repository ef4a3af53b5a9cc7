"""The pages and operations of customers, as people and programs meet them."""

from __future__ import annotations

import json

import pytest

from potager.insight.customers import actions
from potager.insight.customers.models import Account, Person, Segment, Sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(ada, lake_folder):
    """Acme with somebody in it."""
    account = actions.create_account(
        actor=ada.actor, key="acme", name="Acme", domains=["acme.com"], plan="pro", traits={"seats": 5}
    )
    actions.create_person(actor=ada.actor, name="Ann", emails=["ann@acme.com"])
    return account


ADDRESSES = (
    "/customers/",
    "/customers/people/",
    "/customers/segments/",
    "/customers/syncs/",
    "/customers/accounts/new",
    "/customers/people/new",
    "/customers/segments/new",
    "/customers/syncs/new",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_shows_without_a_single_customer(lake_folder, ada, address):
    assert ada.browser.get(address).status_code == 200


def test_every_page_shows_with_customers(tables, acme, ada, worked):
    sync = worked(actions.sync_accounts(actor=ada.actor, table="crm.accounts"))
    segment = actions.create_segment(actor=ada.actor, name="Pro", condition="plan is pro")
    ann = Person.objects.get()
    more = (
        acme.url(),
        f"{acme.url()}/edit",
        f"{acme.url()}/merge?merged=acct-1",
        ann.url(),
        f"{ann.url()}/edit",
        f"{ann.url()}/erase",
        segment.url(),
        f"{segment.url()}/edit",
        sync.url(),
        "/customers/syncs/new?table=crm.people&noun=people",
        f"/customers/?in={segment.pk}&plan=pro&sort=-updated_at",
        f"/customers/people/?account={acme.pk}",
    )
    for address in (*ADDRESSES, *more):
        answer = ada.browser.get(address)
        assert answer.status_code == 200, address
    assert "Ann" in ada.browser.get(acme.url()).content.decode()
    assert "has 1\xa0person" in ada.browser.get(acme.url()).content.decode()


def test_an_account_is_added_found_merged_and_unmerged_on_pages(acme, ada):
    form = {"key": "acme-2", "name": "Acme Two", "traits_text": "seats: 7\npaying: yes", "domains": "acme.de"}
    made = ada.browser.post("/customers/accounts/new", form)
    other = Account.objects.get(key="acme-2")
    assert made["Location"] == other.url() and other.traits == {"seats": 7, "paying": True}
    assert "Acme Two" in ada.browser.get("/customers/?q=two").content.decode()
    seen = ada.browser.get(f"{acme.url()}/merge?merged=acme-2").content.decode()
    assert "seats: stays 5; the other says 7" in seen and "paying" in seen
    assert (
        ada.browser.post(f"{acme.url()}/merge", {"merged": "acme-2", "merge": "1"})["Location"] == acme.url()
    )
    page = ada.browser.get(acme.url()).content.decode()
    assert "Merged into it" in page
    merge = actions.merging.Merge.objects.get()
    ada.browser.post(f"/customers/merges/{merge.pk}/undo")
    other.refresh_from_db()
    assert other.merged_into is None


def test_a_form_that_cannot_be_kept_says_why_at_its_field(acme, ada):
    answer = ada.browser.post("/customers/accounts/new", {"key": "b", "domains": "gmail.com"})
    assert answer.status_code == 422 and "says nothing about a company" in answer.content.decode()
    answer = ada.browser.post("/customers/accounts/new", {"key": "b", "traits_text": "seats"})
    assert answer.status_code == 422 and "Line 1 is no trait" in answer.content.decode()
    answer = ada.browser.post(
        "/customers/segments/new", {"name": "S", "noun": "accounts", "condition": "plan"}
    )
    assert answer.status_code == 422 and "Line 1 cannot be read" in answer.content.decode()
    assert ada.browser.post("/customers/segments/new", {"name": "S", "noun": "accounts"}).status_code == 422


def test_csv_runs_no_formula(acme, ada):
    actions.create_account(actor=ada.actor, key="=cmd()", name="@evil", plan="+1")
    text = b"".join(ada.browser.get("/customers/accounts.csv").streaming_content).decode()
    assert "'=cmd(),'@evil,'+1" in text and text.startswith("key,name,plan")
    people = b"".join(ada.browser.get("/customers/people.csv").streaming_content).decode()
    assert "ann@acme.com,Ann,ann@acme.com,acme,no" in people


def test_a_person_is_erased_only_by_who_may_and_means_it(acme, ada, bo):
    ann = Person.objects.get()
    assert bo.browser.get(f"{ann.url()}/erase").status_code == 403
    assert "Erase" not in bo.browser.get(ann.url()).content.decode()
    address = ann.url()
    assert ada.browser.post(f"{address}/erase", {}).status_code == 422
    receipt = ada.browser.post(f"{address}/erase", {"sure": "on"}).content.decode()
    assert "What is kept, and why" in receipt and "audit log" in receipt
    page = ada.browser.get(address).content.decode()
    assert "Erased person" in page and "Ann" not in page
    assert "Erased person" in ada.browser.get("/customers/people/").content.decode()


def test_everything_is_downloaded_by_post(acme, ada):
    ann = Person.objects.get()
    assert ada.browser.get(f"{ann.url()}/everything.json").status_code == 302
    told = json.loads(ada.browser.post(f"{ann.url()}/everything.json").content)
    assert told["parts"]["customers"]["holds"][0]["name"] == "Ann"


def test_a_sync_is_started_on_its_page(tables, ada, worked):
    roles = {"role-0": "key", "role-1": "name", "role-4": "trait"}
    answer = ada.browser.post("/customers/syncs/new", {"table": "crm.accounts", "noun": "accounts", **roles})
    sync = worked(Sync.objects.get())
    assert answer["Location"] == sync.url() and sync.added == 4
    assert Account.objects.get(key="acct-1").traits == {"seats": 12}
    page = ada.browser.get(sync.url()).content.decode()
    assert "key occurs again" in page and "Undo this sync" in page
    answer = ada.browser.post("/customers/syncs/new", {"table": "crm.accounts", "noun": "accounts"})
    assert answer.status_code == 422 and "which column holds the key" in answer.content.decode()


def test_a_viewer_sees_customers_and_is_offered_no_writing(acme, vi):
    page = vi.browser.get("/customers/").content.decode()
    assert "Acme" in page and "Add an account" not in page
    assert vi.browser.get("/customers/accounts/new").status_code == 403
    assert vi.browser.get(f"{acme.url()}/merge").status_code == 403


def test_a_private_account_is_there_for_its_owner_only(acme, ada, bo, vi):
    Account.objects.filter(pk=acme.pk).update(visibility="private", owner_id=bo.user.pk)
    assert vi.browser.get(acme.url()).status_code == 404
    assert bo.browser.get(acme.url()).status_code == 200
    assert vi.call("get", "/customers/resolve?given=acme").status_code == 404


def test_the_palette_finds_customers_and_what_to_do(acme, ada):
    found = [one["title"] for one in ada.browser.get("/palette?q=acme").json()]
    assert "Acme" in found
    assert "Name a segment" in [one["title"] for one in ada.browser.get("/palette?q=segment").json()]


def test_the_whole_way_over_http(acme, ada):
    made = ada.call(
        "post", "/customers/accounts", {"key": "b", "domains": ["b.example"], "handles": {"crm": "9"}}
    )
    assert made.status_code == 201 and made.json()["handles"][0] == {"origin": "domain", "value": "b.example"}
    key = made.json()["id"]
    changed = ada.call("patch", f"/customers/accounts/{key}", {"plan": "free"}, if_match=made["ETag"])
    assert changed.json()["plan"] == "free"
    stale = ada.call("patch", f"/customers/accounts/{key}", {"plan": "pro"}, if_match=made["ETag"])
    assert stale.status_code == 412
    person = ada.call("post", "/customers/people", {"emails": ["z@b.example"], "name": "Z"}).json()
    assert person["account_id"] == key
    resolved = ada.call("get", "/customers/resolve?given=9&origin=crm").json()
    assert (resolved["kind"], resolved["key"]) == ("customers.account", "b")
    merged = ada.call("post", f"/customers/accounts/{acme.pk}/merge", {"merged": key, "reason": "same"})
    assert merged.status_code == 201 and merged.json()["moved"]["people"] == 1
    assert ada.call("get", "/customers/resolve?given=b").json()["key"] == "acme"
    undone = ada.call("post", f"/customers/merges/{merged.json()['id']}/undo")
    assert undone.json()["undone_at"]
    segment = ada.call("post", "/customers/segments", {"name": "F", "keys": ["b", "x"]}).json()
    count = ada.call("get", f"/customers/segments/{segment['id']}/count").json()
    assert count == {"count": 1, "nobody": 1}
    listed = ada.call("get", "/customers/accounts?sort=-name&limit=1").json()
    assert listed["total"] == 2 and listed["next_cursor"]
    after = ada.call("get", f"/customers/accounts?sort=-name&limit=1&cursor={listed['next_cursor']}").json()
    assert [listed["items"][0]["key"], after["items"][0]["key"]] == ["acme", "b"]
    assert ada.call("get", f"/customers/accounts/{acme.pk}/known").json() == {"revenue": None, "usage": None}
    told = ada.call("post", f"/customers/people/{person['id']}/disclose").json()
    assert told["parts"]["customers"]["holds"][0]["name"] == "Z"
    receipt = ada.call("post", f"/customers/people/{person['id']}/erase").json()
    assert receipt["records"] == 1 and receipt["kept"]
    assert Segment.objects.count() == 1


def test_paging_meets_every_account_once(ada):
    names = ["same", "same", "", "z", "a", "same"]
    for number, name in enumerate(names):
        actions.create_account(actor=ada.actor, key=f"k{number}", name=name)
    met, cursor = [], ""
    while True:
        page = ada.call("get", f"/customers/accounts?limit=2&cursor={cursor}").json()
        met += [one["key"] for one in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert sorted(met) == [f"k{number}" for number in range(6)] and len(met) == 6
