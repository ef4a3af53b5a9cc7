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

    ``partial`` dashes the last step and hollows the last point: that period is not complete.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return _svg("spark", width, height, "")
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    step = (width - 8) / max(1, len(values) - 1)
    points = [
        None
        if value is None or not math.isfinite(value)
        else (
            4 + index * step,
            height - 4 - (value - low) / spread * (height - 8) if high > low else height / 2,
        )
        for index, value in enumerate(values)
    ]
    whole = points[:-1] if partial else points
    parts = [f'<path class="line" d="{_path(whole)}"/>']
    last = points[-1]
    if partial and last and len(points) > 1 and points[-2]:
        parts.append(f'<path class="line partial" d="{_path(points[-2:])}"/>')
    if last:
        kind = "end partial" if partial else "end"
        parts.append(f'<circle class="{kind}" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.5"/>')
    return _svg("spark", width, height, "".join(parts))


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


def bar(step: Step, zero: float, *, total: bool = False) -> SafeString:
    """Return one row of the waterfall, with the line of zero and a hairline to where the next bar starts."""
    kind = "total" if total else "rises" if step.rises else "falls"
    thin = max(step.width, 0.6)
    return mark_safe(  # noqa: S308 - numbers only
        f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="zero" x="{zero - 0.15:.2f}" y="0" width=".3" height="10"/>'
        f'<rect class="{kind}" x="{min(step.x, 100 - thin):.2f}" y="1.5" width="{thin:.2f}" height="7"/></svg>'
    )
