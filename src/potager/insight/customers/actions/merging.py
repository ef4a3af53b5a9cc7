"""Merging two into one, and taking it back: whatever moved is named in the merge, so an undo puts back exactly that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q

from potager.ground.access.actors import Actor, require
from potager.ground.acting.action import action
from potager.ground.acting.events import Acted
from potager.ground.events.bus import announce
from potager.ground.links.models import Link
from potager.ground.records.checks import keep
from potager.insight.customers.events import Merged, Unmerged
from potager.insight.customers.models import (
    Account,
    AccountHandle,
    Merge,
    Noun,
    Person,
    PersonHandle,
)
from potager.kit.clock import now
from potager.kit.errors import Conflict, NotFound

C = TypeVar("C", Account, Person)
_FILLED = {Noun.ACCOUNTS: ("name", "plan", "segment", "tier"), Noun.PEOPLE: ("name", "account_id")}


@action("customers.merge", on="kept")
def merge_accounts(*, actor: Actor, kept: Account, merged: Account, reason: str = "") -> Merge:
    """Say that two accounts are one: people, domains, ids and links follow, and the merged key still resolves."""
    return _merge(actor, kept, _locked(actor, merged), reason)


@action("customers.merge", on="kept")
def merge_people(*, actor: Actor, kept: Person, merged: Person, reason: str = "") -> Merge:
    """Say that two people are one: addresses, ids and links follow, and the merged key still resolves."""
    return _merge(actor, kept, _locked(actor, merged), reason)


def _locked(actor: Actor, record: C) -> C:
    rows: Any = type(record).objects.visible_to(actor).select_for_update(of=("self",))
    found: C | None = rows.filter(pk=record.pk).first()
    if found is None:
        raise NotFound("What is to be merged is not there any more.", mend="Look at the list again.")
    require(actor, "customers.merge", found)
    return found


def _merge(actor: Actor, kept: C, merged: C, reason: str) -> Merge:
    for record in (kept, merged):
        if record.merged_into is not None or record.archived_at is not None:
            raise Conflict(f"{record.title} was merged or archived already.", mend="Look at what it became.")
        if isinstance(record, Person) and record.erased_at is not None:
            raise Conflict("One of the two was erased.", mend="What was erased cannot be merged.")
    if kept.pk == merged.pk:
        raise Conflict(f"{kept.title} cannot be merged with itself.", mend="Choose another.")
    noun = Noun.ACCOUNTS if isinstance(kept, Account) else Noun.PEOPLE
    moved: dict[str, Any] = {
        "handles": _move_handles(kept, merged),
        "people": _move_people(kept, merged) if isinstance(kept, Account) else [],
        **_move_links(kept, merged),
        **_fill(kept, merged, noun),
    }
    merged.merged_into, merged.archived_at = kept, now()
    keep(merged)
    keep(kept)
    made = keep(
        Merge(
            noun_kind=noun,
            kept_id=kept.pk,
            merged_id=merged.pk,
            reason=reason,
            moved=moved,
            owner_id=actor.user_id,
            visibility=kept.visibility,
            team_id=kept.team_id,
        )
    )
    _tell(actor, merged)
    announce(Merged(actor.name, kept.kind(), str(kept.pk), str(merged.pk)))
    return made


def _tell(actor: Actor, *records: Account | Person) -> None:
    """Let the index hear of a record that the action did not return."""
    for record in records:
        announce(Acted(actor.name, "insight.customers.merge", record.kind(), str(record.pk), str(record)))


def _move_handles(kept: C, merged: C) -> list[int]:
    if isinstance(kept, Account):
        of_account = AccountHandle.objects.filter(account=merged)
        ids = list(of_account.values_list("pk", flat=True))
        of_account.update(account=kept)
        return ids
    of_person = PersonHandle.objects.filter(person=merged)
    ids = list(of_person.values_list("pk", flat=True))
    of_person.update(person=kept)
    return ids


def _move_people(kept: Account, merged: Account) -> list[str]:
    rows = Person.objects.filter(account=merged)
    ids = [str(key) for key in rows.values_list("pk", flat=True)]
    rows.update(account=kept)
    return ids


def _move_links(kept: C, merged: C) -> dict[str, list[str]]:
    """Move the links' ends; one that would double another, or join a record with itself, is archived instead."""
    moved: dict[str, list[str]] = {"links_from": [], "links_to": [], "links_archived": []}
    kind = kept.kind()
    for end, other in (("from", "to"), ("to", "from")):
        links = Link.objects.filter(**{f"{end}_kind": kind, f"{end}_id": merged.pk, "archived_at": None})
        for link in links:
            far = {
                f"{other}_kind": getattr(link, f"{other}_kind"),
                f"{other}_id": getattr(link, f"{other}_id"),
            }
            double = Link.objects.filter(
                relation=link.relation, archived_at=None, **{f"{end}_kind": kind, f"{end}_id": kept.pk}, **far
            )
            row = Link.objects.filter(pk=link.pk)
            if far[f"{other}_id"] == kept.pk or double.exists():
                row.update(archived_at=now())
                moved["links_archived"].append(str(link.pk))
            else:
                row.update(**{f"{end}_id": kept.pk})
                moved[f"links_{end}"].append(str(link.pk))
    return moved


