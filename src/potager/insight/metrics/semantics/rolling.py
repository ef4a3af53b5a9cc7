"""Rolling and cumulative values in linear time.

MetricFlow joins every row to every day whose window holds it: 28-day active customers read each row 28 times and then
count distinct over all of it. Here each (unit, day) pair is present from its day until the unit's next day or the end
of its window, whichever comes first. Those stretches do not overlap, so the number present is the running sum of
+1 at each beginning and −1 at each end: one pass over distinct pairs, whatever the window's length. Sums take their
days' totals through the same running sum.

A day has a value when at least one row lies in its window, as in MetricFlow, also where every unit is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from sqlglot import exp

from potager.insight.metrics.semantics.compiled import Compiled, SimpleMetric, filters_on
from potager.insight.metrics.semantics.normalize import SPINE_COLUMN, SPINE_TABLE
from potager.insight.metrics.semantics.rows import DAY, NotByRow, row_query
from potager.insight.metrics.semantics.shapes import GRAINS, Condition
from potager.insight.metrics.semantics.spine import day_literal, interval, series
from potager.insight.metrics.semantics.statements import time_columns
from potager.insight.metrics.semantics.vocabulary import Grouping

VALUE = "value"
_AGGREGATIONS = frozenset({"count_distinct", "sum"})
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_LONGEST_PERIOD = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class Rolling:
    """How a cumulative metric looks back, and over which simple metric.

    ``reach`` is a window of ``count`` ``unit``, the period ``unit`` to date, or all time. ``filters`` are those of the
    cumulative metric beside those of the simple one. ``over_period`` says which day stands for a week or month.
    """

    simple: SimpleMetric
    reach: Literal["window", "to_date", "all_time"]
    count: int
    unit: str
    over_period: Literal["first", "last", "average"]
    filters: tuple[str, ...]


def rolling_of(compiled: Compiled, name: str) -> Rolling | None:
    """Return how the metric looks back when it can be told in linear time, else None.

    That is: a cumulative metric over a count of distinct values or a sum, by whole days or longer.
    """
    metric = compiled.all_metrics[name]
    cumulative = metric.type_params.cumulative_type_params
    if metric.type.value != "cumulative" or cumulative is None or cumulative.metric is None:
        return None
    simple = compiled.simple.get(cumulative.metric.name)
    if simple is None or simple.aggregation not in _AGGREGATIONS or simple.fills_gaps or simple.semi_additive:
        return None
    if compiled.finest_grains[f"{simple.model}.{simple.time_dimension}"] in GRAINS[1:]:
        return None
    window, to_date = cumulative.window, cumulative.grain_to_date
    unit = window.granularity if window is not None else (to_date or "day")
    by_months = window is not None and unit in _MONTHS
    if unit not in GRAINS or (by_months and simple.aggregation == "sum"):
        return None
    return Rolling(
        simple=simple,
        reach="window" if window is not None else ("to_date" if to_date else "all_time"),
        count=window.count if window is not None else 1,
        unit=str(unit),
        over_period=cumulative.period_agg.value,
        filters=(*filters_on(metric.filter), *filters_on(cumulative.metric.filter)),
    )


def rolling_query(
    compiled: Compiled,
    rolling: Rolling,
    groupings: Sequence[Grouping],
    conditions: Sequence[tuple[Grouping, Condition]],
    *,
    grain: str,
    start: date | None,
    end: date | None,
    templates: Sequence[str] = (),
) -> exp.Select:
    """Return a query for the value by ``grain``: columns ``metric_day``, the groupings' columns, ``value``.

    Raises :class:`~potager.insight.metrics.semantics.rows.NotByRow` for filters that need more than the row.
    """
    if any(one.info.kind == "time" for one in groupings) or any(
        one.info.kind == "time" for one, _ in conditions
    ):
        raise NotByRow("a second time dimension is asked for")
    simple = rolling.simple
    rows = row_query(
        compiled,
        [simple],
        groupings,
        conditions,
        start=_first_row(rolling, start),
        end=end,
        templates={simple.name: (*rolling.filters, *templates)},
    )
    dims = [one.column for one in groupings]
    source = rows.query.copy()
    if simple.name in rows.filters:
        source = source.where(rows.filters[simple.name], copy=False)
    source = source.where(exp.Not(this=exp.Is(this=exp.column(DAY), expression=exp.null())), copy=False)
    source.set("expressions", [_column(DAY), *map(_column, dims), exp.column(simple.row_input).as_("unit")])
    by_day, parts = _totals(rolling, dims) if simple.aggregation == "sum" else _presence(rolling, dims, start)
    days = exp.select(_column(SPINE_COLUMN)).from_(SPINE_TABLE)
    present = (
        exp.select(_column(DAY), *map(_column, dims), _column(VALUE))
        .from_(by_day.subquery("by_day"))
        .where(exp.GT(this=exp.column("rows_in_reach"), expression=exp.Literal.number(0)))
        .where(exp.In(this=_column(DAY), query=exp.Subquery(this=days)))
    )
    query = present if grain == "day" else _by_period(present, rolling.over_period, grain, dims)
    spine = series(time_columns(compiled, [simple.name]), start, end)
    for name, part in {SPINE_TABLE: spine, "source": source, **parts}.items():
        query = query.with_(name, as_=part, copy=False)
    return query


def _presence(
    rolling: Rolling, dims: Sequence[str], start: date | None
) -> tuple[exp.Select, dict[str, exp.Query]]:
    """Return how many units are present on each day, and the steps on the way."""
    visits = _visits(rolling, dims)
    stretches = _stretches(rolling, dims, start)
    by_day = (
        exp.select(
            _column(DAY),
            *map(_column, dims),
            exp.cast(_running("change", dims), "bigint").as_(VALUE),
            _running("row_change", dims).as_("rows_in_reach"),
        )
        .from_(_changes(dims).subquery("changes"))
        .group_by(_column(DAY), *map(_column, dims))
    )
    return by_day, {"visits": visits, "stretches": stretches}


def _totals(rolling: Rolling, dims: Sequence[str]) -> tuple[exp.Select, dict[str, exp.Query]]:
    """Return the running total of each day: over the window's days, the period so far, or everything so far."""
    keys = [*map(_column, dims)]
    daily = exp.select(
        _column(DAY),
        *keys,
        exp.Sum(this=_column("unit")).as_("change"),
        exp.Count(this=exp.Star()).as_("row_change"),
    )
    daily = daily.from_("source").group_by(_column(DAY), *keys)
    nothing = [exp.null().as_("change"), exp.Literal.number(0).as_("row_change")]
    changes = exp.union(
        exp.select("*").from_("daily"), _every_day(dims, nothing, "daily"), distinct=False, copy=False
    )
    frame = None
    if rolling.reach == "window":
        days = rolling.count * (7 if rolling.unit == "week" else 1) - 1
        edges = {"start": interval(days, "DAY"), "start_side": "PRECEDING", "end": "CURRENT ROW"}
        frame = exp.WindowSpec(kind="RANGE", **edges)
    period = _period(_column(DAY), rolling.unit) if rolling.reach == "to_date" else None
    by_day = exp.select(
        _column(DAY),
        *keys,
        _running("change", dims, frame, period).as_(VALUE),
        _running("row_change", dims, frame, period).as_("rows_in_reach"),
    )
    return by_day.from_(changes.subquery("changes")).group_by(_column(DAY), *keys), {"daily": daily}


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=name not in {DAY, SPINE_COLUMN, VALUE, "unit"})


