"""From before to after: the parts of a movement, each with its amount, and what no part explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Final

from potager.kit import words
from potager.kit.charts.axes import known, layer, number_axis, ticks
from potager.kit.charts.bars import require, subtitle_of
from potager.kit.charts.chart import NARROW, Chart, Column, Spec, Table
from potager.kit.charts.measure import width_of
from potager.kit.charts.rows import X2, RowFrame, X, axis_of, framed, room_for_words
from potager.kit.errors import Invalid

UNEXPLAINED: Final = "unexplained"
# A remainder below this share of the larger end is arithmetic's dust, not something left unexplained.
_DUST: Final = 1e-9
# Where the parts together move less than this share of the larger end, bars from zero would show nothing.
_VISIBLE: Final = 0.12


@dataclass(frozen=True, slots=True)
class Movement:
    """A part of a change. ``good`` says whether it is welcome: yes, no, or ``None`` for neither."""

    name: str
    amount: float
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Where the movement starts or ends: ``October 2011``, its value."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the waterfall: a whole from zero, or a part between two heights."""

    name: str
    start: float
    end: float
    said: str
    style: str
    whole: bool = False


def waterfall(
    before: End,
    movements: Sequence[Movement],
    after: End,
    *,
    title: str,
    unit: str = "",
    as_of: date | None = None,
    subtitle: str = "",
    most: int = 10,
    rest: str = "smaller parts",
) -> Chart:
    """Return the parts that lead from ``before`` to ``after``; what they leave over is drawn as ``unexplained``.

    Good parts are filled, bad ones outlined, the unexplained dashed, and each carries its amount with its sign, so
    that nothing hangs on color. Beyond ``most`` parts the smallest become one. Where the change is small against the
    whole, the axis shows the change alone (it starts at *before*) and says so, rather than cutting bars off zero.
    """
    require([before], [before.name])
    require(movements or [after], [movement.name for movement in movements])
    if (
        len(known([before.value, after.value, *(movement.amount for movement in movements)]))
        < len(movements) + 2
    ):
        raise Invalid("A part of the movement has no value.", mend="Give every part, and both ends.")
    shown = _joined(movements, most, rest)
    left_over = after.value - before.value - sum(movement.amount for movement in movements)
    dust = _DUST * max(abs(before.value), abs(after.value), 1e-300)
    unexplained = left_over if abs(left_over) > dust else 0.0
    zoomed = _zoomed(before, shown, unexplained, after)
    note = f"bars count from {before.name}, not from zero" if zoomed else ""
    rows = [(movement.name, movement.amount) for movement in movements] + (
        [(UNEXPLAINED, unexplained)] if unexplained else []
    )
    return Chart(
        kind="waterfall",
        title=title,
        subtitle=" · ".join(filter(None, (subtitle_of(subtitle, unit, as_of), note))),
        table=Table(
            (Column("part"), Column("amount", unit)),
            ((before.name, before.value), *rows, (after.name, after.value)),
        ),
        alt=_alt(before, rows, after, unit),
        layout=partial(_drawn, before, shown, unexplained, after, unit, zoomed),
    )


def _joined(movements: Sequence[Movement], most: int, rest: str) -> tuple[Movement, ...]:
    """Return the parts to draw in the order given, the smallest joined where there are too many."""
    if len(movements) <= most:
        return tuple(movements)
    by_size = sorted(movements, key=lambda movement: -abs(movement.amount))
    kept, small = set(by_size[: most - 1]), by_size[most - 1 :]
    return (
        *(movement for movement in movements if movement in kept),
        Movement(f"{rest} ({len(small)})", sum(movement.amount for movement in small)),
    )


def _zoomed(before: End, movements: Sequence[Movement], unexplained: float, after: End) -> bool:
    """Return whether parts would be too small to see beside the wholes."""
    heights, at = [before.value, after.value], before.value
    for amount in (*(movement.amount for movement in movements), unexplained):
        at += amount
        heights.append(at)
    return max(heights) - min(heights) < _VISIBLE * max(abs(height) for height in heights)


def _rows(
    before: End, movements: Sequence[Movement], unexplained: float, after: End, unit: str, zoomed: bool
) -> list[_Row]:
    """Return all rows; ``zoomed`` counts from before instead of from zero."""
    base = before.value if zoomed else 0.0
    rows = [_Row(before.name, 0.0, before.value - base, words.human(before.value, unit), "bar-total", True)]
    at = before.value - base
    for movement in movements:
        style = {True: "bar-good", False: "bar-bad", None: "bar-neutral"}[movement.good]
        rows.append(_Row(movement.name, at, at + movement.amount, words.signed(movement.amount, unit), style))
        at += movement.amount
    if unexplained:
        rows.append(
            _Row(UNEXPLAINED, at, at + unexplained, words.signed(unexplained, unit), "bar-unexplained")
        )
    rows.append(_Row(after.name, 0.0, after.value - base, words.human(after.value, unit), "bar-total", True))
    return rows


