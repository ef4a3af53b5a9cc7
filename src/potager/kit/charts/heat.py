"""Numbers in cells: which part moved in which segment, and how cohorts keep what they began with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Final

from potager.kit import words
from potager.kit.charts.axes import cleaned, known, label_layer, layer, sentence
from potager.kit.charts.bars import require, subtitle_of
from potager.kit.charts.chart import MARGIN, NARROW, Chart, Column, Spec, Table
from potager.kit.charts.measure import ellipsed, width_of, wrapped
from potager.kit.errors import Invalid

TOTAL: Final = "together"
_ROW: Final = 30.0
_SMALL: Final = 11
_SMALLEST: Final = 9
# A column of numbers cannot be narrower than this; what does not fit is left to the table, and that is said.
_NARROWEST_COLUMN: Final = 19.0


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who began together: a name, how many (or how much) they were, and a value per period since.

    What has not happened yet is left off the end or ``None`` and stays blank. ``partial`` says that the last value
    given is of a period that is not complete.
    """

    name: str
    size: float
    values: tuple[float | None, ...]
    partial: bool = False


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell: its column and row, value, words, and whether it is a sum."""

    column: int
    row: int
    value: float | None
    said: str
    total: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class _Grid:
    """A grid of cells with names at the left and on top."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[_Cell, ...]
    diverging: bool
    good_up: bool = True
    beside: str = ""
    period: str = ""


def component_by_segment(
    values: Sequence[Sequence[float | None]],
    *,
    components: Sequence[str],
    segments: Sequence[str],
    title: str,
    unit: str = "",
    as_of: date | None = None,
    subtitle: str = "",
    good: str = "up",
) -> Chart:
    """Return which component moved in which segment: ``values[segment][component]``, each with its number.

    Totals of rows and columns are added where all their cells are known. ``good`` is the direction that is welcome:
    ``up`` or ``down``; the color follows welcome and unwelcome, the sign says which way.
    """
    require(segments, list(segments))
    require(components, list(components))
    grid = [cleaned(row) for row in values]
    if len(grid) != len(segments) or any(len(row) != len(components) for row in grid):
        raise Invalid(
            f"The matrix is not {len(segments)} segments by {len(components)} components.",
            mend="Give one row per segment with one value per component.",
        )
    if good not in {"up", "down"}:
        raise Invalid(f"“{good}” is no direction.", mend="Use up or down.")
    if not known(value for row in grid for value in row):
        raise Invalid("There is no value to draw.", mend="Say so in words instead of an empty picture.")
    table_rows = tuple((segment, *row, _sum(row)) for segment, row in zip(segments, grid, strict=True))
    sums = [_sum(column) for column in zip(*grid, strict=True)]
    whole = (TOTAL, *sums, _sum([_sum(row) for row in grid]))
    columns = (Column("segment"), *(Column(component, unit) for component in components), Column(TOTAL, unit))
    short = _cell_words([value for row in table_rows for value in row[1:]], unit)

    def said(value: float | None) -> str:
        return words.UNKNOWN if value is None else "+" + short(value) if value > 0 else short(value)

    cells = [
        _Cell(column, row, value, said(value), column == len(components) or row == len(segments))
        for row, line in enumerate((*(cells[1:] for cells in table_rows), whole[1:]))
        for column, value in enumerate(line)
    ]
    layout = _Grid(
        (*segments, TOTAL), (*components, TOTAL), tuple(cells), diverging=True, good_up=good == "up"
    )
    return Chart(
        kind="component-by-segment",
        title=title,
        subtitle=subtitle_of(subtitle, unit, as_of),
        table=Table(columns, (*table_rows, whole)),
        alt=_matrix_alt(grid, components, segments, unit),
        layout=partial(_drawn, layout),
    )


