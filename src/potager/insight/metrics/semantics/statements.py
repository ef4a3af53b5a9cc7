"""SQL as MetricFlow writes it, parsed once per shape of question and finished for each one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlglot
from sqlglot import exp

from potager.insight.metrics.semantics.compiled import Compiled, inputs_of, metricflow
from potager.insight.metrics.semantics.conditions import condition_expression
from potager.insight.metrics.semantics.expressions import DIALECT
from potager.insight.metrics.semantics.shapes import GRAINS, METRIC_TIME, Condition, Grain
from potager.insight.metrics.semantics.spine import (
    NO_END,
    NO_START,
    TimeColumn,
    make_ranges_searchable,
    put_series_in,
    series,
)
from potager.insight.metrics.semantics.vocabulary import Grouping
from potager.kit.errors import Invalid

_CONDITION = "potager_condition_"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to MetricFlow, every name resolved: what makes its SQL, but for the values of the conditions.

    ``templates`` are further filters in MetricFlow's own notation, taken from a definition.
    """

    metrics: tuple[str, ...]
    groupings: tuple[Grouping, ...] = ()
    grain: str | None = None
    start: date | None = None
    end: date | None = None
    conditions: tuple[tuple[Grouping, Condition], ...] = ()
    templates: tuple[str, ...] = ()
    as_rows: bool = False

    @property
    def columns(self) -> list[str]:
        """Return the group-by columns of the SQL, time first."""
        return [
            *([f"{METRIC_TIME}__{self.grain}"] if self.grain else []),
            *(one.column for one in self.groupings),
        ]


def leaves(compiled: Compiled, names: Sequence[str]) -> list[str]:
    """Return the simple metrics that ``names`` are computed from in the end, each once."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    ahead = list(reversed(names))
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in compiled.simple:
            found[name] = None
        else:
            ahead.extend(reversed(inputs_of(compiled.all_metrics[name])))
    return list(found)


def time_columns(compiled: Compiled, names: Sequence[str]) -> list[TimeColumn]:
    """Return the columns that date the rows the metrics are computed from."""
    found: dict[TimeColumn, None] = {}
    for leaf in leaves(compiled, names):
        simple = compiled.simple[leaf]
        model = compiled.models[simple.model]
        dimension = next(one for one in model.dimensions if one.name == simple.time_dimension)
        found[TimeColumn(compiled.relation(simple.model), dimension.expr or dimension.name)] = None
    return list(found)


def finest_grain(compiled: Compiled, names: Sequence[str]) -> str:
    """Return the coarsest of the time grains that the metrics' rows are dated by (``hour``, ``day``, ``month`` …)."""
    order = ["nanosecond", "microsecond", "millisecond", "second", "minute", "hour", *GRAINS]
    grains = {
        compiled.finest_grains[f"{compiled.simple[leaf].model}.{compiled.simple[leaf].time_dimension}"]
        for leaf in leaves(compiled, names)
    }
    return max(grains, key=order.index, default="day")


def keeps_days(compiled: Compiled, names: Sequence[str]) -> bool:
    """Say whether a range of days can be taken to the day for these metrics.

    It cannot where a metric looks back by whole periods, converts over time, or is dated by months to begin with.
    """
    if finest_grain(compiled, names) in GRAINS[1:]:
        return False
    ahead = list(names)
    while ahead:
        metric = compiled.all_metrics[ahead.pop()]
        parts = metric.type_params.metrics or []
        if metric.type.value == "conversion" or any(
            part.offset_window or part.offset_to_grain for part in parts
        ):
            return False
        ahead.extend(inputs_of(metric))
    return True


def widened(start: date | None, end: date | None, grain: Grain) -> tuple[date | None, date | None]:
    """Return the range widened to whole periods of ``grain``."""
    first = period_start(start, grain) if start else None
    last = next_period(period_start(end, grain), grain) - timedelta(days=1) if end else None
    return first, last


