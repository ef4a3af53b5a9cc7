"""Who may claim a movement? Claims + outside + unexplained = what was observed, per metric and period."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from potager.engines.answers import CannotTell
from potager.engines.causal import Claim, EvidenceClass, Ledger, settle_claims
from potager.ground.access.actors import Actor
from potager.insight.impact import queries
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Grain, Period, last_whole, period_of
from potager.insight.metrics.reading import Ran, freshness, value
from potager.kit import words


@dataclass(frozen=True, slots=True)
class Part:
    """What one bet claims of a metric per period of its grain, with its standard error."""

    key: str
    name: str
    estimate: float
    error: float
    evidence: EvidenceClass


@dataclass(frozen=True, slots=True)
class Movement:
    """How a metric moved from the last period before a stretch of time to its last, and who is granted what of it.

    ``ledger`` is the settled account, or why the movement cannot be read; ``parts`` are the claims as made.
    """

    metric: Metric
    start: date
    end: date
    before: float | None
    after: float | None
    before_period: Period | None
    after_period: Period | None
    parts: tuple[Part, ...]
    ledger: Ledger | CannotTell
    outside: tuple[tuple[str, float], ...] = ()
    ran: tuple[Ran, ...] = ()

    def granted(self, key: str) -> float | None:
        """Return what a bet is granted; None where the movement cannot be read."""
        if isinstance(self.ledger, CannotTell):
            return None
        names = {part.name: part.key for part in self.parts}
        for settled in self.ledger.settled:
            if names[settled.claim.name] == key:
                return settled.granted
        return None

    @property
    def says(self) -> str:
        """Return the account in one sentence."""
        if isinstance(self.ledger, CannotTell):
            return f"{self.metric.label}: {self.ledger}"
        unit, made = self.metric.unit, self.ledger
        return (
            f"{self.metric.label} moved by {words.signed(made.observed, unit)} from {self.before_period} to "
            f"{self.after_period}: {words.signed(made.claimed, unit)} is granted to "
            f"{words.counted(len(made.settled), 'bets')}, {words.signed(made.outside, unit)} came from outside, and "
            f"{words.signed(made.unexplained, unit)} is unexplained."
        )


def settle(
    actor: Actor,
    metric: Metric,
    parts: Sequence[Part],
    start: date,
    end: date,
    at: Mapping[str, str] | None = None,
) -> Movement:
    """Settle what bets launched between two days claim of a metric's movement.

    The movement is the metric's value over the last whole period of its grain by ``end``, less that over the last one
    before ``start`` (or over the first with data, where there is none).
    """
    claims = tuple(parts)
    read = _read(metric, start, end, at)
    if isinstance(read, CannotTell):
        return Movement(metric, start, end, None, None, None, None, claims, read)
    before_period, after_period, before, after, ran = read
    rows = [row for row in queries.outside(actor, metric.name) if row.start <= end and row.end >= start]
    made = settle_claims(
        after - before,
        [Claim(part.name, part.estimate, part.error, part.evidence) for part in _distinct(claims)],
        outside=math.fsum(row.amount for row in rows),
        outside_error=math.sqrt(math.fsum(row.error**2 for row in rows)),
        better="down" if metric.direction == "down" else "up",
    )
    return Movement(
        metric,
        start,
        end,
        before,
        after,
        before_period,
        after_period,
        _distinct(claims),
        made,
        tuple((row.name, row.amount) for row in rows),
        ran,
    )


def _distinct(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts with names that tell them apart: two bets of one name carry their keys."""
    names = [part.name for part in parts]
    return tuple(
        part
        if names.count(part.name) == 1
        else Part(part.key, f"{part.name} ({part.key})", part.estimate, part.error, part.evidence)
        for part in parts
    )


_Read = tuple[Period, Period, float, float, tuple[Ran, ...]]


def _read(metric: Metric, start: date, end: date, at: Mapping[str, str] | None) -> _Read | CannotTell:
    grain: Grain = metric.grain  # type: ignore[assignment]
    fresh = freshness(metric, at=at)
    if fresh.complete_through is None or fresh.first is None:
        return CannotTell("incomplete", f"There is no data for {metric.label}.", "Import some.")
    after = last_whole(min(end, fresh.complete_through), grain)
    before = last_whole(start - timedelta(days=1), grain)
    if before.start < fresh.first:
        first = period_of(fresh.first, grain)
        before = first if first.start >= fresh.first else first.shifted(1)
    if before.start >= after.start:
        return CannotTell(
            "incomplete",
            f"There are no two whole {grain}s of {metric.label} between {words.day(start)} and {words.day(end)}.",
            "Ask again later.",
        )
    (first_value, first_ran), (last_value, last_ran) = (
        value(metric, before, at=at),
        value(metric, after, at=at),
    )
    if not (math.isfinite(first_value) and math.isfinite(last_value)):
        gone = before if not math.isfinite(first_value) else after
        return CannotTell(
            "incomplete", f"{metric.label} has no value {gone.when}.", "Import the missing data."
        )
    return before, after, first_value, last_value, (first_ran, last_ran)
