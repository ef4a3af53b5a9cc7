"""How a time series is laid out for a width: domains, layers, labels that do not touch each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from potager.kit import words
from potager.kit.charts.axes import (
    by_category,
    hatched,
    known,
    layer,
    line_domain,
    middle,
    milliseconds,
    next_start,
    number_axis,
    period_name,
    tick_words,
    time_axis,
)
from potager.kit.charts.chart import MARGIN, NARROW, Spec
from potager.kit.charts.measure import width_of
from potager.kit.charts.series_words import (
    HEAD,
    LANE,
    Scales,
    ending_layers,
    endings,
    happening_layers,
    whole_values,
)
from potager.kit.charts.thin import thinned

if TYPE_CHECKING:
    from potager.kit.charts.series import Series, TimePicture

MOST_POINTS: Final = 800
_BAR_GAP: Final = 0.12
_X: Final = {"field": "x", "type": "quantitative"}
_Y: Final = {"field": "y", "type": "quantitative"}


def drawn(picture: TimePicture, width: int) -> Spec:
    """Return the specification of a time series for a total width in pixels."""
    return _Drawing(picture, width).spec()


def value_domain(picture: TimePicture) -> tuple[float, float, tuple[float, ...]]:
    """Return bottom, top and ticks of the value axis."""
    lines = [*picture.series, *filter(None, (picture.previous, picture.forecast))]
    shown = [value for each in lines for value in known((*each.values, *each.low, *each.high))]
    if picture.target is not None:
        shown += known((picture.target.value, picture.target.low, picture.target.high))
    return line_domain(shown, zero=picture.zero)


class _Drawing:
    """One picture at one width."""

    def __init__(self, picture: TimePicture, width: int) -> None:
        self.picture = picture
        narrow = width < NARROW
        self.height = 220 if narrow else 260
        self.bottom, self.top, self.ticks = value_domain(picture)
        lines = [*picture.series, *filter(None, (picture.previous, picture.forecast))]
        self.first = min(each.starts[0] for each in lines if each.starts)
        self.last = max(each.starts[-1] for each in lines if each.starts)
        self.left_edge = milliseconds(self.first)
        self.right_edge = milliseconds(next_start(self.last, picture.grain))
        self.scales = Scales(self.height, self.bottom, self.top, self.left_edge, self.right_edge)
        self.ends = list(endings(picture, self.scales, 84 if narrow else 132))
        self.axis_room = max(width_of(said) for said in tick_words(self.ticks, picture.unit)) + 8
        self.end_room = max((end.width for end in self.ends), default=6.0)
        self.plot = max(80.0, width - 2 * MARGIN - self.axis_room - self.end_room)
        self.across = (self.right_edge - self.left_edge) / self.plot
        self.up = (self.top - self.bottom) / self.height

    # -- the whole ---------------------------------------------------------------------------------------------------

    def spec(self) -> Spec:
        """Return the whole specification."""
        picture = self.picture
        happened, lanes = happening_layers(picture.happenings, self.scales, self.plot, self.end_room)
        layers = [
            *self._target_range(), *happened, *self._ghost(), *self._forecast(),
            *(self._bars(picture.series[0]) if picture.form == "bars" else self._lines()),
            *self._target(), *self._zero(), *ending_layers(self.ends, picture, self.height),
            *self._last_whole_label(), *self._bar_labels(), *self._hits(),
        ]  # fmt: skip
        # The first layer carries both axes, whatever it shows.
        frame = layer(
            "rule", "zero", [],
            {
                "x": {**_X, "axis": time_axis(self.first, self.last, picture.grain, self.plot),
                      "scale": {"domain": [self.left_edge, self.right_edge], "nice": False, "zero": False}},
                "y": {**_Y, "axis": number_axis(self.ticks, picture.unit, orient="left"),
                      "scale": {"domain": [self.bottom, self.top], "nice": False, "zero": False}},
            },
        )  # fmt: skip
        return {
            "width": self.plot,
            "height": self.height,
            "padding": {
                "left": MARGIN + self.axis_room, "right": MARGIN + self.end_room,
                "top": MARGIN + (HEAD + lanes * LANE if lanes else 0), "bottom": MARGIN + 34,
            },
            "layer": [frame, *layers],
        }  # fmt: skip

    def _rows(self, series: Series, values: Sequence[float | None] | None = None) -> list[dict[str, Any]]:
        """Return a series' points, thinned where there are more than pixels."""
        values = series.values if values is None else values
        rows = []
        for index in thinned(values, MOST_POINTS):
            row: dict[str, Any] = {"x": middle(series.starts[index], self.picture.grain), "y": values[index]}
            if len(self.picture.series) > 1:
                row["category"] = series.name
            if series.low:
                row |= {"low": series.low[index], "high": series.high[index]}
            rows.append(row)
        return rows

    # -- layers ------------------------------------------------------------------------------------------------------

    def _zero(self) -> Iterator[Spec]:
        if self.bottom <= 0 <= self.top:
            yield {
                "mark": {"type": "rule", "style": "zero"},
                "data": {"values": [{"y": 0}]},
                "encoding": {"y": _Y},
            }

    def _target_range(self) -> Iterator[Spec]:
        target = self.picture.target
        if target is not None and (target.low is not None or target.high is not None):
            low = self.bottom if target.low is None else target.low
            high = self.top if target.high is None else target.high
            yield layer("rect", "target-range", [{"y": low, "y2": high}], {"y": _Y, "y2": {"field": "y2"}})

    def _target(self) -> Iterator[Spec]:
        target = self.picture.target
        if target is not None and target.value is not None:
            yield layer("rule", "target", [{"y": target.value}], {"y": _Y})

    def _ghost(self) -> Iterator[Spec]:
        if self.picture.previous is not None:
            yield layer("line", "ghost", self._rows(self.picture.previous), {"x": _X, "y": _Y})

    def _lines(self) -> Iterator[Spec]:
        several = len(self.picture.series) > 1
        names = [each.name for each in self.picture.series]
        color: dict[str, Any] = {"color": by_category(names)} if several else {}
        for index, series in enumerate(self.picture.series):
            whole = self._rows(series, whole_values(self.picture, series))
            if series.low:
                band = {"x": _X, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
                gaps = [row if row["y"] is not None else {**row, "low": None, "high": None} for row in whole]
                yield layer("area", "band", gaps, {**band, **color})
            plain = {"strokeWidth": 2.25} if several else {}
            yield layer("line", "" if several else "actual", whole, {"x": _X, "y": _Y, **color}, **plain)
            yield from self._alone(whole, color)
            yield from self._partial(series, color, index)
            ends = [row for row in whole if row["y"] is not None]
            if ends:
                yield layer("point", "actual-end", ends[-1:], {"x": _X, "y": _Y, **self._filled(color)})

    @staticmethod
    def _filled(color: dict[str, Any]) -> dict[str, Any]:
        """Return a stroke's color as the color of a disc."""
        return {"fill": color["color"]} if color else {}

    def _alone(self, rows: list[dict[str, Any]], color: dict[str, Any]) -> Iterator[Spec]:
        """Draw values with unknown ones on both sides, which a line would not show, as points."""
        lonely = [
            row
            for before, row, after in zip([None, *rows], rows, [*rows[1:], None], strict=False)
            if row["y"] is not None
            and (not before or before["y"] is None)
            and (not after or after["y"] is None)
        ]
        if lonely:
            yield layer("point", "actual-end", lonely, {"x": _X, "y": _Y, **self._filled(color)}, size=30)
            spans = [row for row in lonely if row.get("low") is not None]
            sides = {"x": _X, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
            if spans:
                yield layer("rule", "band", spans, {**sides, **color}, strokeWidth=6, opacity=0.3)

    def _partial(self, series: Series, color: dict[str, Any], index: int) -> Iterator[Spec]:
        """Draw the period that is not complete: a hollow point on a dashed stem, joined to nothing.

        A line to it, even a dashed one, would draw the fall that is only the rest of the period missing.
        """
        value = series.values[-1]
        if not self.picture.partial or value is None:
            return
        at: dict[str, Any] = {
            "x": middle(series.starts[-1], self.picture.grain), "y": value, "y2": self.bottom,
        }  # fmt: skip
        if color:
            at["category"] = series.name
        if index == 0:
            yield self._hatched_zone(series.starts[-1])
        if not color:
            yield layer("rule", "actual-partial", [at], {"x": _X, "y": _Y, "y2": {"field": "y2"}})
        yield layer(
            "point", "partial-end", [at], {"x": _X, "y": _Y, **({"stroke": color["color"]} if color else {})}
        )

    def _hatched_zone(self, start: date) -> Spec:
        """Return a light hatching along the foot of the period that is not complete."""
        left, right = milliseconds(start), milliseconds(next_start(start, self.picture.grain))
        foot = self.bottom + (self.top - self.bottom) * 7 / self.height
        strokes = hatched(
            left, right, self.bottom, foot,
            self.across, self.up, 4,
        )  # fmt: skip
        return layer(
            "rule", "partial-zone", strokes, {"x": _X, "y": _Y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
        )

    def _bars(self, series: Series) -> Iterator[Spec]:
        """Draw bars from zero; the one of the period that is not complete is hatched."""
        sides = {"x": _X, "x2": {"field": "x2"}, "y": _Y, "y2": {"field": "y2"}}
        whole = whole_values(self.picture, series)
        rows = [
            {**self._bar_sides(start), "y": value, "y2": 0}
            for start, value in zip(series.starts, whole, strict=True)
            if value is not None
        ]
        yield layer("rect", "bar", rows, sides)
        if series.low:
            spans = [
                {"x": middle(start, self.picture.grain), "y": low, "y2": high}
                for start, low, high in zip(series.starts, series.low, series.high, strict=True)
                if low is not None and high is not None
            ]
            yield layer("rule", "happened", spans, {"x": _X, "y": _Y, "y2": {"field": "y2"}}, strokeWidth=1.5)
        last = series.values[-1]
        if self.picture.partial and last is not None:
            place = self._bar_sides(series.starts[-1])
            yield layer("rect", "bar-partial", [{**place, "y": last, "y2": 0}], sides)
            strokes = hatched(place["x"], place["x2"], min(0.0, last), max(0.0, last), self.across, self.up)
            yield layer("rule", "bar-hatch", strokes, sides)

    def _bar_sides(self, start: date) -> dict[str, float]:
        """Return the left and right side of a period's bar."""
        left, right = milliseconds(start), milliseconds(next_start(start, self.picture.grain))
        inset = (right - left) * _BAR_GAP
        return {"x": left + inset, "x2": right - inset}

    def _forecast(self) -> Iterator[Spec]:
        ahead = self.picture.forecast
        if ahead is None:
            return
        rows = self._rows(ahead)
        anchor = self._last_whole(self.picture.series[0])
        joined = [anchor, *rows] if anchor and self.picture.form == "line" else rows
        if ahead.low:
            spread = [
                {"x": row["x"], "low": row.get("low", row["y"]), "high": row.get("high", row["y"])}
                for row in joined
            ]
            yield layer(
                "area", "forecast-band", spread,
                {"x": _X, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
            )  # fmt: skip
        yield layer("line", "forecast", joined, {"x": _X, "y": _Y})
        if rows and rows[-1]["y"] is not None:
            yield layer("point", "partial-end", rows[-1:], {"x": _X, "y": _Y})

    def _last_whole(self, series: Series) -> dict[str, Any] | None:
        """Return the last complete point that is known."""
        points = [
            {"x": middle(start, self.picture.grain), "y": value}
            for start, value in zip(series.starts, whole_values(self.picture, series), strict=True)
            if value is not None
        ]
        return points[-1] if points else None

    # -- words -------------------------------------------------------------------------------------------------------

    def _last_whole_label(self) -> Iterator[Spec]:
        """Say the last complete value at its point, where the right edge says something else."""
        picture = self.picture
        anchor = self._last_whole(picture.series[0])
        if (
            not anchor
            or picture.form == "bars"
            or len(picture.series) > 1
            or not (picture.forecast or picture.partial)
        ):
            return
        row = {**anchor, "said": words.human(anchor["y"], picture.unit)}
        encoding = {"x": _X, "y": _Y, "text": {"field": "said", "type": "nominal"}}
        # On the side that the line does not come from.
        known = [value for value in whole_values(picture, picture.series[0]) if value is not None]
        falls = len(known) > 1 and known[-1] < known[-2]
        side = {"dy": 3, "baseline": "top"} if falls else {"dy": -1, "baseline": "bottom"}
        yield layer("text", "label-actual", [row], encoding, dx=-9, align="right", **side)

    def _bar_labels(self) -> Iterator[Spec]:
        """Say the value over each bar where they all have room, else over the highest and the last."""
        if self.picture.form != "bars":
            return
        series, unit = self.picture.series[0], self.picture.unit
        span = milliseconds(next_start(series.starts[-1], self.picture.grain)) - milliseconds(
            series.starts[-1]
        )
        room = span / self.across
        rows: list[dict[str, Any]] = [
            {
                "x": middle(start, self.picture.grain), "y": value, "said": words.human(value, unit),
                "px": self._clear_of_target(self.scales.pixel(max(0.0, value)) - 5),
            }
            for start, value in zip(series.starts, series.values, strict=True)
            if value is not None
        ]  # fmt: skip
        if any(width_of(row["said"]) > room for row in rows):
            best, last = max(rows, key=lambda row: float(row["y"])), rows[-1]
            needed = (width_of(best["said"]) + width_of(last["said"])) / 2 + 6
            rows = [best, last] if abs(best["x"] - last["x"]) / self.across > needed else [best]
        for row in rows:
            encoding = {"x": _X, "y": {"value": row["px"]}, "text": {"field": "said", "type": "nominal"}}
            yield layer("text", "label", [row], encoding, baseline="bottom")

    def _clear_of_target(self, foot: float) -> float:
        """Return where a label whose foot would stand there stands so that the target's line does not strike it."""
        target = self.picture.target
        if target is None or target.value is None:
            return foot
        line = self.scales.pixel(target.value)
        return line - 4 if foot - 15 < line < foot + 3 else foot

    def _hits(self) -> Iterator[Spec]:
        """Lay invisible points over the lines that say period and value on the page."""
        rows = []
        lines = [*self.picture.series, *filter(None, (self.picture.previous, self.picture.forecast))]
        for series in lines:
            for index in thinned(series.values, MOST_POINTS // 2):
                value = series.values[index]
                if value is None:
                    continue
                rows.append({
                    "x": middle(series.starts[index], self.picture.grain), "y": value,
                    "period": period_name(series.starts[index], self.picture.grain), "line": series.name,
                    "said": words.exact(value, self.picture.unit),
                })  # fmt: skip
        tip = [
            {"field": field, "title": title}
            for field, title in (("period", "period"), ("line", "what"), ("said", "value"))
        ]
        yield layer("point", "hit", rows, {"x": _X, "y": _Y, "tooltip": tip}, size=260)
