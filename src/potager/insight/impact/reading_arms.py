"""Arms of an experiment from the lake: who was assigned, and what each of them did, as sums over units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from potager.engines.answers import CannotTell
from potager.engines.causal import Arm, arm_of_rows
from potager.ground.lake.names import table_name
from potager.ground.lake.service import warehouse
from potager.insight.impact.designing import Assignment
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import Ran, additive, pins
from potager.insight.metrics.semantics import MetricQuery, SemanticLayer
from potager.insight.metrics.semantics.shapes import Window
from potager.kit.errors import NotFound

Numbers = NDArray[np.float64]
At = Mapping[str, str] | None
LONGEST_BEFORE = 90


@dataclass(frozen=True, slots=True)
class Arms:
    """Both arms as sums. ``share_reached``: for ratios, the treated units' part of all there is to divide by.

    ``crossed``: units that are on record in both arms and were left out.
    """

    treated: Arm
    control: Arm
    ratio: bool
    adds_up: bool
    share_treated: float
    share_tested: float
    crossed: int
    covariate: bool
    ran: tuple[Ran, ...]


@dataclass(frozen=True, slots=True)
class _PerUnit:
    """A metric per unit (n,): numerator, denominator where it is a ratio, and the numerator before launch."""

    unit: pa.Array[Any]
    over: Numbers
    under: Numbers | None
    before: Numbers
    ran: tuple[Ran, ...]


def read_arms(
    metric: Metric,
    unit: str,
    plan: Assignment,
    start: date,
    end: date,
    at: At = None,
    *,
    launched: date | None = None,
) -> Arms | CannotTell:
    """Return the arms of an assignment over the days from ``start`` to ``end``, both included.

    The covariate is from before ``launched`` (``start`` where not given): what the treatment may have moved is none.
    """
    if plan.table:
        return _from_table(metric, unit, plan, start, end, at, launched or start)
    return _from_dimension(metric, unit, plan, start, end, at)


def where_sql(query: exp.Select, where: Mapping[str, Any]) -> exp.Select:
    """Return the query with conditions on columns; values become literals, names are quoted."""
    for name, value in where.items():
        column = exp.column(name, quoted=True)
        several = value if isinstance(value, list | tuple) else [value]
        query = query.where(column.isin(*(exp.convert(one) for one in several)), copy=False)
    return query


def lake_table(name: str) -> exp.Table:
    """Return a table of the lake for a query; say so where there is none."""
    found = table_name(name)
    if name not in warehouse().tables():
        raise NotFound(f"There is no table {name} in the lake.", mend="Import it, or mend the bet's design.")
    return exp.table_(found.table, db=found.namespace, quoted=True)


def _from_table(
    metric: Metric, unit: str, plan: Assignment, start: date, end: date, at: At, launched: date
) -> Arms | CannotTell:
    text = exp.cast(exp.column(plan.unit, quoted=True), "varchar")
    arm = exp.cast(exp.column(plan.arm, quoted=True), "varchar")
    query = exp.select(
        text.as_("unit"),
        exp.func("MIN", arm).as_("arm"),
        exp.Count(this=exp.Distinct(expressions=[arm.copy()])).as_("arms"),
    ).from_(lake_table(plan.table))
    query = where_sql(query, plan.where)
    query = query.where(arm.copy().isin(exp.convert(plan.treated), exp.convert(plan.control)), copy=False)
    if plan.on:
        day = exp.cast(exp.column(plan.on, quoted=True), "date")
        query = query.where(exp.LTE(this=day, expression=exp.cast(exp.convert(str(end)), "date")), copy=False)
    query = query.group_by(exp.column("unit")).order_by(exp.column("unit"))
    sql = query.sql("duckdb", pretty=True)
    read = warehouse().query(sql, at=at)
    assigned = Ran("who was assigned", sql, read.snapshots, read.engine, read.seconds)
    one_arm = np.asarray(read.table["arms"].to_numpy()) == 1
    crossed = int((~one_arm).sum())
    kept = read.table.filter(pa.array(one_arm))
    if not kept.num_rows:
        return CannotTell(
            "incomplete",
            f"{plan.table} holds nobody who was assigned to {plan.treated} or {plan.control} by {end}.",
            "See that the table and the names of the arms are right.",
        )
    per = _per_unit(metric, unit, start, end, at, launched)
    if isinstance(per, CannotTell):
        return per
    place = pc.index_in(kept["unit"].combine_chunks(), value_set=per.unit)
    known = place.is_valid().to_numpy(zero_copy_only=False)
    row = place.fill_null(0).to_numpy(zero_copy_only=False)
    over = _taken(per.over, row, known)
    under = None if per.under is None else _taken(per.under, row, known)
    before = _taken(per.before, row, known)
    treated = np.asarray(kept["arm"].to_numpy()) == plan.treated
    covariate = plan.covariate and float(np.ptp(before)) > 0.0
    whole = float(per.under.sum()) if per.under is not None else 0.0

    def summed(side: NDArray[np.bool_]) -> Arm:
        return arm_of_rows(
            over[side],
            None if under is None else under[side],
            before[side] if covariate else None,
        )

    return Arms(
        treated=summed(treated),
        control=summed(~treated),
        ratio=under is not None,
        adds_up=under is None and additive(metric),
        share_treated=float(under[treated].sum()) / whole if under is not None and whole else 0.0,
        share_tested=float(under.sum()) / whole if under is not None and whole else 0.0,
        crossed=crossed,
        covariate=covariate,
        ran=(assigned, *per.ran),
    )


def _taken(values: Numbers, row: NDArray[np.int64], known: NDArray[np.bool_]) -> Numbers:
    """Return each assigned unit's value; one that did nothing did 0, which is what happened."""
    if not len(values):
        return np.zeros(len(row))
    found: Numbers = np.where(known, values[row], 0.0)
    return found


