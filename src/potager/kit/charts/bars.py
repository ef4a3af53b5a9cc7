"""Rows beside each other: ranked bars, segments with their intervals, within against mix, shares of a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from potager.kit import words
from potager.kit.charts.axes import hatched, known, layer, number_axis, sentence, ticks
from potager.kit.charts.axes import label_layer as label
from potager.kit.charts.chart import NARROW, Chart, Column, Spec, Table
from potager.kit.charts.measure import width_of
from potager.kit.charts.rows import X2, RowFrame, X, axis_of, framed, room_for_words
from potager.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Bar:
    """A row with a value; ``note`` is said after it, ``strong`` sets it apart, ``partial`` hatches it."""

    name: str
    value: float
    note: str = ""
    strong: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """A segment's value with its interval and how many it rests on."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None


_SYMBOLS: Final = frozenset({"", "count", "number", "%", "percent", "share", "ratio"})


def subtitle_of(given: str, unit: str, as_of: date | None) -> str:
    """Return a subtitle from what is given, the unit and the day."""
    named = "" if unit in _SYMBOLS or unit in given else "percentage points" if unit == "pp" else unit
    said = [part for part in (given, named) if part]
    if as_of is not None:
        said.append(f"as of {words.day(as_of)}")
    return sentence(" · ".join(said))


def require(rows: Sequence[object], names: Sequence[str]) -> None:
    """Refuse a picture of nothing, and rows that cannot be told apart."""
    if not rows:
        raise Invalid("There is no row to draw.", mend="Say so in words instead of an empty picture.")
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise Invalid(f"Two rows are called “{twins[0]}”.", mend="Name each row by what sets it apart.")


# -- ranked ----------------------------------------------------------------------------------------------------------


def ranked_bars(
    bars: Sequence[Bar],
    *,
    title: str,
    unit: str = "",
    what: str = "value",
    as_of: date | None = None,
    subtitle: str = "",
    most: int = 12,
    rest: str = "all others",
    adds_up: bool = True,
    ranked: bool = True,
) -> Chart:
    """Return horizontal bars from zero, largest first, each with its value.

    Beyond ``most`` rows the others become one quiet row, their sum, where values add up; where they do not
    (``adds_up=False``), they are left to the table and the subtitle says how many are shown. ``ranked=False`` keeps
    the order given. ``what`` names the values in the table.
    """
    require(bars, [bar.name for bar in bars])
    if len(known(bar.value for bar in bars)) < len(bars):
        raise Invalid(
            "A bar has no value.", mend="Leave rows without a value to the words around the picture."
        )
    order = sorted(bars, key=lambda bar: -bar.value) if ranked else list(bars)
    shown, left_out = order[:most], order[most:]
    if left_out and adds_up:
        shown, left_out = order[: most - 1], order[most - 1 :]
    quiet: tuple[Bar, ...] = ()
    note = ""
    if left_out and adds_up:
        quiet = (Bar(f"{rest} ({len(left_out)})", sum(bar.value for bar in left_out)),)
    elif left_out:
        note = f"the first {words.of_how_many(len(shown), len(order))}"
    said = subtitle_of(subtitle, unit, as_of)
    return Chart(
        kind="ranked-bars",
        title=title,
        subtitle=" · ".join(filter(None, (said, note))),
        table=Table((Column("name"), Column(what, unit)), tuple((bar.name, bar.value) for bar in order)),
        alt=_ranked_alt(order, unit, what),
        layout=partial(_ranked, (*shown, *quiet), len(quiet), unit),
    )


