"""Goals."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from potager.ground.records.models import Record


class Goal(Record):
    """An outcome: somebody's behavior changes by so much, measured by a metric, by a day."""

    name = models.CharField(max_length=160)
    who = models.CharField(max_length=160, help_text="Whose behavior changes.")
    does_what = models.CharField(max_length=300, help_text="What they do differently.")
    by_how_much = models.CharField(max_length=160)
    measured_by = models.CharField(max_length=120, blank=True, help_text="The name of a metric.")
    by_when = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["by_when", "name"]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return the outcome statement in one sentence."""
        return f"{self.who} {self.does_what}, {self.by_how_much}".strip(", ")

    def url(self) -> str:
        """Return the goal's page."""
        return f"/goals/goal/{self.pk}"
