"""Customers as CSV, streamed: no spreadsheet runs it as a formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from potager.insight.customers.models import DOMAIN, EMAIL, Account, Person
from potager.kit.files import csv_lines

_AT_ONCE = 2_000


def account_lines(rows: Any) -> Iterator[str]:
    """Yield accounts as CSV: key, name, plan, segment, tier, internal, domains."""
    head = ["key", "name", "plan", "segment", "tier", "internal", "domains", "created_at"]
    return csv_lines(head, _accounts(rows))


def _accounts(rows: Any) -> Iterator[list[Any]]:
    found: Account
    for found in rows.order_by("pk").prefetch_related("handles").iterator(chunk_size=_AT_ONCE):
        domains = " ".join(handle.value for handle in found.handles.all() if handle.origin == DOMAIN)
        values = [found.key, found.name, found.plan, found.segment, found.tier]
        yield [*values, "yes" if found.internal else "no", domains, found.created_at.isoformat()]


def person_lines(rows: Any) -> Iterator[str]:
    """Yield people as CSV: key, name, addresses, account; an erased person is a row with an opaque key."""
    return csv_lines(["key", "name", "emails", "account", "internal", "created_at"], _people(rows))


def _people(rows: Any) -> Iterator[list[Any]]:
    found: Person
    for found in rows.order_by("pk").iterator(chunk_size=_AT_ONCE):
        emails = " ".join(handle.value for handle in found.handles.all() if handle.origin == EMAIL)
        account = found.account.key if found.account else ""
        yield [
            found.key, found.name, emails, account, "yes" if found.internal else "no", found.created_at.isoformat()
        ]  # fmt: skip
