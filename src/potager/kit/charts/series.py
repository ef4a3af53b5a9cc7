"""A number over time: what was, against before, against the target, what is expected, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, Literal, get_args

from potager.kit import words
from potager.kit.charts.axes import Grain, cleaned, in_period, known, next_start, period_name, sentence
from potager.kit.charts.chart import Cell, Chart, Column, Table
from potager.kit.charts.series_layout import MOST_POINTS, drawn, value_domain
from potager.kit.errors import Invalid

Form = Literal["line", "bars"]
Happened = Literal["shipped", "broke", "announced", "happened"]


@dataclass(frozen=True, slots=True)
class Series:
    """A value per period. ``starts`` are the periods' first days, rising; ``low`` and ``high`` an interval around each.

    Missing values are ``None`` or not-a-number and are drawn as gaps.
    """

    name: str
    starts: tuple[date, ...]
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.starts)
        for what, given in (("values", self.values), ("low ends", self.low), ("high ends", self.high)):
            if len(given) != count and (given or what == "values"):
                raise Invalid(
                    f"The series “{self.name}” has {count} periods and {len(given)} {what}.",
                    mend="Give one of each per period.",
                )
        if any(later <= earlier for earlier, later in zip(self.starts, self.starts[1:], strict=False)):
            raise Invalid(
                f"The periods of the series “{self.name}” do not rise.",
                mend="Sort by period; one row per period.",
            )
        if len(self.low) != len(self.high):
            raise Invalid(f"The interval of “{self.name}” has one end only.", mend="Give both ends or none.")
        for name in ("values", "low", "high"):
            object.__setattr__(self, name, cleaned(getattr(self, name)))

    @classmethod
    def from_arrow(
        cls,
        table: Any,
        name: str,
        *,
        start: str = "period",
        value: str = "value",
        low: str = "",
        high: str = "",
    ) -> Series:
        """Return a series from columns of a ``pyarrow.Table``: dates (or timestamps) and numbers."""

        def column(which: str) -> tuple[Any, ...]:
            if which not in table.column_names:
                raise Invalid(
                    f"The table has no column “{which}”.",
                    mend=f"It has {words.listing([*table.column_names])}.",
                )
            return tuple(table.column(which).to_pylist())

        days = tuple(day.date() if hasattr(day, "date") else day for day in column(start))
        numbers = [
            tuple(None if number is None else float(number) for number in column(which)) if which else ()
            for which in (value, low, high)
        ]
        return cls(name, days, *numbers)


@dataclass(frozen=True, slots=True)
class Target:
    """What should be reached: a value, or a range; ``label`` says whose or by when."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    label: str = "target"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something on the time axis: shipped, broke, announced, or simply happened."""

    on: date
    label: str
    kind: Happened = "happened"


@dataclass(frozen=True, slots=True)
class TimePicture:
    """Everything a time series picture shows; see :func:`time_series` for what the parts mean."""

    series: tuple[Series, ...]
    unit: str
    grain: Grain
    form: Form = "line"
    previous: Series | None = None
    forecast: Series | None = None
    target: Target | None = None
    happenings: tuple[Happening, ...] = ()
    partial: str = ""
    zero: bool = False


def time_series(
    series: Series | Sequence[Series],
    *,
    title: str,
    unit: str = "",
    grain: Grain = "month",
    as_of: date | None = None,
    subtitle: str = "",
    form: Form = "line",
    previous: Series | None = None,
    forecast: Series | None = None,
    target: Target | None = None,
    happenings: Sequence[Happening] = (),
    partial_last: bool = False,
    partial_note: str = "",
    zero: bool = False,
) -> Chart:
    """Return the picture of one to six series over time.

    ``title`` is the sentence the picture is about; the subtitle is made of unit and as-of date unless given.
    ``previous`` is drawn as a ghost and must already stand on the same periods. ``forecast`` follows the (single)
    series, dashed, its interval as a band. ``partial_last`` says that the last period is not complete: it is dashed or
    hatched and never joined as whole; ``partial_note`` says how much of it is there (``9 of 31 days``).
    Bars start at zero; lines start at zero where the values come near it, or with ``zero``.
    """
    several = (series,) if isinstance(series, Series) else tuple(series)
    _check(several, form, grain, previous, forecast)
    picture = TimePicture(
        series=several, unit=unit, grain=grain, form=form, previous=previous, forecast=forecast, target=target,
        happenings=tuple(sorted(_inside(happenings, several, forecast, grain), key=lambda each: each.on)),
        partial=(partial_note or "not complete") if partial_last else "", zero=zero or form == "bars",
    )  # fmt: skip
    return Chart(
        kind="time-series",
        title=title,
        subtitle=_subtitle(picture, subtitle, as_of),
        table=_table(picture),
        alt=_alt(picture),
        layout=partial(drawn, picture),
    )


