"""Questions and answers."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from potager.ground.records.models import Card, Record
from potager.kit.clock import now


class Cadence(models.TextChoices):
    """How often a question is asked again."""

    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"
    QUARTERLY = "quarterly", "Quarterly"
    ONCE = "once", "Once"


class Status(models.TextChoices):
    """Where a question stands."""

    PROPOSED = "proposed", "Proposed"
    ACCEPTED = "accepted", "Accepted"
    ANSWERED = "answered", "Answered"
    ACTED = "acted", "Acted on"
    RETIRED = "retired", "Retired"


class Verdict(models.TextChoices):
    """What an answer comes to."""

    YES = "yes", "Yes"
    AT_RISK = "at_risk", "At risk"
    NO = "no", "No"
    CANNOT_TELL = "cannot_tell", "Cannot tell"


class Question(Record):
    """A strategic question: who decides what with it, how it is answered, and what is agreed to follow."""

    words = models.CharField("question", max_length=300)
    recipe = models.CharField(max_length=20, help_text="The kind of question; see recipes/registry.py.")
    slots = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    asker = models.CharField(max_length=120, blank=True)
    decider = models.CharField(max_length=120, blank=True)
    decision = models.CharField(max_length=500, blank=True, help_text="The decision that the answer feeds.")
    cadence = models.CharField(max_length=10, choices=Cadence.choices, default=Cadence.MONTHLY)
    deadline = models.DateField(null=True, blank=True)
    rule = models.JSONField(
        default=dict, blank=True, help_text="When the answer is yes, and when it is at risk."
    )
    actions = models.JSONField(
        default=dict, blank=True, help_text="What is agreed to follow from each verdict."
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    as_of = models.DateField(null=True, blank=True, help_text="Ask as if it were this day; empty for today.")
    next_ask_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-updated_at"]

    def __str__(self) -> str:
        return self.words

    def summary(self) -> str:
        """Return the decision it feeds."""
        return self.decision

    def findable(self) -> str:
        """Return who is concerned, and the metrics in its slots."""
        return " ".join([self.asker, self.decider, *(str(value) for value in self.slots.values())])

    def url(self) -> str:
        """Return the question's page."""
        return f"/questions/{self.pk}"


class Answer(Record):
    """One answer, as it was given. It is never changed; a later one supersedes it."""

    question = models.ForeignKey(
        Question, on_delete=models.CASCADE, null=True, blank=True, related_name="answers"
    )
    supersedes = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="superseded_by"
    )
    words = models.CharField(max_length=300)
    recipe = models.CharField(max_length=20, help_text="The kind of question; see recipes/registry.py.")
    slots = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    statement = models.TextField()
    estimate = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    level = models.FloatField(
        null=True, blank=True, help_text="The confidence level of the interval, such as 0.8."
    )
    unit = models.CharField(max_length=30, blank=True)
    evidence_class = models.CharField(max_length=40, blank=True)
    as_of = models.DateTimeField(default=now)
    data_through = models.DateTimeField(null=True, blank=True)
    complete_through = models.DateField(null=True, blank=True)
    metrics = models.JSONField(
        default=list, blank=True, help_text="Names, labels and definition hashes of the metrics used."
    )
    checks = models.JSONField(default=list, blank=True)
    grade = models.CharField(max_length=1, blank=True)
    confidence = models.JSONField(default=list, blank=True, help_text="The parts of the grade.")
    drivers = models.JSONField(default=list, blank=True)
    would_change = models.JSONField(default=list, blank=True)
    action = models.TextField(blank=True)
    next_questions = models.JSONField(default=list, blank=True)
    refusal = models.JSONField(default=dict, blank=True)
    receipt = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    figures = models.JSONField(
        default=dict, blank=True, encoder=DjangoJSONEncoder, help_text="The numbers its pictures show."
    )
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["question", "-created_at"], name="answers_of_a_question")
        ]

    def __str__(self) -> str:
        return self.words

    def summary(self) -> str:
        """Return the statement."""
        return self.statement

    def url(self) -> str:
        """Return the answer's page."""
        return f"/answers/{self.pk}"

    def card(self) -> Card:
        """Return the card, with the verdict."""
        card = super().card()
        return Card(
            card.kind, card.id, card.noun, card.title, card.summary, card.url,
            verdict=self.verdict, as_of=self.as_of, expires_at=self.expires_at,
        )  # fmt: skip

    @property
    def expired(self) -> bool:
        """Return whether the answer is too old to be relied on."""
        return self.expires_at is not None and self.expires_at <= now()
