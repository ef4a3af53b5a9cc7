"""How grids of numbers are laid out: cells, the names beside and above them, and what does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from potager.kit.charts.axes import label_layer, layer
from potager.kit.charts.chart import MARGIN, NARROW, Spec
from potager.kit.charts.measure import ellipsed, width_of, wrapped

TOTAL: Final = "together"
_ROW: Final = 30.0
_SMALL: Final = 11
_SMALLEST: Final = 9
# A column of numbers cannot be narrower than this; what does not fit is left to the table, and that is said.
_NARROWEST_COLUMN: Final = 19.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its column and row, value, words, and whether it is a sum."""

    column: int
    row: int
    value: float | None
    said: str
    total: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid of cells with names at the left and on top."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    diverging: bool
    good_up: bool = True
    beside: str = ""
    period: str = ""


def drawn(grid: Grid, width: int) -> Spec:
    """Return the specification of a grid for a total width in pixels."""
    narrow = width < NARROW
    size = _SMALL if narrow else 12
    names = [name.split("\n") for name in grid.rows]
    longest = max(width_of(parts[0], size, bold=True) for parts in names) + 12
    beside = [part for parts in names for part in parts[1:]] + [grid.beside] * bool(grid.beside)
    sizes = max((width_of(part, size) + 12 for part in beside), default=0.0)
    left = min(longest, width * (0.26 if narrow else 0.3)) + sizes
    plot = width - 2 * MARGIN - left
    shown = min(len(grid.columns), int(plot // _NARROWEST_COLUMN))
    left_out = grid.columns[shown:]
    # Few columns do not need to fill the width; many share it.
    step = min(plot / shown, 110.0 if grid.diverging else 64.0)
    grid = replace(
        grid, columns=grid.columns[:shown], cells=tuple(cell for cell in grid.cells if cell.column < shown)
    )
    widest = max(width_of(cell.said, 1.0, bold=cell.total) for cell in grid.cells if cell.value is not None)
    fitting = max(_SMALLEST, min(size, int((step - 2) / widest)))
    heads, head = _heads(grid.columns, step, size)
    layers = [*_cells(grid, step, fitting), *_names(grid, names, left, sizes, size), *heads]
    if left_out:
        which = f"{grid.period} {left_out[0]}" + (f" to {left_out[-1]}" if len(left_out) > 1 else "")
        layers.append(
            label_layer(
                f"{which.strip()}: see the table",
                plot,
                _ROW * len(grid.rows) + 12,
                "label-muted",
                align="right",
                size=size,
            )
        )
    frame: Spec = {
        "mark": {"type": "rule", "style": "hairline"},
        "data": {"values": []},
        "encoding": {
            "x": {
                "field": "x",
                "type": "quantitative",
                "axis": None,
                "scale": {"domain": [0, 1], "nice": False},
            },
        },
    }
    return {
        "width": plot,
        "height": _ROW * len(grid.rows),
        "padding": {
            "left": MARGIN + left, "right": MARGIN, "top": MARGIN + head, "bottom": MARGIN + (20 if left_out else 0),
        },
        "layer": [frame, *layers],
    }  # fmt: skip


def _place(cell: Cell, step: float) -> dict[str, float]:
    """Return a cell's sides in pixels."""
    return {
        "x": cell.column * step,
        "x2": (cell.column + 1) * step,
        "y": cell.row * _ROW,
        "y2": (cell.row + 1) * _ROW,
    }


_PIXELS: Final = {
    "x": {"field": "x", "type": "quantitative", "scale": None, "axis": None}, "x2": {"field": "x2"},
    "y": {"field": "y", "type": "quantitative", "scale": None, "axis": None}, "y2": {"field": "y2"},
}  # fmt: skip


def _cells(grid: Grid, step: float, size: int) -> Iterator[Spec]:
    """Yield the cells by kind, and the words in them by the color they need."""
    # Where all cohorts begin with the same whole, that column says nothing and would use up the colors.
    begun = {cell.value for cell in grid.cells if cell.column == 0 and cell.value is not None}
    first = 1 if not grid.diverging and len(begun) == 1 and len(grid.columns) > 1 else 0
    inner = [
        abs(cell.value)
        for cell in grid.cells
        if cell.value is not None and not cell.total and cell.column >= first
    ]
    most = max(inner, default=1.0) or 1.0
    least = 0.0 if grid.diverging or not first else max(0.0, min(inner) - (most - min(inner)) * 0.3)
    tip = [
        {"field": field, "title": title}
        for field, title in (("row", "row"), ("column", "column"), ("said", "value"))
    ]
    colored: list[dict[str, Any]] = []
    totals: list[dict[str, Any]] = []
    dashed: list[dict[str, Any]] = []
    by_style: dict[str, list[dict[str, Any]]] = {}
    for cell in grid.cells:
        datum: dict[str, Any] = {
            **_place(cell, step), "value": cell.value, "said": cell.said,
            "row": grid.rows[cell.row].split("\n")[0], "column": grid.columns[cell.column],
        }  # fmt: skip
        if cell.total:
            totals.append(datum)
        elif cell.value is not None:
            colored.append(datum)
        if cell.partial:
            dashed.append(
                {
                    **datum,
                    "x": datum["x"] + 2,
                    "x2": datum["x2"] - 2,
                    "y": datum["y"] + 2,
                    "y2": datum["y2"] - 2,
                }
            )
        style = "label-strong" if cell.total else "label-muted" if cell.value is None else "label"
        by_style.setdefault(style, []).append(
            {"x": datum["x"] + step / 2, "y": datum["y"] + _ROW / 2, "said": cell.said}
        )
    yield layer("rect", "cell", colored, {**_PIXELS, "tooltip": tip, "color": _scale(grid, least, most)})
    yield layer("rect", "cell-total", totals, {**_PIXELS, "tooltip": tip})
    if dashed:
        yield layer("rect", "cell-partial", dashed, _PIXELS)
    place = {"x": _PIXELS["x"], "y": _PIXELS["y"], "text": {"field": "said", "type": "nominal"}}
    for style, rows in by_style.items():
        yield layer("text", style, rows, place, baseline="middle", fontSize=size)


def _scale(grid: Grid, least: float, most: float) -> Spec:
    """Return the color of a cell: about zero to both sides, or from the least to the most."""
    if grid.diverging:
        scale: Spec = {
            "domain": [-most, most],
            "range": "diverging",
            "reverse": not grid.good_up,
            "zero": False,
            "nice": False,
        }
    else:
        scale = {"domain": [least, most], "range": "ramp", "nice": False, "clamp": True}
    return {"field": "value", "type": "quantitative", "legend": None, "scale": scale}


def _names(
    grid: Grid, names: Sequence[Sequence[str]], left: float, sizes: float, size: int
) -> Iterator[Spec]:
    """Yield the rows' names at the left, and the sizes of cohorts beside them."""
    for index, parts in enumerate(names):
        y = _ROW * (index + 0.5)
        strong = parts[0] == TOTAL and grid.diverging
        lines = wrapped(parts[0], left - sizes - 10, size, bold=strong, lines=2)
        text = lines if len(lines) > 1 else lines[0]
        yield label_layer(
            text, -left, y - 7 * (len(lines) - 1), "label-strong" if strong else "label", size=size
        )
        if len(parts) > 1:
            yield label_layer(parts[1], 0, y, "label-muted", align="right", dx=-8, size=size)
    if grid.beside:
        yield label_layer(grid.beside, 0, -10, "label-muted", align="right", dx=-8, size=size)


def _heads(columns: Sequence[str], step: float, size: int) -> tuple[list[Spec], float]:
    """Return the columns' names on top, standing on the cells, and the room they take.

    Where a word is wider than its column all of them are turned, rather than cut to nothing.
    """
    room = max(10.0, step - 4)
    if any(width_of(word, size) > room for name in columns for word in name.split(" ")):
        cut = [ellipsed(name, 110.0, size) for name in columns]
        turned = [
            label_layer(text, step * (index + 0.5), -8, "label-muted", size=size)
            for index, text in enumerate(cut)
        ]
        for spec in turned:
            spec["mark"]["angle"] = 270
        return turned, max(width_of(text, size) for text in cut) + 12
    heads = [wrapped(name, room, size, lines=3) for name in columns]
    flat = [
        label_layer(line, step * (index + 0.5), -10 - 14.0 * number, "label-muted", align="center", size=size)
        for index, lines in enumerate(heads)
        for number, line in enumerate(reversed(lines))
    ]
    return flat, 15.0 * max(len(lines) for lines in heads) + 4