def _ranked(bars: tuple[Bar, ...], quiet: int, unit: str, width: int) -> Spec:
    said = [" · ".join(filter(None, (words.human(bar.value, unit), bar.note))) for bar in bars]
    widest = max(width_of(text, bold=True) for text in said) + 8
    low, high = min(0.0, *(bar.value for bar in bars)), max(0.0, *(bar.value for bar in bars))
    high = high if high > low else low + 1.0
    frame = framed(width, [bar.name for bar in bars], widest)
    if low < 0:
        low = room_for_words(low, high, widest, frame.plot)
    layers: list[Spec] = []
    for index, (bar, text) in enumerate(zip(bars, said, strict=True)):
        style = "bar-quiet" if index >= len(bars) - quiet else "bar-partial" if bar.partial else "bar"
        row = {"x": bar.value, "x2": 0, "name": bar.name, "said": words.exact(bar.value, unit)}
        tip = [{"field": "name", "title": "name"}, {"field": "said", "title": "value"}]
        layers.append(layer("rect", style, [row], {"x": X, "x2": X2, **frame.sides(index), "tooltip": tip}))
        if bar.partial:
            layers.append(_hatching(bar.value, frame, index, (high - low) / frame.plot))
        layers.append(
            beside_bar(text, bar.value, frame.middle(index), "label-strong" if bar.strong else "label")
        )
    strong = [index for index, bar in enumerate(bars) if bar.strong]
    return frame.spec([*layers, *frame.upright("zero", 0.0), *frame.name_layers(strong)], (low, high))


def _hatching(value: float, frame: RowFrame, index: int, per_pixel: float) -> Spec:
    """Return the strokes over the bar of something that is not complete."""
    foot = frame.middle(index) - frame.bar / 2
    strokes = hatched(min(0.0, value), max(0.0, value), foot, foot + frame.bar, per_pixel, 1.0)
    height = {"type": "quantitative", "scale": None, "axis": None}
    return layer(
        "rule", "bar-hatch", strokes, {"x": X, "x2": X2, "y": {"field": "y", **height}, "y2": {"field": "y2"}}
    )


def beside_bar(text: str, end: float, y: float, style: str) -> Spec:
    """Return words just beyond the end of a bar from zero."""
    side = {"align": "left", "dx": 6} if end >= 0 else {"align": "right", "dx": -6}
    return layer("text", style, [{"x": end, "said": text}], {
        "x": X, "y": {"value": y}, "text": {"field": "said", "type": "nominal"},
    }, baseline="middle", **side)  # fmt: skip


def _ranked_alt(order: Sequence[Bar], unit: str, what: str) -> str:
    parts = [f"{bar.name} {words.human(bar.value, unit)}" for bar in order[:5]]
    more = f"; and {len(order) - 5} more" if len(order) > 5 else ""
    partly = [bar.name for bar in order if bar.partial]
    tail = f" Not complete: {words.listing(partly)}." if partly else ""
    return sentence(f"{what} of {words.counted(len(order), 'rows')}: {', '.join(parts)}{more}.{tail}")


# -- compared --------------------------------------------------------------------------------------------------------


def compared(
    rows: Sequence[Estimate],
    *,
    title: str,
    unit: str = "",
    what: str = "value",
    counted: str = "",
    as_of: date | None = None,
    subtitle: str = "",
    interval: str = "95 % interval",
    reference: float | None = None,
    reference_label: str = "all",
) -> Chart:
    """Return segments as dots with whiskers on one scale, and a line for all of them together.

    ``interval`` names what the whiskers are; ``counted`` the noun of ``count`` (``customers``). A segment without a
    value is listed as unknown rather than left out. The axis does not start at zero: dots are read by place.
    """
    require(rows, [row.name for row in rows])
    shown = known(value for row in rows for value in (row.value, row.low, row.high))
    if not shown:
        raise Invalid("No segment has a value.", mend="Say so in words instead of an empty picture.")
    if reference is not None:
        shown.append(reference)
    note = f"dots with {interval}" if any(row.low is not None for row in rows) else ""
    columns = (
        Column("segment"),
        Column(what, unit),
        Column("low", unit),
        Column("high", unit),
        Column(counted or "count"),
    )
    return Chart(
        kind="compared",
        title=title,
        subtitle=" · ".join(filter(None, (subtitle_of(subtitle, unit, as_of), note))),
        table=Table(columns, tuple((row.name, row.value, row.low, row.high, row.count) for row in rows)),
        alt=_compared_alt(rows, unit, what, reference, reference_label),
        layout=partial(
            _compared, tuple(rows), unit, counted, (min(shown), max(shown)), reference, reference_label
        ),
    )


