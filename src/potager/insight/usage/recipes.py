"""The kind of question that usage answers: what goes with keeping, leaving, buying more?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.statistics import Part
from potager.engines.statistics.quality import State
from potager.ground.access.actors import Actor
from potager.insight.metrics.reading import Ran
from potager.insight.questions.models import Answer
from potager.insight.questions.recipes.draft import Asked, Check, Draft
from potager.insight.questions.recipes.registry import Kind, register
from potager.insight.questions.understanding import Found, Understood
from potager.insight.usage import queries
from potager.insight.usage.facts import facts_of
from potager.insight.usage.models import Stream
from potager.insight.usage.readings import activation, worth
from potager.insight.usage.readings.base import Outcome, refused
from potager.insight.usage.running import reading_at
from potager.kit.charts.bars import Estimate, compared
from potager.kit.charts.chart import Chart
from potager.kit.errors import FieldProblem, Invalid

LEVEL = 0.95
MANY, SOME = 1000, 200
_KEEPING = (
    r"keep(?:s|ing)?|stay(?:s|ing)?|retention|retain(?:s|ing)?|coming back|come back|loyalty|activation"
)
_LEAVING = r"churn(?:s|ing)?|leav(?:e|es|ing)|cancel(?:s|ing|lation|lations)?|quit(?:s|ting)?"
_MORE = r"expan(?:d|ds|ding|sion)|upgrad(?:e|es|ing)|upsell(?:s|ing)?|buy(?:s|ing)? more|pay(?:s|ing)? more"
_OF_ALL = re.compile(
    r"\bwhat (?:early )?(?:behaviou?rs? |features? |things? )?(?:do |does )?"
    r"(?:predict\w*|goes with|go with|lead\w* to|drive\w*|explain\w*|is (?:related|linked|connected) to|relate\w* to)\b"
    r"|\bwhich (?:early )?(?:behaviou?rs?|features?|actions?|events?|habits?)\b.*"
    r"\b(?:predict\w*|go(?:es)? with|lead\w* to|drive\w*|keep\w*)\b"
    r"|\bwhat makes (?:people|accounts|customers|users) (?:stay|leave|keep|churn|come back|quit)\b",
    re.IGNORECASE,
)
TARGETS = {"keeping": _KEEPING, "churn": _LEAVING, "expansion": _MORE}


def read(actor: Actor, text: str, today: date) -> Understood | None:
    """Return how the words are read as a question of relation; None where they are not of this kind."""
    wide = _OF_ALL.search(text)
    target, said = _target(text)
    if not target or (wide is None and not re.search(r"\bus(e|es|ing|ed)\b", text, re.IGNORECASE)):
        return None
    streams = list(queries.streams(actor)[:20])
    if not streams:
        return None
    stream = _stream(streams, text)
    event = _event(stream, text) if stream is not None else ""
    if wide is None and not event:
        return None
    found = [Found(said, "outcome", target), Found(wide.group(0) if wide else "", "kind", "relation")]
    missing, notes = [], []
    slots: dict[str, Any] = {"outcome": target}
    if stream is None:
        missing.append(f"Which usage do you mean: {', '.join(one.name for one in streams)}?")
    else:
        slots["stream"] = str(stream.pk)
        found.append(
            Found(stream.name if stream.name.casefold() in text.casefold() else "", "stream", stream.name)
        )
        if event:
            slots["event"] = event
            found.append(Found(event, "feature", event))
        if target != "keeping" and (lacking := worth.needs(stream)):
            missing.append(lacking)
        if event and target == "keeping" and not worth.needs(stream):
            slots["outcome"] = "churn"
            notes.append("Keeping by accounts that use one feature is read from who leaves.")
    return Understood(text, "relation", slots, found, missing, (), notes)


def _target(text: str) -> tuple[str, str]:
    for target, words in TARGETS.items():
        hit = re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
        if hit:
            return target, hit.group(0)
    return "", ""


def _stream(streams: list[Stream], text: str) -> Stream | None:
    named = [one for one in streams if re.search(rf"\b{re.escape(one.name)}\b", text, re.IGNORECASE)]
    if len(named) == 1:
        return named[0]
    return streams[0] if len(streams) == 1 else None


def _event(stream: Stream, text: str) -> str:
    folded = text.casefold()
    names = sorted((one.name for one in facts_of(stream).names), key=len, reverse=True)
    for name in names:
        spoken = {name.casefold(), name.casefold().replace("_", " ")}
        if any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", folded) for one in spoken if one):
            return name
    return ""


def _stream_of(asked: Asked) -> Stream:
    key = asked.slots.get("stream")
    if key:
        return queries.stream(asked.actor, str(key))
    streams = list(queries.streams(asked.actor)[:2])
    if len(streams) == 1:
        return streams[0]
    problem = FieldProblem("stream", "The question does not say which stream of events.")
    raise Invalid(problem.problem, mend="Give the slot 'stream' the id of one.", errors=[problem])


def answer(asked: Asked) -> Draft:
    """Return what goes with keeping, leaving or buying more, as an association with its interval."""
    outcome_name = str(asked.slots.get("outcome") or "keeping")
    if outcome_name not in TARGETS:
        problem = FieldProblem("outcome", f"There is no outcome {outcome_name}.")
        raise Invalid(problem.problem, mend=f"Use {', '.join(TARGETS)}.", errors=[problem])
    stream = _stream_of(asked)
    event = str(asked.slots.get("event") or "")
    with reading_at(asked.at):
        last = facts_of(stream).last
        end = asked.as_of if last is not None and asked.as_of < last else None
        if outcome_name == "keeping":
            return _of_keeping(activation.answer(stream, activation.ActivationParameters(end=end)))
        lacking = worth.needs(stream)
        if lacking:
            refusal = CannotTell("undefined", lacking, "Say so on the stream's page.")
            return _draft(refused(refusal)).refused(refusal)
        kind: Any = outcome_name
        parameters = worth.WorthParameters(event=event, outcome=kind, end=end)
        return _of_money(worth.answer(stream, parameters), event)


def _draft(outcome: Outcome, **given: Any) -> Draft:
    ran: tuple[Ran, ...] = outcome.ran
    return Draft(
        verdict="cannot_tell",
        statement=outcome.sentence,
        metrics=[],
        evidence_class="correlated",
        level=LEVEL,
        would_change=[
            "An experiment that leads a random half to it would tell whether doing it keeps them.",
            *outcome.notes[-1:],
        ],
        ran=ran,
        **given,
    )


def _of_keeping(outcome: Outcome) -> Draft:
    if outcome.refusal is not None:
        return _draft(outcome).refused(outcome.refusal)
    figures = dict(outcome.figures or {})
    behaviors = figures["behaviors"]
    confirmed = [one for one in behaviors if one["confirmed"]]
    checks = [
        Check("held-out people", bool(confirmed),
              f"{len(confirmed)} of {figures['tested']} early behaviors hold on the half that chose nothing."),
        Check("cause", False, "It is an association: nobody was led to it at random."),
    ]  # fmt: skip
    best = confirmed[0] if confirmed else None
    kept = {
        "rows": [
            [one["event"], one["times"], one["days"], one["lift"] * 100, one["low"] * 100, one["high"] * 100]
            for one in (confirmed or behaviors)[:10]
        ],
        "of": "keeping",
        "pictures": ["related"] if (confirmed or behaviors) else [],
    }
    made = _draft(
        outcome, checks=checks, parts=_parts(figures["people"], bool(confirmed)), figures=kept,
        estimate=best["lift"] * 100 if best else None, low=best["low"] * 100 if best else None,
        high=best["high"] * 100 if best else None, unit="pp",
        next_questions=["Which accounts are at risk?"],
    )  # fmt: skip
    return _with_verdict(made, bool(confirmed))


def _of_money(outcome: Outcome, event: str) -> Draft:
    if outcome.refusal is not None:
        return _draft(outcome).refused(outcome.refusal)
    figures = dict(outcome.figures or {})
    rows = figures.get("features") or [
        {
            **{key: figures[key] for key in ("event", "difference", "low", "high")},
            "beyond_chance": figures["tells"],
        }
    ]
    kept = [one for one in rows if one["beyond_chance"]]
    best = kept[0] if kept else rows[0] if event else None
    checks = [
        Check(
            "chance",
            bool(kept),
            f"{len(kept)} of {len(rows)} features differ by more than chance would bring up.",
        ),
        Check("confounders", False, " ".join(outcome.notes[:2])),
    ]
    shown = {
        "rows": [
            [one["event"], 1, 0, one["difference"] * 100, one["low"] * 100, one["high"] * 100]
            for one in (kept or rows)[:10]
        ],
        "of": figures["outcome"],
        "pictures": ["related"],
    }
    made = _draft(
        outcome, checks=checks, parts=_parts(figures["accounts"], bool(kept)), figures=shown,
        estimate=best["difference"] * 100 if best else None, low=best["low"] * 100 if best else None,
        high=best["high"] * 100 if best else None, unit="pp",
        next_questions=["What predicts keeping?"],
    )  # fmt: skip
    return _with_verdict(made, bool(kept))


def _with_verdict(made: Draft, found: bool) -> Draft:
    return replace(made, verdict="yes" if found else "no")


def _parts(people: int, found: bool) -> list[Part]:
    state: State = "good" if people >= MANY else "fair" if people >= SOME else "poor"
    return [
        Part("sample_size", state, f"It rests on {people:,} people or accounts.", float(people)),
        Part(
            "identification",
            "fair" if found else "poor",
            "It is an association: nobody was led to it at random. "
            + ("It holds beyond chance." if found else "Chance alone would bring up as much."),
        ),
    ]


def related(answer: Answer) -> Chart:
    """Draw what goes with it, each with its interval."""
    rows = [
        Estimate(_named(event, times, days), value, low, high)
        for event, times, days, value, low, high in answer.figures["rows"]
    ]
    of = {"keeping": "stayed", "churn": "left", "expansion": "bought more"}[answer.figures["of"]]
    return compared(
        rows, title=f"How much more often those {of} who did it, than those who did not", unit="pp", what="difference",
        as_of=answer.complete_through,
    )  # fmt: skip


def _named(event: str, times: int, days: int) -> str:
    often = f" {times} times" if times > 1 else ""
    return f"{event}{often}, first {days} days" if days else event


register(
    Kind(
        "relation",
        "What goes with it?",
        answer,
        about="What goes with keeping, leaving or buying more: an association, with its interval.",
        read=read,
        pictures={"related": related},
        variables={
            "estimate": "the difference in percentage points",
            "low": "its low end",
            "high": "its high end",
        },
    )
)
