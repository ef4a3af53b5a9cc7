"""Metrics taken apart: the sums behind them by segment and window, and per unit for intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from potager.engines.answers import CannotTell
from potager.insight.metrics.semantics.aggregates import (
    ROWS,
    SET,
    Request,
    aggregate_query,
    linear_expression,
)
from potager.insight.metrics.semantics.compiled import Compiled
from potager.insight.metrics.semantics.components import Atom, Components, components_of
from potager.insight.metrics.semantics.conditions import check
from potager.insight.metrics.semantics.rows import NotByRow
from potager.insight.metrics.semantics.shapes import Condition, Window
from potager.insight.metrics.semantics.vocabulary import Grouping, known_metric, resolve, result_names
from potager.kit.errors import Invalid

MOST_DIMENSIONS = 12


@dataclass(frozen=True, slots=True)
class Parts:
    """The columns of one metric, without their windows: ``numerator``, and ``denominator`` where it is a ratio.

    ``distinct`` says that a count of distinct values is among them: over segments it adds up only where each value
    lies in one segment, which :meth:`Sums.adds_up` tells.
    """

    numerator: str
    denominator: str | None
    distinct: bool


@dataclass(frozen=True)
class SumsStatement:
    """The SQL for sums and what its columns mean."""

    query: exp.Query
    dimensions: tuple[str, ...]
    windows: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...]
    parts: Mapping[str, Parts]
    refused: Mapping[str, CannotTell]


@dataclass(frozen=True)
class Sums:
    """Sums by grouping set and window, from one query.

    ``table`` has a column per dimension, ``grouping_set`` (a bit per dimension that is in the set), for each part and
    window a double ``<part>_<window>``, and ``rows_<window>``: how many rows lie in it. A segment that appears or
    vanishes has zero rows in one window. ``refused`` says which of the metrics asked for cannot be taken apart.
    """

    table: pa.Table
    dimensions: tuple[str, ...]
    windows: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...]
    parts: Mapping[str, Parts]
    refused: Mapping[str, CannotTell]
    sql: str
    snapshots: Mapping[str, str]
    engine: str
    seconds: float
    definition_hash: str

    def cells(self, *dimensions: str) -> pa.Table:
        """Return the rows of one grouping set, with the columns of its dimensions only; no dimension is the total."""
        if dimensions and set(dimensions) not in [set(one) for one in self.sets]:
            raise Invalid(
                f"The sums were not asked by {', '.join(dimensions)}.", mend="Name it among the sets."
            )
        bits = sum(2 ** self.dimensions.index(name) for name in dimensions)
        found = self.table.filter(pc.equal(self.table[SET], bits))
        other = [name for name in self.dimensions if name not in dimensions]
        return found.drop_columns([*other, SET])

    def adds_up(self, part: str, dimension: str) -> bool:
        """Say whether a part's segments by ``dimension`` add up to its total in every window (to 1e-9)."""
        segments, total = self.cells(dimension), self.cells()
        for window in self.windows:
            name = f"{part}_{window}"
            whole = total[name][0].as_py() if total.num_rows else 0.0
            added = pc.sum(segments[name]).as_py() or 0.0
            if abs(whole - added) > 1e-9 * max(1.0, abs(whole)):
                return False
        return True


