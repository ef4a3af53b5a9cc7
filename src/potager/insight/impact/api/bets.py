"""Bets and what was observed of them, over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema, Status

from potager.ground.acting.action import expecting
from potager.ground.records.queries import found_in
from potager.ground.serving.requests import actor, expected_version, tagged
from potager.ground.serving.schemas import PageOut, PagingIn, RecordOut, page
from potager.insight.impact import actions, queries
from potager.insight.impact.models import Bet, Observation

router = Router(tags=["impact"])


class PredictedIn(Schema):
    """The range that is predicted, for one unit and period of the metric; locked at launch."""

    model_config = {"extra": "forbid"}
    low: float
    high: float
    level: float = Field(0.8, ge=0.5, le=0.99, description="How often such ranges hold.")
    relative: bool = Field(False, description="As a share of what it would have been.")
    on: date | None = Field(None, description="Recorded on; today where not given.")


class MoneyIn(Schema):
    """Where the chain to money ends, and how long an effect counts."""

    model_config = {"extra": "forbid"}
    metric: str | None = Field(None, max_length=120)
    counted: Literal["yearly", "monthly", "flow"] | None = None
    life_months: int | None = Field(None, ge=1, le=1200)
    rate: float | None = Field(None, ge=0.0, le=1.0, description="Discount rate a year.")


class BetChange(Schema):
    """What is changed of a bet; after the launch its metric, prediction, guardrails and kill criteria stand."""

    model_config = {"extra": "forbid"}
    name: str | None = Field(None, max_length=160)
    hypothesis: str | None = Field(None, max_length=20_000)
    who: str | None = Field(None, max_length=160)
    does_what: str | None = Field(None, max_length=300)
    by_how_much: str | None = Field(None, max_length=160)
    by_when: date | None = None
    metric: str | None = Field(None, max_length=120, description="The governed metric it is judged by.")
    unit: str | None = Field(None, max_length=120, description="The entity that it reaches, such as account.")
    predicted: PredictedIn | None = None
    guardrails: list[str] | None = Field(None, max_length=20)
    kill_when: str | None = Field(None, max_length=20_000)
    goal: str | None = Field(None, max_length=160)
    objective: str | None = Field(None, max_length=160)
    team: str | None = Field(None, max_length=120)
    product: str | None = Field(None, max_length=120)
    horizon: Literal["run", "grow", "transform"] | None = None
    risk: Literal["safe", "bold"] | None = None
    money: MoneyIn | None = None
    reach: str | None = Field(None, max_length=20, description="treated, everybody, or a number of units.")
    design: dict[str, Any] | None = Field(None, description="What there is to judge it by.")


class BetIn(BetChange):
    """A bet: what is believed, by which metric it is judged, and the range that is predicted."""

    key: str = Field(max_length=60, description="A word for addresses, commands and questions.")
    name: str = Field(max_length=160)
    metric: str = Field(max_length=120, description="The governed metric it is judged by.")


class BetOut(RecordOut):
    """A bet."""

    key: str
    name: str
    hypothesis: str
    who: str
    does_what: str
    by_how_much: str
    by_when: date | None
    metric_name: str
    unit: str
    predicted_low: float | None
    predicted_high: float | None
    predicted_level: float
    predicted_relative: bool
    predicted_on: date | None
    predicted_before: bool | None
    guardrails: list[str]
    kill_when: str
    goal: str
    objective: str
    team_name: str
    product: str
    horizon: str
    risk: str
    money_metric_name: str
    money_counted: str
    life_months: int
    discount_rate: float
    reach: str
    design: dict[str, Any]
    state: str
    launched_on: date | None
    locked_at: datetime | None
    locked: dict[str, Any]
    ending: str
    ended_on: date | None
    ended_because: str

    @staticmethod
    def resolve_metric_name(bet: Bet) -> str:
        """Return the name of the metric it is judged by."""
        return bet.metric.name

    @staticmethod
    def resolve_money_metric_name(bet: Bet) -> str:
        """Return the name of the money metric, or nothing."""
        return bet.money_metric.name if bet.money_metric else ""


class ObservationOut(RecordOut):
    """What a bet did by a day after launch: an effect with its interval, or a refusal."""

    bet_id: UUID
    metric_name: str
    role: str
    age: int
    start: date
    end: date
    estimate: float | None
    low: float | None
    high: float | None
    level: float | None
    error: float | None
    p_value: float | None
    baseline: float | None
    per: str
    factor: float | None
    whole_per: str
    units: int | None
    method: str
    evidence: str
    checks: list[dict[str, Any]]
    placebos: list[dict[str, Any]]
    passed_over: list[dict[str, Any]]
    refusal: dict[str, Any]
    figures: dict[str, Any]
    receipt: dict[str, Any]

    @staticmethod
    def resolve_metric_name(observation: Observation) -> str:
        """Return the name of the metric that was looked at."""
        return observation.metric.name


class BetSearch(Schema):
    """Which bets."""

    search: str = Field("", max_length=200)
    state: Literal["", "registered", "launched", "closed"] = ""
    team_name: str = Field("", max_length=120)
    product: str = Field("", max_length=120)
    objective: str = Field("", max_length=160)
    horizon: Literal["", "run", "grow", "transform"] = ""
    risk: Literal["", "safe", "bold"] = ""


class LaunchIn(Schema):
    """When it was launched."""

    model_config = {"extra": "forbid"}
    on: date | None = Field(None, description="Today where not given.")


class CloseIn(Schema):
    """What became of it, and why."""

    model_config = {"extra": "forbid"}
    ending: Literal["keep", "kill"]
    because: str = Field(min_length=1, max_length=20_000)
    on: date | None = None


class DesignIn(Schema):
    """What there is to judge a bet by: assignment, holdout, panel, series, elasticity, belief."""

    model_config = {"extra": "forbid"}
    design: dict[str, Any]


class ObserveIn(Schema):
    """Which day after launch to look at."""

    model_config = {"extra": "forbid"}
    age: int | None = Field(
        None, ge=1, le=36_500, description="Days; as far as the data goes where not given."
    )
    as_of: date | None = None


@router.get("/impact/bets", response=PageOut[BetOut], operation_id="impact_bet_list", summary="List bets.")
def list_bets(request: HttpRequest, paging: PagingIn, sought: Query[BetSearch]) -> Any:
    """List bets."""
    return page(queries.bets(actor(request), **sought.dict()), paging)


@router.post(
    "/impact/bets", response={201: BetOut}, operation_id="impact_bet_create", summary="Register a bet."
)
def register_bet(request: HttpRequest, response: HttpResponse, payload: BetIn) -> Any:
    """Register a bet, with the range that is predicted before it is launched."""
    values = payload.dict(exclude_unset=True, exclude_none=True)
    return Status(201, tagged(response, actions.register_bet(actor=actor(request), values=values)))


@router.get(
    "/impact/bets/{slug:key}", response=BetOut, operation_id="impact_bet_get", summary="Read one bet."
)
def get_bet(request: HttpRequest, response: HttpResponse, key: str) -> Any:
    """Read one bet."""
    return tagged(response, queries.bet(actor(request), key))


@router.patch(
    "/impact/bets/{slug:key}", response=BetOut, operation_id="impact_bet_change", summary="Change a bet."
)
def change_bet(request: HttpRequest, response: HttpResponse, key: str, payload: BetChange) -> Any:
    """Change a bet; what was predicted is locked once it is launched."""
    who = actor(request)
    with expecting(expected_version(request)):
        values = payload.dict(exclude_unset=True, exclude_none=True)
        return tagged(response, actions.change_bet(actor=who, bet=queries.bet(who, key), values=values))


@router.post(
    "/impact/bets/{slug:key}/launch",
    response=BetOut,
    operation_id="impact_bet_launch",
    summary="Launch a bet and lock its prediction.",
)
def launch(request: HttpRequest, key: str, payload: LaunchIn) -> Any:
    """Launch a bet; its prediction, metric, guardrails and kill criteria are locked."""
    who = actor(request)
    return actions.launch(actor=who, bet=queries.bet(who, key), on=payload.on)


@router.post(
    "/impact/bets/{slug:key}/close",
    response=BetOut,
    operation_id="impact_bet_close",
    summary="Close a bet: keep it or take it back, and why.",
)
def close(request: HttpRequest, key: str, payload: CloseIn) -> Any:
    """Close a bet."""
    who = actor(request)
    return actions.close(
        actor=who,
        bet=queries.bet(who, key),
        ending=payload.ending,
        because=payload.because,
        on=payload.on,
    )


@router.put(
    "/impact/bets/{slug:key}/design",
    response=BetOut,
    operation_id="impact_design_set",
    summary="Say how a bet is shipped and judged.",
)
def set_design(request: HttpRequest, key: str, payload: DesignIn) -> Any:
    """Say how a bet is shipped and what there is to judge it by."""
    who = actor(request)
    return actions.set_design(actor=who, bet=queries.bet(who, key), design=payload.design)


@router.get(
    "/impact/bets/{slug:key}/observations",
    response=PageOut[ObservationOut],
    operation_id="impact_observation_list",
    summary="List what was observed of a bet.",
)
def list_observations(request: HttpRequest, key: str, paging: PagingIn) -> Any:
    """List what was observed of a bet, newest first; guardrails among it."""
    who = actor(request)
    return page(queries.observations(who, queries.bet(who, key)), paging)


@router.post(
    "/impact/bets/{slug:key}/observations",
    response={201: ObservationOut},
    operation_id="impact_observation_create",
    summary="Observe what a bet did.",
)
def observe(request: HttpRequest, key: str, payload: ObserveIn) -> Any:
    """Look at what a bet did by a day after launch, by the strongest method its design carries, and keep it."""
    who = actor(request)
    made = actions.observe(actor=who, bet=queries.bet(who, key), age=payload.age, as_of=payload.as_of)
    return Status(201, made)


@router.get(
    "/impact/observations/{uuid:key}",
    response=ObservationOut,
    operation_id="impact_observation_get",
    summary="Read one observation.",
)
def get_observation(request: HttpRequest, key: UUID) -> Any:
    """Read one observation, with its receipt."""
    return found_in(queries.observations(actor(request)), pk=key)