def _check(
    series: tuple[Series, ...], form: Form, grain: Grain, previous: Series | None, forecast: Series | None
) -> None:
    """Refuse what cannot be drawn."""
    if grain not in get_args(Grain):
        raise Invalid(
            f"There is no period “{grain}”.", mend=f"Use {words.listing([*get_args(Grain)], 'or')}."
        )
    if not series or not any(known(each.values) for each in series):
        raise Invalid("There is no value to draw.", mend="Say so in words instead of an empty picture.")
    if len(series) > 6:
        raise Invalid(
            f"{len(series)} lines in one picture cannot be told apart.",
            mend="Show the six that matter, and the others as one.",
        )
    names = [each.name for each in (*series, *filter(None, (previous, forecast)))]
    if len(set(names)) < len(names):
        raise Invalid("Two lines have the same name.", mend="Name each line by what sets it apart.")
    if len(series) > 1 and (form == "bars" or previous or forecast):
        raise Invalid(
            "Bars, an earlier period and a forecast are drawn for one series only.",
            mend="Draw one picture per series.",
        )
    if forecast and forecast.starts and series[0].starts and forecast.starts[-1] <= series[0].starts[-1]:
        raise Invalid("The forecast ends before the series does.", mend="Give the periods still to come.")


def _inside(
    happenings: Sequence[Happening], series: tuple[Series, ...], forecast: Series | None, grain: Grain
) -> list[Happening]:
    """Return what happened within the time drawn; what lies outside would only stretch the axis."""
    lines = [each for each in (*series, forecast) if each is not None and each.starts]
    first = min(each.starts[0] for each in lines)
    end = max(next_start(each.starts[-1], grain) for each in lines)
    return [happening for happening in happenings if first <= happening.on < end]


def _subtitle(picture: TimePicture, given: str, as_of: date | None) -> str:
    """Return what is measured, in which unit, as of when, and what the reader must know of the drawing."""
    names = picture.series[0].name if len(picture.series) == 1 else ""
    said = [
        given or ", ".join(filter(None, (f"{names} by {picture.grain}".strip(), _unit_words(picture.unit))))
    ]
    if as_of is not None:
        said.append(f"as of {words.day(as_of)}")
    if picture.partial:
        said.append(f"{period_name(picture.series[0].starts[-1], picture.grain)}: {picture.partial}")
    bottom = value_domain(picture)[0]
    if bottom > 0:
        said.append(f"the axis starts at {words.human(bottom, picture.unit)}")
    longest = max(len(each.values) for each in picture.series)
    if longest > MOST_POINTS:
        said.append(f"every high and low of {words.grouped(longest)} {picture.grain}s is drawn")
    return sentence(" · ".join(said))


def _unit_words(unit: str) -> str:
    """Return a unit as a subtitle names it; symbols on the axis say it already."""
    return "" if unit in {"", "count", "number", "%", "percent", "share", "ratio"} else unit


