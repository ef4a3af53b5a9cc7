"""Buyers over HTTP: tables of purchases, their cohorts, and two groups compared."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from potager.engines.answers import CannotTell
from potager.engines.behavior.shares import ShareDifference
from potager.ground.access.actors import require
from potager.ground.serving.requests import actor
from potager.insight.revenue import buyers, buyers_compare

router = Router(tags=["revenue"])


class RevenueBuyersIn(Schema):
    """A table of purchases. Columns that are not named are guessed from their names; an empty one is none."""

    table: str = Field(max_length=240, description="namespace.table of the lake.")
    customer: str | None = Field(None, max_length=240)
    at: str | None = Field(None, max_length=240, description="A date or a time.")
    amount: str | None = Field(None, max_length=240, description="A number; below 0 is a cancellation.")
    times: str | None = Field(
        None, max_length=240, description="A quantity that the amount is multiplied by."
    )
    order: str | None = Field(None, max_length=240, description="Lines of one order are one purchase.")


class RevenueBuyersCohortsIn(RevenueBuyersIn):
    """Which cohorts."""

    cohorts: int = Field(buyers.MOST_COHORTS, ge=1, le=buyers.MOST_COHORTS, description="The latest so many.")


class RevenueBuyersCompareIn(RevenueBuyersIn):
    """Which two groups, by the months of their first purchases."""

    first: str = Field(max_length=20, description="A month as 2010-12, or several as 2011-03..2011-05.")
    second: str = Field(max_length=20)
    horizon: int | None = Field(
        None, ge=1, le=buyers_compare.LONGEST_HORIZON,
        description="Days since the first purchase; the longest that all were watched for where not given.",
    )  # fmt: skip


class RevenueBuyersTableOut(Schema):
    """A table that could be read, with its columns as guessed."""

    table: str
    rows: int | None
    customer: str
    at: str
    amount: str
    times: str = ""
    order: str = ""


class RevenueBuyersCellOut(Schema):
    """A cohort in a month of its life: whole, partial (the month is not over), or unknown: null, which is not zero."""

    age: int
    state: str
    buyers: int | None
    amount: float | None


class RevenueBuyersCohortOut(Schema):
    """Those who first bought in one month, and the net revenue they brought in it."""

    month: date
    buyers: int
    amount: float
    cells: list[RevenueBuyersCellOut]


class RevenueBuyersCohortsOut(Schema):
    """Cohorts in rows, months since the first purchase in columns."""

    first: date | None
    last: date | None = Field(description="The last day the data tell of.")
    buyers: int
    rows: int
    unnamed_rows: int = Field(description="Rows that name no customer, and are left out.")
    cohorts: list[RevenueBuyersCohortOut]


class RevenueBuyersShareOut(Schema):
    """A share of so many buyers, with its 95 % range (Wilson)."""

    part: int
    whole: int
    value: float
    low: float
    high: float


class RevenueBuyersDifferenceOut(Schema):
    """The first share less the second, with its 95 % range; null with the reason where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    because: str = ""
    mend: str = ""


class RevenueBuyersGroupOut(Schema):
    """A group: everybody, those watched for the whole horizon, and who of these bought again."""

    name: str
    buyers: int
    watched: int
    again: int
    share: RevenueBuyersShareOut | None
    curve: RevenueBuyersDifferenceOut = Field(description="The share by Kaplan and Meier, of all.")
    spent: float | None = Field(description="Mean net revenue a buyer in the days after the first.")


class RevenueBuyersAgeOut(Schema):
    """A month that all of both groups have lived."""

    age: int
    first: RevenueBuyersShareOut
    second: RevenueBuyersShareOut
    difference: RevenueBuyersDifferenceOut


class RevenueBuyersCompareOut(Schema):
    """Two groups over the same days since the first purchase."""

    horizon: int | None
    groups: list[RevenueBuyersGroupOut] = []
    difference: RevenueBuyersDifferenceOut = Field(description="Of the shares who bought again (Newcombe).")
    curves: RevenueBuyersDifferenceOut | None = Field(
        None, description="By Kaplan and Meier, with Greenwood."
    )
    spent: RevenueBuyersDifferenceOut | None = Field(None, description="Of net revenue a buyer (Welch).")
    ages: list[RevenueBuyersAgeOut] = []
    confounders: list[str] = []


def _purchases(sought: RevenueBuyersIn) -> buyers.Purchases:
    names = ("table", "customer", "at", "amount", "times", "order")
    given = {name: getattr(sought, name) for name in names}
    return buyers.checked({name: value for name, value in given.items() if value is not None})


@router.get(
    "/revenue/buyers/tables",
    response=list[RevenueBuyersTableOut],
    operation_id="revenue_buyers_table_list",
    summary="List tables of purchases.",
)
def list_tables(request: HttpRequest) -> list[dict[str, Any]]:
    """List the tables of the lake that hold a customer, a time and an amount."""
    require(actor(request), "revenue.read")
    return [{"rows": one["rows"], **one["columns"]} for one in buyers.readable()]


@router.get(
    "/revenue/buyers/cohorts",
    response=RevenueBuyersCohortsOut,
    operation_id="revenue_buyers_cohorts_get",
    summary="Say who buys again, by the month of the first purchase.",
)
def get_cohorts(request: HttpRequest, sought: Query[RevenueBuyersCohortsIn]) -> dict[str, Any]:
    """Say how many of those who first bought in a month bought in each month since, and their net revenue."""
    require(actor(request), "revenue.read")
    grid = buyers.grid(_purchases(sought), sought.cohorts)
    return {**vars(grid.reach), "cohorts": list(grid.cohorts)}


@router.get(
    "/revenue/buyers/compare",
    response=RevenueBuyersCompareOut,
    operation_id="revenue_buyers_compare_get",
    summary="Compare who came back of two groups of buyers.",
)
def get_comparison(request: HttpRequest, sought: Query[RevenueBuyersCompareIn]) -> dict[str, Any]:
    """Compare two groups over the same days since the first purchase, with ranges and what else could explain it."""
    require(actor(request), "revenue.read")
    first = buyers_compare.months_of(sought.first, "first")
    second = buyers_compare.months_of(sought.second, "second")
    found = buyers_compare.compare_buyers(_purchases(sought), first, second, sought.horizon)
    if isinstance(found, CannotTell):
        return {"horizon": sought.horizon, "difference": _range(found)}
    told = found.difference
    shares = (None, None) if isinstance(told, CannotTell) else (told.first, told.second)
    spent = found.spent
    return {
        "horizon": found.horizon,
        "groups": [
            {
                "name": group.months.name,
                "buyers": group.buyers,
                "watched": group.watched,
                "again": group.again,
                "share": part,
                "curve": _range(group.curve),
                "spent": group.spent.sum / group.spent.n if group.spent.n else None,
            }
            for group, part in zip((found.first, found.second), shares, strict=True)
        ],
        "difference": _range(told),
        "curves": _range(found.curves),
        "spent": _range(spent if isinstance(spent, CannotTell) else spent.difference),
        "ages": [
            {"age": one.age, "first": one.difference.first, "second": one.difference.second,
             "difference": _range(one.difference)}
            for one in found.ages
        ],
        "confounders": list(found.confounders),
    }  # fmt: skip


def _range(found: CannotTell | ShareDifference | Any) -> dict[str, Any]:
    if isinstance(found, CannotTell):
        return {"value": None, "reason": found.reason, "because": found.because, "mend": found.mend}
    return {"value": found.value, "low": found.low, "high": found.high}
