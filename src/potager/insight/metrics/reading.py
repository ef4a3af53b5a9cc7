"""Values of metrics, with the SQL that gave them and the snapshots they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from potager.ground.lake.service import lake
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Grain, Period, periods_between
from potager.insight.metrics.semantics import Condition, MetricQuery, MetricResult, SemanticLayer

if TYPE_CHECKING:
    from numpy.typing import NDArray

Where = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """One query as it ran, for receipts: ``role`` says what it was for."""

    role: str
    sql: str
    snapshots: Mapping[str, str]
    engine: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Series:
    """A metric by period: ``values`` holds nan where there is nothing; ``partial`` marks the last where unfinished."""

    metric: Metric
    grain: Grain
    periods: tuple[Period, ...]
    values: NDArray[np.float64]
    partial: bool
    ran: Ran


def pins(layer: SemanticLayer, names: Sequence[str], at: Mapping[str, str] | None) -> dict[str, str]:
    """Return the snapshots to read for these metrics: those given, the present ones for the other tables."""
    tables = sorted({table for name in names for table in layer.metric(name).tables})
    found = {}
    for table in tables:
        current = lake().current(table)
        if current is not None:
            found[table] = current.id
    return {**found, **{table: pin for table, pin in (at or {}).items() if table in found}}


def ask(metric: Metric, query: MetricQuery, *, at: Mapping[str, str] | None = None) -> MetricResult:
    """Answer one query; the same query on the same definitions and snapshots is computed once in this process."""
    layer = layer_of(metric)
    return _ask(layer, query, tuple(sorted(pins(layer, query.metrics, at).items())))


@lru_cache(maxsize=1024)
def _ask(layer: SemanticLayer, query: MetricQuery, at: tuple[tuple[str, str], ...]) -> MetricResult:
    return layer.query(query, at=dict(at))


def ran(result: MetricResult, role: str) -> Ran:
    """Return a result's query for a receipt."""
    return Ran(role, result.sql, result.snapshots, result.engine, result.seconds)


def values(
    metrics: Sequence[Metric], period: Period, where: Where = (), *, at: Mapping[str, str] | None = None
) -> tuple[dict[str, float], Ran]:
    """Return several metrics of one namespace over a period: nan where there is nothing, never zero for missing."""
    names = tuple(metric.name for metric in metrics)
    query = MetricQuery(metrics=names, start=period.start, end=period.end, where=where)
    result = ask(metrics[0], query, at=at)
    row = result.table.to_pylist()[0] if result.table.num_rows else {}
    return {name: _number(row.get(name)) for name in names}, ran(result, f"{', '.join(names)} in {period}")


def value(
    metric: Metric, period: Period, where: Where = (), *, at: Mapping[str, str] | None = None
) -> tuple[float, Ran]:
    """Return one metric over a period."""
    found, run = values([metric], period, where, at=at)
    return found[metric.name], run


def series(
    metric: Metric,
    grain: Grain,
    start: date,
    end: date,
    where: Where = (),
    *,
    through: date | None = None,
    at: Mapping[str, str] | None = None,
) -> Series:
    """Return a metric by period, in order and without gaps. ``through`` is the last day with whole data."""
    query = MetricQuery(metrics=(metric.name,), grain=grain, start=start, end=end, where=where)
    result = ask(metric, query, at=at)
    periods = tuple(periods_between(start, end, grain))
    found = dict(
        zip(result.table["metric_time"].to_pylist(), result.table[metric.name].to_pylist(), strict=True)
    )
    numbers = np.array([_number(found.get(period.start)) for period in periods], dtype=np.float64)
    if additive(metric) and len(numbers):
        # Nothing happened in a period inside the data: a sum over no rows is zero there, not unknown.
        first, last = _known(numbers)
        inside = np.arange(len(numbers))
        numbers[(inside >= first) & (inside <= last) & np.isnan(numbers)] = 0.0
    partial = bool(periods) and through is not None and periods[-1].end > through
    return Series(metric, grain, periods, numbers, partial, ran(result, f"{metric.name} by {grain}"))


def additive(metric: Metric) -> bool:
    """Return whether the metric of a whole is the sum of its parts in time, as sums and counts of rows are."""
    return layer_of(metric).metric(metric.name).adds_up


def _known(numbers: NDArray[np.float64]) -> tuple[int, int]:
    known = np.flatnonzero(~np.isnan(numbers))
    return (int(known[0]), int(known[-1])) if len(known) else (len(numbers), -1)


def _number(found: object) -> float:
    return float("nan") if found is None else float(found)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the data of a metric goes, and what it lacks.

    ``complete_through`` is the last day that every table behind the metric has rows for. ``null_shares`` gives, by
    column that the metric reads, the share of rows without a value.
    """

    first: date | None
    data_through: datetime | None
    missing_days: int
    rows: int
    null_shares: Mapping[str, float]

    @property
    def complete_through(self) -> date | None:
        """Return the last day with data."""
        return self.data_through.date() if self.data_through else None


def freshness(metric: Metric, *, at: Mapping[str, str] | None = None) -> Freshness:
    """Return how far and how complete the data behind a metric is."""
    layer = layer_of(metric)
    return _freshness(layer, metric.name, tuple(sorted(pins(layer, (metric.name,), at).items())))


@lru_cache(maxsize=512)
def _freshness(layer: SemanticLayer, name: str, at: tuple[tuple[str, str], ...]) -> Freshness:
    found = layer.completeness(name, at=dict(at))
    firsts = [table.first for table in found.tables if table.first is not None]
    return Freshness(
        first=max(firsts).date() if firsts else None,
        data_through=found.data_through,
        missing_days=max((table.missing_days or 0 for table in found.tables), default=0),
        rows=sum(table.rows for table in found.tables),
        null_shares={
            column: share
            for table in found.tables
            for column, share in table.null_shares.items()
            if share is not None
        },
    )
