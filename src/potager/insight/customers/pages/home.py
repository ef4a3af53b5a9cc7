"""What the pages share: tabs, trails, filters, and what home shows of customers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse

from potager.ground.access.actors import Actor
from potager.insight.customers import queries
from potager.insight.customers.models import Segment
from potager.kit import words

_TABS = (
    ("Accounts", "customers"),
    ("People", "customer-people"),
    ("Segments", "segments"),
    ("Syncs", "syncs"),
)


def tabs(current: str) -> list[dict[str, Any]]:
    """Return the tabs of the customers' pages."""
    return [{"title": title, "url": reverse(name), "current": name == current} for title, name in _TABS]


def trail(*more: tuple[str, str]) -> list[dict[str, str]]:
    """Return the trail to a page of customers."""
    first = ("Customers", reverse("customers"))
    return [{"title": title, "url": url} for title, url in (first, *more)]


def download(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    """Return lines of CSV as a file to be downloaded."""
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def asked_segment(request: HttpRequest, who: Actor, noun: str) -> Segment | None:
    """Return the segment that ``?in=`` names, if the actor may see it."""
    from potager.ground.records.queries import found_in

    key = request.GET.get("in", "")
    return found_in(queries.segments(who).filter(noun_kind=noun), pk=key) if key else None


def kept(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what a search keeps of the address: every filter, and the order."""
    return [(name, str(value)) for name, value in request.GET.items() if name not in {"q", "cursor"}]


def filter_of(request: HttpRequest, name: str, title: str, value: str) -> dict[str, str]:
    """Return a filter that is on, with the address that takes it off."""
    query = request.GET.copy()
    for gone in (name, "cursor"):
        query.pop(gone, None)
    return {"name": title, "value": value, "remove": f"?{query.urlencode()}"}


def choice_of(request: HttpRequest, name: str, value: str, title: str) -> dict[str, str]:
    """Return a filter that can be put on."""
    query = request.GET.copy()
    query.pop("cursor", None)
    query[name] = value
    return {"title": title, "url": f"?{query.urlencode()}"}


def alive(who: Actor) -> list[dict[str, Any]]:
    """Return what home shows of the customers: how many there are."""
    last = queries.accounts(who).order_by("-updated_at").first()
    if last is None:
        return []
    accounts, people = queries.accounts(who).count(), queries.people(who).count()
    text = f"{words.counted(accounts, 'accounts')}, {words.counted(people, 'people')}"
    address = reverse("customers")
    return [
        {
            "context": "Customers",
            "context_url": address,
            "text": text,
            "url": address,
            "when": last.updated_at,
        }
    ]
