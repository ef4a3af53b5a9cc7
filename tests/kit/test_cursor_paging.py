"""Cursor paging: nothing twice, nothing left out, whatever comes in between; a cursor that is none is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potager.garden.glossary.models import Term
from potager.garden.glossary.resources import terms
from potager.kit.errors import Invalid
from potager.kit.paging import LARGEST_PAGE, page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def some(ada: Any) -> list[Term]:
    """Seven terms; several share a source."""
    return [
        terms.create(actor=ada.actor, values={"name": f"T{n}", "definition": "d", "source": "ab"[n % 2]})
        for n in range(7)
    ]


def walk(order: str, limit: int) -> list[Term]:
    found: list[Term] = []
    cursor = ""
    while True:
        page = page_of(Term.objects.all(), cursor=cursor, limit=limit, order=order)
        assert page.total == Term.objects.count() and len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if not cursor:
            return found


@pytest.mark.parametrize("order", ["name", "-name", "source", "-source", "-created_at", "created_at"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_hold_every_row_once_and_in_order(some: list[Term], order: str, limit: int) -> None:
    found = walk(order, limit)
    assert {term.pk for term in found} == {term.pk for term in some} and len(found) == 7
    values = [getattr(term, order.lstrip("-")) for term in found]
    assert values == sorted(values, reverse=order.startswith("-"))


def test_what_comes_in_between_moves_no_row_to_another_page(some: list[Term], ada: Any) -> None:
    first = page_of(Term.objects.all(), limit=3, order="name")
    terms.create(actor=ada.actor, values={"name": "A new one", "definition": "d"})
    rest = page_of(Term.objects.all(), cursor=first.next_cursor, limit=50, order="name")
    assert [term.name for term in (*first.items, *rest.items)] == [f"T{n}" for n in range(7)]


@pytest.mark.parametrize("limit", [-1, 0, 10**9])
def test_a_page_has_at_least_one_row_and_no_more_than_the_largest(some: list[Term], limit: int) -> None:
    assert 1 <= len(page_of(Term.objects.all(), limit=limit).items) <= LARGEST_PAGE


@given(st.text(max_size=30))
def test_what_is_no_cursor_is_refused_and_never_an_error(cursor: str) -> None:
    if cursor:
        with pytest.raises(Invalid):
            page_of(Term.objects.all(), cursor=cursor)


@pytest.mark.parametrize("position", [["x"], ["x", "y"], [{}, []], [None, None], [1, 2, 3], {"a": 1}, 7])
def test_a_cursor_of_another_kind_is_refused(position: Any) -> None:
    import base64
    import json

    cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
    with pytest.raises(Invalid) as refused:
        page_of(Term.objects.all(), cursor=cursor)
    assert refused.value.errors[0].where == "cursor"
