"""Bringing customers from tables."""

from __future__ import annotations

import pytest

from potager.ground.lake.service import lake
from potager.ground.search.queries import find
from potager.insight.customers import actions, queries
from potager.insight.customers.models import Account, AccountHandle, Person, Sync, SyncChange
from potager.kit.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.insight.customers.conftest import table

pytestmark = pytest.mark.django_db


def test_columns_become_fields_and_traits_by_their_names(synced):
    assert synced.mapping["key"] == "account_id" and synced.mapping["domains"] == "domain"
    assert synced.mapping["traits"] == {"seats": "seats", "country_code": "Country code"}
    acme = Account.objects.get(key="acct-1")
    assert (acme.name, acme.plan, acme.traits) == ("Acme", "pro", {"seats": 12, "country_code": "DE"})


def test_rows_that_cannot_be_taken_are_counted_and_listed(synced):
    assert (synced.rows, synced.added, synced.set_aside) == (6, 4, 2)
    assert synced.reasons == {
        "no key": 1,
        "key occurs again": 1,
        "taken without: public domain": 1,
        "taken without: no domain": 1,
    }
    lines = synced.rejects_path.read_text().splitlines()
    assert lines[0] == "key,problem,taken" and len(lines) == 5


def test_a_web_address_is_read_as_its_domain_and_a_public_one_makes_no_company(synced):
    assert set(AccountHandle.objects.values_list("value", flat=True)) == {"acme.com", "bolt.example"}


def test_the_same_again_changes_nothing(synced, ada, worked):
    again = worked(actions.sync_accounts(actor=ada.actor, table="crm.accounts"))
    assert (again.added, again.changed) == (0, 0)
    assert Account.objects.get(key="acct-1").version == 1
    assert not SyncChange.objects.filter(sync=again).exists()


def test_what_the_table_does_not_know_is_left_as_it_was(synced, ada, worked):
    acme = Account.objects.get(key="acct-1")
    actions.change_account(actor=ada.actor, account=acme, tier="gold", traits={**acme.traits, "mood": "good"})
    lake().append(
        "crm.more", table({"key": ["acct-1"], "plan": [None], "seats": [13]}).to_reader(), load_id="m"
    )
    worked(actions.sync_accounts(actor=ada.actor, table="crm.more"))
    acme.refresh_from_db()
    assert (acme.plan, acme.tier, acme.traits["mood"], acme.traits["seats"]) == ("pro", "gold", "good", 13)


def test_a_sync_is_undone_as_a_unit(synced, ada, worked):
    lake().append(
        "crm.more", table({"key": ["acct-1", "new-1"], "plan": ["team", "team"]}).to_reader(), load_id="m"
    )
    more = worked(actions.sync_accounts(actor=ada.actor, table="crm.more"))
    assert (more.added, more.changed) == (1, 1)
    undone = worked(actions.undo_sync(actor=ada.actor, sync=more))
    assert undone.state == "undone" and undone.note == ""
    assert not Account.objects.filter(key="new-1").exists()
    assert Account.objects.get(key="acct-1").plan == "pro"
    assert find(ada.actor, "new-1", kinds=["customers.account"]) == []
    worked(actions.undo_sync(actor=ada.actor, sync=synced))
    assert not Account.objects.exists() and not AccountHandle.objects.exists()


def test_what_was_changed_since_stays_when_its_sync_is_undone(synced, ada, worked):
    acme = Account.objects.get(key="acct-1")
    actions.change_account(actor=ada.actor, account=acme, plan="enterprise")
    undone = worked(actions.undo_sync(actor=ada.actor, sync=synced))
    assert undone.note.startswith("1 stayed as they are")
    assert list(Account.objects.values_list("key", "plan")) == [("acct-1", "enterprise")]


def test_people_find_their_company_by_the_domain_of_their_address(synced, ada, worked):
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.people"))
    at = dict(Person.objects.values_list("key", "account__key"))
    assert at == {"u-1": "acct-1", "u-2": "acct-2", "u-3": None, "u-4": None, "u-5": None}
    assert sync.reasons == {"taken without: no address": 1}
    assert queries.person_of(ada.actor, "ADA@acme.com").key == "u-1"


