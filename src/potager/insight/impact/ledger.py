"""The ledger: what was invested, what it returned, how sure that is, and what was predicted before.

For every bet, and rolled up.

The way of a figure: each bet's latest observation is carried to money; estimates of four bets or more are corrected for
the winner's curse; what bets claim of one movement is settled against it; what is granted is discounted over the months
it lasts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.causal import (
    EVIDENCE_ORDER,
    ChainEffect,
    Shrinkage,
    shrink,
    weakest,
)
from potager.ground.access.actors import Actor
from potager.insight.impact import queries
from potager.insight.impact.lines import At, Line, Range, line_of
from potager.insight.impact.models import Bet, Observation
from potager.insight.impact.settling import Movement, Part, settle
from potager.insight.impact.to_money import Worth, error_of, summed
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import freshness
from potager.insight.metrics.trees import forest
from potager.kit import words

LEVEL = 0.95
BY = ("team", "objective", "product", "year")


@dataclass(frozen=True, slots=True)
class Sum:
    """Several bets together: paid, returned so far and expected over their lives, and of how many that can be told.

    ``cost_told`` is what was paid for the bets that can be told. ``evidence`` is the weakest of those.
    """

    name: str
    bets: int
    told: int
    cost: Range
    cost_told: Range
    returned: Range | None
    expected: Range | None
    predicted: Range | None
    predicted_bets: int
    evidence: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """All lines with what they settle to, in one currency; returns are counted up to and including ``through``."""

    lines: tuple[Line, ...]
    currency: str
    total: Sum
    through: date
    movements: tuple[Movement, ...]
    shrinkage: Mapping[str, Shrinkage | CannotTell] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def by(self, what: str) -> list[Sum]:
        """Return the ledger rolled up by team, objective, product or year of launch, the largest cost first."""
        groups: dict[str, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(_group(line.bet, what), []).append(line)
        made = [_sum(name, lines) for name, lines in groups.items()]
        return sorted(made, key=lambda one: (-one.cost[0], one.name))


def _group(bet: Bet, what: str) -> str:
    said = {
        "team": bet.team_name,
        "objective": bet.objective,
        "product": bet.product,
        "year": str(bet.launched_on.year) if bet.launched_on else "",
        "horizon": bet.get_horizon_display(),
        "risk": bet.get_risk_display(),
    }[what]
    return said or "not said"


def ledger(
    actor: Actor,
    as_of: date,
    *,
    start: date | None = None,
    end: date | None = None,
    at: At = None,
    **filters: str,
) -> Ledger:
    """Return the ledger of the launched bets as of a day; ``start`` and ``end`` keep those launched between.

    Claims are settled among all bets, whatever is filtered: another team's claim does not vanish from a team's page.
    """
    woods = forest(actor)
    every = [bet for bet in queries.bets(actor) if bet.launched_on is not None and bet.launched_on <= as_of]
    latest = _latest_by(actor, every, as_of)
    lines = [line_of(actor, bet, latest.get(bet.pk), as_of, woods, at) for bet in every]
    lines, shrinkage = _corrected(lines)
    lines, movements = settle_lines(actor, lines, as_of, at)
    kept = [line for line in lines if _wanted(line.bet, start, end, filters)]
    currency, notes = _currency(actor, kept)
    return Ledger(
        tuple(kept),
        currency,
        _sum("all", kept),
        _through(kept, as_of),
        tuple(movements),
        shrinkage,
        tuple(notes),
    )


def _through(lines: Sequence[Line], as_of: date) -> date:
    """Return the last day that returns are counted to: where the money metrics' data ends."""
    ends = [freshness(line.worth.metric).complete_through for line in lines if isinstance(line.worth, Worth)]
    return min([as_of, *(end for end in ends if end is not None)])


def _latest_by(actor: Actor, bets: Sequence[Bet], as_of: date) -> dict[Any, Observation]:
    rows = queries.observations(actor, role="outcome").filter(
        bet__in=[one.pk for one in bets], end__lte=as_of
    )
    kept: dict[Any, Observation] = {}
    for row in rows.order_by("end", "created_at"):
        kept[row.bet_id] = row
    return kept


def _wanted(bet: Bet, start: date | None, end: date | None, filters: Mapping[str, str]) -> bool:
    assert bet.launched_on is not None
    if (start and bet.launched_on < start) or (end and bet.launched_on > end):
        return False
    return all(getattr(bet, name) == value for name, value in filters.items() if value)


def _corrected(lines: list[Line]) -> tuple[list[Line], dict[str, Shrinkage | CannotTell]]:
    """Correct for the winner's curse, bets on one money metric together, with each bet's own error."""
    groups: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if (
            line.measured
            and isinstance(line.worth, Worth)
            and (line.worth.on_metric.standard_error or 0.0) > 0.0
        ):
            groups.setdefault(line.worth.metric.name, []).append(index)
    made, kept = list(lines), {}
    for name, indexes in groups.items():
        effects = [_on_metric(lines[index]) for index in indexes]
        found = shrink(
            [effect.estimate for effect in effects],
            [effect.standard_error or 0.0 for effect in effects],
            level=LEVEL,
        )
        kept[name] = found
        for place, index in enumerate(indexes):
            effect = effects[place]
            after: Range = (effect.estimate, effect.low, effect.high)
            if isinstance(found, Shrinkage):
                one = found.bets[place]
                after = (one.estimate, one.low, one.high)
            made[index] = replace(made[index], corrected=after)
    for index, line in enumerate(made):
        if isinstance(line.worth, Worth) and line.corrected is None:
            effect = line.worth.on_metric
            made[index] = replace(line, corrected=(effect.estimate, effect.low, effect.high))
    return made, kept


