"""Panels and series from the lake: the metric by period and segment, and who started when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlglot import exp

from potager.engines.answers import CannotTell
from potager.engines.causal import Check, Panel
from potager.ground.lake.service import warehouse
from potager.insight.impact.designing import PanelDesign, SeriesDesign
from potager.insight.impact.reading_arms import lake_table, where_sql
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Grain, Period, period_of, periods_between
from potager.insight.metrics.reading import Ran, additive, pins, series
from potager.insight.metrics.semantics import MetricQuery
from potager.insight.metrics.semantics.shapes import Window
from potager.kit import words

Numbers = NDArray[np.float64]
At = Mapping[str, str] | None
# How far to look back where the design does not say: enough for two seasons, not so far that the past is another time.
HISTORY: Mapping[Grain, int] = {"day": 120, "week": 78, "month": 36, "quarter": 16, "year": 40}
_FEWEST_KEPT = 0.8


@dataclass(frozen=True, slots=True)
class PanelRead:
    """A panel with who was treated, who stands for the rest, and the first treated period (an index).

    ``share_treated``: for a ratio, the treated segments' part of all there is to divide by; None for sums and levels.
    """

    panel: Panel
    periods: tuple[Period, ...]
    grain: Grain
    treated: tuple[str, ...]
    controls: tuple[str, ...]
    treated_too: tuple[str, ...]
    start: int
    starts: int
    smallest_group: int
    adds_up: bool
    share_treated: float | None
    checks: tuple[Check, ...]
    ran: tuple[Ran, ...]


@dataclass(frozen=True, slots=True)
class SeriesRead:
    """A series (t,) with its controls and the first treated period (an index)."""

    values: Numbers
    controls: Mapping[str, Numbers]
    periods: tuple[Period, ...]
    grain: Grain
    start: int
    adds_up: bool
    ran: tuple[Ran, ...]


def read_panel(
    metric: Metric, plan: PanelDesign, launched: date, end: date, first: date | None, at: At = None
) -> PanelRead | CannotTell:
    """Return the panel of whole periods until ``end``; ``first`` is the first day with data."""
    grain = plan.grain or _grain(metric)
    periods = _periods(grain, launched, end, first, plan.history)
    if isinstance(periods, CannotTell):
        return periods
    layer = layer_of(metric)
    query = MetricQuery(
        metrics=(metric.name,),
        group_by=(plan.by,),
        grain=grain,
        start=periods[0].start,
        end=periods[-1].end,
    )
    result = layer.query(query, at=pins(layer, (metric.name,), at))
    runs = [
        Ran(
            f"{metric.name} by {plan.by} and {grain}",
            result.sql,
            result.snapshots,
            result.engine,
            result.seconds,
        )
    ]
    units, outcomes = _pivoted(result.table, metric, periods)
    starts, ran = _starts(plan, launched, end, units, at)
    runs += ran
    adopted = {unit: _index(periods, day) for unit, day in starts.items() if unit in set(units)}
    if missing := sorted(set(plan.treated) - set(units)):
        return CannotTell(
            "incomplete",
            f"{metric.label} has no rows for {', '.join(missing[:5])}.",
            f"Name values of {plan.by}.",
        )
    read = _sides(plan, metric, grain, periods, units, outcomes, adopted, tuple(runs), launched)
    if isinstance(read, CannotTell) or read.adds_up:
        return read
    return replace(read, share_treated=_share(metric, plan.by, set(read.treated), read.periods, at))


def _share(metric: Metric, by: str, treated: set[str], periods: tuple[Period, ...], at: At) -> float | None:
    """Return the treated segments' part of a ratio's denominator over the periods; None where it is no ratio."""
    layer = layer_of(metric)
    first, last = periods[0], periods[-1]
    halves = Window(first.start, first.end), Window(first.start, last.end)
    sums = layer.component_sums(metric.name, [by], *halves, sets=[[by]], at=pins(layer, (metric.name,), at))
    if isinstance(sums, CannotTell) or (part := sums.parts[metric.name]).denominator is None:
        return None
    cells = sums.cells(*sums.dimensions)
    names = cells[sums.dimensions[0]].cast(pa.string()).to_pylist()
    under = np.nan_to_num(np.asarray(cells[f"{part.denominator}_after"].to_numpy(), dtype=np.float64))
    whole = float(under.sum())
    return float(under[[name in treated for name in names]].sum()) / whole if whole > 0.0 else None


def _sides(
    plan: PanelDesign,
    metric: Metric,
    grain: Grain,
    periods: tuple[Period, ...],
    units: tuple[str, ...],
    outcomes: Numbers,
    adopted: Mapping[str, int],
    runs: tuple[Ran, ...],
    launched: date,
) -> PanelRead | CannotTell:
    checks = []
    adds_up = additive(metric)
    if adds_up:
        # Nothing happened in a cell of a sum that has no rows: that is zero, not unknown.
        outcomes = np.nan_to_num(outcomes, nan=0.0)
    else:
        units, outcomes, left_out = _whole_rows(units, outcomes, set(plan.treated))
        if left_out:
            checks.append(
                Check(
                    "known_outcomes",
                    None,
                    f"{left_out} of the {plan.by} values are left out: they have periods without a value, and "
                    "unknown is not zero.",
                )
            )
        adopted = {unit: at for unit, at in adopted.items() if unit in set(units)}
    spoiled = tuple(name for name in plan.treated_too if name in set(units))
    named = tuple(name for name in plan.controls if name in set(units))
    controls = named or tuple(name for name in units if name not in adopted and name not in spoiled)
    if spoiled and not named:
        checks.append(
            Check(
                "treated_too", True, f"{', '.join(spoiled)} got it as well and stand on neither side.",
            )
        )  # fmt: skip
    started = {at for at in adopted.values() if at < len(periods)}
    start = _index(periods, launched) if len(started) != 1 else started.pop()
    if len({at for at in adopted.values() if at < len(periods)}) <= 1 and periods[start].start < launched:
        # The period in which it started is neither before nor after: it is taken out.
        outcomes = np.delete(outcomes, start, axis=1)
        gone = periods[start]
        periods = (*periods[:start], *periods[start + 1 :])
        adopted = dict.fromkeys(adopted, start)
        checks.append(
            Check("whole_periods", True, f"It started within {gone}, which counts on neither side.")
        )
        if start >= len(periods):
            return CannotTell(
                "incomplete",
                f"There is no whole {grain} after {launched} yet.",
                "Ask again when there is.",
            )
    spoilt_from = dict.fromkeys(spoiled, start)
    panel = Panel(
        units,
        tuple(str(period) for period in periods),
        outcomes,
        {**spoilt_from, **adopted},
    )
    sizes = [list(adopted.values()).count(at) for at in set(adopted.values()) if at < len(periods)]
    return PanelRead(
        panel=panel,
        periods=periods,
        grain=grain,
        treated=tuple(unit for unit, at in adopted.items() if at < len(periods)),
        controls=tuple(name for name in controls if name not in adopted),
        treated_too=tuple(name for name in spoiled if name in named),
        start=start,
        starts=len(sizes),
        smallest_group=min(sizes, default=0),
        adds_up=adds_up,
        share_treated=None,
        checks=tuple(checks),
        ran=runs,
    )


def read_series(
    metric: Metric,
    plan: SeriesDesign,
    others: Mapping[str, Metric],
    launched: date,
    end: date,
    first: date | None,
    at: At = None,
) -> SeriesRead | CannotTell:
    """Return the series of whole periods until ``end``, with its controls over the same periods."""
    grain = plan.grain or _grain(metric)
    periods = _periods(grain, launched, end, first, plan.history)
    if isinstance(periods, CannotTell):
        return periods
    found = {
        name: series(one, grain, periods[0].start, periods[-1].end, at=at)
        for name, one in {"": metric, **others}.items()
    }
    own = found.pop("")
    read = SeriesRead(
        values=own.values,
        controls={name: one.values for name, one in found.items()},
        periods=periods,
        grain=grain,
        start=_index(periods, launched),
        adds_up=additive(metric),
        ran=(own.ran, *(one.ran for one in found.values())),
    )
    if periods[read.start].start < launched and read.start + 1 < len(periods):
        # The period in which it started is part before and part after; the first whole one begins the comparison.
        return replace(read, start=read.start + 1)
    return read


def _grain(metric: Metric) -> Grain:
    found: Any = metric.grain
    grain: Grain = found
    return grain


def _periods(
    grain: Grain, launched: date, end: date, first: date | None, history: int | None
) -> tuple[Period, ...] | CannotTell:
    """Return the whole periods around the launch: as many before as asked for and known, and those over by ``end``."""
    at = period_of(launched, grain)
    begin = at.shifted(-(history or HISTORY[grain]))
    if first is not None and begin.start < first:
        begin = period_of(first, grain)
        begin = begin if begin.start >= first else begin.shifted(1)
    periods = tuple(one for one in periods_between(begin.start, end, grain) if one.end <= end)
    if not periods or periods[-1].end < launched:
        return CannotTell(
            "incomplete",
            f"No whole {grain} has passed since {words.day(launched)}.",
            "Ask again when one has, or take a finer grain.",
        )
    if periods[0].start > launched:
        return CannotTell(
            "too_few", f"There is no {grain} with data before {words.day(launched)}.", "Import earlier data."
        )
    return periods


def _index(periods: tuple[Period, ...], day: date) -> int:
    """Return the index of the period that holds a day; 0 before the first, their number after the last."""
    for index, period in enumerate(periods):
        if day <= period.end:
            return index
    return len(periods)


def _pivoted(table: pa.Table, metric: Metric, periods: tuple[Period, ...]) -> tuple[tuple[str, ...], Numbers]:
    """Return units and their outcomes (n, t); nan where there is no row."""
    column = next(name for name in table.column_names if name not in {"metric_time", metric.name})
    kept = table.filter(pc.is_valid(table[column]))
    names = kept[column].cast(pa.string()).combine_chunks()
    units = pc.unique(names).sort()
    row = pc.index_in(names, value_set=units).to_numpy(zero_copy_only=False)
    starts = pa.array([period.start for period in periods], type=pa.date32())
    place = pc.index_in(kept["metric_time"].cast(pa.date32()).combine_chunks(), value_set=starts)
    inside = place.is_valid().to_numpy(zero_copy_only=False)
    column_of = place.fill_null(0).to_numpy(zero_copy_only=False)
    values = np.asarray(kept[metric.name].cast(pa.float64()).to_numpy(), dtype=np.float64)
    outcomes = np.full((len(units), len(periods)), np.nan)
    outcomes[row[inside], column_of[inside]] = values[inside]
    return tuple(str(name) for name in units.to_pylist()), outcomes


def _starts(
    plan: PanelDesign, launched: date, end: date, units: tuple[str, ...], at: At
) -> tuple[dict[str, date], list[Ran]]:
    """Return the day on which each unit started, those of the future left out."""
    if plan.starts_in is None:
        starts = dict.fromkeys(plan.treated, launched) | dict(plan.starts)
        return {name: day for name, day in starts.items() if day <= end}, []
    given = plan.starts_in
    unit = exp.cast(exp.column(given.unit, quoted=True), "varchar")
    day = exp.cast(exp.func("MIN", exp.column(given.start, quoted=True)), "date")
    query = exp.select(unit.as_("unit"), day.as_("day")).from_(lake_table(given.table))
    query = where_sql(query, given.where).group_by(exp.column("unit")).order_by(exp.column("unit"))
    sql = query.sql("duckdb", pretty=True)
    read = warehouse().query(sql, at=at)
    found = dict(zip(read.table["unit"].to_pylist(), read.table["day"].to_pylist(), strict=True))
    run = Ran("who started when", sql, read.snapshots, read.engine, read.seconds)
    return {str(name): start for name, start in found.items() if start is not None and start <= end}, [run]


def _whole_rows(
    units: tuple[str, ...], outcomes: Numbers, needed: set[str]
) -> tuple[tuple[str, ...], Numbers, int]:
    """Leave out the units with holes, unless they are too many or needed; then the engine says so."""
    whole = np.isfinite(outcomes).all(axis=1)
    must = np.array([name in needed for name in units])
    kept = whole | must
    if kept.mean() < _FEWEST_KEPT:
        return units, outcomes, 0
    return (
        tuple(name for name, keep in zip(units, kept, strict=True) if keep),
        outcomes[kept],
        int((~kept).sum()),
    )
