"""Segments: conditions, and fixed lists."""

from __future__ import annotations

from collections.abc import Iterable

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.records.checks import keep
from potager.insight.customers.conditions import parse
from potager.insight.customers.models import Noun, Segment, SegmentMember
from potager.kit.clock import now
from potager.kit.errors import FieldProblem, Invalid

LARGEST_LIST = 1_000_000
_AT_ONCE = 5_000


@action("customers.edit")
def create_segment(
    *,
    actor: Actor,
    name: str,
    noun: str = Noun.ACCOUNTS,
    condition: str = "",
    keys: Iterable[str] | None = None,
    about: str = "",
    source: str = "",
) -> Segment:
    """Name some customers: by a condition, or by a fixed list of keys, such as those behind a cell of a report."""
    segment = Segment(name=name, about=about, noun_kind=noun, source=source, owner_id=actor.user_id)
    segment.condition = _checked(condition, noun)
    _one_of_both(segment, keys)
    keep(segment)
    if keys is not None:
        _list(segment, keys)
    return segment


@action("customers.edit", on="segment")
def change_segment(
    *,
    actor: Actor,
    segment: Segment,
    name: str | None = None,
    condition: str | None = None,
    keys: Iterable[str] | None = None,
    about: str | None = None,
) -> Segment:
    """Change a segment's name, its words, its condition or its list; what is not named stays as it is."""
    segment.name = segment.name if name is None else name
    segment.about = segment.about if about is None else about
    if condition is not None:
        segment.condition = _checked(condition, segment.noun_kind)
        if segment.condition:
            _one_of_both(segment, keys)
            SegmentMember.objects.filter(segment=segment).delete()
    if keys is not None:
        _one_of_both(segment, keys)
        _list(segment, keys)
    return keep(segment)


@action("customers.edit", on="segment")
def archive_segment(*, actor: Actor, segment: Segment) -> Segment:
    """Take a segment out of use; it can be brought back."""
    segment.archived_at = now()
    return keep(segment)


@action("customers.edit", on="segment")
def restore_segment(*, actor: Actor, segment: Segment) -> Segment:
    """Bring an archived segment back."""
    segment.archived_at = None
    return keep(segment)


def _checked(condition: str, noun: str) -> str:
    lines = [" ".join(line.split()) for line in condition.splitlines() if line.strip()]
    said = "\n".join(lines)
    parse(said, noun)
    return said


def _one_of_both(segment: Segment, keys: Iterable[str] | None) -> None:
    if segment.condition and keys is not None:
        problem = FieldProblem("keys", "A segment has a condition or a list of keys, not both.")
        raise Invalid(problem.problem, mend="Leave one of them out.", errors=[problem])
    if not segment.condition and keys is None and segment._state.adding:
        problem = FieldProblem("condition", "A segment needs a condition, or a list of keys.")
        raise Invalid(problem.problem, mend="Write a line such as: plan is pro", errors=[problem])


def _list(segment: Segment, keys: Iterable[str]) -> None:
    wanted = list(dict.fromkeys(key.strip() for key in keys if key.strip()))
    if len(wanted) > LARGEST_LIST:
        raise Invalid(
            f"The list has {len(wanted):,} keys; {LARGEST_LIST:,} are the most.",
            mend="Write a condition instead.",
        )
    long = next((key for key in wanted if len(key) > 200), None)
    if long is not None:
        raise Invalid(
            f"{long[:60]!r}… is longer than a key can be.", mend="A key has 200 characters at most."
        )
    SegmentMember.objects.filter(segment=segment).delete()
    for start in range(0, len(wanted), _AT_ONCE):
        SegmentMember.objects.bulk_create(
            [SegmentMember(segment=segment, key=key) for key in wanted[start : start + _AT_ONCE]]
        )
