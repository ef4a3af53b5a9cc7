"""Numbers in cells: which part moved in which segment, and how cohorts keep what they began with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from potager.kit import words
from potager.kit.charts.axes import cleaned, known, sentence
from potager.kit.charts.bars import require, subtitle_of
from potager.kit.charts.chart import Chart, Column, Table
from potager.kit.charts.heat_layout import TOTAL, Cell, Grid, drawn
from potager.kit.errors import Invalid


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
    lines = [(*row, _sum(row)) for row in grid]
    sums = [_sum(column) for column in zip(*grid, strict=True)]
    whole = (*sums, _sum([_sum(row) for row in grid]))
    columns = (Column("segment"), *(Column(component, unit) for component in components), Column(TOTAL, unit))
    short = _cell_words([value for line in lines for value in line], unit)

    def said(value: float | None) -> str:
        return words.UNKNOWN if value is None else "+" + short(value) if value > 0 else short(value)

    cells = [
        Cell(column, row, value, said(value), column == len(components) or row == len(segments))
        for row, line in enumerate((*lines, whole))
        for column, value in enumerate(line)
    ]
    layout = Grid(
        (*segments, TOTAL), (*components, TOTAL), tuple(cells), diverging=True, good_up=good == "up"
    )
    return Chart(
        kind="component-by-segment",
        title=title,
        subtitle=subtitle_of(subtitle, unit, as_of),
        table=Table(
            columns,
            (*((segment, *line) for segment, line in zip(segments, lines, strict=True)), (TOTAL, *whole)),
        ),
        alt=_matrix_alt(grid, components, segments, unit),
        layout=partial(drawn, layout),
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
            cells.append(Cell(0, row, None, "too few"))
            continue
        last = max((index for index, value in enumerate(line) if value is not None), default=-1)
        cells += [
            Cell(column, row, value, short(value), partial=cohort.partial and column == last)
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
    layout = Grid(
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
        layout=partial(drawn, layout),
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
    names = f"{cohorts[0].name} to {cohorts[-1].name}"
    said = f"{words.counted(len(cohorts), 'cohorts')}, {names}, by {period}s since the start."
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
