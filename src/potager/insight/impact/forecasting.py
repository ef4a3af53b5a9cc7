"""How good are our predictions, is a test worth its price, what does waiting cost, and where should people go?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.causal import Calibration, Hop, Prediction, ValueOfTesting, calibrate, value_of_testing
from potager.ground.access.actors import Actor
from potager.insight.impact import queries
from potager.insight.impact.ledger import Ledger
from potager.insight.impact.lines import Line, Range
from potager.insight.impact.models import Bet, Horizon, Observation, Risk
from potager.insight.impact.to_money import Worth, error_of, hops_to, money_a_month, month_factors
from potager.kit import words

MOVED = 0.1


@dataclass(frozen=True, slots=True)
class Judged:
    """One prediction beside what came. ``why_not`` says why it does not count, or nothing."""

    bet: Bet
    observation: Observation | None
    low: float | None
    high: float | None
    observed: float | None
    why_not: str

    @property
    def held(self) -> bool | None:
        """Return whether the range held what came; None where that cannot be told."""
        if self.why_not or self.low is None or self.high is None or self.observed is None:
            return None
        return self.low <= self.observed <= self.high


def judged(actor: Actor, as_of: date, **filters: str) -> list[Judged]:
    """Return every prediction of a launched bet beside what came."""
    bets = [one for one in queries.bets(actor, **filters) if one.launched_on and one.launched_on <= as_of]
    latest = queries.latest(actor, bets)
    return [judge(bet, latest.get(bet.pk)) for bet in bets]


def judge(bet: Bet, seen: Observation | None) -> Judged:
    """Return a bet's prediction beside what came, and why it does not count where it does not."""
    estimate = seen.estimate if seen is not None and seen.told else None
    if bet.predicted is None:
        return Judged(bet, seen, None, None, estimate, "No range was recorded.")
    low, high = bet.predicted
    if bet.predicted_relative:
        if seen is None or seen.baseline is None:
            return Judged(bet, seen, None, None, estimate, "What the range is relative to is not known.")
        low, high = sorted((low * seen.baseline, high * seen.baseline))
    if not bet.predicted_before:
        why = "The range was recorded after the launch."
    elif seen is None:
        why = "It was not observed yet."
    elif not seen.told:
        why = "What came cannot be told."
    elif seen.evidence == "belief":
        why = "What came was not measured, only believed."
    else:
        why = ""
    return Judged(bet, seen, low, high, estimate, why)


def calibration(rows: Sequence[Judged]) -> Calibration | CannotTell:
    """Judge the predictions that count as a group."""
    return calibrate(
        [
            Prediction(row.low, row.high, row.observed, row.bet.predicted_level)
            for row in rows
            if not row.why_not and row.low is not None and row.high is not None and row.observed is not None
        ]
    )


@dataclass(frozen=True, slots=True)
class TestWorth:
    """Whether to test a bet before rolling it out: in money, over the bet's life."""

    value: ValueOfTesting
    break_even: float
    per_unit: float
    test_error: float
    currency: str


def worth_of_testing(
    actor: Actor, bet: Bet, as_of: date, *, test_error: float | None = None, price: float = 0.0, reach: float
) -> TestWorth | CannotTell:
    """Return what a test of the bet is worth; ``test_error`` is the standard error it will have.

    What is believed is the predicted range; the threshold is the effect that pays the cost back; an effect is worth
    what the chain carries it to over the bet's life, for ``reach`` units. Without an error given, that of a test half
    as wide as the prediction is taken.
    """
    if bet.predicted is None or bet.predicted_relative:
        return CannotTell(
            "undefined", "Nothing was predicted in the metric's unit.", "Record a range before the launch."
        )
    goal = bet.money_metric
    if goal is None:
        return CannotTell(
            "not_identified",
            "No way leads from its metric to money.",
            "Draw the edge in the tree and test it.",
        )
    low, high = bet.predicted
    spread = error_of(low, high, bet.predicted_level)
    one = Hop("One unit of effect", 1.0, 1.0, 1.0, "arithmetic")
    hops = hops_to(actor, bet.metric, goal, one, as_of)
    if isinstance(hops, CannotTell):
        return hops
    sign = -1.0 if goal.purpose == "cost" or goal.direction == "down" else 1.0
    factors = math.fsum(month_factors(bet.discount_rate, 0.0, bet.life_months))
    each = sign * math.prod(hop.estimate for hop in hops) * reach * money_a_month(bet, goal) * factors
    if each <= 0.0:
        return CannotTell(
            "undefined", "A higher effect brings less money along this way.", "Look at the tree's edges."
        )
    cost = math.fsum(row.likely for row in queries.investments(actor, key=bet.key))
    error = spread / 2.0 if test_error is None else test_error
    found = value_of_testing(
        mean=(low + high) / 2.0,
        spread=spread,
        threshold=cost / each,
        worth=each,
        test_error=error,
        cost=price,
    )
    if isinstance(found, CannotTell):
        return found
    return TestWorth(found, cost / each, each, error, goal.unit)


