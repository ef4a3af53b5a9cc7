"""Pictures as files: SVG, PNG, JSON, and the table behind them. Nothing is fetched from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from potager.kit.charts.chart import MARGIN, Chart, Spec, Table
from potager.kit.charts.measure import wrapped, wrapped_title
from potager.kit.charts.theme import (
    LIGHT,
    SUBTITLE_LINE,
    SUBTITLE_SIZE,
    TITLE_LINE,
    TITLE_OFFSET,
    TITLE_SIZE,
    Theme,
    config,
)
from potager.kit.errors import Invalid

FILE_WIDTH: Final = 720
_SCALES: Final = (0.5, 4.0)
# Keys under which Vega-Lite would load something, or send the reader somewhere.
_LOADING: Final = frozenset({"url", "href", "src"})


def themed(chart: Chart, theme: Theme = LIGHT, width: int = FILE_WIDTH, *, titled: bool = True) -> Spec:
    """Return a specification that stands on its own: with title, colors and a width in pixels."""
    spec = {**chart.at(width), "config": config(theme)}
    # What only a pointer finds is left out of a picture that no pointer can reach.
    spec["layer"] = [layer for layer in spec["layer"] if layer["mark"].get("style") != "hit"]
    if titled:
        room = width - 2 * MARGIN
        title = wrapped_title(chart.title, room, TITLE_SIZE)
        subtitle = wrapped(chart.subtitle, room, SUBTITLE_SIZE) if chart.subtitle else ()
        around = spec["padding"]
        spec["title"] = {"text": list(title), "subtitle": list(subtitle), "dx": MARGIN - around["left"]}
        spec["padding"] = {
            **around,
            "top": around["top"] + TITLE_OFFSET - 6 + len(title) * TITLE_LINE + len(subtitle) * SUBTITLE_LINE,
        }
    return spec


def to_json(chart: Chart, width: int | None = None) -> str:
    """Return the page's specification as JSON, as wide as its container or for a width in pixels.

    It holds no colors: the page's theme brings them.
    """
    spec = chart.spec if width is None else chart.at(width)
    refuse_addresses(spec)
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_svg(chart: Chart, theme: Theme = LIGHT, width: int = FILE_WIDTH, *, titled: bool = True) -> str:
    """Return the picture as an SVG document of that width in pixels."""
    import vl_convert

    spec = themed(chart, theme, width, titled=titled)
    refuse_addresses(spec)
    return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])


def to_png(
    chart: Chart, scale: float = 2.0, theme: Theme = LIGHT, width: int = FILE_WIDTH, *, titled: bool = True
) -> bytes:
    """Return the picture as PNG; ``scale`` is dots per pixel, 0.5 to 4."""
    import vl_convert

    _require_scale(scale)
    spec = themed(chart, theme, width, titled=titled)
    refuse_addresses(spec)
    return vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[])


def svg_to_png(svg: str, scale: float = 2.0) -> bytes:
    """Return an SVG document made by this package (the tree on the wall, a sparkline) as PNG."""
    import vl_convert

    _require_scale(scale)
    return vl_convert.svg_to_png(svg, scale=scale)


def _require_scale(scale: float) -> None:
    """Refuse scales that would make files of no use or of no end."""
    if not _SCALES[0] <= scale <= _SCALES[1]:
        raise Invalid(
            f"A picture at scale {scale:g} cannot be drawn.", mend="Ask for a scale between 0.5 and 4."
        )


def table_of(chart: Chart) -> Table:
    """Return the rows behind the picture."""
    return chart.table


def refuse_addresses(spec: Spec) -> None:
    """Raise :class:`Invalid` where a specification would load data or images, or link to anywhere."""
    for where, value in _loads(spec, "the specification"):
        raise Invalid(
            f"The picture refers to {value!r} at {where}.",
            mend="Pictures carry their data in themselves: give the values instead of an address.",
        )


def _loads(node: Any, where: str) -> Iterator[tuple[str, object]]:
    """Yield every place of a specification that holds an address, rows of data aside."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _LOADING:
                yield f"{where}.{key}", value
            elif key != "values":
                yield from _loads(value, f"{where}.{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _loads(item, f"{where}[{index}]")
