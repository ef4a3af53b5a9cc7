"""Telling a person everything, and forgetting it."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from django.db import connection

from potager.ground.lake.service import lake
from potager.ground.search.queries import find
from potager.insight.customers import actions, queries
from potager.insight.customers.knowing import _HOLDERS, Holder, register
from potager.insight.customers.models import Person, PersonHandle
from potager.kit.errors import Conflict, NotAllowed

pytestmark = pytest.mark.django_db
SECRETS = ("Greta Geheim", "greta.geheim", "greta-key-7", "confidential-trait")


@pytest.fixture
def greta(ada):
    """Somebody whose name, address, key and traits must all go."""
    account = actions.create_account(actor=ada.actor, key="acme", name="Acme", domains=["acme.com"])
    person = actions.create_person(
        actor=ada.actor,
        key="greta-key-7",
        name="Greta Geheim",
        emails=["greta.geheim@acme.com"],
        traits={"note": "confidential-trait"},
    )
    assert person.account == account
    return person


def every_text() -> str:
    """Return every value of every table of the records' database."""
    said = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            said += [str(row) for row in cursor.fetchall()]
    return "\n".join(said)


def test_everything_known_is_told(greta, ada):
    told = actions.disclose(actor=ada.actor, person=greta)
    text = json.dumps(told)
    assert all(secret in text for secret in SECRETS)
    assert set(told["parts"]) >= {"customers", "merges", "segments", "links", "syncs", "audit"}


def test_a_context_adds_what_it_knows(greta, ada):
    register(Holder("letters", "Letters", lambda actor, person: ["Dear Greta"], lambda a, p: ["One stamp."]))
    try:
        told = actions.disclose(actor=ada.actor, person=greta)
        assert told["parts"]["letters"] == {"title": "Letters", "holds": ["Dear Greta"]}
        assert "One stamp." in actions.erase(actor=ada.actor, person=greta).kept
    finally:
        del _HOLDERS["letters"]


def test_after_an_erasure_no_table_holds_the_person(greta, ada):
    actions.create_segment(actor=ada.actor, name="Some", noun="people", keys=["greta-key-7"])
    actions.change_person(actor=ada.actor, person=greta, name="Greta Geheim-Neu")
    greta.refresh_from_db()
    actions.erase(actor=ada.actor, person=greta)
    text = every_text()
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_counts_stay_right(greta, ada):
    segment = actions.create_segment(actor=ada.actor, name="Some", noun="people", keys=["greta-key-7"])
    before = (queries.people(ada.actor).count(), queries.people_in(ada.actor, [greta.account_id]))
    receipt = actions.erase(actor=ada.actor, person=greta)
    assert (queries.people(ada.actor).count(), queries.people_in(ada.actor, [greta.account_id])) == before
    assert queries.how_many(ada.actor, segment) == 1
    assert receipt.key.startswith("erased-") and Person.objects.get().title == "Erased person"


def test_the_search_forgets_the_person(greta, ada):
    assert find(ada.actor, "Greta")
    actions.erase(actor=ada.actor, person=greta)
    assert not find(ada.actor, "Greta") and not find(ada.actor, "erased")


def test_all_who_were_merged_into_the_person_go_too(greta, ada):
    again = actions.create_person(actor=ada.actor, name="Greta G.", emails=["gg@home.example"])
    actions.merge_people(actor=ada.actor, kept=greta, merged=again)
    greta.refresh_from_db()
    receipt = actions.erase(actor=ada.actor, person=greta)
    assert receipt.records == 2 and not PersonHandle.objects.exists()
    assert "gg@home.example" not in every_text() and "Greta G." not in every_text()


def test_no_sync_brings_an_erased_person_back(greta, ada, lake_folder, worked):
    actions.erase(actor=ada.actor, person=greta)
    rows = {
        "user_id": ["greta-key-7", "other", "third"],
        "email": ["", "Greta.Geheim@acme.com", "t@acme.com"],
    }
    lake().append("crm.people", pa.table(rows).to_reader(), load_id="p")
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.people"))
    assert sync.reasons == {"was erased": 2} and sync.added == 1
    assert "greta" not in sync.rejects_path.read_text().lower()
    with pytest.raises(Conflict, match="erased"):
        actions.meet(actor=ada.actor, email="greta.geheim@acme.com")
    with pytest.raises(Conflict, match="erased"):
        actions.create_person(actor=ada.actor, key="greta-key-7")


def test_lines_of_the_person_leave_the_lists_of_rows_with_problems(ada, lake_folder, worked):
    rows = {"email": ["gg@home.example", "gg@home.example", "", "x y"]}
    lake().append("crm.people", pa.table(rows).to_reader(), load_id="p")
    sync = worked(actions.sync_people(actor=ada.actor, table="crm.people"))
    assert "gg@home.example" in sync.rejects_path.read_text()
    receipt = actions.erase(actor=ada.actor, person=queries.person_of(ada.actor, "gg@home.example"))
    assert "gg@home.example" not in sync.rejects_path.read_text()
    assert any("crm.people" in sentence for sentence in receipt.kept)


def test_what_was_erased_is_neither_changed_nor_merged_nor_erased_again(greta, ada):
    other = actions.create_person(actor=ada.actor, key="o", name="O")
    made = actions.merge_people(
        actor=ada.actor, kept=greta, merged=actions.create_person(actor=ada.actor, key="m", name="M")
    )
    greta.refresh_from_db()
    actions.erase(actor=ada.actor, person=greta)
    greta.refresh_from_db()
    for act in (
        lambda: actions.erase(actor=ada.actor, person=greta),
        lambda: actions.change_person(actor=ada.actor, person=greta, name="Back"),
        lambda: actions.merge_people(actor=ada.actor, kept=other, merged=greta),
        lambda: actions.unmerge(actor=ada.actor, merge=made),
    ):
        with pytest.raises(Conflict, match="erased"):
            act()


def test_a_contributor_neither_discloses_nor_erases(greta, bo):
    with pytest.raises(NotAllowed):
        actions.disclose(actor=bo.actor, person=greta)
    with pytest.raises(NotAllowed):
        actions.erase(actor=bo.actor, person=greta)
