"""Finding records, as far as one may see them."""

import pytest

from potager.garden.glossary.models import Term
from potager.garden.glossary.resources import terms
from potager.ground.search.queries import find

pytestmark = pytest.mark.django_db


@pytest.fixture
def term(bo):
    return terms.create(
        actor=bo.actor,
        values={"name": "Activation", "definition": "A customer's first deposit.", "also_called": "aha"},
    )


def test_what_was_written_is_found_by_any_of_its_words(vi, term):
    for text in ("activation", "Activ", "deposit", "AHA", "first customer"):
        (hit,) = find(vi.actor, text)
        assert hit.card.title == "Activation" and hit.card.url == term.url()
    assert find(vi.actor, "churn") == []


@pytest.mark.parametrize("text", ['"', "a' OR 1=1 --", "NOT", "*", "title:", "(", "", "\\", "NEAR(a b)"])
def test_no_text_breaks_the_search(vi, term, text):
    assert all(hit.card.title == "Activation" for hit in find(vi.actor, text))


def test_what_one_may_not_see_is_not_found(bo, vi, term):
    Term.objects.filter(pk=term.pk).update(visibility="private")
    terms.change(actor=bo.actor, record=Term.objects.get(), values={"source": "us"})
    assert find(vi.actor, "activation") == [] and find(bo.actor, "activation")


def test_what_is_archived_is_forgotten_and_found_again_when_restored(bo, term):
    archived = terms.archive(actor=bo.actor, record=term)
    assert find(bo.actor, "activation") == []
    terms.restore(actor=bo.actor, record=archived)
    assert find(bo.actor, "activation")


def test_a_hit_in_the_title_comes_before_one_in_the_text(bo, term):
    terms.create(actor=bo.actor, values={"name": "Zeta", "definition": "Comes after activation."})
    assert [hit.card.title for hit in find(bo.actor, "activation")] == ["Activation", "Zeta"]
    assert [hit.why for hit in find(bo.actor, "activation")] == ["in its title", "in its summary"]
