"""The ask box: plain words to a recipe with slots, without any outside model, saying what was understood.

Metric names and their synonyms, periods, segments and the kind of question are looked for in the words. What is
missing or could be read in two ways is said, never guessed silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from potager.ground.access.actors import Actor
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import MONTHS, Period, add_months, period_of
from potager.insight.metrics.queries import metrics as all_metrics
from potager.insight.metrics.reading import freshness
from potager.insight.metrics.semantics import SemanticLayer
from potager.insight.questions.recipes.registry import kinds

_CUES = {
    "compare": r"\b(compare|differ|different|difference|versus|vs|higher|lower|better|worse|more than|less than)\b",
    "target": r"\b(reach|hit|meet|target|on track|forecast|expect(ed)?|will we|will it|exceed|goal|beat)\b",
    "change": r"\b(why|chang\w*|dropp?\w*|f[ae]ll\w*|rise|rose|risen|grow\w*|grew|increas\w*|decreas\w*|"
    r"declin\w*|mov\w*|collaps\w*|happened|went (up|down)|better|worse|trend)\b",
}
_MONTH = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
_MONTH |= {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
_MONTH["sept"] = 9
_MONTH_WORDS = "|".join(sorted(_MONTH, key=len, reverse=True))
_AGAINST = re.compile(
    r"\b(?:against|compared (?:with|to)|versus|vs\.?|than(?: in)?|from|since)\s+", re.IGNORECASE
)
_NUMBER = re.compile(r"[£$€]?\s?(\d[\d,]*(?:\.\d+)?)\s?(k|m|bn|million|thousand|%)?\b", re.IGNORECASE)
_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "%": 0.01, "": 1.0}
MOST_VALUES = 400


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the words that was understood: which, as what, and how it was read."""

    words: str
    role: str
    reading: str


@dataclass(frozen=True)
class Understood:
    """What the words were read as. ``missing`` says what has to be added, ``choices`` what it could have meant."""

    text: str
    recipe: str
    slots: Mapping[str, Any]
    found: Sequence[Found]
    missing: Sequence[str] = ()
    choices: Sequence[Metric] = ()
    notes: Sequence[str] = ()
    metric: Metric | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Return whether the question can be answered as it was read."""
        return not self.missing


def understand(actor: Actor, text: str, today: date) -> Understood:
    """Return how a question in plain words is read: by the kind that takes it for its own, or as one of a metric."""
    for one in kinds():
        if one.read is not None and (read := one.read(actor, text, today)) is not None:
            return read
    found: list[Found] = []
    metric, choices, words = _metric(actor, text)
    if metric is None:
        missing = "Which metric do you mean?" if choices else "No governed metric is named in the question."
        return Understood(text, "", {}, found, [missing], choices)
    found.append(Found(words, "metric", metric.label))
    rest = text.replace(words, " ", 1)
    known = freshness(metric).complete_through
    anchor = min(today, known) if known else today
    notes = []
    if known and known < today and re.search(r"\b(last|this|current|yesterday|today)\b", rest, re.IGNORECASE):
        notes.append(
            f"The data ends on {known:%d %B %Y}; 'last' and 'this' are read from there.".replace(" 0", " ")
        )
    said = _segments(metric, rest)
    found += [Found(value, dimension, value) for dimension, several in said.items() for value in several]
    recipe = _recipe(rest, said)
    found.append(Found("", "kind", recipe))
    try:
        main, against = _periods(rest, anchor)
    except ValueError:
        missing = "The question names a day or a month that no calendar has. Which period do you mean?"
        return Understood(text, recipe, {"metric": metric.name}, found, [missing], (), notes, metric)
    if main:
        found.append(Found(main[0], "period", str(main[1])))
    if against:
        found.append(Found(against[0], "against", str(against[1])))
    build = {"target": _target, "change": _change, "compare": _compare}[recipe]
    slots, lacking = build(
        metric, rest, main[1] if main else None, against[1] if against else None, said, anchor
    )
    return Understood(text, recipe, {"metric": metric.name, **slots}, found, lacking, (), notes, metric)


def _metric(actor: Actor, text: str) -> tuple[Metric | None, list[Metric], str]:
    """Return the metric whose name, label or synonym is the longest in the words; several where they tie."""
    folded = text.casefold()
    best: list[tuple[int, str, Metric]] = []
    for metric in all_metrics(actor):
        names = {metric.label, metric.name, metric.name.replace("_", " "), *metric.synonyms}
        for name in names:
            at = re.search(rf"(?<!\w){re.escape(name.casefold())}(?:s|es)?(?!\w)", folded)
            if at:
                best.append((len(name), text[at.start() : at.end()], metric))
    if not best:
        return None, [], ""
    longest = max(length for length, _, _ in best)
    named = {metric.pk: (words, metric) for length, words, metric in best if length == longest}
    if len(named) > 1:
        return None, [metric for _, metric in named.values()], ""
    ((words, metric),) = named.values()
    return metric, [], words


@lru_cache(maxsize=256)
def _values(layer: SemanticLayer, metric: str) -> dict[str, tuple[str, ...]]:
    """Return the values of the metric's own categorical dimensions, where they are few enough to know by name."""
    known = {}
    for dimension in layer.dimensions(metric):
        if dimension.kind == "categorical":
            values = layer.dimension_values(metric, dimension.name, limit=MOST_VALUES)["value"].to_pylist()
            if len(values) < MOST_VALUES:
                known[dimension.short] = tuple(value for value in values if isinstance(value, str))
    return known


