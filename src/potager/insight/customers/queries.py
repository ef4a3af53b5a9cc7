"""Reading customers: lists, whoever a key or an address means, segments and how many are in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Count, Prefetch, Q

from potager.ground.access.actors import Actor, require
from potager.ground.records.models import RecordQuerySet
from potager.ground.search.models import SearchEntry
from potager.ground.search.queries import by_words, entries
from potager.insight.customers.conditions import as_filter
from potager.insight.customers.domains import company_domains, email_of
from potager.insight.customers.models import (
    DOMAIN,
    EMAIL,
    Account,
    AccountHandle,
    Merge,
    Noun,
    Person,
    PersonHandle,
    Segment,
    Sync,
)
from potager.kit.errors import FieldProblem, Invalid, NotFound

C = TypeVar("C", Account, Person)
MOST_FOUND = 500
SORTS = ("name", "-name", "created_at", "-created_at", "updated_at", "-updated_at")


def accounts(
    actor: Actor, *, search: str = "", member_of: Segment | None = None, **fields: Any
) -> RecordQuerySet[Account]:
    """Return the accounts the actor may see; merged ones are not there, what they were merged into is."""
    rows: RecordQuerySet[Account] = Account.objects.visible_to(actor).alive()
    return _narrowed(actor, rows, Account, search, member_of, fields)


def people(
    actor: Actor, *, search: str = "", member_of: Segment | None = None, **fields: Any
) -> RecordQuerySet[Person]:
    """Return the people the actor may see, erased ones among them as tombstones."""
    rows: RecordQuerySet[Person] = Person.objects.visible_to(actor).alive()
    found = _narrowed(actor, rows, Person, search, member_of, fields)
    return found.select_related("account").prefetch_related(Prefetch("handles"))


def _narrowed(
    actor: Actor,
    rows: RecordQuerySet[C],
    model: type[C],
    search: str,
    segment: Segment | None,
    fields: dict[str, Any],
) -> RecordQuerySet[C]:
    rows = rows.filter(**{name: value for name, value in fields.items() if value not in (None, "")})
    if segment is not None:
        rows = rows.filter(inside(segment))
    return rows.filter(pk__in=_found(actor, model.kind(), search)) if search.strip() else rows


def _found(actor: Actor, kind: str, search: str) -> list[Any]:
    """Return the keys of the best matches: the index is asked, because a million names cannot be read through."""
    if not re.search(r"\w", search):
        return []
    best = by_words(entries(actor, [kind]), search, MOST_FOUND)
    return list(SearchEntry.objects.filter(pk__in=best).values_list("record_id", flat=True))


def order_of(sort: str, first: str = "name") -> str:
    """Return the order that ``sort`` asks for; Invalid where there is no such order."""
    if not sort:
        return first
    if sort not in SORTS:
        problem = FieldProblem("sort", f"Customers cannot be sorted by {sort}.")
        raise Invalid(problem.problem, mend=f"Use one of {', '.join(SORTS)}.", errors=[problem])
    return sort


def values_of(actor: Actor, field: str, *, most: int = 12) -> list[str]:
    """Return the values of ``plan``, ``segment`` or ``tier`` that occur, the most frequent first."""
    rows = Account.objects.visible_to(actor).alive().exclude(**{field: ""}).order_by()
    counted = rows.values(field).annotate(how_many=Count("pk")).order_by("-how_many", field)
    return [str(row[field]) for row in counted[:most]]


def standing(record: C) -> C:
    """Return what the record was merged into in the end, or itself."""
    seen = {record.pk}
    while record.merged_into is not None and record.merged_into.pk not in seen:
        record = record.merged_into
        seen.add(record.pk)
    return record


def account_of(actor: Actor, given: str, *, origin: str = "") -> Account:
    """Return the account that a key, a mail domain, an e-mail address or a source's id means; NotFound where none."""
    require(actor, "customers.read")
    found = _account(actor, given.strip(), origin)
    if found is None:
        raise NotFound(
            f"No account is known by {given!r}.", mend="Look at the list, or bring it with a sync."
        )
    return found


def _account(actor: Actor, given: str, origin: str) -> Account | None:
    seen = Account.objects.visible_to(actor).select_related("merged_into")
    found = None if origin else seen.filter(key=given).first()
    if found is None:
        handles = Q(origin=origin, value=given) if origin else Q(value__in=[given, given.lower()])
        handle = AccountHandle.objects.filter(handles, account__in=seen).select_related("account").first()
        found = handle.account if handle else None
    if found is None and "@" in given and not origin:
        found = company_of(actor, given)
    return standing(found) if found is not None else None


def company_of(actor: Actor, email: str) -> Account | None:
    """Return the account whose mail domain an address is at: the nearest domain wins, public ones say nothing."""
    domains = company_domains(email.strip().lower())
    seen = Account.objects.visible_to(actor)
    handles = AccountHandle.objects.filter(origin=DOMAIN, value__in=domains, account__in=seen)
    by_domain = {handle.value: handle.account for handle in handles.select_related("account")}
    nearest = next((by_domain[domain] for domain in domains if domain in by_domain), None)
    return standing(nearest) if nearest is not None else None


