"""How a metric is looked at: grain, filter and split as the address says them, and the data's reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from potager.insight.metrics import compiling, queries, reading
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import GRAINS, Grain, Period, last_whole, period_of
from potager.insight.metrics.semantics import DimensionInfo, MetricInfo, SemanticLayer
from potager.kit import words
from potager.kit.errors import FieldProblem, Invalid

SHOWN: dict[Grain, int] = {"day": 60, "week": 53, "month": 25, "quarter": 13, "year": 10}


@dataclass(frozen=True)
class Look:
    """One way to look at a metric: ``whole`` is the last period that is over in the data, ``current`` is not over."""

    metric: Metric
    grain: Grain
    by: str
    said: tuple[str, ...]

    @cached_property
    def layer(self) -> SemanticLayer:
        """Return the compiled definitions."""
        return compiling.layer_of(self.metric)

    @cached_property
    def info(self) -> MetricInfo:
        """Return what the definitions say of the metric."""
        return self.layer.metric(self.metric.name)

    @cached_property
    def where(self) -> reading.Where:
        """Return the conditions."""
        return queries.conditions(self.said)

    @cached_property
    def freshness(self) -> reading.Freshness:
        """Return how far the data goes."""
        return reading.freshness(self.metric)

    @property
    def through(self) -> date | None:
        """Return the last day with data."""
        return self.freshness.complete_through

    @property
    def whole(self) -> Period | None:
        """Return the last period that is over in the data, if the data holds a whole one."""
        if self.through is None or self.freshness.first is None:
            return None
        period = last_whole(self.through, self.grain)
        return period if period.start >= period_of(self.freshness.first, self.grain).start else None

    @property
    def current(self) -> Period | None:
        """Return the period that is not over in the data."""
        if self.through is None:
            return None
        period = period_of(self.through, self.grain)
        return period if period.end > self.through else None

    @property
    def span(self) -> tuple[date, date] | None:
        """Return the first and last day of what a picture shows."""
        last = self.current or self.whole
        if last is None or self.freshness.first is None:
            return None
        first = max(period_of(self.freshness.first, self.grain), last.shifted(1 - SHOWN[self.grain]))
        return first.start, last.end

    @cached_property
    def series(self) -> reading.Series:
        """Return the metric by period as far as a picture shows it."""
        if self.span is None:
            raise Invalid(f"There is no data behind {self.metric.label}.", mend="Import data first.")
        start, end = self.span
        return reading.series(self.metric, self.grain, start, end, self.where, through=self.through)

    @property
    def spoken(self) -> list[str]:
        """Return the conditions as people say them."""
        return [
            said.replace("!=", " is not ", 1) if "!=" in said else said.replace("=", " is ", 1)
            for said in self.said
        ]

    @cached_property
    def dimensions(self) -> list[DimensionInfo]:
        """Return what the metric can be split by, dates aside; one that is reached in two ways is named once."""
        found: dict[str, DimensionInfo] = {}
        for one in self.layer.dimensions(self.metric.name):
            if one.kind != "time" and (one.short not in found or one.kind == "categorical"):
                found[one.short] = one
        return list(found.values())

    @property
    def by_label(self) -> str:
        """Return what the metric is split by, as people say it."""
        label = next((one.label for one in self.dimensions if self.by in (one.name, one.short)), self.by)
        return words.in_sentence(label)

    def but(self, **changes: Any) -> Look:
        """Return another way to look at the same metric."""
        if "where" in changes:
            changes["said"] = tuple(changes.pop("where"))
        return replace(self, **changes)

    @property
    def query(self) -> str:
        """Return the look as a query string; what is usual is left out."""
        said: list[tuple[str, str]] = []
        if self.grain != self.metric.grain:
            said.append(("grain", self.grain))
        if self.by:
            said.append(("by", self.by))
        return urlencode([*said, *(("where", said) for said in self.said)])

    def link(self, **changes: Any) -> str:
        """Return the address of the metric's page, looked at in another way."""
        query = self.but(**changes).query if changes else self.query
        return f"{self.metric.url()}?{query}" if query else self.metric.url()


def look_from(metric: Metric, asked: QueryDict) -> Look:
    """Return how an address asks to look at a metric, or say what in it cannot be understood."""
    grain = asked.get("grain", "") or metric.grain
    known = next((one for one in GRAINS if one == grain), None)
    if known is None:
        mend = f"The grains are {', '.join(GRAINS)}."
        problem = FieldProblem("grain", f"There is no grain {grain}.", mend)
        raise Invalid(problem.problem, mend=mend, errors=[problem])
    said: Sequence[str] = [given for given in asked.getlist("where") if given.strip()][:10]
    look = Look(metric, known, asked.get("by", ""), tuple(said))
    every = [one for one in look.layer.dimensions(metric.name) if one.kind != "time"]
    names = {one.name for one in every} | {one.short for one in every}
    for where, asked_for in [("by", look.by), *(("where", one.dimension) for one in look.where)]:
        if asked_for and asked_for not in names:
            mend = f"It can be split by {', '.join(sorted(one.short for one in look.dimensions))}."
            problem = FieldProblem(where, f"{metric.label} has no dimension {asked_for}.", mend)
            raise Invalid(problem.problem, mend=mend, errors=[problem])
    return look
