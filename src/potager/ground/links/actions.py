"""Linking and unlinking."""

from __future__ import annotations

from datetime import datetime

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.links.models import Grade, Link, Relation
from potager.ground.records.checks import keep
from potager.ground.records.models import Record
from potager.ground.records.queries import record
from potager.kit.clock import now
from potager.kit.errors import FieldProblem, Invalid


@action("links.edit")
def link(
    *,
    actor: Actor,
    source: Record,
    target: Record,
    relation: str,
    evidence: str = "",
    grade: int = Grade.ASSERTED,
    confidence: float | None = None,
    expires_at: datetime | None = None,
) -> Link:
    """Link two records: what explains, what is explained, how, on what evidence, until when."""
    for end in (source, target):
        record(actor, end.kind(), end.pk)  # nobody links what they may not see
    if relation not in Relation.values:
        problem = FieldProblem("relation", f"There is no relation {relation}.")
        raise Invalid(problem.problem, mend=f"Use one of {', '.join(Relation.values)}.", errors=[problem])
    return keep(
        Link(
            relation=relation,
            from_kind=source.kind(),
            from_id=source.pk,
            to_kind=target.kind(),
            to_id=target.pk,
            evidence=evidence,
            grade=grade,
            confidence=confidence,
            expires_at=expires_at,
            owner_id=actor.user_id,
        )
    )


@action("links.edit", on="link")
def regrade(
    *,
    actor: Actor,
    link: Link,
    grade: int,
    evidence: str,
    confidence: float | None = None,
    expires_at: datetime | None = None,
) -> Link:
    """Say anew how well a link is proven, on what evidence, and until when."""
    link.grade, link.evidence, link.confidence, link.expires_at = grade, evidence, confidence, expires_at
    return keep(link)


@action("links.edit", on="link")
def unlink(*, actor: Actor, link: Link) -> Link:
    """Take a link away; the audit keeps that it was there."""
    link.archived_at = now()
    return keep(link)
