"""What they do next, and what they did before."""

from __future__ import annotations

from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.paths import Move, Paths, path_members_sql, paths_sql, read_paths
from potager.engines.behavior.trends import OTHER
from potager.insight.usage.describing import asking, events_of, scope_of
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

USUAL_DAYS = 28
MOST_MOVES = 40


class PathParameters(Parameters):
    """From which event, or to which, and how far."""

    event: str = parameter("", "Event", widget="event", help="Empty begins with the session.", max_length=200)
    direction: Literal["from", "to"] = parameter(
        "from", "Look at", words={"from": "what comes after", "to": "what came before"}
    )
    steps: int = parameter(3, "How many steps", ge=1, le=8)
    pause: int = parameter(
        30, "A session ends after", fold=True, help="Minutes without an event.", ge=1, le=1440
    )


def needs(stream: Stream) -> str:
    """Return what a stream lacks."""
    return "" if stream.event else "Every row is the same event here: there is no path among them."


def _asked(stream: Stream, parameters: PathParameters) -> tuple[Any, Any, Paths] | CannotTell:
    days = days_of(stream, parameters, usual=USUAL_DAYS)
    if isinstance(days, CannotTell):
        return days
    with asking():
        paths = Paths(parameters.event, parameters.direction, parameters.steps, parameters.pause * 60)
        return events_of(stream), scope_of(stream, days, where=parameters.where), paths


def answer(stream: Stream, parameters: PathParameters) -> Outcome:
    """Return the moves from or to an event, the most frequent first."""
    if parameters.direction == "to" and not parameters.event:
        because = "Which event? What came before can only be said of one."
        return Outcome(because, refusal=CannotTell("ambiguous", because, "Choose an event below."))
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        return refused(asked)
    events, scope, paths = asked
    with asking():
        sql = paths_sql(events, scope, paths)
    rows, ran = run(sql, events.tables, "moves within sessions")
    found = read_paths(rows.to_pylist())
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    first = [move for move in found if move.step == 1]
    whole = sum(move.sessions for move in first)
    after = "after" if parameters.direction == "from" else "before"
    what = f"“{parameters.event}”" if parameters.event else "the first thing"
    top = max(first, key=lambda move: move.sessions)
    start = f"“{top.source}” then " if not parameters.event else ""
    sentence = (
        f"{words.human(top.sessions / whole, 'share')} of {words.human(whole)} sessions that went on did "
        f"{start}“{top.target}” next."
        if parameters.direction == "from"
        else f"In {words.human(top.sessions / whole, 'share')} of {words.human(whole)} sessions, "
        f"“{top.target}” came just "
        f"before {what}."
    )
    targets: dict[str, int] = {}
    for move in first:
        targets[move.target] = targets.get(move.target, 0) + move.sessions
    bars = [Bar(name, count, note=words.human(count / whole, "share")) for name, count in targets.items()]
    return Outcome(
        sentence,
        chart=ranked_bars(bars, title=f"What comes just {after} {what}", what="sessions", unit="sessions"),
        blocks=(_table(found, parameters),),
        notes=(
            f"{words.period(scope.start, scope.end)}. The same event several times in a row is one step; "
            "a session ends "
            f"after {words.counted(parameters.pause, 'minutes')} without an event.",
        ),
        ran=(ran,),
        figures={"moves": [[move.step, move.source, move.target, move.sessions] for move in found]},
    )


def _table(found: list[Move], parameters: PathParameters) -> Block:
    totals: dict[tuple[int, str], int] = {}
    for move in found:
        totals[move.step, move.source] = totals.get((move.step, move.source), 0) + move.sessions
    shown_moves = sorted(found, key=lambda move: (move.step, -move.sessions))[:MOST_MOVES]
    rows = []
    for move in shown_moves:
        linked = OTHER not in (move.source, move.target)
        rows.append(
            (
                Cell(f"{move.step}"),
                Cell(move.source),
                Cell(move.target),
                Cell(move.sessions, who=f"{move.step}|{move.source}|{move.target}" if linked else ""),
                Cell(move.sessions / totals[move.step, move.source]),
            )
        )
    then = "Then" if parameters.direction == "from" else "Before it"
    about = words.of_how_many(len(rows), len(found), "moves") if len(found) > len(rows) else ""
    return Block(
        "Moves",
        (
            Head("Step"),
            Head("From" if parameters.direction == "from" else "Event"),
            Head(then),
            Head("Sessions", "count"),
            Head("Of those", "share"),
        ),
        tuple(rows),
        about=about,
    )


def group(stream: Stream, parameters: PathParameters, cell: str) -> Group:
    """Return who made a move."""
    parts = cell.split("|")
    asked = _asked(stream, parameters)
    if len(parts) != 3 or not parts[0].isdecimal() or isinstance(asked, CannotTell):
        raise no_cell(cell)
    events, scope, paths = asked
    with asking():
        sql = path_members_sql(events, scope, paths, int(parts[0]), parts[1], parts[2])
    joint = "then" if parameters.direction == "from" else "after"
    return Group(f"people who did {parts[1]} {joint} {parts[2]}", "person", sql, events.tables)


READING: Reading[Any] = enter(
    Reading(
        "paths", "Paths", "What they do next, and what they did before.", PathParameters, answer, group, needs
    )
)