def _table(picture: TimePicture) -> Table:
    """Return every value, forecast and interval by period."""
    lines = [*picture.series, *filter(None, (picture.previous, picture.forecast))]
    starts = sorted({start for each in lines for start in each.starts})
    columns = [Column("period starts"), Column("period")]
    cells: list[dict[date, Cell]] = []
    for each in lines:
        parts = [(each.name, each.values)]
        if each.low:
            parts += [(f"{each.name}, low", each.low), (f"{each.name}, high", each.high)]
        for name, values in parts:
            columns.append(Column(name, picture.unit))
            cells.append(dict(zip(each.starts, values, strict=True)))
    if picture.partial:
        columns.append(Column("complete"))
        last = picture.series[0].starts[-1]
        cells.append({start: start != last for each in picture.series for start in each.starts})
    rows = tuple(
        (start, period_name(start, picture.grain), *(values.get(start) for values in cells))
        for start in starts
    )
    return Table(tuple(columns), rows)


def _alt(picture: TimePicture) -> str:
    """Return what the picture shows, in words that are true of the data."""
    return " ".join(
        sentence
        for sentence in (
            *(_line_alt(each, picture) for each in picture.series),
            _forecast_alt(picture),
            _target_alt(picture),
            _happenings_alt(picture),
        )
        if sentence
    )


def _line_alt(series: Series, picture: TimePicture) -> str:
    """Return how one line runs between its first and last complete periods, and its extremes inside."""
    whole = replace(
        series,
        starts=series.starts[:-1] if picture.partial else series.starts,
        values=series.values[:-1] if picture.partial else series.values,
        low=(), high=(),
    )  # fmt: skip
    points = [
        (start, value) for start, value in zip(whole.starts, whole.values, strict=True) if value is not None
    ]
    tail = f"; the last {picture.grain} is partial ({picture.partial})" if picture.partial else ""
    head = f"{series.name} by {picture.grain}"
    if not points:
        return f"{head}: no complete {picture.grain} is known{tail}."

    def said(value: float) -> str:
        return words.human(value, picture.unit)

    (first, start_value), (last, end_value) = points[0], points[-1]
    if len(points) == 1:
        return f"{head}, {period_name(first, picture.grain)}: {said(start_value)}{tail}."
    way = (
        "stays at"
        if said(start_value) == said(end_value)
        else "rises from"
        if end_value > start_value
        else "falls from"
    )
    run = f"{way} {said(start_value)}" + ("" if way == "stays at" else f" to {said(end_value)}")
    extremes = []
    for name, found in (("highest", max), ("lowest", min)):
        when, value = found(points, key=lambda point: point[1])
        if when not in (first, last) and said(value) not in (said(start_value), said(end_value)):
            extremes.append(f"{name} {said(value)} {in_period(when, picture.grain)}")
    missing = len(whole.values) - len(points)
    gaps = f"; {words.counted(missing, picture.grain + 's')} unknown" if missing else ""
    inside = "".join(f", {extreme}" for extreme in extremes)
    return (
        f"{head}, {period_name(first, picture.grain)} to {period_name(last, picture.grain)}; "
        f"{run}{inside}{gaps}{tail}."
    )


def _forecast_alt(picture: TimePicture) -> str:
    """Return where the forecast ends."""
    ahead = picture.forecast
    if ahead is None or not ahead.values or ahead.values[-1] is None:
        return ""
    low, high = (ahead.low[-1], ahead.high[-1]) if ahead.low else (None, None)
    band = f", {words.between(low, high, picture.unit)}" if low is not None and high is not None else ""
    return sentence(
        f"{ahead.name} for {period_name(ahead.starts[-1], picture.grain)}: "
        f"{words.human(ahead.values[-1], picture.unit)}{band}."
    )


def _target_alt(picture: TimePicture) -> str:
    """Return the target in words."""
    target = picture.target
    if target is None:
        return ""
    if target.value is not None:
        return sentence(f"{target.label}: {words.human(target.value, picture.unit)}.")
    return sentence(f"{target.label}: {words.between(target.low, target.high, picture.unit)}.")


def _happenings_alt(picture: TimePicture) -> str:
    """Return what is marked on the time axis."""
    if not picture.happenings:
        return ""
    said = [f"{words.day(each.on)} {each.kind}: {each.label}" for each in picture.happenings]
    return f"Marked: {'; '.join(said)}."
