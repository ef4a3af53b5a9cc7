"""Do these differ? The right interval for the figure at hand, and whether the difference is more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.statistics.compare import Comparison, compare
from potager.engines.statistics.quality import Part, State
from potager.engines.statistics.sums import MeanSums, RatioSums
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import parse_period
from potager.insight.metrics.reading import Ran, pins
from potager.insight.metrics.semantics import Window
from potager.insight.questions.recipes.common import (
    last_day,
    look,
    metric_of,
    no_data,
    say,
    say_distance,
    slot,
)
from potager.insight.questions.recipes.draft import Asked, Check, Draft
from potager.insight.questions.rules import STANDARD, STANDARD_DOWN, judge
from potager.insight.questions.sureness import of_data, of_interval, of_units
from potager.kit import words

CONFIDENCE = 0.95


def answer(asked: Asked) -> Draft:
    """Answer whether two segments differ in a metric.

    Slots: ``metric``, ``dimension``, ``a``, ``b`` (empty for everybody else), ``period``, and ``unit``: the entity that
    is compared, such as a customer. The figure is per unit, or the metric's own ratio over units.
    """
    metric = metric_of(asked)
    dimension, unit = str(slot(asked, "dimension")), str(slot(asked, "unit"))
    first, second = str(slot(asked, "a")), str(asked.slots.get("b") or "")
    period = parse_period(str(slot(asked, "period")))
    found, checks = look(asked, metric)
    draft = Draft("cannot_tell", "", [metric], unit=metric.unit, freshness=found, level=CONFIDENCE)
    draft = replace(draft, parts=of_data(metric, found, asked.as_of), evidence_class="association")
    last = last_day(found, asked)
    if last is None:
        return draft.refused(no_data(metric))
    shown = period.until(last)
    if shown != period:
        checks.append(
            Check("whole periods", True, f"{period} is not over in the data: {shown} is looked at, for both.")
        )
    draft = replace(draft, checks=checks)
    layer = layer_of(metric)
    sums = layer.unit_sums(
        metric.name,
        unit,
        dimension,
        Window(shown.start, shown.end),
        where=asked.where,
        at=pins(layer, (metric.name,), asked.at),
    )
    if isinstance(sums, CannotTell):
        return draft.refused(sums)
    run = Ran(f"{metric.name} per {unit} by {dimension}", sums.sql, sums.snapshots, sums.engine, sums.seconds)
    rows = {_name(row[sums.segment]): row for row in sums.table.to_pylist()} if sums.segment else {}
    draft = replace(draft, ran=[run], parts=_with_left_out(draft.parts, sums.table.to_pylist(), unit))
    missing = [name for name in (first, second) if name and name not in rows]
    if missing:
        because = f"There is no {dimension} {missing[0]} {shown.when}."
        return draft.refused(CannotTell("ambiguous", because, f"There are {', '.join(list(rows)[:8])}."))
    others = [second] if second else [name for name in rows if name != first]
    if sums.ratio:
        result = compare(_ratio([rows[first]]), _ratio([rows[name] for name in others]), CONFIDENCE)
    else:
        result = compare(_mean([rows[first]]), _mean([rows[name] for name in others]), CONFIDENCE)
    if isinstance(result, CannotTell):
        return draft.refused(result)
    return _told(
        asked, draft, metric, result, first, second or "the others", unit, sums.ratio, str(shown), rows
    )


def _name(value: Any) -> str:
    return "unknown" if value is None else str(value)


def _total(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(sum(row[name] or 0 for row in rows))


def _mean(rows: Sequence[Mapping[str, Any]]) -> MeanSums:
    return MeanSums(int(_total(rows, "units")), _total(rows, "y"), _total(rows, "yy"))


def _ratio(rows: Sequence[Mapping[str, Any]]) -> RatioSums:
    y, x, yy, xx, xy = (_total(rows, name) for name in ("y", "x", "yy", "xx", "xy"))
    return RatioSums(int(_total(rows, "units")), sum_y=y, sum_x=x, sum_yy=yy, sum_xx=xx, sum_xy=xy)


def _with_left_out(parts: Sequence[Part], rows: list[dict[str, Any]], unit: str) -> list[Part]:
    """Return the parts; where rows name no unit, how much that leaves out says more than how many rows they are."""
    left = sum(abs(row.get("y_without_unit") or 0.0) for row in rows)
    whole = left + sum(abs(row.get("y") or 0.0) for row in rows)
    if not left or not whole:
        return list(parts)
    share = left / whole
    state: State = "fair" if share < 0.05 else "poor"
    says = f"{share:.0%} of it lies on rows that name no {unit}, and is left out."
    others = (part for part in parts if part.name != "completeness")
    return [Part("completeness", state, says, 1 - share), *others]


def _told(
    asked: Asked,
    draft: Draft,
    metric: Metric,
    result: Comparison,
    first: str,
    second: str,
    unit: str,
    ratio: bool,
    shown: str,
    rows: Mapping[str, Any],
) -> Draft:
    relative = None if isinstance(result.relative, CannotTell) else result.relative.value
    difference = result.difference
    values = {
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "relative": relative,
    }
    standard = STANDARD_DOWN if metric.direction == "down" else STANDARD
    verdict = judge(asked.rule or standard["compare"], values)
    what = metric.label if ratio else f"{metric.label} per {unit}"
    clear = difference.excludes(0.0)
    if clear:
        more = "higher" if difference.value > 0 else "lower"
        near, far = sorted((abs(difference.low), abs(difference.high)))
        spread = (
            words.between(near * 100, far * 100, "pp")
            if metric.unit == "share"
            else words.between(near, far, metric.unit)
        )
        statement = (
            f"{what} {words.is_or_are(what)} {say_distance(difference.value, metric.unit)} {more} "
            f"in {first} than in {second} "
            f"({say(result.first, metric.unit)} against {say(result.second, metric.unit)}), {spread} with confidence."
        )
    else:
        statement = (
            f"{first} and {second} do not clearly differ in {words.in_sentence(what)}: "
            f"{say(result.first, metric.unit)} and {say(result.second, metric.unit)}; chance alone could do that."
        )
    fewest = min(result.n_first, result.n_second)
    return replace(
        draft,
        verdict=verdict,
        statement=statement,
        estimate=difference.value,
        low=difference.low,
        high=difference.high,
        parts=[
            *draft.parts,
            of_units(fewest, f"{unit}s in the smaller group"),
            of_interval(difference.low, difference.high, result.second),
        ],
        figures={
            "kind": "compare",
            "names": [first, second],
            "values": [result.first, result.second],
            "counts": [result.n_first, result.n_second],
            "p_value": result.p_value,
            "relative": relative,
            "shown": shown,
        },
        would_change=[f"The p-value is {result.p_value:.2g}; more {unit}s would make the range narrower."],
        checks=[
            *draft.checks,
            Check("noise", clear, f"The interval {'leaves out' if clear else 'holds'} no difference at all."),
        ],
    )
