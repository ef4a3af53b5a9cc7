"""Sparklines: a line as small as a word, as an SVG string made directly, hundreds to a page.

The drawing names classes and carries presentation attributes only, so it obeys ``style-src 'self'``, takes the
color of the text around it where no stylesheet knows it, and prints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from potager.kit import words
from potager.kit.errors import Invalid

WIDTH: Final = 96
HEIGHT: Final = 24
_INSET: Final = 4
_MOST: Final = 240

Point = tuple[float, float]


def sparkline(
    values: Sequence[float | None],
    *,
    title: str = "",
    unit: str = "",
    low: Sequence[float | None] = (),
    high: Sequence[float | None] = (),
    target: float | None = None,
    partial: bool = False,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> str:
    """Return an ``<svg class="spark">``: band, line, target tick and last point, on a scale that shows the movement.

    With a ``title`` it is an image with title and description for screen readers; without, it is hidden from them
    (the words stand beside it). Unknown values are gaps. ``partial`` leaves the last point hollow and joins it by
    dashes: that period is not complete. Nothing known draws an empty picture.
    """
    shape = body(values, low=low, high=high, target=target, partial=partial, width=width, height=height)
    said = description(values, unit, partial=partial)
    if title:
        named = f'role="img" aria-label="{escape(f"{title}: {said}")}"'
        words_inside = f"<title>{escape(title)}</title><desc>{escape(said)}</desc>"
    else:
        named, words_inside = 'aria-hidden="true"', ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="spark" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" {named}>{words_inside}{shape}</svg>'
    )


def body(
    values: Sequence[float | None],
    *,
    low: Sequence[float | None] = (),
    high: Sequence[float | None] = (),
    target: float | None = None,
    partial: bool = False,
    width: float = WIDTH,
    height: float = HEIGHT,
) -> str:
    """Return what stands inside the ``<svg>``, to be placed into another drawing."""
    if len(low) != len(high) or (low and len(low) != len(values)):
        raise Invalid("The band does not fit the line.", mend="Give one low and one high end per value.")
    line = _thin(values)
    shown = [value for value in (*line, *low, *high, target) if value is not None and math.isfinite(value)]
    if not shown:
        return ""
    least, most = min(shown), max(shown)
    across = (width - 2 * _INSET) / max(1, len(values) - 1)
    up = (height - 2 * _INSET) / (most - least) if most > least else 0.0

    def at(index: float, value: float) -> Point:
        return _INSET + index * across, (height - _INSET - (value - least) * up) if up else height / 2

    def points(numbers: Sequence[float | None]) -> list[Point | None]:
        step = (len(values) - 1) / max(1, len(numbers) - 1)
        return [
            None if number is None or not math.isfinite(number) else at(index * step, number)
            for index, number in enumerate(numbers)
        ]

    parts = []
    if low:
        parts.append(_band(points(low), points(high)))
    if target is not None:
        y = at(0, target)[1]
        parts.append(
            f'<path class="target" d="M{width - 2 * _INSET:.1f} {y:.1f}H{width:.1f}" fill="none" '
            'stroke="currentColor" stroke-width="1.5"/>'
        )
    places = points(line)
    last = places[-1]
    drawn = _path(places[:-1] if partial else places)
    if drawn:
        parts.append(f'<path class="line" d="{drawn}" fill="none" stroke="currentColor" stroke-width="1.5"/>')
    if partial and last and len(places) > 1 and places[-2]:
        parts.append(
            f'<path class="line partial" d="{_path(places[-2:])}" fill="none" stroke="currentColor" '
            'stroke-width="1.5" stroke-dasharray="2 3"/>'
        )
    if last:
        kind, fill = ("end partial", "none") if partial else ("end", "currentColor")
        edge = ' stroke="currentColor"' if partial else ""
        parts.append(
            f'<circle class="{kind}" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.5" fill="{fill}"{edge}/>'
        )
    return "".join(parts)


def description(values: Sequence[float | None], unit: str = "", *, partial: bool = False) -> str:
    """Return the line in words: ``from £554k to £1.16m, highest £1.46m; the last period is not complete``."""
    whole = [
        value for value in (values[:-1] if partial else values) if value is not None and math.isfinite(value)
    ]
    tail = "; the last period is not complete" if partial else ""
    if not whole:
        return f"nothing known{tail}"
    first, last = words.human(whole[0], unit), words.human(whole[-1], unit)
    said = (
        first if len(whole) == 1 else f"unchanged at {last}" if first == last else f"from {first} to {last}"
    )
    for name, value in (("highest", max(whole)), ("lowest", min(whole))):
        if words.human(value, unit) not in (first, last):
            said += f", {name} {words.human(value, unit)}"
    return said + tail


def _thin(values: Sequence[float | None]) -> Sequence[float | None]:
    """Return every value, or the lowest and highest of equal stretches where there are more than pixels."""
    if len(values) <= _MOST:
        return values
    size = -(-len(values) * 2 // _MOST)
    kept: list[float | None] = []
    for start in range(0, len(values) - 1, size):
        part = values[start : min(start + size, len(values) - 1)]
        known = [value for value in part if value is not None and math.isfinite(value)]
        if not known:
            kept += [None, None]
            continue
        low, high = min(known), max(known)
        kept += [low, high] if part.index(low) <= part.index(high) else [high, low]
    return [*kept, values[-1]]


def _band(low: Sequence[Point | None], high: Sequence[Point | None]) -> str:
    """Return the area between two lines, in as many pieces as there are gaps."""
    pieces: list[tuple[list[Point], list[Point]]] = [([], [])]
    for under, over in zip(low, high, strict=True):
        if under is None or over is None:
            pieces.append(([], []))
            continue
        pieces[-1][0].append(under)
        pieces[-1][1].append(over)
    path = "".join(f"{_path([*over, *reversed(under)])}Z" for under, over in pieces if len(under) > 1)
    return f'<path class="band" d="{path}" fill="currentColor" fill-opacity=".14"/>' if path else ""


def _path(points: Sequence[Point | None]) -> str:
    """Return a path through the points that are there."""
    said, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        said.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return "".join(said)
