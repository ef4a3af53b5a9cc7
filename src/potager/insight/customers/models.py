"""Accounts, people, and what sources know them by."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from potager.ground.jobs.models import Job
from potager.ground.records.models import Record
from potager.insight.customers.traits import named_traits
from potager.kit import words

DOMAIN = "domain"
EMAIL = "email"
ERASED = "Erased person"
key_rule = RegexValidator(r"^\S(.*\S)?$", "A key is text without blanks at its ends.")


def digest(value: str) -> str:
    """Return a keyed digest of a personal value: it tells whether two are the same, and nothing else."""
    return hmac.new(settings.SECRET_KEY.encode(), value.encode(), hashlib.sha256).hexdigest()


def in_pieces(values: Iterable[str]) -> str:
    """Return keys and addresses with the pieces they are made of: an index may hold ``acme.com`` as one word only."""
    found = [(value, re.sub(r"[\W_]+", " ", value).strip()) for value in values]
    return " ".join(dict.fromkeys(text for both in found for text in both if text))


class Customer(Record):
    """What accounts and people share."""

    key = models.CharField(
        max_length=200,
        validators=[key_rule],
        help_text="What this is called in every table: one text, the same everywhere.",
    )
    name = models.CharField(max_length=300, blank=True)
    traits = models.JSONField(default=dict, blank=True, validators=[named_traits])
    internal = models.BooleanField(default=False, help_text="One of ours: a team or a colleague.")

    class Meta:
        abstract = True


class Account(Customer):
    """A company, or a team of one's own."""

    plan = models.CharField(max_length=120, blank=True)
    segment = models.CharField(max_length=120, blank=True)
    tier = models.CharField(max_length=120, blank=True)
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="absorbed"
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["key"],
                name="one_account_per_key",
                violation_error_message="There is an account with this key already.",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=[field, "id"], name=f"accounts_by_{field}", condition=models.Q(archived_at=None)
            )
            for field in ("name", "created_at", "updated_at", "plan", "segment", "tier")
        ]

    def __str__(self) -> str:
        return self.name or self.key

    def summary(self) -> str:
        """Return what the account is, in a line."""
        what = "Internal" if self.internal else "Account"
        return " · ".join(filter(None, [what, self.key, self.plan, self.segment, self.tier]))

    def findable(self) -> str:
        """Return the key, the domains and what sources call the account."""
        return in_pieces([self.key, *(handle.value for handle in self.handles.all())])

    def url(self) -> str:
        """Return the account's page."""
        return f"/customers/accounts/{self.pk}"


class Person(Customer):
    """Somebody in an account, or outside any."""

    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="people")
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="absorbed"
    )
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "people"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["key"],
                name="one_person_per_key",
                violation_error_message="There is a person with this key already.",
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=[field, "id"], name=f"people_by_{field}", condition=models.Q(archived_at=None)
            )
            for field in ("name", "created_at", "updated_at")
        ]

    def __str__(self) -> str:
        """Return what the audit may keep for ever: no name, no address."""
        return f"person {self.pk}"

    @property
    def title(self) -> str:
        """Return the person's name, or what else there is."""
        if self.erased_at is not None:
            return ERASED
        return self.name or next(iter(self.emails), "") or self.key

    @property
    def emails(self) -> list[str]:
        """Return the person's addresses."""
        return [handle.value for handle in self.handles.all() if handle.origin == EMAIL]

    def facts(self) -> dict[str, Any]:
        """Return what the audit keeps: that a personal value changed, as a digest, never the value itself."""
        found = super().facts()
        for field in ("key", "name", "traits"):
            text = found[field] if isinstance(found[field], str) else json.dumps(found[field], sort_keys=True)
            found[field] = f"digest {digest(text)[:12]}" if text not in ("", "{}") else ""
        return found

    def summary(self) -> str:
        """Return where the person is and how they are reached."""
        if self.erased_at is not None:
            return ""
        at = str(self.account) if self.account else ""
        return " · ".join(filter(None, ["Colleague" if self.internal else "Person", at, *self.emails[:1]]))

    def findable(self) -> str:
        """Return the key, the addresses and what sources call the person."""
        return in_pieces([self.key, *(handle.value for handle in self.handles.all())])

    def url(self) -> str:
        """Return the person's page; a tombstone is led to by its account only, and found by no search."""
        return "" if self.erased_at is not None else f"/customers/people/{self.pk}"


class Handle(models.Model):
    """What a source knows a customer by: ``origin`` is the source, ``domain`` or ``email``."""

    origin = models.CharField(max_length=60)
    value = models.CharField(max_length=254)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.origin} {self.value}"


