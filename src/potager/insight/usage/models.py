"""Streams of events, the files they were brought from, and the analyses that were kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from potager.ground.connecting.models import table_rule
from potager.ground.jobs.models import Job
from potager.ground.records.models import Record

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
column_rule = RegexValidator(r"^[A-Za-z_][A-Za-z0-9_ .$-]*$", "Name a column of the table, such as user_id.")


def zone_rule(name: str) -> None:
    """Refuse a time zone that the IANA table does not have."""
    if name not in available_timezones():
        raise ValidationError(f"There is no time zone {name}; name one as Europe/Berlin or UTC.")


def _column(what: str, *, needed: bool = False) -> models.CharField[str, str]:
    return models.CharField(max_length=120, blank=not needed, validators=[column_rule], help_text=what)


class Stream(Record):
    """A table of events, and which of its columns say who did what, when."""

    name = models.CharField(max_length=120, help_text="What people call these events, such as Mobile app.")
    table = models.CharField(
        "events table", max_length=120, validators=[table_rule], help_text="A table of the lake."
    )
    person = _column("The column that says who did it.", needed=True)
    event = _column("The column that says what was done; empty where every row is the same event.")
    time = _column("The column that says when, in UTC.", needed=True)
    account = _column("The column with the account's key; empty where people have no accounts.")
    event_id = _column("The column that tells one event from another; repeats of it count once.")
    properties = models.JSONField(
        "further columns", default=list, blank=True, help_text="Columns to filter and split by."
    )
    json_column = _column("A column of JSON that holds further properties.")
    identities_table = models.CharField(
        max_length=120, blank=True, validators=[table_rule],
        help_text="A table of alias and person: merged identities count as one.",
    )  # fmt: skip
    zone = models.CharField("time zone", max_length=60, default="UTC", validators=[zone_rule])
    week_starts = models.PositiveSmallIntegerField(
        "week starts on", default=1, choices=list(enumerate(WEEKDAYS, 1)),
        validators=[MinValueValidator(1), MaxValueValidator(7)],
    )  # fmt: skip
    active_event = models.CharField(
        "active means", max_length=200, blank=True,
        help_text="The event that makes somebody active; empty for any event.",
    )  # fmt: skip
    accounts_table = models.CharField(
        max_length=120, blank=True, validators=[table_rule],
        help_text="A table with one row per account: plan, seats, region.",
    )  # fmt: skip
    accounts_key = _column("Its column with the account's key.")
    seats = _column("Its column with the seats an account pays for.")
    revenue_table = models.CharField(
        max_length=120, blank=True, validators=[table_rule],
        help_text="A table of months per customer, as revenue keeps it: customer, month, end_cents.",
    )  # fmt: skip
    book = models.CharField(max_length=120, blank=True, help_text="Which book of the revenue table.")
    policy = models.CharField(max_length=60, blank=True, help_text="Which policy of the revenue table.")

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return where its events are."""
        return f"Events in {self.table}"

    def findable(self) -> str:
        """Return the tables and columns it names."""
        return f"{self.table} {self.person} {self.account} {self.event} {' '.join(map(str, self.properties))}"

    def url(self) -> str:
        """Return the stream's page."""
        return f"/usage/{self.pk}"


class FileState(models.TextChoices):
    """Where a file of events stands."""

    DRAFT = "draft", "To be checked"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDONE = "undone", "Undone"


class EventFile(Record):
    """One file of events, brought into a stream's table; it can be taken out again as one."""

    file_name = models.CharField(max_length=200)
    stream = models.ForeignKey(Stream, on_delete=models.SET_NULL, null=True, blank=True, related_name="files")
    table = models.CharField(max_length=120, validators=[table_rule])
    fingerprint = models.CharField(max_length=64, editable=False, db_index=True)
    bytes = models.BigIntegerField(default=0, editable=False)
    shape = models.JSONField(default=dict, blank=True, editable=False)
    plan = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=FileState.choices, default=FileState.DRAFT)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    load_id = models.CharField(max_length=64, blank=True, editable=False)
    snapshot = models.CharField(max_length=40, blank=True, editable=False)
    rows = models.BigIntegerField(default=0, editable=False)
    repeated = models.BigIntegerField(default=0, editable=False)
    rejected = models.BigIntegerField(default=0, editable=False)
    reasons = models.JSONField(default=dict, blank=True, editable=False)
    note = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        verbose_name = "event file"

    def __str__(self) -> str:
        return f"{self.file_name} into {self.table}"

    def summary(self) -> str:
        """Return what came of it."""
        return f"{self.get_state_display()}: {self.rows:,} events, {self.repeated:,} known already"

    def url(self) -> str:
        """Return the file's page."""
        return f"/usage/files/{self.pk}"

    @property
    def path(self) -> Path:
        """Return where the upload is kept: under its own key, so its name never becomes a path."""
        suffixes = [part.lower() for part in Path(self.file_name).suffixes[-2:]]
        kept = "".join(part for part in suffixes if part[1:].isalnum())
        return Path(settings.POTAGER_DATA) / "uploads" / f"{self.pk}{kept}"

    def load(self, after: str = "") -> str:
        """Return what the lake knows this file by; ``after`` is the load of it that was undone last."""
        given = f"events\n{self.fingerprint}\n{self.table}\n{after}"
        return hashlib.sha256(given.encode()).hexdigest()[:32]


class Analysis(Record):
    """A reading of a stream that was named and kept: its page runs again, with the data as it is then."""

    name = models.CharField(max_length=160)
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="analyses")
    reading = models.CharField(max_length=20, help_text="The kind of reading, such as funnel.")
    parameters = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    note = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name_plural = "analyses"

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return what it reads."""
        return f"{self.reading.capitalize()} of {self.stream.name}"

    def findable(self) -> str:
        """Return the note and the parameters."""
        return f"{self.note} {urlencode(self.parameters, doseq=True)}"

    def url(self) -> str:
        """Return the page that runs it again."""
        return f"/usage/analyses/{self.pk}"


class Made(models.Model):
    """What the health of a stream's accounts was computed from, and what came of it."""

    stream = models.OneToOneField(
        Stream, on_delete=models.CASCADE, related_name="health_made", primary_key=True
    )
    snapshots = models.JSONField(default=dict)
    at = models.DateTimeField()
    outcome = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = "account health"

    def __str__(self) -> str:
        return f"Health of the accounts of {self.stream}"