def _drawn(
    before: End,
    movements: tuple[Movement, ...],
    unexplained: float,
    after: End,
    unit: str,
    zoomed: bool,
    width: int,
) -> Spec:
    rows = _rows(before, movements, unexplained, after, unit, zoomed)
    places = [place for row in rows for place in (row.start, row.end)]
    low, high = min(0.0, *places), max(0.0, *places)
    high = high if high > low else low + 1.0
    widest = max(width_of(row.said, bold=True) for row in rows) + 12
    frame = framed(width, [row.name for row in rows], widest, bar=16 if width < NARROW else 18)
    if any(row.end < row.start for row in rows) and any(
        (min(row.start, row.end) - low) / (high - low) * frame.plot < widest
        for row in rows
        if row.end < row.start
    ):
        low = room_for_words(low, high, widest, frame.plot)
    layers: list[Spec] = _links(rows, frame, (low, high))
    for index, row in enumerate(rows):
        layers += _bar(row, index, frame, zoomed)
    strong = [index for index, row in enumerate(rows) if row.whole]
    axis = None
    if zoomed:
        at = [tick for tick in ticks(low, high) if tick >= low]
        axis = axis_of(at, unit, number_axis, frame.plot)
    return frame.spec([*layers, *frame.upright("zero", 0.0), *frame.name_layers(strong)], (low, high), axis)


def _links(rows: Sequence[_Row], frame: RowFrame, domain: tuple[float, float]) -> list[Spec]:
    """Return the hairlines that lead from the end of a bar to the start of the next, where no name stands between."""
    half = frame.bar / 2

    def free(row: _Row, following: _Row) -> bool:
        place = (row.end - domain[0]) / (domain[1] - domain[0]) * frame.plot
        return not frame.above or place > width_of(following.name, bold=following.whole) + 4

    return [
        layer("rule", "link", [{"x": row.end}], {
            "x": X, "y": {"value": frame.middle(index) + half}, "y2": {"value": frame.middle(index + 1) - half},
        })
        for index, (row, following) in enumerate(pairwise(rows))
        if free(row, following)
    ]  # fmt: skip


def _bar(row: _Row, index: int, frame: RowFrame, zoomed: bool) -> list[Spec]:
    """Return a bar with its amount on the side to which it goes."""
    y = frame.middle(index)
    rises = row.end >= row.start
    tip = [{"field": "name", "title": "part"}, {"field": "said", "title": "amount"}]
    datum = {"x": row.start, "x2": row.end, "name": row.name, "said": row.said}
    if row.whole and zoomed:
        # From before, a whole has no bar: it is where the parts start and end.
        bar = layer(
            "point",
            "dot",
            [{**datum, "x": row.end}],
            {"x": X, "y": {"value": y}, "tooltip": tip},
            shape="diamond",
        )
    else:
        bar = layer("rect", row.style, [datum], {"x": X, "x2": X2, **frame.sides(index), "tooltip": tip})
    side = {"align": "left", "dx": 8} if rises else {"align": "right", "dx": -8}
    style = {"bar-good": "label-good", "bar-bad": "label-bad", "bar-unexplained": "label-unexplained"}.get(
        row.style, "label-strong" if row.whole else "label"
    )
    text = layer(
        "text", style, [{"x": row.end, "said": row.said}],
        {"x": X, "y": {"value": y}, "text": {"field": "said", "type": "nominal"}}, baseline="middle", **side,
    )  # fmt: skip
    return [bar, text]


def _alt(before: End, rows: Sequence[tuple[str, float]], after: End, unit: str) -> str:
    """Return the movement in words; the parts said first are the largest."""
    order = sorted(rows, key=lambda row: -abs(row[1]))
    parts = ", ".join(f"{name} {words.signed(amount, unit)}" for name, amount in order[:8])
    more = f", and {len(order) - 8} more" if len(order) > 8 else ""
    return (
        f"From {words.human(before.value, unit)} ({before.name}) to {words.human(after.value, unit)} ({after.name}): "
        f"{parts or 'no part'}{more}."
    )
