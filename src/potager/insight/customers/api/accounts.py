"""Accounts over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, page
from potager.insight.customers import actions, lakes, queries
from potager.insight.customers.api.shapes import (
    AccountChange,
    AccountIn,
    AccountKnownOut,
    AccountOut,
    CustomerMergeIn,
    CustomerMergeOut,
    ResolvedOut,
    SortName,
)
from potager.insight.customers.files import account_lines
from potager.insight.customers.models import Account, Merge
from potager.kit.clock import today

router = Router()
CSV = {"responses": {200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}}


class AccountsIn(Schema):
    """Which accounts."""

    search: str = Field("", max_length=300, description="Words; the last one may be a beginning.")
    plan: str = Field("", max_length=120)
    segment: str = Field("", max_length=120, description="The account's own segment, such as enterprise.")
    tier: str = Field("", max_length=120)
    internal: bool | None = None
    member_of: UUID | None = Field(None, description="Only members of this segment record.")
    sort: SortName = "name"


def _rows(request: HttpRequest, asked: AccountsIn) -> Any:
    who = actor(request)
    member_of = found_in(queries.segments(who), pk=asked.member_of) if asked.member_of else None
    return queries.accounts(
        who,
        search=asked.search,
        member_of=member_of,
        plan=asked.plan,
        segment=asked.segment,
        tier=asked.tier,
        internal=asked.internal,
    )


def _found(request: HttpRequest, key: UUID) -> Account:
    rows = Account.objects.visible_to(actor(request)).select_related("merged_into")
    return found_in(rows.prefetch_related("handles"), pk=key)


@router.get(
    "/customers/accounts",
    response=PageOut[AccountOut],
    operation_id="customers_account_list",
    summary="List accounts.",
)
def list_accounts(request: HttpRequest, paging: PagingIn, asked: Query[AccountsIn]) -> Any:
    """List accounts, searched, filtered and sorted; merged ones are left out."""
    rows = _rows(request, asked).prefetch_related("handles")
    return page(rows, paging, order=queries.order_of(asked.sort))


@router.get(
    "/customers/accounts.csv",
    operation_id="customers_account_export",
    summary="Download accounts as CSV.",
    openapi_extra=CSV,
)
def export_accounts(request: HttpRequest, asked: Query[AccountsIn]) -> Any:
    """Download accounts as CSV that no spreadsheet runs as a formula."""
    lines = account_lines(_rows(request, asked))
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="accounts.csv"'
    return answer


@router.post(
    "/customers/accounts",
    response={201: AccountOut},
    operation_id="customers_account_create",
    summary="Add an account.",
)
def create_account(request: HttpRequest, response: HttpResponse, payload: AccountIn) -> Any:
    """Add an account by its key."""
    values = payload.model_dump(exclude_none=True)
    return Status(201, tagged(response, actions.create_account(actor=actor(request), **values)))


@router.get(
    "/customers/accounts/{uuid:key}",
    response=AccountOut,
    operation_id="customers_account_get",
    summary="Read one account.",
)
def get_account(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one account; one that was merged says into which."""
    return tagged(response, _found(request, key))


@router.patch(
    "/customers/accounts/{uuid:key}",
    response=AccountOut,
    operation_id="customers_account_change",
    summary="Change an account.",
)
def change_account(request: HttpRequest, response: HttpResponse, key: UUID, payload: AccountChange) -> Any:
    """Change what is named; domains, where given, replace those it had."""
    values = payload.model_dump(exclude_none=True)
    with expecting(expected_version(request)):
        changed = actions.change_account(actor=actor(request), account=_found(request, key), **values)
    return tagged(response, changed)


@router.get(
    "/customers/accounts/{uuid:key}/known",
    response=AccountKnownOut,
    operation_id="customers_account_known",
    summary="Read an account's revenue and usage.",
)
def known_of_account(request: HttpRequest, key: UUID) -> Any:
    """Read what the lake knows of an account: revenue by month, usage by week."""
    account = _found(request, key)
    keys = queries.keys_under([account])[account.key]
    return {"revenue": lakes.revenue_of(keys, today()), "usage": lakes.usage_of(keys, today())}


@router.post(
    "/customers/accounts/{uuid:key}/merge",
    response={201: CustomerMergeOut},
    operation_id="customers_account_merge",
    summary="Merge another account into this one.",
)
def merge_account(request: HttpRequest, key: UUID, payload: CustomerMergeIn) -> Any:
    """Merge another account into this one; it can be undone, and the other's key still resolves."""
    kept, merged = _found(request, key), _found(request, payload.merged)
    made = actions.merge_accounts(actor=actor(request), kept=kept, merged=merged, reason=payload.reason)
    return Status(201, made)


class ResolveIn(Schema):
    """Who is sought."""

    given: str = Field(
        min_length=1, max_length=300, description="A key, an address, a domain, or a source's id."
    )
    origin: str = Field("", max_length=60, description="The source whose id it is.")


@router.get(
    "/customers/resolve",
    response=ResolvedOut,
    operation_id="customers_customer_resolve",
    summary="Find who a key, an address or a source's id means.",
)
def resolve(request: HttpRequest, asked: Query[ResolveIn]) -> Any:
    """Find the person or account that is meant; merged keys lead to what they became."""
    found = queries.resolve(actor(request), asked.given, origin=asked.origin)
    return {"kind": found.kind(), "id": found.pk, "key": found.key, "title": found.title, "url": found.url()}


@router.get(
    "/customers/merges",
    response=PageOut[CustomerMergeOut],
    operation_id="customers_merge_list",
    summary="List merges.",
)
def list_merges(request: HttpRequest, paging: PagingIn) -> Any:
    """List merges of accounts and of people, newest first."""
    return page(queries.merges(actor(request)), paging)


@router.get(
    "/customers/merges/{uuid:key}",
    response=CustomerMergeOut,
    operation_id="customers_merge_get",
    summary="Read one merge.",
)
def get_merge(request: HttpRequest, key: UUID) -> Any:
    """Read one merge."""
    return found_in(queries.merges(actor(request)), pk=key)


@router.post(
    "/customers/merges/{uuid:key}/undo",
    response=CustomerMergeOut,
    operation_id="customers_merge_undo",
    summary="Undo a merge.",
)
def undo_merge(request: HttpRequest, key: UUID) -> Any:
    """Undo a merge: exactly what it moved goes back."""
    merge: Merge = found_in(queries.merges(actor(request)), pk=key)
    return actions.unmerge(actor=actor(request), merge=merge)
