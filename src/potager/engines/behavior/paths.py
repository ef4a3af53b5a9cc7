"""Paths: what people do next, step by step, within a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import BehaviorError, Events, Scope, literal
from potager.engines.behavior.trends import OTHER, session_ctes

MOST_LONG = 10


@dataclass(frozen=True, slots=True)
class Paths:
    """Sessions from (or to) an event, or from their beginning where none is named.

    ``length`` transitions are followed; the same event several times in a row is one. ``pause`` seconds end a session.
    """

    anchor: str = ""
    direction: Literal["from", "to"] = "from"
    length: int = 4
    pause: int = 1800

    def __post_init__(self) -> None:
        if not 1 <= self.length <= MOST_LONG:
            raise BehaviorError(f"Paths of {self.length} steps cannot be shown.", f"Give 1 to {MOST_LONG}.")


@dataclass(frozen=True, slots=True)
class Move:
    """At a ``step`` (from 1), how many sessions went from ``source`` to ``target``."""

    step: int
    source: str
    target: str
    sessions: int


def paths_sql(events: Events, scope: Scope, paths: Paths) -> str:
    """Return SQL for ``step``, ``source``, ``target``, ``sessions`` and ``people``; steps run away from the anchor."""
    return (
        f"{_moves(events, scope, paths)} SELECT step, source, target, count(*) AS sessions, "
        "count(DISTINCT who) AS people FROM moves GROUP BY 1, 2, 3 ORDER BY step, sessions DESC, source, target"
    )


def path_members_sql(events: Events, scope: Scope, paths: Paths, step: int, source: str, target: str) -> str:
    """Return SQL for ``who`` made a move."""
    return (
        f"{_moves(events, scope, paths)} SELECT DISTINCT who FROM moves "
        f"WHERE step = {step} AND source = {literal(source)} AND target = {literal(target)}"
    )


def read_paths(rows: Sequence[Mapping[str, Any]], *, top: int = 8) -> list[Move] | CannotTell:
    """Return the moves of the rows of :func:`paths_sql`: at each step the ``top`` events, all else as "other"."""
    if not rows:
        return CannotTell("too_few", "No session holds such a path in these days.", "Look at more days.")
    arriving: dict[int, dict[str, int]] = {}
    for row in rows:
        step, count = int(row["step"]), int(row["sessions"])
        arriving.setdefault(step, {})
        arriving[step][row["target"]] = arriving[step].get(row["target"], 0) + count
        if step == 1:
            start = arriving.setdefault(0, {})
            start[row["source"]] = start.get(row["source"], 0) + count
    shown = {
        step: {name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]}
        for step, counts in arriving.items()
    }
    folded: dict[tuple[int, str, str], int] = {}
    for row in rows:
        step = int(row["step"])
        source = row["source"] if row["source"] in shown[step - 1] else OTHER
        target = row["target"] if row["target"] in shown[step] else OTHER
        key = (step, source, target)
        folded[key] = folded.get(key, 0) + int(row["sessions"])
    return [
        Move(*key, sessions)
        for key, sessions in sorted(folded.items(), key=lambda item: (item[0][0], -item[1]))
    ]


def _moves(events: Events, scope: Scope, paths: Paths) -> str:
    """Return a WITH whose ``moves`` has a row for every step of every session's path."""
    sessions = session_ctes(events, scope, {"event": events.event_sql()}, paths.pause)
    backward = paths.direction == "to"
    order = "who, session ORDER BY t DESC, event DESC" if backward else "who, session ORDER BY t, event"
    # Repeats in a row are one step; what is left is numbered away from the anchor.
    former = f"lag(event) OVER (PARTITION BY {order}) AS former"
    changed = f"changed AS (SELECT who, session, t, event, {former} FROM sessions)"
    kept = (
        f"kept AS (SELECT who, session, event, row_number() OVER (PARTITION BY {order}) AS n "
        "FROM changed WHERE former IS NULL OR former <> event)"
    )
    if paths.anchor:
        anchored = (
            f"anchored AS (SELECT who, session, min(n) AS n0 FROM kept WHERE event = {literal(paths.anchor)} "
            "GROUP BY who, session)"
        )
    else:
        anchored = (
            "anchored AS (SELECT who, session, CAST(1 AS BIGINT) AS n0 FROM kept GROUP BY who, session)"
        )
    moves = (
        "moves AS (SELECT a.who, a.n - c.n0 + 1 AS step, a.event AS source, b.event AS target FROM kept AS a "
        "JOIN kept AS b ON b.who = a.who AND b.session = a.session AND b.n = a.n + 1 "
        "JOIN anchored AS c ON c.who = a.who AND c.session = a.session "
        f"WHERE a.n >= c.n0 AND a.n < c.n0 + {paths.length})"
    )
    return f"WITH {sessions}, {changed}, {kept}, {anchored}, {moves}"
