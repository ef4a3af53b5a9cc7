"""Why did it move? Exact attribution, in words and numbers; a part of a period is never set against a whole one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.attribution import Attribution, SegmentAttribution
from potager.insight.metrics.explaining import Explanation, explain
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Grain, Period, against_of, parse_period, period_of, same_days
from potager.insight.metrics.reading import Freshness, series
from potager.insight.metrics.trees import Forest, forest
from potager.insight.questions.recipes.common import (
    last_day,
    listed,
    look,
    metric_of,
    no_data,
    say,
    say_change,
    say_relative,
    slot,
)
from potager.insight.questions.recipes.draft import Asked, Check, Draft, Driver, moment
from potager.insight.questions.rules import STANDARD, STANDARD_DOWN, judge
from potager.insight.questions.sureness import of_data
from potager.kit import words

MOST_NAMED = 2


def answer(asked: Asked) -> Draft:
    """Answer why a metric moved.

    Slots: ``metric``, ``period``, ``against`` (previous, year, or a period), ``by`` (dimensions to split by).
    """
    metric = metric_of(asked)
    period = parse_period(str(slot(asked, "period")))
    against = against_of(period, str(asked.slots.get("against") or "previous"))
    found, checks = look(asked, metric)
    draft = Draft("cannot_tell", "", [metric], unit=metric.unit, freshness=found, checks=checks)
    draft = replace(draft, parts=of_data(metric, found, asked.as_of), evidence_class="measured, exact")
    last = last_day(found, asked)
    if last is None:
        return draft.refused(no_data(metric))
    if last < period.start:
        because = f"The data ends on {moment(last)}, before {period} begins."
        return draft.refused(CannotTell("incomplete", because, "Load newer data, then ask again."))
    shown, compared, partial = same_days(period, against, last)
    refusal = _not_comparable(found, compared, period, partial)
    if refusal is not None:
        return draft.refused(refusal)
    trees = forest(asked.actor)
    by = listed(asked.slots, "by")
    result = explain(metric, trees, shown, compared, by=by, where=asked.where, at=asked.at)
    if not math.isfinite(result.before) or not math.isfinite(result.after):
        side = compared if not math.isfinite(result.before) else shown
        because = f"{metric.label} has no value {side.when}."
        return replace(draft, ran=result.ran).refused(
            CannotTell("undefined", because, "Ask for a period in which there is data.")
        )
    if metric.defined_at.date() > period.start and metric.source and metric.source.number > 1:
        checks.append(
            Check("definition", False, f"The definition was changed on {moment(metric.defined_at)}.")
        )
    return _told(asked, draft, result, trees, partial, period, checks)


def _not_comparable(found: Freshness, compared: Period, period: Period, partial: bool) -> CannotTell | None:
    if found.first is not None and compared.start < found.first:
        return CannotTell(
            "incomplete",
            f"The data begins on {moment(found.first)}, after {compared} has begun.",
            "Compare with a later period, or load older data.",
        )
    if partial and period.grain in {"week", "month", "quarter", "year"} and compared.days < 1:
        return CannotTell("incomplete", f"Nothing of {period} is over yet.", "Ask again tomorrow.")
    return None


def _told(
    asked: Asked,
    draft: Draft,
    result: Explanation,
    trees: Forest,
    partial: bool,
    period: Period,
    checks: Sequence[Check],
) -> Draft:
    metric, relative = result.metric, result.relative
    figures, surprise, run = _figures(asked, metric, result, period)
    values = {"relative": relative, "absolute": result.change, "after": result.after, "surprise": surprise}
    standard = STANDARD_DOWN if metric.direction == "down" else STANDARD
    verdict = judge(asked.rule or standard["change"], values)
    drivers = _drivers(result, trees)
    notes = list(checks)
    if partial:
        notes.append(
            Check(
                "whole periods",
                True,
                f"{period} is not over in the data: {result.period} is set against {result.against}.",
            )
        )
    notes += [
        Check(
            "adds up",
            bool(check.holds),
            f"{check.parent} {'equals' if check.holds else 'does not equal'} its formula.",
        )
        for check in result.checks
        if check.holds is not None
    ]
    return replace(
        draft,
        verdict=verdict,
        statement=_sentence(result, drivers, partial, period),
        estimate=result.change,
        low=result.change,
        high=result.change,
        checks=notes,
        drivers=drivers,
        figures={
            **figures,
            "pictures": ["movement", "time"] if len(drivers) > 1 else ["time"],
            "segments": _segments(result),
            "findings": _findings(result),
        },
        ran=[*result.ran, run],
        would_change=_would_change(result, surprise),
        next_questions=_next(result, trees),
    )


def _drivers(result: Explanation, trees: Forest) -> list[Driver]:
    tree = result.tree
    if not isinstance(tree, Attribution):
        return _segment_drivers(result)
    rest = abs(tree.unexplained) > 1e-6 * max(abs(result.before), abs(result.after), 1.0)
    if len(tree.parts) < 2 and not rest:
        return _segment_drivers(result)
    drivers = [
        Driver(trees.metrics[part.name].label, part.contribution, part.name, part.note)
        for part in sorted(tree.parts, key=lambda part: -abs(part.contribution))
    ]
    if rest:
        drivers.append(Driver("Unexplained", tree.unexplained, unexplained=True))
    return drivers


def _segment_drivers(result: Explanation) -> list[Driver]:
    for dimension, split in result.segments.items():
        if isinstance(split, SegmentAttribution):
            parts = sorted(split.attribution().parts, key=lambda part: -abs(part.contribution))
            named = [Driver(part.name or f"no {dimension}", part.contribution) for part in parts[:7]]
            rest = result.change - sum(driver.amount for driver in named)
            if len(parts) > 7:
                named.append(Driver(f"{len(parts) - 7} others", rest))
            return named
    return []


def _sentence(result: Explanation, drivers: Sequence[Driver], partial: bool, period: Period) -> str:
    metric, change = result.metric, result.change
    direction = "rose" if change > 0 else "fell" if change < 0 else "did not move"
    share = say_relative(result.relative)
    moved = f"{direction} {share}".strip() if change else direction
    against = f"against the same days, {result.against}" if partial else f"against {result.against}"
    sentence = f"{metric.label} {moved} to {say(result.after, metric.unit)} {result.period.when}, {against}"
    same_way = [d for d in drivers if d.amount * change > 0 and not d.unexplained][:MOST_NAMED]
    if same_way:
        causes = " and ".join(
            f"{words.in_sentence(d.title) if d.metric else d.title} ({say_change(d.amount, metric.unit)})"
            for d in same_way
        )
        sentence += f", mostly through {causes}"
    return sentence + "." + _where(result)


def _where(result: Explanation) -> str:
    findings = result.findings
    if findings is None or isinstance(findings, CannotTell) or not findings.segments:
        return ""
    # What explains a fall is a segment that fell, not one that grew in its place.
    same_way = [one for one in findings.segments if one.contribution * result.change > 0]
    if not same_way or abs(same_way[0].contribution) < 0.15 * abs(result.change):
        return ""
    top = same_way[0]
    place = ", ".join(
        f"{name.rpartition('__')[2].replace('_', ' ')} {'unknown' if value is None else value}"
        for name, value in top.conditions
    )
    return f" It shows most in {place} ({say_change(top.contribution, result.metric.unit)})."


def _segments(result: Explanation) -> dict[str, Any]:
    shown = {}
    for dimension, split in result.segments.items():
        if isinstance(split, SegmentAttribution):
            parts = sorted(split.attribution().parts, key=lambda part: -abs(part.contribution))[:12]
            shown[dimension] = [
                [part.name or "unknown", part.before, part.after, part.contribution] for part in parts
            ]
    return shown


def _findings(result: Explanation) -> list[list[Any]]:
    if result.findings is None or isinstance(result.findings, CannotTell):
        return []
    return [
        [one.label, one.before, one.after, one.contribution, one.excess] for one in result.findings.segments
    ]


def _figures(
    asked: Asked, metric: Metric, result: Explanation, period: Period
) -> tuple[dict[str, Any], float | None, Any]:
    grain: Grain = period.grain or "month"
    start = period_of(min(period.start, result.against.start), grain)
    first = min(start, period_of(period.start, grain).shifted(-13))
    until = result.period.end + timedelta(days=0)
    shown = series(metric, grain, first.start, until, asked.where, through=until, at=asked.at)
    numbers = shown.values
    whole = numbers[:-1] if shown.partial else numbers
    steps = np.diff(np.log(whole[:-1])) if len(whole) > 4 and (whole > 0).all() else np.array([])
    spread = float(np.nanstd(steps)) if len(steps) > 2 else 0.0
    surprise = None
    if spread > 0 and result.before > 0 and result.after > 0:
        surprise = float(math.log(result.after / result.before) / spread)
    return (
        {
            "kind": "change",
            "grain": grain,
            "periods": [str(one.start) for one in shown.periods],
            "values": [None if math.isnan(number) else number for number in numbers.tolist()],
            "partial": shown.partial,
            "before": result.before,
            "after": result.after,
            "period": result.period.key,
            "against": result.against.key,
            "surprise": surprise,
        },
        surprise,
        shown.ran,
    )


def _would_change(result: Explanation, surprise: float | None) -> list[str]:
    if surprise is None:
        return []
    if abs(surprise) < 1.5:
        return [f"The change is within the usual ups and downs ({abs(surprise):.1f} times a usual step)."]
    return [f"The change is {abs(surprise):.1f} times a usual step from one period to the next."]


def _next(result: Explanation, trees: Forest) -> list[str]:
    if not isinstance(result.tree, Attribution) or len(result.tree.parts) < 2:
        return []
    top = max(result.tree.parts, key=lambda part: abs(part.contribution))
    return [f"Why did {words.in_sentence(trees.metrics[top.name].label)} change {result.period.when}?"]
