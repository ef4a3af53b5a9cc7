"""Where metrics stand: the last whole month of many at once, from one query per namespace of the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from potager.ground.access.actors import Actor
from potager.insight.metrics import compiling, reading, treeview
from potager.insight.metrics.models import Maturity, Metric, Target
from potager.insight.metrics.periods import Grain, Period, last_whole
from potager.insight.metrics.semantics import MetricQuery, SemanticLayer
from potager.kit import words
from potager.kit.clock import today
from potager.kit.errors import Problem

GRAIN: Grain = "month"
SPARK = 13


@dataclass(frozen=True)
class Standing:
    """A metric in its last whole month, against the one before; ``problem`` says why there is no value."""

    metric: Metric
    period: Period | None = None
    spark: tuple[float | None, ...] = ()
    target: Target | None = None
    through: date | None = None
    problem: str = ""

    @property
    def value(self) -> float | None:
        """Return the value of the last whole month, None where it is not known."""
        return self.spark[-1] if self.spark else None

    @property
    def before(self) -> float | None:
        """Return the value of the month before."""
        return self.spark[-2] if len(self.spark) > 1 else None

    @property
    def relative(self) -> float | None:
        """Return the change as a share of the month before."""
        return relative(self.value, self.before)

    @property
    def verdict(self) -> str:
        """Return how the value stands against the target, nothing where there is none."""
        return treeview.verdict(self.metric, self.value, self.target)

    @property
    def days_late(self) -> int | None:
        """Return by how many days the data is older than promised; None where nothing was promised."""
        return days_late(self.metric, self.through)

    @property
    def stale(self) -> bool:
        """Return whether the freshness promise is broken."""
        return bool(self.days_late)

    @property
    def degraded(self) -> bool:
        """Return whether the metric is said to be unreliable at present."""
        return self.metric.maturity == Maturity.DEGRADED

    def sentence(self) -> str:
        """Return the standing in words."""
        if self.period is None or self.value is None:
            return f"{self.metric.label} has no value yet"
        was = words.is_or_are(self.metric.label, "was", "were")
        said = f"{self.metric.label} {was} {words.human(self.value, self.metric.unit)} {self.period.when}"
        return said if self.relative is None else f"{said}, {words.change(self.relative)} on the month before"


def relative(value: float | None, before: float | None) -> float | None:
    """Return the change as a share of ``before``; None where either is unknown or ``before`` is nothing."""
    return None if value is None or not before else (value - before) / abs(before)


def days_late(metric: Metric, through: date | None) -> int | None:
    """Return by how many days the data behind a metric is older than its promise, at least 0."""
    if metric.freshness_days is None or through is None:
        return None
    return max(0, (today() - through).days - metric.freshness_days)


def standings(actor: Actor, metrics: Sequence[Metric]) -> list[Standing]:
    """Return where the metrics stand, in their order: one query per namespace, whatever their number."""
    found: dict[Any, Standing] = {}
    targets = _targets(actor, metrics)

    def namespace(metric: Metric) -> str:
        return metric.source.namespace if metric.source and metric.source.archived_at is None else ""

    for space, group in groupby(sorted(metrics, key=namespace), key=namespace):
        ours = list(group)
        if not space:
            found |= {
                metric.pk: Standing(metric, problem="Its definition was taken away.") for metric in ours
            }
            continue
        try:
            layer = compiling.layer(space)
            through = _through(layer, ours)
            found |= _of_namespace(ours, through, targets)
        except Problem as problem:
            for metric in ours:
                found[metric.pk] = Standing(metric, problem=problem.detail)
    return [found[metric.pk] for metric in metrics]


def _of_namespace(
    metrics: Sequence[Metric], through: Mapping[Any, date | None], targets: Mapping[Any, Sequence[Target]]
) -> dict[Any, Standing]:
    days = [day for day in through.values() if day is not None]
    if not days:
        return {metric.pk: Standing(metric, problem="There is no data yet.") for metric in metrics}
    start = last_whole(min(days), GRAIN).shifted(1 - SPARK).start
    end = last_whole(max(days), GRAIN).end
    rows, problems = _rows(metrics, start, end)
    found = {}
    for metric in metrics:
        day = through[metric.pk]
        if day is None:
            found[metric.pk] = Standing(metric, problem="There is no data yet.")
            continue
        period = last_whole(day, GRAIN)
        months = [period.shifted(back).start for back in range(1 - SPARK, 1)]
        target = next(
            (
                one
                for one in targets.get(metric.pk, ())
                if one.start <= period.start and one.end >= period.end
            ),
            None,
        )
        spark = tuple(rows.get(month, {}).get(metric.name) for month in months)
        found[metric.pk] = Standing(metric, period, spark, target, day, problems.get(metric.name, ""))
    return found


def _rows(
    metrics: Sequence[Metric], start: date, end: date
) -> tuple[dict[date, dict[str, float | None]], dict[str, str]]:
    """Return values by month and metric, and what went wrong by metric: one that fails does not stop the others."""
    names = tuple(metric.name for metric in metrics)
    try:
        result = reading.ask(metrics[0], MetricQuery(metrics=names, grain=GRAIN, start=start, end=end))
    except Problem as problem:
        if len(metrics) == 1:
            return {}, {names[0]: problem.detail}
        rows: dict[date, dict[str, float | None]] = {}
        problems: dict[str, str] = {}
        for metric in metrics:
            alone, wrong = _rows([metric], start, end)
            problems |= wrong
            for month, values in alone.items():
                rows.setdefault(month, {}).update(values)
        return rows, problems
    return {row["metric_time"]: row for row in result.table.to_pylist()}, {}


def _through(layer: SemanticLayer, metrics: Sequence[Metric]) -> dict[Any, date | None]:
    """Return until when each metric has data: one look per set of semantic models, not per metric."""
    by_models: dict[tuple[str, ...], date | None] = {}
    found = {}
    for metric in metrics:
        models = layer.metric(metric.name).models
        if models not in by_models:
            by_models[models] = reading.freshness(metric).complete_through
        found[metric.pk] = by_models[models]
    return found


def _targets(actor: Actor, metrics: Sequence[Metric]) -> dict[Any, list[Target]]:
    """Return the targets by metric, the shortest period first."""
    found: dict[Any, list[Target]] = {}
    for target in Target.objects.visible_to(actor).alive().filter(metric__in=metrics):
        found.setdefault(target.metric_id, []).append(target)
    for several in found.values():
        several.sort(key=lambda target: target.end - target.start)
    return found
