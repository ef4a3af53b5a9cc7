"""Aggregates over rows for several windows and grouping sets at once, in as few scans as can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from potager.insight.metrics.semantics.compiled import Compiled
from potager.insight.metrics.semantics.components import Atom, Linear
from potager.insight.metrics.semantics.rows import DAY, row_query
from potager.insight.metrics.semantics.shapes import Condition, Window
from potager.insight.metrics.semantics.spine import day_literal
from potager.insight.metrics.semantics.vocabulary import Grouping

SET = "grouping_set"
ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Request:
    """What to aggregate: ``atoms`` by ``groupings`` in each of ``windows``, over rows that meet ``conditions``.

    ``sets`` are the grouping sets as positions of groupings; None groups by all of them together.
    """

    atoms: Sequence[Atom]
    groupings: Sequence[Grouping]
    windows: Mapping[str, Window]
    conditions: Sequence[tuple[Grouping, Condition]] = ()
    sets: Sequence[Sequence[int]] | None = None


def column_of(position: int, window: str) -> str:
    """Return the column that holds the atom at ``position`` in ``window``."""
    return f"atom_{position}_{window}"


def linear_expression(linear: Linear, atoms: Sequence[Atom], window: str) -> exp.Expr:
    """Return the weighted sum over atom columns, as a double."""
    total: exp.Expr | None = None
    for atom, weight in linear.weights.items():
        value: exp.Expr = exp.cast(exp.column(column_of(atoms.index(atom), window)), "double")
        if abs(weight) != 1:
            value = exp.Mul(this=value, expression=exp.Literal.number(repr(abs(weight))))
        if total is None:
            total = exp.Neg(this=value) if weight < 0 else value
        else:
            total = (exp.Sub if weight < 0 else exp.Add)(this=total, expression=value)
    if total is None:
        raise ValueError("a sum of nothing")
    return total


def aggregate_query(compiled: Compiled, request: Request) -> exp.Select:
    """Return a query with one row per group: its keys, every atom in every window, and ``rows_<window>``.

    Keys are the groupings' columns and, with grouping sets, ``grouping_set``: a bit for each grouping that is in the
    set. A sum over no row is zero. Raises :class:`~potager.insight.metrics.semantics.rows.NotByRow`.
    """
    scans: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for position, atom in enumerate(request.atoms):
        # Distinct values are counted over deduplicated rows, one scan for each kind of value.
        distinct = atom.simple.row_input if atom.kind == "distinct" else ""
        scans[atom.simple.model, atom.simple.time_dimension, distinct].append(position)
    queries = [
        _scan(compiled, request, scan, first=number == 0) for number, scan in enumerate(scans.values())
    ]
    return queries[0] if len(queries) == 1 else _merge(request, queries)


def _values(request: Request) -> list[str]:
    columns = [
        column_of(position, window) for position in range(len(request.atoms)) for window in request.windows
    ]
    return [*columns, *(f"{ROWS}_{window}" for window in request.windows)]


def _keys(request: Request) -> list[str]:
    return [one.column for one in request.groupings]


def _merge(request: Request, queries: Sequence[exp.Select]) -> exp.Select:
    keys = [*_keys(request), *([SET] if request.sets is not None else [])]
    values = _values(request)
    stacked = []
    for query in queries:
        own = {part.alias_or_name for part in query.expressions}
        columns = [
            exp.column(name, quoted=True) if name in own else exp.null().as_(name)
            for name in [*keys, *values]
        ]
        stacked.append(exp.select(*columns).from_(query.subquery("scan")))
    quoted = [exp.column(key, quoted=True) for key in keys]
    merged = exp.select(*quoted, *(_zero(exp.Sum(this=exp.column(name))).as_(name) for name in values))
    merged = merged.from_(exp.union(*stacked, distinct=False, copy=False).subquery("scans"))
    return merged.group_by(*(key.copy() for key in quoted)) if keys else merged


def _zero(value: exp.Expr) -> exp.Expr:
    return exp.func("COALESCE", value, exp.Literal.number(0))


def _scan(compiled: Compiled, request: Request, positions: Sequence[int], *, first: bool) -> exp.Select:
    """Return the aggregates of atoms that are read from the same rows."""
    atoms = {position: request.atoms[position] for position in positions}
    simples = [replace(atom.simple, name=f"atom_{position}") for position, atom in atoms.items()]
    windows = list(request.windows.values())
    rows = row_query(
        compiled,
        simples,
        request.groupings,
        request.conditions,
        start=min(window.start for window in windows),
        end=max(window.end for window in windows),
    )
    inside = {name: _inside(window) for name, window in request.windows.items()}
    within_any = exp.or_(*(condition.copy() for condition in inside.values()))
    source = rows.query.where(within_any, copy=False).subquery("in_windows")
    keys = [exp.column(key, quoted=True) for key in _keys(request)]
    distinct = next(iter(atoms.values())).kind == "distinct"
    unit = exp.column(next(iter(atoms.values())).simple.row_input)
    reduced: list[exp.Expr] = []
    for position, atom in atoms.items():
        for name, condition in inside.items():
            counted = exp.and_(condition.copy(), *_filter(rows.filters, f"atom_{position}"))
            value = exp.column(atom.simple.row_input)
            reduced.append(_reduce(atom.kind, counted, value).as_(column_of(position, name)))
    if first:
        one = exp.Literal.number(1)
        reduced += [
            exp.Sum(this=exp.Case().when(condition.copy(), one.copy())).as_(f"{ROWS}_{name}")
            for name, condition in inside.items()
        ]
    groups = [key.copy() for key in keys] + ([unit.copy()] if distinct else [])
    cells = exp.select(*groups, *reduced).from_(source)
    if groups:
        cells = cells.group_by(*(group.copy() for group in groups))
    names = [part.alias for part in reduced]
    return _over_sets(request, cells, names, unit if distinct else None)


def _filter(filters: Mapping[str, exp.Expr], name: str) -> list[exp.Expr]:
    return [exp.paren(filters[name].copy())] if name in filters else []


def _inside(window: Window) -> exp.Expr:
    return exp.and_(
        exp.GTE(this=exp.column(DAY), expression=day_literal(window.start)),
        exp.LTE(this=exp.column(DAY), expression=day_literal(window.end)),
    )


def _reduce(kind: str, counted: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Return the first step of an atom: a sum, a count, or for distinct values whether this one is counted."""
    if kind == "sum":
        return exp.Sum(this=exp.Case().when(counted, value))
    if kind == "count":
        return exp.Count(this=exp.Case().when(counted, value))
    return exp.func("MAX", exp.Case().when(counted, exp.Literal.number(1)))