def sums_statement(
    compiled: Compiled,
    metrics: Sequence[str],
    dimensions: Sequence[str],
    windows: Mapping[str, Window],
    *,
    where: Sequence[Condition] = (),
    sets: Sequence[Sequence[str]] | None = None,
    name_parts: Callable[[str, str], str] | None = None,
) -> SumsStatement:
    """Return the SQL for the sums behind ``metrics`` by grouping sets of ``dimensions`` in each of ``windows``.

    Without ``sets``: the total and each dimension by itself. Metrics that cannot be taken apart are in ``refused``.
    """
    _check(dimensions, windows)
    made, refused = _components(compiled, metrics)
    asked = [(), *((name,) for name in dimensions)] if sets is None else [(), *map(tuple, sets)]
    unknown = [name for one in asked for name in one if name not in dimensions]
    if unknown:
        raise Invalid(
            f"The set names `{unknown[0]}`, which is not among the dimensions.", mend="Add it to them."
        )
    used = [name for name in dimensions if any(name in one for one in asked)]
    groupings = [resolve(compiled, metrics, name) for name in used]
    names = result_names(groupings, ())
    unique = list(dict.fromkeys(tuple(sorted(used.index(name) for name in one)) for one in asked))
    atoms = list(dict.fromkeys(atom for one in made.values() for atom in one.atoms))
    resolved = _conditions(compiled, metrics, where)
    if not atoms:
        because = next(iter(refused.values())).because
        raise Invalid(because, mend="Ask about a metric that is a sum or a ratio of sums.")
    request = Request(atoms, groupings, windows, resolved, unique)
    try:
        inner = aggregate_query(compiled, request)
    except NotByRow as error:
        raise Invalid(
            f"These sums cannot be read from rows: {error}.", mend="Use filters on dimensions."
        ) from error
    columns, parts = _named(made, atoms, list(windows), name_parts or _default_name)
    keys = [
        exp.column(grouping.column, quoted=True).as_(name, quoted=True)
        for grouping, name in zip(groupings, names, strict=True)
    ]
    counts = [
        exp.cast(exp.column(f"{ROWS}_{window}"), "bigint").as_(f"{ROWS}_{window}") for window in windows
    ]
    query = exp.select(*keys, exp.column(SET), *columns, *counts).from_(inner.subquery("sums"))
    order = [SET, *names]
    query = query.order_by(
        *(exp.Ordered(this=exp.column(name, quoted=True), nulls_first=False) for name in order)
    )
    named_sets = tuple(tuple(names[position] for position in one) for one in unique)
    return SumsStatement(query, tuple(names), tuple(windows), named_sets, parts, refused)


def _check(dimensions: Sequence[str], windows: Mapping[str, Window]) -> None:
    if len(dimensions) > MOST_DIMENSIONS:
        raise Invalid(f"More than {MOST_DIMENSIONS} dimensions at once.", mend="Choose the ones that matter.")
    if len(set(dimensions)) != len(dimensions):
        raise Invalid("A dimension is named twice.", mend="Name each once.")
    if not windows:
        raise Invalid("No window was given.", mend="Give at least one range of days.")
    for name, window in windows.items():
        if window.start > window.end:
            raise Invalid(f"The window `{name}` ends before it starts.", mend="Swap its two days.")
        if not name.isidentifier():
            raise Invalid(f"`{name}` cannot name a window.", mend="Use a word, such as before.")


def _components(
    compiled: Compiled, metrics: Sequence[str]
) -> tuple[dict[str, Components], dict[str, CannotTell]]:
    made, refused = {}, {}
    for name in dict.fromkeys(metrics):
        known_metric(compiled, name)
        found = components_of(compiled, name)
        if isinstance(found, CannotTell):
            refused[name] = found
        else:
            made[name] = found
    return made, refused


def _conditions(
    compiled: Compiled, metrics: Sequence[str], where: Sequence[Condition]
) -> list[tuple[Grouping, Condition]]:
    for condition in where:
        check(condition)
    return [(resolve(compiled, metrics, condition.dimension), condition) for condition in where]


def _default_name(metric: str, part: str) -> str:
    return metric if part == "" else f"{metric}_{part}"


def _named(
    made: Mapping[str, Components],
    atoms: Sequence[Atom],
    windows: Sequence[str],
    name: Callable[[str, str], str],
) -> tuple[list[exp.Expr], dict[str, Parts]]:
    columns: list[exp.Expr] = []
    parts = {}
    for metric, one in made.items():
        ratio = one.denominator is not None
        over, under = name(metric, "numerator" if ratio else ""), name(metric, "denominator")
        pieces = [(over, one.numerator)] + ([(under, one.denominator)] if one.denominator is not None else [])
        for base, linear in pieces:
            columns += [
                linear_expression(linear, atoms, window).as_(f"{base}_{window}", quoted=True)
                for window in windows
            ]
        distinct = any(linear.distinct for _, linear in pieces)
        parts[metric] = Parts(over, under if ratio else None, distinct)
    return columns, parts


