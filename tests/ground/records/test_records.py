"""Records: found by reference as far as one may see them, kept with their version, written down in the audit."""

from __future__ import annotations

from uuid import uuid4

import pytest

from potager.garden.glossary.models import Term
from potager.garden.glossary.resources import terms
from potager.ground.audit.models import AuditEntry
from potager.ground.audit.queries import entries
from potager.ground.links import actions as links
from potager.ground.links.margin import margin
from potager.ground.records.checks import checked
from potager.ground.records.models import model_of, record_kinds
from potager.ground.records.queries import cards, found_in, record
from potager.ground.search.models import SearchEntry
from potager.ground.search.queries import find
from potager.ground.search.reactions import index_everything
from potager.insight.goals.resources import goals
from potager.kit.errors import Changed, Invalid, NotAllowed, NotFound

pytestmark = pytest.mark.django_db
TERM = {"name": "Activation", "definition": "A first deposit."}
GOAL = {"name": "More", "who": "New customers", "does_what": "finish set-up", "by_how_much": "60 %"}


@pytest.fixture
def term(bo) -> Term:
    return terms.create(actor=bo.actor, values=TERM)


def test_a_record_is_found_by_its_kind_and_key(vi, term):
    assert record(vi.actor, "glossary.term", term.pk) == term
    assert found_in(Term.objects.all(), pk=term.pk) == term
    found = cards(vi.actor, [("glossary.term", term.pk), ("glossary.term", uuid4())])
    assert [card.title for card in found.values()] == ["Activation"]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("glossary.term", "nonsense"),
        ("glossary.weed", "x"),
        ("nonsense", "x"),
        ("access.user", "6d1f0c52-7c0e-4f6e-9f60-5d7a3a1f2b11"),
    ],
)
def test_a_reference_to_nothing_is_not_found_with_a_sentence(vi, term, kind, key):
    with pytest.raises(NotFound, match=f"There is no {kind} {key}"):
        record(vi.actor, kind, key)


def test_a_lookup_that_cannot_be_one_finds_nothing():
    with pytest.raises(NotFound, match="There is no term nonsense"):
        found_in(Term.objects.all(), pk="nonsense")


def test_what_is_not_a_record_has_no_kind():
    with pytest.raises(LookupError, match="not a kind of record"):
        model_of("access.user")
    kinds = [model.kind() for model in record_kinds()]
    assert kinds == sorted(kinds) and "glossary.term" in kinds


def test_a_record_that_changed_meanwhile_is_not_overwritten(term):
    other = Term.objects.get(pk=term.pk)
    other.source = "them"
    other.save()
    term.source = "us"
    with pytest.raises(Changed, match="changed or deleted meanwhile"):
        term.save()
    assert Term.objects.get(pk=term.pk).source == "them"


def test_a_check_names_each_field_and_text_is_never_null(term):
    term.name, term.source = "", None
    with pytest.raises(Invalid) as refused:
        checked(term)
    assert [error.where for error in refused.value.errors] == ["name"] and term.source == ""


def test_the_audit_is_for_those_who_may_read_it_and_says_who_did_what(ada, vi, bo, term):
    entry = AuditEntry.objects.get()
    assert "Bo" in str(entry)
    assert [*entries(ada.actor)] == [entry]
    with pytest.raises(NotAllowed):
        entries(vi.actor)


def test_the_index_is_built_anew_from_the_records(bo, term):
    goals.create(actor=bo.actor, values=GOAL)
    SearchEntry.objects.all().delete()
    assert find(bo.actor, "activation") == []
    assert index_everything() >= 2
    (hit,) = find(bo.actor, "activat")
    assert hit.card.title == "Activation" and hit.why == "in its title"
    assert "Activation" in str(SearchEntry.objects.get(record_kind="glossary.term"))


def test_a_kind_that_there_is_not_finds_nothing(bo, term):
    assert find(bo.actor, "activation", kinds=["garden.weed"]) == []


def test_a_link_is_graded_anew_on_new_evidence_and_its_chain_shown(bo, term):
    goal = goals.create(actor=bo.actor, values=GOAL)
    with pytest.raises(Invalid, match="no relation weeds"):
        links.link(actor=bo.actor, source=term, target=goal, relation="weeds")
    made = links.link(actor=bo.actor, source=term, target=goal, relation="supports", evidence="a guess")
    better = links.regrade(actor=bo.actor, link=made, grade=3, evidence="a test", confidence=0.9)
    assert (better.grade, better.evidence, better.version) == (3, "a test", 2)
    (hop,) = margin(bo.actor, goal)["chain_up"]
    assert hop["title"] == "Activation" and hop["grade"] == 3 and margin(bo.actor, term)["chain_up"] == []
