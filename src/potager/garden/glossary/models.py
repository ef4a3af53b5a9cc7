"""Terms."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from potager.ground.records.models import Record


class Term(Record):
    """A word of the organization and what it means there."""

    name = models.CharField(max_length=120)
    definition = models.TextField()
    also_called = models.CharField(
        max_length=300, blank=True, help_text="Other words for it, with commas between."
    )
    source = models.CharField(max_length=300, blank=True, help_text="Where the definition comes from.")

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(archived_at__isnull=True),
                name="one_meaning_per_term",
                violation_error_message="There is already a term of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return the definition's beginning."""
        return self.definition[:160]

    def findable(self) -> str:
        """Return the definition and the synonyms."""
        return f"{self.definition} {self.also_called}"

    def url(self) -> str:
        """Return the term's page."""
        return f"/glossary/term/{self.pk}"
