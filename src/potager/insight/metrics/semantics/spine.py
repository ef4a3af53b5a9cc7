"""Time in the SQL that MetricFlow writes: days come from a series, ranges are made searchable.

MetricFlow reads days from a table that somebody has to load. Here they come from a generated series, bounded by the
dates of the data and of the question, so there is nothing to load and nothing to go stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlglot import exp

from potager.insight.metrics.semantics.expressions import DIALECT, read_expression
from potager.insight.metrics.semantics.normalize import SPINE_COLUMN, SPINE_NAMESPACE, SPINE_TABLE

# What stands for "no bound" in MetricFlow, whose own open ends would hide everything before 2000.
NO_START = date(1000, 1, 1)
NO_END = date(2040, 12, 31)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """The column that dates the rows of one table."""

    table: str
    expression: str


def day_literal(day: date) -> exp.Expr:
    """Return ``CAST('2011-01-03' AS DATE)``."""
    return exp.cast(exp.Literal.string(day.isoformat()), "date", dialect=DIALECT)


def series(times: Iterable[TimeColumn], start: date | None, end: date | None) -> exp.Select:
    """Return a query for one row per day, column ``ds``, over the question's range or else the data's.

    An open end reaches as far as the data of ``times`` does. Without any data there are no days.
    """
    bounds: list[exp.Expr] = [day_literal(day).as_(name) for day, name in ((start, "lo"), (end, "hi")) if day]
    if start is None or end is None:
        spans = [_span(time) for time in dict.fromkeys(times)]
        data = spans[0] if len(spans) == 1 else exp.union(*spans, distinct=False, copy=False)
        if start is None:
            bounds.append(exp.func("MIN", exp.column("lo")).as_("lo"))
        if end is None:
            bounds.append(exp.func("MAX", exp.column("hi")).as_("hi"))
        bounded = exp.select(*bounds).from_(data.subquery("spans"))
    else:
        bounded = exp.select(*bounds)
    each = exp.Explode(
        this=exp.GenerateSeries(start=exp.column("lo"), end=exp.column("hi"), step=interval(1, "DAY"))
    )
    # Spark wants the generator alone in its select list, so the cast stands outside.
    moments = exp.select(each.as_("moment")).from_(bounded.subquery("bounds")).subquery("moments")
    return exp.select(exp.cast(exp.column("moment"), "date", dialect=DIALECT).as_(SPINE_COLUMN)).from_(
        moments
    )


def interval(count: int, unit: str) -> exp.Expr:
    """Return ``INTERVAL '28' DAY``."""
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.Var(this=unit.upper()))


def _span(time: TimeColumn) -> exp.Select:
    moment = read_expression(time.expression)
    lowest, highest = exp.func("MIN", moment.copy()), exp.func("MAX", moment)
    return exp.select(
        exp.cast(lowest, "date", dialect=DIALECT).as_("lo"),
        exp.cast(highest, "date", dialect=DIALECT).as_("hi"),
    ).from_(exp.to_table(time.table, dialect=DIALECT))


def put_series_in(tree: exp.Expr, days: exp.Select) -> exp.Expr:
    """Return ``tree`` with every read of the time spine table turned into a read of the series, as its first CTE."""
    used = [
        table
        for table in tree.find_all(exp.Table)
        if (table.db, table.name) == (SPINE_NAMESPACE, SPINE_TABLE)
    ]
    if not used:
        return tree
    for table in used:
        table.set("db", None)
    return prepend_cte(tree, SPINE_TABLE, days)


def prepend_cte(tree: exp.Expr, name: str, query: exp.Query) -> exp.Expr:
    """Return ``tree`` with ``query`` as its first common table expression."""
    cte = exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name)))
    known = tree.args.get("with_")
    if known is None:
        tree.set("with_", exp.With(expressions=[cte]))
    else:
        known.set("expressions", [cte, *known.expressions])
    return tree


def hoist(query: exp.Query, prefix: str, hoisted: dict[str, exp.Query]) -> exp.Query:
    """Return ``query`` without its common table expressions, which go into ``hoisted`` under names of their own.

    Nested ones may share names in DuckDB, but not where a dialect moves them to the front, as Spark's does. One that is
    there already, word for word, is used again.
    """
    known = query.args.get("with_")
    if known is None:
        return query
    query.set("with_", None)
    said = {one.sql(DIALECT): name for name, one in hoisted.items()}
    names: dict[str, str] = {}
    for cte in known.expressions:
        inner = _renamed(cte.this, names)
        text = inner.sql(DIALECT)
        names[cte.alias] = said.get(text, f"{prefix}_{cte.alias}")
        hoisted.setdefault(names[cte.alias], inner)
    return _renamed(query, names)


def _renamed(query: exp.Query, names: Mapping[str, str]) -> exp.Query:
    for table in list(query.find_all(exp.Table)):
        if not table.db and table.name in names:
            # Columns may be qualified by the old name, so it stays as the alias.
            alias = table.alias or table.name
            table.set("this", exp.to_identifier(names[table.name]))
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return query


def make_ranges_searchable(tree: exp.Expr) -> exp.Expr:
    """Return ``tree`` with ``DATE_TRUNC('day', t) BETWEEN a AND b`` turned into ``t >= a AND t < b + 1 day``.

    Both say the same; the second lets the engine skip the files and row groups outside the range. Bounds that stand
    for "open" are dropped.
    """
    for between in list(tree.find_all(exp.Between)):
        low, high = _day(between.args["low"]), _day(between.args["high"])
        if low is None or high is None:
            continue
        subject, unit = _truncated(between.this)
        if unit == "day":
            parts: list[exp.Expr | None] = [
                exp.GTE(this=subject.copy(), expression=_text(low)) if low > NO_START else None,
                exp.LT(this=subject.copy(), expression=_text(high + timedelta(days=1)))
                if high < NO_END
                else None,
            ]
        else:
            parts = [
                exp.GTE(this=between.this.copy(), expression=between.args["low"].copy())
                if low > NO_START
                else None,
                exp.LTE(this=between.this.copy(), expression=between.args["high"].copy())
                if high < NO_END
                else None,
            ]
        kept = [part for part in parts if part is not None]
        if len(kept) == 2 and unit != "day":
            continue
        # A row without a date is in no range, not even in an open one.
        either: exp.Expr = (
            exp.and_(*kept) if kept else exp.Not(this=exp.Is(this=subject.copy(), expression=exp.null()))
        )
        between.replace(exp.Paren(this=either) if len(kept) == 2 else either)
    return tree


def _text(day: date) -> exp.Literal:
    return exp.Literal.string(day.isoformat())


def _day(bound: exp.Expr) -> date | None:
    if not isinstance(bound, exp.Literal) or not bound.is_string:
        return None
    try:
        return date.fromisoformat(bound.this[:10])
    except ValueError:
        return None


def _truncated(subject: exp.Expr) -> tuple[exp.Expr, str]:
    if isinstance(subject, exp.TimestampTrunc | exp.DateTrunc):
        unit = subject.args.get("unit")
        return subject.this, str(unit.name if unit is not None else "").lower()
    return subject, ""
