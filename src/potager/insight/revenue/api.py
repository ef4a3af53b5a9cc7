"""Revenue over HTTP: books, loading them, and what they say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.engines.finance import Bridge, CohortGrid
from potager.ground.acting.action import expecting
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.revenue import actions, buyers_api, outlook_api, queries, readings, why_api
from potager.insight.revenue.downloads import rejected_lines

router = Router(tags=["revenue"])
router.add_router("", outlook_api.router)
router.add_router("", buyers_api.router)
router.add_router("", why_api.router)


class RevenueBookIn(Schema):
    """A table of terms, and how it is counted."""

    model_config = {"extra": "forbid"}
    name: str = Field(max_length=120)
    terms_table: str = Field(max_length=120, description="namespace.table of the lake, in finance's columns.")
    columns: dict[str, str] = Field(
        {}, description="Columns of the terms that the table calls otherwise: ours, theirs."
    )
    rates_table: str = Field("", max_length=120, description="day, currency, rate into the book's currency.")
    currency: str = Field("EUR", max_length=3)
    policy: str = Field("stripe", max_length=60)
    compared: list[str] = Field([], max_length=10, description="Further policies to count by.")


class RevenueBookChange(Schema):
    """What is to be changed about a book."""

    model_config = {"extra": "forbid"}
    name: str | None = Field(None, max_length=120)
    terms_table: str | None = Field(None, max_length=120)
    columns: dict[str, str] | None = None
    rates_table: str | None = Field(None, max_length=120)
    currency: str | None = Field(None, max_length=3)
    policy: str | None = Field(None, max_length=60)
    compared: list[str] | None = Field(None, max_length=10)


class RevenueBookOut(RecordOut):
    """A book, and what came of its last load."""

    name: str
    terms_table: str
    columns: dict[str, str]
    rates_table: str
    currency: str
    policy: str
    compared: list[str]
    state: str
    loaded_at: datetime | None
    through: date | None
    snapshots: dict[str, str]
    rows: int
    movements: int
    rejected: int
    note: str
    job_id: UUID | None


class RevenueJobOut(Schema):
    """The job that does it."""

    id: UUID
    name: str
    state: str


class RevenueSourceOut(Schema):
    """The definitions that were published."""

    id: UUID
    name: str
    namespace: str
    number: int
    text: str


class RevenueMovementOut(Schema):
    """A customer's change on a day, in minor units, signed by what it adds to MRR."""

    customer: str
    plan: str
    currency: str
    day: date
    kind: str
    cents: int


class RevenueMovementsOut(Schema):
    """A page of movements, newest first."""

    items: list[RevenueMovementOut]
    total: int


class RevenueMovementSearch(Schema):
    """Which movements."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    customer: str = Field("", max_length=400)
    kind: str = Field("", max_length=20, description="new, expansion …; moved for all but what rates did.")
    since: date | None = None
    until: date | None = None
    limit: int = Field(50, ge=1, le=queries.MOST_ROWS)
    offset: int = Field(0, ge=0)


class RevenueWindowIn(Schema):
    """Which days, both in it; the last twelve whole months where none are given."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    since: date | None = None
    until: date | None = None


class RevenueMonthsIn(Schema):
    """How many whole months back."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    months: int = Field(readings.WINDOW, ge=1, le=readings.MOST_MONTHS)


class RevenueBridgeOut(Schema):
    """From the start to the end of the days, in minor units; losses are positive, currency has a sign."""

    starts: date
    ends: date = Field(description="The first day after it.")
    currency: str
    start: int
    new: int
    expansion: int
    reactivation: int
    contraction: int
    churn: int
    currency_effect: int
    end: int
    net_new: int


class RevenueCohortCellOut(Schema):
    """A cohort at an age; null is not known yet, which is not zero."""

    maturity: str
    cents: int | None
    customers: int | None
    revenue_share: float | None
    customer_share: float | None


class RevenueCohortOut(Schema):
    """Customers who first paid in one month."""

    month: date
    customers: int
    cents: int
    cells: list[RevenueCohortCellOut]


class RevenueCohortsOut(Schema):
    """Cohorts in rows, ages in months in columns."""

    currency: str
    periods: int
    cohorts: list[RevenueCohortOut]


@router.get(
    "/revenue/books",
    response=PageOut[RevenueBookOut],
    operation_id="revenue_book_list",
    summary="List books.",
)
def list_books(request: HttpRequest, paging: PagingIn) -> Any:
    """List the books in use."""
    return page(queries.books(actor(request)), paging)


@router.post(
    "/revenue/books",
    response={201: RevenueBookOut},
    operation_id="revenue_book_create",
    summary="Describe a book.",
)
def create_book(request: HttpRequest, response: HttpResponse, payload: RevenueBookIn) -> Any:
    """Say which table of the lake holds subscription terms, and how they are counted."""
    return Status(201, tagged(response, actions.describe_book(actor=actor(request), values=payload.dict())))


@router.get(
    "/revenue/books/{uuid:key}",
    response=RevenueBookOut,
    operation_id="revenue_book_get",
    summary="Read one book.",
)
def get_book(request: HttpRequest, response: HttpResponse, key: UUID) -> Any:
    """Read one book, and what came of its last load."""
    return tagged(response, queries.book(actor(request), key))


@router.patch(
    "/revenue/books/{uuid:key}",
    response=RevenueBookOut,
    operation_id="revenue_book_change",
    summary="Change a book.",
)
def change_book(request: HttpRequest, response: HttpResponse, key: UUID, payload: RevenueBookChange) -> Any:
    """Change a book's tables, currency or policies; load it again for the figures to follow."""
    values = {name: value for name, value in payload.dict(exclude_unset=True).items() if value is not None}
    with expecting(expected_version(request)):
        book = queries.book(actor(request), key)
        return tagged(response, actions.change_book(actor=actor(request), book=book, values=values))


