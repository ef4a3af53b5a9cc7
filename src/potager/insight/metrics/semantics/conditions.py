"""Typed conditions as SQL: built as trees of literals, so a value is never read as code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isfinite

from sqlglot import exp

from potager.insight.metrics.semantics.expressions import DIALECT
from potager.insight.metrics.semantics.shapes import Condition, Value
from potager.kit.errors import Invalid

MOST_VALUES = 1_000
_COUNTS = {
    "is_null": (0, 0),
    "not_null": (0, 0),
    "between": (2, 2),
    "in": (1, MOST_VALUES),
    "not_in": (1, MOST_VALUES),
}
_COMPARISONS: dict[str, Callable[..., exp.Expr]] = {"<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
_ESCAPE = "!"


def literal(value: Value) -> exp.Expr:
    """Return a value as an SQL literal; raise :class:`Invalid` for what SQL has no literal for."""
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, int | float | Decimal):
        if not isfinite(value):
            raise Invalid(f"`{value}` is not a number to compare with.", mend="Give a finite number.")
        number = exp.Literal.number(
            format(abs(value), "f") if isinstance(value, Decimal) else repr(abs(value))
        )
        return exp.Neg(this=number) if value < 0 else number
    if isinstance(value, datetime):
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), "timestamp", dialect=DIALECT)
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "date", dialect=DIALECT)
    if isinstance(value, str):
        if "\x00" in value:
            raise Invalid("A value holds a null character.", mend="Remove it.")
        return exp.Literal.string(value)
    raise Invalid(
        f"A value of type {type(value).__name__} cannot be compared with.", mend="Give text, number or date."
    )


def check(condition: Condition) -> None:
    """Raise :class:`Invalid` when the operator is unknown or has the wrong number or kind of values."""
    known = {"=", "!=", *_COMPARISONS, *_COUNTS, "contains", "starts_with"}
    if condition.op not in known:
        raise Invalid(
            f"There is no operator `{condition.op}`.", mend=f"Use one of: {', '.join(sorted(known))}."
        )
    least, most = _COUNTS.get(condition.op, (1, 1))
    if not least <= len(condition.values) <= most:
        wanted = f"{least} to {most} values" if least != most else f"{least} value{'' if least == 1 else 's'}"
        message = f"`{condition.dimension} {condition.op}` takes {wanted}, not {len(condition.values)}."
        raise Invalid(message, mend="Give as many values as the operator takes.")
    ordered = condition.op in _COMPARISONS or condition.op == "between"
    if ordered and any(value is None for value in condition.values):
        raise Invalid(
            f"`{condition.dimension} {condition.op}` needs a value.", mend="Use `is_null` for no value."
        )
    if condition.op in {"contains", "starts_with"} and not isinstance(condition.values[0], str):
        raise Invalid(f"`{condition.dimension} {condition.op}` takes text.", mend="Give text.")


def condition_expression(subject: exp.Expr, condition: Condition) -> exp.Expr:
    """Return ``condition`` on ``subject`` as an SQL condition."""
    check(condition)
    op, values = condition.op, condition.values
    if op in {"is_null", "not_null"}:
        return _is_null(subject, negated=op == "not_null")
    if op in {"=", "in"}:
        return _is_one_of(subject, values)
    if op in {"!=", "not_in"}:
        return _is_none_of(subject, values)
    if op == "between":
        low, high = (literal(value) for value in values)
        return exp.and_(
            exp.GTE(this=subject.copy(), expression=low), exp.LTE(this=subject.copy(), expression=high)
        )
    if op in _COMPARISONS:
        return _COMPARISONS[op](this=subject.copy(), expression=literal(values[0]))
    pattern = _like_pattern(str(values[0])) + "%"
    return like(subject, pattern if op == "starts_with" else f"%{pattern}")


def like(subject: exp.Expr, pattern: str) -> exp.Expr:
    """Return a match of ``subject`` as text with ``pattern``, blind to case."""
    folded = exp.Lower(this=exp.cast(subject.copy(), "text", dialect=DIALECT))
    matched = exp.Like(this=folded, expression=literal(pattern.lower()))
    return exp.Escape(this=matched, expression=exp.Literal.string(_ESCAPE))


def containing(text: str) -> str:
    """Return the pattern that matches ``text`` anywhere, its own wildcards taken literally."""
    return f"%{_like_pattern(text)}%"


def _like_pattern(text: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, f"{_ESCAPE}{special}")
    return text


def _is_null(subject: exp.Expr, *, negated: bool) -> exp.Expr:
    found = exp.Is(this=subject.copy(), expression=exp.null())
    return exp.Not(this=found) if negated else found


def _is_one_of(subject: exp.Expr, values: Sequence[Value]) -> exp.Expr:
    given = [literal(value) for value in values if value is not None]
    parts: list[exp.Expr] = []
    if len(given) == 1:
        parts.append(exp.EQ(this=subject.copy(), expression=given[0]))
    elif given:
        parts.append(exp.In(this=subject.copy(), expressions=given))
    if None in values:
        parts.append(_is_null(subject, negated=False))
    return exp.paren(exp.or_(*parts)) if len(parts) > 1 else parts[0]


def _is_none_of(subject: exp.Expr, values: Sequence[Value]) -> exp.Expr:
    given = [literal(value) for value in values if value is not None]
    if not given:
        return _is_null(subject, negated=True)
    outside: exp.Expr = (
        exp.NEQ(this=subject.copy(), expression=given[0])
        if len(given) == 1
        else exp.Not(this=exp.In(this=subject.copy(), expressions=given))
    )
    if None in values:
        return exp.and_(outside, _is_null(subject, negated=True))
    return exp.paren(exp.or_(outside, _is_null(subject, negated=False)))
