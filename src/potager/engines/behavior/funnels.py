"""Funnels: how many do this, then that, within a window; how long it takes them; and who they are.

One pass: everybody's matching events become one sorted list of whole numbers (the moment, and a bit for each step the
event could be), which is folded once. The fold keeps, for each step, the latest start from which it can still be
reached: of all starts before it, the latest leaves the most of the window, so nobody is missed (the same people as
ClickHouse's ``windowFunnel`` finds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import (
    BehaviorError,
    Events,
    Match,
    Scope,
    any_of,
    events_sql,
    literal,
    milliseconds,
)
from potager.engines.behavior.passes import passes_sql
from potager.engines.behavior.shares import Share, share

Order = Literal["ordered", "strict", "unordered"]
Touch = Literal["first", "last", "all"]
MOST_STEPS = 12
MOST_EXCLUSIONS = 6
# Beyond so many events of one person, passes over all of them are faster than folding a list.
MOST_FOLDED = 20_000
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Funnel:
    """Steps, and within how many seconds of its first step an attempt must reach each.

    ``order``: "ordered" lets other events come between, "strict" does not, "unordered" takes the steps in any order.
    An event of ``exclusions`` ends every attempt on the way (for ordered funnels). ``by`` splits by a property; the
    value that counts is that of the ``first`` or ``last`` event of the first step, or for "all" the one that every
    step has. One event is one step: twice the same step takes two events. ``folded``: who has more matching events than
    that is read by window passes instead of the fold, with the same answer, however many they are; None folds
    everybody, which costs less where nobody has :data:`MOST_FOLDED`.
    """

    steps: tuple[Match, ...]
    window: int
    order: Order = "ordered"
    exclusions: tuple[Match, ...] = ()
    by: str = ""
    touch: Touch = "first"
    folded: int | None = None

    def __post_init__(self) -> None:
        if not 2 <= len(self.steps) <= MOST_STEPS:
            raise BehaviorError(
                f"A funnel of {len(self.steps)} steps cannot be read.", f"Give 2 to {MOST_STEPS} steps."
            )
        if self.window < 1:
            raise BehaviorError("The funnel's window is shorter than a second.", "Give 1 second or more.")
        if len(self.exclusions) > MOST_EXCLUSIONS:
            raise BehaviorError(
                f"More than {MOST_EXCLUSIONS} exclusions cannot be read.",
                "Name several events in one of them.",
            )
        if self.exclusions and self.order != "ordered":
            raise BehaviorError("Only an ordered funnel has exclusions.", "Leave them out, or take ordered.")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a funnel: how many reached it, out of those of the step before and of the first, and how fast.

    ``seconds`` is the median from the first step to this one, over those who reached it; None for the first step and
    where nobody did.
    """

    name: str
    reached: int
    of_first: Share | None
    of_previous: Share | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class FunnelResult:
    """A funnel of everybody, or of one value of the split."""

    by: str
    steps: tuple[Step, ...]


def funnel_sql(events: Events, scope: Scope, funnel: Funnel) -> str:
    """Return SQL for one row (or one for each value of ``by``): ``reached_k`` and ``seconds_k`` of each step k from 1.

    ``seconds_k`` is the median time from the first step to step k.
    """
    count = len(funnel.steps)
    sums = []
    for k in range(1, count + 1):
        sums.append(f"count(d{k}) AS reached_{k}")
        if k > 1:
            sums.append(f"median(d{k} / 1000.0) AS seconds_{k}")
    by = "by_value, " if funnel.by else ""
    grouped = " GROUP BY by_value ORDER BY reached_1 DESC, by_value" if funnel.by else ""
    shown = by + ", ".join(sums)
    return f"{_people_sql(events, scope, funnel)} SELECT {shown} FROM people WHERE d1 IS NOT NULL{grouped}"


