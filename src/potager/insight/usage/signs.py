"""What an account's use looked like before a day: how much, how often, how broad, against the weeks before.

A *landmark* is a day on which accounts are looked at: ``recent`` are the 28 days before it, ``prior`` the 84 days
before those. Person-days count everybody once a day, so they add up over days.
"""

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
from potager.insight.usage.running import identifier, run

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

RECENT, PRIOR = 28, 84
AFTER_MONTHS = 3
QUIET_DAYS = 84
MOST_LANDMARKS = 24
NAMES = (
    "person-days of use in the last 28 days", "person-days against the 12 weeks before", "days of use in the last 28",
    "days of use against the 12 weeks before", "features used in a day", "age in months",
)  # fmt: skip


@dataclass(frozen=True)
class Signs:
    """Accounts at landmarks: their keys, the landmark of each row, its signs (a column per name), and who left.

    ``left`` is None where nobody can know yet. ``what`` says in words what leaving is.
    """

    who: pa.Array[Any]
    account: NDArray[np.int64]
    landmark: NDArray[np.int64]
    landmarks: tuple[date, ...]
    signs: NDArray[np.float64]
    left: NDArray[np.bool_] | None
    what: str
    ran: Ran


def leaving(stream: Stream) -> str:
    """Return what leaving means for a stream, as words after an account."""
    if stream.revenue_table:
        return f"stopped paying within {AFTER_MONTHS} months"
    return f"did nothing for {QUIET_DAYS} days"


def tables_of(stream: Stream) -> list[str]:
    """Return the tables that signs and what followed are read from."""
    return [stream.table, *([stream.revenue_table] if stream.revenue_table else [])]


def past_landmarks(stream: Stream) -> tuple[date, ...] | CannotTell:
    """Return the month starts that have the usage before and know what followed."""
    facts = facts_of(stream)
    if facts.first is None or facts.last is None:
        return CannotTell("incomplete", "There are no events yet.", "Import some.")
    if stream.revenue_table:
        refusal = one_book(stream)
        if refusal is not None:
            return refusal
        reach = reach_of_months(stream)
        if reach is None:
            return CannotTell("incomplete", "The revenue table has no months yet.", "Load the book.")
        latest = plus_months(reach[1], 1 - AFTER_MONTHS)
        first = reach[0]
    else:
        latest = (facts.last - timedelta(days=QUIET_DAYS - 1)).replace(day=1)
        first = facts.first
    found: list[date] = []
    while (
        latest >= first
        and latest - timedelta(days=RECENT + PRIOR) >= facts.first
        and len(found) < MOST_LANDMARKS
    ):
        if latest <= facts.last:
            found.append(latest)
        latest = plus_months(latest, -1)
    if len(found) < 2:
        return CannotTell(
            "incomplete",
            "There are not two months with 16 weeks of usage before them and three months after them.",
            "Import earlier events, or wait for the months to pass.",
        )
    return tuple(reversed(found))


def signs_at(stream: Stream, landmarks: tuple[date, ...], *, known: bool) -> Signs:
    """Return the signs of every account that pays (or, without revenue, was active) at each landmark.

    ``known`` says whether what followed is to be read as well.
    """
    rows, ran = run(
        _sql(stream, landmarks, known), tables_of(stream), "how accounts used it before each month"
    )
    import pyarrow as pa
    import pyarrow.compute as pc

    who = rows["who"].combine_chunks().dictionary_encode()
    at = pc.index_in(rows["t"].combine_chunks(), value_set=pa.array(landmarks)).to_numpy()
    number = {name: rows[name].combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64) for name in (
        "recent_people", "prior_people", "recent_days", "prior_days", "recent_features", "age",
    )}  # fmt: skip
    share = PRIOR / RECENT
    signs = np.column_stack([
        np.log1p(number["recent_people"]),
        np.log((number["recent_people"] + 1) / (number["prior_people"] / share + 1)),
        number["recent_days"] / RECENT,
        np.log((number["recent_days"] + 1) / (number["prior_days"] / share + 1)),
        number["recent_features"],
        np.log1p(np.maximum(number["age"], 0)),
    ])  # fmt: skip
    left = None
    if known:
        left = rows["gone"].combine_chunks().to_numpy(zero_copy_only=False).astype(bool)
    return Signs(
        who.dictionary, who.indices.to_numpy().astype(np.int64), at.astype(np.int64), landmarks, signs, left,
        leaving(stream), ran,
    )  # fmt: skip


