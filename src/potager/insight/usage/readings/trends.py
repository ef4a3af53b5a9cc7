"""How many do something, period by period: people, events, or events a person; split by a property."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import urlencode

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import Match
from potager.engines.behavior.trends import (
    OTHER,
    Trend,
    TrendPoint,
    read_trends,
    trend_members_sql,
    trends_sql,
)
from potager.insight.usage.describing import active_of, asking, events_of, match_of, scope_of
from potager.insight.usage.groups import no_cell
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import (
    Block,
    Cell,
    Days,
    Group,
    Head,
    Outcome,
    Parameters,
    Reading,
    days_of,
    enter,
    parameter,
    refused,
)
from potager.insight.usage.running import run
from potager.kit import words
from potager.kit.charts.axes import period_name
from potager.kit.charts.chart import Chart
from potager.kit.charts.series import Series, time_series

USUAL_DAYS = {"day": 60, "week": 26 * 7, "month": 730}
MOST_LINES = 5
NOUNS = {"person": "people", "account": "accounts"}


class TrendParameters(Parameters):
    """What is counted, by which period, split by what."""

    event: str = parameter("", "Event", widget="event", max_length=200)
    measure: Literal["people", "events", "per_person"] = parameter(
        "people",
        "Counted are",
        words={"people": "who did it", "events": "how often", "per_person": "how often each"},
    )
    grain: Literal["day", "week", "month"] = parameter("week", "By")
    by: str = parameter("", "Split by", widget="property", max_length=120)
    unit: Literal["person", "account"] = parameter(
        "person", "Whose", widget="unit", words={"person": "people", "account": "accounts"}
    )


def _match(stream: Stream, parameters: TrendParameters) -> Match:
    return match_of(parameters.event) if parameters.event else active_of(stream)


def answer(stream: Stream, parameters: TrendParameters) -> Outcome:
    """Return how many, period by period."""
    days = days_of(stream, parameters, usual=USUAL_DAYS[parameters.grain], grain=parameters.grain)
    if isinstance(days, CannotTell):
        return refused(days)
    with asking():
        events = events_of(stream)
        scope = scope_of(stream, days, unit=parameters.unit, where=parameters.where)
        match = _match(stream, parameters)
        sql = trends_sql(events, scope, parameters.grain, match, by=parameters.by, top=MOST_LINES)
    rows, ran = run(sql, events.tables, f"by {parameters.grain}")
    with asking():
        found = read_trends(
            rows.to_pylist(), events, scope, parameters.grain, through=min(days.last, days.end)
        )
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    unit = _unit(parameters)
    return Outcome(
        _sentence(stream, found, parameters, days),
        chart=_picture(found, parameters, unit, days),
        blocks=(_table(found, parameters, unit, days),),
        notes=_notes(found, parameters),
        ran=(ran,),
        next=(
            (
                "Do they come back?",
                "retention",
                urlencode({"start": parameters.event} if parameters.event else {}),
            ),
            ("Who is new, who is back, who is gone?", "lifecycle", ""),
        ),
        figures={
            "lines": [
                {"name": line.name, "values": [point.value(parameters.measure) for point in line.points]}
                for line in found
            ],
            "starts": [point.starts.isoformat() for point in found[0].points],
        },
    )


def _unit(parameters: TrendParameters) -> str:
    if parameters.measure == "people":
        return NOUNS[parameters.unit]
    return "events" if parameters.measure == "events" else ""


def _who(parameters: TrendParameters) -> str:
    return NOUNS[parameters.unit]


def _sentence(stream: Stream, found: list[Trend], parameters: TrendParameters, days: Days) -> str:
    line = found[0]
    whole = [point for point in line.points if point.whole and point.starts >= days.start]
    doing = f"did “{parameters.event}”" if parameters.event else "were active"
    within = f" where {parameters.by} is {line.name}" if parameters.by else ""
    if not whole:
        return f"No {parameters.grain} is over yet since {words.day(days.start)}."
    last = whole[-1]
    value = last.value(parameters.measure)
    when = {
        "day": f"on {words.day(last.starts)}",
        "week": f"in the week from {words.day(last.starts)}",
        "month": f"in {period_name(last.starts, 'month')}",
    }[parameters.grain]
    if value is None:
        return f"Nobody {doing.removeprefix('were ')}{within} {when}."
    if parameters.measure == "people":
        said = f"{words.counted(int(value), _who(parameters))} {doing}{within} {when}"
        if value == 1:
            said = said.replace(" were active", " was active")
    elif parameters.measure == "events":
        what = f"“{parameters.event}”" if parameters.event else "Something"
        said = f"{what} was done {words.human(value)} times{within} {when}"
    else:
        noun = "account" if parameters.unit == "account" else "person"
        said = (
            f"Each {noun} {f'did “{parameters.event}”' if parameters.event else 'did something'} "
            f"{words.human(value)} times{within} {when}"
        )
    before = whole[-2].value(parameters.measure) if len(whole) > 1 else None
    if before:
        said += f", {words.change(value / before - 1)} on the {parameters.grain} before"
    return f"{said}."


def _notes(found: list[Trend], parameters: TrendParameters) -> tuple[str, ...]:
    notes = []
    if parameters.by and parameters.measure == "people":
        notes.append("Somebody can stand in several lines: they do not add up to everybody.")
    if any(not point.whole for point in found[0].points):
        notes.append(f"A {parameters.grain} that is not over in the data is hatched and not compared.")
    return tuple(notes)


def _picture(found: list[Trend], parameters: TrendParameters, unit: str, days: Days) -> Chart | None:
    lines = []
    for trend in found[: MOST_LINES + 1]:
        name = trend.name or (parameters.event or "active")
        values = tuple(point.value(parameters.measure) for point in trend.points)
        lines.append(Series(name, tuple(point.starts for point in trend.points), values))
    if not any(value is not None for line in lines for value in line.values):
        return None
    doing = f"did “{parameters.event}”" if parameters.event else "were active"
    title = {
        "people": f"How many {_who(parameters)} {doing}",
        "events": f"How often {parameters.event or 'anything'} was done",
        "per_person": f"How often each of the {_who(parameters)} {doing}",
    }[parameters.measure]
    return time_series(
        lines,
        title=f"{title}, by {parameters.grain}" + (f" and {parameters.by}" if parameters.by else ""),
        unit=unit,
        grain=parameters.grain,
        as_of=days.last,
        partial_last=not found[0].points[-1].whole,
        zero=True,
    )


def _table(found: list[Trend], parameters: TrendParameters, unit: str, days: Days) -> Block:
    heads = [Head(parameters.grain.capitalize())]
    heads += [Head(line.name or (parameters.event or "Active"), "count" if unit else "") for line in found]
    rows = []
    for place in reversed(range(len(found[0].points))):
        starts = found[0].points[place].starts
        cells = [Cell(period_name(starts, parameters.grain), partial=not found[0].points[place].whole)]
        cells += [_cell(line, line.points[place], place, parameters) for line in found]
        rows.append(tuple(cells))
    return Block("Values", tuple(heads), tuple(rows))


def _cell(line: Trend, point: TrendPoint, place: int, parameters: TrendParameters) -> Cell:
    value = point.value(parameters.measure)
    # "other" is whatever is not among the largest, and no value of its own that could be looked for.
    linked = point.people > 0 and not (parameters.by and line.name == OTHER)
    return Cell(value, who=f"{place}:{line.name}" if linked else "")


def group(stream: Stream, parameters: TrendParameters, cell: str) -> Group:
    """Return who did it in a period."""
    number, _, value = cell.partition(":")
    days = days_of(stream, parameters, usual=USUAL_DAYS[parameters.grain], grain=parameters.grain)
    if not number.isdecimal() or isinstance(days, CannotTell):
        raise no_cell(cell)
    with asking():
        events = events_of(stream)
        scope = scope_of(stream, days, unit=parameters.unit, where=parameters.where)
        match = _match(stream, parameters)
        sql = trend_members_sql(
            events, scope, parameters.grain, int(number), match, by=parameters.by, value=value
        )
    starts: date = _starts(stream, days, parameters, int(number))
    doing = f"did “{parameters.event}”" if parameters.event else "were active"
    within = f" where {parameters.by} is {value}" if parameters.by else ""
    when = f"in the {parameters.grain} of {words.day(starts)}"
    return Group(f"{NOUNS[parameters.unit]} who {doing}{within} {when}", parameters.unit, sql, events.tables)


def _starts(stream: Stream, days: Days, parameters: TrendParameters, place: int) -> date:
    from potager.engines.behavior.periods import Periods

    return Periods(parameters.grain, days.start, stream.week_starts).starts(place)


READING: Reading[Any] = enter(
    Reading(
        "trends", "Trends", "How many do something, by day, week or month.", TrendParameters, answer, group
    )
)