def funnel_members_sql(
    events: Events,
    scope: Scope,
    funnel: Funnel,
    step: int,
    *,
    dropped: bool = False,
    value: str | None = None,
) -> str:
    """Return SQL for ``who`` reached ``step`` (from 1), or reached it and not the next where ``dropped``."""
    if not 1 <= step <= len(funnel.steps) - dropped:
        raise BehaviorError(f"The funnel has no step {step} to look behind.", f"It has {len(funnel.steps)}.")
    conditions = [f"d{step} IS NOT NULL"]
    if dropped:
        conditions.append(f"d{step + 1} IS NULL")
    if value is not None:
        conditions.append(f"by_value = {literal(value)}")
    return f"{_people_sql(events, scope, funnel)} SELECT DISTINCT who FROM people WHERE {' AND '.join(conditions)}"


def read_funnel(
    rows: list[dict[str, Any]], funnel: Funnel, *, level: float = 0.95
) -> list[FunnelResult] | CannotTell:
    """Return the funnel of the rows of :func:`funnel_sql`, with Wilson intervals; refuses where nobody began."""
    rows = [row for row in rows if row["reached_1"]]
    if not rows:
        return CannotTell(
            "too_few",
            f"Nobody did the first step, {funnel.steps[0].words}, in these days.",
            "Look at more days, or begin with another step.",
        )
    return [FunnelResult(str(row.get("by_value", "")), _steps(row, funnel, level)) for row in rows]


def _steps(row: dict[str, Any], funnel: Funnel, level: float) -> tuple[Step, ...]:
    reached = [int(row[f"reached_{k}"]) for k in range(1, len(funnel.steps) + 1)]
    steps = []
    for k, match in enumerate(funnel.steps):
        seconds = None if k == 0 else row[f"seconds_{k + 1}"]
        steps.append(
            Step(
                match.words,
                reached[k],
                share(reached[k], reached[0], level) if k else None,
                share(reached[k], reached[k - 1], level) if k else None,
                None if seconds is None else float(seconds),
            )
        )
    return tuple(steps)


def _people_sql(events: Events, scope: Scope, funnel: Funnel) -> str:
    """Return a WITH whose ``people`` has ``who``, ``by_value`` and milliseconds to each step at its first time."""
    fold = {"ordered": _ordered, "strict": _strict, "unordered": _unordered}[funnel.order]
    count, excluded = len(funnel.steps), len(funnel.exclusions)
    bits = [*funnel.steps, *funnel.exclusions]
    mask = " + ".join(
        f"CASE WHEN {match.sql(events)} THEN {1 << place} ELSE 0 END" for place, match in enumerate(bits)
    )
    columns = {
        "t": milliseconds(events.at_sql()),
        "mask": f"CAST({mask} AS BIGINT)",
    }
    if funnel.by:
        columns["split"] = f"coalesce({events.property_sql(funnel.by)}, {literal(UNKNOWN)})"
    keep = "" if funnel.order == "strict" else any_of(bits, events)
    hits = events_sql(events, scope, columns, keep=keep)
    width = count + excluded
    group, chosen = "who", ""
    if funnel.by and funnel.touch == "all":
        group, chosen = "who, split", "split AS by_value, "
    elif funnel.by:
        pick = "arg_min" if funnel.touch == "first" else "arg_max"
        chosen = f"{pick}(split, t) FILTER (WHERE (mask & 1) = 1) AS by_value, "
    start, step = fold(count, excluded, width, funnel.window * 1000)
    by = "by_value" if funnel.by else ""
    keys = f"who, {by}" if by else "who"
    steps = ", ".join(f"s.d{k} AS d{k}" for k in range(1, count + 1))
    lists = (
        f"SELECT who, {chosen}count(*) AS many, list_sort(list((t << {width}) | mask)) AS xs "
        f"FROM hits GROUP BY {group}"
    )
    if funnel.folded is None:
        folded = f"SELECT {keys}, list_reduce(xs, lambda a, x: {step}, {start}) AS s FROM lists"
        people = f"SELECT {keys}, {steps} FROM folded"
        return f"WITH hits AS ({hits}), lists AS ({lists}), folded AS ({folded}), people AS ({people})"
    passed = passes_sql("busy", by, funnel.order, count, excluded, funnel.window * 1000)
    # The condition stands in the fold too: the engine may fold before it filters.
    short = f"CASE WHEN many <= {funnel.folded} THEN xs END"
    return (
        f"WITH hits AS ({hits}), lists AS ({lists}), "
        f"folded AS (SELECT {keys}, list_reduce({short}, lambda a, x: {step}, {start}) AS s "
        f"FROM lists WHERE many <= {funnel.folded}), "
        f"busy AS (SELECT {keys}, unnest(xs) AS x FROM lists WHERE many > {funnel.folded}), "
        f"people AS (SELECT {keys}, {steps} FROM folded UNION ALL {passed})"
    )


