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
    """Refuse a policy that neither the engine nor the organization has."""
    if name in POLICIES:
        return
    own = list(Policy.objects.filter(archived_at=None).values_list("name", flat=True))
    if name not in own:
        raise ValidationError(f"There is no policy {name}; there are {', '.join([*POLICIES, *own])}.")


def policies_rule(names: object) -> None:
    """Refuse a list that holds anything but policies, each once."""
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise ValidationError("Name each compared policy once, as a list.")
    for name in names:
        policy_rule(str(name))


def _choices(*words: str) -> list[tuple[str, str]]:
    return [(word, word.replace("_", " ")) for word in words]


def _yes_or_no(help_text: str) -> models.CharField[str, str]:
    return models.CharField(max_length=3, blank=True, choices=_choices("yes", "no"), help_text=help_text)


def new_name_rule(name: str) -> None:
    """Refuse the name of a policy that is given."""
    if name in POLICIES:
        raise ValidationError(f"{name} is a policy that is given; name yours otherwise.")


class Policy(Record):
    """What an organization counts as recurring revenue: a given policy, and where it decided otherwise.

    An empty setting is as in the policy it is based on.
    """

    KNOBS: ClassVar[tuple[str, ...]] = (
        "weeks_a_month", "discounts", "trials", "past_due", "unpaid", "paused", "metered", "churn_dated",
        "free_customers_stay", "brief_signups", "currency",
    )  # fmt: skip

    name = models.SlugField(max_length=60, unique=True, validators=[new_name_rule])
    based_on = models.CharField(max_length=20, choices=_choices(*POLICIES), default="stripe")
    because = models.CharField(max_length=400, blank=True, help_text="Why, and who decided.")
    discounts = models.CharField(
        max_length=8, blank=True, choices=_choices("all", "forever", "none"), help_text="Which lower revenue."
    )
    trials = _yes_or_no("Whether trials count.")
    past_due = _yes_or_no("Whether subscriptions count while their invoice is being retried.")
    unpaid = _yes_or_no("Whether they count after the last retry.")
    paused = _yes_or_no("Whether paused subscriptions count.")
    metered = _yes_or_no("Whether usage-based prices count.")
    churn_dated = models.CharField(
        max_length=10, blank=True, choices=_choices("request", "end", "period_end"),
        help_text="When a canceled subscription stops to count: asked for, ended by billing, paid period over.",
    )  # fmt: skip
    free_customers_stay = _yes_or_no("Whether a customer who comes to pay nothing has only contracted.")
    brief_signups = _yes_or_no("Whether customers count who are gone within their first month.")
    currency = models.CharField(
        max_length=11, blank=True, choices=_choices("revalued", "at_purchase"),
        help_text="Whether other currencies take every new rate, or keep that of the first day.",
    )  # fmt: skip
    weeks_a_month = models.CharField(
        max_length=8, blank=True, choices=_choices("payroll", "calendar"),
        help_text="52 weeks a year, or 365 days.",
    )  # fmt: skip

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return how it differs from the one it is based on."""
        said = [f"{knob.replace('_', ' ')}: {value}" for knob in self.KNOBS if (value := getattr(self, knob))]
        return f"As {self.based_on}" + (f", but {', '.join(said).replace('_', ' ')}" if said else "")

    def url(self) -> str:
        """Return the policy's page."""
        return f"/revenue/policy/{self.pk}"


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
    columns = models.JSONField(
        default=dict, blank=True, help_text="Columns of the terms that have another name in the table."
    )
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
