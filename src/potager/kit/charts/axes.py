"""Axes, in words: round ticks, labels as people say numbers and periods, places in time, layers of a specification."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, Literal

from potager.kit import words
from potager.kit.charts.chart import Spec

Grain = Literal["day", "week", "month", "quarter", "year"]

_MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}
_DAYS: Final[Mapping[str, int]] = {"day": 1, "week": 7}
_SAID_ON_AXIS: Final = frozenset({*words.CURRENCIES, "%", "percent", "share", "ratio", "pp"})
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1)
_TICK_ROOM: Final = 46
# Less than this between two numbers is no difference that an axis could show.
_LEAST_SPREAD: Final = 1e-200


def layer(
    mark: str, style: str, rows: Sequence[Mapping[str, Any]], encoding: Mapping[str, Any], **properties: Any
) -> Spec:
    """Return a layer: a mark in a named style over its own rows."""
    return {
        "mark": {"type": mark, "style": style, **properties},
        "data": {"values": [dict(row) for row in rows]},
        "encoding": dict(encoding),
    }


def known(values: Iterable[float | None]) -> list[float]:
    """Return the values that are there and finite."""
    return [float(value) for value in values if value is not None and math.isfinite(value)]


def cleaned(values: Iterable[float | None]) -> tuple[float | None, ...]:
    """Return values with everything that is no finite number as ``None``."""
    return tuple(None if value is None or not math.isfinite(value) else float(value) for value in values)


def ticks(low: float, high: float, most: int = 7) -> tuple[float, ...]:
    """Return round numbers from at or below ``low`` to at or below ``high``, about ``most`` of them."""
    if high - low < _LEAST_SPREAD:
        high = low + max(abs(low), 1.0)
    raw = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * size for size in (1, 2, 2.5, 5, 10) if power * size >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9)
    return tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))


def number_axis(at: Sequence[float], unit: str, **properties: Any) -> Spec:
    """Return an axis with these ticks, each said as people say it: ``£200k``, ``40 %``."""
    return {**_labelled(list(at), tick_words(at, unit)), "title": None, **properties}


def tick_words(at: Sequence[float], unit: str) -> list[str]:
    """Return what an axis says at its ticks: symbols yes, nouns no (the subtitle says those)."""
    base = unit.split(" per ")[0].split("/")[0].strip()
    return [words.human(value, base if base in _SAID_ON_AXIS else "") for value in at]


def line_domain(values: Sequence[float], *, zero: bool) -> tuple[float, float, tuple[float, ...]]:
    """Return bottom, top and ticks of an axis that shows all values.

    With ``zero`` the axis holds zero. Without, it still starts there where the values come near it: where the least is
    under six tenths of the greatest, leaving zero out would only exaggerate.
    """
    low, high = min(values), max(values)
    if zero or (0 <= low < 0.6 * high) or (high <= 0 and high > 0.6 * low):
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < _LEAST_SPREAD:
        low, high = (low - abs(low) * 0.1, high + abs(high) * 0.1) if abs(low) > 1e-6 else (low, low + 1.0)
    room = (high - low) * 0.07
    at = ticks(low, high)
    return min(at[0], low), high + (room if high > 0 else 0.0), at


def milliseconds(day: date) -> int:
    """Return a day's first instant (UTC) as Vega counts time."""
    return (day - _EPOCH).days * _DAY_MS