def _fill(kept: C, merged: C, noun: Noun) -> dict[str, Any]:
    """Fill what the kept one lacks from the other; where both know something, the kept one's word stands."""
    filled: dict[str, Any] = {}
    for field in _FILLED[noun]:
        value = getattr(merged, field)
        if not getattr(kept, field) and value:
            filled[field] = str(value) if isinstance(value, UUID) else value
            setattr(kept, field, value)
    added = {name: value for name, value in merged.traits.items() if name not in kept.traits}
    kept.traits = {**kept.traits, **added}
    return {"filled": filled, "traits": added}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge would do, for the page that asks whether to."""

    people: int
    handles: list[str]
    links: int
    filled: dict[str, Any]
    differing: list[tuple[str, Any, Any]]


def preview(kept: C, merged: C) -> Preview:
    """Return what merging would move, fill, and leave as the kept one has it. Nothing is written."""
    noun = Noun.ACCOUNTS if isinstance(kept, Account) else Noun.PEOPLE
    fields = [name for name in _FILLED[noun] if name != "account_id"]
    both = [(name, getattr(kept, name), getattr(merged, name)) for name in fields]
    both += [(name, kept.traits.get(name), value) for name, value in merged.traits.items()]
    links = Q(from_kind=kept.kind(), from_id=merged.pk) | Q(to_kind=kept.kind(), to_id=merged.pk)
    return Preview(
        people=Person.objects.filter(account=merged).count() if isinstance(merged, Account) else 0,
        handles=[str(handle) for handle in merged.handles.all()],
        links=Link.objects.filter(links, archived_at=None).count(),
        filled={name: new for name, old, new in both if new not in (None, "") and old in (None, "")},
        differing=[
            (n, old, new) for n, old, new in both if old not in (None, "", new) and new not in (None, "")
        ],
    )


@action("customers.merge", on="merge")
def unmerge(*, actor: Actor, merge: Merge) -> Merge:
    """Undo a merge: exactly what it moved goes back. What was changed since stays with the one that was kept."""
    if merge.undone_at is not None:
        raise Conflict("This merge was undone already.", mend="There is nothing left to undo.")
    model: type[Account] | type[Person] = Account if merge.noun_kind == Noun.ACCOUNTS else Person
    rows = model.objects.select_for_update(of=("self",))
    kept, merged = rows.filter(pk=merge.kept_id).first(), rows.filter(pk=merge.merged_id).first()
    if kept is None or merged is None:
        raise Conflict("One of the two is not there any more.", mend="Nothing can be put back.")
    if isinstance(kept, Person) and kept.erased_at is not None:
        raise Conflict("The person was erased.", mend="What was erased cannot be put back.")
    if kept.merged_into is not None:
        raise Conflict(
            f"{kept.title} was itself merged into {kept.merged_into.title} since.",
            mend="Undo that merge first.",
        )
    _put_back(kept, merged, merge.moved)
    merged.merged_into, merged.archived_at = None, None
    keep(kept)
    keep(merged)
    merge.undone_at = now()
    _tell(actor, kept, merged)
    announce(Unmerged(actor.name, kept.kind(), str(kept.pk), str(merged.pk)))
    return keep(merge)


def _put_back(kept: Account | Person, merged: Account | Person, moved: dict[str, Any]) -> None:
    if isinstance(kept, Account):
        AccountHandle.objects.filter(pk__in=moved["handles"], account=kept).update(account=merged)
        Person.objects.filter(pk__in=moved["people"], account=kept).update(account=merged)
    else:
        PersonHandle.objects.filter(pk__in=moved["handles"], person=kept).update(person=merged)
    for end in ("from", "to"):
        Link.objects.filter(pk__in=moved[f"links_{end}"], **{f"{end}_id": kept.pk}).update(
            **{f"{end}_id": merged.pk}
        )
    Link.objects.filter(pk__in=moved["links_archived"]).update(archived_at=None)
    for field, value in moved["filled"].items():
        present = getattr(kept, field)
        if str(present) == str(value):
            setattr(kept, field, None if field == "account_id" else "")
    kept.traits = {
        name: value
        for name, value in kept.traits.items()
        if name not in moved["traits"] or moved["traits"][name] != value
    }
