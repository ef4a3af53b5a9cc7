"""Books of subscription revenue."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from potager.engines.finance import POLICIES
from potager.ground.connecting.models import table_rule
from potager.ground.jobs.models import Job, State
from potager.ground.records.models import Record

currency_rule = RegexValidator(
    r"^[A-Z]{3}$", "Name a currency by the three letters of ISO 4217, such as EUR."
)


def policy_rule(name: str) -> None:
    """Refuse a policy that the engine does not have."""
    if name not in POLICIES:
        raise ValidationError(f"There is no policy {name}; there are {', '.join(POLICIES)}.")


def policies_rule(names: object) -> None:
    """Refuse a list that holds anything but policies, each once."""
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise ValidationError("Name each compared policy once, as a list.")
    for name in names:
        policy_rule(str(name))


class LoadState(models.TextChoices):
    """Where the last load stands."""

    NEVER = "never", "Not loaded yet"
    DONE = "done", "Loaded"
    FAILED = "failed", "Failed"


class Book(Record):
    """Tables of terms and rates, the policy by which they are counted, and what came of the last load."""

    name = models.CharField(max_length=120, help_text="What people call it, such as Main; tables name it so.")
    terms_table = models.CharField(
        max_length=120, validators=[table_rule], help_text="A table of subscription terms in the lake."
    )
    rates_table = models.CharField(
        max_length=120, blank=True, validators=[table_rule],
        help_text="A table of day, currency and rate; empty where every price is in the book's currency.",
    )  # fmt: skip
    currency = models.CharField(max_length=3, default="EUR", validators=[currency_rule])
    policy = models.CharField(max_length=60, default="stripe", validators=[policy_rule])
    compared = models.JSONField("compared policies", default=list, blank=True, validators=[policies_rule])
    state = models.CharField(max_length=8, choices=LoadState.choices, default=LoadState.NEVER, editable=False)
    job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    loaded_at = models.DateTimeField(null=True, blank=True, editable=False)
    through = models.DateField(
        null=True, blank=True, editable=False, help_text="The last day the load tells of."
    )
    snapshots = models.JSONField(default=dict, blank=True, editable=False)
    rows = models.BigIntegerField(default=0, editable=False)
    movements = models.BigIntegerField(default=0, editable=False)
    rejected = models.BigIntegerField(default=0, editable=False)
    note = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(archived_at=None),
                name="revenue_one_book_of_a_name",
                violation_error_message="There is a book of that name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return how it is counted."""
        return f"Revenue in {self.currency} by {self.policy}, from {self.terms_table}"

    def findable(self) -> str:
        """Return the tables and the policy it names."""
        return f"{self.terms_table} {self.rates_table} {self.policy}"

    def url(self) -> str:
        """Return the book's page."""
        return f"/revenue/{self.pk}"

    @property
    def loading(self) -> bool:
        """Return whether a load waits or runs."""
        return self.job is not None and self.job.state in {State.WAITING, State.RUNNING}

    @property
    def policies(self) -> tuple[str, ...]:
        """Return the names of the policies it is counted by, its own first."""
        return tuple(dict.fromkeys([self.policy, *map(str, self.compared)]))

    @property
    def rejects_path(self) -> Path:
        """Return where the rows that the last load set aside are kept."""
        return Path(settings.POTAGER_DATA) / "revenue" / f"{self.pk}-rejected.csv"
