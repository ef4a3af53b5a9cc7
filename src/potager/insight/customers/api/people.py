"""People over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, page
from potager.insight.customers import actions, queries
from potager.insight.customers.api.accounts import CSV
from potager.insight.customers.api.shapes import (
    CustomerMergeIn,
    CustomerMergeOut,
    CustomerPersonChange,
    CustomerPersonIn,
    CustomerPersonOut,
    DisclosureOut,
    ErasureOut,
    SortName,
)
from potager.insight.customers.files import person_lines
from potager.insight.customers.models import Person

router = Router()


class PeopleIn(Schema):
    """Which people."""

    search: str = Field("", max_length=300, description="Words; the last one may be a beginning.")
    account: UUID | None = Field(None, description="Only people of this account.")
    internal: bool | None = None
    member_of: UUID | None = Field(None, description="Only members of this segment record.")
    sort: SortName = "name"


def _rows(request: HttpRequest, asked: PeopleIn) -> Any:
    who = actor(request)
    member_of = found_in(queries.segments(who), pk=asked.member_of) if asked.member_of else None
    return queries.people(
        who, search=asked.search, member_of=member_of, account=asked.account, internal=asked.internal
    )


def _found(request: HttpRequest, key: UUID) -> Person:
    rows = Person.objects.visible_to(actor(request)).select_related("account", "merged_into")
    return found_in(rows.prefetch_related("handles"), pk=key)


def _values(request: HttpRequest, payload: CustomerPersonChange) -> dict[str, Any]:
    values = payload.model_dump(exclude_none=True)
    if "account" in values:
        given = values["account"]
        values["account"] = queries.account_of(actor(request), given) if given else None
    return values


@router.get(
    "/customers/people",
    response=PageOut[CustomerPersonOut],
    operation_id="customers_person_list",
    summary="List people.",
)
def list_people(request: HttpRequest, paging: PagingIn, asked: Query[PeopleIn]) -> Any:
    """List people, searched, filtered and sorted; erased ones stay in the count, without a name."""
    return page(_rows(request, asked), paging, order=queries.order_of(asked.sort))


@router.get(
    "/customers/people.csv",
    operation_id="customers_person_table",
    summary="Download people as CSV.",
    openapi_extra=CSV,
)
def export_people(request: HttpRequest, asked: Query[PeopleIn]) -> Any:
    """Download people as CSV that no spreadsheet runs as a formula."""
    answer = StreamingHttpResponse(person_lines(_rows(request, asked)), content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="people.csv"'
    return answer


@router.post(
    "/customers/people",
    response={201: CustomerPersonOut},
    operation_id="customers_person_create",
    summary="Add a person.",
)
def create_person(request: HttpRequest, response: HttpResponse, payload: CustomerPersonIn) -> Any:
    """Add a person; without an account, the domain of their address finds one."""
    made = actions.create_person(actor=actor(request), **_values(request, payload))
    return Status(201, tagged(response, made))


@router.get(
    "/customers/people/{uuid:key}",
    response=CustomerPersonOut,
    operation_id="customers_person_get",
    summary="Read one person.",
)
def get_person(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one person; one that was merged says into which."""
    return tagged(response, _found(request, key))


@router.patch(
    "/customers/people/{uuid:key}",
    response=CustomerPersonOut,
    operation_id="customers_person_change",
    summary="Change a person.",
)
def change_person(
    request: HttpRequest, response: HttpResponse, key: UUID, payload: CustomerPersonChange
) -> Any:
    """Change what is named; addresses, where given, replace those they had."""
    with expecting(expected_version(request)):
        changed = actions.change_person(
            actor=actor(request), person=_found(request, key), **_values(request, payload)
        )
    return tagged(response, changed)


@router.post(
    "/customers/people/{uuid:key}/merge",
    response={201: CustomerMergeOut},
    operation_id="customers_person_merge",
    summary="Merge another person into this one.",
)
def merge_person(request: HttpRequest, key: UUID, payload: CustomerMergeIn) -> Any:
    """Merge another person into this one; it can be undone, and the other's key still resolves."""
    kept, merged = _found(request, key), _found(request, payload.merged)
    made = actions.merge_people(actor=actor(request), kept=kept, merged=merged, reason=payload.reason)
    return Status(201, made)


@router.post(
    "/customers/people/{uuid:key}/disclose",
    response=DisclosureOut,
    operation_id="customers_person_disclose",
    summary="Export everything known of a person.",
)
def disclose_person(request: HttpRequest, key: UUID) -> Any:
    """Export everything the house knows of a person; that somebody asked is in the audit."""
    return actions.disclose(actor=actor(request), person=_found(request, key))


@router.post(
    "/customers/people/{uuid:key}/erase",
    response=ErasureOut,
    operation_id="customers_person_erase",
    summary="Erase a person for good.",
)
def erase_person(request: HttpRequest, key: UUID) -> Any:
    """Erase a person for good; the answer says what was kept, and why."""
    return actions.erase(actor=actor(request), person=_found(request, key))
