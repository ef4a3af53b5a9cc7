"""The picture of an answer, from the figures that were kept with it: the same on a page, as a file, in a mail."""

from __future__ import annotations

from datetime import date
from typing import Any

from potager.insight.metrics.periods import parse_period
from potager.insight.questions.models import Answer
from potager.insight.questions.recipes.registry import kind
from potager.kit import words
from potager.kit.charts.bars import Estimate, compared
from potager.kit.charts.chart import Chart
from potager.kit.charts.series import Series, Target, time_series
from potager.kit.charts.waterfall import End, Movement, waterfall


def pictures_of(answer: Answer) -> list[str]:
    """Return the names of the pictures an answer has, the telling one first."""
    figures = answer.figures
    if answer.refusal or not figures:
        return []
    drawn = kind(answer.recipe).pictures
    return [name for name in drawn if name in figures.get("pictures", drawn)]


def picture(answer: Answer, name: str) -> Chart:
    """Return one picture of an answer."""
    return kind(answer.recipe).pictures[name](answer)


def _metric(answer: Answer) -> str:
    return str(answer.metrics[0]["label"]) if answer.metrics else ""


def movement(answer: Answer) -> Chart:
    """Draw what a change is made of, as a bridge from before to after."""
    figures, unit = answer.figures, answer.unit
    up = figures["after"] >= figures["before"]
    movements = [
        Movement(driver["title"], driver["amount"], good=(driver["amount"] > 0) == up if up else None)
        for driver in answer.drivers
        if not driver["unexplained"]
    ]
    return waterfall(
        End(_said(figures["against"]), figures["before"]),
        movements,
        End(_said(figures["period"]), figures["after"]),
        title=f"What moved {words.in_sentence(_metric(answer))}",
        unit=unit,
        as_of=answer.complete_through,
    )


def _said(key: str) -> str:
    words = str(parse_period(key))
    return words[:1].upper() + words[1:]


def time(answer: Answer) -> Chart:
    """Draw a metric by period, with its target."""
    figures: dict[str, Any] = answer.figures
    starts = tuple(date.fromisoformat(day) for day in figures["periods"])
    series = Series(_metric(answer), starts, tuple(figures["values"]))
    target = None
    if figures.get("target") is not None:
        target = Target(figures["target"], figures.get("target_low"), figures.get("target_high"))
    return time_series(
        series,
        title=f"{_metric(answer)} by {figures['grain']}",
        unit=answer.unit,
        grain=figures["grain"],
        as_of=answer.complete_through,
        target=target,
        partial_last=bool(figures.get("partial")),
    )


def groups(answer: Answer) -> Chart:
    """Draw two segments beside each other."""
    figures = answer.figures
    rows = [
        Estimate(name, value, count=count)
        for name, value, count in zip(figures["names"], figures["values"], figures["counts"], strict=True)
    ]
    return compared(rows, title=answer.statement, unit=answer.unit, what=_metric(answer), counted="units")
