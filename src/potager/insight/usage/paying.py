"""Paying accounts at month starts: what they used before, what they were, and what they did with their money after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from potager.engines.answers import CannotTell
from potager.insight.metrics.reading import Ran
from potager.insight.usage.facts import facts_of
from potager.insight.usage.models import Stream
from potager.insight.usage.relation import (
    account_of,
    counted,
    day,
    local_day,
    months,
    named,
    one_book,
    plus_months,
    reach_of_months,
)
from potager.insight.usage.running import identifier, literal, run

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BEFORE = 90
AFTER_MONTHS = 3
MOST_LANDMARKS = 12


@dataclass(frozen=True)
class Panel:
    """Paying accounts at month starts: what they were, and whether they left or bought more in the months after."""

    landmarks: tuple[date, ...]
    account: NDArray[np.int64]
    landmark: NDArray[np.int64]
    stratum: NDArray[np.int64]
    outcome: NDArray[np.bool_]
    accounts: pa.Array[Any]
    rows: NDArray[np.int64]  # [landmark, account] → the row, or -1
    ran: tuple[Ran, ...]


def landmarks_of(stream: Stream, until: date | None = None) -> tuple[date, ...] | CannotTell:
    """Return the month starts from which there are usage before and revenue after, three months apart."""
    facts, reach = facts_of(stream), reach_of_months(stream)
    if facts.first is None or reach is None:
        return CannotTell("incomplete", "There are no events or no months of revenue yet.", "Import both.")
    found: list[date] = []
    latest = plus_months(reach[1], 1 - AFTER_MONTHS)
    while until is not None and plus_months(latest, AFTER_MONTHS) - timedelta(days=1) > until:
        latest = plus_months(latest, -1)
    while (
        len(found) < MOST_LANDMARKS and latest >= reach[0] and latest - timedelta(days=BEFORE) >= facts.first
    ):
        found.append(latest)
        latest = plus_months(latest, -AFTER_MONTHS)
    if not found:
        return CannotTell(
            "incomplete",
            f"There is no day with {BEFORE} days of usage before it and {AFTER_MONTHS} months of revenue after it.",
            "Import earlier events, or wait for the months to pass.",
        )
    return tuple(reversed(found))


def panel_of(stream: Stream, outcome_name: str, hold: list[str], until: date | None) -> Panel | CannotTell:
    """Return the accounts at the landmarks with what followed."""
    refusal = one_book(stream)
    if refusal is not None:
        return refusal
    marks = landmarks_of(stream, until)
    if isinstance(marks, CannotTell):
        return marks
    churned = "coalesce(a.end_cents, 0) <= 0"
    outcome = churned if outcome_name == "churn" else f"NOT ({churned}) AND coalesce(a.expansion, 0) > 0"
    sql = f"""
WITH months AS ({months(stream)}),
marks AS ({_marks(marks)}),
paying AS (
  SELECT l.t, m.who, m.plan, ntile(3) OVER (PARTITION BY l.t ORDER BY m.start_cents, m.who) AS size
  FROM marks AS l JOIN months AS m ON m.month = l.t WHERE m.start_cents > 0
),
born AS (SELECT who, min(month) AS since FROM months WHERE start_cents > 0 OR end_cents > 0 GROUP BY who),
after AS (
  SELECT l.t, m.who, sum(m.expansion_cents) AS expansion,
    max(m.end_cents) FILTER (WHERE m.month = l.t + INTERVAL {AFTER_MONTHS - 1} MONTH) AS end_cents
  FROM marks AS l JOIN months AS m ON m.month >= l.t AND m.month < l.t + INTERVAL {AFTER_MONTHS} MONTH
  GROUP BY l.t, m.who
),
activity AS (
  SELECT l.t, e.who, count(DISTINCT e.day) AS days
  FROM marks AS l JOIN ({events_of_accounts(stream)}) AS e ON e.day < l.t AND e.day >= l.t - INTERVAL {BEFORE} DAY
  GROUP BY l.t, e.who
)
SELECT p.who, CAST(p.t AS DATE) AS t, p.plan, p.size,
  CASE WHEN date_diff('month', b.since, p.t) < 6 THEN 0 WHEN date_diff('month', b.since, p.t) < 12 THEN 1
    WHEN date_diff('month', b.since, p.t) < 24 THEN 2 ELSE 3 END AS tenure,
  CASE WHEN coalesce(v.days, 0) = 0 THEN 0 WHEN v.days < 10 THEN 1 WHEN v.days < 30 THEN 2 ELSE 3 END AS activity,
  {outcome} AS outcome
