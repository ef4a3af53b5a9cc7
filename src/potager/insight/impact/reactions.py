"""What the ledger does when others act: bets are linked to metric, goal and changes, graded as they are proven."""

from __future__ import annotations

from typing import Any

from potager.ground.access.actors import machine
from potager.ground.acting.events import Acted
from potager.ground.events.bus import reacts_to
from potager.ground.links import actions as links
from potager.ground.links.models import Grade, Link, Relation
from potager.ground.records.models import Record, model_of
from potager.insight.impact.models import Bet, Change, Observation
from potager.insight.impact.tree_paths import TREE_EVIDENCE

GRADES = {
    "asserted": Grade.ASSERTED,
    "correlated": Grade.CORRELATED,
    "predictive": Grade.PREDICTIVE,
    "quasi_experimental": Grade.QUASI_EXPERIMENTAL,
    "experimental": Grade.EXPERIMENTAL,
}


@reacts_to(Acted)
def link_what_belongs_together(event: Acted) -> None:
    """Link a bet that was written, a change that was shipped for one, and grade a link anew after an observation."""
    if event.kind == Bet.kind():
        bet = Bet.objects.select_related("metric").filter(pk=event.id).first()
        if bet is not None:
            _link_bet(bet)
    elif event.kind == Change.kind():
        change = Change.objects.filter(pk=event.id).exclude(bet="").first()
        owner = Bet.objects.filter(key=change.bet).first() if change is not None else None
        if change is not None and owner is not None:
            _once(owner, change, Relation.LEADS_TO, Grade.ASSERTED, "Shipped for it.")


def _link_bet(bet: Bet) -> None:
    seen = bet.observations.filter(role="outcome").order_by("-end", "-created_at").first()
    grade, evidence = _graded(seen)
    _once(bet, bet.metric, Relation.DRIVES, grade, evidence)
    if bet.goal:
        goal: Any = model_of("goals.goal")
        found = goal.objects.filter(name=bet.goal, archived_at=None).first()
        if found is not None:
            _once(bet, found, Relation.SUPPORTS, Grade.ASSERTED, "Named when the bet was registered.")


def _graded(seen: Observation | None) -> tuple[Grade, str]:
    if seen is None or not seen.told:
        return Grade.ASSERTED, "Believed when the bet was registered."
    return GRADES[TREE_EVIDENCE[seen.evidence]], f"Observed {seen.age} days after launch: {seen.method}."


def _once(source: Record, target: Record, relation: str, grade: Grade, evidence: str) -> None:
    rows = Link.objects.filter(archived_at=None, relation=relation, from_id=source.pk, to_id=target.pk)
    found = rows.first()
    who = machine("Potager")
    if found is None:
        links.link(actor=who, source=source, target=target, relation=relation, grade=grade, evidence=evidence)
    elif found.grade != grade or found.evidence != evidence:
        links.regrade(actor=who, link=found, grade=grade, evidence=evidence)
