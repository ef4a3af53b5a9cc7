"""From what was observed to money: hop by hop through the tree, over the months that an effect lasts, discounted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from potager.engines.answers import CannotTell
from potager.engines.causal import ChainEffect, EvidenceClass, Hop, chain_to_money, decay_factors
from potager.engines.causal.results import two_sided_z
from potager.ground.access.actors import Actor
from potager.insight.impact.methods import SEED
from potager.insight.impact.models import Bet, Counted, Observation
from potager.insight.impact.scaling import DAYS_IN
from potager.insight.impact.tree_paths import arithmetic_hop, edge_hop, path
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import additive, freshness
from potager.insight.metrics.trees import Forest, forest
from potager.kit import words

MONTH = DAYS_IN["month"]


@dataclass(frozen=True, slots=True)
class Worth:
    """What an effect comes to.

    ``on_metric``: on the money metric itself, in its unit (a rise of ARR by so much). ``so_far``: present value of the
    months that are over; ``over_life``: of all months it is counted for. ``months`` are those of the first, ``life``
    of the second. Both are money, at the day of the launch; a cost saved is money gained.
    """

    metric: Metric
    on_metric: ChainEffect
    so_far: ChainEffect
    over_life: ChainEffect
    months: int
    life: int
    monthly: float
    sign: float


def whole_effect(observation: Observation) -> Hop | CannotTell:
    """Return an observation as the first hop: the effect on the whole metric per period of its grain."""
    if observation.refusal or observation.estimate is None or observation.factor is None:
        said = observation.refusal.get("because", "There is no number.")
        return CannotTell(
            observation.refusal.get("reason", "not_identified"), said, observation.refusal.get("mend", "")
        )
    evidence: EvidenceClass = observation.evidence  # type: ignore[assignment]
    if observation.low is None or observation.high is None:
        return CannotTell(
            "undefined",
            "The interval of the effect is open on one side, so nothing can be carried on.",
            "Look at it two-sided.",
        )
    factor = observation.factor
    ends = sorted((observation.low * factor, observation.high * factor))
    return Hop(
        f"Effect on {words.in_sentence(observation.metric.label)}",
        observation.estimate * factor,
        ends[0],
        ends[1],
        evidence,
        observation.level or 0.95,
    )


def predicted_effect(bet: Bet, observation: Observation | None) -> Hop | CannotTell:
    """Return what was predicted as a first hop, on the same scale as what was observed."""
    if bet.predicted is None:
        return CannotTell("undefined", "Nothing was predicted.", "Record a range before the next launch.")
    low, high = bet.predicted
    if bet.predicted_relative:
        if observation is None or observation.baseline is None:
            return CannotTell(
                "undefined",
                "The prediction is relative, and what it is relative to is not known.",
                "Observe the bet first, or predict in the metric's unit.",
            )
        low, high = sorted((low * observation.baseline, high * observation.baseline))
    factor = observation.factor if observation and observation.factor is not None else None
    if factor is None:
        if bet.reach in {"treated", "everybody"}:
            return CannotTell(
                "undefined",
                "How many units it will reach is not known yet.",
                "Give its reach as a number, or observe it.",
            )
        factor = float(bet.reach)
    return Hop(
        f"Prediction for {words.in_sentence(bet.metric.label)}",
        (low + high) / 2.0 * factor,
        low * factor,
        high * factor,
        "belief",
        bet.predicted_level,
    )


def worth(
    actor: Actor,
    bet: Bet,
    first: Hop,
    as_of: date,
    *,
    decay: float = 0.0,
    woods: Forest | None = None,
    at: Mapping[str, str] | None = None,
) -> Worth | CannotTell:
    """Carry an effect on the bet's metric to money. ``decay`` is the rate a month at which it wears off."""
    goal = bet.money_metric
    if goal is None:
        return CannotTell(
            "not_identified",
            f"No way leads from {words.in_sentence(bet.metric.label)} to a metric that counts money.",
            "Draw and test the edge in the tree, and name the bet's money metric.",
        )
    hops = hops_to(actor, bet.metric, goal, first, as_of, woods=woods, at=at)
    if isinstance(hops, CannotTell):
        return hops
    assert bet.launched_on is not None
    monthly = money_a_month(bet, goal)
    sign = -1.0 if goal.purpose == "cost" or goal.direction == "down" else 1.0
    ended = bet.ended_on if bet.ending == "kill" and bet.ended_on else as_of
    # What nobody has seen yet has not come back: months count as far as the money metric's data goes.
    known = freshness(goal, at=at).complete_through or bet.launched_on
    passed = max(round((min(as_of, ended, known) - bet.launched_on).days / MONTH), 0)
    months = min(passed, bet.life_months)
    life = months if bet.ending == "kill" else bet.life_months
    factors = month_factors(bet.discount_rate, decay, max(life, 1))
    totals = [
        chain_to_money(hops, given, seed=SEED)
        for given in (
            (1.0,),
            tuple(sign * monthly * one for one in factors[:months]) or (0.0,),
            tuple(sign * monthly * one for one in factors[:life]) or (0.0,),
        )
    ]
    if refused := [one for one in totals if isinstance(one, CannotTell)]:
        return refused[0]
    on_metric, so_far, over_life = (one for one in totals if isinstance(one, ChainEffect))
    return Worth(goal, on_metric, so_far, over_life, months, life, monthly, sign)


