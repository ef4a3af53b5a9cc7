"""Why a figure is not another, over HTTP: between policies, between two days' knowledge, current and committed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from potager.engines.finance import PolicyDifference, Restatement
from potager.ground.serving.requests import actor
from potager.insight.revenue import queries, why, why_pictures, why_restated
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policy_named

router = Router(tags=["revenue"])


class RevenueDifferenceIn(Schema):
    """Which two policies, at the end of which day."""

    first: str = Field("", max_length=60, description="A policy; the book's own where empty.")
    second: str = Field("", max_length=60, description="Another; the next of the book's where empty.")
    on: date | None = Field(None, description="The load's last day where not given.")


class RevenueDifferenceAsked(RevenueDifferenceIn):
    """Which two policies, and what the second's own page shows."""

    stated: int | None = Field(None, description="What the second's own page shows, in minor units.")


class RevenueDifferenceSearch(RevenueDifferenceIn):
    """Which page of the movements that differ."""

    customer: str = Field("", max_length=400, description="Of one customer; of all where empty.")
    limit: int = Field(50, ge=1, le=queries.MOST_ROWS)
    offset: int = Field(0, ge=0)


class RevenueKnobSourceOut(Schema):
    """What a vendor's page says of a rule, and where."""

    policy: str
    says: str


class RevenueKnobOut(Schema):
    """A rule on which two policies disagree, how each has it, and its part of the difference in minor units."""

    knob: str
    says: str
    cents: int
    first: str
    second: str
    sources: list[RevenueKnobSourceOut]


class RevenueDifferenceOut(Schema):
    """Both figures in minor units, and their difference by rule; the rules add up to it."""

    first_policy: str
    second_policy: str
    on: date
    currency: str
    sentence: str
    first: int
    second: int
    difference: int
    unexplained: int | None = Field(description="What is stated less second; null where nothing is stated.")
    movements: int = Field(description="How many movements differ.")
    knobs: list[RevenueKnobOut]


class RevenueDifferingMovementOut(Schema):
    """A movement under both policies in minor units, and its difference by rule."""

    customer: str
    currency: str
    day: date
    kind: str
    first: int
    second: int
    parts: dict[str, int]


class RevenueDifferingMovementsOut(Schema):
    """A page of movements, those of the customers farthest apart first."""

    items: list[RevenueDifferingMovementOut]
    total: int


class RevenueRestatementIn(Schema):
    """MRR at the end of ``as_of``, as it was told on ``then`` and is told on ``now``."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    then: date | None = Field(None, description="A month before now where not given.")
    as_of: date | None = Field(None, description="The end of the month before then where not given.")
    now: date | None = Field(None, description="Today where not given.")


class RevenueRestatementSearch(RevenueRestatementIn):
    """Which page of the movements told otherwise."""

    customer: str = Field("", max_length=400, description="Of one customer; of all where empty.")
    limit: int = Field(50, ge=1, le=queries.MOST_ROWS)
    offset: int = Field(0, ge=0)


class RevenueCauseOut(Schema):
    """A cause of the restatement, its customers, and its part in minor units."""

    cause: str
    customers: int
    cents: int


class RevenueRestatementOut(Schema):
    """What was said then and what is known now, in minor units; the causes add up to the difference."""

    policy: str
    then: date
    as_of: date
    now: date
    currency: str
    sentence: str
    said_then: int
    known_now: int
    difference: int
    movements: int = Field(description="How many movements are told otherwise.")
    causes: list[RevenueCauseOut]


class RevenueRestatedMovementOut(RevenueDifferingMovementOut):
    """A movement as it was said (first) and as it is known (second), and why: came later, withdrawn, corrected."""

    cause: str


class RevenueRestatedMovementsOut(Schema):
    """A page of movements told otherwise, those of the customers farthest apart first."""

    items: list[RevenueRestatedMovementOut]
    total: int


class RevenueCommittedIn(Schema):
    """By which policy, and how many customers."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    most: int = Field(20, ge=1, le=queries.MOST_ROWS)


class RevenueLeavingOut(Schema):
    """A customer whose cancellation is asked for and has not happened yet, in minor units."""

    customer: str
    current: int
    committed: int
    ends: date | None


class RevenueCommittedOut(Schema):
    """MRR as it is billed, and without what was canceled and still runs, in minor units."""

    policy: str
    on: date
    currency: str
    sentence: str
    current: int
    committed: int
    customers: int = Field(description="How many leave or come to pay less.")
    leaving: list[RevenueLeavingOut]


def _page(
    found: PolicyDifference | Restatement, sought: RevenueDifferenceSearch | RevenueRestatementSearch
) -> dict[str, Any]:
    items, total = why.rows_of(found, sought.limit, sought.offset, sought.customer)
    return {"items": [{**row, "day": row["date"]} for row in items], "total": total}