def _sql(stream: Stream, landmarks: tuple[date, ...], known: bool) -> str:
    marks = " UNION ALL ".join(f"SELECT {day(mark)} AS t" for mark in landmarks)
    revenue = bool(stream.revenue_table)
    months_part = f"months AS ({months(stream)}),\n" if revenue else ""
    if revenue:
        universe = (
            # Who paid when the month began; in a month not yet in the table, who paid when the last one ended.
            "SELECT l.t, m.who FROM marks AS l JOIN months AS m ON m.month = l.t WHERE m.start_cents > 0 "
            "UNION SELECT l.t, m.who FROM marks AS l JOIN months AS m ON m.end_cents > 0 "
            "AND m.month = (SELECT max(month) FROM months WHERE month < l.t) "
            "WHERE l.t > (SELECT max(month) FROM months)"
        )
        born = (
            "SELECT who, min(month) AS since FROM months WHERE start_cents > 0 OR end_cents > 0 GROUP BY who"
        )
        after = (
            "SELECT l.t, m.who FROM marks AS l JOIN months AS m "  # noqa: S608 - names of ours
            f"ON m.month = CAST(l.t + INTERVAL {AFTER_MONTHS - 1} MONTH AS DATE) WHERE m.end_cents > 0"
        )
    else:
        universe = "SELECT t, who FROM used"
        born = "SELECT who, min(day) AS since FROM daily GROUP BY who"
        after = (
            "SELECT DISTINCT l.t, d.who FROM marks AS l JOIN daily AS d "  # noqa: S608 - names of ours
            f"ON d.day >= l.t AND d.day < l.t + INTERVAL {QUIET_DAYS} DAY"
        )
    stays = f",\nafter AS ({after})" if known else ""
    gone = ", a.who IS NULL AS gone" if known else ""
    joined = "\nLEFT JOIN after AS a ON a.who = u.who AND a.t = u.t" if known else ""
    # With revenue, what lies before the first landmark's weeks or after the last one tells nothing; without, it says
    # how old an account is and whether it fell silent. A day more on either side, for the time zone.
    first = landmarks[0] - timedelta(days=RECENT + PRIOR + 1)
    bounds = (
        f" AND {identifier(stream.time)} >= TIMESTAMP '{first.isoformat()} 00:00:00'"
        f" AND {identifier(stream.time)} < TIMESTAMP '{(landmarks[-1] + timedelta(days=1)).isoformat()} 00:00:00'"
        if revenue
        else ""
    )
    recent, prior = f"d.day >= l.t - INTERVAL {RECENT} DAY", f"d.day < l.t - INTERVAL {RECENT} DAY"
    return f"""
WITH {months_part}marks AS ({marks}),
daily AS (
  SELECT {account_of(stream)} AS who, {local_day(stream)} AS day,
    count(DISTINCT {identifier(stream.person)}) AS people, count(DISTINCT {named(stream)}) AS features
  FROM {stream.table} WHERE {counted(stream)} AND {identifier(stream.account)} IS NOT NULL{bounds} GROUP BY 1, 2
),
used AS (
  SELECT l.t, d.who,
    coalesce(sum(d.people) FILTER (WHERE {recent}), 0) AS recent_people,
    coalesce(sum(d.people) FILTER (WHERE {prior}), 0) AS prior_people,
    count(*) FILTER (WHERE {recent}) AS recent_days, count(*) FILTER (WHERE {prior}) AS prior_days,
    coalesce(avg(d.features) FILTER (WHERE {recent}), 0) AS recent_features
  FROM marks AS l JOIN daily AS d ON d.day < l.t AND d.day >= l.t - INTERVAL {RECENT + PRIOR} DAY
  GROUP BY l.t, d.who
),
born AS ({born}),
universe AS ({universe}){stays}
SELECT u.who, CAST(u.t AS DATE) AS t, coalesce(s.recent_people, 0) AS recent_people,
  coalesce(s.prior_people, 0) AS prior_people, coalesce(s.recent_days, 0) AS recent_days,
  coalesce(s.prior_days, 0) AS prior_days, coalesce(s.recent_features, 0) AS recent_features,
  coalesce(date_diff('day', b.since, u.t), 0) / 30.4 AS age{gone}
FROM universe AS u LEFT JOIN used AS s ON s.who = u.who AND s.t = u.t LEFT JOIN born AS b ON b.who = u.who{joined}
ORDER BY u.t, u.who
""".strip()  # noqa: S608 - names of ours
