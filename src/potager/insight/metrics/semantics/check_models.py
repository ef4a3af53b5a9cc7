"""Semantic models against the lake: tables, columns, expressions, types, time dimensions, entities."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from potager.insight.metrics.semantics.expressions import (
    DIALECT,
    NotAnExpression,
    columns,
    read_expression,
    unguarded_divisors,
)
from potager.insight.metrics.semantics.findings import Finding, choose_from
from potager.insight.metrics.semantics.normalize import Definitions, Located

if TYPE_CHECKING:
    from potager.ground.lake.warehouse import TableInfo

_NUMERIC_AGGREGATIONS = frozenset({"sum", "average", "median", "percentile"})
_TEXT = frozenset({exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR})
_MOMENTS = frozenset(exp.DataType.TEMPORAL_TYPES)


def check_models(definitions: Definitions, tables: Mapping[str, TableInfo]) -> Iterator[Finding]:
    """Yield what is wrong with each semantic model, given the tables that the lake holds."""
    for model in definitions.models:
        relation = definitions.relation(model)
        table = tables.get(relation)
        if table is None:
            message = f"The semantic model `{model.name}` reads the table `{relation}`, which the lake does not have."
            key = "model" if "model" in model.data else "node_relation"
            yield model.finding("error", message, choose_from(relation, list(tables), kind="table"), key)
        types = column_types(table.schema) if table is not None else None
        yield from _elements(model, relation, types)
        yield from _times(model, types)
        yield from _primary(model)


def column_types(schema: pa.Schema) -> dict[str, exp.DataType]:
    """Return the SQL type of every column, by its name in lower case."""
    return {field.name.casefold(): _sql_type(field.type) for field in schema}


def _sql_type(arrow: pa.DataType) -> exp.DataType:
    kinds = (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "BIGINT"),
        (pa.types.is_floating, "DOUBLE"),
        (pa.types.is_decimal, "DECIMAL"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
        (pa.types.is_string, "VARCHAR"),
        (pa.types.is_large_string, "VARCHAR"),
        (pa.types.is_string_view, "VARCHAR"),
    )
    value = arrow.value_type if pa.types.is_dictionary(arrow) else arrow
    name = next((name for matches, name in kinds if matches(value)), "UNKNOWN")
    return exp.DataType.build(name, dialect=DIALECT)


def _elements(model: Located, relation: str, types: Mapping[str, exp.DataType] | None) -> Iterator[Finding]:
    for key, kind in (("entities", "entity"), ("dimensions", "dimension"), ("measures", "measure")):
        for element in model.parts(key):
            expression = yield from _read(element, kind)
            if expression is None:
                continue
            if types is not None:
                yield from _unknown_columns(element, kind, expression, relation, types)
            if next(expression.find_all(exp.AggFunc), None) is not None:
                message = f"The {kind} `{element.name}` aggregates inside its expression `{expression.sql(DIALECT)}`."
                yield element.finding(
                    "error", message, "Write the row's value; `agg:` does the aggregating.", "expr"
                )
            for divisor in unguarded_divisors(expression):
                shown = divisor.sql(DIALECT)
                message = f"The {kind} `{element.name}` divides by `{shown}`, which may be zero; such rows are null."
                mend = f"Write `NULLIF({shown}, 0)` to say that this is meant."
                yield element.finding("warning", message, mend, "expr")
            if kind == "measure" and types is not None:
                yield from _aggregation(element, expression, types)


def _read(element: Located, kind: str) -> Generator[Finding, None, exp.Expr | None]:
    text = element.expression
    if element.data.get("expr") is None:
        return exp.column(text)
    try:
        return read_expression(text)
    except NotAnExpression as error:
        message = f"The expression of the {kind} `{element.name}`, `{text}`, cannot be read: {error}."
        yield element.finding("error", message, "Write one SQL expression over the table's columns.", "expr")
        return None


def _unknown_columns(
    element: Located, kind: str, expression: exp.Expr, relation: str, types: Mapping[str, exp.DataType]
) -> Iterator[Finding]:
    counts_rows = kind == "measure" and str(element.data.get("agg")).lower() == "count"
    for name in columns(expression):
        if name.casefold() in types:
            continue
        message = f"The {kind} `{element.name}` uses the column `{name}`, which `{relation}` does not have."
        mend = choose_from(name, list(types), kind="column")
        if counts_rows and element.data.get("expr") is None:
            mend = "Add `expr: '1'` to count rows."
        yield element.finding("error", message, mend, "expr")


def _aggregation(
    element: Located, expression: exp.Expr, types: Mapping[str, exp.DataType]
) -> Iterator[Finding]:
    aggregation = str(element.data.get("agg", "")).lower()
    found = type_of(expression, types)
    shown = expression.sql(DIALECT)
    if aggregation in _NUMERIC_AGGREGATIONS and (found in _TEXT or found in _MOMENTS):
        message = (
            f"The measure `{element.name}` takes the {aggregation} of `{shown}`, which is {_say(found)}."
        )
        mend = "Aggregate a number, or use `agg: count_distinct` or `agg: count`."
        if found in _TEXT:
            mend = f"Write `expr: TRY_CAST({shown} AS DOUBLE)` if it holds numbers, or use `agg: count_distinct`."
        yield element.finding("error", message, mend, "agg")
    if aggregation == "sum_boolean" and found not in {exp.DType.BOOLEAN, exp.DType.UNKNOWN}:
        message = f"The measure `{element.name}` counts where `{shown}` is true, but it is {_say(found)}."
        yield element.finding("error", message, "Write a condition, such as `amount > 0`.", "agg")


def type_of(expression: exp.Expr, types: Mapping[str, exp.DataType]) -> exp.DType:
    """Return the SQL type an expression has over columns of ``types``; UNKNOWN where it cannot be told."""
    typed = expression.copy()
    holder = exp.Paren(this=typed)
    for column in list(holder.find_all(exp.Column)):
        kind = types.get(column.name.casefold())
        if kind is not None:
            column.replace(exp.Cast(this=exp.null(), to=kind.copy()))
    annotated = annotate_types(holder.this, dialect=DIALECT)
    kind = annotated.type
    return kind.this if isinstance(kind, exp.DataType) else exp.DType.UNKNOWN


def _say(kind: exp.DType) -> str:
    if kind in _TEXT:
        return "text"
    if kind in _MOMENTS:
        return "a date or time"
    return kind.value.lower()


def _times(model: Located, types: Mapping[str, exp.DataType] | None) -> Iterator[Finding]:
    times = {
        part.name: part for part in model.parts("dimensions") if str(part.data.get("type")).lower() == "time"
    }
    for time in times.values():
        try:
            expression = read_expression(time.expression)
        except NotAnExpression:
            continue  # said already
        found = type_of(expression, types) if types is not None else exp.DType.UNKNOWN
        if found is not exp.DType.UNKNOWN and found not in _MOMENTS:
            shown = expression.sql(DIALECT)
            message = f"The time dimension `{time.name}` reads `{shown}`, which is {_say(found)}, not a date."
            yield time.finding("error", message, f"Write `expr: CAST({shown} AS TIMESTAMP)`.", "expr")
    defaults = model.data.get("defaults")
    default = (
        str((defaults or {}).get("agg_time_dimension") or "").lower() if isinstance(defaults, dict) else ""
    )
    if default and default not in times:
        message = f"`{model.name}` counts time by `{default}`, which is not a time dimension of it."
        mend = choose_from(default, list(times), kind="time dimension")
        yield model.finding("error", message, mend, "defaults", "agg_time_dimension")
    for measure in model.parts("measures"):
        own = str(measure.data.get("agg_time_dimension") or "").lower()
        if own and own not in times:
            message = f"The measure `{measure.name}` counts time by `{own}`, which is no time dimension of its model."
            mend = choose_from(own, list(times), kind="time dimension")
            yield measure.finding("error", message, mend, "agg_time_dimension")
        if not own and not default:
            message = f"The measure `{measure.name}` has no time dimension to be counted by."
            known = next(iter(times), "your_date")
            mend = f"Add `defaults: {{agg_time_dimension: {known}}}` to the semantic model `{model.name}`."
            yield measure.finding("error", message, mend)


def _primary(model: Located) -> Iterator[Finding]:
    primary = [part for part in model.parts("entities") if str(part.data.get("type")).lower() == "primary"]
    if not primary and not model.data.get("primary_entity") and model.data.get("dimensions"):
        message = f"The semantic model `{model.name}` has dimensions but does not say what one row is."
        mend = f"Add `primary_entity: {model.name.removesuffix('s')}`, or an entity of `type: primary`."
        yield model.finding("error", message, mend)
    for second in primary[1:]:
        message = f"The semantic model `{model.name}` has a second primary entity, `{second.name}`."
        yield second.finding("error", message, "Keep one; make the other `type: foreign` or `unique`.")
