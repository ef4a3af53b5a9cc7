"""Imports."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models

from potager.ground.jobs.models import Job
from potager.ground.records.models import Record
from potager.kit.errors import Problem

table_rule = RegexValidator(
    r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$",
    "Name the table as namespace.table, in lower-case letters, digits and underscores, such as shop.order_lines.",
)


class State(models.TextChoices):
    """Where an import stands."""

    DRAFT = "draft", "To be checked"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDONE = "undone", "Undone"


class Import(Record):
    """One file into one table."""

    connector = models.CharField(max_length=40, default="files", editable=False)
    file_name = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, editable=False, db_index=True)
    bytes = models.BigIntegerField(default=0, editable=False)
    shape = models.JSONField(default=dict, editable=False)
    plan = models.JSONField(default=dict)
    table = models.CharField(max_length=120, validators=[table_rule])
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    load_id = models.CharField(max_length=64, blank=True, editable=False)
    snapshot = models.CharField(max_length=40, blank=True, editable=False)
    rows = models.BigIntegerField(default=0, editable=False)
    rejected = models.BigIntegerField(default=0, editable=False)
    reasons = models.JSONField(default=dict, blank=True, editable=False)
    note = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.file_name} into {self.table}"

    def summary(self) -> str:
        """Return what came of it."""
        return f"{self.get_state_display()}: {self.rows:,} rows, {self.rejected:,} set aside"

    def url(self) -> str:
        """Return the import's page."""
        return f"/data/imports/{self.pk}"

    @property
    def path(self) -> Path:
        """Return where the upload is kept: under its own key, so its name never becomes a path."""
        suffix = Path(self.file_name).suffix.lower()
        kept = suffix if suffix.lstrip(".").isalnum() else ""
        return Path(settings.POTAGER_DATA) / "uploads" / f"{self.pk}{kept}"

    def called_by_its_name(self, problem: Problem) -> None:
        """Let ``problem`` name the file as people do, not by the name the upload is kept under."""
        problem.detail = problem.detail.replace(self.path.name, self.file_name)
        problem.args = (problem.detail,)

    @property
    def rejects_path(self) -> Path:
        """Return where the rows set aside are kept, as CSV."""
        return Path(settings.POTAGER_DATA) / "uploads" / f"{self.pk}.rejects.csv"

    def load(self, after: str = "") -> str:
        """Return what the lake knows this import by: the same file, plan and table make the same load.

        ``after`` is the load that was undone last, where there is one: what is brought anew is another load.
        """
        plan = json.dumps(self.plan, sort_keys=True)
        given = f"{self.fingerprint}\n{self.table}\n{plan}\n{after}"
        return hashlib.sha256(given.encode()).hexdigest()[:32]