def _compared(
    rows: tuple[Estimate, ...], unit: str, counted: str, span: tuple[float, float], reference: float | None,
    reference_label: str, width: int,
) -> Spec:  # fmt: skip
    said = [words.human(row.value, unit) for row in rows]
    counts = [
        ""
        if row.count is None
        else words.counted(row.count, counted)
        if counted
        else f"n = {words.grouped(row.count)}"
        for row in rows
    ]
    first = max(width_of(text, bold=True) for text in said) + 14
    second = max(width_of(text) for text in counts)
    # Narrow, the words stand in the line of the names, so that the whiskers have the whole width.
    beside = 10.0 if width < NARROW else first + (second + 12 if second else 0)
    frame = framed(width, [row.name for row in rows], beside, top=0 if reference is None else 18, bar=14)
    room = (span[1] - span[0] or abs(span[0]) or 1.0) * 0.06
    low, high = span[0] - room, span[1] + room
    layers: list[Spec] = []
    if reference is not None:
        layers += frame.upright("reference", reference, 4.0)
        share = (reference - low) / (high - low)
        side = "left" if share < 0.3 else "right" if share > 0.7 else "center"
        text = f"{reference_label} {words.human(reference, unit)}"
        layers.append(layer("text", "label-muted", [{"x": reference, "said": text}], {
            "x": X, "y": {"value": -12}, "text": {"field": "said", "type": "nominal"},
        }, align=side, baseline="middle"))  # fmt: skip
    for index, row in enumerate(rows):
        y = frame.middle(index)
        if row.low is not None and row.high is not None:
            layers.append(
                layer(
                    "rule", "whisker", [{"x": row.low, "x2": row.high}], {"x": X, "x2": X2, "y": {"value": y}}
                )
            )
            for end in (row.low, row.high):
                layers.append(layer("rule", "whisker", [{"x": end}], {"x": X, **frame.sides(index, 0.6)}))
        if row.value is not None:
            tips = {
                "name": row.name,
                "said": words.exact(row.value, unit),
                "range": words.between(row.low, row.high, unit),
                "n": counts[index],
            }
            tip = [
                {"field": field, "title": name}
                for field, name in (
                    ("name", "segment"),
                    ("said", "value"),
                    ("range", "range"),
                    ("n", "rests on"),
                )
            ]
            layers.append(
                layer("point", "dot", [{"x": row.value, **tips}], {"x": X, "y": {"value": y}, "tooltip": tip})
            )
        strong = "label-strong" if row.value is not None else "label-muted"
        if frame.above:
            over = y - frame.bar / 2 - 9
            layers.append(label(counts[index], "width", over, "label-muted", dx=beside, align="right"))
            before = beside - (second + 12 if second else 0)
            layers.append(label(said[index], "width", over, strong, dx=before, align="right"))
            continue
        layers.append(label(said[index], "width", y, strong, dx=first, align="right"))
        layers.append(label(counts[index], "width", y, "label-muted", dx=first + 12 + second, align="right"))
    at = [tick for tick in ticks(low, high) if tick >= low]
    return frame.spec(
        [*layers, *frame.name_layers()], (low, high), axis_of(at, unit, number_axis, frame.plot)
    )


def _compared_alt(
    rows: Sequence[Estimate], unit: str, what: str, reference: float | None, reference_label: str
) -> str:
    parts = []
    for row in rows[:8]:
        span = (
            f" ({words.between(row.low, row.high, unit)})"
            if row.low is not None and row.high is not None
            else ""
        )
        parts.append(f"{row.name} {words.human(row.value, unit)}{span}")
    more = f"; and {len(rows) - 8} more" if len(rows) > 8 else ""
    tail = f" {sentence(reference_label)}: {words.human(reference, unit)}." if reference is not None else ""
    return sentence(f"{what} by segment: {'; '.join(parts)}{more}.{tail}")