def _first_row(rolling: Rolling, start: date | None) -> date | None:
    """Return a day before which no row can matter from ``start`` on; MetricFlow reads that much earlier too."""
    if start is None or rolling.reach == "all_time":
        return None
    days = _LONGEST_PERIOD[rolling.unit] * rolling.count
    return start - timedelta(days=days) if (start - date.min).days > days else None


def _visits(rolling: Rolling, dims: Sequence[str]) -> exp.Select:
    """Return one row per unit and day on which it was seen; one per unit and period where only the first day counts."""
    keys = [*map(_column, dims), _column("unit")]
    if rolling.reach == "window":
        return exp.select(*keys, _column(DAY)).from_("source").distinct()
    first = exp.func("MIN", _column(DAY)).as_(DAY)
    if rolling.reach == "all_time":
        return exp.select(*keys, first).from_("source").group_by(*keys)
    period = _period(_column(DAY), rolling.unit)
    return exp.select(*keys, first).from_("source").group_by(*keys, period)


def _period(day: exp.Expr, unit: str) -> exp.Expr:
    return exp.cast(exp.TimestampTrunc(this=day, unit=exp.Var(this=unit.upper())), "date")


def _stretches(rolling: Rolling, dims: Sequence[str], start: date | None) -> exp.Select:
    """Return the days each visit is present for: from ``begins`` until before ``ends``; no two of a unit overlap."""
    begins: exp.Expr = _column(DAY)
    if start is not None:
        begins = exp.func("GREATEST", begins, day_literal(start))
    return exp.select(
        *map(_column, dims), _column("unit"), begins.as_("begins"), _ends(rolling, dims).as_("ends")
    ).from_("visits")