def _on_metric(line: Line) -> ChainEffect:
    assert isinstance(line.worth, Worth)
    return line.worth.on_metric


def settle_lines(
    actor: Actor, lines: Sequence[Line], as_of: date, at: At = None
) -> tuple[list[Line], list[Movement]]:
    """Settle what bets claim of their money metric, year of launch by year, and discount what is granted."""
    groups: dict[tuple[str, int], list[int]] = {}
    for index, line in enumerate(lines):
        if line.measured and isinstance(line.worth, Worth) and line.bet.launched_on is not None:
            groups.setdefault((line.worth.metric.name, line.bet.launched_on.year), []).append(index)
    made, movements = list(lines), []
    for (_, year), indexes in sorted(groups.items()):
        first = lines[indexes[0]].worth
        assert isinstance(first, Worth)
        parts = [_part(lines[index]) for index in indexes]
        movement = settle(actor, first.metric, parts, date(year, 1, 1), min(date(year, 12, 31), as_of), at)
        movements.append(movement)
        for index in indexes:
            made[index] = _granted(made[index], movement)
    return made, movements


def _part(line: Line) -> Part:
    assert line.corrected is not None
    estimate, low, high = line.corrected
    evidence = _on_metric(line).evidence
    return Part(line.bet.key, line.bet.name, estimate, error_of(low, high, LEVEL), evidence)


def _granted(line: Line, movement: Movement) -> Line:
    """Return the line with what it was granted; a movement that cannot be read grants what is claimed, and says so."""
    assert line.corrected is not None and isinstance(line.worth, Worth)
    estimate, low, high = line.corrected
    settled = movement.granted(line.bet.key)
    moved = estimate if settled is None else settled
    granted = (moved, low + moved - estimate, high + moved - estimate)
    return replace(
        line,
        granted=granted,
        given_up=estimate - moved,
        returned=_scaled(line.worth.so_far, line.worth.on_metric, granted),
        expected=_scaled(line.worth.over_life, line.worth.on_metric, granted),
    )


def _scaled(total: ChainEffect, one: ChainEffect, granted: Range) -> Range:
    """Return the present value of what is granted: the same months and rates as of what was observed."""
    if one.estimate == 0.0:
        return (0.0, total.low, total.high)
    factor = total.estimate / one.estimate
    low, high = sorted((granted[1] * factor, granted[2] * factor))
    return (granted[0] * factor, low, high)


def _sum(name: str, lines: Sequence[Line]) -> Sum:
    told = [line for line in lines if line.returned is not None and line.expected is not None]
    predicted = [
        line.predicted.over_life
        for line in lines
        if isinstance(line.predicted, Worth) and line.bet.predicted_before
    ]
    classes = [_on_metric(line).evidence for line in told]
    return Sum(
        name=name,
        bets=len(lines),
        told=len(told),
        cost=_added([line.cost for line in lines]),
        cost_told=_added([line.cost for line in told]),
        returned=summed([line.returned for line in told if line.returned]) if told else None,
        expected=summed([line.expected for line in told if line.expected]) if told else None,
        predicted=summed([(one.estimate, one.low, one.high) for one in predicted]) if predicted else None,
        predicted_bets=len(predicted),
        evidence=weakest(classes) if classes else "",
        keys=tuple(line.bet.key for line in lines),
    )


def _added(ranges: Sequence[Range]) -> Range:
    return (
        math.fsum(one[0] for one in ranges),
        math.fsum(one[1] for one in ranges),
        math.fsum(one[2] for one in ranges),
    )


def _currency(actor: Actor, lines: Sequence[Line]) -> tuple[str, list[str]]:
    """Return the one currency of costs and returns, and a sentence where there are several."""
    paid = {
        row.currency for line in lines for row in queries.investments(actor, key=line.bet.key) if row.likely
    }
    back = {line.worth.metric.unit for line in lines if isinstance(line.worth, Worth)}
    every = sorted(paid | back)
    if len(every) <= 1:
        return (every[0] if every else "EUR"), []
    return (sorted(back)[0] if back else every[0]), [
        f"Costs and returns are in {words.listing(every)}, and are added up as if they were one: record costs in the "
        "currency of the money metric."
    ]


def weakest_first(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that claim something, the weakest evidence first, among equals the largest claim."""
    claiming = [line for line in lines if isinstance(line.worth, Worth)]
    return sorted(
        claiming,
        key=lambda line: (
            -EVIDENCE_ORDER.index(_on_metric(line).evidence),
            -abs((line.expected or (line.worth.over_life.estimate,))[0])
            if isinstance(line.worth, Worth)
            else 0.0,
        ),
    )


def metric_names(lines: Sequence[Line]) -> list[Metric]:
    """Return the metrics that the lines rest on, each once."""
    found: dict[str, Metric] = {}
    for line in lines:
        found.setdefault(line.bet.metric.name, line.bet.metric)
        if isinstance(line.worth, Worth):
            found.setdefault(line.worth.metric.name, line.worth.metric)
    return list(found.values())
