"""Adoption of a feature: how many took it up, how many use it, and how much of the revenue they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.behavior.events import ANY, Events, Grain, Match, Scope, identifier
from potager.engines.behavior.periods import activity_sql, bit_sql, periods_of, places_sql
from potager.engines.behavior.retention import Weights
from potager.engines.behavior.shares import Share, share


@dataclass(frozen=True, slots=True)
class AdoptionPeriod:
    """A period: who used the feature (``using``, of the active), for the first time ever (``taking_up``), ever so far.

    ``worth_using`` is what those who use it are worth in the period, ``worth`` what all are; None without revenue.
    """

    starts: date
    active: int
    using: Share | None
    taking_up: int
    ever: int
    worth_using: float | None
    worth: float | None
    whole: bool

    @property
    def worth_share(self) -> float | None:
        """Return the share of revenue that is with those who use it; None where there is none."""
        return self.worth_using / self.worth if self.worth and self.worth_using is not None else None


def adoption_sql(
    events: Events, scope: Scope, grain: Grain, feature: Match, *, weights: Weights | None = None
) -> str:
    """Return SQL for ``p``, ``active``, ``using_it``, ``taking_up``, ``ever``, ``worth_using`` and ``worth``.

    The last two only with weights, which join on the unit and the period; a unit without a row is worth nothing.
    """
    periods = periods_of(events, grain, scope)
    count = periods.index(scope.end) + 1
    activity = activity_sql(events, scope, periods, count, {"it": feature, "any": ANY}, keep="TRUE")
    using = bit_sql("it", "ps.p", count)
    worth, joined = "", ""
    ctes = f"WITH a AS ({activity}), ps AS ({places_sql(count, 'p')})"
    if weights is not None:
        condition = f" WHERE {weights.where}" if weights.where else ""
        ctes += (
            f", worth AS (SELECT CAST({identifier(weights.who)} AS VARCHAR) AS who, "
            f"{periods.sql(identifier(weights.day))} AS p, sum({identifier(weights.value)}) AS value "
            f"FROM {weights.table}{condition} GROUP BY 1, 2), "
            "all_worth AS (SELECT p, sum(value) AS value FROM worth GROUP BY p)"
        )
        joined = (
            " LEFT JOIN worth AS w ON w.who = a.who AND w.p = ps.p LEFT JOIN all_worth AS t ON t.p = ps.p"
        )
        worth = (
            f", coalesce(sum(w.value) FILTER (WHERE {using}), 0) AS worth_using, "
            "coalesce(max(t.value), 0) AS worth"
        )
    return (
        f"{ctes} SELECT ps.p, count(*) FILTER (WHERE {bit_sql('any', 'ps.p', count)}) AS active, "
        f"count(*) FILTER (WHERE {using}) AS using_it, count(*) FILTER (WHERE a.first_it = ps.p) AS taking_up, "
        f"count(*) FILTER (WHERE a.first_it <= ps.p) AS ever{worth} "
        f"FROM a CROSS JOIN ps{joined} GROUP BY ps.p ORDER BY ps.p"
    )


def adoption_members_sql(
    events: Events, scope: Scope, grain: Grain, feature: Match, place: int, *, using: bool = True
) -> str:
    """Return SQL for ``who`` used the feature in the period at a place, or was active and did not."""
    periods = periods_of(events, grain, scope)
    count = periods.index(scope.end) + 1
    activity = activity_sql(events, scope, periods, count, {"it": feature, "any": ANY}, keep="TRUE")
    used = bit_sql("it", str(place), count)
    condition = used if using else f"{bit_sql('any', str(place), count)} AND NOT {used}"
    return f"WITH a AS ({activity}) SELECT who FROM a WHERE {condition}"


def read_adoption(
    rows: Sequence[Mapping[str, Any]],
    events: Events,
    scope: Scope,
    grain: Grain,
    *,
    through: date,
    level: float = 0.95,
) -> list[AdoptionPeriod] | CannotTell:
    """Return the periods of the rows of :func:`adoption_sql`; refuses where nobody ever used the feature."""
    periods = periods_of(events, grain, scope)
    found = [
        AdoptionPeriod(
            starts=periods.starts(int(row["p"])),
            active=int(row["active"]),
            using=share(int(row["using_it"]), int(row["active"]), level),
            taking_up=int(row["taking_up"]),
            ever=int(row["ever"]),
            worth_using=_number(row.get("worth_using")),
            worth=_number(row.get("worth")),
            whole=periods.ends(int(row["p"])) <= through,
        )
        for row in rows
    ]
    if not any(period.ever for period in found):
        return CannotTell("too_few", "Nobody used it by the end of these days.", "Look at another event.")
    return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
