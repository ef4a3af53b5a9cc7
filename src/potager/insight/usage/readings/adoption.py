"""How far a feature is taken up: by people, by accounts, by what they pay."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from potager.engines.answers import CannotTell
from potager.engines.behavior import (
    AdoptionPeriod,
    Periods,
    Weights,
    adoption_members_sql,
    adoption_sql,
    read_adoption,
)
from potager.insight.usage.describing import asking, events_of, match_of, scope_of
from potager.insight.usage.facts import facts_of
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
from potager.insight.usage.relation import months_condition, one_book
from potager.insight.usage.running import run
from potager.kit import words
from potager.kit.charts.axes import period_name
from potager.kit.charts.series import Series, time_series

USUAL_DAYS = {"day": 60, "week": 26 * 7, "month": 548}
NOUNS = {"person": "people", "account": "accounts"}


class AdoptionParameters(Parameters):
    """Which feature, by which period, weighed or not."""

    event: str = parameter("", "Feature", widget="event", help="Empty compares them all.", max_length=200)
    grain: Literal["day", "week", "month"] = parameter("month", "By")
    unit: Literal["person", "account"] = parameter(
        "person", "Counted are", widget="unit", words={"person": "people", "account": "accounts"}
    )
    weight: Literal["", "revenue"] = parameter(
        "", "Weighed by", widget="weight", words={"": "nothing: each counts once", "revenue": "what they pay"}
    )


def needs(stream: Stream) -> str:
    """Return what a stream lacks."""
    return "" if stream.event else "Every row is the same event here: there is no feature among them."


def _asked(stream: Stream, parameters: AdoptionParameters) -> tuple[Any, Any, Days] | CannotTell:
    days = days_of(stream, parameters, usual=USUAL_DAYS[parameters.grain], grain=parameters.grain)
    if isinstance(days, CannotTell):
        return days
    unit: Literal["person", "account"] = "account" if parameters.weight else parameters.unit
    with asking():
        return events_of(stream), scope_of(stream, days, unit=unit, where=parameters.where), days


def answer(stream: Stream, parameters: AdoptionParameters) -> Outcome:
    """Return how many use a feature of those who are active, and how many took it up."""
    if not parameters.event:
        return _ranking(stream)
    if parameters.weight:
        refusal = (
            one_book(stream)
            if stream.revenue_table and stream.account
            else CannotTell(
                "undefined",
                "Nobody said which account an event is for, or where revenue is.",
                "Say so on its page.",
            )
        )
        if refusal is not None:
            return refused(refusal)
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        return refused(asked)
    events, scope, days = asked
    weights = (
        Weights(stream.revenue_table, "customer", "month", "end_cents", months_condition(stream))
        if parameters.weight and parameters.grain == "month"
        else None
    )
    if parameters.weight and weights is None:
        refusal = CannotTell("undefined", "What accounts pay is known by month only.", "Look by month.")
        return refused(refusal)
    with asking():
        sql = adoption_sql(events, scope, parameters.grain, match_of(parameters.event), weights=weights)
    rows, ran = run(sql, [*events.tables, *([stream.revenue_table] if weights else [])], "who used it")
    with asking():
        found = read_adoption(
            rows.to_pylist(), events, scope, parameters.grain, through=min(days.last, days.end)
        )
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    noun = NOUNS[scope.unit]
    return Outcome(
        _sentence(found, parameters, noun),
        chart=_picture(found, parameters, noun, days),
        blocks=(_table(found, parameters, noun),),
        notes=("Active: did anything at all in the period.",),
        ran=(ran,),
        next=(
            *(
                [("Do accounts that use it leave less?", "worth", urlencode({"event": parameters.event}))]
                if stream.account and stream.revenue_table
                else []
            ),
            (
                "Do they come back to it?",
                "retention",
                urlencode({"begin": parameters.event, "back": parameters.event}),
            ),
        ),
        figures={
            "periods": [
                {
                    "starts": one.starts.isoformat(),
                    "active": one.active,
                    "using": one.using.part if one.using else 0,
                    "taking_up": one.taking_up,
                    "ever": one.ever,
                    "worth_share": one.worth_share,
                }
                for one in found
            ]
        },
    )


def _ranking(stream: Stream) -> Outcome:
    """Return every feature with the share of all people who ever did it."""
    from potager.kit.charts.bars import Bar, ranked_bars

    facts = facts_of(stream)
    if not facts.names or not facts.people:
        from potager.insight.usage.readings.base import no_events

        return refused(no_events(stream), facts.ran)
    order = sorted(facts.names, key=lambda one: (-one.people, one.name))
    top = order[0]
    rows = tuple(
        (Cell(one.name), Cell(one.people), Cell(one.people / facts.people), Cell(one.count)) for one in order
    )
    return Outcome(
        f"“{top.name}” is what most people did: {words.human(top.people / facts.people, 'share')} of "
        f"{words.counted(facts.people, 'people')}.",
        chart=ranked_bars(
            [Bar(one.name, 100 * one.people / facts.people) for one in order],
            title="Share of all people who ever did it",
            unit="%",
            what="share",
            adds_up=False,
        ),
        blocks=(
            Block(
                "Features",
                (Head("Feature"), Head("People", "count"), Head("Of all", "share"), Head("Times", "count")),
                rows,
            ),
        ),
        notes=(
            "Over all days in the data. Choose a feature to see it by month, by account, or by what they pay.",
        ),
        ran=facts.ran,
        next=tuple((f"{one.name} by month", "adoption", urlencode({"event": one.name})) for one in order[:4]),
    )


def _sentence(found: list[AdoptionPeriod], parameters: AdoptionParameters, noun: str) -> str:
    whole = [one for one in found if one.whole]
    if not whole or whole[-1].using is None:
        return f"No {parameters.grain} with anybody active is over yet."
    one = whole[-1]
    using = one.using
    assert using is not None
    when = {
        "month": "in " + period_name(one.starts, "month"),
        "week": f"in the week from {words.day(one.starts)}",
        "day": f"on {words.day(one.starts)}",
    }[parameters.grain]
    active = f"{words.human(one.active)} active {noun}"
    said = f"{words.human(using.value, 'share')} of {active} used “{parameters.event}” {when}"
    if one.worth_share is not None:
        said += f"; they pay {words.human(one.worth_share, 'share')} of all revenue"
    return f"{said}; {words.counted(one.taking_up, noun)} took it up."


def _picture(found: list[AdoptionPeriod], parameters: AdoptionParameters, noun: str, days: Days) -> Any:
    starts = tuple(one.starts for one in found)
    lines = [
        Series(
            f"active {noun}",
            starts,
            tuple(one.using.value if one.using else None for one in found),
            tuple(one.using.low if one.using else None for one in found),
            tuple(one.using.high if one.using else None for one in found),
        )
    ]
    if any(one.worth_share is not None for one in found):
        lines.append(Series("revenue", starts, tuple(one.worth_share for one in found)))
    if not any(value is not None for value in lines[0].values):
        return None
    return time_series(
        lines,
        title=f"Share that used {parameters.event}, by {parameters.grain}",
        unit="share",
        grain=parameters.grain,
        as_of=days.last,
        partial_last=not found[-1].whole,
        zero=True,
    )


def _table(found: list[AdoptionPeriod], parameters: AdoptionParameters, noun: str) -> Block:
    heads = [
        Head(parameters.grain.capitalize()),
        Head("Active", "count"),
        Head("Used it", "count"),
        Head("Of the active", "share"),
        Head("Did not", "count"),
        Head("Took it up", "count"),
        Head("Ever", "count"),
    ]
    if parameters.weight:
        heads.append(Head("Of revenue", "share"))
    rows = []
    for place, one in reversed([*enumerate(found)]):
        part = one.using.part if one.using else 0
        without = one.active - part
        cells = [
            Cell(period_name(one.starts, parameters.grain), partial=not one.whole),
            Cell(one.active),
            Cell(part, who=f"{place}:used" if part else ""),
            Cell(
                one.using.value if one.using else None,
                low=one.using.low if one.using else None,
                high=one.using.high if one.using else None,
            ),
            Cell(without, who=f"{place}:not" if without else ""),
            Cell(one.taking_up),
            Cell(one.ever),
        ]
        if parameters.weight:
            cells.append(Cell(one.worth_share))
        rows.append(tuple(cells))
    return Block("Periods", tuple(heads), tuple(rows), about=noun)


def group(stream: Stream, parameters: AdoptionParameters, cell: str) -> Group:
    """Return who used a feature in a period, or was active and did not."""
    number, _, kind = cell.partition(":")
    asked = _asked(stream, parameters)
    known = number.isdecimal() and kind in {"used", "not"} and parameters.event
    if not known or isinstance(asked, CannotTell):
        raise no_cell(cell)
    events, scope, days = asked
    with asking():
        sql = adoption_members_sql(
            events, scope, parameters.grain, match_of(parameters.event), int(number), using=kind == "used"
        )
    starts = Periods(parameters.grain, days.start, stream.week_starts).starts(int(number))
    did = f"used {parameters.event}" if kind == "used" else f"were active and did not use {parameters.event}"
    said = f"{NOUNS[scope.unit]} who {did} in the {parameters.grain} of {words.day(starts)}"
    return Group(said, scope.unit, sql, events.tables)


READING: Reading[Any] = enter(
    Reading(
        "adoption",
        "Adoption",
        "How far a feature is taken up: by people, by accounts, by what they pay.",
        AdoptionParameters,
        answer,
        group,
        needs,
    )
)
