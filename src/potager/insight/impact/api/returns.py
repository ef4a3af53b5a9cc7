"""What product investments returned, how good the predictions were, and where people could go, over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from potager.engines.answers import CannotTell
from potager.ground.access.actors import require
from potager.ground.serving.requests import actor
from potager.insight.impact import forecasting, queries, saying, shapes
from potager.insight.impact.ledger import Ledger, ledger, weakest_first
from potager.insight.metrics.periods import parse_period
from potager.kit.clock import today
from potager.kit.errors import NotFound

router = Router(tags=["impact"])


class SpanOut(Schema):
    """An estimate with its range."""

    estimate: float
    low: float
    high: float


class ReturnRefusalOut(Schema):
    """Why there is no number, and what would change that."""

    reason: str
    because: str
    mend: str


class SumOut(Schema):
    """Several bets together: paid, returned so far and expected over their lives, and of how many that can be told."""

    name: str
    bets: int
    told: int
    cost: SpanOut
    cost_told: SpanOut
    returned: SpanOut | None
    expected: SpanOut | None
    predicted: SpanOut | None
    predicted_bets: int
    evidence: str
    keys: list[str]


class LineOut(Schema):
    """One bet of the ledger, from what it cost to what it returned."""

    key: str
    name: str
    url: str
    team: str
    launched_on: date | None
    says: str
    cost: SpanOut
    returned: SpanOut | None
    expected: SpanOut | None
    predicted: SpanOut | None
    predicted_before_launch: bool | None
    granted: SpanOut | None
    corrected: SpanOut | None
    given_up: float
    ratio: float | None
    evidence: str
    refusal: ReturnRefusalOut | None
    chain: dict[str, Any] | None


class MovementOut(Schema):
    """Claims + outside + unexplained = how a metric moved."""

    metric: str
    unit: str
    start: date
    end: date
    before: float | None
    after: float | None
    observed: float | None
    outside: float | None
    unexplained: float | None
    capped: bool
    claims: list[dict[str, Any]]
    sentences: list[str]
    says: str
    refusal: ReturnRefusalOut | None


class LedgerOut(Schema):
    """What was invested and what it returned."""

    says: str
    currency: str
    total: SumOut
    lines: list[LineOut]
    movements: list[MovementOut]
    winners_curse: list[dict[str, Any]]
    notes: list[str]


class LedgerSearch(Schema):
    """Which bets, as of which day."""

    as_of: date | None = None
    period: str = Field(
        default="", max_length=40, description="Launched in this period, such as 2025 or 2025-Q2."
    )
    team_name: str = Field(default="", max_length=120)
    product: str = Field(default="", max_length=120)
    objective: str = Field(default="", max_length=160)


class CalibrationOut(Schema):
    """How good predictions are as a group."""

    says: str
    result: dict[str, Any] | None
    refusal: ReturnRefusalOut | None
    predictions: list[dict[str, Any]]


class CellOut(Schema):
    """Bets of one horizon and risk."""

    horizon: str
    risk: str
    bets: int
    told: int
    cost: float
    people_months: float
    returned: SpanOut | None
    ratio: float | None


class ScenarioIn(Schema):
    """People from one group of bets to another."""

    by: Literal["team", "product", "objective", "horizon", "risk"] = "team"
    source: str = Field(max_length=160)
    target: str = Field(max_length=160)
    share: float = Field(0.1, gt=0.0, le=1.0)
    as_of: date | None = None


class ScenarioOut(Schema):
    """What moving people would have changed."""

    says: str
    change: SpanOut | None
    people_months: float | None
    refusal: ReturnRefusalOut | None


class TestingIn(Schema):
    """What the test will be like."""

    reach: float = Field(
        gt=0.0, description="How many units get it once it is rolled out (a ratio: a share)."
    )
    test_error: float | None = Field(None, ge=0.0, description="The standard error the test will have.")
    price: float = Field(0.0, ge=0.0, description="What the test costs, delay within.")


class TestingOut(Schema):
    """What a test is worth."""

    says: str
    evpi: float | None
    evsi: float | None
    net: float | None
    chance_to_change: float | None
    break_even: float | None
    refusal: ReturnRefusalOut | None


class WaitingOut(Schema):
    """What a month of not shipping costs."""

    says: str
    month: SpanOut | None
    refusal: ReturnRefusalOut | None


def _ledger(request: HttpRequest, sought: LedgerSearch) -> Ledger:
    who = actor(request)
    require(who, "impact.read")
    as_of = sought.as_of or today()
    span = parse_period(sought.period) if sought.period else None
    filters = sought.dict(exclude={"as_of", "period"})
    return ledger(who, as_of, start=span.start if span else None, end=span.end if span else None, **filters)


@router.get(
    "/impact/ledger",
    response=LedgerOut,
    operation_id="impact_ledger_get",
    summary="Read what product investments returned.",
)
def get_ledger(request: HttpRequest, sought: Query[LedgerSearch]) -> Any:
    """Read what was invested and what it returned, bet by bet, with every movement settled."""
    found = _ledger(request, sought)
    return shapes.whole(found, saying.of_ledger(found))


@router.get(
    "/impact/ledger/by/{str:what}",
    response=list[SumOut],
    operation_id="impact_ledger_roll",
    summary="Roll the ledger up.",
)
def roll_up(
    request: HttpRequest,
    what: Literal["team", "objective", "product", "year", "horizon", "risk"],
    sought: Query[LedgerSearch],
) -> Any:
    """Roll the ledger up by team, objective, product, year of launch, horizon or risk."""
    found = _ledger(request, sought)
    return [shapes.rolled(one) for one in found.by(what)]


@router.get(
    "/impact/claims",
    response=list[LineOut],
    operation_id="impact_claim_list",
    summary="List claims, the weakest first.",
)
def list_claims(request: HttpRequest, sought: Query[LedgerSearch]) -> Any:
    """List what bets claim, the weakest evidence first."""
    found = _ledger(request, sought)
    return [shapes.line(one) for one in weakest_first(found.lines)]


@router.get(
    "/impact/calibration",
    response=CalibrationOut,
    operation_id="impact_calibration_get",
    summary="Read how good predictions are.",
)
def get_calibration(request: HttpRequest, sought: Query[LedgerSearch]) -> Any:
    """Read how often predicted ranges held what came, as a group."""
    who = actor(request)
    require(who, "impact.read")
    rows = forecasting.judged(
        who,
        sought.as_of or today(),
        team_name=sought.team_name,
        product=sought.product,
        objective=sought.objective,
    )
    return shapes.calibration(forecasting.calibration(rows), rows)


@router.get(
    "/impact/portfolio",
    response=list[CellOut],
    operation_id="impact_portfolio_get",
    summary="Read the ledger by horizon and risk.",
)
def get_portfolio(request: HttpRequest, sought: Query[LedgerSearch]) -> Any:
    """Read what was paid and returned by horizon (run, grow, transform) and risk (safe, bold)."""
    found = _ledger(request, sought)
    return [shapes.cell(one) for one in forecasting.portfolio(actor(request), found)]


@router.get(
    "/impact/scenario",
    response=ScenarioOut,
    operation_id="impact_scenario_get",
    summary="Read what moving people would have changed.",
)
def get_scenario(request: HttpRequest, given: Query[ScenarioIn]) -> Any:
    """Read what moving a share of people from one group of bets to another would have changed in returns."""
    found = _ledger(request, LedgerSearch(as_of=given.as_of))
    made = forecasting.moving_people(actor(request), found, given.by, given.source, given.target, given.share)
    return shapes.scenario(made)


@router.get(
    "/impact/bets/{slug:key}/testing",
    response=TestingOut,
    operation_id="impact_testing_get",
    summary="Read what a test of a bet is worth.",
)
def get_testing(request: HttpRequest, key: str, given: Query[TestingIn]) -> Any:
    """Read whether to test a bet before rolling it out: in money, from its prediction and its cost."""
    who = actor(request)
    made = forecasting.worth_of_testing(
        who,
        queries.bet(who, key),
        today(),
        test_error=given.test_error,
        price=given.price,
        reach=given.reach,
    )
    if isinstance(made, CannotTell):
        nothing = dict.fromkeys(("evpi", "evsi", "net", "chance_to_change", "break_even"))
        return {**nothing, "says": str(made), "refusal": asdict(made)}
    value = made.value
    return {
        "says": value.sentence,
        "evpi": value.evpi,
        "evsi": value.evsi,
        "net": value.net,
        "chance_to_change": value.chance_to_change,
        "break_even": made.break_even,
        "refusal": None,
    }


@router.get(
    "/impact/bets/{slug:key}/returns",
    response=LineOut,
    operation_id="impact_bet_returns",
    summary="Read what one bet returned.",
)
def get_returns(request: HttpRequest, key: str, sought: Query[LedgerSearch]) -> Any:
    """Read one line of the ledger, with its chain to money."""
    found = _ledger(request, LedgerSearch(as_of=sought.as_of))
    queries.bet(actor(request), key)
    for one in found.lines:
        if one.bet.key == key:
            return shapes.line(one)
    raise NotFound(f"{key} was not launched by then.", mend="Launch it first.")


@router.get(
    "/impact/bets/{slug:key}/waiting",
    response=WaitingOut,
    operation_id="impact_waiting_get",
    summary="Read what a month of not shipping a bet costs.",
)
def get_waiting(request: HttpRequest, key: str, sought: Query[LedgerSearch]) -> Any:
    """Read what a month in which a launched bet had not been shipped would have cost."""
    found = _ledger(request, LedgerSearch(as_of=sought.as_of))
    queries.bet(actor(request), key)
    for one in found.lines:
        if one.bet.key == key:
            made = forecasting.cost_of_waiting(one)
            if isinstance(made, CannotTell):
                return {"says": str(made), "month": None, "refusal": asdict(made)}
            said = f"A month without it costs {saying.money(made, found.currency)}."
            return {"says": said, "month": shapes.span(made), "refusal": None}
    raise NotFound(f"{key} was not launched by then.", mend="Launch it first.")
