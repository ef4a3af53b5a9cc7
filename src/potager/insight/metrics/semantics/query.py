"""From a question to one SQL statement: MetricFlow's where it is good, Potager's where it is not, joined by group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlglot import exp

from potager.insight.metrics.semantics.compiled import Compiled, filters_on, inputs_of
from potager.insight.metrics.semantics.conditions import check, literal
from potager.insight.metrics.semantics.expressions import read_expression
from potager.insight.metrics.semantics.findings import choose_from
from potager.insight.metrics.semantics.rolling import VALUE, Rolling, rolling_of, rolling_query
from potager.insight.metrics.semantics.rows import DAY, NotByRow
from potager.insight.metrics.semantics.shapes import GRAINS, METRIC_TIME, Condition, MetricQuery
from potager.insight.metrics.semantics.spine import hoist, prepend_cte
from potager.insight.metrics.semantics.statements import Asked, keeps_days, metricflow_query, widened
from potager.insight.metrics.semantics.vocabulary import Grouping, known_metric, resolve, result_names
from potager.kit.errors import Invalid

MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement and what its columns are; ``notes`` are sentences for the reader of the result."""

    query: exp.Query
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One sub-query: a group-by and the values it yields, by the slot that takes each."""

    query: exp.Query
    keys: list[str]
    slots: dict[str, str]


@dataclass
class _Plan:
    compiled: Compiled
    asked: Asked
    last_day: Callable[[], date | None]
    values: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    plain: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)

    def slot(self, name: str, templates: tuple[str, ...]) -> str | None:
        """Return the slot already given to this value, or None after giving it one."""
        return self.values.get((name, templates))

    def give(self, name: str, templates: tuple[str, ...]) -> str:
        return self.values.setdefault((name, templates), f"value_{len(self.values)}")

    def value(self, name: str, templates: tuple[str, ...] = ()) -> exp.Expr:
        """Return the expression over slots that gives the metric, planning the sub-queries it needs."""
        known = self.slot(name, templates)
        if known is not None:
            return exp.column(known)
        compiled, metric = self.compiled, self.compiled.all_metrics[name]
        cumulative = metric.type.value == "cumulative"
        if cumulative:
            rolling = rolling_of(compiled, name)
            part = self._rolling(rolling, name, templates) if rolling is not None else None
            if part is None and self.asked.grain is None:
                part = self._as_at(name, templates)
            if part is not None:
                self.parts.append(part)
                return exp.column(self.values[name, templates])
        elif _is_arithmetic(compiled, name) and _holds_cumulative(compiled, name):
            return self._arithmetic(name, templates)
        slot = self.give(name, templates)
        self.plain.setdefault(templates, {})[slot] = name
        return exp.column(slot)

    def _day(self) -> date:
        day = self.asked.end or self.last_day()
        if day is None:
            raise Invalid("There is no data to take the last day of.", mend="Import data, or give an end.")
        return day

    def _rolling(self, rolling: Rolling, name: str, templates: tuple[str, ...]) -> _Part | None:
        asked = self.asked
        start, end = asked.start, asked.end
        if asked.grain is None:
            start = end = self._day()
        try:
            query = rolling_query(
                self.compiled,
                rolling,
                asked.groupings,
                asked.conditions,
                grain=asked.grain or "day",
                start=start,
                end=end,
                templates=templates,
            )
        except NotByRow:
            return None
        keys = [*([DAY] if asked.grain else []), *(one.column for one in asked.groupings)]
        return _Part(query, keys, {self.give(name, templates): VALUE})

    def _as_at(self, name: str, templates: tuple[str, ...]) -> _Part:
        """Return what a cumulative metric is on the last day, for a question without a grain."""
        day = self._day()
        asked = replace(self.asked, metrics=(name,), grain="day", start=day, end=day, templates=templates)
        keys = [one.column for one in asked.groupings]
        return _Part(metricflow_query(self.compiled, asked), keys, {self.give(name, templates): name})

    def _arithmetic(self, name: str, templates: tuple[str, ...]) -> exp.Expr:
        metric = self.compiled.all_metrics[name]
        parameters = metric.type_params
        own = (*templates, *filters_on(metric.filter))
        if metric.type.value == "ratio":
            over, under = (
                self.value(one.name, (*own, *filters_on(one.filter)))
                for one in (parameters.numerator, parameters.denominator)
            )
            safe = exp.Nullif(this=under, expression=exp.Literal.number(0))
            return exp.Div(this=exp.cast(over, "double"), expression=exp.cast(safe, "double"))
        inputs = {
            (one.alias or one.name).lower(): self.value(one.name, (*own, *filters_on(one.filter)))
            for one in parameters.metrics
        }
        formula = exp.paren(read_expression(parameters.expr))
        for column in list(formula.find_all(exp.Column)):
            column.replace(exp.paren(inputs[column.name.lower()].copy()))
        return formula

    def finish(self) -> None:
        """Plan one MetricFlow query per set of extra filters."""
        for templates, slots in self.plain.items():
            asked = replace(self.asked, metrics=tuple(dict.fromkeys(slots.values())), templates=templates)
            self.parts.append(_Part(metricflow_query(self.compiled, asked), asked.columns, slots))


def _is_arithmetic(compiled: Compiled, name: str) -> bool:
    """Say whether the metric is a ratio or formula of others, none of them looked at with an offset."""
    metric = compiled.all_metrics[name]
    if metric.type.value == "ratio":
        return True
    offset = any(one.offset_window or one.offset_to_grain for one in metric.type_params.metrics or [])
    return metric.type.value == "derived" and not offset


def _holds_cumulative(compiled: Compiled, name: str) -> bool:
    metric = compiled.all_metrics[name]
    return metric.type.value == "cumulative" or any(
        _holds_cumulative(compiled, one) for one in inputs_of(metric)
    )


def plan(compiled: Compiled, query: MetricQuery, last_day: Callable[[], date | None]) -> Statement:
    """Return the SQL for ``query``.

    ``last_day`` is asked for the last day with data when a cumulative metric is wanted without grain and end. Raises
    :class:`NotFound` for unknown names and :class:`Invalid` for what cannot be asked, each with its mend.
    """
    asked, notes = _asked(compiled, query)
    planned = _Plan(compiled, asked, last_day)
    values = {name: planned.value(name) for name in asked.metrics}
    planned.finish()
    joined = _join(planned.parts, asked.columns, values)
    names = result_names(asked.groupings, asked.metrics)
    named = [*([METRIC_TIME] if asked.grain else []), *names]
    finished = _name_columns(joined, asked, named)
    columns = (*named, *asked.metrics)
    for key in query.order_by or tuple(named):
        finished = finished.order_by(_ordered(key, columns), copy=False)
    if query.limit is not None:
        finished = finished.limit(literal(query.limit), copy=False)
    return Statement(finished, columns, notes)


def _asked(compiled: Compiled, query: MetricQuery) -> tuple[Asked, tuple[str, ...]]:
    metrics = tuple(dict.fromkeys(name.lower() for name in query.metrics))
    if not metrics:
        raise Invalid("No metric was asked for.", mend=choose_from("", list(compiled.metrics), kind="metric"))
    for name in metrics:
        known_metric(compiled, name)
    if query.grain is not None and query.grain not in GRAINS:
        raise Invalid(f"There is no grain `{query.grain}`.", mend=f"Use one of: {', '.join(GRAINS)}.")
    if query.start and query.end and query.start > query.end:
        raise Invalid(
            f"The range ends on {query.end}, before it starts on {query.start}.", mend="Swap the two."
        )
    if query.limit is not None and not 0 < query.limit <= MOST_ROWS:
        raise Invalid(
            f"A limit of {query.limit} is not possible.", mend=f"Give a number from 1 to {MOST_ROWS:,}."
        )
    groupings: dict[str, Grouping] = {}
    for requested in query.group_by:
        grouping = resolve(compiled, metrics, requested)
        groupings.setdefault(grouping.column, grouping)
    conditions: list[tuple[Grouping, Condition]] = []
    for condition in query.where:
        check(condition)
        conditions.append((resolve(compiled, metrics, condition.dimension), condition))
    start, end = query.start, query.end
    notes: tuple[str, ...] = ()
    if not keeps_days(compiled, metrics):
        start, end = widened(start, end, query.grain or "day")
        if (start, end) != (query.start, query.end):
            span = f"from {start or 'the beginning'} to {end or 'the end'}"
            notes = (
                f"The range was widened to whole periods, {span}, because a metric compares whole periods.",
            )
    asked = Asked(metrics, tuple(groupings.values()), query.grain, start, end, tuple(conditions))
    return asked, notes


def _join(parts: Sequence[_Part], keys: Sequence[str], values: dict[str, exp.Expr]) -> exp.Select:
    """Return one query over all parts, its columns ``keys`` and then the metrics."""
    if len(parts) == 1 and all(isinstance(value, exp.Column) for value in values.values()):
        only = parts[0]
        if isinstance(only.query, exp.Select):
            sources = [*only.keys, *(only.slots[value.name] for value in values.values())]
            return _select_again(only.query, sources, [*keys, *values])
    slots = list(dict.fromkeys(slot for part in parts for slot in part.slots))
    selects = []
    for position, part in enumerate(parts):
        columns = [exp.column(own, quoted=True).as_(key) for own, key in zip(part.keys, keys, strict=True)]
        filled = [
            (exp.column(part.slots[slot], quoted=True) if slot in part.slots else exp.null()).as_(slot)
            for slot in slots
        ]
        selects.append(exp.select(*columns, *filled).from_(f"part_{position}"))
    stacked: exp.Query = exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0]
    # Groups are matched by grouping, not by joining, because a join never matches the group without a value.
    quoted = [exp.column(key, quoted=True) for key in keys]
    merged = exp.select(*quoted, *(exp.func("MAX", exp.column(slot)).as_(slot) for slot in slots))
    merged = merged.from_(stacked.subquery("stacked"))
    if keys:
        merged = merged.group_by(*(key.copy() for key in quoted))
    outer = exp.select(
        *(key.copy() for key in quoted), *(value.as_(name, quoted=True) for name, value in values.items())
    )
    outer = outer.from_(merged.subquery("merged"))
    hoisted: dict[str, exp.Query] = {}
    for position, part in enumerate(parts):
        query = hoist(part.query, f"part_{position}", hoisted)
        outer = outer.with_(f"part_{position}", as_=query, copy=False)
    for name, query in reversed(hoisted.items()):
        prepend_cte(outer, name, query)
    return outer


def _select_again(query: exp.Select, sources: Sequence[str], names: Sequence[str]) -> exp.Select:
    """Return ``query`` with its columns in the order of ``sources``, called ``names``."""
    by_name = {part.alias_or_name: part.unalias() for part in query.expressions}
    query.set(
        "expressions",
        [by_name[source].copy().as_(name, quoted=True) for source, name in zip(sources, names, strict=True)],
    )
    return query


def _name_columns(query: exp.Select, asked: Asked, named: Sequence[str]) -> exp.Select:
    """Return the query with its group-by columns called ``named``, time as a date."""
    renamed = []
    new_names = dict(zip(asked.columns, named, strict=True))
    for part in query.expressions:
        name = part.alias_or_name
        value = part.unalias()
        if asked.grain and name == asked.columns[0]:
            value = exp.cast(value, "date")
        renamed.append(value.as_(new_names.get(name, name), quoted=True))
    query.set("expressions", renamed)
    return query


def _ordered(key: str, columns: Sequence[str]) -> exp.Ordered:
    name = key.removeprefix("-")
    if name not in columns:
        raise Invalid(f"The result has no column `{name}`.", mend=choose_from(name, columns, kind="column"))
    return exp.Ordered(this=exp.column(name, quoted=True), desc=key.startswith("-"), nulls_first=False)
