"""A book's outlook over HTTP: the forecast, a scenario, and what a customer costs and brings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from potager.engines.answers import CannotTell
from potager.engines.finance import nearest
from potager.engines.finance.projection import CHANGEABLE, Rates
from potager.ground.serving.requests import actor
from potager.insight.revenue import outlook, queries
from potager.insight.revenue.readings import Told

router = Router(tags=["revenue"])


class RevenueForecastIn(Schema):
    """How far, and how wide."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    months: int = Field(outlook.AHEAD, ge=1, le=outlook.LONGEST_AHEAD)
    level: float = Field(
        outlook.LEVEL, ge=0.5, le=0.99, description="How much of what comes should lie within."
    )


class RevenueForecastMonthOut(Schema):
    """MRR at the end of a month, in minor units, with its range."""

    month: date
    cents: int
    low: int
    high: int


class RevenueForecastOut(Schema):
    """The next months with tested ranges, or why there are none and what would make them possible."""

    currency: str
    months: list[RevenueForecastMonthOut]
    known_months: int = Field(description="From the first in which anybody paid to the last whole one.")
    level: float | None = None
    method: str = ""
    coverage: float | None = Field(None, description="Share of truths within the ranges given at the time.")
    judged: int = Field(0, description="Of how many truths.")
    origins: int = Field(0, description="Past moments that were forecast from.")
    notes: list[str] = []
    reason: str = ""
    because: str = ""
    mend: str = ""


class RevenueScenarioIn(Schema):
    """Changes in percent of the rates themselves, from next month on; 0 leaves a rate as it went."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    new: Decimal = Field(Decimal(0), ge=-100, le=1000)
    churn: Decimal = Field(Decimal(0), ge=-100, le=1000)
    expansion: Decimal = Field(Decimal(0), ge=-100, le=1000)
    contraction: Decimal = Field(Decimal(0), ge=-100, le=1000)
    basis: int = Field(outlook.BASIS, ge=1, le=36, description="Whole months whose rates are averaged.")
    months: int = Field(outlook.AHEAD, ge=1, le=outlook.LONGEST_AHEAD)


class RevenueRatesOut(Schema):
    """How a month goes: amounts in minor units, the others as shares of what it begins with."""

    new: float
    reactivation: float
    expansion: float
    contraction: float
    churn: float
    months: int


class RevenueScenarioMonthOut(Schema):
    """MRR at the end of a month in both, in minor units."""

    month: date
    base: int
    changed: int


class RevenueScenarioOut(Schema):
    """Both projections, or why there are none."""

    currency: str
    now: int | None = None
    rates: RevenueRatesOut | None = None
    changed_rates: RevenueRatesOut | None = None
    months: list[RevenueScenarioMonthOut] = []
    difference: int | None = Field(None, description="Changed less base after the last month, rounded once.")
    reason: str = ""
    because: str = ""
    mend: str = ""


class RevenueEconomicsIn(Schema):
    """What the book does not hold, and which days; the last twelve whole months where none are given."""

    policy: str = Field("", max_length=60, description="Empty for the book's own.")
    gross_margin: Decimal | None = Field(None, ge=-100, le=100, description="In percent of revenue.")
    spend: Decimal | None = Field(None, ge=0, le=10**12, description="Sales and marketing, in the currency.")
    operating_margin: Decimal | None = Field(None, ge=-1000, le=100, description="In percent of revenue.")
    since: date | None = None
    until: date | None = None


class RevenueFigureOut(Schema):
    """A figure with its parts and range, or why there is none; money is in minor units."""

    key: str
    title: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    variant: str = ""
    parts: dict[str, float] = {}
    reason: str = ""
    because: str = ""
    mend: str = ""


class RevenueEconomicsOut(Schema):
    """What a customer costs and brings, over days that are both in it."""

    currency: str
    since: date
    until: date
    won: int = Field(description="Customers who first paid in these days.")
    figures: list[RevenueFigureOut]


@router.get(
    "/revenue/books/{uuid:key}/forecast",
    response=RevenueForecastOut,
    operation_id="revenue_forecast_get",
    summary="Forecast MRR.",
)
def get_forecast(request: HttpRequest, key: UUID, sought: Query[RevenueForecastIn]) -> dict[str, Any]:
    """Say what MRR will likely be at the end of the next months, with ranges tested on the book's own past."""
    book = queries.book(actor(request), key)
    told = outlook.forecast_of(book, queries.policy_of(book, sought.policy), sought.months, sought.level)
    found, named = told.found, {"currency": told.currency, "known_months": len(told.history)}
    if isinstance(found, CannotTell):
        return {**named, "months": [], **_refused(found)}
    rows = zip(told.ahead, found.values, found.low, found.high, strict=True)
    return {
        **named,
        "months": [
            {
                "month": month,
                "cents": round(float(cents)),
                "low": round(float(low)),
                "high": round(float(high)),
            }
            for month, cents, low, high in rows
        ],
        "level": found.level,
        "method": found.method,
        "coverage": found.coverage,
        "judged": found.judged,
        "origins": found.origins,
        "notes": list(found.notes),
    }