def _over_sets(
    request: Request, cells: exp.Select, names: Sequence[str], unit: exp.Expr | None
) -> exp.Select:
    """Return the second step: cells added up over each grouping set, distinct values counted in each."""

    def finish(name: str) -> exp.Expr:
        if unit is not None and not name.startswith(ROWS):
            present = exp.EQ(this=exp.column(name), expression=exp.Literal.number(1))
            return exp.Count(this=exp.Distinct(expressions=[exp.Case().when(present, unit.copy())])).as_(name)
        return _zero(exp.Sum(this=exp.column(name))).as_(name)

    keys = [exp.column(key, quoted=True) for key in _keys(request)]
    finished = [finish(name) for name in names]
    if request.sets is None:
        query = exp.select(*(key.copy() for key in keys), *finished).from_(cells.subquery("cells"))
        return query.group_by(*(key.copy() for key in keys)) if keys else query
    bits: exp.Expr = exp.Literal.number(0)
    for position, key in enumerate(keys):
        outside = exp.Anonymous(this="GROUPING", expressions=[key.copy()])
        is_in = exp.paren(exp.Sub(this=exp.Literal.number(1), expression=outside))
        bits = exp.Add(this=bits, expression=exp.Mul(this=is_in, expression=exp.Literal.number(2**position)))
    bits = exp.cast(bits, "int")
    query = exp.select(*(key.copy() for key in keys), bits.as_(SET), *finished).from_(cells.subquery("cells"))
    if not keys:
        return query
    sets = [exp.Tuple(expressions=[keys[position].copy() for position in one]) for one in request.sets]
    query.set("group", exp.Group(grouping_sets=[exp.GroupingSets(expressions=sets)]))
    return query