def next_start(start: date, grain: Grain, steps: int = 1) -> date:
    """Return the first day of the period ``steps`` later."""
    if grain in _DAYS:
        return start + timedelta(days=_DAYS[grain] * steps)
    months = start.year * 12 + start.month - 1 + _MONTHS[grain] * steps
    return date(months // 12, months % 12 + 1, 1)


def middle(start: date, grain: Grain) -> int:
    """Return the middle of a period in milliseconds: where its point stands, so that a day's mark falls beside it."""
    return (milliseconds(start) + milliseconds(next_start(start, grain))) // 2


def period_name(start: date, grain: Grain) -> str:
    """Return what a period is called: ``November 2011``, ``week of 7 November 2011``, ``Q4 2011``."""
    if grain == "week":
        return f"week of {words.day(start)}"
    if grain == "day":
        return words.day(start)
    return words.period(start, next_start(start, grain) - timedelta(days=1))


def in_period(start: date, grain: Grain) -> str:
    """Return a period with the word that leads to it: ``in November 2011``, ``on 7 November 2011``."""
    lead = {"day": "on", "week": "in the"}.get(grain, "in")
    return f"{lead} {period_name(start, grain)}"


def time_axis(first: date, last: date, grain: Grain, room: float) -> Spec:
    """Return an axis of periods between two starts with as many labels as ``room`` pixels hold."""
    starts = _calendar_starts(first, last, grain, max(2, int(room // _TICK_ROOM)))
    by_month = grain == "day" and all(start.day == 1 for start in starts)
    said: list[list[str]] = []
    year: int | None = None
    for start in starts:
        said.append(
            [
                f"{start:%b}" if by_month else _short(start, grain),
                str(start.year) if start.year != year and grain != "year" else "",
            ]
        )
        year = start.year
    at = [middle(start, grain) for start in starts]
    return {**_labelled(at, said), "title": None, "labelLineHeight": 15, "labelOverlap": False}


def label_layer(
    text: str | Sequence[str], x: float | str, y: float | str, style: str, *, align: str = "left",
    baseline: str = "middle", dx: float = 0, dy: float = 0, size: int | None = None,
) -> Spec:  # fmt: skip
    """Return words at a place in pixels; ``width`` and ``height`` name the far edges."""
    mark: dict[str, Any] = {
        "type": "text",
        "style": style,
        "align": align,
        "baseline": baseline,
        "dx": dx,
        "dy": dy,
    }
    if not isinstance(text, str):
        mark["lineHeight"] = 14
    if size:
        mark["fontSize"] = size
    return {
        "mark": mark,
        "data": {"values": [{}]},
        "encoding": {
            "text": {"value": text if isinstance(text, str) else list(text)}, "x": {"value": x}, "y": {"value": y},
        },
    }  # fmt: skip


def by_category(names: Sequence[str]) -> Spec:
    """Return the encoding that colors rows by their ``category``, each of ``names`` in the theme's order."""
    return {
        "field": "category",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": list(names), "range": "category"},
    }


def kept_apart(
    wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> tuple[float, ...]:
    """Return middles as near as possible to those wanted such that boxes of these heights do not overlap.

    Boxes keep their order. Where they fit between ``low`` and ``high`` they stay there. Blocks of touching boxes are
    merged and stand at the mean of what their members want (pool adjacent violators).
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    blocks: list[list[float]] = []  # sum of wanted tops less offset, members, height
    members: list[list[int]] = []
    for index in order:
        blocks.append([wanted[index] - heights[index] / 2, 1.0, heights[index]])
        members.append([index])
        while len(blocks) > 1 and _top(blocks[-2], low, high) + blocks[-2][2] > _top(blocks[-1], low, high):
            total, count, height = blocks.pop()
            blocks[-1] = [
                blocks[-1][0] + total - count * blocks[-1][2], blocks[-1][1] + count, blocks[-1][2] + height,
            ]  # fmt: skip
            last = members.pop()
            members[-1] += last
    found = [0.0] * len(wanted)
    for block, inside in zip(blocks, members, strict=True):
        at = _top(block, low, high)
        for index in inside:
            found[index] = at + heights[index] / 2
            at += heights[index]
    return tuple(found)


def sentence(text: str) -> str:
    """Return a text with its first letter large, the others as they are."""
    return text[:1].upper() + text[1:]


def hatched(
    left: float, right: float, bottom: float, top: float, units_x: float, units_y: float, step: float = 6.0
) -> list[dict[str, float]]:
    """Return the strokes of a diagonal hatching of a rectangle, in data units.

    ``units_x`` and ``units_y`` are data units per pixel; ``step`` is the distance between strokes in pixels.
    """
    wide, tall = (right - left) / units_x, (top - bottom) / units_y
    strokes = []
    offset = step
    while wide > 0 and tall > 0 and offset < wide + tall:
        x1, y1 = (offset, 0.0) if offset <= wide else (wide, offset - wide)
        x2, y2 = (0.0, offset) if offset <= tall else (offset - tall, tall)
        strokes.append({
            "x": left + x1 * units_x, "x2": left + x2 * units_x,
            "y": bottom + y1 * units_y, "y2": bottom + y2 * units_y,
        })  # fmt: skip
        offset += step
    return strokes


def _top(block: Sequence[float], low: float, high: float) -> float:
    """Return where a block of boxes begins, held inside the bounds where it fits."""
    return max(low, min(block[0] / block[1], high - block[2]))


def _labelled(at: Sequence[float], said: Sequence[Any]) -> Spec:
    """Return an axis whose ticks carry given words, looked up by value."""
    return {
        "values": list(at),
        "labelExpr": f"{json.dumps(list(said), ensure_ascii=False)}[indexof({json.dumps(list(at))}, datum.value)]",
    }


def _short(start: date, grain: Grain) -> str:
    """Return a period's name for an axis, without its year."""
    if grain in _DAYS:
        return f"{start.day} {start:%b}"
    if grain == "quarter":
        return f"Q{(start.month + 2) // 3}"
    return str(start.year) if grain == "year" else f"{start:%b}"


def _calendar_starts(first: date, last: date, grain: Grain, most: int) -> list[date]:
    """Return the starts that get a label: every one, or every second, … on even steps of the calendar."""
    if grain in _DAYS:
        steps = (1, 2, 7, 14, 28) if grain == "day" else (1, 2, 4)
        for step in steps:
            count = (last - first).days // (step * _DAYS[grain]) + 1
            if count <= most:
                return [next_start(first, grain, step * index) for index in range(count)]
        firsts = _calendar_starts(first.replace(day=1), last, "month", most)
        # A week is labelled by the month whose first day falls in it.
        back = [day - timedelta(days=(day - first).days % _DAYS[grain]) for day in firsts]
        return [day for day in back if day >= first]
    size = _MONTHS[grain]
    for step in (
        size,
        *(count for count in (2, 3, 6, 12, 24, 60, 120, 240, 600) if count > size and count % size == 0),
    ):
        # Quarters and years begin in the month in which the organization's do.
        anchor = (first.month - 1) % size
        index = math.ceil((first.year * 12 + first.month - 1 - anchor) / step) * step + anchor
        found = []
        while index <= last.year * 12 + last.month - 1:
            found.append(date(index // 12, index % 12 + 1, 1))
            index += step
        if len(found) <= most:
            return found
    return found