def _difference(book: Book, sought: RevenueDifferenceIn) -> PolicyDifference:
    first, second = why.pair(book, sought.first, sought.second)
    return why.difference(book, first, second, sought.on)


@router.get(
    "/revenue/books/{uuid:key}/difference",
    response=RevenueDifferenceOut,
    operation_id="revenue_difference_get",
    summary="Say why MRR by one policy is not MRR by another.",
)
def get_difference(request: HttpRequest, key: UUID, sought: Query[RevenueDifferenceAsked]) -> dict[str, Any]:
    """Say why our MRR is not Stripe's, ChartMogul's or ProfitWell's: every cent, by the rule behind it."""
    book = queries.book(actor(request), key)
    found = _difference(book, sought)
    first, second = found.first.get(book.currency, 0), found.second.get(book.currency, 0)
    return {
        "first_policy": found.first_policy,
        "second_policy": found.second_policy,
        "on": found.on,
        "currency": book.currency,
        "sentence": why_pictures.sentence(found, book.currency, sought.stated),
        "first": first,
        "second": second,
        "difference": second - first,
        "unexplained": None if sought.stated is None else sought.stated - second,
        "movements": found.table.num_rows,
        "knobs": why_pictures.knobs(found, book.currency),
    }


@router.get(
    "/revenue/books/{uuid:key}/difference/movements",
    response=RevenueDifferingMovementsOut,
    operation_id="revenue_difference_list",
    summary="List the movements that differ between two policies.",
)
def list_difference(
    request: HttpRequest, key: UUID, sought: Query[RevenueDifferenceSearch]
) -> dict[str, Any]:
    """List the movements that differ, by rule; those of the customers farthest apart in the end first."""
    book = queries.book(actor(request), key)
    return _page(_difference(book, sought), sought)


def _restated(book: Book, sought: RevenueRestatementIn) -> tuple[Restatement, why_restated.Days]:
    days = why_restated.days_of(book, sought.then, sought.as_of, sought.now)
    policy = policy_named(sought.policy or book.policy).name
    return why_restated.restated(book, policy, days.then, days.as_of, days.now), days


@router.get(
    "/revenue/books/{uuid:key}/restatement",
    response=RevenueRestatementOut,
    operation_id="revenue_restatement_get",
    summary="Say why MRR of a day is not what was said then.",
)
def get_restatement(request: HttpRequest, key: UUID, sought: Query[RevenueRestatementIn]) -> dict[str, Any]:
    """Say what MRR was told to be on one day, what is known of it on another, and why they differ."""
    book = queries.book(actor(request), key)
    found, days = _restated(book, sought)
    said, known = why_restated.said_and_known(found, book.currency)
    return {
        "policy": found.policy,
        "then": days.then,
        "as_of": days.as_of,
        "now": days.now,
        "currency": book.currency,
        "sentence": why_pictures.restated_sentence(found, book.currency, days.as_of),
        "said_then": said,
        "known_now": known,
        "difference": known - said,
        "movements": found.table.num_rows,
        "causes": [
            {"cause": cause, "customers": customers, "cents": cents}
            for cause, customers, cents in why_restated.causes(found, book.currency)
        ],
    }


@router.get(
    "/revenue/books/{uuid:key}/restatement/movements",
    response=RevenueRestatedMovementsOut,
    operation_id="revenue_restatement_list",
    summary="List the movements that two days tell differently.",
)
def list_restatement(
    request: HttpRequest, key: UUID, sought: Query[RevenueRestatementSearch]
) -> dict[str, Any]:
    """List the movements told otherwise, each with its cause; customers farthest apart in the end first."""
    book = queries.book(actor(request), key)
    return _page(_restated(book, sought)[0], sought)


@router.get(
    "/revenue/books/{uuid:key}/committed",
    response=RevenueCommittedOut,
    operation_id="revenue_committed_get",
    summary="Say what of MRR is committed.",
)
def get_committed(request: HttpRequest, key: UUID, sought: Query[RevenueCommittedIn]) -> dict[str, Any]:
    """Say MRR with and without what was canceled and still runs, and which customers leave when."""
    book = queries.book(actor(request), key)
    policy = policy_named(sought.policy or book.policy).name
    found = why.committed(book, policy, sought.most)
    return {
        "policy": policy,
        "on": found.on,
        "currency": book.currency,
        "sentence": why_pictures.committed_sentence(found, book.currency),
        "current": found.current,
        "committed": found.committed,
        "customers": found.customers,
        "leaving": list(found.leaving),
    }
