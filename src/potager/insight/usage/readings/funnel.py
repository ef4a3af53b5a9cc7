"""How many do this, then that: where they drop out, how long it takes, and who they are."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import Match
from potager.engines.behavior.funnels import (
    MOST_FOLDED,
    Funnel,
    FunnelResult,
    funnel_members_sql,
    funnel_sql,
    read_funnel,
)
from potager.insight.usage.describing import asking, events_of, scope_of
from potager.insight.usage.facts import busiest, facts_of
from potager.insight.usage.groups import no_cell
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import (
    MOST_STEPS,
    Block,
    Cell,
    Group,
    Head,
    Names,
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

SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
USUAL_DAYS = 90
MOST_SPLITS = 12


class FunnelParameters(Parameters):
    """The steps, and within which time they are to be taken."""

    step: Names = parameter(
        [],
        "Steps, in order",
        widget="steps",
        help="Two or more. A further one appears when these are shown.",
        max_length=MOST_STEPS,
    )
    order: Literal["ordered", "strict", "unordered"] = parameter(
        "ordered",
        "Between the steps",
        words={
            "ordered": "anything may happen",
            "strict": "nothing may happen",
            "unordered": "steps in any order",
        },
    )
    window: int = parameter(14, "Within", help="Counted from the first step.", ge=1, le=3650)
    window_unit: Literal["minute", "hour", "day"] = parameter(
        "day", "of", words={"minute": "minutes", "hour": "hours", "day": "days"}
    )
    without: Names = parameter(
        [], "Ended by", widget="events", fold=True, help="An event that ends the attempt.", max_length=6
    )
    by: str = parameter("", "Split by", widget="property", max_length=120)
    touch: Literal["first", "last", "all"] = parameter(
        "first",
        "The split's value is that of",
        fold=True,
        words={"first": "the first step's first event", "last": "its last event", "all": "every step"},
    )
    unit: Literal["person", "account"] = parameter(
        "person", "Counted are", widget="unit", words={"person": "people", "account": "accounts"}
    )


def needs(stream: Stream) -> str:
    """Return what a stream lacks."""
    return "" if stream.event else "Every row is the same event here: a funnel needs several kinds."


def _asked(stream: Stream, parameters: FunnelParameters) -> tuple[Any, Any, Funnel] | CannotTell:
    days = days_of(stream, parameters, usual=USUAL_DAYS)
    if isinstance(days, CannotTell):
        return days
    with asking():
        funnel = Funnel(
            steps=tuple(Match((name,)) for name in parameters.step),
            window=parameters.window * SECONDS[parameters.window_unit],
            order=parameters.order,
            exclusions=tuple(Match((name,)) for name in parameters.without),
            by=parameters.by,
            touch=parameters.touch,
            folded=MOST_FOLDED if busiest(stream, parameters.unit) > MOST_FOLDED else None,
        )
        scope = scope_of(stream, days, unit=parameters.unit, where=parameters.where)
    return events_of(stream), scope, funnel


def answer(stream: Stream, parameters: FunnelParameters) -> Outcome:
    """Return how many reach each step, and where most are lost."""
    if len(parameters.step) < 2:
        return _which_steps(stream)
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        return refused(asked)
    events, scope, funnel = asked
    with asking():
        sql = funnel_sql(events, scope, funnel)
    rows, ran = run(sql, events.tables, "the funnel")
    found = read_funnel(rows.to_pylist(), funnel)
    if isinstance(found, CannotTell):
        return refused(found, (ran,))
    noun = "accounts" if parameters.unit == "account" else "people"
    whole = found[0] if not parameters.by else None
    blocks = tuple([_steps(whole, noun)] if whole else [_splits(found[:MOST_SPLITS], parameters, noun)])
    main = whole or _largest(found)
    notes = [
        f"{words.period(scope.start, scope.end)}; each attempt has {parameters.window} {parameters.window_unit}s "
        "from its first step. Those who began late may still arrive: the last days are not over for them.",
    ]
    if len(found) > MOST_SPLITS:
        notes.append(f"The {MOST_SPLITS} largest of {len(found)} values of {parameters.by} are shown.")
    return Outcome(
        _sentence(main, parameters, noun, split=parameters.by),
        chart=_picture(main, noun) if whole else _split_picture(found[:MOST_SPLITS], parameters),
        blocks=blocks,
        notes=tuple(notes),
        ran=(ran,),
        next=(("What they did instead", "paths", urlencode({"event": parameters.step[0]})),),
        figures={"steps": [[step.name, step.reached] for step in main.steps], "by": main.by},
    )


def _which_steps(stream: Stream) -> Outcome:
    names = [one.name for one in facts_of(stream).names[:3]]
    because = "Which steps? A funnel needs two or more."
    mend = (
        f"Choose them below, such as {words.listing(names, 'then')}."
        if len(names) > 1
        else "Choose them below."
    )
    return Outcome(because, refusal=CannotTell("ambiguous", because, mend))


def _largest(found: list[FunnelResult]) -> FunnelResult:
    return max(found, key=lambda one: one.steps[0].reached)


def _sentence(found: FunnelResult, parameters: FunnelParameters, noun: str, *, split: str) -> str:
    first, last = found.steps[0], found.steps[-1]
    share = last.of_first.value if last.of_first else 0.0
    within = f" within {words.counted(parameters.window, parameters.window_unit + 's')}"
    where = f" where {split} is {found.by}" if split else ""
    said = (
        f"{words.human(share, 'share')} of {words.human(first.reached)} {noun} who did “{first.name}”{where} "
        f"went on to “{last.name}”{within}"
    )
    lost = [
        (one.reached - two.reached, one, two) for one, two in zip(found.steps, found.steps[1:], strict=False)
    ]
    most, before, after = max(lost, key=lambda one: one[0])
    if len(found.steps) > 2 and most > 0:
        said += f"; most were lost between “{before.name}” and “{after.name}”"
    return f"{said}."


def _steps(found: FunnelResult, noun: str) -> Block:
    rows = []
    count = len(found.steps)
    for place, step in enumerate(found.steps, 1):
        lost = step.reached - found.steps[place].reached if place < count else None
        of_first, before = step.of_first, step.of_previous
        rows.append((
            Cell(f"{place}. {step.name}"),
            Cell(step.reached, who=f"reached:{place}"),
            Cell(of_first.value if of_first else 1.0 if place == 1 else None,
                 low=of_first.low if of_first else None, high=of_first.high if of_first else None),
            Cell(before.value if before else None),
            Cell(lost, who=f"lost:{place}" if lost else ""),
            Cell("–" if step.seconds is None else words.duration(step.seconds)),
        ))  # fmt: skip
    return Block(
        "Steps",
        (Head("Step"), Head(noun.capitalize(), "count"), Head("Of the first", "share"),
         Head("Of the step before", "share"), Head("Did not go on", "count"), Head("Median time from the first")),
        tuple(rows),
    )  # fmt: skip


def _splits(found: list[FunnelResult], parameters: FunnelParameters, noun: str) -> Block:
    count = len(found[0].steps)
    heads = [
        Head(parameters.by),
        *(Head(step.name, "count") for step in found[0].steps),
        Head("All steps", "share"),
    ]
    rows = []
    for one in found:
        last = one.steps[-1].of_first
        cells = [Cell(one.by)]
        cells += [
            Cell(step.reached, who=f"reached:{place}:{one.by}") for place, step in enumerate(one.steps, 1)
        ]
        cells.append(
            Cell(
                last.value if last else None, low=last.low if last else None, high=last.high if last else None
            )
        )
        rows.append(tuple(cells))
    return Block(f"By {parameters.by}", tuple(heads), tuple(rows), about=f"{noun}, {count} steps")


def _picture(found: FunnelResult, noun: str) -> Any:
    bars = [
        Bar(
            f"{place}. {step.name}", step.reached,
            note=words.human(step.of_first.value, "share") if step.of_first else "",
        )
        for place, step in enumerate(found.steps, 1)
    ]  # fmt: skip
    return ranked_bars(
        bars, title=f"How many {noun} reached each step", what=noun, ranked=False, adds_up=False
    )


def _split_picture(found: list[FunnelResult], parameters: FunnelParameters) -> Any:
    from potager.kit.charts.bars import Estimate, compared

    rows = [
        Estimate(one.by, last.value, last.low, last.high, count=one.steps[0].reached)
        for one in found
        if (last := one.steps[-1].of_first) is not None
    ]
    return compared(
        rows, title=f"Share that reached {found[0].steps[-1].name}, by {parameters.by}", unit="share",
        what="share that arrived", counted="began",
    )  # fmt: skip


def group(stream: Stream, parameters: FunnelParameters, cell: str) -> Group:
    """Return who reached a step, or reached it and did not go on."""
    kind, _, rest = cell.partition(":")
    number, _, value = rest.partition(":")
    if kind not in {"reached", "lost"} or not number.isdecimal() or len(parameters.step) < 2:
        raise no_cell(cell)
    asked = _asked(stream, parameters)
    if isinstance(asked, CannotTell):
        raise no_cell(cell)
    events, scope, funnel = asked
    step = int(number)
    with asking():
        sql = funnel_members_sql(
            events, scope, funnel, step, dropped=kind == "lost", value=value if parameters.by else None
        )
    name = parameters.step[step - 1] if step <= len(parameters.step) else ""
    noun = "accounts" if parameters.unit == "account" else "people"
    said = f"{noun} who reached {name}" + (
        f" and did not go on to {parameters.step[step]}" if kind == "lost" else ""
    )
    if parameters.by:
        said += f", where {parameters.by} is {value}"
    return Group(said, parameters.unit, sql, events.tables)


READING: Reading[Any] = enter(
    Reading(
        "funnel", "Funnel", "How many do this, then that; where they drop out; who they are.",
        FunnelParameters, answer, group, needs,
    )
)  # fmt: skip