def test_new_domains_become_companies_where_asked_and_go_with_an_undo(synced, ada, worked):
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.people", make_accounts=True))
    assert Person.objects.get(key="u-4").account.key == "fresh.example"
    assert Person.objects.get(key="u-3").account is None  # gmail.com says nothing
    worked(actions.undo_sync(actor=ada.actor, sync=sync))
    assert not Person.objects.exists() and not Account.objects.filter(key="fresh.example").exists()
    assert Account.objects.count() == 4


def test_an_account_that_nobody_knows_is_said_and_the_person_comes_in(synced, ada, worked):
    rows = {"user_id": ["a", "b"], "account_id": ["acct-1", "acct-9"]}
    lake().append("crm.members", table(rows).to_reader(), load_id="m")
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.members"))
    assert Person.objects.get(key="a").account.key == "acct-1"
    assert Person.objects.get(key="b").account is None
    assert sync.reasons == {"taken without: account unknown": 1}


def test_of_a_key_that_occurs_twice_the_latest_row_counts(lake_folder, ada, worked):
    rows = {"key": ["k", "k"], "name": ["old", "new"], "updated_at": ["2026-01-01", "2026-02-01"]}
    lake().append("crm.twice", table(rows).to_reader(), load_id="t")
    worked(actions.sync_accounts(actor=ada.actor, table="crm.twice"))
    assert Account.objects.get().name == "new"


def test_an_address_without_a_key_is_the_key(lake_folder, ada, worked):
    lake().append("crm.mails", table({"email": ["A@b.example", "a@B.example"]}).to_reader(), load_id="t")
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.mails"))
    assert Person.objects.get().key == "a@b.example" and sync.reasons == {"key occurs again": 1}


def test_two_keys_with_one_address_are_both_in_and_said(lake_folder, ada, worked):
    rows = {"user_id": ["a", "b"], "email": ["x@y.example", "x@y.example"]}
    lake().append("crm.two", table(rows).to_reader(), load_id="t")
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.two"))
    assert Person.objects.count() == 2 and sync.reasons == {"taken without: email of another": 1}


def test_everything_brought_is_found_at_once(synced, ada):
    assert [hit.card.title for hit in find(ada.actor, "acme")] == ["Acme"]
    assert [hit.card.title for hit in find(ada.actor, "bolt.example")] == ["Bolt"]
    assert [account.key for account in queries.accounts(ada.actor, search="acct-3")] == ["acct-3"]


def test_a_killed_sync_is_done_again_and_counts_everything(synced, ada):
    from potager.ground.jobs.work import Work
    from potager.insight.customers.tasks import run_sync

    Sync.objects.filter(pk=synced.pk).update(state="running", added=0)
    run_sync(Work(synced.job_id, ada.actor), sync_id=str(synced.pk))
    synced.refresh_from_db()
    assert (synced.state, synced.added) == ("done", 4)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"key": "nothing"}, "no column nothing"),
        ({"name": "company"}, "which column holds the key"),
        ({"key": "account_id", "colour": "plan"}, "no field colour"),
        ({"key": "account_id", "traits": {"Seats!": "seats"}}, "cannot be called"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_what_is_wrong(tables, ada, mapping, says):
    with pytest.raises(Invalid, match=says):
        actions.sync_accounts(actor=ada.actor, table="crm.accounts", mapping=mapping)


def test_a_table_that_is_not_there_is_said(lake_folder, ada):
    with pytest.raises(NotFound, match=r"no table crm\.none"):
        actions.sync_accounts(actor=ada.actor, table="crm.none")


def test_a_viewer_cannot_bring_customers(tables, vi):
    with pytest.raises(NotAllowed):
        actions.sync_accounts(actor=vi.actor, table="crm.accounts")


def test_two_syncs_of_a_kind_wait_for_each_other(tables, ada):
    actions.sync_accounts(actor=ada.actor, table="crm.accounts")
    with pytest.raises(Conflict, match="is running"):
        actions.sync_accounts(actor=ada.actor, table="crm.accounts")


def test_columns_of_every_type_become_plain_traits(lake_folder, ada, worked):
    from datetime import date
    from decimal import Decimal

    rows = {
        "key": ["k"],
        "since": [date(2026, 3, 1)],
        "price": [Decimal("12.50")],
        "share": [float("nan")],
        "paying": [True],
    }
    lake().append("crm.types", table(rows).to_reader(), load_id="t")
    worked(actions.sync_accounts(actor=ada.actor, table="crm.types"))
    assert Account.objects.get().traits == {"since": "2026-03-01", "price": 12.5, "paying": True}