def _segments(metric: Metric, text: str) -> dict[str, list[str]]:
    folded = text.casefold()
    said: dict[str, list[str]] = {}
    for dimension, values in _values(layer_of(metric), metric.name).items():
        hits = [
            (at.start(), value)
            for value in values
            if len(value) > 1 and (at := re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", folded))
        ]
        if hits:
            said[dimension] = [value for _, value in sorted(hits)]
    return said


def _recipe(text: str, said: Mapping[str, Sequence[str]]) -> str:
    folded = text.casefold()
    if any(len(values) >= 2 for values in said.values()):
        return "compare"
    if re.search(r"\bwhy\b", folded):
        return "change"
    for recipe in ("target", "change"):
        if re.search(_CUES[recipe], folded):
            return recipe
    if any(said.values()) and re.search(_CUES["compare"], folded):
        return "compare"
    return "change"


def _periods(text: str, anchor: date) -> tuple[tuple[str, Period] | None, tuple[str, Period] | None]:
    """Return the period asked about and the one compared with, each with the words that say it."""
    split = _AGAINST.search(text)
    head, tail = (text[: split.start()], text[split.end() :]) if split else (text, "")
    main = _period(head, anchor)
    against = _period(tail, anchor, near=main[1] if main else None) if tail else None
    if main is None and against is not None and split and split[0].strip().lower() in {"since", "from"}:
        return None, None
    return main, against


def _period(text: str, anchor: date, near: Period | None = None) -> tuple[str, Period] | None:
    folded = text.casefold()
    if near is not None and (
        at := re.search(r"\b(last year|the year before|a year (?:ago|earlier|before))\b", folded)
    ):
        return at[0], near.year_before()
    if at := re.search(r"\b(\d{4}-\d{2}-\d{2})\s*(?:\.\.|to|until)\s*(\d{4}-\d{2}-\d{2})\b", folded):
        first, last = date.fromisoformat(at[1]), date.fromisoformat(at[2])
        return at[0], Period(min(first, last), max(first, last))
    if at := re.search(r"\b(\d{4}-\d{2}-\d{2})\b", folded):
        return at[0], period_of(date.fromisoformat(at[1]), "day")
    if at := re.search(r"\b(\d{4})-(\d{2})\b", folded):
        return at[0], period_of(date(int(at[1]), int(at[2]), 1), "month")
    if at := re.search(rf"\b({_MONTH_WORDS})\.?\s+(\d{{4}})\b", folded):
        return at[0], period_of(date(int(at[2]), _MONTH[at[1]], 1), "month")
    if at := re.search(r"\bq([1-4])(?:\s+(?:of\s+)?(\d{4}))?\b", folded):
        year = int(at[2]) if at[2] else anchor.year
        return at[0], period_of(date(year, int(at[1]) * 3, 1), "quarter")
    if at := re.search(
        r"\b(last|previous|this|current|the same)\s+(day|week|month|quarter|year)(?:\s+last year)?\b", folded
    ):
        return at[0], _relative(at[1], at[2], anchor, near)
    if at := re.search(r"\b(yesterday|today|last year|a year (?:ago|earlier|before))\b", folded):
        if at[1] in {"yesterday", "today"}:
            day = period_of(anchor, "day")
            return at[0], day if at[1] == "today" else day.previous()
        base = near or period_of(anchor, "year")
        return at[0], base.year_before()
    if at := re.search(rf"\b({_MONTH_WORDS})\b", folded):
        month = date(anchor.year, _MONTH[at[1]], 1)
        # A month without a year is the latest one that has begun.
        return at[0], period_of(month if month <= anchor else add_months(month, -12), "month")
    if at := re.search(r"\b(20\d{2}|19\d{2})\b", folded):
        return at[0], period_of(date(int(at[1]), 1, 1), "year")
    return None


def _relative(word: str, grain: str, anchor: date, near: Period | None) -> Period:
    if word == "the same" and near is not None:
        return near.year_before()
    present = period_of(anchor, grain)  # type: ignore[arg-type]
    return present if word in {"this", "current"} else present.previous()


Slots = tuple[dict[str, Any], list[str]]
Segments = Mapping[str, Sequence[str]]


def _where(said: Segments) -> dict[str, Any]:
    conditions = [f"{dimension}={','.join(values)}" for dimension, values in said.items()]
    return {"where": conditions} if conditions else {}


def _target(
    metric: Metric, text: str, main: Period | None, against: Period | None, said: Segments, anchor: date
) -> Slots:
    period = main or period_of(anchor, metric.grain)  # type: ignore[arg-type]
    slots: dict[str, Any] = {"period": period.key, **_where(said)}
    number = _number(re.sub(r"\b(?:19|20)\d{2}(?:-\d{2})*\b|\bq[1-4]\b", " ", text, flags=re.IGNORECASE))
    if number is not None:
        slots["value"] = number
    return slots, []


def _number(text: str) -> float | None:
    for at in _NUMBER.finditer(text):
        return float(at[1].replace(",", "")) * _SCALE[(at[2] or "").lower()]
    return None


def _change(
    metric: Metric, text: str, main: Period | None, against: Period | None, said: Segments, anchor: date
) -> Slots:
    if main is None:
        present = period_of(anchor, metric.grain)  # type: ignore[arg-type]
        main = present if present.end <= anchor else present.previous()
    slots: dict[str, Any] = {"period": main.key, **_where(said)}
    slots["against"] = against.key if against else "previous"
    by = [dimension for dimension in _values(layer_of(metric), metric.name) if dimension not in said]
    if by:
        slots["by"] = by[:4]
    return slots, []


def _compare(
    metric: Metric, text: str, main: Period | None, against: Period | None, said: Segments, anchor: date
) -> Slots:
    period = main or Period(add_months(anchor, -12), anchor)
    slots: dict[str, Any] = {"period": period.key}
    missing = []
    pairs = {dimension: values for dimension, values in said.items() if values}
    if pairs:
        dimension, values = max(pairs.items(), key=lambda item: len(item[1]))
        slots |= {"dimension": dimension, "a": values[0], "b": values[1] if len(values) > 1 else ""}
        others = {name: values for name, values in said.items() if name != dimension}
        slots |= _where(others)
    else:
        missing.append("Which two segments should be compared?")
    units = [one.short for one in layer_of(metric).dimensions(metric.name) if one.kind == "entity"]
    named = [
        unit
        for unit in units
        if re.search(rf"\b{re.escape(unit.replace('_', ' '))}s?\b", text, re.IGNORECASE)
    ]
    if named or units:
        slots["unit"] = (named or units)[0]
    else:
        missing.append("Per what should it be compared? The definitions name no entity.")
    return slots, missing
