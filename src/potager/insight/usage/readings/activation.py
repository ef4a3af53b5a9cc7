"""What predicts keeping? Which early behavior goes with staying, tested on people who did not choose it."""

from __future__ import annotations

from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior import (
    Activation,
    ActivationResult,
    Behavior,
    activation_members_sql,
    activation_sql,
    read_activation,
)
from potager.insight.usage.describing import asking, events_of, match_of, scope_of
from potager.insight.usage.facts import facts_of
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
from potager.kit.charts.bars import Estimate, compared

USUAL_DAYS = 730
MOST_SHOWN = 30
NOUNS = {"person": "people", "account": "accounts"}
COUNTS = (1, 2, 3, 5, 10)


class ActivationParameters(Parameters):
    """What begins, what staying is, how early is early."""

    begin: str = parameter("", "Began with", widget="event", max_length=200)
    back: str = parameter("", "Staying is doing", widget="event", max_length=200)
    early: int = parameter(7, "Early is the first", help="Days from the first moment.", ge=1, le=90)
    after: int = parameter(28, "Stayed if back from day", ge=1, le=365)
    until: int = parameter(56, "to day", ge=2, le=730)
    unit: Literal["person", "account"] = parameter(
        "person", "Counted are", widget="unit", words={"person": "people", "account": "accounts"}
    )