def person_of(actor: Actor, given: str, *, origin: str = "") -> Person:
    """Return the person that a key, an e-mail address or a source's id means; NotFound where there is none."""
    require(actor, "customers.read")
    found = find_person(actor, given.strip(), origin=origin)
    if found is None:
        raise NotFound(
            f"No person is known by {given!r}.", mend="Look at the list, or bring them with a sync."
        )
    return found


def find_person(actor: Actor, given: str, *, origin: str = "") -> Person | None:
    """Return the person that a key, an address or a source's id means, if there is one."""
    seen = Person.objects.visible_to(actor).select_related("merged_into", "account")
    found = None if origin else seen.filter(key=given).first()
    if found is None:
        handles = Q(origin=origin, value=given) if origin else Q(value=given)
        if "@" in given and not origin:
            with suppress(Invalid):  # a key may hold an @ and be no address
                handles |= Q(origin=EMAIL, value=email_of(given))
        handle = PersonHandle.objects.filter(handles, person__in=seen).select_related("person").first()
        found = handle.person if handle else None
    return standing(found) if found is not None else None


def resolve(actor: Actor, given: str, *, origin: str = "") -> Account | Person:
    """Return the person or account that a key, an address, a domain or a source's id means; people first."""
    require(actor, "customers.read")
    found = find_person(actor, given.strip(), origin=origin) or _account(actor, given.strip(), origin)
    if found is None:
        raise NotFound(
            f"Neither a person nor an account is known by {given!r}.",
            mend="Look at the lists, or bring them.",
        )
    return found


def keys_of(actor: Actor, given: Iterable[str]) -> dict[str, str]:
    """Return, for each of many account keys, the key it stands under now: merged keys lead to what they became."""
    seen = Account.objects.visible_to(actor)
    found: dict[str, str] = {}
    wanted = list(dict.fromkeys(given))
    for start in range(0, len(wanted), 500):
        for account in seen.filter(key__in=wanted[start : start + 500]).select_related("merged_into"):
            found[account.key] = standing(account).key
    return found


def segments(actor: Actor) -> RecordQuerySet[Segment]:
    """Return the segments the actor may see."""
    rows: RecordQuerySet[Segment] = Segment.objects.visible_to(actor)
    return rows.alive().select_related("owner")


def inside(segment: Segment) -> Q:
    """Return a segment as a filter on accounts or people."""
    if not segment.fixed:
        return as_filter(segment.condition, segment.noun_kind)
    keys = segment.members.values("key")
    return Q(key__in=keys) | Q(absorbed__key__in=keys)


def members(actor: Actor, segment: Segment) -> RecordQuerySet[Any]:
    """Return who is in a segment now, as far as the actor may see them."""
    rows = people(actor) if segment.noun_kind == Noun.PEOPLE else accounts(actor)
    found = rows.filter(inside(segment))
    return found.distinct() if segment.fixed else found


def how_many(actor: Actor, segment: Segment) -> int:
    """Return how many are in a segment now."""
    return members(actor, segment).order_by().count()


def nobody_has(actor: Actor, segment: Segment) -> int:
    """Return how many keys of a fixed list mean nobody who is known (yet)."""
    model: type[Person] | type[Account] = Person if segment.noun_kind == Noun.PEOPLE else Account
    return segment.members.exclude(key__in=model.objects.values("key")).count()


def merges(actor: Actor, record: Account | Person | None = None) -> RecordQuerySet[Merge]:
    """Return the merges the actor may see, newest first; of one record where one is given."""
    rows: RecordQuerySet[Merge] = Merge.objects.visible_to(actor)
    if record is not None:
        rows = rows.filter(Q(kept_id=record.pk) | Q(merged_id=record.pk))
    return rows.select_related("owner")


def syncs(actor: Actor) -> RecordQuerySet[Sync]:
    """Return the syncs the actor may see, newest first."""
    rows: RecordQuerySet[Sync] = Sync.objects.visible_to(actor)
    return rows.alive().select_related("owner", "job")


def people_in(actor: Actor, accounts: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many people the actor sees in each of some accounts; tombstones count."""
    rows = Person.objects.visible_to(actor).alive().filter(account__in=list(accounts)).order_by()
    counted = rows.values("account").annotate(how_many=Count("pk"))
    return {row["account"]: row["how_many"] for row in counted}


def keys_under(accounts: Iterable[Account]) -> dict[str, list[str]]:
    """Return, for each account's key, all keys that mean it: its own and those of whatever was merged into it.

    Tables of the lake go on naming an account by the key it had on the day.
    """
    rows = list(accounts)
    under = {account.key: [account.key] for account in rows}
    top, level = {account.pk: account.key for account in rows}, [account.pk for account in rows]
    while level:
        below = list(Account.objects.filter(merged_into__in=level).only("pk", "key", "merged_into_id"))
        level = [account.pk for account in below if account.pk not in top]
        for account in below:
            if account.pk not in top and account.merged_into_id is not None:
                top[account.pk] = top[account.merged_into_id]
                under[top[account.pk]].append(account.key)
    return under