def _struct(parts: dict[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in parts.items()) + "}"


def _nothing(names: list[str]) -> str:
    return _struct(dict.fromkeys(names, "CAST(NULL AS BIGINT)"))


def _is(place: int) -> str:
    return f"(x & {1 << place}) <> 0"


def _ordered(count: int, excluded: int, width: int, window: int) -> tuple[str, str]:
    """Fold to the latest start (``s``) from which each step was reached, and the time it took at first (``d``).

    All is computed from the state before the event, so that one event never stands for two steps.
    """
    t = f"(x >> {width})"
    broken = " OR ".join(_is(count + place) for place in range(excluded))
    parts: dict[str, str] = {}
    for k in range(1, count + 1):
        held = f"CASE WHEN {broken} THEN CAST(NULL AS BIGINT) ELSE a.s{k} END" if broken else f"a.s{k}"
        if k == 1:
            parts["s1"] = f"CASE WHEN {_is(0)} THEN {t} ELSE {held} END"
            parts["d1"] = f"CASE WHEN {_is(0)} THEN coalesce(a.d1, CAST(0 AS BIGINT)) ELSE a.d1 END"
            continue
        inside = f"{_is(k - 1)} AND {t} - a.s{k - 1} <= {window}"
        if broken:
            inside += f" AND NOT ({broken})"
        parts[f"s{k}"] = f"CASE WHEN {inside} THEN a.s{k - 1} ELSE {held} END"
        parts[f"d{k}"] = f"CASE WHEN a.d{k} IS NULL AND {inside} THEN {t} - a.s{k - 1} ELSE a.d{k} END"
    return _nothing(list(parts)), _struct(parts)


def _strict(count: int, excluded: int, width: int, window: int) -> tuple[str, str]:
    """Fold as in :func:`_ordered`, where every event either goes on with the attempt or ends it."""
    t = f"(x >> {width})"
    parts = {
        "s1": f"CASE WHEN {_is(0)} THEN {t} END",
        "d1": f"CASE WHEN {_is(0)} THEN coalesce(a.d1, CAST(0 AS BIGINT)) ELSE a.d1 END",
    }
    for k in range(2, count + 1):
        inside = f"{_is(k - 1)} AND {t} - a.s{k - 1} <= {window}"
        parts[f"s{k}"] = f"CASE WHEN {inside} THEN a.s{k - 1} END"
        parts[f"d{k}"] = f"CASE WHEN a.d{k} IS NULL AND {inside} THEN {t} - a.s{k - 1} ELSE a.d{k} END"
    return _nothing(list(parts)), _struct(parts)


def _unordered(count: int, excluded: int, width: int, window: int) -> tuple[str, str]:
    """Fold to the last time of each step (``l``); step k is reached when k of them lie within one window."""
    t = f"(x >> {width})"
    parts: dict[str, str] = {}
    latest = {k: f"CASE WHEN {_is(k - 1)} THEN {t} ELSE a.l{k} END" for k in range(1, count + 1)}
    recent = {k: f"CASE WHEN {t} - ({latest[k]}) <= {window} THEN {latest[k]} END" for k in latest}
    many = " + ".join(f"CASE WHEN {t} - ({latest[k]}) <= {window} THEN 1 ELSE 0 END" for k in latest)
    oldest = f"least({', '.join(recent.values())})"
    for k in latest:
        parts[f"l{k}"] = latest[k]
        parts[f"d{k}"] = f"CASE WHEN a.d{k} IS NULL AND ({many}) >= {k} THEN {t} - {oldest} ELSE a.d{k} END"
    return _nothing(list(parts)), _struct(parts)
