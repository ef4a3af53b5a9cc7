"""Shapes of customers over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Schema

from potager.ground.serving.schemas import RecordOut

Trait = str | int | float | bool | None
NounName = Literal["accounts", "people"]
SortName = Literal["", "name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"]


class CustomerHandleOut(Schema):
    """What a source knows a customer by; the sources "domain" and "email" are mail domains and addresses."""

    origin: str
    value: str


class AccountOut(RecordOut):
    """A company, or a team of one's own."""

    key: str
    name: str
    plan: str
    segment: str
    tier: str
    internal: bool
    traits: dict[str, Trait]
    handles: list[CustomerHandleOut]
    merged_into_id: UUID | None

    @staticmethod
    def resolve_handles(record: Any) -> list[Any]:
        """Return all handles."""
        return list(record.handles.all())


class AccountChange(Schema):
    """What is to be said of an account; what is left out stays."""

    model_config = {"extra": "forbid"}
    key: str | None = Field(None, min_length=1, max_length=200)
    name: str | None = Field(None, max_length=300)
    domains: list[str] | None = Field(None, max_length=200, description="Mail domains, such as acme.com.")
    plan: str | None = Field(None, max_length=120)
    segment: str | None = Field(None, max_length=120)
    tier: str | None = Field(None, max_length=120)
    internal: bool | None = None
    traits: dict[str, Trait] | None = None
    handles: dict[str, str] | None = Field(None, description="Ids in sources, such as stripe: cus_123.")


class AccountIn(AccountChange):
    """An account to be added."""

    key: str = Field(min_length=1, max_length=200)


class CustomerPersonOut(RecordOut):
    """Somebody in an account, or outside any. An erased person has an opaque key and nothing else."""

    key: str
    name: str
    account_id: UUID | None
    internal: bool
    traits: dict[str, Trait]
    handles: list[CustomerHandleOut]
    merged_into_id: UUID | None
    erased_at: datetime | None

    @staticmethod
    def resolve_handles(record: Any) -> list[Any]:
        """Return all handles."""
        return list(record.handles.all())


class CustomerPersonChange(Schema):
    """What is to be said of a person; what is left out stays."""

    model_config = {"extra": "forbid"}
    key: str | None = Field(None, min_length=1, max_length=200)
    name: str | None = Field(None, max_length=300)
    emails: list[str] | None = Field(None, max_length=200)
    account: str | None = Field(
        None, max_length=254, description="The account's key, domain or id in a source."
    )
    internal: bool | None = None
    traits: dict[str, Trait] | None = None
    handles: dict[str, str] | None = Field(None, description="Ids in sources, such as segment: u-17.")


class CustomerPersonIn(CustomerPersonChange):
    """A person to be added: with a key, or with an address that becomes the key."""


class CustomerMergeIn(Schema):
    """Which one is merged into this one, and why."""

    model_config = {"extra": "forbid"}
    merged: UUID = Field(description="The id of the one that is no more.")
    reason: str = Field("", max_length=500)


class CustomerMergeOut(RecordOut):
    """That two are one. ``moved`` says how many of each went over."""

    noun_kind: str
    kept_id: UUID
    merged_id: UUID
    reason: str
    moved: dict[str, int]
    undone_at: datetime | None

    @staticmethod
    def resolve_moved(record: Any) -> dict[str, int]:
        """Return counts: the moved values themselves are the records' own."""
        return {name: len(value) for name, value in record.moved.items()}


class ErasureOut(Schema):
    """What an erasure did."""

    key: str
    records: int
    kept: list[str]


class DisclosureOut(Schema):
    """Everything known of a person, by the part of the house that knows it."""

    person: UUID
    as_of: datetime
    parts: dict[str, Any]


class ResolvedOut(Schema):
    """Who is meant."""

    kind: Literal["customers.account", "customers.person"]
    id: UUID
    key: str
    title: str
    url: str


class AccountStripOut(Schema):
    """A measure of an account over time."""

    title: str
    unit: str
    periods: list[date]
    values: list[float | None]
    partial: bool
    source: str


class AccountKnownOut(Schema):
    """What the lake knows of an account; nothing where it does not."""

    revenue: AccountStripOut | None
    usage: AccountStripOut | None


class CustomerSegmentOut(RecordOut):
    """Some of the customers."""

    name: str
    about: str
    noun_kind: str
    condition: str
    source: str
    fixed: bool


class CustomerSegmentIn(Schema):
    """A segment: a condition, or a fixed list of keys."""

    model_config = {"extra": "forbid"}
    name: str = Field(min_length=1, max_length=120)
    noun: NounName = "accounts"
    condition: str = Field("", max_length=4000, description="One condition a line, such as: seats >= 10")
    keys: list[str] | None = Field(None, max_length=1_000_000)
    about: str = Field("", max_length=4000)
    source: str = Field("", max_length=300, description="Where a fixed list came from.")


class CustomerSegmentChange(Schema):
    """What is to be changed about a segment."""

    model_config = {"extra": "forbid"}
    name: str | None = Field(None, min_length=1, max_length=120)
    condition: str | None = Field(None, max_length=4000)
    keys: list[str] | None = Field(None, max_length=1_000_000)
    about: str | None = Field(None, max_length=4000)


class SegmentCountOut(Schema):
    """How many are in a segment now, and how many keys of a fixed list mean nobody known."""

    count: int
    nobody: int


class CustomerSyncIn(Schema):
    """Which table brings what. Without a mapping, the columns' names suggest one."""

    model_config = {"extra": "forbid"}
    noun: NounName
    table: str = Field(max_length=200, description="namespace.table")
    mapping: dict[str, Any] | None = Field(
        None,
        description='Fields with their columns, and traits: {"key": "id", "traits": {"seats": "Seats"}}.',
    )
    origin: str = Field("", max_length=60, description="What the source of source_id is called.")
    make_accounts: bool = Field(False, description="Make a company of each new mail domain (people only).")


class CustomerSyncOut(RecordOut):
    """A sync, with what came of it."""

    noun_kind: str
    table: str
    mapping: dict[str, Any]
    origin: str
    make_accounts: bool
    state: str
    job_id: UUID | None
    snapshot: str
    rows: int
    added: int
    changed: int
    set_aside: int
    reasons: dict[str, int]
    note: str