def cost_of_waiting(line: Line) -> Range | CannotTell:
    """Return what a month costs in which a bet is not shipped, by what was granted or else predicted."""
    found = line.worth if isinstance(line.worth, Worth) else line.predicted
    if not isinstance(found, Worth):
        because = found.because if isinstance(found, CannotTell) else "It was neither observed nor predicted."
        return CannotTell(
            "not_identified", f"What a month is worth cannot be told: {words.in_sentence(because)}"
        )
    effect = (found.on_metric.estimate, found.on_metric.low, found.on_metric.high)
    value = line.granted if line.granted is not None and isinstance(line.worth, Worth) else effect
    parts = sorted(found.sign * found.monthly * one for one in value[1:])
    return (found.sign * found.monthly * value[0], parts[0], parts[1])


@dataclass(frozen=True, slots=True)
class Cell:
    """Bets of one horizon and risk: what was paid, people's months, and what came back."""

    horizon: str
    risk: str
    bets: int
    told: int
    cost: float
    people_months: float
    returned: Range | None

    @property
    def ratio(self) -> float | None:
        """Return what came back for one unit of money paid."""
        return self.returned[0] / self.cost if self.returned and self.cost > 0.0 else None


def portfolio(actor: Actor, found: Ledger) -> list[Cell]:
    """Return the ledger by horizon and risk, those without bets among them."""
    cells = []
    for horizon in Horizon:
        for risk in Risk:
            lines = [line for line in found.lines if (line.bet.horizon, line.bet.risk) == (horizon, risk)]
            cells.append(_cell(actor, horizon.label, risk.label, lines))
    return cells


def _cell(actor: Actor, horizon: str, risk: str, lines: Sequence[Line]) -> Cell:
    from potager.insight.impact.to_money import summed

    returned = [line.returned for line in lines if line.returned is not None]
    people = math.fsum(
        row.people_months for line in lines for row in queries.investments(actor, key=line.bet.key)
    )
    return Cell(
        horizon,
        risk,
        len(lines),
        len(returned),
        math.fsum(line.cost[0] for line in lines),
        people,
        summed(returned) if returned else None,
    )


@dataclass(frozen=True, slots=True)
class Scenario:
    """What moving people from one group of bets to another would change, if each went on as it did.

    ``low`` to ``high`` carry the errors of what both returned. It is about averages: the next person may do less, or
    more, than those before.
    """

    source: str
    target: str
    people_months: float
    change: float
    low: float
    high: float
    sentence: str


def moving_people(
    actor: Actor, found: Ledger, by: str, source: str, target: str, share: float = MOVED
) -> Scenario | CannotTell:
    """Return what moving a ``share`` of people's months from one group to another would have changed in returns."""
    groups = {name: _lines(found, by, name) for name in (source, target)}
    rates: dict[str, tuple[Range, float]] = {}
    for name, lines in groups.items():
        cell = _cell(actor, name, "", [line for line in lines if line.returned is not None])
        if not lines or cell.returned is None or cell.people_months <= 0.0:
            return CannotTell(
                "not_identified",
                f"What a month of a person returned in {name} cannot be told: "
                + ("it has no bets." if not lines else "no bet with people's time can be told."),
                "Observe its bets, and record people's time.",
            )
        rates[name] = (cell.returned, cell.people_months)
    whole = _cell(actor, source, "", groups[source]).people_months
    moved = share * whole
    (gave, months_a), (takes, months_b) = rates[source], rates[target]
    change = moved * (takes[0] / months_b - gave[0] / months_a)
    down = moved * math.hypot((takes[0] - takes[1]) / months_b, (gave[2] - gave[0]) / months_a)
    up = moved * math.hypot((takes[2] - takes[0]) / months_b, (gave[0] - gave[1]) / months_a)
    unit = found.currency
    low, high = change - down, change + up
    sure = "either way cannot be told" if low < 0.0 < high else "more" if change > 0.0 else "less"
    return Scenario(
        source,
        target,
        moved,
        change,
        low,
        high,
        f"Moving {words.human(share, 'share')} of the people ({moved:.1f} months) from {source} to {target} would have "
        f"returned {words.signed(change, unit)} ({words.between(low, high, unit)}): {sure}. These are averages, not "
        "what the next person does.",
    )


def _lines(found: Ledger, by: str, name: str) -> list[Line]:
    said: dict[str, Any] = {
        "team": lambda bet: bet.team_name,
        "product": lambda bet: bet.product,
        "objective": lambda bet: bet.objective,
        "horizon": lambda bet: bet.get_horizon_display(),
        "risk": lambda bet: bet.get_risk_display(),
    }
    return [line for line in found.lines if said[by](line.bet) == name]
