"""Bars with parts: within against mix of a change, and shares of a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from potager.kit import words
from potager.kit.charts.axes import by_category, known, label_layer, layer
from potager.kit.charts.bars import beside_bar, require, subtitle_of
from potager.kit.charts.chart import Cell, Chart, Column, Spec, Table
from potager.kit.charts.measure import ellipsed, width_of
from potager.kit.charts.rows import X2, X, framed, room_for_words
from potager.kit.errors import Invalid

PARTS = ("within", "mix")
_KEY = 22.0


@dataclass(frozen=True, slots=True)
class WithinMix:
    """What a segment adds to the change of a ratio: because it changed itself, and because its weight changed."""

    name: str
    within: float
    mix: float


@dataclass(frozen=True, slots=True)
class Shares:
    """A whole in parts, by the names of the parts; negative or missing parts cannot be shares."""

    name: str
    parts: tuple[float, ...]


def within_mix(
    rows: Sequence[WithinMix], *, title: str, unit: str = "pp", as_of: date | None = None, subtitle: str = ""
) -> Chart:
    """Return the change of a ratio by segment, each bar in two parts: within the segment, and by mix.

    Parts of opposite sign stand on both sides of zero; the sum of a row is said in words at its end.
    """
    require(rows, [row.name for row in rows])
    if len(known(part for row in rows for part in (row.within, row.mix))) < 2 * len(rows):
        raise Invalid("A part of a change has no value.", mend="Give both parts of every segment.")
    order = tuple(sorted(rows, key=lambda row: -abs(row.within + row.mix)))
    columns = (Column("segment"), Column("within", unit), Column("mix", unit), Column("together", unit))
    totals = [_total([row.within for row in order]), _total([row.mix for row in order])]
    alt = "; ".join(
        f"{row.name} {words.signed(row.within, unit)} within, {words.signed(row.mix, unit)} mix"
        for row in order[:6]
    )
    more = f"; and {len(order) - 6} more" if len(order) > 6 else ""
    return Chart(
        kind="within-mix",
        title=title,
        subtitle=subtitle_of(subtitle, unit, as_of),
        table=Table(columns, tuple((row.name, row.within, row.mix, row.within + row.mix) for row in order)),
        alt=f"Within {words.signed(totals[0], unit)}, mix {words.signed(totals[1], unit)}. By segment: {alt}{more}.",
        layout=partial(_within_mix, order, unit),
    )


def _total(parts: Sequence[float]) -> float:
    """Return a sum in which parts that cancel each other leave zero, not the dust of arithmetic."""
    total = math.fsum(parts)
    return total if abs(total) > 1e-12 * sum(abs(part) for part in parts) else 0.0


def _within_mix(rows: tuple[WithinMix, ...], unit: str, width: int) -> Spec:
    said = [words.signed(row.within + row.mix, unit) for row in rows]
    high = max(0.0, *(max(row.within, 0) + max(row.mix, 0) for row in rows))
    low = min(0.0, *(min(row.within, 0) + min(row.mix, 0) for row in rows))
    high = high if high > low else low + 1.0
    widest = max(width_of(text, bold=True) for text in said) + 10
    # A row's words stand on the side to which it goes in all.
    frame = framed(width, [row.name for row in rows], widest, top=_KEY)
    if any(row.within + row.mix < 0 for row in rows):
        low = room_for_words(low, high, widest, frame.plot)
    layers: list[Spec] = _key(PARTS, -frame.left, width)
    for index, (row, text) in enumerate(zip(rows, said, strict=True)):
        rise = fall = 0.0
        for part, value in zip(PARTS, (row.within, row.mix), strict=True):
            start = rise if value >= 0 else fall
            datum = {
                "x": start,
                "x2": start + value,
                "category": part,
                "name": row.name,
                "said": words.signed(value, unit),
            }
            tip = [
                {"field": field, "title": name}
                for field, name in (("name", "segment"), ("category", "part"), ("said", "change"))
            ]
            encoding = {"x": X, "x2": X2, **frame.sides(index), "tooltip": tip, "color": by_category(PARTS)}
            layers.append(layer("rect", "cell", [datum], encoding, strokeWidth=1))
            rise, fall = (rise + value, fall) if value >= 0 else (rise, fall + value)
        together = row.within + row.mix
        layers.append(beside_bar(text, rise if together >= 0 else fall, frame.middle(index), "label-strong"))
    return frame.spec([*layers, *frame.upright("zero", 0.0), *frame.name_layers()], (low, high))


def share_bars(
    rows: Sequence[Shares],
    parts: Sequence[str],
    *,
    title: str,
    unit: str = "",
    as_of: date | None = None,
    subtitle: str = "",
) -> Chart:
    """Return each row as a whole of 100 % in two to six named parts, each with its share.

    A row whose parts sum to nothing is refused: it has no shares.
    """
    require(rows, [row.name for row in rows])
    names = tuple(parts)
    if not 2 <= len(names) <= 6 or len(set(names)) < len(names):
        raise Invalid(
            "A whole is drawn in two to six parts with different names.", mend="Join small parts into one."
        )
    for row in rows:
        if (
            len(row.parts) != len(names)
            or len(known(row.parts)) < len(names)
            or min(row.parts) < 0
            or sum(row.parts) <= 0
        ):
            raise Invalid(
                f"The parts of “{row.name}” are no shares of a whole.",
                mend="Give every part a value of zero or more, and at least one above it.",
            )
    columns = (
        Column("name"),
        *(Column(name, unit) for name in names),
        *(Column(f"{name}, share", "share") for name in names),
    )
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        (row.name, *row.parts, *(part / sum(row.parts) for part in row.parts)) for row in rows
    )
    described = [
        f"{row.name}: "
        + ", ".join(
            f"{name} {words.human(part / sum(row.parts), 'share')}"
            for name, part in zip(names, row.parts, strict=True)
        )
        for row in rows[:6]
    ]
    more = f"; and {len(rows) - 6} more" if len(rows) > 6 else ""
    return Chart(
        kind="share-bars",
        title=title,
        subtitle=subtitle_of(subtitle, unit, as_of),
        table=Table(columns, cells),
        alt=f"{'; '.join(described)}{more}.",
        layout=partial(_share_bars, tuple(rows), names, unit),
    )


def _share_bars(rows: tuple[Shares, ...], names: tuple[str, ...], unit: str, width: int) -> Spec:
    frame = framed(width, [row.name for row in rows], 4.0, bar=22, top=_key_height(names, width))
    layers: list[Spec] = _key(names, -frame.left, width)
    for index, row in enumerate(rows):
        whole, at = sum(row.parts), 0.0
        for position, (name, part) in enumerate(zip(names, row.parts, strict=True)):
            share = part / whole
            datum = {
                "x": at,
                "x2": at + share,
                "name": row.name,
                "category": name,
                "said": words.human(share, "share"),
                "exact": words.exact(part, unit),
            }
            tip = [
                {"field": field, "title": title}
                for field, title in (
                    ("name", "whole"),
                    ("category", "part"),
                    ("said", "share"),
                    ("exact", "value"),
                )
            ]
            encoding = {"x": X, "x2": X2, **frame.sides(index), "tooltip": tip, "color": by_category(names)}
            layers.append(layer("rect", "cell", [datum], encoding))
            text = f"{share * 100:.0f} %"
            if width_of(text) + 8 <= share * frame.plot:
                middle = {"x": at + share / 2, "said": text}
                place = {
                    "x": X,
                    "y": {"value": frame.middle(index)},
                    "text": {"field": "said", "type": "nominal"},
                }
                layers.append(layer("text", f"on-category-{position}", [middle], place, baseline="middle"))
            at += share
    return frame.spec([*layers, *frame.name_layers()], (0.0, 1.0))


def _key_lines(names: Sequence[str], width: int) -> list[list[tuple[int, float, str]]]:
    """Return the key in lines: position of the part, where it begins, its name."""
    room, at = width - 32.0, 0.0
    found: list[list[tuple[int, float, str]]] = [[]]
    for position, name in enumerate(names):
        text = ellipsed(name, room - 16)
        if found[-1] and at + 16 + width_of(text) > room:
            found.append([])
            at = 0.0
        found[-1].append((position, at, text))
        at += 16 + width_of(text) + 18
    return found


def _key_height(names: Sequence[str], width: int) -> float:
    return 18.0 * len(_key_lines(names, width)) + 4


def _key(names: Sequence[str], left: float, width: int) -> list[Spec]:
    """Return the names of the parts with their colors in a line above the rows, in the order of the parts."""
    layers: list[Spec] = []
    lines = _key_lines(names, width)
    for number, line in enumerate(lines):
        y = -14.0 - 18 * (len(lines) - 1 - number)
        for position, at, text in line:
            place = {"x": {"value": left + at + 5}, "y": {"value": y}}
            place["fill"] = by_category(names)
            row = {"category": names[position]}
            layers.append(layer("point", "key", [row], place, shape="square", size=90))
            layers.append(label_layer(text, left + at + 16, y, "label-muted"))
    return layers
