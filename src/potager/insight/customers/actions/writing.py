"""Accounts and people, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.records.checks import keep
from potager.insight.customers.domains import company_domains, domain_of, email_of, is_public
from potager.insight.customers.models import (
    DOMAIN,
    EMAIL,
    Account,
    AccountHandle,
    Person,
    PersonHandle,
    Tombstone,
    digest,
)
from potager.insight.customers.queries import company_of, find_person
from potager.kit.errors import Conflict, FieldProblem, Invalid

C = TypeVar("C", Account, Person)
ACCOUNT_FIELDS = ("key", "name", "plan", "segment", "tier", "traits", "internal")
PERSON_FIELDS = ("key", "name", "traits", "internal", "account")


@action("customers.edit")
def create_account(
    *, actor: Actor, domains: Iterable[str] = (), handles: Mapping[str, str] | None = None, **values: Any
) -> Account:
    """Add an account: its key, and its name, domains, plan, segment, tier and traits where they are known."""
    made = keep(_set(Account(owner_id=actor.user_id), values, ACCOUNT_FIELDS))
    _set_domains(made, domains)
    _set_handles(made, handles or {})
    return made


@action("customers.edit", on="account")
def change_account(
    *,
    actor: Actor,
    account: Account,
    domains: Iterable[str] | None = None,
    handles: Mapping[str, str] | None = None,
    **values: Any,
) -> Account:
    """Change an account; what is not named stays as it is. Domains, where given, replace those it had."""
    _standing(account)
    changed = keep(_set(account, values, ACCOUNT_FIELDS))
    if domains is not None:
        _set_domains(changed, domains)
    _set_handles(changed, handles or {})
    return changed


@action("customers.edit")
def create_person(
    *, actor: Actor, emails: Iterable[str] = (), handles: Mapping[str, str] | None = None, **values: Any
) -> Person:
    """Add a person; without a key, the first address is the key, and without an account, its domain finds one."""
    addresses = [email_of(text) for text in emails]
    values = dict(values)
    values["key"] = values.get("key") or next(iter(addresses), "")
    _not_erased([values["key"], *addresses])
    if values.get("account") is None and addresses:
        values["account"] = company_of(actor, addresses[0])
    made = keep(_set(Person(owner_id=actor.user_id), values, PERSON_FIELDS))
    _set_emails(made, addresses)
    _set_handles(made, handles or {})
    return made


@action("customers.edit", on="person")
def change_person(
    *,
    actor: Actor,
    person: Person,
    emails: Iterable[str] | None = None,
    handles: Mapping[str, str] | None = None,
    **values: Any,
) -> Person:
    """Change a person; what is not named stays as it is. Addresses, where given, replace those they had."""
    _standing(person)
    if person.erased_at is not None:
        raise Conflict("This person was erased.", mend="Nothing can be written about them any more.")
    changed = keep(_set(person, values, PERSON_FIELDS))
    if emails is not None:
        _set_emails(changed, [email_of(text) for text in emails])
    _set_handles(changed, handles or {})
    return changed


@action("customers.edit")
def meet(*, actor: Actor, email: str, name: str = "", internal: bool = False) -> Person:
    """Return whoever has this address; make them, and their company by its domain, where nobody has it yet.

    Public mail domains never make a company. An address that was erased is refused.
    """
    address = email_of(email)
    known = find_person(actor, address)
    if known is not None:
        return known
    _not_erased([address])
    company = company_of(actor, address) or _company(actor, address)
    person = keep(Person(key=address, name=name, account=company, internal=internal, owner_id=actor.user_id))
    _set_emails(person, [address])
    return person


def _company(actor: Actor, address: str) -> Account | None:
    domain = next(iter(company_domains(address)), "")
    if not domain or Account.objects.filter(key=domain).exists():
        return None
    return create_account(actor=actor, key=domain, name=domain, domains=[domain])


def _set(record: C, values: Mapping[str, Any], known: tuple[str, ...]) -> C:
    unknown = sorted(set(values) - set(known))
    if unknown:
        errors = [FieldProblem(name, f"There is no field {name}.") for name in unknown]
        raise Invalid(
            f"Unknown fields: {', '.join(unknown)}.",
            mend=f"The fields are {', '.join(known)}.",
            errors=errors,
        )
    for name, value in values.items():
        setattr(record, name, value)
    return record


def _standing(record: Account | Person) -> None:
    if record.merged_into is not None:
        raise Conflict(
            f"{record.title} was merged into {record.merged_into.title}.",
            mend="Change that one, or undo the merge first.",
        )


def _not_erased(values: Iterable[str]) -> None:
    if Tombstone.objects.filter(digest__in=[digest(value) for value in values if value]).exists():
        raise Conflict(
            "The person of this key or address was erased.",
            mend="Nothing may be kept of them; leave them out at the source.",
        )


def _set_domains(account: Account, given: Iterable[str]) -> None:
    domains = list(dict.fromkeys(domain_of(text) for text in given if text.strip()))
    for domain in domains:
        if is_public(domain):
            problem = FieldProblem(
                "domains", f"Anybody can have an address at {domain}: it says nothing about a company."
            )
            raise Invalid(problem.problem, mend="Leave it out.", errors=[problem])
        taken = AccountHandle.objects.filter(origin=DOMAIN, value=domain).exclude(account=account).first()
        if taken is not None:
            raise Conflict(
                f"{domain} is a domain of {taken.account} already.",
                mend="Merge the two, or take it from that one.",
            )
    AccountHandle.objects.filter(account=account, origin=DOMAIN).exclude(value__in=domains).delete()
    for domain in domains:
        AccountHandle.objects.get_or_create(account=account, origin=DOMAIN, value=domain)


def _set_emails(person: Person, addresses: Iterable[str]) -> None:
    wanted = list(dict.fromkeys(addresses))
    for address in wanted:
        taken = PersonHandle.objects.filter(origin=EMAIL, value=address).exclude(person=person).first()
        if taken is not None:
            raise Conflict(
                f"{address} is an address of {taken.person.title} already.",
                mend="Merge the two, or take it from that one.",
            )
    PersonHandle.objects.filter(person=person, origin=EMAIL).exclude(value__in=wanted).delete()
    for address in wanted:
        PersonHandle.objects.get_or_create(person=person, origin=EMAIL, value=address)


def _set_handles(record: Account | Person, handles: Mapping[str, str]) -> None:
    manager: Any = AccountHandle.objects if isinstance(record, Account) else PersonHandle.objects
    end = "account" if isinstance(record, Account) else "person"
    for origin, value in handles.items():
        if origin in {DOMAIN, EMAIL} or not origin.strip() or not str(value).strip():
            raise Invalid(
                f"{origin!r} with {value!r} is not a source's id.",
                mend="Name the source and the id it gave, such as stripe: cus_123.",
            )
        taken = manager.filter(origin=origin, value=value).first()
        if taken is not None and getattr(taken, f"{end}_id") != record.pk:
            raise Conflict(
                f"{origin} {value} is {getattr(taken, end).title} already.",
                mend="Merge the two, or correct the id.",
            )
        if taken is None:
            manager.create(origin=origin, value=value, **{end: record})
