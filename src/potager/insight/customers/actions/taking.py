"""Taking in the rows of a sync, some thousands in one transaction, and taking them back out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model, prefetch_related_objects

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.links.models import Link
from potager.ground.search.reactions import forget_many, index_many
from potager.insight.customers.domains import company_domains, domain_of, email_of, is_public
from potager.insight.customers.mapping import Row, Trouble
from potager.insight.customers.models import (
    DOMAIN,
    EMAIL,
    Account,
    AccountHandle,
    Noun,
    Person,
    PersonHandle,
    Sync,
    SyncChange,
    Tombstone,
    digest,
)
from potager.insight.customers.queries import standing
from potager.kit.clock import now
from potager.kit.errors import Invalid
from potager.kit.ids import uuid7

_FIELDS = {
    Noun.ACCOUNTS: ("name", "plan", "segment", "tier", "traits", "internal"),
    Noun.PEOPLE: ("name", "account_id", "traits", "internal"),
}


@dataclass(slots=True)
class _Chunk:
    """The rows of one transaction with what they become."""

    sync: Sync
    rows: list[Row]
    troubles: list[Trouble] = field(default_factory=list)
    made: dict[str, Account | Person] = field(default_factory=dict)
    changed: dict[str, Account | Person] = field(default_factory=dict)
    before: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    handles: dict[str, list[Any]] = field(default_factory=dict)

    def without(self, row: Row, kind: str, says: str) -> None:
        """Note that a row came in without a part of it."""
        self.troubles.append(Trouble(row.key, kind, f"{says} The row was taken without it.", True))


@action("customers.sync")
def take_in(*, actor: Actor, sync: Sync, rows: Sequence[Row]) -> list[Trouble]:
    """Make or change the customers of some rows, and keep what each was before; return the rows with problems."""
    chunk = _Chunk(sync, list(rows))
    people = sync.noun_kind == Noun.PEOPLE
    if people:
        _leave_out_erased(chunk)
    model: Any = Person if people else Account
    known = {record.key: record for record in model.objects.filter(key__in=[row.key for row in chunk.rows])}
    companies = _companies(actor, chunk) if people else {}
    for row in chunk.rows:
        record = known.get(row.key)
        if record is not None and (record.merged_into_id is not None or record.archived_at is not None):
            continue  # what was merged or archived here is not brought back by a table that does not know of it
        values: dict[str, Any] = dict(row.fields)
        if people and row.key in companies:
            values["account_id"] = companies[row.key]
        _plan(chunk, model, row, record, values)
    records = _write(chunk, model)
    present = {record.key: record for record in known.values()} | records
    _add_handles(chunk, present)
    _remember(chunk, present)
    _reindex([present[key] for key in chunk.before if key in present])
    return chunk.troubles


def _leave_out_erased(chunk: _Chunk) -> None:
    if not Tombstone.objects.exists():
        return
    told = {
        row.key: [digest(text) for text in (row.key, *(t.lower() for t in row.lists))] for row in chunk.rows
    }
    gone = set(
        Tombstone.objects.filter(digest__in=[d for found in told.values() for d in found]).values_list(
            "digest", flat=True
        )
    )
    kept = []
    for row in chunk.rows:
        if gone.isdisjoint(told[row.key]):
            kept.append(row)
        else:
            chunk.troubles.append(
                Trouble("", "was erased", "The person was erased and is not brought back.", False)
            )
    chunk.rows = kept


def _plan(chunk: _Chunk, model: Any, row: Row, record: Any, values: dict[str, Any]) -> None:
    if record is None:
        made = model(key=row.key, owner_id=chunk.sync.owner_id, traits=row.traits, **values)
        chunk.made[row.key], chunk.before[row.key] = made, None
        return
    values["traits"] = {**record.traits, **row.traits}
    before = {name: getattr(record, name) for name in values}
    if before == values:
        return
    for name, value in values.items():
        setattr(record, name, value)
    chunk.changed[row.key] = record
    chunk.before[row.key] = {name: str(v) if isinstance(v, UUID) else v for name, v in before.items()}


def _write(chunk: _Chunk, model: Any) -> dict[str, Any]:
    """Insert what is new and update what changed, each in one statement; return the records by key."""
    model.objects.bulk_create(list(chunk.made.values()), batch_size=2_000)
    moment = now()
    doubles = []
    for record in chunk.changed.values():
        record.version, record.updated_at = record.version + 1, moment
        values = {name: getattr(record, name) for name in _FIELDS[Noun(chunk.sync.noun_kind)]}
        # Under a new id, so that the key alone says which row is meant: a CASE over thousands of ids is slow.
        doubles.append(model(id=uuid7(), key=record.key, version=record.version, updated_at=moment, **values))
    if doubles:
        fields = [
            *(name.removesuffix("_id") for name in _FIELDS[Noun(chunk.sync.noun_kind)]),
            "version",
            "updated_at",
        ]
        model.objects.bulk_create(
            doubles, update_conflicts=True, unique_fields=["key"], update_fields=fields, batch_size=2_000
        )
    return {**chunk.made, **chunk.changed}


def _companies(actor: Actor, chunk: _Chunk) -> dict[str, UUID]:
    """Return the account of each person: the one that is named, or else the one of their mail domain."""
    named = {row.account for row in chunk.rows if row.account}
    by_key = {
        account.key: standing(account).pk
        for account in Account.objects.filter(key__in=named).select_related("merged_into")
    }
    domains: dict[str, list[str]] = {
        row.key: next((found for text in row.lists if (found := company_domains(text.lower()))), [])
        for row in chunk.rows
        if not row.account
    }
    by_domain = _by_domain({domain for found in domains.values() for domain in found})
    if chunk.sync.make_accounts:
        wanted = {found[0] for found in domains.values() if found and by_domain.keys().isdisjoint(found)}
        by_domain |= _new_companies(chunk, wanted)
    placed: dict[str, UUID] = {}
    for row in chunk.rows:
        if row.account and row.account not in by_key:
            chunk.without(row, "account unknown", f"There is no account {row.account}.")
        company = by_key.get(row.account) if row.account else _nearest(by_domain, domains[row.key])
        if company is not None:
            placed[row.key] = company
    return placed


def _nearest(by_domain: dict[str, UUID], domains: Sequence[str]) -> UUID | None:
    return next((by_domain[domain] for domain in domains if domain in by_domain), None)


def _by_domain(domains: Iterable[str]) -> dict[str, UUID]:
    handles = AccountHandle.objects.filter(origin=DOMAIN, value__in=list(domains))
    return {
        handle.value: standing(handle.account).pk for handle in handles.select_related("account__merged_into")
    }


def _new_companies(chunk: _Chunk, domains: set[str]) -> dict[str, UUID]:
    """Make an account of each domain that has none, as part of the sync: undoing it takes them away again."""
    taken = set(Account.objects.filter(key__in=domains).values_list("key", flat=True))
    valid = [domain for domain in sorted(domains - taken) if _is_domain(domain)]
    made = [Account(key=domain, name=domain, owner_id=chunk.sync.owner_id) for domain in valid]
    Account.objects.bulk_create(made)
    handles = [AccountHandle(account=account, origin=DOMAIN, value=account.key) for account in made]
    AccountHandle.objects.bulk_create(handles)
    SyncChange.objects.bulk_create(
        [SyncChange(sync=chunk.sync, record_id=account.pk, version=account.version) for account in made]
    )
    _reindex(made)
    return {account.key: account.pk for account in made}


def _is_domain(text: str) -> bool:
    try:
        return domain_of(text) == text
    except Invalid:
        return False


def _add_handles(chunk: _Chunk, present: dict[str, Any]) -> None:
    people = chunk.sync.noun_kind == Noun.PEOPLE
    model: Any = PersonHandle if people else AccountHandle
    end = "person_id" if people else "account_id"
    wanted: dict[tuple[str, str], Row] = {}
    for row in chunk.rows:
        if row.key not in present:
            continue
        for origin, value in _handles_of(chunk, row, people=people):
            other = wanted.setdefault((origin, value), row)
            if other is not row:
                chunk.without(row, f"{origin} of another", f"{_what(origin)} is one of {other.key} already.")
    held = {}
    for origin in {origin for origin, _ in wanted}:
        values = [value for of, value in wanted if of == origin]
        for found in model.objects.filter(origin=origin, value__in=values):
            held[found.origin, found.value] = getattr(found, end)
    new = []
    for (origin, value), row in wanted.items():
        record = present[row.key]
        owner = held.get((origin, value))
        if owner is None:
            new.append((row.key, model(origin=origin, value=value, **{end: record.pk})))
        elif owner != record.pk and record.merged_into_id is None:
            chunk.without(
                row, f"{origin} of another", f"{_what(origin)} is another's already; are the two one?"
            )
    model.objects.bulk_create([handle for _, handle in new], batch_size=5_000)
    for key, handle in new:
        chunk.handles.setdefault(key, []).append(handle.pk)
        chunk.before.setdefault(key, {})


def _what(origin: str) -> str:
    return {DOMAIN: "The domain", EMAIL: "The address"}.get(origin, "The source's id")


def _handles_of(chunk: _Chunk, row: Row, *, people: bool) -> list[tuple[str, str]]:
    found = []
    for text in row.lists:
        try:
            value = email_of(text) if people else domain_of(text)
        except Invalid:
            chunk.without(row, "no address" if people else "no domain", "What stands there cannot be one.")
            continue
        if not people and is_public(value):
            chunk.without(row, "public domain", f"Anybody can have an address at {value}.")
            continue
        found.append((EMAIL if people else DOMAIN, value))
    if row.source_id and row.source_id != row.key and len(row.source_id) <= 254:
        found.append((chunk.sync.origin[:60], row.source_id))
    return found


def _remember(chunk: _Chunk, present: dict[str, Any]) -> None:
    changes = [
        SyncChange(
            sync=chunk.sync,
            record_id=present[key].pk,
            version=present[key].version,
            before=before,
            handles=chunk.handles.get(key, []),
        )
        for key, before in chunk.before.items()
    ]
    SyncChange.objects.bulk_create(changes, batch_size=5_000, ignore_conflicts=True)


def _reindex(records: list[Any]) -> None:
    """Let the index know records that were written in bulk, with their handles and accounts read in one go."""
    if not records:
        return
    prefetch_related_objects(records, "handles")
    if isinstance(records[0], Person):
        companies = Account.objects.in_bulk({person.account_id for person in records if person.account_id})
        for person in records:
            person.account = companies.get(person.account_id)
    index_many(records)


@action("customers.sync")
def take_out(*, actor: Actor, sync: Sync, changes: Sequence[SyncChange]) -> int:
    """Take back what a sync did to some records; return how many stayed because they were changed since."""
    stayed = 0
    ids = [change.record_id for change in changes]
    for model, handles in ((Person, PersonHandle), (Account, AccountHandle)):
        rows: dict[UUID, Any] = {row.pk: row for row in model.objects.filter(pk__in=ids)}
        mine = [change for change in changes if change.record_id in rows]
        fit = [change for change in mine if rows[change.record_id].version == change.version]
        held = _leaned_on(model, [change.record_id for change in fit if change.before is None])
        gone = [change for change in fit if change.before is None and change.record_id not in held]
        back = [change for change in fit if change.before is not None]
        stayed += len(mine) - len(gone) - len(back)
        given = [pk for change in (*gone, *back) for pk in change.handles]
        _by_ids(handles, "pk__in", given)
        _restore(model, back, rows)
        _by_ids(model, "pk__in", [change.record_id for change in gone])
        forget_many(model.kind(), [change.record_id for change in gone])
    SyncChange.objects.filter(pk__in=[change.pk for change in changes]).delete()
    return stayed


def _by_ids(model: type[Model], lookup: str, ids: list[Any]) -> None:
    rows: Any = model._default_manager.filter(**{lookup: ids})
    rows.delete()


def _leaned_on(model: type[Account] | type[Person], ids: list[UUID]) -> set[UUID]:
    """Return which of some records others hold on to: people in them, links to them, merges into them."""
    held = set(model.objects.filter(merged_into__in=ids).values_list("merged_into", flat=True))
    for end in ("from", "to"):
        rows = Link.objects.filter(**{f"{end}_kind": model.kind(), f"{end}_id__in": ids})
        held |= set(rows.values_list(f"{end}_id", flat=True))
    if model is Account:
        held |= set(Person.objects.filter(account__in=ids).values_list("account", flat=True))
    return {found for found in held if found is not None}


def _restore(model: Any, changes: list[SyncChange], rows: dict[UUID, Any]) -> None:
    moment, restored = now(), []
    was: dict[tuple[UUID, int], int] = {}
    for change in changes:
        row = rows[change.record_id]
        if not change.before:  # only handles were added
            continue
        for name, value in change.before.items():
            setattr(row, name, UUID(value) if name == "account_id" and value else value)
        row.version, row.updated_at = row.version + 1, moment
        was[row.pk, change.version - 1] = row.version
        restored.append(row)
    fields = _FIELDS[Noun.PEOPLE if model is Person else Noun.ACCOUNTS]
    model.objects.bulk_update(
        restored, [*(name.removesuffix("_id") for name in fields), "version", "updated_at"], batch_size=500
    )
    # The records stand again as an earlier sync left them: undoing that one must know them by their new version.
    earlier = list(SyncChange.objects.filter(record_id__in=[row.pk for row in restored]))
    for change in earlier:
        change.version = was.get((change.record_id, change.version), change.version)
    SyncChange.objects.bulk_update(earlier, ["version"], batch_size=500)
    _reindex([rows[change.record_id] for change in changes])
