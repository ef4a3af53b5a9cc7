"""Small drawings as inline SVG, attributes only: icons, verdict shapes, steps, sparklines, bars that add up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from potager.faces.web.templatetags.icons import ICONS

_RING = '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"/>'
_SHAPES = {
    "yes": '<circle cx="8" cy="8" r="7" fill="currentColor"/>',
    "at_risk": _RING + '<path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>',
    "no": _RING,
    "cannot_tell": _RING.replace("/>", ' stroke-dasharray="3.2 1.512"/>'),
}


def icon(name: str, label: str = "") -> SafeString:
    """Return an icon; without a label it is hidden from screen readers. Unknown names draw a leaf."""
    path = ICONS.get(name, ICONS["leaf"])
    named = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" {}><path d="{}"/></svg>', named, path
    )


def verdict_shape(verdict: str) -> SafeString:
    """Return the shape of a verdict: filled disc, half disc, ring, dashed ring."""
    return _svg("mark", 16, 16, _SHAPES[verdict])


def steps(filled: int, total: int) -> SafeString:
    """Return ``total`` small seeds in a row of which ``filled`` are full."""
    seeds = "".join(
        f'<circle cx="{4 + index * 9}" cy="4" r="3.25" class="{"on" if index < filled else "off"}"/>'
        for index in range(total)
    )
    width = total * 9 - 1
    return _svg("steps", width, 8, seeds)


def sparkline(
    values: Sequence[float | None], *, partial: bool = False, width: int = 96, height: int = 24
) -> SafeString:
    """Return a line of the values on a scale that shows their movement; gaps stay gaps.

    ``partial`` says that the last value is of a period that is not complete: it is hatched, not drawn, because a
    line down to it would look like a fall.
    """
    whole = [
        None if value is None or not math.isfinite(value) else float(value)
        for value in (values[:-1] if partial else values)
    ]
    known = [value for value in whole if value is not None]
    step = (width - 8) / max(1, len(values) - 1)
    parts = []
    if known:
        low, high = min(known), max(known)
        points = [
            None if value is None else (4 + index * step, _level(value, low, high, height))
            for index, value in enumerate(whole)
        ]
        parts.append(f'<path class="line" d="{_path(points)}"/>')
        x, y = [point for point in points if point is not None][-1]
        parts.append(f'<circle class="end" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>')
    if partial and values:
        left, right = width - 4 - min(6.0, max(4.0, step * 0.6)), float(width)
        strokes = "".join(
            f"M{left:.1f} {y:.1f}L{right:.1f} {y - (right - left):.1f}" for y in range(height - 2, 8, -4)
        )
        parts.append(f'<path class="hatch" d="{strokes}"/>')
    return _svg("spark", width, height, "".join(parts))


def _level(value: float, low: float, high: float, height: int) -> float:
    """Return how far down the picture a value stands; values that never move stand in the middle."""
    return height - 4 - (value - low) / (high - low) * (height - 8) if high > low else height / 2


def _svg(kind: str, width: int, height: int, inside: str) -> SafeString:
    """Return a decorative SVG around parts made of this module's constants and numbers."""
    return mark_safe(  # noqa: S308 - constants and numbers only
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" aria-hidden="true">'
        f"{inside}</svg>"
    )


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """Return a path through the points that are there."""
    said, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        said.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return "".join(said)


@dataclass(frozen=True, slots=True)
class Step:
    """Where one bar of a waterfall stands, in percent of the picture's width."""

    x: float
    width: float
    rises: bool
    end: float


def waterfall(amounts: Sequence[float]) -> tuple[list[Step], float]:
    """Return where each amount's bar stands when every bar starts where the last one ended, and where zero is."""
    ends, at = [0.0], 0.0
    for amount in amounts:
        at += amount
        ends.append(at)
    low, high = min(ends), max(ends)
    spread = (high - low) or 1.0

    def place(value: float) -> float:
        return (value - low) / spread * 100

    found = [
        Step(place(min(before, after)), abs(place(after) - place(before)), after >= before, place(after))
        for before, after in pairwise(ends)
    ]
    return found, place(0.0)


def bar(step: Step, zero: float, kind: str) -> SafeString:
    """Return one row of the waterfall: zero, and the bar (``welcome``, ``unwelcome``, ``neutral``, ``total``)."""
    thin = max(step.width, 0.6)
    return mark_safe(  # noqa: S308 - numbers and a word of this package
        f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="zero" x="{zero - 0.15:.2f}" y="0" width=".3" height="10"/>'
        f'<rect class="{kind}" x="{min(step.x, 100 - thin):.2f}" y="1.5" width="{thin:.2f}" height="7"/></svg>'
    )
