"""From a question to a draft: the recipe that fits, asked as of a day, on the present snapshots or on given ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from potager.ground.access.actors import Actor
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.queries import conditions, metrics
from potager.insight.questions.models import Answer, Cadence, Question
from potager.insight.questions.recipes.common import listed
from potager.insight.questions.recipes.draft import Asked, Draft
from potager.insight.questions.recipes.registry import kind
from potager.kit.clock import now, today

LIVES = {
    Cadence.DAILY: timedelta(days=1),
    Cadence.WEEKLY: timedelta(days=7),
    Cadence.MONTHLY: timedelta(days=31),
    Cadence.QUARTERLY: timedelta(days=92),
    Cadence.ONCE: timedelta(days=365),
}


def draft(
    actor: Actor,
    recipe: str,
    slots: Mapping[str, Any],
    *,
    words: str = "",
    rule: Mapping[str, str] | None = None,
    as_of: date | None = None,
    at: Mapping[str, str] | None = None,
) -> tuple[Draft, Asked]:
    """Return the draft of an answer, and what was asked. Nothing is written."""
    asked_for = kind(recipe)
    asked = Asked(
        actor=actor,
        words=words,
        slots=dict(slots),
        as_of=as_of or today(),
        rule=dict(rule or {}),
        at=at,
        where=conditions(listed(slots, "where")),
    )
    return asked_for.answer(asked), asked


def draft_of(actor: Actor, question: Question) -> tuple[Draft, Asked]:
    """Return the draft of a kept question's answer."""
    return draft(
        actor, question.recipe, question.slots, words=question.words, rule=question.rule, as_of=question.as_of
    )


def run_again(actor: Actor, answer: Answer) -> tuple[bool, str]:
    """Run an answer again on the snapshots of its receipt; return whether it came to the same, and the new digest."""
    receipt = answer.receipt
    made, _ = draft(
        actor,
        answer.recipe,
        receipt["slots"],
        words=answer.words,
        rule=receipt["rule"],
        as_of=date.fromisoformat(str(receipt["as_of"])[:10]),
        at=receipt["snapshots"],
    )
    return made.digest == receipt["digest"], made.digest


def redefined(actor: Actor, answer: Answer) -> list[str]:
    """Return the labels of an answer's metrics whose definition is not the one of its receipt any more."""
    found = {metric.name: metric for metric in metrics(actor)}
    return [
        str(said["label"])
        for said in answer.metrics
        if (metric := found.get(said["name"])) is None
        or layer_of(metric).definition_hash(metric.name) != said["definition"]
    ]


def why_different(actor: Actor, answer: Answer) -> str:
    """Return why an answer may not come to the same on its own snapshots: what it rests on besides them."""
    labels = redefined(actor, answer)
    if labels:
        return f"The definition of {', '.join(labels)} was changed since."
    return "A target, a formula of the tree or what surrounds the metric was changed since."


def expiry(cadence: str, made: Draft) -> datetime:
    """Return until when an answer may be relied on: its cadence, or sooner where it could not tell."""
    life = LIVES[Cadence(cadence)]
    return now() + (min(life, timedelta(days=1)) if made.refusal else life)


def differences(former: Answer, later: Answer) -> list[str]:
    """Return in sentences how a later answer differs from a former one."""
    lines = []
    if former.verdict != later.verdict:
        why = f": {later.refusal['because']}" if later.refusal else ""
        lines.append(f"{former.get_verdict_display()} became {later.get_verdict_display().lower()}{why}")
    if former.estimate is not None and later.estimate is not None and former.estimate != later.estimate:
        lines.append(f"The figure went from {former.estimate:,.4g} to {later.estimate:,.4g}.")
    if former.grade and later.grade and former.grade != later.grade:
        lines.append(f"How sure we are went from {former.grade} to {later.grade}.")
    if former.data_through != later.data_through and later.data_through:
        lines.append(f"The data now goes to {later.data_through:%Y-%m-%d %H:%M}.")
    before = {metric["name"]: metric["definition"] for metric in former.metrics}
    changed = [m["label"] for m in later.metrics if before.get(m["name"], m["definition"]) != m["definition"]]
    if changed:
        lines.append(f"The definition of {', '.join(changed)} was changed in between.")
    return lines
