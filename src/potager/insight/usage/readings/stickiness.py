"""On how many days of a week or month people come."""

from __future__ import annotations

from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.lifecycle import read_stickiness, stickiness_members_sql, stickiness_sql
from potager.insight.usage.describing import active_of, asking, events_of, match_of, scope_of
from potager.insight.usage.groups import no_cell
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import (
    Block,
    Cell,
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
from potager.kit.charts.bars import Bar, ranked_bars

USUAL_DAYS = 84
NOUNS = {"person": "people", "account": "accounts"}


class StickinessParameters(Parameters):
    """What makes active, and the period."""

    event: str = parameter("", "Active means", widget="event", max_length=200)
    grain: Literal["week", "month"] = parameter("week", "Days of a")
    unit: Literal["person", "account"] = parameter(
        "person", "Counted are", widget="unit", words={"person": "people", "account": "accounts"}
    )


def _asked(stream: Stream, parameters: StickinessParameters) -> tuple[Any, Any, Any] | CannotTell:
    days = days_of(stream, parameters, usual=USUAL_DAYS, grain=parameters.grain)
    if isinstance(days, CannotTell):
        return days
    match = match_of(parameters.event) if parameters.event else active_of(stream)
    with asking():
        scope = scope_of(stream, days, unit=parameters.unit, where=parameters.where)
    return events_of(stream), scope, match


def answer(stream: Stream, parameters: StickinessParameters) -> Outcome:
    """Return on how many days the active came."""
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        return refused(asked)
    events, scope, match = asked
    with asking():
        sql = stickiness_sql(events, scope, parameters.grain, match)
    rows, ran = run(sql, events.tables, "on how many days")
    with asking():
        found = read_stickiness(rows.to_pylist(), events, scope, parameters.grain)
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    noun = NOUNS[parameters.unit]
    last = max(days for days, count in enumerate(found.counts, 1) if count)
    shares = [count / found.people for count in found.counts]
    once = shares[0]
    sentence = (
        f"An active {'account' if parameters.unit == 'account' else 'person'} comes on {found.mean_days:.1f} days of a "
        f"{parameters.grain}; {words.human(once, 'share')} come on one day only."
    )
    bars = [Bar(words.counted(days, "days"), share * 100) for days, share in enumerate(shares[:last], 1)]
    at_least = 0
    rows_shown = []
    for days in range(last, 0, -1):
        at_least += found.counts[days - 1]
        rows_shown.append(
            (
                Cell(words.counted(days, "days")),
                Cell(found.counts[days - 1], who=f"{days}" if found.counts[days - 1] else ""),
                Cell(shares[days - 1]),
                Cell(at_least / found.people),
            )
        )
    return Outcome(
        sentence,
        chart=ranked_bars(
            bars,
            title=f"On how many days of a {parameters.grain} the active {noun} come",
            unit="%",
            what="share",
            ranked=False,
            adds_up=False,
            most=31,
        ),
        blocks=(
            Block(
                "Days",
                (
                    Head("On"),
                    Head(f"{noun.capitalize()}, summed over the {parameters.grain}s", "count"),
                    Head("Share", "share"),
                    Head("On so many or more", "share"),
                ),
                tuple(reversed(rows_shown)),
                about=f"{words.counted(found.periods, parameters.grain + 's')}",
            ),
        ),
        notes=(
            f"Summed over {words.counted(found.periods, parameters.grain + 's')}: "
            "somebody active in two counts in both.",
        ),
        ran=(ran,),
        next=(("Do they come back?", "retention", ""),),
        figures={
            "counts": list(found.counts),
            "mean_days": found.mean_days,
            "share_of_days": found.share_of_days,
        },
    )


def group(stream: Stream, parameters: StickinessParameters, cell: str) -> Group:
    """Return who came on so many days."""
    asked = _asked(stream, parameters)
    if not cell.isdecimal() or isinstance(asked, CannotTell):
        raise no_cell(cell)
    events, scope, match = asked
    with asking():
        sql = stickiness_members_sql(events, scope, parameters.grain, int(cell), match)
    noun = NOUNS[parameters.unit]
    return Group(
        f"{noun} who came on {words.counted(int(cell), 'days')} of a {parameters.grain}",
        parameters.unit,
        sql,
        events.tables,
    )


READING: Reading[Any] = enter(
    Reading(
        "stickiness",
        "Stickiness",
        "On how many days of a week or month they come.",
        StickinessParameters,
        answer,
        group,
    )
)