@dataclass(frozen=True)
class UnitSums:
    """Moments over units by segment: what a mean, a ratio and their intervals need, at any number of rows.

    ``table`` has the segment's column (none for the whole), ``units``, ``y`` and ``yy`` (Σy, Σy²), for ratios also
    ``x``, ``xx``, ``xy``, and ``y_without_unit``: what of y lies on rows that name no unit and is left out. A unit with
    rows in several segments counts in each.
    """

    table: pa.Table
    segment: str | None
    ratio: bool
    sql: str
    snapshots: Mapping[str, str]
    engine: str
    seconds: float
    definition_hash: str


@dataclass(frozen=True)
class UnitStatement:
    """The SQL for moments over units, the segment's column and whether there is a denominator."""

    query: exp.Query
    segment: str | None
    ratio: bool


def unit_statement(
    compiled: Compiled,
    metric: str,
    unit: str,
    dimension: str | None,
    window: Window,
    *,
    where: Sequence[Condition] = (),
) -> UnitStatement | CannotTell:
    """Return the SQL for the moments of ``metric`` over the units of an entity (or dimension), by segment."""
    known_metric(compiled, metric)
    made = components_of(compiled, metric)
    if isinstance(made, CannotTell):
        return made
    _check([], {"window": window})
    unit_grouping = resolve(compiled, (metric,), unit)
    segment = resolve(compiled, (metric,), dimension) if dimension is not None else None
    groupings = list({one.column: one for one in (unit_grouping, segment) if one is not None}.values())
    request = Request(made.atoms, groupings, {"window": window}, _conditions(compiled, (metric,), where))
    try:
        per_unit = aggregate_query(compiled, request)
    except NotByRow as error:
        return CannotTell(
            "undefined", f"`{metric}` cannot be told per {unit}: {error}.", "Use filters on dimensions."
        )
    values = [linear_expression(made.numerator, made.atoms, "window").as_("y")]
    if made.denominator is not None:
        values.append(linear_expression(made.denominator, made.atoms, "window").as_("x"))
    keys = [exp.column(segment.column, quoted=True).as_("segment")] if segment is not None else []
    unit_column = exp.column(unit_grouping.column, quoted=True).as_("unit")
    units = exp.select(*keys, unit_column, *values).from_(per_unit.subquery("sums")).subquery("per_unit")
    name = result_names([segment], ("units", "y", "yy", "x", "xx", "xy"))[0] if segment is not None else None
    moments = [("y", "y"), ("yy", "y * y")]
    if made.denominator is not None:
        moments += [("x", "x"), ("xx", "x * x"), ("xy", "x * y")]
    has_unit = exp.Not(this=exp.Is(this=exp.column("unit"), expression=exp.null()))
    counted = [
        exp.func(
            "COALESCE",
            exp.Sum(this=exp.Case().when(has_unit.copy(), exp.maybe_parse(formula))),
            exp.Literal.number(0),
        ).as_(alias)
        for alias, formula in moments
    ]
    without = exp.Sum(
        this=exp.Case().when(exp.Is(this=exp.column("unit"), expression=exp.null()), exp.column("y"))
    )
    query = exp.select(
        *([exp.column("segment").as_(name, quoted=True)] if name else []),
        exp.Count(this=exp.column("unit")).as_("units"),
        *counted,
        exp.func("COALESCE", without, exp.Literal.number(0)).as_("y_without_unit"),
    ).from_(units)
    if name:
        query = query.group_by(exp.column("segment"))
        query = query.order_by(exp.Ordered(this=exp.column(name, quoted=True), nulls_first=False))
    return UnitStatement(query, name, made.denominator is not None)