FROM paying AS p
LEFT JOIN born AS b ON b.who = p.who
LEFT JOIN after AS a ON a.who = p.who AND a.t = p.t
LEFT JOIN activity AS v ON v.who = p.who AND v.t = p.t
ORDER BY p.t, p.who
""".strip()  # noqa: S608 - names of ours, literals quoted
    rows, ran = run(sql, [stream.table, stream.revenue_table], "accounts, and what followed")
    if not rows.num_rows:
        return CannotTell("incomplete", "No account paid at any of the days looked at.", "Look at the book.")
    return _panel(rows, marks, hold, ran)


def _marks(marks: tuple[date, ...]) -> str:
    return " UNION ALL ".join(f"SELECT {day(mark)} AS t" for mark in marks)


def events_of_accounts(stream: Stream) -> str:
    """Return the SELECT of what was done for accounts: ``who``, ``day``, ``event``."""
    return (
        f"SELECT {account_of(stream)} AS who, {local_day(stream)} AS day, {named(stream)} AS event "  # noqa: S608
        f"FROM {stream.table} WHERE {counted(stream)} AND {identifier(stream.account)} IS NOT NULL"
    )


def _panel(rows: pa.Table, marks: tuple[date, ...], hold: list[str], ran: Ran) -> Panel:
    account = rows["who"].combine_chunks().dictionary_encode()
    landmark = rows["t"].combine_chunks().dictionary_encode()
    at, who = landmark.indices.to_numpy().astype(np.int64), account.indices.to_numpy().astype(np.int64)
    parts = [at]
    for name in hold:
        values = rows[name].combine_chunks().dictionary_encode()
        parts.append(values.indices.fill_null(len(values.dictionary)).to_numpy().astype(np.int64))
    _, stratum = np.unique(np.column_stack(parts), axis=0, return_inverse=True)
    days: list[Any] = landmark.dictionary.to_pylist()
    places = {one: place for place, one in enumerate(marks)}
    order = np.array([places[one] for one in days], dtype=np.int64)[at]
    where = np.full((len(marks), len(account.dictionary)), -1, dtype=np.int64)
    where[order, who] = np.arange(len(who))
    outcome = rows["outcome"].combine_chunks().to_numpy(zero_copy_only=False).astype(bool)
    return Panel(
        marks,
        who,
        order,
        np.asarray(stratum, dtype=np.int64).ravel(),
        outcome,
        account.dictionary,
        where,
        (ran,),
    )


def did_before(
    stream: Stream, panel: Panel, events: tuple[str, ...]
) -> tuple[dict[str, NDArray[np.bool_]], Ran]:
    """Return, for each feature, which rows of the panel used it in the days before."""
    listed = ", ".join(literal(name) for name in events)
    sql = (
        f"WITH marks AS ({_marks(panel.landmarks)}) "  # noqa: S608 - names of ours, literals quoted
        f"SELECT DISTINCT e.event, CAST(l.t AS DATE) AS t, e.who FROM marks AS l JOIN "
        f"(SELECT * FROM ({events_of_accounts(stream)}) AS named WHERE event IN ({listed})) AS e "
        f"ON e.day < l.t AND e.day >= l.t - INTERVAL {BEFORE} DAY ORDER BY ALL"
    )
    rows, ran = run(sql, [stream.table], f"who used what in the {BEFORE} days before")
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.index_in(rows["who"].combine_chunks(), value_set=panel.accounts).fill_null(-1).to_numpy()
    mark = pc.index_in(rows["t"].combine_chunks(), value_set=pa.array(panel.landmarks)).to_numpy()
    feature = pc.index_in(rows["event"].combine_chunks(), value_set=pa.array(events, pa.string())).to_numpy()
    place = np.where(known >= 0, panel.rows[mark, known], -1)
    found = {}
    for number, name in enumerate(events):
        mine = place[(feature == number) & (place >= 0)]
        found[name] = np.zeros(len(panel.outcome), dtype=bool)
        found[name][mine] = True
    return found, ran