@router.get(
    "/revenue/books/{uuid:key}/scenario",
    response=RevenueScenarioOut,
    operation_id="revenue_scenario_get",
    summary="Say what a change of rates would make of MRR.",
)
def get_scenario(request: HttpRequest, key: UUID, sought: Query[RevenueScenarioIn]) -> dict[str, Any]:
    """Project MRR month by month from the average of the last months' rates, as they are and changed."""
    book = queries.book(actor(request), key)
    changes = {name: Fraction(getattr(sought, name)) for name in CHANGEABLE}
    policy = queries.policy_of(book, sought.policy)
    found = outlook.scenario_of(book, policy, changes, sought.basis, sought.months)
    if isinstance(found, CannotTell):
        return {"currency": book.currency, **_refused(found)}
    rows = zip(found.starts, found.base, found.changed, strict=True)
    return {
        "currency": found.currency,
        "now": found.now,
        "rates": _rates(found.rates),
        "changed_rates": _rates(found.changed_rates),
        "months": [
            {"month": month, "base": nearest(base.end), "changed": nearest(changed.end)}
            for month, base, changed in rows
        ],
        "difference": found.difference,
    }


@router.get(
    "/revenue/books/{uuid:key}/economics",
    response=RevenueEconomicsOut,
    operation_id="revenue_economics_get",
    summary="Say what a customer costs and brings.",
)
def get_economics(request: HttpRequest, key: UUID, sought: Query[RevenueEconomicsIn]) -> dict[str, Any]:
    """Say LTV, CAC, its payback, LTV:CAC and the Rule of 40; each that lacks an input says what to give."""
    book = queries.book(actor(request), key)
    policy = queries.policy_of(book, sought.policy)
    given = outlook.inputs_of(book.currency, sought.gross_margin, sought.spend, sought.operating_margin)
    found = outlook.economics_of(book, policy, given, sought.since, sought.until)
    return {
        "currency": found.currency,
        "since": found.since,
        "until": found.until,
        "won": found.won,
        "figures": [figure(one) for one in found.told],
    }


def _refused(found: CannotTell) -> dict[str, str]:
    return {"reason": found.reason, "because": found.because, "mend": found.mend}


def _rates(rates: Rates) -> dict[str, Any]:
    shares = {name: float(getattr(rates, name)) for name in (*CHANGEABLE, "reactivation")}
    return {**shares, "months": rates.months}


def figure(told: Told) -> dict[str, Any]:
    """Return a figure by the name people use, with its parts and range, or why there is none."""
    named, found = {"key": told.key, "title": told.title}, told.found
    if isinstance(found, CannotTell):
        return {**named, "value": None, **_refused(found)}
    return {
        **named,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "unit": found.unit,
        "variant": found.variant,
        "parts": {name: float(value) for name, value in found.parts},
    }
