"""What a metric is made of when it is taken apart into sums: one sum, or one sum over another.

Only then can a change be split over segments exactly. Everything else is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from potager.engines.answers import CannotTell
from potager.insight.metrics.semantics.compiled import Compiled, SimpleMetric, filters_on
from potager.insight.metrics.semantics.expressions import read_expression

_ADD_UP = {"sum": "sum", "count_distinct": "distinct"}


@dataclass(frozen=True, slots=True)
class Atom:
    """One aggregate over rows: the ``sum``, the ``count`` of values, or the number of ``distinct`` values."""

    kind: str
    simple: SimpleMetric


@dataclass(frozen=True)
class Linear:
    """A weighted sum of atoms, plus a constant."""

    weights: Mapping[Atom, float] = field(default_factory=dict)
    constant: float = 0.0

    def __add__(self, other: Linear) -> Linear:
        weights = dict(self.weights)
        for atom, weight in other.weights.items():
            weights[atom] = weights.get(atom, 0.0) + weight
        kept = {atom: weight for atom, weight in weights.items() if weight != 0}
        return Linear(kept, self.constant + other.constant)

    def times(self, factor: float) -> Linear:
        """Return this sum ``factor`` times."""
        return Linear(
            {atom: weight * factor for atom, weight in self.weights.items()}, self.constant * factor
        )

    @property
    def distinct(self) -> bool:
        """Say whether a count of distinct values is in it, which may not add up over segments."""
        return any(atom.kind == "distinct" for atom in self.weights)


@dataclass(frozen=True)
class Components:
    """A metric as ``numerator``, or as ``numerator`` over ``denominator``; neither has a constant."""

    numerator: Linear
    denominator: Linear | None = None

    @property
    def atoms(self) -> list[Atom]:
        """Return the aggregates needed, each once."""
        under = self.denominator.weights if self.denominator is not None else {}
        return list(dict.fromkeys([*self.numerator.weights, *under]))


class _Refused(Exception):  # noqa: N818 - turned into a CannotTell, never seen
    """The metric cannot be taken apart; the message says why."""


_Value = Linear | Components


def components_of(compiled: Compiled, name: str) -> Components | CannotTell:
    """Return what the metric is made of, or why it cannot be taken apart into sums.

    Possible are sums, counts, counts of distinct values, averages, ratios of these, and formulas that come down to
    one sum or one ratio. Not possible are minima, maxima, medians, percentiles, cumulative, conversion and
    semi-additive metrics, those that look at another period, and formulas of several ratios or products.
    """
    try:
        value = _of_metric(compiled, name, ())
    except _Refused as refused:
        return CannotTell(
            "undefined",
            f"`{name}` cannot be split into sums: {refused}.",
            "Ask about the metrics it is made of, or look at its values by segment.",
        )
    made = value if isinstance(value, Components) else Components(value)
    if made.numerator.constant or (made.denominator is not None and made.denominator.constant):
        return CannotTell(
            "undefined",
            f"`{name}` cannot be split into sums: its formula adds a constant, which belongs to no segment.",
            "Ask about the metrics it is made of.",
        )
    if not made.atoms:
        return CannotTell("undefined", f"`{name}` is a constant.", "Ask about a metric that is measured.")
    return made


def _of_metric(compiled: Compiled, name: str, templates: tuple[str, ...]) -> _Value:
    metric = compiled.all_metrics[name]
    kind = metric.type.value
    if kind == "simple":
        return _of_simple(compiled.simple[name], templates)
    if kind not in {"ratio", "derived"}:
        raise _Refused(f"`{name}` is a {kind} metric")
    own = (*templates, *filters_on(metric.filter))
    parameters = metric.type_params
    if kind == "ratio":
        over, under = (
            _of_metric(compiled, one.name, (*own, *filters_on(one.filter)))
            for one in (parameters.numerator, parameters.denominator)
        )
        return _divide(over, under)
    inputs = {}
    for one in parameters.metrics or []:
        if one.offset_window or one.offset_to_grain:
            raise _Refused(f"`{name}` looks at another period")
        inputs[(one.alias or one.name).lower()] = _of_metric(
            compiled, one.name, (*own, *filters_on(one.filter))
        )
    return _of_formula(read_expression(parameters.expr), inputs)


def _of_simple(simple: SimpleMetric, templates: tuple[str, ...]) -> _Value:
    filtered = replace(simple, filters=(*simple.filters, *templates))
    if simple.semi_additive:
        raise _Refused(f"`{simple.name}` does not add up over time")
    if simple.aggregation == "average":
        total, count = (Linear({Atom(kind, filtered): 1.0}) for kind in ("sum", "count"))
        return Components(total, count)
    kind = _ADD_UP.get(simple.aggregation)
    if kind is None:
        raise _Refused(f"the {simple.aggregation.replace('_', ' ')} of `{simple.name}` is no sum")
    return Linear({Atom(kind, filtered): 1.0})


def _of_formula(node: exp.Expr, inputs: Mapping[str, _Value]) -> _Value:
    """Return what a formula comes down to; only sums, differences, constant factors and one division do."""
    if isinstance(node, exp.Paren | exp.Cast):
        return _of_formula(node.this, inputs)
    if isinstance(node, exp.Column):
        return inputs[node.name.lower()]
    if isinstance(node, exp.Literal) and not node.is_string:
        return Linear(constant=float(node.this))
    if isinstance(node, exp.Neg):
        return _scale(_of_formula(node.this, inputs), -1.0)
    if isinstance(node, exp.Nullif | exp.Coalesce):
        alternatives = [node.expression, *node.expressions]
        zeros = [one for one in alternatives if one is not None]
        if all(isinstance(one, exp.Literal) and not one.is_string and float(one.this) == 0 for one in zeros):
            return _of_formula(node.this, inputs)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        left, right = (_of_formula(side, inputs) for side in (node.left, node.right))
        if isinstance(node, exp.Add | exp.Sub):
            return _add(left, _scale(right, -1.0) if isinstance(node, exp.Sub) else right)
        if isinstance(node, exp.Div):
            return _divide(left, right)
        for factor, other in ((left, right), (right, left)):
            if isinstance(factor, Linear) and not factor.weights:
                return _scale(other, factor.constant)
    raise _Refused(f"`{node.sql('duckdb')}` is neither a sum nor one division")


def _scale(value: _Value, factor: float) -> _Value:
    if isinstance(value, Linear):
        return value.times(factor)
    return Components(value.numerator.times(factor), value.denominator)


def _add(left: _Value, right: _Value) -> _Value:
    if isinstance(left, Linear) and isinstance(right, Linear):
        return left + right
    for ratio, other in ((left, right), (right, left)):
        if not isinstance(ratio, Components) or ratio.denominator is None:
            continue
        if isinstance(other, Linear) and not other.weights:
            return Components(ratio.numerator + ratio.denominator.times(other.constant), ratio.denominator)
        if isinstance(other, Components) and other.denominator == ratio.denominator:
            return Components(ratio.numerator + other.numerator, ratio.denominator)
    raise _Refused("it adds ratios of different things")


def _divide(over: _Value, under: _Value) -> _Value:
    if isinstance(under, Linear) and not under.weights and under.constant:
        return _scale(over, 1.0 / under.constant)
    if isinstance(over, Linear) and isinstance(under, Linear) and under.weights:
        return Components(over, under)
    raise _Refused("it divides by a ratio, or a ratio by something")
