"""One bet in the ledger: its cost, what was observed carried to money, and what was predicted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from potager.engines.answers import CannotTell
from potager.engines.causal import (
    DecayEffect,
    Hop,
    estimate_decay,
)
from potager.ground.access.actors import Actor
from potager.insight.impact import queries
from potager.insight.impact.models import Bet, Investment, Observation
from potager.insight.impact.to_money import Worth, predicted_effect, whole_effect, worth
from potager.insight.metrics.trees import Forest
from potager.kit import words

Range = tuple[float, float, float]
"""Estimate, low, high; costs: likely, low, high."""
At = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Line:
    """One bet in the ledger.

    ``worth`` is what was observed, carried to money, or why that cannot be told. ``corrected`` and ``granted`` are on
    the money metric per its period: after the winner's curse, and after settling. ``returned`` (so far) and
    ``expected`` (over its life) are present values of what is granted; ``predicted`` is the present value of the range
    that was recorded before launch, over its life. ``cost`` is a range. ``evidence`` is the weakest along the chain.
    """

    bet: Bet
    cost: Range
    observation: Observation | None
    worth: Worth | CannotTell
    decay: DecayEffect | CannotTell | None = None
    corrected: Range | None = None
    granted: Range | None = None
    given_up: float = 0.0
    returned: Range | None = None
    expected: Range | None = None
    predicted: Worth | CannotTell | None = None

    @property
    def told(self) -> bool:
        """Return whether it can be told what the bet did."""
        return self.returned is not None

    @property
    def measured(self) -> bool:
        """Return whether something was measured: what is only believed claims nothing and returns nothing."""
        return (
            self.observation is not None and self.observation.told and self.observation.evidence != "belief"
        )

    @property
    def evidence(self) -> str:
        """Return the weakest evidence on the way from what was shipped to money."""
        return self.worth.on_metric.evidence if isinstance(self.worth, Worth) else ""

    @property
    def because(self) -> str:
        """Return why it cannot be told, or nothing."""
        if isinstance(self.worth, CannotTell):
            return self.worth.because
        if self.measured:
            return ""
        believed = words.human(self.worth.over_life.estimate, self.worth.metric.unit)
        return f"Nothing was measured: {believed} over its life is what somebody believes."

    @property
    def ratio(self) -> float | None:
        """Return what came back for one unit of money paid, so far."""
        if self.returned is None or self.cost[0] <= 0.0:
            return None
        return self.returned[0] / self.cost[0]


def cost_of(rows: Iterable[Investment]) -> Range:
    """Return likely, low and high cost. Ends are added up: what one rate gets wrong, it gets wrong everywhere."""
    found = list(rows)
    return (
        math.fsum(one.likely for one in found),
        math.fsum(one.low for one in found),
        math.fsum(one.high for one in found),
    )


def line_of(
    actor: Actor, bet: Bet, observation: Observation | None, as_of: date, woods: Forest, at: At
) -> Line:
    """Return a bet with its cost, and its latest observation and its prediction carried to money."""
    cost = cost_of(queries.investments(actor, key=bet.key))
    decay = decay_of(actor, bet, observation)
    rate = decay.estimate if isinstance(decay, DecayEffect) and decay.low > 0.0 else 0.0
    first: Hop | CannotTell = (
        CannotTell("incomplete", "It was not observed yet.", "Observe it.")
        if observation is None
        else whole_effect(observation)
    )
    found = (
        first
        if isinstance(first, CannotTell)
        else worth(actor, bet, first, as_of, decay=rate, woods=woods, at=at)
    )
    before = predicted_effect(bet, observation)
    predicted = (
        before
        if isinstance(before, CannotTell)
        else worth(actor, bet, before, as_of, decay=rate, woods=woods, at=at)
    )
    return Line(bet, cost, observation, found, decay, predicted=predicted)


def decay_of(actor: Actor, bet: Bet, observation: Observation | None) -> DecayEffect | CannotTell | None:
    """Return how fast the effect wears off a month, from its parts by age; None where there are no parts."""
    parts = (observation.figures.get("by_age") or []) if observation is not None else []
    parts = [one for one in parts if one.get("error")]
    if len(parts) < 3 or observation is None:
        return None
    days = {"day": 1.0, "week": 7.0, "month": 30.4375, "quarter": 91.3125, "year": 365.25}
    months = days.get(observation.figures.get("grain", "month"), 30.4375) / 30.4375
    return estimate_decay(
        [one["age"] * months for one in parts],
        [one["estimate"] for one in parts],
        [one["error"] for one in parts],
    )