def hops_to(
    actor: Actor,
    start: Metric,
    goal: Metric,
    first: Hop,
    as_of: date,
    *,
    woods: Forest | None = None,
    at: Mapping[str, str] | None = None,
) -> list[Hop] | CannotTell:
    """Return the hops from an effect on one metric to another: exact by arithmetic, with intervals by influence."""
    woods = woods or forest(actor)
    steps = path(woods, start, goal)
    if isinstance(steps, CannotTell):
        return steps
    factor = DAYS_IN[goal.grain] / DAYS_IN[start.grain] if additive(start) and additive(goal) else 1.0
    hops = [_times(first, factor)]
    for step in steps:
        if step.influence is not None:
            hop = edge_hop(step.influence, as_of)
        else:
            amount = math.prod(one.estimate for one in hops)
            grain = goal.grain if additive(goal) else step.child.grain
            hop = arithmetic_hop(step, amount, as_of, grain, at)  # type: ignore[arg-type]
        if isinstance(hop, CannotTell):
            return hop
        hops.append(hop)
    return hops


def _times(hop: Hop, factor: float) -> Hop:
    return Hop(
        hop.name,
        hop.estimate * factor,
        hop.low * factor,
        hop.high * factor,
        hop.evidence,
        hop.level,
        hop.shape,
    )


def money_a_month(bet: Bet, goal: Metric) -> float:
    """Return how much money of a month one unit of the money metric is."""
    if bet.money_counted == Counted.YEARLY:
        return 1.0 / 12.0
    if bet.money_counted == Counted.MONTHLY:
        return 1.0
    return MONTH / DAYS_IN[goal.grain]


def month_factors(rate: float, decay: float, months: int) -> tuple[float, ...]:
    """Return what money of each month after launch is worth at the launch: discounted by a yearly ``rate``, decayed.

    Money of a month is taken to come in its middle.
    """
    left = decay_factors(decay, months)
    return tuple(part * (1.0 + rate) ** (-(month + 0.5) / 12.0) for month, part in enumerate(left))


def error_of(low: float, high: float, level: float) -> float:
    """Return the standard error that an interval's width stands for."""
    return (high - low) / (2.0 * two_sided_z(level))


def summed(parts: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Add up independent estimates with intervals (estimate, low, high): each side's reach in quadrature."""
    total = math.fsum(part[0] for part in parts)
    down = math.sqrt(math.fsum((part[0] - part[1]) ** 2 for part in parts))
    up = math.sqrt(math.fsum((part[2] - part[0]) ** 2 for part in parts))
    return total, total - down, total + up
