"""Do they come back? Of those who began together, how many returned, period by period; and what they pay."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.retention import (
    Retention,
    RetentionCohort,
    RetentionGrid,
    Weights,
    read_retention,
    retention_members_sql,
    retention_sql,
    revenue_retention_sql,
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
from potager.insight.usage.relation import months_condition, one_book
from potager.insight.usage.running import run
from potager.kit import words
from potager.kit.charts.axes import period_name
from potager.kit.charts.heat import Cohort, cohort_grid

USUAL_DAYS = {"day": 30, "week": 16 * 7, "month": 548}
NOUNS = {"person": "people", "account": "accounts"}
SMALLEST = 10


class RetentionParameters(Parameters):
    """What begins, what counts as coming back, in which periods."""

    begin: str = parameter("", "Began with", widget="event", max_length=200)
    back: str = parameter("", "Came back with", widget="event", max_length=200)
    kind: Literal["first_time", "recurring", "rolling", "24h"] = parameter(
        "first_time",
        "Kept means",
        words={
            "first_time": "came in that period, since the first time",
            "recurring": "came in that period, since any time",
            "rolling": "came in that period or later",
            "24h": "came in that 24 hours, since the first moment",
        },
    )
    grain: Literal["day", "week", "month"] = parameter("month", "By")
    periods: int = parameter(8, "How many periods", help="After the one they began in.", ge=1, le=36)
    unit: Literal["person", "account"] = parameter(
        "person", "Counted are", widget="unit", words={"person": "people", "account": "accounts"}
    )
    weight: Literal["", "revenue"] = parameter(
        "", "Weighed by", widget="weight", words={"": "nothing: each counts once", "revenue": "what they pay"}
    )


def _retention(stream: Stream, parameters: RetentionParameters) -> Retention:
    usual = active_of(stream)
    return Retention(
        kind=parameters.kind,
        grain=parameters.grain,
        offsets=parameters.periods,
        start=match_of(parameters.begin) if parameters.begin else usual,
        back=match_of(parameters.back) if parameters.back else usual,
    )


def _grain(parameters: RetentionParameters) -> Literal["day", "week", "month"]:
    return "day" if parameters.kind == "24h" else parameters.grain


def _days(stream: Stream, parameters: RetentionParameters) -> Days | CannotTell:
    return days_of(stream, parameters, usual=USUAL_DAYS[_grain(parameters)], grain=_grain(parameters))


def _unit(parameters: RetentionParameters) -> Literal["person", "account"]:
    return "account" if parameters.weight else parameters.unit


def answer(stream: Stream, parameters: RetentionParameters) -> Outcome:
    """Return the grid of cohorts, and how many of all were kept."""
    days = _days(stream, parameters)
    if isinstance(days, CannotTell):
        return refused(days)
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
    with asking():
        events = events_of(stream)
        scope = scope_of(stream, days, unit=_unit(parameters), where=parameters.where)
        retention = _retention(stream, parameters)
        sql = retention_sql(events, scope, retention)
    rows, ran = run(sql, events.tables, "who came back")
    worth, runs = [], [ran]
    if parameters.weight:
        weights = Weights(stream.revenue_table, "customer", "month", "end_cents", months_condition(stream))
        with asking():
            sql = revenue_retention_sql(events, scope, retention, weights)
        paid, ran_paid = run(sql, [*events.tables, stream.revenue_table], "what they pay")
        worth, runs = paid.to_pylist(), [ran, ran_paid]
    with asking():
        found = read_retention(
            rows.to_pylist(), events, scope, retention, through=min(days.last, days.end), worth=worth
        )
    if isinstance(found, CannotTell):
        return refused(found, runs)
    return _outcome(parameters, found, days, tuple(runs))


def _value(parameters: RetentionParameters, cohort: RetentionCohort, offset: int) -> float | None:
    cell = cohort.cells[offset]
    if parameters.weight:
        return cell.value / cohort.value if cell.value is not None and cohort.value else None
    return cell.kept.value if cell.kept else None


def _outcome(
    parameters: RetentionParameters, found: RetentionGrid, days: Days, runs: tuple[Any, ...]
) -> Outcome:
    noun = "of what they paid" if parameters.weight else NOUNS[_unit(parameters)]
    grain = _grain(parameters)
    offset = next(
        (at for at in (parameters.periods, *range(parameters.periods, 0, -1))
         if found.overall[at].kept is not None and _spread(found, at) >= 2),
        next((at for at in range(parameters.periods, 0, -1) if found.overall[at].kept is not None), 0),
    )  # fmt: skip
    sentence = _sentence(parameters, found, offset)
    notes = [
        "What is not over yet is left blank, and never counted as lost.",
        *([f"Cohorts of fewer than {SMALLEST} are too few to read a share from."]
          if any(cohort.size < SMALLEST for cohort in found.cohorts) else []),
    ]  # fmt: skip
    if parameters.kind == "first_time" or parameters.kind == "rolling":
        notes.append("Who began before the events do is taken for new in the first period.")
    return Outcome(
        sentence,
        chart=_picture(parameters, found, days),
        blocks=(_table(parameters, found, grain, noun),),
        notes=tuple(notes),
        ran=runs,
        next=(("What predicts keeping?", "activation", ""), ("Who is new, back, gone?", "lifecycle", "")),
        figures={
            "cohorts": [
                {
                    "starts": cohort.starts.isoformat(), "size": cohort.size,
                    "kept": [cell.kept.part if cell.kept else None for cell in cohort.cells],
                    "value": cohort.value,
                }
                for cohort in found.cohorts
            ],
            "overall": [cell.kept.value if cell.kept else None for cell in found.overall],
        },
    )  # fmt: skip


def _spread(found: RetentionGrid, offset: int) -> int:
    return sum(cohort.cells[offset].kept is not None for cohort in found.cohorts)


def _sentence(parameters: RetentionParameters, found: RetentionGrid, offset: int) -> str:
    cell, grain = found.overall[offset], _grain(parameters)
    after = words.counted(offset, f"{grain}s")
    began = f"began with “{parameters.begin}”" if parameters.begin else "began"
    did = f"did “{parameters.back}”" if parameters.back else "came back"
    if parameters.weight:
        known = [c for c in found.cohorts if c.cells[offset].value is not None]
        start = sum(c.value or 0.0 for c in known)
        if not start:
            return f"Those who {began} paid nothing in the {grain} they began in."
        kept = sum(c.cells[offset].value or 0.0 for c in known) / start
        return f"Accounts that {began} pay {words.human(kept, 'share')} of what they paid at first, {after} later."
    if cell.kept is None or offset == 0:
        return f"No cohort is old enough yet to say how many {did} after {after}."
    whom = NOUNS[_unit(parameters)]
    rolling = " or later" if parameters.kind == "rolling" else ""
    return (
        f"{words.human(cell.kept.value, 'share')} of {words.human(cell.kept.whole)} {whom} who {began} {did} "
        f"{after} later{rolling}, {words.between(cell.kept.low, cell.kept.high, 'share')}."
    )


def _picture(parameters: RetentionParameters, found: RetentionGrid, days: Days) -> Any:
    grain = _grain(parameters)
    cohorts = [
        Cohort(
            period_name(cohort.starts, grain), cohort.size,
            tuple(_value(parameters, cohort, at) for at in range(len(cohort.cells))),
        )
        for cohort in found.cohorts
    ]  # fmt: skip
    drawable = [one for one in cohorts if one.size >= SMALLEST and any(v is not None for v in one.values)]
    if not drawable:
        return None
    what = (
        "Share of revenue kept" if parameters.weight else f"Share of {NOUNS[_unit(parameters)]} who came back"
    )
    return cohort_grid(
        cohorts, title=f"{what}, by the {grain} they began in", unit="share",
        size_unit=NOUNS[_unit(parameters)], period=grain, as_of=days.last, smallest=SMALLEST,
    )  # fmt: skip


def _table(parameters: RetentionParameters, found: RetentionGrid, grain: str, noun: str) -> Block:
    heads = [Head("Began in"), Head(NOUNS[_unit(parameters)].capitalize(), "count")]
    heads += [Head(f"{grain.capitalize()} {at}", "share") for at in range(parameters.periods + 1)]
    rows = []
    for cohort in found.cohorts:
        cells = [
            Cell(period_name(cohort.starts, _grain(parameters))),
            Cell(cohort.size, who=f"{cohort.starts}"),
        ]
        for cell in cohort.cells:
            value = _value(parameters, cohort, cell.offset)
            low, high = (
                (cell.kept.low, cell.kept.high) if cell.kept and not parameters.weight else (None, None)
            )
            linked = cell.kept is not None
            cells.append(
                Cell(value, who=f"{cohort.starts}:{cell.offset}" if linked else "", low=low, high=high)
            )
        rows.append(tuple(cells))
    overall = [Cell("All together"), Cell(sum(cohort.size for cohort in found.cohorts))]
    for cell in found.overall:
        if parameters.weight:
            known = [c for c in found.cohorts if c.cells[cell.offset].value is not None]
            start = sum(c.value or 0.0 for c in known)
            overall.append(
                Cell(sum(c.cells[cell.offset].value or 0.0 for c in known) / start if start else None)
            )
        else:
            kept = cell.kept
            overall.append(
                Cell(
                    kept.value if kept else None,
                    low=kept.low if kept else None,
                    high=kept.high if kept else None,
                )
            )
    return Block("Cohorts", tuple(heads), (*rows, tuple(overall)), about="blank: not over yet")


def group(stream: Stream, parameters: RetentionParameters, cell: str) -> Group:
    """Return who began in a period, or came back so many periods later (or did not: ``:lost``)."""
    from potager.engines.behavior.periods import periods_of

    said, _, rest = cell.partition(":")
    number, _, lost = rest.partition(":")
    days = _days(stream, parameters)
    try:
        starts = date.fromisoformat(said)
    except ValueError:
        raise no_cell(cell) from None
    if isinstance(days, CannotTell) or (number and not number.isdecimal()) or lost not in {"", "lost"}:
        raise no_cell(cell)
    with asking():
        events = events_of(stream)
        scope = scope_of(stream, days, unit=_unit(parameters), where=parameters.where)
        periods = periods_of(events, _grain(parameters), scope)
        sql = retention_members_sql(
            events, scope, _retention(stream, parameters), periods.index(starts),
            int(number) if number else None, lost=bool(lost),
        )  # fmt: skip
    noun, grain = NOUNS[_unit(parameters)], _grain(parameters)
    said = f"{noun} who began in the {grain} of {words.day(starts)}"
    if number:
        back = "did not come back" if lost else "came back"
        said += f" and {back} {words.counted(int(number), grain + 's')} later"
    return Group(said, _unit(parameters), sql, events.tables)


READING: Reading[Any] = enter(
    Reading(
        "retention", "Retention", "Of those who began together, how many come back, and what they pay.",
        RetentionParameters, answer, group,
    )
)  # fmt: skip
