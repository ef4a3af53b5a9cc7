"""How much of the data behind a metric is there: until when, without which days, with which gaps. One query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from sqlglot import exp

from potager.engines.statistics.periods import Granularity, periods_between
from potager.insight.metrics.semantics.compiled import Compiled
from potager.insight.metrics.semantics.expressions import DIALECT, columns, read_expression
from potager.insight.metrics.semantics.spine import day_literal
from potager.insight.metrics.semantics.statements import leaves

# Rows at these grains stand for whole periods.
_COARSE: dict[str, Granularity] = {"week": "week", "month": "month", "quarter": "quarter", "year": "year"}


@dataclass(frozen=True, slots=True)
class TableCompleteness:
    """What one table holds of what a metric needs.

    ``first`` and ``last`` are the moments of the first and last row by the time dimension; where that knows weeks or
    months only, ``last`` is the last day of the period the row stands for. ``missing_days`` counts the days between
    them without a row (of whole periods there); ``null_shares`` gives, per column the metric reads, the share of rows
    without a value (None when there are no rows).
    """

    table: str
    model: str
    time_dimension: str
    first: datetime | None
    last: datetime | None
    rows: int
    rows_without_time: int
    missing_days: int | None
    null_shares: Mapping[str, float | None]


@dataclass(frozen=True)
class Completeness:
    """What the tables behind a metric hold. ``data_through`` is the earliest of their last moments."""

    metric: str
    tables: tuple[TableCompleteness, ...]
    sql: str
    snapshots: Mapping[str, str]

    @property
    def data_through(self) -> datetime | None:
        """Return the moment until which every table has rows; None when one of them has none."""
        known = [table.last for table in self.tables]
        return None if None in known else min(moment for moment in known if moment is not None)

    @property
    def largest_null_share(self) -> float:
        """Return the largest share of rows without a value among all columns the metric reads."""
        return max(
            (share for table in self.tables for share in table.null_shares.values() if share is not None),
            default=0.0,
        )


@dataclass(frozen=True, slots=True)
class _Source:
    model: str
    table: str
    time_dimension: str
    moment: str
    columns: tuple[str, ...]
    grain: str


def _sources(compiled: Compiled, metric: str) -> list[_Source]:
    read: dict[tuple[str, str], dict[str, None]] = {}
    for leaf in leaves(compiled, [metric]):
        simple = compiled.simple[leaf]
        used = read.setdefault((simple.model, simple.time_dimension), {})
        used.update(dict.fromkeys(columns(read_expression(simple.expression))))
    found = []
    for (model, time_dimension), used in read.items():
        dimension = next(one for one in compiled.models[model].dimensions if one.name == time_dimension)
        moment = dimension.expr or dimension.name
        grain = compiled.finest_grains[f"{model}.{time_dimension}"]
        found.append(_Source(model, compiled.relation(model), time_dimension, moment, tuple(used), grain))
    return found


def completeness_query(
    compiled: Compiled, metric: str, start: date | None = None, end: date | None = None
) -> exp.Query:
    """Return the query whose rows :func:`read_completeness` reads, one per table and time dimension."""
    sources = _sources(compiled, metric)
    widest = max(len(source.columns) for source in sources)
    selects = []
    for position, source in enumerate(sources):
        moment = exp.cast(read_expression(source.moment), "timestamp", dialect=DIALECT)
        day = exp.cast(moment.copy(), "date", dialect=DIALECT)
        stood_for: exp.Expression = day
        if source.grain in _COARSE:
            stood_for = exp.TimestampTrunc(this=moment.copy(), unit=exp.Var(this=source.grain.upper()))
        nulls = [
            exp.Sub(
                this=exp.Count(this=exp.Star()), expression=exp.Count(this=exp.column(column, quoted=True))
            )
            for column in source.columns
        ]
        filled = [*nulls, *(exp.null() for _ in range(widest - len(nulls)))]
        select = exp.select(
            exp.Literal.number(position).as_("source"),
            exp.func("MIN", moment.copy()).as_("first"),
            exp.func("MAX", moment.copy()).as_("last"),
            exp.Count(this=exp.Star()).as_("rows"),
            exp.Count(this=moment.copy()).as_("rows_with_time"),
            exp.Count(this=exp.Distinct(expressions=[stood_for.copy()])).as_("periods"),
            *(exp.cast(one, "bigint").as_(f"nulls_{number}") for number, one in enumerate(filled)),
        ).from_(exp.to_table(source.table, dialect=DIALECT))
        if start is not None:
            select = select.where(exp.GTE(this=day.copy(), expression=day_literal(start)))
        if end is not None:
            select = select.where(exp.LTE(this=day.copy(), expression=day_literal(end)))
        selects.append(select)
    return exp.union(*selects, distinct=False) if len(selects) > 1 else selects[0]


def read_completeness(compiled: Compiled, metric: str, table: pa.Table) -> tuple[TableCompleteness, ...]:
    """Return what the rows of :func:`completeness_query` say."""
    found = {row["source"]: row for row in table.to_pylist()}
    result = []
    for position, source in enumerate(_sources(compiled, metric)):
        row = found[position]
        first, last, rows = row["first"], row["last"], int(row["rows"])
        missing = None
        if first is not None:
            missing, last = _missing(source.grain, first, last, int(row["periods"]))
        shares = {
            column: (row[f"nulls_{number}"] / rows if rows else None)
            for number, column in enumerate(source.columns)
        }
        without = rows - int(row["rows_with_time"])
        result.append(
            TableCompleteness(
                source.table, source.model, source.time_dimension, first, last, rows, without, missing, shares
            )
        )
    return tuple(result)


def _missing(grain: str, first: datetime, last: datetime, found: int) -> tuple[int, datetime]:
    """Return how many days have no row, and until when the rows tell: periods to the end of the last."""
    if grain not in _COARSE:
        return (last.date() - first.date()).days + 1 - found, last
    periods = periods_between(first.date(), last.date(), _COARSE[grain])
    days = (periods[-1].last - periods[0].first).days + 1
    return round(days * (1 - found / len(periods))), datetime.combine(
        periods[-1].last, last.time(), last.tzinfo
    )