def cohort_grid(
    cohorts: Sequence[Cohort],
    *,
    title: str,
    unit: str = "share",
    size_unit: str = "",
    period: str = "month",
    as_of: date | None = None,
    subtitle: str = "",
    smallest: int = 0,
) -> Chart:
    """Return what cohorts keep, period by period since they began; the corner that has not happened stays blank.

    Cohorts below ``smallest`` are shown as too few to say. A period that is not complete has a dashed edge.
    """
    require(cohorts, [cohort.name for cohort in cohorts])
    longest = max(len(cohort.values) for cohort in cohorts)
    if not known(value for cohort in cohorts for value in cohort.values):
        raise Invalid("There is no value to draw.", mend="Say so in words instead of an empty picture.")
    lines = [(*cleaned(cohort.values), *(None,) * (longest - len(cohort.values))) for cohort in cohorts]
    short = _cell_words([value for line in lines for value in line], unit)
    cells = []
    for row, (cohort, line) in enumerate(zip(cohorts, lines, strict=True)):
        if cohort.size < smallest:
            cells.append(_Cell(0, row, None, "too few"))
            continue
        last = max((index for index, value in enumerate(line) if value is not None), default=-1)
        cells += [
            _Cell(column, row, value, short(value), partial=cohort.partial and column == last)
            for column, value in enumerate(line)
            if value is not None
        ]
    names = tuple(f"{cohort.name}\n{words.human(cohort.size)}" for cohort in cohorts)
    of_whole = "% of the start, " if unit == "share" else ""
    notes = [
        subtitle_of(subtitle or f"{of_whole}by {period}s since the start", "" if of_whole else unit, as_of)
    ]
    if any(cohort.partial for cohort in cohorts):
        notes.append(f"dashed: the {period} is not over")
    layout = _Grid(
        names,
        tuple(str(index) for index in range(longest)),
        tuple(cells),
        diverging=False,
        beside=size_unit,
        period=period,
    )
    columns = (
        Column("cohort"),
        Column("size", size_unit),
        *(Column(f"{period} {index}", unit) for index in range(longest)),
    )
    return Chart(
        kind="cohort-grid",
        title=title,
        subtitle=" · ".join(notes),
        table=Table(
            columns,
            tuple((cohort.name, cohort.size, *line) for cohort, line in zip(cohorts, lines, strict=True)),
        ),
        alt=_cohort_alt(cohorts, lines, unit, period, smallest),
        layout=partial(_drawn, layout),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum where every value is known."""
    there = known(values)
    return math.fsum(there) if len(there) == len(values) else None


def _cell_words(values: Sequence[float | None], unit: str) -> Callable[[float], str]:
    """Return how values are said in cells: as short as a cell wants it, the subtitle says the unit."""
    factor = 100.0 if unit in {"share", "ratio"} else 1.0
    if unit.split(" per ")[0] in words.CURRENCIES:
        return lambda value: words.human(value, unit.split(" per ")[0])
    most = max((abs(value) * factor for value in known(values)), default=0.0)
    decimals = 0 if most >= 20 else 1 if most >= 1 else 2
    if most >= 10_000:
        return lambda value: words.human(value * factor)
    return lambda value: words.grouped(round(value * factor, decimals) + 0.0, decimals)


# -- layout ----------------------------------------------------------------------------------------------------------


def _drawn(grid: _Grid, width: int) -> Spec:
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


def _place(cell: _Cell, step: float) -> dict[str, float]:
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


def _cells(grid: _Grid, step: float, size: int) -> Iterator[Spec]:
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


def _scale(grid: _Grid, least: float, most: float) -> Spec:
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
    grid: _Grid, names: Sequence[Sequence[str]], left: float, sizes: float, size: int
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


# -- words -----------------------------------------------------------------------------------------------------------


def _matrix_alt(
    grid: Sequence[Sequence[float | None]], components: Sequence[str], segments: Sequence[str], unit: str
) -> str:
    found = [
        (abs(value), f"{component} in {segment} {words.signed(value, unit)}")
        for segment, row in zip(segments, grid, strict=True)
        for component, value in zip(components, row, strict=True)
        if value is not None
    ]
    largest = [said for _, said in sorted(found, key=lambda each: -each[0])[:3]]
    missing = len(segments) * len(components) - len(found)
    tail = f" {words.counted(missing, 'cells')} unknown." if missing else ""
    return (
        f"{words.counted(len(components), 'components')} by {words.counted(len(segments), 'segments')}; "
        f"largest: {', '.join(largest)}.{tail}"
    )


def _cohort_alt(
    cohorts: Sequence[Cohort], lines: Sequence[Sequence[float | None]], unit: str, period: str, smallest: int
) -> str:
    said = f"{words.counted(len(cohorts), 'cohorts')}, {cohorts[0].name} to {cohorts[-1].name}, by {period}s since the start."
    enough = [line for cohort, line in zip(cohorts, lines, strict=True) if cohort.size >= smallest]
    last = max((index for line in enough for index, value in enumerate(line) if value is not None), default=0)
    for index in sorted({1, last}):
        values = known(line[index] for line in enough if index < len(line))
        if values and index:
            span = (
                words.between(min(values), max(values), unit)
                if len(values) > 1
                else words.human(values[0], unit)
            )
            said += f" {sentence(period)} {index}: {span}, {words.counted(len(values), 'cohorts')}."
    few = len(cohorts) - len(enough)
    return said + (f" {words.counted(few, 'cohorts')} too few to say." if few else "")
