"""Who is new, who returns, who came back to life, who fell silent; and whether use grows."""

from __future__ import annotations

from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.lifecycle import (
    STATES,
    LifecyclePeriod,
    lifecycle_members_sql,
    lifecycle_sql,
    read_lifecycle,
)
from potager.engines.behavior.periods import periods_of
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
from potager.kit.charts.waterfall import End, Movement, waterfall

USUAL_DAYS = {"day": 31, "week": 13 * 7, "month": 365}
NOUNS = {"person": "people", "account": "accounts"}
SAID = {"new": "new", "returning": "returning", "resurrected": "back after a pause", "dormant": "gone silent"}


class LifecycleParameters(Parameters):
    """What makes active, by which period."""

    event: str = parameter("", "Active means", widget="event", max_length=200)
    grain: Literal["day", "week", "month"] = parameter("week", "By")
    unit: Literal["person", "account"] = parameter(
        "person", "Counted are", widget="unit", words={"person": "people", "account": "accounts"}
    )


def _asked(stream: Stream, parameters: LifecycleParameters) -> tuple[Any, Any, Any, Days] | CannotTell:
    days = days_of(stream, parameters, usual=USUAL_DAYS[parameters.grain], grain=parameters.grain)
    if isinstance(days, CannotTell):
        return days
    match = match_of(parameters.event) if parameters.event else active_of(stream)
    with asking():
        scope = scope_of(stream, days, unit=parameters.unit, where=parameters.where)
        return events_of(stream), scope, match, days


def answer(stream: Stream, parameters: LifecycleParameters) -> Outcome:
    """Return how the active of each period came about."""
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        return refused(asked)
    events, scope, match, days = asked
    with asking():
        sql = lifecycle_sql(events, scope, parameters.grain, match)
    rows, ran = run(sql, events.tables, "who was new, back, gone")
    with asking():
        found = read_lifecycle(
            rows.to_pylist(), events, scope, parameters.grain, through=min(days.last, days.end)
        )
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    noun = NOUNS[parameters.unit]
    # The first period shown may begin before the events do: who was active before it is not known.
    whole = [
        (place, one)
        for place, one in enumerate(found)
        if one.whole and (place > 0 or one.starts > days.first)
    ]
    return Outcome(
        _sentence(whole, parameters, noun),
        chart=_picture(found, whole, parameters, noun, days),
        blocks=(_table(found, parameters, noun),),
        notes=(
            f"Gone silent: active in the {parameters.grain} before, not in this one. They are counted beside the "
            "active, not among them.",
        ),
        ran=(ran,),
        next=(("Do they come back?", "retention", ""), ("On how many days do they come?", "stickiness", "")),
        figures={
            "periods": [
                {
                    "starts": one.starts.isoformat(),
                    **{state: getattr(one, state) for state in STATES},
                    "whole": one.whole,
                }
                for one in found
            ]
        },
    )


def _sentence(whole: list[tuple[int, LifecyclePeriod]], parameters: LifecycleParameters, noun: str) -> str:
    if not whole:
        return f"No {parameters.grain} is over yet in these days."
    one = whole[-1][1]
    when = period_name(one.starts, parameters.grain)
    change = one.new + one.resurrected - one.dormant
    way = "grew" if change > 0 else "shrank" if change < 0 else "stayed as it was"
    by = f" by {words.human(abs(change))} {noun}" if change else ""
    ratio = one.quick_ratio
    said = "" if isinstance(ratio, CannotTell) else f": {ratio:.1f} came for each that fell silent"
    if not one.new + one.resurrected:
        said = f": nobody came, and {words.counted(one.dormant, noun)} fell silent" if one.dormant else ""
    begin = "In the week from" if parameters.grain == "week" else "On" if parameters.grain == "day" else "In"
    shown = words.day(one.starts) if parameters.grain != "month" else when
    return f"{begin} {shown}, use {way}{by}{said}."


def _picture(
    found: list[LifecyclePeriod],
    whole: list[tuple[int, LifecyclePeriod]],
    parameters: LifecycleParameters,
    noun: str,
    days: Days,
) -> Any:
    if not whole or whole[-1][0] == 0:
        return None
    place, one = whole[-1]
    before = found[place - 1]
    movements = [
        Movement("new", float(one.new), good=True),
        Movement("back after a pause", float(one.resurrected), good=True),
        Movement("gone silent", -float(one.dormant), good=False),
    ]
    return waterfall(
        End(period_name(before.starts, parameters.grain), float(before.active)), movements,
        End(period_name(one.starts, parameters.grain), float(one.active)),
        title=f"How the active {noun} of one {parameters.grain} became those of the next", unit=noun, as_of=days.last,
    )  # fmt: skip


def _table(found: list[LifecyclePeriod], parameters: LifecycleParameters, noun: str) -> Block:
    heads = (
        Head(parameters.grain.capitalize()), Head("Active", "count"),
        *(Head(SAID[state].capitalize(), "count") for state in STATES), Head("Came for each gone", ""),
    )  # fmt: skip
    rows = []
    for place, one in reversed([*enumerate(found)]):
        ratio = one.quick_ratio
        rows.append((
            Cell(period_name(one.starts, parameters.grain), partial=not one.whole), Cell(one.active),
            *(Cell(getattr(one, state), who=f"{place}:{state}" if getattr(one, state) else "") for state in STATES),
            Cell(None if isinstance(ratio, CannotTell) or not one.whole else round(ratio, 2)),
        ))  # fmt: skip
    return Block("Periods", heads, tuple(rows), about=f"{noun}")


def group(stream: Stream, parameters: LifecycleParameters, cell: str) -> Group:
    """Return who is in a state in a period."""
    number, _, state = cell.partition(":")
    asked = _asked(stream, parameters)
    if not number.isdecimal() or state not in STATES or isinstance(asked, CannotTell):
        raise no_cell(cell)
    events, scope, match, _ = asked
    with asking():
        sql = lifecycle_members_sql(events, scope, parameters.grain, int(number), state, match)
        starts = periods_of(events, parameters.grain, scope).starts(int(number))
    said = {"new": "were new", "returning": "returned", "resurrected": "came back after a pause",
            "dormant": "had fallen silent"}[state]  # fmt: skip
    return Group(
        f"{NOUNS[parameters.unit]} who {said} in the {parameters.grain} of {words.day(starts)}",
        parameters.unit, sql, events.tables,
    )  # fmt: skip


READING: Reading[Any] = enter(
    Reading(
        "lifecycle", "Growth", "Who is new, who returns, who came back, who fell silent; does use grow?",
        LifecycleParameters, answer, group,
    )
)  # fmt: skip
