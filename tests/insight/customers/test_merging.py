"""Merging and unmerging."""

from __future__ import annotations

import pytest
from django.core.serializers import serialize

from potager.ground.links.actions import link
from potager.ground.links.models import Link
from potager.ground.search.queries import find
from potager.insight.customers import actions, queries
from potager.insight.customers.actions.merging import preview
from potager.insight.customers.models import Account, AccountHandle, Person, PersonHandle
from potager.kit.errors import Conflict, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(ada):
    """Acme twice: once from the shop, once from the books, with people and links."""
    kept = actions.create_account(
        actor=ada.actor, key="acme", name="Acme", domains=["acme.com"], plan="pro", traits={"seats": 5}
    )
    merged = actions.create_account(
        actor=ada.actor,
        key="acme-gmbh",
        name="ACME GmbH",
        domains=["acme.de"],
        tier="gold",
        traits={"seats": 7, "country": "DE"},
        handles={"stripe": "cus_1"},
    )
    for key, account in (("ann", kept), ("bob", merged)):
        actions.create_person(actor=ada.actor, key=key, name=key.title(), account=account)
    other = actions.create_account(actor=ada.actor, key="casa", name="Casa")
    link(actor=ada.actor, source=merged, target=other, relation="mentions")
    link(actor=ada.actor, source=kept, target=merged, relation="supports")
    return kept, merged


def everything() -> str:
    """All that a merge touches, without the counters of writes."""
    import json

    rows = []
    for model in (Account, Person, AccountHandle, PersonHandle, Link):
        rows += json.loads(serialize("json", model._base_manager.order_by("pk")))
    for row in rows:
        for name in ("version", "updated_at"):
            row["fields"].pop(name, None)
    return json.dumps(rows, sort_keys=True)


def test_people_domains_ids_and_links_follow(two, ada):
    kept, merged = two
    actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged, reason="one company")
    kept.refresh_from_db()
    assert set(kept.people.values_list("key", flat=True)) == {"ann", "bob"}
    assert set(kept.handles.values_list("value", flat=True)) == {"acme.com", "acme.de", "cus_1"}
    assert (kept.plan, kept.tier, kept.traits) == ("pro", "gold", {"seats": 5, "country": "DE"})
    assert Link.objects.alive().filter(from_id=kept.pk, relation="mentions").count() == 1
    assert not Link.objects.alive().filter(relation="supports").exists()  # it would join Acme with itself


def test_the_merged_key_still_resolves(two, ada):
    kept, merged = two
    actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)
    for given in ("acme-gmbh", "acme.de", "somebody@acme.de", "acme"):
        assert queries.account_of(ada.actor, given) == kept
    assert queries.account_of(ada.actor, "cus_1", origin="stripe") == kept
    assert queries.keys_of(ada.actor, ["acme-gmbh", "acme", "no"]) == {"acme-gmbh": "acme", "acme": "acme"}
    assert [hit.card.title for hit in find(ada.actor, "acme")].count("Acme") == 1
    assert "ACME GmbH" not in [hit.card.title for hit in find(ada.actor, "gmbh")]


def test_an_unmerge_restores_exactly(two, ada):
    kept, merged = two
    before = everything()
    made = actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)
    assert everything() != before
    actions.unmerge(actor=ada.actor, merge=made)
    assert everything() == before
    assert "ACME GmbH" in [hit.card.title for hit in find(ada.actor, "gmbh")]


def test_what_was_changed_since_stays_with_the_kept_one(two, ada):
    kept, merged = two
    made = actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)
    kept.refresh_from_db()
    actions.change_account(actor=ada.actor, account=kept, tier="platinum")
    bob = Person.objects.get(key="bob")
    actions.change_person(actor=ada.actor, person=bob, account=None)
    actions.unmerge(actor=ada.actor, merge=made)
    kept.refresh_from_db()
    bob.refresh_from_db()
    assert kept.tier == "platinum" and bob.account is None


def test_merges_are_undone_in_reverse(two, ada):
    kept, merged = two
    third = Account.objects.get(key="casa")
    first = actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)
    kept.refresh_from_db()
    second = actions.merge_accounts(actor=ada.actor, kept=third, merged=kept)
    assert queries.account_of(ada.actor, "acme-gmbh").key == "casa"
    with pytest.raises(Conflict, match="itself merged"):
        actions.unmerge(actor=ada.actor, merge=first)
    actions.unmerge(actor=ada.actor, merge=second)
    actions.unmerge(actor=ada.actor, merge=first)
    with pytest.raises(Conflict, match="undone already"):
        actions.unmerge(actor=ada.actor, merge=first)


def test_a_crash_in_the_middle_leaves_nothing_merged(two, ada, monkeypatch):
    from potager.insight.customers.actions import merging

    kept, merged = two
    before = everything()

    def crash(*given):
        raise RuntimeError("the lights went out")

    monkeypatch.setattr(merging, "_fill", crash)
    with pytest.raises(RuntimeError):
        actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)
    assert everything() == before


def test_a_preview_says_what_would_move_and_writes_nothing(two):
    kept, merged = two
    before = everything()
    seen = preview(kept, merged)
    assert (seen.people, seen.links) == (1, 2)
    assert seen.filled == {"tier": "gold", "country": "DE"}
    assert seen.differing == [("name", "Acme", "ACME GmbH"), ("seats", 5, 7)]
    assert everything() == before


def test_one_cannot_be_merged_with_itself_nor_twice(two, ada):
    kept, merged = two
    with pytest.raises(Conflict, match="with itself"):
        actions.merge_accounts(actor=ada.actor, kept=kept, merged=kept)
    actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)
    with pytest.raises(Conflict, match="merged or archived already"):
        actions.merge_accounts(actor=ada.actor, kept=kept, merged=merged)


def test_two_people_become_one_with_all_their_addresses(ada):
    ann = actions.create_person(actor=ada.actor, name="Ann", emails=["ann@a.example"])
    anne = actions.create_person(actor=ada.actor, name="Anne", emails=["anne@b.example"])
    made = actions.merge_people(actor=ada.actor, kept=ann, merged=anne)
    assert queries.person_of(ada.actor, "anne@b.example") == ann
    actions.unmerge(actor=ada.actor, merge=made)
    assert queries.person_of(ada.actor, "anne@b.example") == anne


def test_a_viewer_cannot_merge(two, vi, ada):
    kept, merged = two
    with pytest.raises(NotAllowed):
        actions.merge_accounts(actor=vi.actor, kept=kept, merged=merged)


def test_what_somebody_may_not_see_cannot_be_merged_by_them(two, bo, ada):
    kept, merged = two
    Account.objects.filter(pk=merged.pk).update(visibility="private")
    with pytest.raises(NotFound):
        actions.merge_accounts(actor=bo.actor, kept=kept, merged=merged)
