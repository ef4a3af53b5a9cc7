"""What did product investments return, and which claims are the weakest?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.statistics import Part
from potager.insight.impact import saying
from potager.insight.impact.ledger import Ledger, ledger, metric_names, weakest_first
from potager.insight.impact.lines import Line, Range
from potager.insight.metrics.periods import Period, parse_period
from potager.insight.questions.models import Answer
from potager.insight.questions.recipes.draft import Asked, Check, Draft, Driver
from potager.kit import words
from potager.kit.charts.bars import Estimate, compared
from potager.kit.charts.chart import Chart
from potager.kit.errors import Invalid

_PAID = {
    "yes": "That is more than was paid.",
    "no": "That is less than was paid.",
    "at_risk": "That may be more or less than was paid.",
    "cannot_tell": "",
}


def answer_portfolio(asked: Asked) -> Draft:
    """Answer what product investments returned, or which claims are the weakest.

    Slots: ``period`` (bets launched in it; all where not given), ``team``, ``product``, ``objective``, ``show``
    (returns, weakest).
    """
    span = _period(asked)
    filters = {
        field: str(asked.slots[name])
        for name, field in (("team", "team_name"), ("product", "product"), ("objective", "objective"))
        if asked.slots.get(name)
    }
    show = str(asked.slots.get("show") or "returns")
    if show not in {"returns", "weakest"}:
        raise Invalid(f"There is no view {show}.", mend="Give the slot 'show' returns or weakest.")
    found = ledger(
        asked.actor,
        asked.as_of,
        start=span.start if span else None,
        end=span.end if span else None,
        at=asked.at,
        **filters,
    )
    over = f"in bets launched {span.when}" if span else ""
    draft = Draft(
        "cannot_tell",
        "",
        metric_names(found.lines),
        unit=found.currency,
        evidence_class=saying.EVIDENCE[found.total.evidence],
        next_questions=[
            "What did product investments return?"
            if show == "weakest"
            else "Which of our claims are weakest?"
        ],
        ran=[run for movement in found.movements for run in movement.ran],
    )
    if not found.lines:
        because = f"No bet was launched {span.when}." if span else "No bet was launched yet."
        return draft.refused(CannotTell("incomplete", because, "Register a bet, launch it and observe it."))
    checks = [
        Check("claims within the movement", not movement.ledger.capped, movement.says)
        for movement in found.movements
        if not isinstance(movement.ledger, CannotTell)
    ]
    total = found.total
    draft = replace(
        draft,
        checks=checks,
        figures={
            "names": [line.bet.name for line in found.lines if line.returned],
            "values": [list(line.returned) for line in found.lines if line.returned],
            "cost": list(total.cost),
            "told": total.told,
            "bets": total.bets,
            "pictures": ["returns"] if total.told else [],
        },
    )
    if total.returned is None:
        refusal = CannotTell(
            "not_identified",
            saying.of_sum(total, found.currency, over=over),
            "Observe the bets, and draw the tree's edges to money.",
        )
        return draft.refused(refusal)
    said = saying.of_sum(total, found.currency, over=over) if span else saying.of_ledger(found)
    made = replace(
        draft,
        verdict=_paid(total.returned, total.cost),
        statement=f"{said} {_PAID[_paid(total.returned, total.cost)]}".strip(),
        estimate=total.returned[0],
        low=total.returned[1],
        high=total.returned[2],
        level=0.95,
        drivers=[
            Driver(line.bet.name, line.returned[0], line.bet.metric.name, saying.EVIDENCE[line.evidence])
            for line in found.lines
            if line.returned
        ],
        would_change=[saying.weakest_sentence(weakest_first(found.lines))],
        parts=_portfolio_parts(found),
    )
    if show == "weakest":
        weak = weakest_first(found.lines)
        return replace(made, statement=saying.weakest_sentence(weak), verdict=_weak_verdict(weak))
    return made


def _paid(returned: Range, cost: Range) -> str:
    """Return whether what came back is more than what was paid: yes, no, or either way."""
    if cost[0] <= 0.0:
        return "cannot_tell"
    return "yes" if returned[1] > cost[2] else "no" if returned[2] < cost[1] else "at_risk"


def _weak_verdict(lines: list[Line]) -> str:
    """Return yes where every claim stands on an experiment, at risk where one stands on less, no on belief."""
    rank = min((saying.RANK[line.evidence] for line in lines), default=1)
    return "yes" if rank == 5 else "at_risk" if rank >= 3 else "no"


def _portfolio_parts(found: Ledger) -> list[Part]:
    total = found.total
    share = total.told / total.bets
    state: Any = "good" if share >= 0.8 else "fair" if share >= 0.5 else "poor"
    rank = saying.RANK[total.evidence]
    known: Any = "good" if rank == 5 else "fair" if rank >= 4 else "poor"
    capped = [one for one in found.movements if not isinstance(one.ledger, CannotTell) and one.ledger.capped]
    settled = (
        f"Claims were cut in {words.counted(len(capped), 'movements')}: two bets claimed the same."
        if capped
        else "No claim exceeds the movement it is about."
    )
    return [
        Part("completeness", state, f"{total.told} of {words.counted(total.bets, 'bets')} can be told."),
        Part("identification", known, f"The weakest claim rests on: {saying.EVIDENCE[total.evidence]}."),
        Part("agreement", "fair" if capped else "good", settled),
    ]


def _period(asked: Asked) -> Period | None:
    given = asked.slots.get("period")
    return parse_period(str(given)) if given else None


def returns_picture(answer: Answer) -> Chart:
    """Draw what each bet returned."""
    figures = answer.figures
    values = {name: value[0] for name, value in zip(figures["names"], figures["values"], strict=True)}
    best = max(values, key=lambda name: values[name])
    rows = [
        Estimate(name, value[0], value[1], value[2])
        for name, value in dict(zip(figures["names"], figures["values"], strict=True)).items()
    ]
    return compared(
        rows,
        title=f"{best} has returned most, {words.human(values[best], answer.unit)}",
        unit=answer.unit,
        what="returned so far",
        subtitle="Present value of what has come back so far, as granted",
        reference=0.0,
        reference_label="nothing",
    )
