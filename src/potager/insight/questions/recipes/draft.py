"""A draft of an answer, and what every recipe is given."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from potager import __version__
from potager.engines.answers import CannotTell
from potager.engines.statistics import Part
from potager.ground.access.actors import Actor
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import Freshness, Ran, Where, pins
from potager.kit import words

LEVEL = 0.8  # intervals hold four times out of five: wide enough to be honest, narrow enough to decide on


@dataclass(frozen=True)
class Asked:
    """A question as a recipe sees it. ``at`` pins tables to snapshots, for receipts that are run again."""

    actor: Actor
    words: str
    slots: Mapping[str, Any]
    as_of: date
    rule: Mapping[str, str] = field(default_factory=dict)
    at: Mapping[str, str] | None = None
    where: Where = ()


@dataclass(frozen=True)
class Check:
    """Something that was looked at before answering: whether it passed, and what was found."""

    name: str
    passed: bool
    says: str


@dataclass(frozen=True)
class Driver:
    """One part of a change; the parts and what is unexplained add up to the whole."""

    title: str
    amount: float
    metric: str = ""
    note: str = ""
    unexplained: bool = False


@dataclass(frozen=True)
class Draft:
    """An answer before it is kept."""

    verdict: str
    statement: str
    metrics: Sequence[Metric]
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    unit: str = ""
    evidence_class: str = "measured"
    freshness: Freshness | None = None
    checks: Sequence[Check] = ()
    parts: Sequence[Part] = ()
    drivers: Sequence[Driver] = ()
    would_change: Sequence[str] = ()
    next_questions: Sequence[str] = ()
    refusal: CannotTell | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    ran: Sequence[Ran] = ()

    def receipt(self, asked: Asked) -> dict[str, Any]:
        """Return what it takes to run the answer again, and the hash it must come to."""
        # What no query ran on is pinned as well: a refusal rests on how far the data went.
        snapshots: dict[str, str] = {}
        for metric in self.metrics:
            snapshots.update(pins(layer_of(metric), (metric.name,), asked.at))
        for run in self.ran:
            snapshots.update(run.snapshots)
        return {
            "potager": __version__,
            "as_of": asked.as_of,
            "slots": dict(asked.slots),
            "rule": dict(asked.rule),
            "definitions": {
                metric.name: layer_of(metric).definition_hash(metric.name) for metric in self.metrics
            },
            "snapshots": snapshots,
            "engine": self.ran[0].engine if self.ran else "",
            "queries": [{"for": run.role, "sql": run.sql} for run in self.ran],
            "digest": self.digest,
        }

    @property
    def digest(self) -> str:
        """Return the hash of everything the answer asserts, to nine significant digits.

        Sums of floating-point numbers over many threads may differ in the last digits; a figure may not.
        """
        said = {
            "verdict": self.verdict,
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "drivers": [[driver.title, driver.amount] for driver in self.drivers],
            "refusal": self.refusal.reason if self.refusal else "",
            "figures": self.figures,
        }
        return hashlib.sha256(json.dumps(_rounded(said), sort_keys=True, default=str).encode()).hexdigest()

    def refused(self, refusal: CannotTell) -> Draft:
        """Return the draft as a refusal, with all that is known beside it."""
        statement = f"Cannot tell yet: {words.in_sentence(refusal.because)}"
        return replace(self, verdict="cannot_tell", statement=statement, refusal=refusal)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part) for part in value]
    return value


def moment(day: date | datetime | None) -> str:
    """Return a day as people write it."""
    return f"{day.day} {day:%B %Y}" if day else "no day"
