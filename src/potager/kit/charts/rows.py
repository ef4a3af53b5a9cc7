"""What pictures made of rows share: names beside or above their bars, a column of words, room for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from potager.kit.charts.axes import label_layer, tick_words
from potager.kit.charts.chart import MARGIN, NARROW, Spec
from potager.kit.charts.measure import ellipsed, width_of, wrapped

X: Final = {"field": "x", "type": "quantitative"}
X2: Final = {"field": "x2"}
_NAME_SHARE, _WIDEST_NAME = 0.3, 240.0
_AXIS_ROOM: Final = 24


@dataclass(frozen=True, slots=True)
class RowFrame:
    """Where rows of a picture stand at one width, in pixels: row ``index`` has its bar around ``middle(index)``.

    Wide, names stand at the left of the bars; narrow, above them, where they are never cut to nothing.
    """

    width: int
    names: tuple[str, ...]
    left: float
    right: float
    top: float = 0.0
    axis: bool = False
    bar: float = 18.0

    @property
    def above(self) -> bool:
        """Return whether names stand above their bars."""
        return self.width < NARROW

    @property
    def step(self) -> float:
        """Return the distance from row to row."""
        return self.bar + (26 if self.above else 12)

    @property
    def plot(self) -> float:
        """Return the width of the plot."""
        return self.width - 2 * MARGIN - self.left - self.right

    @property
    def height(self) -> float:
        """Return the height of the plot."""
        return self.step * len(self.names)

    def middle(self, index: int) -> float:
        """Return the middle of a row's bar."""
        return self.step * index + (self.step - self.bar / 2 - 4 if self.above else self.step / 2)

    def sides(self, index: int, share: float = 1.0) -> dict[str, Any]:
        """Return the upper and lower side of a row's bar as encodings."""
        half = self.bar / 2 * share
        return {"y": {"value": self.middle(index) - half}, "y2": {"value": self.middle(index) + half}}

    def name_layers(self, strong: Sequence[int] = ()) -> list[Spec]:
        """Return the rows' names, those at the given positions in bold."""
        found = []
        for index, name in enumerate(self.names):
            style = "label-strong" if index in strong else "label"
            if self.above:
                text = ellipsed(name, self.width - 2 * MARGIN, bold=index in strong)
                found.append(label_layer(text, -self.left, self.middle(index) - self.bar / 2 - 9, style))
                continue
            lines = wrapped(name, self.left - 12, bold=index in strong, lines=2)
            first = self.middle(index) - (len(lines) - 1) * 7
            text_or_lines = lines if len(lines) > 1 else lines[0]
            found.append(label_layer(text_or_lines, 0, first, style, align="right", dx=-12))
        return found

    def upright(self, style: str, x: float, over: float = 0.0) -> list[Spec]:
        """Return a line through all rows at a value; where names stand above bars, it leaves them out."""
        if not self.above:
            spans = [(-over, self.height)]
        else:
            half = self.bar / 2 + 3
            spans = [
                (self.middle(index) - half, self.middle(index) + half) for index in range(len(self.names))
            ]
        return [
            {
                "mark": {"type": "rule", "style": style},
                "data": {"values": [{"x": x}]},
                "encoding": {"x": X, "y": {"value": start}, "y2": {"value": end}},
            }
            for start, end in spans
        ]

    def spec(self, layers: Sequence[Spec], domain: tuple[float, float], axis: Spec | None = None) -> Spec:
        """Return the whole specification; the first layer carries the scale and the axis, if there is one."""
        frame = {
            "mark": {"type": "rule", "style": "zero"},
            "data": {"values": []},
            "encoding": {
                "x": {**X, "axis": axis, "scale": {"domain": list(domain), "nice": False, "zero": False}},
            },
        }
        return {
            "width": self.plot,
            "height": self.height,
            "padding": {
                "left": MARGIN + self.left, "right": MARGIN + self.right,
                "top": MARGIN + self.top, "bottom": MARGIN + (_AXIS_ROOM if axis else 0),
            },
            "layer": [frame, *layers],
        }  # fmt: skip


def framed(
    width: int, names: Sequence[str], right: float, *, left: float = 0.0, top: float = 0.0, bar: float = 18.0
) -> RowFrame:
    """Return a frame with as much room at the left as the names need, and the room asked for at the right."""
    longest = max((width_of(name, bold=True) for name in names), default=0.0) + 14
    beside = 0.0 if width < NARROW else min(longest, _WIDEST_NAME, width * _NAME_SHARE)
    return RowFrame(width, tuple(names), max(left, beside), right, top, bar=bar)


def axis_of(at: Sequence[float], unit: str, make: Callable[..., Spec], plot: float) -> Spec:
    """Return a value axis below the rows with as many of the ticks as have room."""
    widest = max(width_of(said) for said in tick_words(at, unit)) + 14
    every = max(1, -(-int(widest * len(at)) // max(1, int(plot))))
    zero = next((index for index, value in enumerate(at) if value == 0), 0)
    kept = [value for index, value in enumerate(at) if (index - zero) % every == 0]
    return make(kept, unit, orient="bottom", grid=True, domain=False, ticks=False)


def room_for_words(low: float, high: float, words_width: float, plot: float) -> float:
    """Return the lower end of a domain with room for words left of the bars that go below zero."""
    share = min(0.45, words_width / plot)
    return low - (high - low) * share / (1 - share)