def _ends(rolling: Rolling, dims: Sequence[str]) -> exp.Expr:
    day = _column(DAY)
    if rolling.reach == "all_time":
        return exp.cast(exp.null(), "date")
    if rolling.reach == "to_date":
        return exp.cast(exp.Add(this=_period(day, rolling.unit), expression=_step(1, rolling.unit)), "date")
    leaves: exp.Expr = exp.cast(
        exp.Add(this=day.copy(), expression=_step(rolling.count, rolling.unit)), "date"
    )
    if rolling.unit not in {"day", "week"}:
        # A month after 31 January is 28 February, whose own month back is 28 January: still within the window.
        back = exp.cast(exp.Sub(this=leaves.copy(), expression=_step(rolling.count, rolling.unit)), "date")
        later = exp.cast(exp.Add(this=leaves.copy(), expression=_step(1, "day")), "date")
        leaves = exp.Case().when(exp.LT(this=back, expression=day.copy()), later).else_(leaves)
    following = exp.Window(
        this=exp.Lead(this=day.copy()),
        partition_by=[*map(_column, dims), _column("unit")],
        order=exp.Order(expressions=[exp.Ordered(this=day.copy(), nulls_first=False)]),
    )
    return exp.func("LEAST", leaves.copy(), exp.func("COALESCE", following, leaves))


def _step(count: int, unit: str) -> exp.Expr:
    months = _MONTHS.get(unit)
    if months is not None:
        return interval(count * months, "MONTH")
    return interval(count * (7 if unit == "week" else 1), "DAY")


def _changes(dims: Sequence[str]) -> exp.Query:
    """Return by how much the number present changes on each day, and a zero for every day of the series."""
    keys = [*map(_column, dims)]
    units, rows = exp.Count(this=_column("unit")), exp.Count(this=exp.Star())

    def side(day: str, sign: int) -> exp.Select:
        counted = [one.copy() for one in (units, rows)]
        signed = [exp.Neg(this=one) if sign < 0 else one for one in counted]
        return (
            exp.select(exp.column(day).as_(DAY), *keys, signed[0].as_("change"), signed[1].as_("row_change"))
            .from_("stretches")
            .where(exp.Not(this=exp.Is(this=exp.column(day), expression=exp.null())))
            .group_by(exp.column(day), *keys)
        )

    nothing = [exp.Literal.number(0).as_("change"), exp.Literal.number(0).as_("row_change")]
    every_day = _every_day(dims, nothing, "visits")
    return exp.union(side("begins", 1), side("ends", -1), every_day, distinct=False, copy=False)


def _every_day(dims: Sequence[str], nothing: Sequence[exp.Expr], groups_of: str) -> exp.Select:
    """Return a row that changes nothing for every day of the series and every combination of dimensions."""
    keys = [*map(_column, dims)]
    every_day = exp.select(_column(SPINE_COLUMN).as_(DAY), *keys, *nothing).from_(SPINE_TABLE)
    if dims:
        groups = exp.select(*keys).distinct().from_(groups_of).subquery("groups")
        every_day = every_day.join(groups, join_type="cross")
    return every_day


def _running(
    column: str, dims: Sequence[str], frame: exp.WindowSpec | None = None, period: exp.Expr | None = None
) -> exp.Expr:
    """Return the running sum over days of a column's total per day, within each combination of dimensions."""
    return exp.Window(
        this=exp.Sum(this=exp.Sum(this=exp.column(column))),
        partition_by=[*map(_column, dims), *([period.copy()] if period is not None else [])],
        order=exp.Order(expressions=[exp.Ordered(this=_column(DAY), nulls_first=False)]),
        spec=frame.copy() if frame is not None else None,
    )


def _by_period(by_day: exp.Select, over_period: str, grain: str, dims: Sequence[str]) -> exp.Select:
    """Return the value of each period: that of its first or last day with a value, or the average of its days."""
    period = _period(_column(DAY), grain)
    value: exp.Expr
    if over_period == "average":
        value = exp.Avg(this=_column(VALUE))
    else:
        kind = exp.ArgMin if over_period == "first" else exp.ArgMax
        value = kind(this=_column(VALUE), expression=_column(DAY))
    return (
        exp.select(period.as_(DAY), *map(_column, dims), value.as_(VALUE))
        .from_(by_day.subquery("daily"))
        .group_by(period.copy(), *map(_column, dims))
    )