@router.delete(
    "/revenue/books/{uuid:key}",
    response=RevenueBookOut,
    operation_id="revenue_book_archive",
    summary="Put a book away.",
)
def archive_book(request: HttpRequest, key: UUID) -> Any:
    """Put a book away; what it wrote stays in the lake."""
    return actions.archive_book(actor=actor(request), book=queries.book(actor(request), key))


@router.post(
    "/revenue/books/{uuid:key}/load",
    response={202: RevenueJobOut},
    operation_id="revenue_book_load",
    summary="Load a book.",
)
def load_book(request: HttpRequest, key: UUID) -> Any:
    """Count a book anew from its tables as they are now, in the background."""
    who = actor(request)
    return Status(202, actions.load_book(actor=who, book=queries.book(who, key)))


@router.post(
    "/revenue/books/{uuid:key}/metrics",
    response=RevenueSourceOut,
    operation_id="revenue_metrics_publish",
    summary="Publish a book's governed metrics.",
)
def publish_metrics(request: HttpRequest, key: UUID) -> Any:
    """Publish MRR, ARR, the movements, paying customers and ARPA of a book, by its own policy."""
    who = actor(request)
    return actions.publish_metrics(actor=who, book=queries.book(who, key))


@router.get(
    "/revenue/books/{uuid:key}/rejected.csv",
    operation_id="revenue_rejected_read",
    summary="Read what the last load set aside.",
)
def read_rejected(request: HttpRequest, key: UUID) -> StreamingHttpResponse:
    """Read the rows that the last load set aside, each with what is wrong and how to mend it, as CSV."""
    lines = rejected_lines(queries.book(actor(request), key))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="set-aside.csv"'
    return response


@router.get(
    "/revenue/books/{uuid:key}/movements",
    response=RevenueMovementsOut,
    operation_id="revenue_movement_list",
    summary="List movements.",
)
def list_movements(request: HttpRequest, key: UUID, sought: Query[RevenueMovementSearch]) -> Any:
    """List the movements of a book by a policy, newest first."""
    given = sought.dict()
    book = queries.book(actor(request), key)
    policy = queries.policy_of(book, given.pop("policy"))
    items, total = queries.movements(book, policy, **given)
    return {"items": items, "total": total}


@router.get(
    "/revenue/books/{uuid:key}/bridge",
    response=list[RevenueBridgeOut],
    operation_id="revenue_bridge_get",
    summary="Say how MRR moved, month by month.",
)
def get_bridge(request: HttpRequest, key: UUID, sought: Query[RevenueMonthsIn]) -> list[Bridge]:
    """Say how MRR went from the start to the end of each of the last whole months, oldest first."""
    book = queries.book(actor(request), key)
    return list(readings.months(book, queries.policy_of(book, sought.policy), sought.months))


@router.get(
    "/revenue/books/{uuid:key}/ratios",
    response=list[outlook_api.RevenueFigureOut],
    operation_id="revenue_ratio_list",
    summary="Say the ratios of a book.",
)
def list_ratios(request: HttpRequest, key: UUID, sought: Query[RevenueWindowIn]) -> list[dict[str, Any]]:
    """Say NRR, GRR, logo and revenue churn, both quick ratios, ARR and ARPA; money is in minor units."""
    book = queries.book(actor(request), key)
    policy = queries.policy_of(book, sought.policy)
    return [outlook_api.figure(told) for told in readings.ratios(book, policy, sought.since, sought.until)]


@router.get(
    "/revenue/books/{uuid:key}/cohorts",
    response=RevenueCohortsOut,
    operation_id="revenue_cohort_list",
    summary="Say what cohorts still pay.",
)
def list_cohorts(request: HttpRequest, key: UUID, sought: Query[RevenueMonthsIn]) -> dict[str, Any]:
    """Say what customers who first paid in one month still pay, month by month; unknown is null."""
    book = queries.book(actor(request), key)
    grid: CohortGrid = readings.cohorts(book, queries.policy_of(book, sought.policy), sought.months)
    return {
        "currency": grid.currency,
        "periods": grid.periods,
        "cohorts": [
            {"month": one.label, "customers": one.customers, "cents": one.cents, "cells": list(one.cells)}
            for one in grid.cohorts
        ],
    }
