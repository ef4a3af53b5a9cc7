"""SQL expressions and filters that people write in definitions: read, checked, and made safe to divide."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

DIALECT = "duckdb"
# What an expression over one row must not hold: it would read other tables, files or settings, or do something.
_FORBIDDEN = (
    exp.Query,
    exp.Subquery,
    exp.Table,
    exp.Command,
    exp.DDL,
    exp.DML,
    exp.Placeholder,
    exp.Parameter,
)


class NotAnExpression(ValueError):  # noqa: N818 - says what the text is
    """The text is not one SQL expression over the columns of a row; the message says why."""


def read_expression(text: str) -> exp.Expr:
    """Return ``text`` as one parsed SQL expression; raise :class:`NotAnExpression` saying what is wrong."""
    try:
        statements = sqlglot.parse(f"SELECT {text}", dialect=DIALECT)
    except (SqlglotError, RecursionError) as error:
        raise NotAnExpression(_first_sentence(error)) from error
    statement = statements[0] if len(statements) == 1 else None
    if not isinstance(statement, exp.Select):
        raise NotAnExpression("it holds more than one statement")
    clauses = [
        name for name, value in statement.args.items() if value and name not in {"expressions", "kind"}
    ]
    if clauses or len(statement.expressions) != 1:
        raise NotAnExpression("it must be one expression, not a query or a list")
    found: exp.Expr = statement.expressions[0]
    if isinstance(found, exp.Alias):
        raise NotAnExpression("it must not end with a name (`AS …`)")
    if isinstance(found, exp.Star) or any(isinstance(node, _FORBIDDEN) for node in found.walk()):
        raise NotAnExpression("it may use the columns of its own table only, not a query of another")
    if any(node.comments for node in statement.walk()):
        raise NotAnExpression("it must not hold a comment")
    return found.copy()


def _first_sentence(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    details = getattr(error, "errors", None)
    if details:
        description = str(details[0].get("description") or "").rstrip(".")
        if description.startswith("Required keyword"):
            description = "A part is missing"
        return f"{description} near `{details[0].get('highlight', '')}`"
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]


def columns(expression: exp.Expr) -> list[str]:
    """Return the names of the columns an expression reads, each once, in order."""
    return list(dict.fromkeys(column.name for column in expression.find_all(exp.Column)))


def unguarded_divisors(expression: exp.Expr) -> list[exp.Expr]:
    """Return the divisors that may be zero: neither a number other than zero nor wrapped in ``NULLIF``."""
    return [
        node.expression
        for node in expression.find_all(exp.Div, exp.IntDiv)
        if not _is_guarded(node.expression)
    ]


def _is_guarded(divisor: exp.Expr) -> bool:
    inner = divisor.unnest()
    if isinstance(inner, exp.Cast):
        inner = inner.this.unnest()
    if isinstance(inner, exp.Literal) and not inner.is_string:
        return float(inner.this) != 0
    return isinstance(inner, exp.Nullif)


def divide_safely(text: str) -> str:
    """Return the expression with every divisor that may be zero made NULL at zero.

    DuckDB answers ``1.0 / 0`` with infinity, which then poisons every sum above it; no number is the honest answer.
    Text that is no expression, or divides by nothing that may be zero, comes back unchanged.
    """
    if "/" not in text:
        return text
    try:
        expression = read_expression(text)
    except NotAnExpression:
        return text
    divisors = unguarded_divisors(expression)
    if not divisors:
        return text
    for divisor in divisors:
        divisor.replace(exp.Nullif(this=divisor.unnest().copy(), expression=exp.Literal.number(0)))
    return expression.sql(DIALECT)


@dataclass(frozen=True, slots=True)
class FilterItem:
    """One ``{{ Dimension('order__country') }}`` of a filter: its kind, dunder name, grain and date part."""

    kind: str
    name: str
    grain: str | None = None
    date_part: str | None = None


def filter_items(template: str) -> list[FilterItem]:
    """Return what a filter refers to; raise :class:`NotAnExpression` where the template cannot be read."""
    from metricflow_semantic_interfaces.parsing.where_filter.jinja_object_parser import JinjaObjectParser

    try:
        described = JinjaObjectParser.parse_item_descriptions(template)
    except Exception as error:
        cause = error.__cause__ or error
        cause = cause.__cause__ or cause
        raise NotAnExpression(str(cause).strip().splitlines()[0]) from error
    return [
        FilterItem(
            kind=item.item_type.value.lower(),
            name="__".join((*item.entity_path, item.item_name)).lower(),
            grain=item.time_granularity_name,
            date_part=item.date_part_name,
        )
        for item in described
    ]


_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def filter_expression(template: str, column_of: Callable[[FilterItem], str]) -> exp.Expr:
    """Return a filter as an SQL condition over the columns that ``column_of`` names for its items."""

    def column(match: re.Match[str]) -> str:
        items = filter_items(match[0])
        if len(items) != 1:
            raise NotAnExpression(f"`{match[0]}` names no dimension, entity or metric")
        return exp.column(column_of(items[0]), quoted=True).sql(DIALECT)

    return read_expression(_TEMPLATE.sub(column, template))


def filters_of(value: object) -> list[str]:
    """Return the filter templates of a ``filter:`` as text, a list, or the shape dbt compiles it to."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in filters_of(part)]
    if isinstance(value, Mapping):
        if "where_filters" in value:
            return filters_of(value["where_filters"])
        return filters_of(value.get("where_sql_template"))
    return []