class AccountHandle(Handle):
    """An account's mail domain, or its id in a source."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="handles")

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["origin", "value"], name="one_account_per_handle")
        ]


class PersonHandle(Handle):
    """A person's e-mail address, or their id in a source."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="handles")

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["origin", "value"], name="one_person_per_handle")
        ]


class Tombstone(models.Model):
    """The digest of a key or address that was erased, so that no sync brings the person back."""

    digest = models.CharField(max_length=64, primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE, related_name="tombstones")

    def __str__(self) -> str:
        return self.digest


class Noun(models.TextChoices):
    """Which kind of customer something is about."""

    ACCOUNTS = "accounts", "Accounts"
    PEOPLE = "people", "People"


class Segment(Record):
    """Some of the customers: by a condition that is asked anew each time, or by a fixed list of keys."""

    name = models.CharField(max_length=120)
    about = models.TextField(blank=True)
    noun_kind = models.CharField(max_length=8, choices=Noun.choices, default=Noun.ACCOUNTS)
    condition = models.TextField(blank=True, help_text="One condition a line; all must hold.")
    source = models.CharField(max_length=300, blank=True, help_text="Where a fixed list came from.")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(archived_at=None),
                name="one_segment_of_a_name",
                violation_error_message="There is a segment of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def fixed(self) -> bool:
        """Whether the segment is a list of keys."""
        return not self.condition

    def summary(self) -> str:
        """Return what the segment holds, in a line."""
        said = "a fixed list" if self.fixed else "; ".join(self.condition.splitlines())
        return f"{self.get_noun_kind_display()}: {said}"

    def findable(self) -> str:
        """Return what people wrote about it."""
        return self.about

    def url(self) -> str:
        """Return the segment's page."""
        return f"/customers/segments/{self.pk}"


class SegmentMember(models.Model):
    """One key of a fixed list. A key that nobody has yet counts from the day it is known."""

    segment = models.ForeignKey(Segment, models.CASCADE, related_name="members")
    key = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["segment", "key"], name="a_key_once_in_a_segment")
        ]

    def __str__(self) -> str:
        return self.key


class Merge(Record):
    """That two accounts, or two people, are one; ``moved`` holds what an undo puts back."""

    noun_kind = models.CharField(max_length=8, choices=Noun.choices)
    kept_id = models.UUIDField(db_index=True)
    merged_id = models.UUIDField(db_index=True)
    reason = models.CharField(max_length=500, blank=True)
    moved = models.JSONField(default=dict, editable=False)
    undone_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"merge {self.pk}"

    def facts(self) -> dict[str, Any]:
        """Return what the audit keeps: which two, not what they held."""
        found = super().facts()
        found["moved"] = {name: len(ids) for name, ids in self.moved.items() if isinstance(ids, list)}
        return found


class SyncState(models.TextChoices):
    """Where a sync stands."""

    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"


class Sync(Record):
    """Accounts or people brought from a table of the lake. ``mapping`` names the column of each field."""

    noun_kind = models.CharField(max_length=8, choices=Noun.choices)
    table = models.CharField(max_length=200)
    mapping = models.JSONField(default=dict)
    origin = models.CharField(max_length=60, blank=True)
    make_accounts = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=SyncState.choices, default=SyncState.RUNNING)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    snapshot = models.CharField(max_length=40, blank=True, editable=False)
    rows = models.BigIntegerField(default=0, editable=False)
    added = models.BigIntegerField(default=0, editable=False)
    changed = models.BigIntegerField(default=0, editable=False)
    set_aside = models.BigIntegerField(default=0, editable=False)
    reasons = models.JSONField(default=dict, blank=True, editable=False)
    note = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_noun_kind_display()} from {self.table}"

    def summary(self) -> str:
        """Return what came of it."""
        kind = (
            self.noun_kind if self.added != 1 else {"accounts": "account", "people": "person"}[self.noun_kind]
        )
        return f"{self.get_state_display()}: {words.grouped(self.added)} new {kind}, {self.changed:,} changed"

    def url(self) -> str:
        """Return the sync's page."""
        return f"/customers/syncs/{self.pk}"

    @property
    def rejects_path(self) -> Path:
        """Return where the rows with problems are listed, as CSV."""
        return Path(settings.POTAGER_DATA) / "uploads" / f"sync-{self.pk}.rejects.csv"


class SyncChange(models.Model):
    """What one sync did to one record: made it (``before`` is empty) or changed it from ``before``."""

    sync = models.ForeignKey(Sync, models.CASCADE, related_name="changes")
    record_id = models.UUIDField()
    version = models.PositiveIntegerField(help_text="The record's version after the sync.")
    before = models.JSONField(null=True)
    handles = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["sync", "record_id"], name="one_change_of_a_record_in_a_sync")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["record_id"], name="sync_changes_of_record")
        ]

    def __str__(self) -> str:
        return f"{self.sync_id}: {self.record_id}"