def _per_unit(
    metric: Metric, unit: str, start: date, end: date, at: At, launched: date
) -> _PerUnit | CannotTell:
    layer = layer_of(metric)
    pinned = pins(layer, (metric.name,), at)
    days = min((end - start).days + 1, LONGEST_BEFORE)
    before = Window(launched - timedelta(days=days), launched - timedelta(days=1))
    after = Window(start, end)
    sums = layer.component_sums(metric.name, [unit], before, after, sets=[[unit]], at=pinned)
    if isinstance(sums, CannotTell):  # no sum over rows: a level, such as recurring revenue
        return _levels(layer, metric, unit, {"after": after, "before": before}, pinned)
    parts = sums.parts[metric.name]
    cells = sums.cells(*sums.dimensions)
    cells = cells.filter(pc.is_valid(cells[sums.dimensions[0]]))
    ran = Ran(f"{metric.name} per {unit}", sums.sql, sums.snapshots, sums.engine, sums.seconds)
    return _PerUnit(
        unit=cells[sums.dimensions[0]].cast(pa.string()).combine_chunks(),
        over=_numbers(cells, f"{parts.numerator}_after"),
        under=_numbers(cells, f"{parts.denominator}_after") if parts.denominator else None,
        before=_numbers(cells, f"{parts.numerator}_before"),
        ran=(ran,),
    )


def _levels(
    layer: SemanticLayer, metric: Metric, unit: str, windows: Mapping[str, Window], at: Mapping[str, str]
) -> _PerUnit:
    """Return a level per unit, such as recurring revenue: its value over each window, not divided by time."""
    found, ran = {}, []
    for name, window in windows.items():
        query = MetricQuery(metrics=(metric.name,), group_by=(unit,), start=window.start, end=window.end)
        result = layer.query(query, at=at)
        column = next(one for one in result.table.column_names if one != metric.name)
        kept = result.table.filter(pc.is_valid(result.table[column]))
        found[name] = (
            kept[column].cast(pa.string()).combine_chunks(),
            _numbers(kept, metric.name),
        )
        role = f"{metric.name} per {unit}, {name} launch"
        ran.append(Ran(role, result.sql, result.snapshots, result.engine, result.seconds))
    units, over = found["after"]
    place = pc.index_in(units, value_set=found["before"][0])
    known = place.is_valid().to_numpy(zero_copy_only=False)
    before = _taken(found["before"][1], place.fill_null(0).to_numpy(zero_copy_only=False), known)
    return _PerUnit(units, over, None, before, tuple(ran))


def _numbers(table: pa.Table, column: str) -> Numbers:
    found: Numbers = np.nan_to_num(
        np.asarray(table[column].cast(pa.float64()).to_numpy(), dtype=np.float64), nan=0.0
    )
    return found


def _from_dimension(
    metric: Metric, unit: str, plan: Assignment, start: date, end: date, at: At
) -> Arms | CannotTell:
    layer = layer_of(metric)
    pinned = pins(layer, (metric.name,), at)
    found = layer.unit_sums(metric.name, unit, plan.dimension, Window(start, end), at=pinned)
    if isinstance(found, CannotTell):
        return found
    assert found.segment is not None
    rows = {str(row[found.segment]): row for row in found.table.to_pylist()}
    if missing := [name for name in (plan.treated, plan.control) if name not in rows]:
        return CannotTell(
            "incomplete",
            f"{metric.label} has no rows whose {plan.dimension} is {missing[0]} between {start} and {end}.",
            f"There are {', '.join(sorted(rows)) or 'none'}.",
        )

    def summed(name: str) -> Arm:
        row = rows[name]
        ratio = {"d": row["x"], "dd": row["xx"], "yd": row["xy"]} if found.ratio else {}
        return Arm(
            n=int(row["units"]),
            y=float(row["y"]),
            yy=float(row["yy"]),
            **{part: float(value) for part, value in ratio.items()},
        )

    whole = sum(float(row["x"]) for row in rows.values()) if found.ratio else 0.0
    tested = sum(float(rows[name]["x"]) for name in (plan.treated, plan.control)) if found.ratio else 0.0
    role = f"{metric.name} per {unit}, by {plan.dimension}"
    return Arms(
        treated=summed(plan.treated),
        control=summed(plan.control),
        ratio=found.ratio,
        adds_up=not found.ratio and additive(metric),
        share_treated=float(rows[plan.treated]["x"]) / whole if found.ratio and whole else 0.0,
        share_tested=tested / whole if whole else 0.0,
        crossed=0,
        covariate=False,
        ran=(Ran(role, found.sql, found.snapshots, found.engine, found.seconds),),
    )