def period_start(day: date, grain: Grain) -> date:
    """Return the first day of the period of ``grain`` that ``day`` lies in; weeks begin on Monday."""
    if grain == "week":
        return day - timedelta(days=day.weekday())
    month = {"month": day.month, "quarter": 3 * ((day.month - 1) // 3) + 1, "year": 1}.get(grain)
    return day if month is None else date(day.year, month, 1)


def next_period(first: date, grain: Grain) -> date:
    """Return the first day of the period after the one that begins on ``first``."""
    days = {"day": 1, "week": 7}.get(grain)
    if days is not None:
        return first + timedelta(days=days)
    months = first.month + {"month": 1, "quarter": 3, "year": 12}[grain] - 1
    return date(first.year + months // 12, months % 12 + 1, 1)


def metricflow_query(compiled: Compiled, asked: Asked) -> exp.Query:
    """Return MetricFlow's query for ``asked``, conditions put in, days generated, ranges searchable.

    Its columns are ``asked.columns`` and the metrics. Raises :class:`Invalid` with MetricFlow's reason when it cannot
    answer.
    """
    tree = _parsed(compiled, asked).copy()
    for equation in list(tree.find_all(exp.EQ)):
        marker = equation.expression
        if isinstance(marker, exp.Literal) and marker.is_string and marker.this.startswith(_CONDITION):
            _, condition = asked.conditions[int(marker.this.removeprefix(_CONDITION))]
            equation.replace(exp.paren(condition_expression(equation.this, condition)))
    make_ranges_searchable(tree)
    finished = put_series_in(tree, series(time_columns(compiled, asked.metrics), asked.start, asked.end))
    assert isinstance(finished, exp.Query)
    return finished


def _parsed(compiled: Compiled, asked: Asked) -> exp.Expr:
    shape = (
        asked.metrics,
        tuple(one.metricflow_name for one in asked.groupings),
        asked.grain,
        asked.start,
        asked.end,
        tuple((one.metricflow_name, one.info.kind) for one, _ in asked.conditions),
        asked.templates,
        asked.as_rows,
    )
    found: exp.Expr | None = compiled.statements.get(shape)
    if found is None:
        parsed = sqlglot.parse_one(_compile(compiled, asked), dialect=DIALECT)
        for node in parsed.walk():
            node.comments = None
        found = compiled.remember(shape, parsed)
    assert found is not None
    return found


def _compile(compiled: Compiled, asked: Asked) -> str:
    """Return the SQL that MetricFlow writes."""
    from metricflow.sql.optimizer.optimization_levels import SqlOptimizationLevel

    module = metricflow()
    bounded = asked.start is not None or asked.end is not None
    last_moment = time.min if finest_grain(compiled, asked.metrics) in GRAINS else time(23, 59, 59, 999999)
    with compiled.lock, _explained(asked), compiled.parser.keeping_days(keeps_days(compiled, asked.metrics)):
        request = module.MetricFlowQueryRequest.create(
            metric_names=list(asked.metrics),
            group_by_names=[
                *([f"{METRIC_TIME}__{asked.grain}"] if asked.grain else []),
                *(one.metricflow_name for one in asked.groupings),
            ],
            time_constraint_start=datetime.combine(asked.start or NO_START, time.min) if bounded else None,
            time_constraint_end=datetime.combine(min(asked.end or NO_END, NO_END), last_moment)
            if bounded
            else None,
            where_constraints=[
                *(
                    f"{_reference(one)} = '{_CONDITION}{number}'"
                    for number, (one, _) in enumerate(asked.conditions)
                ),
                *asked.templates,
            ],
            sql_optimization_level=SqlOptimizationLevel.O4 if asked.as_rows else SqlOptimizationLevel.O5,
        )
        return str(compiled.engine.explain(request).sql_statement.sql)


def _reference(grouping: Grouping) -> str:
    """Return MetricFlow's template for a dimension; its names come from definitions and hold word characters only."""
    *path, last = grouping.info.name.split("__")
    name = f"{path[-1]}__{last}" if path else last
    above = ", ".join(f"'{part}'" for part in path[:-1])
    path_given = f", entity_path=[{above}]" if above else ""
    if grouping.info.kind == "entity":
        return f"{{{{ Entity('{last}', entity_path=[{', '.join(repr(part) for part in path)}]) }}}}"
    if grouping.info.kind == "time":
        grain = grouping.metricflow_name.rpartition("__")[2]
        return f"{{{{ TimeDimension('{name}', '{grain}'{path_given}) }}}}"
    return f"{{{{ Dimension('{name}'{path_given}) }}}}"


@contextmanager
def _explained(asked: Asked) -> Iterator[None]:
    """Turn what MetricFlow raises about a question into a problem a person can read."""
    try:
        yield
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        after = lines.index("Message:") + 1 if "Message:" in lines else 0
        reason = lines[after] if lines else type(error).__name__
        what = ", ".join(f"`{name}`" for name in asked.metrics)
        raise Invalid(
            f"MetricFlow cannot answer this for {what}: {reason}",
            mend="Ask by a grain such as month, or with fewer dimensions.",
        ) from error
