"""Why an account is at risk, in sentences that somebody can act on, and what it pays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from potager.ground.lake.service import warehouse
from potager.insight.metrics.reading import Ran
from potager.insight.usage.models import Stream
from potager.insight.usage.relation import account_of, counted, day, local_day, months, named
from potager.insight.usage.running import identifier, literal, run
from potager.insight.usage.signs import PRIOR, RECENT
from potager.kit import words

OFTEN = 3
DROPPED = 0.6


def reasons(stream: Stream, accounts: tuple[str, ...], last: date) -> tuple[dict[str, list[str]], Ran]:
    """Return, for some accounts, what changed in the last 28 days against the 12 weeks before, in sentences."""
    listed = ", ".join(literal(key) for key in accounts)
    until, since = last + timedelta(days=1), last - timedelta(days=RECENT - 1)
    before = since - timedelta(days=PRIOR)
    weeks = PRIOR // RECENT
    person, event = identifier(stream.person), named(stream)
    seats = "NULL"
    join = ""
    tables = [stream.table]
    if stream.accounts_table and stream.seats:
        seats = "max(a.seats)"
        key, column = identifier(stream.accounts_key), identifier(stream.seats)
        join = (
            f"LEFT JOIN (SELECT CAST({key} AS VARCHAR) AS who, max({column}) AS seats "  # noqa: S608
            f"FROM {stream.accounts_table} GROUP BY 1) AS a USING (who)"
        )
        tables.append(stream.accounts_table)
    sql = f"""
WITH e AS (
  SELECT {account_of(stream)} AS who, {person} AS person, {event} AS event, {local_day(stream)} AS day
  FROM {stream.table} WHERE {counted(stream)} AND {account_of(stream)} IN ({listed})
),
recent AS (SELECT * FROM e WHERE day >= {day(since)} AND day < {day(until)}),
prior AS (SELECT * FROM e WHERE day >= {day(before)} AND day < {day(since)}),
stopped AS (
  SELECT who, list(event ORDER BY days DESC, event) AS events FROM (
    SELECT who, event, count(DISTINCT day) AS days FROM prior GROUP BY who, event HAVING count(DISTINCT day) >= {OFTEN}
  ) AS p WHERE NOT EXISTS (SELECT 1 FROM recent AS r WHERE r.who = p.who AND r.event = p.event) GROUP BY who
),
span AS (
  SELECT who, count(DISTINCT person) AS people_before FROM (
    SELECT who, person, date_diff('day', {day(before)}, day) // {RECENT} AS part FROM prior
  ) AS x GROUP BY who, part
),
usual AS (SELECT who, sum(people_before) / {weeks}.0 AS people FROM span GROUP BY who),
own AS (SELECT DISTINCT who FROM (SELECT unnest([{listed}]) AS who) AS l)
SELECT own.who, max(n.people) AS people, max(n.days) AS days, max(usual.people) AS usual_people,
  max(b.days) / {weeks}.0 AS usual_days, max(z.latest) AS latest, any_value(stopped.events) AS stopped, {seats} AS seats
FROM own
LEFT JOIN (SELECT who, count(DISTINCT person) AS people, count(DISTINCT day) AS days FROM recent GROUP BY who) AS n
  USING (who)
LEFT JOIN (SELECT who, count(DISTINCT day) AS days FROM prior GROUP BY who) AS b USING (who)
LEFT JOIN usual USING (who) LEFT JOIN stopped USING (who)
LEFT JOIN (SELECT who, max(day) AS latest FROM e GROUP BY who) AS z USING (who) {join}
GROUP BY own.who ORDER BY own.who
""".strip()  # noqa: S608 - names of ours, literals quoted
    rows, ran = run(sql, tables, "why: what changed")
    return {row["who"]: list(_said(row)) for row in rows.to_pylist()}, ran


def _said(row: dict[str, Any]) -> list[str]:
    said = []
    people, usual = row["people"] or 0, row["usual_people"] or 0.0
    days, usual_days = row["days"] or 0, row["usual_days"] or 0.0
    if not people:
        if row["latest"] is None:
            return ["Nobody ever used it."]
        return [f"Nobody has used it since {words.day(row['latest'])}."]
    if usual >= 1 and people < DROPPED * usual:
        said.append(
            f"{words.counted(people, 'people')} active in 28 days; {usual:.0f} in the 12 weeks before."
        )
    if usual_days >= 2 and days < DROPPED * usual_days:
        said.append(f"Used on {words.counted(days, 'days')} of 28; on {usual_days:.0f} before.")
    stopped = row["stopped"] or []
    if stopped:
        more = f" and {len(stopped) - 3} more" if len(stopped) > 3 else ""
        said.append(f"Stopped: {words.listing([str(one) for one in stopped[:3]])}{more}.")
    seats = row["seats"]
    if seats and people < 0.5 * float(seats):
        said.append(f"{people} of {float(seats):.0f} seats used.")
    return said or ["Nothing dropped: it is as new, or as little used, as accounts that left."]


def money_of(stream: Stream, accounts: tuple[str, ...]) -> tuple[dict[str, float], str] | None:
    """Return what some accounts pay a month by the last month known, and in which currency; None without revenue."""
    if not stream.revenue_table:
        return None
    listed = ", ".join(literal(key) for key in accounts)
    currency = "currency" if "currency" in warehouse().tables()[stream.revenue_table].schema.names else "''"
    rows, _ = run(
        f"SELECT who, end_cents FROM ({months(stream)}) AS m WHERE who IN ({listed}) "  # noqa: S608
        f"AND month = (SELECT max(month) FROM ({months(stream)}) AS x)",
        [stream.revenue_table],
        "what they pay",
    )
    units, _ = run(
        f"SELECT any_value({currency}) AS unit FROM {stream.revenue_table}",  # noqa: S608 - names of ours
        [stream.revenue_table],
        "in which currency",
    )
    found = {
        row["who"]: float(row["end_cents"]) / 100 for row in rows.to_pylist() if row["end_cents"] is not None
    }
    return found, str(units["unit"][0].as_py() or "")
