"""Activation search: which early behavior goes with staying, told honestly.

People are split in two halves by a hash of their name. Candidates ("did X at least k times in the first d days") are
tested on one half with the false discovery rate held (Benjamini & Hochberg 1995); those that pass are measured again on
the other half, which has not chosen them, so that the lift shown is not the luckiest of many. What is found is an
association: people who stay may do X because they were going to stay. The experiment that would tell is given with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import (
    ANY,
    BehaviorError,
    Events,
    Match,
    Scope,
    events_sql,
    literal,
    milliseconds,
    moment,
)
from potager.engines.behavior.shares import (
    ShareDifference,
    benjamini_hochberg,
    people_needed,
    share,
    share_difference,
)

FEWEST = 30
MOST_CANDIDATES = 2000
FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True, slots=True)
class Activation:
    """Who began with ``start`` on a day of the scope, what they did in their first days, and who stayed.

    Stayed: did ``back`` between the days ``after`` and ``until`` (not included), counted from the moment they began.
    Only those whose ``until`` days are over in the data count. Candidates are the ``events`` (all where none is named)
    times ``counts`` times the first ``days``.
    """

    start: Match
    back: Match = ANY
    after: int = 28
    until: int = 56
    events: tuple[str, ...] = ()
    counts: tuple[int, ...] = (1, 2, 3, 5, 10)
    days: tuple[int, ...] = (1, 3, 7)

    def __post_init__(self) -> None:
        if not self.days or not self.counts or min(self.days) < 1 or min(self.counts) < 1:
            raise BehaviorError("A candidate needs a number of times and of days, from 1 on.", "Give some.")
        if not max(self.days) <= self.after < self.until:
            raise BehaviorError(
                "What people do early has to lie before the days in which staying is told.",
                "Let the early days end before the staying begins, and the staying before it ends.",
            )


@dataclass(frozen=True, slots=True)
class Behavior:
    """A candidate: did ``event`` at least ``times`` in the first ``days``.

    ``found`` is the difference in staying between those who did and those who did not, on the half that chose;
    ``held_out`` on the other half. ``q`` is the false discovery rate at which it was chosen. ``confirmed``: the
    held-out interval leaves out no difference, on the same side. ``arm`` is how many people each arm of an experiment
    needs to see half of the held-out difference, if it were causal (None where there is none).
    """

    event: str
    times: int
    days: int
    share_doing: float
    found: ShareDifference
    held_out: ShareDifference
    q: float
    confirmed: bool
    arm: int | None


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """The candidates chosen, those confirmed and with the largest difference first; and how many were tested."""

    people: int
    staying: float
    tested: int
    behaviors: tuple[Behavior, ...]


def activation_sql(events: Events, scope: Scope, activation: Activation) -> str:
    """Return SQL for ``half`` (0 chooses, 1 is held out), ``event``, ``times``, ``days``, ``did`` and ``did_stay``.

    A row with an empty event holds all people of a half, and those who stayed.
    """
    ctes = _prepared(events, scope, activation)
    early = [
        f"SELECT half, event, CAST({times} AS BIGINT) AS times, CAST({days} AS BIGINT) AS days, "
        f"count(*) AS did, count(*) FILTER (WHERE stayed) AS did_stay FROM counted WHERE n_{days} >= {times} "
        "GROUP BY half, event"
        for days in activation.days
        for times in activation.counts
    ]
    everybody = (
        "SELECT half, '' AS event, CAST(0 AS BIGINT) AS times, CAST(0 AS BIGINT) AS days, count(*) AS did, "
        "count(*) FILTER (WHERE stayed) AS did_stay FROM people GROUP BY half"
    )
    return f"{ctes} {' UNION ALL '.join([everybody, *early])}"


def activation_members_sql(
    events: Events,
    scope: Scope,
    activation: Activation,
    event: str,
    times: int,
    days: int,
    *,
    stayed: bool | None = None,
) -> str:
    """Return SQL for ``who`` did an event so often in the first days; only those who stayed or left where said."""
    if days not in activation.days:
        raise BehaviorError(f"The first {days} days were not looked at.", "Choose one of the table.")
    condition = "" if stayed is None else f" AND {'' if stayed else 'NOT '}stayed"
    ctes = _prepared(events, scope, activation)
    return f"{ctes} SELECT who FROM counted WHERE event = {literal(event)} AND n_{days} >= {times}{condition}"


def read_activation(
    rows: Sequence[Mapping[str, Any]],
    *,
    level: float = 0.95,
    rate: float = FALSE_DISCOVERIES,
    fewest: int = FEWEST,
) -> ActivationResult | CannotTell:
    """Return what was found in the rows of :func:`activation_sql`.

    A candidate is tested where each of the four groups (did or not, in either half) has at least ``fewest`` people.
    Refuses where there are too few people, or all or none of them stayed. Raises :class:`BehaviorError` for more
    candidates than can be tested with care.
    """
    totals = {int(row["half"]): (int(row["did"]), int(row["did_stay"])) for row in rows if not row["event"]}
    people, staying = sum(n for n, _ in totals.values()), sum(n for _, n in totals.values())
    if len(totals) < 2 or min(n for n, _ in totals.values()) < 2 * fewest:
        return CannotTell(
            "too_few",
            f"{people:,} people have begun long enough ago to say whether they stayed; that is too few to search in.",
            "Look at more days, or ask for less time to tell staying.",
        )
    if staying in (0, people):
        said = "Nobody" if not staying else "Everybody"
        return CannotTell(
            "undefined", f"{said} stayed, so nothing goes with it.", "Say differently what staying is."
        )
    cells: dict[tuple[str, int, int], dict[int, tuple[int, int]]] = {}
    for row in rows:
        if row["event"]:
            key = (str(row["event"]), int(row["times"]), int(row["days"]))
            cells.setdefault(key, {})[int(row["half"])] = (int(row["did"]), int(row["did_stay"]))
    tested = {
        key: halves
        for key, halves in cells.items()
        if len(halves) == 2 and all(fewest <= halves[half][0] <= totals[half][0] - fewest for half in (0, 1))
    }
    if len(tested) > MOST_CANDIDATES:
        raise BehaviorError(f"{len(tested):,} candidates are too many.", "Name the events to look at.")
    differences = {
        key: tuple(_difference(halves[half], totals[half], level) for half in (0, 1))
        for key, halves in tested.items()
    }
    adjusted = benjamini_hochberg([both[0].p_value for both in differences.values()])
    chosen = [
        _behavior(key, both, q, tested[key], people)
        for (key, both), q in zip(differences.items(), adjusted, strict=True)
        if q <= rate
    ]
    chosen.sort(key=lambda one: (not one.confirmed, -abs(one.held_out.value), one.event, one.times, one.days))
    return ActivationResult(people, staying / people, len(tested), tuple(chosen))


def _behavior(
    key: tuple[str, int, int],
    both: tuple[ShareDifference, ...],
    q: float,
    halves: Mapping[int, tuple[int, int]],
    people: int,
) -> Behavior:
    found, held_out = both
    same_side = (found.value > 0) == (held_out.value > 0)
    confirmed = same_side and not held_out.low <= 0.0 <= held_out.high
    base, half = held_out.second.value, held_out.value / 2
    arm = people_needed(base, half) if half and 0.0 < base + half < 1.0 else None
    doing = sum(did for did, _ in halves.values()) / people
    return Behavior(*key, doing, found, held_out, q, confirmed, arm)


def _difference(cell: tuple[int, int], total: tuple[int, int], level: float) -> ShareDifference:
    did = share(cell[1], cell[0], level)
    did_not = share(total[1] - cell[1], total[0] - cell[0], level)
    assert did is not None and did_not is not None  # each has the fewest people at least
    return share_difference(did, did_not)


def _prepared(events: Events, scope: Scope, activation: Activation) -> str:
    """Return a WITH of ``people`` (who, half, stayed) and ``counted`` (their early events, by name)."""
    at = events.at_sql()
    day = 24 * 3600 * 1000
    rows = events_sql(
        events,
        scope,
        {
            "t": milliseconds(at),
            "event": events.event_sql(),
            "is_start": activation.start.sql(events),
            "is_back": activation.back.sql(events),
        },
        from_the_first=True,
    )
    first = milliseconds(moment(scope.start))
    # Whoever began later than this has not had the days in which staying is told.
    last = milliseconds(moment(scope.end + timedelta(days=1) - timedelta(days=activation.until)))
    names = ", ".join(literal(name) for name in activation.events)
    only = f" AND h.event IN ({names})" if names else ""
    windows = ", ".join(
        f"count(*) FILTER (WHERE h.t < b.t0 + CAST({days} AS BIGINT) * {day}) AS n_{days}"
        for days in activation.days
    )
    stays = (
        f"h.is_back AND h.t >= b.t0 + CAST({activation.after} AS BIGINT) * {day} "
        f"AND h.t < b.t0 + CAST({activation.until} AS BIGINT) * {day}"
    )
    return (
        f"WITH hits AS ({rows}), "
        "b AS (SELECT who, min(t) AS t0, CASE WHEN substr(md5(who), 1, 1) < '8' THEN 0 ELSE 1 END AS half "
        f"FROM hits WHERE is_start GROUP BY who HAVING min(t) >= {first} AND min(t) < {last}), "
        f"people AS (SELECT b.who, b.half, b.t0, coalesce(bool_or({stays}), FALSE) AS stayed "
        "FROM b JOIN hits AS h ON h.who = b.who GROUP BY b.who, b.half, b.t0), "
        f"counted AS (SELECT b.who, b.half, b.stayed, h.event, {windows} FROM people AS b "
        f"JOIN hits AS h ON h.who = b.who WHERE h.t >= b.t0 AND NOT h.is_start{only} "
        f"AND h.t < b.t0 + CAST({max(activation.days)} AS BIGINT) * {day} GROUP BY b.who, b.half, b.stayed, h.event)"
    )
