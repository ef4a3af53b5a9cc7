"""Aggregates over rows for several windows and grouping sets at once, in as few scans as can be.

The window is a key of the grouping, not a condition inside each aggregate: one comparison per row instead of one per
aggregate and window, which is many times faster. A scan therefore takes windows that do not overlap; those that do get
a scan of their own.
"""

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
_WINDOW = "in_window"


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
    scans: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, atom in enumerate(request.atoms):
        scans[atom.simple.model, atom.simple.time_dimension].append(position)
    apart = _apart(request.windows)
    queries = [
        _scan(compiled, request, positions, windows, counts_rows=number == 0)
        for number, positions in enumerate(scans.values())
        for windows in apart
    ]
    return _side_by_side(request, queries)


def _apart(windows: Mapping[str, Window]) -> list[dict[str, Window]]:
    """Return the windows in groups in which no two overlap, as few as a first fit finds."""
    groups: list[dict[str, Window]] = []
    for name, window in windows.items():
        free = (one for one in groups if all(_no_overlap(window, other) for other in one.values()))
        group = next(free, None)
        if group is None:
            groups.append({name: window})
        else:
            group[name] = window
    return groups


def _no_overlap(one: Window, other: Window) -> bool:
    return one.end < other.start or other.end < one.start


def _keys(request: Request) -> list[str]:
    return [one.column for one in request.groupings]


def _scan(
    compiled: Compiled,
    request: Request,
    positions: Sequence[int],
    windows: Mapping[str, Window],
    *,
    counts_rows: bool,
) -> exp.Select:
    """Return the atoms at ``positions``, read from the same rows, by group and window."""
    simples = [replace(request.atoms[position].simple, name=f"atom_{position}") for position in positions]
    rows = row_query(
        compiled,
        simples,
        request.groupings,
        request.conditions,
        start=min(window.start for window in windows.values()),
        end=max(window.end for window in windows.values()),
    )
    source = rows.query
    choice = exp.Case()
    order = list(request.windows)
    for name, window in windows.items():
        choice = choice.when(_inside(window), exp.Literal.number(order.index(name)), copy=False)
    source.set("expressions", [exp.Star(), choice.as_(_WINDOW)])
    keys = [exp.column(key, quoted=True) for key in _keys(request)]
    window_key = exp.column(_WINDOW)
    values = [
        _aggregate(request.atoms[position], rows.filters.get(f"atom_{position}")) for position in positions
    ]
    finished = [value.as_(f"atom_{position}") for value, position in zip(values, positions, strict=True)]
    if counts_rows:
        finished.append(exp.Count(this=exp.Star()).as_(ROWS))
    bits = [_bits(keys).as_(SET)] if request.sets is not None else []
    query = exp.select(*(key.copy() for key in keys), *bits, window_key.copy(), *finished)
    query = query.from_(source.subquery("in_windows"))
    query = query.where(exp.Not(this=exp.Is(this=window_key.copy(), expression=exp.null())))
    if request.sets is None or not keys:
        return query.group_by(*(key.copy() for key in keys), window_key.copy())
    sets = [
        exp.Tuple(expressions=[*(keys[position].copy() for position in one), window_key.copy()])
        for one in request.sets
    ]
    query.set("group", exp.Group(grouping_sets=[exp.GroupingSets(expressions=sets)]))
    return query


def _inside(window: Window) -> exp.Expr:
    return exp.and_(
        exp.GTE(this=exp.column(DAY), expression=day_literal(window.start)),
        exp.LTE(this=exp.column(DAY), expression=day_literal(window.end)),
    )


def _aggregate(atom: Atom, condition: exp.Expr | None) -> exp.Expr:
    value: exp.Expr = exp.column(atom.simple.row_input)
    if condition is not None:
        value = exp.Case().when(condition.copy(), value)
    if atom.kind == "sum":
        return exp.Sum(this=value)
    return exp.Count(this=value if atom.kind == "count" else exp.Distinct(expressions=[value]))


def _bits(keys: Sequence[exp.Expr]) -> exp.Expr:
    """Return a whole number with a bit set for each key that is in the row's grouping set."""
    bits: exp.Expr = exp.Literal.number(0)
    for position, key in enumerate(keys):
        outside = exp.Anonymous(this="GROUPING", expressions=[key.copy()])
        is_in = exp.paren(exp.Sub(this=exp.Literal.number(1), expression=outside))
        bits = exp.Add(this=bits, expression=exp.Mul(this=is_in, expression=exp.Literal.number(2**position)))
    return exp.cast(bits, "int")


def _side_by_side(request: Request, scans: Sequence[exp.Select]) -> exp.Select:
    """Return the scans with each window's values in columns of their own, one row per group."""
    keys = [*_keys(request), *([SET] if request.sets is not None else [])]
    values = [*(f"atom_{position}" for position in range(len(request.atoms))), ROWS]
    stacked = []
    for scan in scans:
        own = {part.alias_or_name for part in scan.expressions}
        columns = [
            exp.column(name, quoted=True) if name in own else exp.null().as_(name)
            for name in [*keys, _WINDOW, *values]
        ]
        stacked.append(scan if len(scans) == 1 else exp.select(*columns).from_(scan.subquery("scan")))
    source = stacked[0] if len(stacked) == 1 else exp.union(*stacked, distinct=False, copy=False)
    pivoted = []
    for value in values:
        for number, name in enumerate(request.windows):
            here = exp.EQ(this=exp.column(_WINDOW), expression=exp.Literal.number(number))
            chosen = exp.Sum(this=exp.Case().when(here, exp.column(value)))
            pivoted.append(exp.func("COALESCE", chosen, exp.Literal.number(0)).as_(f"{value}_{name}"))
    quoted = [exp.column(key, quoted=True) for key in keys]
    query = exp.select(*quoted, *pivoted).from_(source.subquery("by_window"))
    return query.group_by(*(key.copy() for key in quoted)) if keys else query
