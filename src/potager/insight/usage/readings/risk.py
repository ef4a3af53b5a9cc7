"""Accounts at risk: who is likely to leave, the reasons somebody can act on, and how such a list did before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from potager.engines.answers import CannotTell
from potager.ground.lake.service import warehouse
from potager.insight.metrics.reading import Ran
from potager.insight.usage import scoring
from potager.insight.usage.facts import facts_of
from potager.insight.usage.groups import no_cell
from potager.insight.usage.models import Stream
from potager.insight.usage.readings.base import (
    Block,
    Cell,
    Group,
    Head,
    Outcome,
    Plain,
    Reading,
    enter,
    no_events,
    parameter,
    refused,
)
from potager.insight.usage.relation import account_of, counted, day, local_day, months, named
from potager.insight.usage.running import identifier, literal, pinned, run
from potager.insight.usage.scoring import BackTest, Model
from potager.insight.usage.signs import (
    NAMES,
    PRIOR,
    RECENT,
    Signs,
    leaving,
    past_landmarks,
    signs_at,
    tables_of,
)
from potager.kit import words
from potager.kit.charts.bars import Bar, ranked_bars

MOST_SHOWN = 200
HELD_OUT = 3
OFTEN = 3
DROPPED = 0.6


class RiskParameters(Plain):
    """How many accounts to show."""

    most: int = parameter(25, "How many", help="The likeliest to leave first.", ge=1, le=MOST_SHOWN)


@dataclass(frozen=True)
class Learned:
    """What the past months taught: the model of all of them, and how one without the last ones did on those."""

    model: Model
    test: BackTest
    trained: tuple[date, ...]
    tested: tuple[date, ...]
    drivers: tuple[tuple[str, float], ...]
    ran: tuple[Ran, ...]


def needs(stream: Stream) -> str:
    """Return what a stream lacks."""
    return "" if stream.account else "Nobody said which column is the account."


def learned(stream: Stream) -> Learned | CannotTell:
    """Return what the months behind taught; computed once per snapshots and description of the stream."""
    marks = past_landmarks(stream)
    if isinstance(marks, CannotTell):
        return marks
    key = tuple(pinned(tables_of(stream)).items())
    return _learned(stream.pk, stream.version, marks, key)


@lru_cache(maxsize=32)
def _learned(
    key: Any, version: int, marks: tuple[date, ...], at: tuple[tuple[str, str], ...]
) -> Learned | CannotTell:
    stream = Stream.objects.get(pk=key)
    signs = signs_at(stream, marks, known=True)
    assert signs.left is not None
    # What is tested on begins when the outcomes learned from were known: no month is seen from both sides.
    held = max(len(marks) // HELD_OUT, 1)
    split = len(marks) - held
    learn = signs.landmark < max(split - 2, 1)
    test = signs.landmark >= split
    model = scoring.fit(NAMES, signs.signs[learn], signs.left[learn])
    if isinstance(model, CannotTell):
        return model
    scores = model.probability(signs.signs)
    # Never more than twice as many as usually leave: a list that names everybody helps nobody.
    usual = min(2.0 * float(signs.left[learn].mean()), 1.0)
    most = float(np.quantile(scores[learn], 1.0 - usual))
    threshold = max(scoring.best_threshold(scores[learn], signs.left[learn]), most)
    tested = scoring.back_test(scores[test], signs.left[test], threshold)
    if isinstance(tested, CannotTell):
        return tested
    whole = scoring.fit(NAMES, signs.signs, signs.left)
    if isinstance(whole, CannotTell):
        return whole
    drivers = tuple(sorted(zip(NAMES, whole.weights.tolist(), strict=True), key=lambda one: -abs(one[1])))
    return Learned(whole, tested, marks[: max(split - 2, 1)], marks[split:], drivers, (signs.ran,))


@dataclass(frozen=True)
class Ranked:
    """The accounts as they stand now, the likeliest to leave first."""

    signs: Signs
    keys: tuple[str, ...]
    chance: tuple[float, ...]
    day: date


def ranked(stream: Stream, model: Model) -> Ranked | CannotTell:
    """Return every account of today with its chance of leaving."""
    facts = facts_of(stream)
    if facts.last is None:
        return no_events(stream)
    mark = facts.last + timedelta(days=1)
    signs = signs_at(stream, (mark,), known=False)
    if not len(signs.account):
        return CannotTell("incomplete", "No account pays now.", "Look at the book of the stream.")
    chance = model.probability(signs.signs)
    order = np.lexsort((signs.account, -chance))
    keys = [str(key) for key in signs.who.take(_array(signs.account[order])).to_pylist()]
    return Ranked(signs, tuple(keys), tuple(chance[order].tolist()), facts.last)


def _array(indices: Any) -> Any:
    import pyarrow as pa

    return pa.array(indices)


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


def answer(stream: Stream, parameters: RiskParameters) -> Outcome:
    """Return the accounts likeliest to leave, with reasons, and how the ranking did on months it had not seen."""
    known = learned(stream)
    if isinstance(known, CannotTell):
        return refused(known)
    found = ranked(stream, known.model)
    if isinstance(found, CannotTell):
        return refused(found, known.ran)
    test = known.test
    if test.area.low <= 0.5:
        low, high = test.area.low, test.area.high
        return refused(
            CannotTell(
                "not_identified",
                "Usage does not tell who leaves here: on months it had not seen, the ranking did no better than lot "
                f"(a leaver stood above a stayer {test.area.value:.0%} of the time, between {low:.0%} and {high:.0%}).",
                "Look at what is measured: perhaps the events that matter are not brought.",
            ),
            (*known.ran, found.signs.ran),
        )
    # Below the share that leaves anyway, nobody is at risk in any sense worth acting on.
    worrying = sum(chance >= min(test.threshold, test.base) for chance in found.chance)
    most = found.keys[: min(parameters.most, max(worrying, 1))]
    why, ran = reasons(stream, most, found.day)
    money = _money(stream, most)
    likely = sum(chance >= test.threshold for chance in found.chance)
    what = leaving(stream)
    heads = [Head("Account"), Head("Chance of leaving", "share"), Head("Why")]
    if money:
        heads.insert(2, Head("Pays a month", money[1]))
    rows = []
    for key, chance in zip(most, found.chance, strict=False):
        cells = [Cell(key, who=f"one:{key}"), Cell(chance), Cell(" ".join(why.get(key, [])))]
        if money:
            cells.insert(2, Cell(money[0].get(key)))
        rows.append(tuple(cells))
    sentence = (
        f"{words.counted(likely, 'accounts')} of {len(found.keys):,} look like those that {what} before."
        if likely
        else f"No account looks like those that {what} before; the nearest are shown."
    )
    return Outcome(
        sentence,
        chart=_picture(found, most, test, what),
        blocks=(
            Block(
                "Accounts at risk",
                tuple(heads),
                tuple(rows),
                about=f"as of {words.day(found.day)}, the likeliest first",
            ),
            Block(
                "All of them",
                (Head("Accounts"), Head("How many", "count")),
                (
                    (Cell(f"look like those that {what}"), Cell(likely, who="flagged" if likely else "")),
                    (Cell("looked at"), Cell(len(found.keys))),
                ),
                about="follow the number to see who, or to keep them as a segment",
            ),
            _test_block(known),
            Block(
                "What the ranking goes by",
                (Head("Sign"), Head("Weight", "")),
                tuple((Cell(name), Cell(round(weight, 2))) for name, weight in known.drivers),
                about="per standard deviation, above zero: more of it, more leave",
            ),
        ),
        notes=(
            f"Tested on months it had not seen ({words.day(known.tested[0])} to {words.day(known.tested[-1])}): "
            "a leaver "
            f"stood above a stayer {test.area.value:.0%} of the time (between {test.area.low:.0%} and "
            f"{test.area.high:.0%}; by lot 50%).",
            "A sign goes with leaving; that does not make it the cause. Talk to them before you conclude.",
        ),
        ran=(*known.ran, found.signs.ran, ran),
        evidence="predictive",
        next=(("What goes with leaving", "worth", ""),) if stream.revenue_table else (),
        figures={
            "area": test.area.value,
            "area_low": test.area.low,
            "area_high": test.area.high,
            "precision": test.precision,
            "recall": test.recall,
            "base": test.base,
            "flagged": likely,
            "accounts": len(found.keys),
        },
    )


def _picture(found: Ranked, most: tuple[str, ...], test: BackTest, what: str) -> Any:
    bars = [
        Bar(key, chance * 100, strong=chance >= test.threshold)
        for key, chance in zip(most[:12], found.chance, strict=False)
    ]
    return ranked_bars(
        bars,
        title=f"How likely accounts are among those that {what}",
        unit="%",
        what="chance",
        adds_up=False,
        as_of=found.day,
    )


def _test_block(known: Learned) -> Block:
    test = known.test
    rows = [
        (
            Cell("A leaver stood above a stayer"),
            Cell(test.area.value, low=test.area.low, high=test.area.high),
            Cell("by lot, half the time"),
        ),
        (
            Cell("Of those flagged, left"),
            Cell(test.precision),
            Cell(f"{test.caught:,} of {test.flagged:,} flagged"),
        ),
        (
            Cell("Of those who left, were flagged"),
            Cell(test.recall),
            Cell(f"{test.caught:,} of {test.left:,} who left"),
        ),
        (
            Cell("Left of all"),
            Cell(test.base),
            Cell(f"{test.left:,} of {test.rows:,}; flagging by lot is right so often"),
        ),
    ]
    learned_on = f"learned on {words.day(known.trained[0])} to {words.day(known.trained[-1])}"
    return Block(
        "How such a list did before",
        (Head("On months held out"), Head("Share", "share"), Head("Counted")),
        tuple(rows),
        about=f"{learned_on}, tested on {words.day(known.tested[0])} to {words.day(known.tested[-1])}",
    )


def _money(stream: Stream, accounts: tuple[str, ...]) -> tuple[dict[str, float], str] | None:
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


def group(stream: Stream, parameters: RiskParameters, cell: str) -> Group:
    """Return one account of the list, or all that look like leaving."""
    kind, _, key = cell.partition(":")
    if kind == "one" and key:
        return Group(f"the account {key}", "account", f"SELECT {literal(key)} AS who", ())
    if cell == "flagged":
        known = learned(stream)
        found = ranked(stream, known.model) if isinstance(known, Learned) else known
        if isinstance(known, Learned) and isinstance(found, Ranked):
            listed = [
                key
                for key, chance in zip(found.keys, found.chance, strict=True)
                if chance >= known.test.threshold
            ]
            values = ", ".join(literal(key) for key in listed)
            sql = f"SELECT unnest([{values}]) AS who" if listed else "SELECT '' AS who WHERE FALSE"
            return Group("accounts that look like those that left before", "account", sql, ())
    raise no_cell(cell)


READING: Reading[Any] = enter(
    Reading(
        "risk",
        "Accounts at risk",
        "Which accounts look like those that left before, why, and how good such lists were.",
        RiskParameters,
        answer,
        group,
        needs,
        short="Risk",
    )
)
