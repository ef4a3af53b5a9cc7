"""Links and the chains they make."""

from datetime import timedelta

import pytest

from potager.garden.glossary.resources import terms
from potager.ground.links import actions
from potager.ground.links.models import Grade
from potager.ground.links.queries import chain
from potager.kit.clock import now
from potager.kit.errors import Invalid, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def abc(bo):
    return [terms.create(actor=bo.actor, values={"name": name, "definition": name}) for name in "ABC"]


def test_why_walks_against_and_what_came_of_it_along_the_links(bo, abc):
    a, b, c = abc
    actions.link(actor=bo.actor, source=a, target=b, relation="supports", grade=Grade.EXPERIMENTAL)
    actions.link(actor=bo.actor, source=b, target=c, relation="leads_to", grade=Grade.CORRELATED)
    why = chain(bo.actor, c, "why")
    assert [(hop.source.title, hop.target.title) for hop in why.hops] == [("B", "C"), ("A", "B")]
    assert why.weakest is not None and why.weakest.source.title == "B"
    came = chain(bo.actor, a, "what_came_of_it")
    assert [hop.target.title for hop in came.hops] == ["B", "C"]


def test_an_expired_link_counts_as_asserted(bo, abc):
    a, b, _ = abc
    past = now() - timedelta(days=1)
    made = actions.link(actor=bo.actor, source=a, target=b, relation="drives", grade=5, expires_at=past)
    assert made.present_grade == Grade.ASSERTED


def test_a_ring_of_links_ends_the_walk(bo, abc):
    for source, target in zip(abc, abc[1:] + abc[:1], strict=True):
        actions.link(actor=bo.actor, source=source, target=target, relation="supports")
    assert len(chain(bo.actor, abc[0], "why").hops) == 3


def test_what_one_may_not_see_ends_the_chain(bo, vi, abc):
    a, b, c = abc
    actions.link(actor=bo.actor, source=a, target=b, relation="supports")
    actions.link(actor=bo.actor, source=b, target=c, relation="supports")
    type(b).objects.filter(pk=b.pk).update(visibility="private")
    assert chain(vi.actor, c, "why").hops == ()
    with pytest.raises(NotFound):
        actions.link(
            actor=vi.actor, source=b, target=c, relation="mentions"
        ) if vi.actor.role == 20 else chain_of(vi, b)


def chain_of(who, record):
    from potager.ground.records.queries import record as find

    return find(who.actor, record.kind(), record.pk)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [({"relation": "likes"}, "no relation"), ({"grade": 9}, "grade"), ({"confidence": 2.0}, "confidence")],
)
def test_a_wrong_link_gets_a_sentence(bo, abc, changed, sentence):
    given = {"source": abc[0], "target": abc[1], "relation": "supports", **changed}
    with pytest.raises(Invalid, match=sentence):
        actions.link(actor=bo.actor, **given)


def test_the_same_link_twice_and_a_link_to_itself_are_refused(bo, abc):
    given = {"actor": bo.actor, "relation": "supports"}
    first = actions.link(source=abc[0], target=abc[1], **given)
    with pytest.raises(Invalid, match="already"):
        actions.link(source=abc[0], target=abc[1], **given)
    with pytest.raises(Invalid, match="itself"):
        actions.link(source=abc[0], target=abc[0], **given)
    actions.unlink(actor=bo.actor, link=first)
    assert chain(bo.actor, abc[1], "why").hops == ()
    assert actions.link(source=abc[0], target=abc[1], **given).pk != first.pk
