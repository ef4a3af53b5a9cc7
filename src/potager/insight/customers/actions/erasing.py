"""Everything the house knows of a person, told to them; and forgetting it.

What an erasure takes away, and what it keeps and why, is said in the receipt it returns. The audit log cannot be
changed: it never held a name or an address of a person, only keyed digests of them (:meth:`Person.facts`).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.db.models import Q

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.acting.events import Acted
from potager.ground.audit.models import AuditEntry
from potager.ground.events.bus import announce
from potager.ground.links.models import Link
from potager.ground.records.checks import keep
from potager.ground.serving.models import KeptAnswer
from potager.insight.customers.events import PersonErased
from potager.insight.customers.knowing import Holder, holders, register
from potager.insight.customers.models import (
    Merge,
    Noun,
    Person,
    SegmentMember,
    Sync,
    SyncChange,
    Tombstone,
    digest,
)
from potager.kit.clock import now
from potager.kit.errors import Conflict


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure did: the person's opaque key from now on, and what was kept, each with why."""

    key: str
    records: int
    kept: list[str]


def one_and_the_same(person: Person) -> list[Person]:
    """Return a person with all who were merged into them, however deep."""
    found, level = [person], [person]
    while level:
        level = list(Person.objects.filter(merged_into__in=[one.pk for one in level]))
        found += level
    return found


@action("customers.disclose", on="person")
def disclose(*, actor: Actor, person: Person) -> dict[str, Any]:
    """Return everything the house knows of a person, as plain JSON; that somebody asked for it is in the audit."""
    parts = {
        holder.name: {"title": holder.title, "holds": holder.tell(actor, person)} for holder in holders()
    }
    return {"person": str(person.pk), "as_of": now().isoformat(), "parts": parts}


@action("customers.erase", on="person")
def erase(*, actor: Actor, person: Person) -> Receipt:
    """Erase a person for good: name, addresses, traits and key go; a tombstone keeps the counts right."""
    if person.erased_at is not None:
        raise Conflict("This person was erased already.", mend="There is nothing left to erase.")
    if person.merged_into is not None:
        raise Conflict(
            f"{person.title} was merged into {person.merged_into.title}.",
            mend="Erase that one; this goes with it.",
        )
    everyone = one_and_the_same(person)
    kept = [sentence for holder in holders() for sentence in holder.forget(actor, person)]
    for one in everyone[1:]:
        _bury(one)
        announce(Acted(actor.name, "insight.customers.erase", one.kind(), str(one.pk), str(one)))
    _bury(person)
    announce(PersonErased(actor.name, str(person.pk)))
    return Receipt(person.key, len(everyone), kept)


def _bury(person: Person) -> None:
    told = {person.key, *person.handles.values_list("value", flat=True)}
    Tombstone.objects.bulk_create(
        [Tombstone(digest=digest(value), person=person) for value in told], ignore_conflicts=True
    )
    person.handles.all().delete()
    opaque = f"erased-{uuid4().hex}"
    in_people = Q(segment__noun_kind=Noun.PEOPLE, key=person.key)
    SegmentMember.objects.filter(in_people).update(key=opaque)
    person.key, person.name, person.traits, person.erased_at = opaque, "", {}, now()
    keep(person)


def _tell_record(actor: Actor, person: Person) -> list[dict[str, Any]]:
    return [
        {
            "key": one.key,
            "name": one.name,
            "account": one.account.key if one.account else None,
            "traits": one.traits,
            "internal": one.internal,
            "known_as": [{"origin": handle.origin, "value": handle.value} for handle in one.handles.all()],
            "created_at": one.created_at.isoformat(),
            "updated_at": one.updated_at.isoformat(),
            "merged": one.pk != person.pk,
        }
        for one in one_and_the_same(person)
    ]


def _keep_place(actor: Actor, person: Person) -> list[str]:
    said = ["An empty record under an opaque key, so that counts of people stay right."]
    if person.account is not None:
        said.append("Which account the record belongs to, for the same reason.")
    said.append("Keyed digests of the key and the addresses, so that no sync brings the person back.")
    return said


