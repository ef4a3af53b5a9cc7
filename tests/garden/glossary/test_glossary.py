"""The words of an organization: one meaning to a term, found by its other names, changed by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from potager.garden.glossary.models import Term
from potager.garden.glossary.resources import terms
from potager.kit.errors import Invalid, NotAllowed

pytestmark = pytest.mark.django_db
MRR = {"name": "MRR", "definition": "What recurs each month.", "also_called": "monthly recurring revenue"}


def test_a_term_has_one_meaning_whatever_its_capitals(ada: Any) -> None:
    terms.create(actor=ada.actor, values=MRR)
    with pytest.raises(Invalid) as refused:
        terms.create(actor=ada.actor, values={**MRR, "name": "mrr"})
    assert "already a term of this name" in refused.value.detail
    assert Term.objects.count() == 1


def test_a_term_that_was_archived_leaves_its_name_free(ada: Any) -> None:
    first = terms.create(actor=ada.actor, values=MRR)
    terms.archive(actor=ada.actor, record=first)
    second = terms.create(actor=ada.actor, values={**MRR, "definition": "Another."})
    with pytest.raises(Invalid):
        terms.restore(actor=ada.actor, record=first)
    assert list(terms.rows(ada.actor)) == [second]


def test_a_term_is_found_by_its_other_names_and_by_its_definition(ada: Any) -> None:
    made = terms.create(actor=ada.actor, values=MRR)
    for search in ("mrr", "recurring", "recurs month", "MONTHLY"):
        assert list(terms.rows(ada.actor, search=search)) == [made], search
    assert not terms.rows(ada.actor, search="churn").exists()


def test_a_term_needs_its_name_and_its_definition(ada: Any) -> None:
    for missing in ("name", "definition"):
        with pytest.raises(Invalid) as refused:
            terms.create(actor=ada.actor, values={**MRR, missing: ""})
        assert missing in {error.where for error in refused.value.errors}
    with pytest.raises(Invalid):
        terms.create(actor=ada.actor, values={**MRR, "weed": "x"})
    with pytest.raises(Invalid):
        terms.create(actor=ada.actor, values={**MRR, "name": "x" * 121})


def test_a_viewer_reads_the_words_and_changes_none(ada: Any, vi: Any) -> None:
    made = terms.create(actor=ada.actor, values=MRR)
    assert list(terms.rows(vi.actor)) == [made]
    for change in (
        lambda: terms.create(actor=vi.actor, values={**MRR, "name": "ARR"}),
        lambda: terms.change(actor=vi.actor, record=made, values={"definition": "Mine."}),
        lambda: terms.archive(actor=vi.actor, record=made),
    ):
        with pytest.raises(NotAllowed):
            change()
    assert Term.objects.get().definition == MRR["definition"]


def test_the_pages_of_words_stand_and_a_definition_is_never_markup(ada: Any, vi: Any) -> None:
    made = terms.create(
        actor=ada.actor, values={**MRR, "definition": "<script>alert(1)</script> **each** month"}
    )
    for person in (ada, vi):
        for path in ("/glossary/", "/glossary/?q=recurring", made.url()):
            told = person.browser.get(path)
            assert told.status_code == 200, path
            assert b"<script>alert" not in told.content


def test_words_over_http(ada: Any, vi: Any) -> None:
    assert vi.call("post", "/glossary/terms", MRR).status_code == 403
    made = ada.call("post", "/glossary/terms", MRR)
    assert made.status_code == 201
    key = made.json()["id"]
    assert ada.call("post", "/glossary/terms", MRR).status_code in {409, 422}
    assert [one["id"] for one in vi.call("get", "/glossary/terms?search=recurring").json()["items"]] == [key]
    found = ada.call("patch", f"/glossary/terms/{key}", {"source": "Finance"}, if_match=made["ETag"])
    assert found.status_code == 200 and found.json()["source"] == "Finance"
    stale = ada.call("patch", f"/glossary/terms/{key}", {"source": "Sales"}, if_match=made["ETag"])
    assert stale.status_code == 412
