"""Will we reach it? A forecast tested on the series' own past, and the probability that follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.statistics.forecast import Forecast, forecast
from potager.engines.statistics.reach import Direction, TargetOf, probability_of_reaching
from potager.insight.metrics.models import Metric, Target
from potager.insight.metrics.periods import Grain, Period, parse_period, period_of
from potager.insight.metrics.queries import target_for
from potager.insight.metrics.reading import Ran, additive, series, value
from potager.insight.metrics.treeview import stands
from potager.insight.questions.recipes.common import (
    last_day,
    look,
    metric_of,
    no_data,
    number,
    say,
    say_distance,
    slot,
    stale,
)
from potager.insight.questions.recipes.draft import LEVEL, Asked, Draft, Driver, moment
from potager.insight.questions.rules import STANDARD, judge
from potager.insight.questions.sureness import of_back_test, of_data, of_interval
from potager.kit import words

SEASONS: Mapping[Grain, int] = {"day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}
HISTORY = timedelta(days=3 * 366)


def answer(asked: Asked) -> Draft:
    """Answer whether a metric reaches its target in a period.

    Slots: ``metric``, ``period``, and ``value`` where the metric has no target of its own for the period.
    """
    metric = metric_of(asked)
    period = parse_period(str(slot(asked, "period")))
    found, checks = look(asked, metric)
    draft = Draft("cannot_tell", "", [metric], unit=metric.unit, freshness=found, checks=checks, level=LEVEL)
    draft = replace(draft, parts=of_data(metric, found, asked.as_of))
    last = last_day(found, asked)
    if last is None:
        return draft.refused(no_data(metric))
    goal = _goal(asked, metric, period)
    if goal is None:
        because = f"No target is set for {metric.label} {period.when}."
        return draft.refused(
            CannotTell("not_governed", because, "Set one on the metric's page, or give a value.")
        )
    if last < period.start - timedelta(days=400):
        because = f"The data ends on {moment(last)}, long before {period} begins."
        return draft.refused(
            CannotTell("incomplete", because, "Ask for a nearer period, or load newer data.")
        )
    if last >= period.end:
        return _over(asked, draft, metric, period, goal)
    late = stale(metric, found, asked)
    if late is not None:
        return draft.refused(late)
    return _ahead(asked, draft, metric, period, goal, last)


class _Goal:
    """What is to be reached: a value, and the range around it that would do."""

    def __init__(self, number: float, low: float | None = None, high: float | None = None) -> None:
        self.number, self.low, self.high = number, low, high


def _goal(asked: Asked, metric: Metric, period: Period) -> _Goal | None:
    given = asked.slots.get("value")
    if given not in (None, ""):
        return _Goal(number(asked, "value", given))
    target: Target | None = target_for(asked.actor, metric, period)
    if target is None or (target.start, target.end) != (period.start, period.end):
        return None
    return _Goal(target.value, target.low, target.high)


def _over(asked: Asked, draft: Draft, metric: Metric, period: Period, goal: _Goal) -> Draft:
    actual, run = value(metric, period, asked.where, at=asked.at)
    if math.isnan(actual):
        because = f"{metric.label} has no value in {period}."
        return draft.refused(CannotTell("undefined", because, "Look at its definition and its data."))
    verdict = stands(metric.direction, actual, goal.number, goal.low, goal.high)
    gap = actual - goal.number
    statement = (
        f"{metric.label} {words.is_or_are(metric.label, 'was', 'were')} "
        f"{say(actual, metric.unit)} {period.when}, "
        f"{say_distance(gap, metric.unit)} {'above' if gap >= 0 else 'below'} the target of "
        f"{say(goal.number, metric.unit)}."
    )
    figures = _figures(metric, period, asked, goal, period.end)
    return replace(
        draft,
        verdict=verdict,
        statement=statement,
        estimate=actual,
        low=actual,
        high=actual,
        figures=figures[0],
        ran=[run, figures[1]],
        would_change=["Only a restatement of the data: the period is over."],
        next_questions=[f"Why did {words.in_sentence(metric.label)} change {period.when}?"],
    )


def _ahead(asked: Asked, draft: Draft, metric: Metric, period: Period, goal: _Goal, last: date) -> Draft:
    summed = additive(metric)
    grain: Grain = "day" if summed else (period.grain or "month")
    if not summed and period.grain is None:
        because = f"{metric.label} cannot be added up over {period}."
        return draft.refused(CannotTell("undefined", because, "Ask for a whole month, quarter or year."))
    so_far, ran = 0.0, []
    if summed:
        if last >= period.start:
            so_far, run = value(metric, Period(period.start, last), asked.where, at=asked.at)
            ran.append(run)
        horizon = (period.end - last).days
        history = series(metric, "day", last - HISTORY, last, asked.where, at=asked.at)
    else:
        done = period_of(last, grain)
        done = done if done.end <= last else done.previous()
        horizon = _steps(done, period)
        history = series(metric, grain, done.start - HISTORY, done.end, asked.where, at=asked.at)
    ran.append(history.ran)
    known = np.flatnonzero(~np.isnan(history.values))
    numbers = history.values[known[0] :] if len(known) else history.values[:0]
    ahead = forecast(numbers, horizon, SEASONS[grain], LEVEL)
    if isinstance(ahead, CannotTell):
        return replace(draft, ran=ran).refused(ahead)
    expected, low, high, probability = _odds(ahead, so_far, goal, metric, summed=summed)
    values = {"probability": probability, "expected": expected, "low": low, "high": high}
    verdict = judge(asked.rule or STANDARD["target"], values)
    figures, run = _figures(metric, period, asked, goal, last)
    coverage, judged = (
        (ahead.coverage_total, ahead.judged_totals) if summed else (ahead.coverage, ahead.judged)
    )
    return replace(
        draft,
        verdict=verdict,
        statement=_sentence(metric, period, goal, probability, low, high),
        estimate=expected,
        low=low,
        high=high,
        evidence_class="forecast, back-tested",
        parts=[*draft.parts, of_interval(low, high, expected), of_back_test(coverage, judged, LEVEL)],
        drivers=[Driver("So far", so_far), Driver("Still expected", expected - so_far)]
        if summed and so_far
        else [],
        figures={
            **figures,
            "probability": probability,
            "method": ahead.method,
            "forecast": {
                "from": str(last + timedelta(days=1)),
                "values": ahead.values.tolist(),
                "low": ahead.low.tolist(),
                "high": ahead.high.tolist(),
            },
        },
        ran=[*ran, run],
        would_change=_would_change(metric, period, goal, expected, so_far, horizon if summed else 0),
        next_questions=[f"Why did {words.in_sentence(metric.label)} change {period.previous().when}?"],
    )


def _steps(done: Period, wanted: Period) -> int:
    steps, at = 0, done
    while at.end < wanted.end:
        at, steps = at.shifted(1), steps + 1
    return steps


def _odds(
    ahead: Forecast, so_far: float, goal: _Goal, metric: Metric, *, summed: bool
) -> tuple[float, float, float, float]:
    """Return expected, low, high and the probability of reaching the goal, or of staying inside its range."""
    direction: Direction = "down" if metric.direction == "down" else "up"
    of: TargetOf = "total" if summed else "last"
    if metric.direction == "range":
        least, most = (goal.number if end is None else end for end in (goal.low, goal.high))
        above = [probability_of_reaching(ahead, end, so_far, "up", of) for end in (least, most)]
        probability = max(0.0, above[0] - above[1])
    else:
        probability = probability_of_reaching(ahead, goal.number, so_far, direction, of)
    if summed:
        total = ahead.total
        return so_far + total.value, so_far + total.low, so_far + total.high, probability
    return float(ahead.values[-1]), float(ahead.low[-1]), float(ahead.high[-1]), probability


def _sentence(
    metric: Metric, period: Period, goal: _Goal, probability: float, low: float, high: float
) -> str:
    odds = f"{probability:.0%}".replace("%", " %")
    likely = "likely" if probability >= 0.8 else "open" if probability >= 0.4 else "unlikely"
    return (
        f"{_reaching(metric, goal)} {period.when} is {likely} ({odds}): "
        f"{words.in_sentence(metric.label)} {words.is_or_are(metric.label)} expected "
        f"{words.between(low, high, metric.unit)}."
    )


def _reaching(metric: Metric, goal: _Goal) -> str:
    if metric.direction == "range" and goal.low is not None and goal.high is not None:
        return f"Staying {words.between(goal.low, goal.high, metric.unit)}"
    if metric.direction == "down":
        return f"Staying at {say(goal.number, metric.unit)} or less"
    return f"Reaching {say(goal.number, metric.unit)}"


def _would_change(
    metric: Metric, period: Period, goal: _Goal, expected: float, so_far: float, days: int
) -> list[str]:
    gap = goal.number - expected
    lines = []
    if days:
        needed = (goal.number - so_far) / days
        usual = (expected - so_far) / days
        lines.append(
            f"{say(needed, metric.unit)} a day over the {days} days left, "
            f"instead of the {say(usual, metric.unit)} expected."
        )
    if metric.direction != "down" and gap > 0:
        lines.append(f"{say(gap, metric.unit)} more than expected by {moment(period.end)}.")
    return lines


def _figures(
    metric: Metric, period: Period, asked: Asked, goal: _Goal, last: date
) -> tuple[dict[str, Any], Ran]:
    grain: Grain = period.grain or "month"
    first = period_of(period.start, grain).shifted(-13)
    shown = series(metric, grain, first.start, min(last, period.end), asked.where, through=last, at=asked.at)
    return {
        "kind": "target",
        "grain": grain,
        "periods": [str(one.start) for one in shown.periods],
        "values": [None if math.isnan(number) else number for number in shown.values.tolist()],
        "partial": shown.partial,
        "target": goal.number,
        "target_low": goal.low,
        "target_high": goal.high,
        "period": period.key,
    }, shown.ran