def _tell_merges(actor: Actor, person: Person) -> list[dict[str, Any]]:
    ids = [one.pk for one in one_and_the_same(person)]
    rows = Merge.objects.filter(Q(kept_id__in=ids) | Q(merged_id__in=ids))
    return [{"at": row.created_at.isoformat(), "reason": row.reason, "moved": row.moved} for row in rows]


def _forget_merges(actor: Actor, person: Person) -> list[str]:
    ids = [one.pk for one in one_and_the_same(person)]
    for row in Merge.objects.filter(Q(kept_id__in=ids) | Q(merged_id__in=ids)):
        row.moved, row.reason = {**row.moved, "filled": {}, "traits": {}}, ""
        keep(row)
    return []


def _tell_segments(actor: Actor, person: Person) -> list[str]:
    keys = [one.key for one in one_and_the_same(person)]
    lists = SegmentMember.objects.filter(key__in=keys, segment__noun_kind=Noun.PEOPLE)
    return sorted(set(lists.values_list("segment__name", flat=True)))


def _tell_links(actor: Actor, person: Person) -> list[dict[str, Any]]:
    ends = Q(from_kind=person.kind(), from_id=person.pk) | Q(to_kind=person.kind(), to_id=person.pk)
    return [
        {"relation": link.relation, "evidence": link.evidence, "at": link.created_at.isoformat()}
        for link in Link.objects.filter(ends)
    ]


def _keep_links(actor: Actor, person: Person) -> list[str]:
    count = len(_tell_links(actor, person))
    if not count:
        return []
    return [f"{count} links to other records, without the person's name: what they prove stays proven."]


def _tell_history(actor: Actor, person: Person) -> list[dict[str, Any]]:
    rows = AuditEntry.objects.filter(record_kind=person.kind(), record_id=person.pk)
    return [{"at": row.at.isoformat(), "by": row.actor_name, "action": row.action} for row in rows]


def _keep_history(actor: Actor, person: Person) -> list[str]:
    return [
        "The audit log, which cannot be changed: that this record was written, by whom and when. It holds digests "
        "where a name, a key or a trait would stand, and no personal value."
    ]


def _tell_syncs(actor: Actor, person: Person) -> list[dict[str, Any]]:
    ids = [one.pk for one in one_and_the_same(person)]
    rows = SyncChange.objects.filter(record_id__in=ids).select_related("sync")
    return [
        {"table": row.sync.table, "at": row.sync.created_at.isoformat(), "before": row.before} for row in rows
    ]


def _forget_syncs(actor: Actor, person: Person) -> list[str]:
    everyone = one_and_the_same(person)
    told = {one.key for one in everyone}
    told |= {handle.value for one in everyone for handle in one.handles.all()}
    changes = SyncChange.objects.filter(record_id__in=[one.pk for one in everyone])
    tables = sorted(set(changes.values_list("sync__table", flat=True)))
    changes.delete()
    for sync in Sync.objects.filter(noun_kind=Noun.PEOPLE):
        _strike_out(sync, told)
    ids = [str(one.pk).encode() for one in everyone]
    for answer in KeptAnswer.objects.iterator(chunk_size=200):  # a day's worth at most
        if any(key in bytes(answer.body) for key in ids):
            answer.delete()
    if not tables:
        return []
    return [
        f"The rows of the lake's tables {', '.join(tables)}, which are the source's copy: erase the person there, "
        "load the table anew, and let its old snapshots expire. Files that were imported are kept as they came."
    ]


def _strike_out(sync: Sync, told: set[str]) -> None:
    """Take the person's lines out of the list of rows with problems."""
    if not sync.rejects_path.exists():
        return
    with sync.rejects_path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    left = [line for line in lines if line[:1] and not told & {line[0], line[0].removeprefix("'")}]
    if len(left) < len(lines):
        text = io.StringIO()
        csv.writer(text).writerows(left)
        sync.rejects_path.write_text(text.getvalue(), encoding="utf-8", newline="")


register(Holder("customers", "The person's record", _tell_record, _keep_place))
register(Holder("merges", "Merges", _tell_merges, _forget_merges))
register(Holder("segments", "Fixed segments", _tell_segments))
register(Holder("links", "Links", _tell_links, _keep_links))
register(Holder("syncs", "Syncs", _tell_syncs, _forget_syncs))
register(Holder("audit", "What happened", _tell_history, _keep_history))
