"""The words in a time series: what stands at the right edge, and what happened, kept from covering each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from potager.kit import words
from potager.kit.charts.axes import by_category, kept_apart, known, label_layer, layer, milliseconds, sentence
from potager.kit.charts.chart import Spec
from potager.kit.charts.measure import ellipsed, width_of, wrapped

if TYPE_CHECKING:
    from potager.kit.charts.series import Happening, Series, TimePicture

HEAD: Final = 22
LANE: Final = 18
_LINE: Final = 14
_GAP: Final = 9
_DOT: Final = 10
_LONGEST: Final = 260.0
# Words in words cannot be read at all; any number of rules through words is better.
_WORST: Final = 1000
_SIGNS: Final = {"shipped": "triangle-up", "broke": "cross", "announced": "diamond", "happened": "circle"}
_X: Final = {"field": "x", "type": "quantitative"}


@dataclass(frozen=True, slots=True)
class Scales:
    """Where values and days stand: the height of the plot in pixels, the ends of both axes in data units."""

    height: float
    bottom: float
    top: float
    left: int
    right: int

    def pixel(self, value: float) -> float:
        """Return how far below the top a value stands, in pixels."""
        return self.height * (1 - (value - self.bottom) / (self.top - self.bottom))

    def across(self, day: date, plot: float) -> float:
        """Return how far right a day stands in a plot so many pixels wide."""
        return (milliseconds(day) - self.left) / (self.right - self.left) * plot


@dataclass(frozen=True, slots=True)
class Ending:
    """Words at the right edge: how far down they want to stand, their lines, their style, their category's name."""

    height: float
    text: tuple[str, ...]
    style: str
    category: str = ""

    @property
    def width(self) -> float:
        """Return how far the words reach over the right edge."""
        bold = self.style == "label-actual"
        return max(width_of(line, bold=bold) for line in self.text) + _GAP + (_DOT if self.category else 0)


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that happened: its place in pixels, the stretch its words take, and on which side they stand."""

    x: float
    reach: tuple[float, float]
    leftward: bool
    text: str
    happening: Happening


def whole_values(picture: TimePicture, series: Series) -> Sequence[float | None]:
    """Return the values of the complete periods, the partial one as missing."""
    return (*series.values[:-1], None) if picture.partial else series.values


def endings(picture: TimePicture, scales: Scales, room: float) -> Iterator[Ending]:
    """Yield what stands at the right edge, in lines of at most ``room`` pixels, each beside what it names."""
    unit = picture.unit
    several = len(picture.series) > 1
    for series in picture.series:
        if several:
            values = whole_values(picture, series)
            value = next((value for value in reversed(values) if value is not None), None)
            text = (*_lines(series.name, room), words.human(value, unit))
        else:
            value = series.values[-1]
            text = (words.human(value, unit), *_lines(picture.partial, room))
        if value is not None and (several or (picture.form == "line" and picture.forecast is None)):
            style, category = ("label", series.name) if several else ("label-actual", "")
            yield Ending(scales.pixel(value), text, style, category)
    for line, style in ((picture.forecast, "label-actual"), (picture.previous, "label-muted")):
        value = line.values[-1] if line and line.values else None
        if line is not None and value is not None:
            yield Ending(scales.pixel(value), (*_lines(line.name, room), words.human(value, unit)), style)
    target = picture.target
    if target is None:
        return
    if target.value is not None:
        ends, said = [target.value], words.human(target.value, unit)
    else:
        ends, said = known((target.low, target.high)), words.between(target.low, target.high, unit)
    if ends:
        text = (*_lines(target.label, room), *_lines(said, room))
        yield Ending(scales.pixel(sum(ends) / len(ends)), text, "label")


def ending_layers(ends: Sequence[Ending], picture: TimePicture, height: float) -> Iterator[Spec]:
    """Yield the words at the right edge, moved up and down just so far that none covers another."""
    heights = [len(end.text) * _LINE + 4.0 for end in ends]
    # Labels may hang a little over the plot, into the room of the time axis, rather than over each other.
    middles = kept_apart([end.height for end in ends], heights, 0.0, height + _LINE)
    names = [each.name for each in picture.series]
    for end, at, tall in zip(ends, middles, heights, strict=True):
        first = at - tall / 2 + 2 + _LINE / 2
        if end.category:
            place = {"x": {"value": "width"}, "y": {"value": first}, "fill": by_category(names)}
            dot = {"shape": "circle", "size": 50, "xOffset": _GAP + 2}
            yield layer("point", "key", [{"category": end.category}], place, **dot)
        yield label_layer(end.text, "width", first, end.style, dx=_GAP + (_DOT if end.category else 0))


def said_happening(happening: Happening) -> str:
    """Return what happened with the word for its sign in front: ``Shipped: new price list``."""
    if happening.kind == "happened":
        return happening.label
    return sentence(f"{happening.kind}: {happening.label}")


def happening_layers(
    happenings: Sequence[Happening], scales: Scales, plot: float, end_room: float
) -> tuple[list[Spec], int]:
    """Return a rule, a sign and words for each thing that happened, and the number of lanes they take on top."""
    signs: list[Sign] = []
    for happening in reversed(happenings):
        x = scales.across(happening.on, plot)
        text = ellipsed(said_happening(happening), min(_LONGEST, max(x, plot + end_room - x) - 12))
        size = width_of(text) + 14
        leftward = x + size > plot + end_room
        signs.append(Sign(x, (x - size, x + 6) if leftward else (x - 6, x + size), leftward, text, happening))
    lanes = in_lanes(signs)
    layers: list[Spec] = []
    for sign, lane in zip(signs, lanes, strict=True):
        on, said = sign.happening.on, said_happening(sign.happening)
        row = {"x": milliseconds(on), "what": said, "when": words.day(on)}
        tip = [{"field": "what", "title": "what"}, {"field": "when", "title": "when"}]
        place: dict[str, Any] = {"x": _X, "y": {"value": -HEAD - lane * LANE}}
        side = {"align": "right", "dx": -9} if sign.leftward else {"align": "left", "dx": 9}
        layers += [
            layer("rule", "happened", [row], {**place, "y2": {"value": scales.height}}),
            layer(
                "point", "happened-sign", [row], {**place, "tooltip": tip}, shape=_SIGNS[sign.happening.kind]
            ),
            layer(
                "text",
                "label-muted",
                [row],
                {**place, "text": {"value": sign.text}},
                baseline="middle",
                **side,
            ),
        ]
    return layers, max(lanes, default=-1) + 1


def in_lanes(signs: Sequence[Sign]) -> list[int]:
    """Return the lane of each sign: the lowest in which it disturbs fewest.

    Words do not stand in other words, no rule goes through words, and no words stand across a rule.
    """
    lanes: list[int] = []
    for sign in signs:

        def disturbed(lane: int, sign: Sign = sign) -> int:
            count = 0
            for other, taken in zip(signs, lanes, strict=False):
                touches = sign.reach[0] < other.reach[1] and other.reach[0] < sign.reach[1]
                count += _WORST * (lane == taken and touches)
                count += lane < taken and sign.reach[0] < other.x < sign.reach[1]
                count += lane > taken and other.reach[0] < sign.x < other.reach[1]
            return count

        lanes.append(min(range(len(lanes) + 1), key=lambda lane: (disturbed(lane), lane)))
    return lanes


def _lines(text: str, room: float) -> tuple[str, ...]:
    return wrapped(text, room, bold=True, lines=3) if text else ()
