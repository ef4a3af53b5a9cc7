"""Links."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from potager.ground.records.models import Record
from potager.kit.clock import now


class Relation(models.TextChoices):
    """What a link says, read in its direction."""

    SUPPORTS = "supports", "supports"
    CONTRADICTS = "contradicts", "contradicts"
    DRIVES = "drives", "drives"
    MEASURES = "measures", "measures"
    ANSWERS = "answers", "answers"
    DECIDES = "decides", "decides"
    LEADS_TO = "leads_to", "leads to"
    SUPERSEDES = "supersedes", "supersedes"
    MENTIONS = "mentions", "mentions"


class Grade(models.IntegerChoices):
    """How well a link is proven, from a claim to an experiment."""

    ASSERTED = 1, "asserted"
    CORRELATED = 2, "correlated"
    PREDICTIVE = 3, "predictive"
    QUASI_EXPERIMENTAL = 4, "quasi-experimental"
    EXPERIMENTAL = 5, "experimental"


class Link(Record):
    """One directed link. After ``expires_at`` its grade counts as asserted: an untested link is a claim again."""

    relation = models.CharField(max_length=14, choices=Relation.choices)
    from_kind = models.CharField(max_length=80)
    from_id = models.UUIDField()
    to_kind = models.CharField(max_length=80)
    to_id = models.UUIDField()
    evidence = models.TextField(blank=True, help_text="Why this is believed, in words; Markdown.")
    grade = models.PositiveSmallIntegerField(choices=Grade.choices, default=Grade.ASSERTED)
    confidence = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["from_kind", "from_id"], name="links_from"),
            models.Index(fields=["to_kind", "to_id"], name="links_to"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["relation", "from_kind", "from_id", "to_kind", "to_id"],
                condition=models.Q(archived_at__isnull=True),
                name="one_link_of_a_kind",
                violation_error_message="These two records are linked in this way already.",
            ),
            models.CheckConstraint(
                condition=~models.Q(from_id=models.F("to_id")),
                name="no_link_to_itself",
                violation_error_message="A record cannot be linked to itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_kind} {self.get_relation_display()} {self.to_kind}"

    @property
    def expired(self) -> bool:
        """Return whether the link has to be tested again."""
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def present_grade(self) -> Grade:
        """Return the grade, decayed to asserted once expired."""
        return Grade.ASSERTED if self.expired else Grade(self.grade)
