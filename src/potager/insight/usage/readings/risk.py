"""Accounts at risk: who is likely to leave, the reasons somebody can act on, and how such a list did before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from potager.engines.answers import CannotTell
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
from potager.insight.usage.reasons import money_of, reasons
from potager.insight.usage.running import literal, pinned
from potager.insight.usage.scoring import BackTest, Model
from potager.insight.usage.signs import (
    NAMES,
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


def flagged(found: Ranked, known: Learned) -> list[str]:
    """Return those who look like leaving: above the threshold, and never more than twice the share that usually leaves.

    Where everybody's chance has risen at once (accounts grow older), the ranking still says whom to call first.
    """
    most = max(round(2 * known.test.base * len(found.keys)), 1)
    above = sum(chance >= known.test.threshold for chance in found.chance)
    return list(found.keys[: min(above, most)])


def _array(indices: Any) -> Any:
    import pyarrow as pa

    return pa.array(indices)


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
    money = money_of(stream, most)
    likely = len(flagged(found, known))
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


def group(stream: Stream, parameters: RiskParameters, cell: str) -> Group:
    """Return one account of the list, or all that look like leaving."""
    kind, _, key = cell.partition(":")
    if kind == "one" and key:
        return Group(f"the account {key}", "account", f"SELECT {literal(key)} AS who", ())
    if cell == "flagged":
        known = learned(stream)
        found = ranked(stream, known.model) if isinstance(known, Learned) else known
        if isinstance(known, Learned) and isinstance(found, Ranked):
            listed = flagged(found, known)
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