def _asked(stream: Stream, parameters: ActivationParameters) -> tuple[Any, Any, Activation] | CannotTell:
    days = days_of(stream, parameters, usual=USUAL_DAYS)
    if isinstance(days, CannotTell):
        return days
    early, begin = parameters.early, beginning(stream, parameters)
    spans = tuple(sorted({1, max(early // 2, 1), early}))
    with asking():
        activation = Activation(
            start=match_of(begin),
            back=match_of(parameters.back),
            after=parameters.after,
            until=parameters.until,
            counts=COUNTS,
            days=spans,
        )
        return (
            events_of(stream),
            scope_of(stream, days, unit=parameters.unit, where=parameters.where),
            activation,
        )


def needs(stream: Stream) -> str:
    """Return what a stream lacks."""
    return (
        "" if stream.event else "Every row is the same event here: there is no early behavior to tell apart."
    )


def beginning(stream: Stream, parameters: ActivationParameters) -> str:
    """Return what somebody begins with: what was asked for, or else what most people did."""
    if parameters.begin:
        return parameters.begin
    names = sorted(facts_of(stream).names, key=lambda one: (-one.people, -one.count, one.name))
    return names[0].name if names else ""


def answer(stream: Stream, parameters: ActivationParameters) -> Outcome:
    """Return which early behavior goes with staying, measured on those who were held out."""
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        return refused(asked)
    events, scope, activation = asked
    with asking():
        sql = activation_sql(events, scope, activation)
    rows, ran = run(sql, events.tables, "early behavior, and who stayed")
    with asking():
        found = read_activation(rows.to_pylist())
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    noun = NOUNS[parameters.unit]
    begin = beginning(stream, parameters)
    if not found.tested:
        refusal = CannotTell(
            "too_few",
            f"Nothing but “{begin}” was done early by enough {noun}, and left out by enough, to be tested.",
            "Begin with another event, or look at more days.",
        )
        return refused(refusal, (ran,))
    confirmed = [one for one in found.behaviors if one.confirmed]
    stayed = f"came back between day {parameters.after} and day {parameters.until}"
    if parameters.back:
        stayed = f"did {parameters.back} between day {parameters.after} and day {parameters.until}"
    notes = [
        f"Began is doing “{begin}” for the first time. {words.human(found.staying, 'share')} of "
        f"{words.counted(found.people, noun)} {stayed}. "
        f"{words.counted(found.tested, 'candidates')} were tested on one half of them, with at most 5 % false "
        "discoveries; what is shown is measured on the other half, which chose nothing.",
        "This is an association: those who stay may do it because they were going to stay. Before you push everybody "
        "into it, run the experiment below.",
    ]
    return Outcome(
        _sentence(found, confirmed, noun),
        chart=_picture(confirmed or list(found.behaviors)),
        blocks=tuple(_blocks(found, noun)),
        notes=tuple(notes),
        ran=(ran,),
        evidence="association",
        next=(("Do they come back?", "retention", ""),),
        figures={
            "people": found.people,
            "staying": found.staying,
            "tested": found.tested,
            "behaviors": [
                {
                    "event": one.event,
                    "times": one.times,
                    "days": one.days,
                    "lift": one.held_out.value,
                    "low": one.held_out.low,
                    "high": one.held_out.high,
                    "q": one.q,
                    "confirmed": one.confirmed,
                    "arm": one.arm,
                }
                for one in found.behaviors[:MOST_SHOWN]
            ],
        },
    )


def did(one: Behavior) -> str:
    """Return a behavior in words."""
    times = "" if one.times == 1 else f" {one.times} times or more"
    return f"“{one.event}”{times} in the first {words.counted(one.days, 'days') if one.days > 1 else 'day'}"


def _sentence(found: ActivationResult, confirmed: list[Behavior], noun: str) -> str:
    if not confirmed:
        return (
            f"None of {words.counted(found.tested, 'early behaviors')} goes with staying beyond chance "
            f"on the {noun} held out."
        )
    one = confirmed[0]
    stay, other = one.held_out.first, one.held_out.second
    return (
        f"{noun.capitalize()} who did {did(one)} stayed {words.human(stay.value, 'share')} of the time, the others "
        f"{words.human(other.value, 'share')}."
    )


def _picture(behaviors: list[Behavior]) -> Any:
    best: dict[str, Behavior] = {}
    for one in behaviors:
        best.setdefault(one.event, one)
    rows = [
        Estimate(did(one), one.held_out.value * 100, one.held_out.low * 100, one.held_out.high * 100)
        for one in list(best.values())[:10]
    ]
    if not rows:
        return None
    return compared(
        rows,
        title="How much more often those stayed who did it, on the half held out",
        unit="pp",
        what="difference",
    )


def _blocks(found: ActivationResult, noun: str) -> list[Block]:
    rows: list[tuple[Cell, ...]] = []
    trials: list[tuple[Cell, ...]] = []
    for one in found.behaviors[:MOST_SHOWN]:
        key = f"{one.event}|{one.times}|{one.days}"
        held = one.held_out
        rows.append(
            (
                Cell(did(one)),
                Cell(one.share_doing, who=key),
                Cell(held.first.value),
                Cell(held.second.value),
                Cell(held.value * 100, low=held.low * 100, high=held.high * 100),
                Cell("yes" if one.confirmed else "no"),
            )
        )
        if one.confirmed and one.arm and len(trials) < 5:
            trials.append((Cell(f"Lead a random half to {did(one)}"), Cell(one.arm), Cell(held.value * 50)))
    blocks = (
        [
            Block(
                "Early behavior that goes with staying",
                (
                    Head("Did"),
                    Head("Of all", "share"),
                    Head("Stayed who did", "share"),
                    Head("Stayed who did not", "share"),
                    Head("Difference", "pp"),
                    Head("Confirmed"),
                ),
                tuple(rows),
                about=f"{words.of_how_many(len(rows), found.tested, 'candidates')} passed; held-out {noun}",
            )
        ]
        if rows
        else []
    )
    if trials:
        blocks.append(
            Block(
                "The experiment to run before believing it",
                (
                    Head("Lead"),
                    Head(f"{noun.capitalize()} in each arm", "count"),
                    Head("To see an effect of", "pp"),
                ),
                tuple(trials),
                about="half of the difference seen, with 80 % power at the 5 % level",
            )
        )
    return blocks


def group(stream: Stream, parameters: ActivationParameters, cell: str) -> Group:
    """Return who showed an early behavior (``:stayed`` and ``:left`` narrow it down)."""
    parts = cell.split("|")
    asked = _asked(stream, parameters)
    if (
        len(parts) not in {3, 4}
        or not (parts[1].isdecimal() and parts[2].isdecimal())
        or isinstance(asked, CannotTell)
    ):
        raise no_cell(cell)
    events, scope, activation = asked
    kept = {"stayed": True, "left": False}.get(parts[3]) if len(parts) == 4 else None
    with asking():
        sql = activation_members_sql(
            events, scope, activation, parts[0], int(parts[1]), int(parts[2]), stayed=kept
        )
    said = (
        f"{NOUNS[parameters.unit]} who did {parts[0]} {parts[1]} times or more in the first {parts[2]} days"
    )
    return Group(said, parameters.unit, sql, events.tables)


READING: Reading[Any] = enter(
    Reading(
        "activation",
        "Activation",
        "Which early behavior goes with staying, on people held out.",
        ActivationParameters,
        answer,
        group,
        needs,
    )
)
