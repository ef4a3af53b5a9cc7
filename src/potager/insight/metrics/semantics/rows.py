"""The rows under simple metrics: their values, dates and dimensions, joined as MetricFlow joins them.

MetricFlow is asked for hidden metrics over the bare row expressions; its query is then taken one step before it
aggregates. So dimensions reached through other tables, grains and entity paths mean here exactly what they mean in
MetricFlow's own answers, and Potager adds the aggregates MetricFlow does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from potager.insight.metrics.semantics.compiled import Compiled, SimpleMetric
from potager.insight.metrics.semantics.conditions import condition_expression
from potager.insight.metrics.semantics.expressions import (
    FilterItem,
    NotAnExpression,
    filter_expression,
    filter_items,
)
from potager.insight.metrics.semantics.shapes import GRAINS, METRIC_TIME, Condition
from potager.insight.metrics.semantics.statements import Asked, finest_grain, metricflow_query
from potager.insight.metrics.semantics.vocabulary import Grouping, resolve
from potager.kit.errors import Problem

DAY = "metric_day"


class NotByRow(ValueError):  # noqa: N818 - says what the metric is
    """The metrics cannot be told row by row; the message says why."""


@dataclass(frozen=True)
class Rows:
    """A query for rows. Columns: ``metric_day`` (a date), the dimensions by ``Grouping.column``, the row inputs.

    ``filters`` holds, for each simple metric, the condition under which a row counts for it.
    """

    query: exp.Select
    filters: Mapping[str, exp.Expr]


def row_query(
    compiled: Compiled,
    simples: Sequence[SimpleMetric],
    groupings: Sequence[Grouping] = (),
    conditions: Sequence[tuple[Grouping, Condition]] = (),
    *,
    start: date | None = None,
    end: date | None = None,
    templates: Mapping[str, Sequence[str]] | None = None,
) -> Rows:
    """Return the rows under ``simples``, which share a semantic model and a time dimension.

    ``templates`` adds filters to those of a simple metric's own definition. ``conditions`` hold for all rows. Raises
    :class:`NotByRow` for filters that need more than the row, such as ``{{ Metric(...) }}``.
    """
    inputs = tuple(dict.fromkeys(simple.row_input for simple in simples))
    wanted = dict.fromkeys([*groupings, *(grouping for grouping, _ in conditions)])
    filters: dict[str, exp.Expr] = {}
    for simple in simples:
        written = (*simple.filters, *(templates or {}).get(simple.name, ()))
        parts = []
        for template in written:
            columns = {}
            for item in _items(template):
                grouping = _of_item(compiled, simple, item)
                wanted.setdefault(grouping)
                columns[item] = grouping.column
            parts.append(filter_expression(template, columns.__getitem__))
        if parts:
            filters[simple.name] = exp.and_(*parts)
    grain = finest_grain(compiled, inputs)
    grain = grain if grain in GRAINS else "day"
    unique = tuple({grouping.column: grouping for grouping in wanted}.values())
    asked = Asked(inputs, unique, grain, start, end, as_rows=True)
    query = _before_aggregation(metricflow_query(compiled, asked), inputs, f"{METRIC_TIME}__{grain}")
    for grouping, condition in conditions:
        outer = exp.column(grouping.column, quoted=True)
        query = query.where(condition_expression(outer, condition), copy=False)
    return Rows(query, filters)


def _items(template: str) -> list[FilterItem]:
    try:
        items = filter_items(template)
    except NotAnExpression as error:
        raise NotByRow(f"the filter `{template}` cannot be read") from error
    for item in items:
        if item.kind == "metric" or item.date_part is not None:
            raise NotByRow(f"the filter `{' '.join(template.split())}` needs more than the row itself")
    return items


def _of_item(compiled: Compiled, simple: SimpleMetric, item: FilterItem) -> Grouping:
    if item.name.split("__")[0] == METRIC_TIME:
        raise NotByRow("a filter on the metric's own time cannot be moved to the rows")
    requested = f"{item.name}__{item.grain}" if item.grain else item.name
    try:
        return resolve(compiled, (simple.row_input,), requested)
    except Problem as problem:
        raise NotByRow(problem.detail) from problem


def _before_aggregation(query: exp.Query, inputs: Sequence[str], time_column: str) -> exp.Select:
    """Return MetricFlow's query without its aggregation: the same columns, a row for each row."""
    aggregating = [
        select
        for select in query.find_all(exp.Select)
        if any(isinstance(part.unalias(), exp.Max) for part in select.expressions)
    ]
    if len(aggregating) != 1:
        raise NotByRow("MetricFlow does not read these values in one pass")
    inner = aggregating[0].copy()
    projections = []
    for part in inner.expressions:
        value = part.unalias()
        name = part.alias_or_name
        if isinstance(value, exp.Max):
            projections.append(value.this.as_(name.removeprefix("__")))
        elif name == time_column:
            projections.append(exp.cast(_untruncated(value), "date").as_(DAY))
        else:
            projections.append(value.as_(name))
    names = {part.alias for part in projections}
    if not {DAY, *inputs} <= names:
        raise NotByRow("MetricFlow does not read these values in one pass")
    inner.set("group", None)
    inner.set("expressions", projections)
    if query.args.get("with_") is not None and inner.args.get("with_") is None:
        inner.set("with_", query.args["with_"].copy())
    # Named from outside, so that conditions and aggregates see result columns and never the tables below.
    return exp.select("*").from_(inner.subquery("row_values"))


def _untruncated(value: exp.Expr) -> exp.Expr:
    """Return what is truncated to its day: the cast to a date that follows does as much."""
    if isinstance(value, exp.TimestampTrunc | exp.DateTrunc) and value.text("unit").lower() == "day":
        inner: exp.Expr = value.this
        return inner
    return value
