"""Adoption beside money: do accounts that use a feature leave less and buy more, among accounts that are alike?"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BeforeValidator

from potager.engines.answers import CannotTell
from potager.engines.behavior import share
from potager.engines.statistics import benjamini_hochberg
from potager.insight.usage.facts import facts_of
from potager.insight.usage.groups import no_cell
from potager.insight.usage.models import Stream
from potager.insight.usage.paying import AFTER_MONTHS, BEFORE, Panel, did_before, events_of_accounts, panel_of
from potager.insight.usage.readings.base import (
    SENSIBLE,
    Block,
    Cell,
    Group,
    Head,
    Outcome,
    Plain,
    Reading,
    enter,
    listed,
    parameter,
    refused,
)
from potager.insight.usage.relation import day, months, reach_of_months
from potager.insight.usage.running import literal, run
from potager.insight.usage.stratifying import Arm, Difference, stratified_difference
from potager.kit import words
from potager.kit.charts.bars import Estimate, compared

MOST_FEATURES = 25
FALSE_DISCOVERY = 0.1
ALIKE = {
    "plan": "the same plan",
    "tenure": "a similar age",
    "size": "a similar size",
    "activity": "a similar activity",
}
OUTCOMES = {"churn": ("left", "leaving"), "expansion": ("bought more", "buying more")}


Held = Annotated[list[Literal["plan", "tenure", "size", "activity", "nothing"]], BeforeValidator(listed)]


class WorthParameters(Plain):
    """Which feature, which outcome, and what is held equal."""

    event: str = parameter("", "Feature", widget="event", help="Empty compares them all.", max_length=200)
    outcome: Literal["churn", "expansion"] = parameter(
        "churn", "What follows", words={"churn": "leaving", "expansion": "buying more"}
    )
    end: date | None = parameter(
        None, "Known by", widget="date", help="What followed is read until this day.", **SENSIBLE
    )
    hold: Held = parameter(
        ["plan", "tenure", "size"], "Held equal", widget="checks", words={**ALIKE, "nothing": "nothing"}
    )


def needs(stream: Stream) -> str:
    """Return what a stream lacks for the comparison."""
    if not stream.account:
        return "Nobody said which column is the account: without it, usage cannot stand beside revenue."
    if not stream.revenue_table:
        return "No revenue table is named: without it, nobody knows who left or bought more."
    return ""


def answer(stream: Stream, parameters: WorthParameters) -> Outcome:
    """Return how leaving, or buying more, differs between those who used a feature and those who did not."""
    panel = panel_of(stream, parameters.outcome, _held(parameters), parameters.end)
    if isinstance(panel, CannotTell):
        return refused(panel)
    if not parameters.event:
        return _scan(stream, parameters, panel)
    return _one(stream, parameters, panel)


def _held(parameters: WorthParameters) -> list[str]:
    return [name for name in ALIKE if name in parameters.hold and "nothing" not in parameters.hold]


def _confounders(parameters: WorthParameters) -> tuple[str, ...]:
    held = [ALIKE[name] for name in _held(parameters)]
    free = [name for name in ALIKE if name not in _held(parameters)]
    said = f"Compared are accounts with {words.listing(held)}." if held else "Nothing is held equal."
    also = words.listing([*free, "who works there", "what they came for", "how they were sold to"])
    return (
        said,
        f"Not held equal: {also}. Accounts that adopt a feature may differ in these, so this is an association: "
        "it does not say what adopting would do.",
    )


def _one(stream: Stream, parameters: WorthParameters, panel: Panel) -> Outcome:
    did, ran = did_before(stream, panel, (parameters.event,))
    exposed = did[parameters.event]
    found = stratified_difference(panel.outcome, exposed, panel.stratum, panel.account)
    happened, _ = OUTCOMES[parameters.outcome]
    if isinstance(found, CannotTell):
        return refused(found, (*panel.ran, ran))
    rows = [
        _estimate(f"used {parameters.event}", found.exposed),
        _estimate("did not", found.unexposed),
    ]
    sentence = _sentence(parameters, found)
    first, last = panel.landmarks[0], panel.landmarks[-1]
    notes = (
        *_confounders(parameters),
        f"Looked at on {words.counted(len(panel.landmarks), 'days')} from {words.day(first)} to {words.day(last)}: "
        f"used in the {BEFORE} days before, {happened} in the {AFTER_MONTHS} months after.",
        *(
            [f"{found.left_out:,} observations had nobody alike to be compared with and are left out."]
            if found.left_out
            else []
        ),
    )
    block = Block(
        f"Who {happened} in the {AFTER_MONTHS} months after",
        (
            Head("Whether"),
            Head("Observations", "count"),
            Head("Accounts", "count"),
            Head(happened.capitalize(), "count"),
            Head("Share", "share"),
        ),
        tuple(
            (Cell(name), Cell(arm.rows), Cell(arm.units), Cell(arm.events), Cell(arm.share))
            for name, arm in (("used it", found.exposed), ("did not", found.unexposed))
        ),
        about=f"{found.crude * 100:+.1f} points without holding anything equal, "
        f"{found.value * 100:+.1f} among accounts that are alike",
    )
    now = _now(stream, parameters)
    return Outcome(
        sentence,
        chart=compared(
            rows,
            title=f"Share that {happened}, by whether {parameters.event} was used before",
            unit="share",
            what=f"share that {happened}",
            counted="observations",
        ),
        blocks=(block, *([now] if now else [])),
        notes=notes,
        ran=(*panel.ran, ran),
        evidence="association",
        next=(
            ("All features", "worth", urlencode({"outcome": parameters.outcome})),
            ("Who is at risk now", "risk", ""),
        ),
        figures={
            "difference": found.value,
            "low": found.low,
            "high": found.high,
            "crude": found.crude,
            "event": parameters.event,
            "accounts": len(panel.accounts),
            "outcome": parameters.outcome,
            "tells": found.tells,
        },
    )


def _estimate(name: str, arm: Arm) -> Estimate:
    known = share(arm.events, arm.rows)
    assert known is not None  # an arm has observations
    return Estimate(name, known.value, known.low, known.high, count=arm.rows)


def _sentence(parameters: WorthParameters, found: Difference) -> str:
    happened, _ = OUTCOMES[parameters.outcome]
    alike = " among accounts that are alike" if _held(parameters) else ""
    points = f"{abs(found.value) * 100:.1f} points"
    low, high = sorted((abs(found.low), abs(found.high)))
    if not found.tells:
        between = f"between {found.low * 100:+.1f} and {found.high * 100:+.1f} points"
        return (
            f"Accounts that used “{parameters.event}” {happened} about as often as those that did not{alike}: "
            f"the difference may lie {between}."
        )
    way = "less" if found.value < 0 else "more"
    between = f"between {low * 100:.1f} and {high * 100:.1f}"
    return f"Accounts that used “{parameters.event}” {happened} {points} {way} often{alike}, {between}."


def _now(stream: Stream, parameters: WorthParameters) -> Block | None:
    counts = []
    for cell in ("did", "did-not"):
        made = group(stream, parameters, cell)
        rows, _ = run(f"SELECT count(*) AS n FROM ({made.sql}) AS g", made.tables, "how many now")  # noqa: S608
        counts.append(rows["n"][0].as_py())
    return Block(
        "Accounts that pay now",
        (Head("Whether"), Head("Accounts", "count")),
        (
            (Cell(f"used {parameters.event} in the last {BEFORE} days"), Cell(counts[0], who="did")),
            (Cell("did not"), Cell(counts[1], who="did-not")),
        ),
        about="follow a number to see who, or to keep them as a segment",
    )


def _scan(stream: Stream, parameters: WorthParameters, panel: Panel) -> Outcome:
    """Compare every feature, and hold back those that chance alone would bring up."""
    names = tuple(one.name for one in facts_of(stream).names[:MOST_FEATURES])
    did, ran = did_before(stream, panel, names)
    told: list[tuple[str, Difference]] = []
    silent = 0
    for name in names:
        found = stratified_difference(panel.outcome, did[name], panel.stratum, panel.account)
        if isinstance(found, CannotTell):
            silent += 1
        else:
            told.append((name, found))
    if not told:
        refusal = CannotTell(
            "too_few",
            "No feature has enough accounts that used it and enough that did not.",
            "Look again when more months have passed.",
        )
        return refused(refusal, (*panel.ran, ran))
    passed = _passed([found for _, found in told])
    order = sorted(zip(told, passed, strict=True), key=lambda one: (not one[1], -abs(one[0][1].value)))
    happened, doing = OUTCOMES[parameters.outcome]
    rows = tuple(
        (
            Cell(name),
            Cell(found.value * 100, low=found.low * 100, high=found.high * 100),
            Cell(found.crude * 100),
            Cell(found.exposed.share),
            Cell(found.unexposed.share),
            Cell("yes" if kept else "no"),
        )
        for (name, found), kept in order
    )
    kept = [(name, found) for (name, found), keeps in order if keeps]
    if kept:
        name, found = kept[0]
        way = "less" if found.value < 0 else "more"
        sentence = (
            f"“{name}” goes most with {doing}: accounts that used it {happened} "
            f"{abs(found.value) * 100:.1f} points {way} often, among accounts that are alike."
        )
    else:
        sentence = f"No feature goes with {doing} more than chance would bring up among {len(told)} features."
    bars = [
        Estimate(name, found.value * 100, found.low * 100, found.high * 100)
        for (name, found), _ in order[:12]
    ]
    more = "&" + urlencode({"outcome": parameters.outcome}) if parameters.outcome != "churn" else ""
    return Outcome(
        sentence,
        chart=compared(
            bars,
            title=f"Difference in the share that {happened}, used against not used",
            unit="pp",
            what="difference",
        ),
        blocks=(
            Block(
                "Features",
                (
                    Head("Feature"),
                    Head("Difference among alike", "pp"),
                    Head("Crude", "pp"),
                    Head("Used it", "share"),
                    Head("Did not", "share"),
                    Head("Beyond chance"),
                ),
                rows,
                about=f"beyond chance: at most {FALSE_DISCOVERY:.0%} of those called so are there by chance",
            ),
        ),
        notes=(
            *_confounders(parameters),
            *(
                [f"{silent} features were used by too few, or by nearly all, to be compared."]
                if silent
                else []
            ),
        ),
        ran=(*panel.ran, ran),
        evidence="association",
        next=tuple(
            (f"Look closer at {name}", "worth", urlencode({"event": name}) + more)
            for (name, _), _ in order[:4]
        ),
        figures={
            "features": [
                {
                    "event": name,
                    "difference": found.value,
                    "low": found.low,
                    "high": found.high,
                    "beyond_chance": keeps,
                }
                for (name, found), keeps in order
            ],
            "outcome": parameters.outcome,
            "accounts": len(panel.accounts),
        },
    )


def _passed(found: list[Difference]) -> list[bool]:
    """Return which differences stand after the false discovery rate is held (Benjamini and Hochberg, 1995)."""
    chances = []
    for one in found:
        spread = (one.high - one.low) / (2 * 1.959963984540054)
        z = abs(one.value) / spread if spread > 0 else 0.0
        chances.append(math.erfc(z / math.sqrt(2)))
    return [bool(adjusted <= FALSE_DISCOVERY) for adjusted in benjamini_hochberg(chances)]


def group(stream: Stream, parameters: WorthParameters, cell: str) -> Group:
    """Return the accounts that pay now and used the feature in the last days, or did not."""
    if cell not in {"did", "did-not"} or not parameters.event:
        raise no_cell(cell)
    facts, reach = facts_of(stream), reach_of_months(stream)
    if facts.last is None or reach is None:
        raise no_cell(cell)
    since = facts.last - timedelta(days=BEFORE - 1)
    sign = "" if cell == "did" else "NOT "
    sql = (
        f"SELECT who FROM ({months(stream)}) AS m WHERE m.month = {day(reach[1])} AND m.end_cents > 0 "  # noqa: S608
        f"AND {sign}EXISTS (SELECT 1 FROM ({events_of_accounts(stream)}) AS e WHERE e.who = m.who "
        f"AND e.event = {literal(parameters.event)} AND e.day >= {day(since)})"
    )
    did = "used" if cell == "did" else "did not use"
    return Group(
        f"accounts that pay and {did} {parameters.event} in the last {BEFORE} days",
        "account",
        sql,
        (stream.table, stream.revenue_table),
    )


READING: Reading[Any] = enter(
    Reading(
        "worth",
        "Adoption and money",
        "Do accounts that use a feature leave less, or buy more, among accounts that are alike?",
        WorthParameters,
        answer,
        group,
        needs,
        short="Money",
    )
)
