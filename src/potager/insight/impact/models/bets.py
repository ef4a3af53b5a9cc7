"""Bets and what was observed of them."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from potager.ground.records.models import Card, Record
from potager.insight.metrics.models import Metric
from potager.kit.errors import Conflict

key_rule = RegexValidator(
    r"^[a-z0-9][a-z0-9-]*$", "Use lower-case letters, digits and hyphens, such as guided-setup."
)
not_negative = MinValueValidator(0.0)


class State(models.TextChoices):
    """Where a bet stands."""

    REGISTERED = "registered", "Not launched"
    LAUNCHED = "launched", "Launched"
    CLOSED = "closed", "Closed"


class Ending(models.TextChoices):
    """What became of a bet."""

    KEEP = "keep", "Kept"
    KILL = "kill", "Taken back"


class Horizon(models.TextChoices):
    """What a bet is for."""

    RUN = "run", "Run"
    GROW = "grow", "Grow"
    TRANSFORM = "transform", "Transform"


class Risk(models.TextChoices):
    """How daring a bet is."""

    SAFE = "safe", "Safe"
    BOLD = "bold", "Bold"


class Counted(models.TextChoices):
    """What one unit of the money metric is: money of a year (ARR), of a month (MRR), or of one of its periods."""

    YEARLY = "yearly", "money of a year"
    MONTHLY = "monthly", "money of a month"
    FLOW = "flow", "money of one period"


class Bet(Record):
    """A bet: a change is believed to move a metric by so much. What was predicted is locked when it is launched."""

    key = models.CharField(max_length=60, unique=True, validators=[key_rule], editable=False)
    name = models.CharField(max_length=160)
    hypothesis = models.TextField(blank=True, help_text="Why it should work.")
    who = models.CharField(max_length=160, blank=True, help_text="Whose behavior changes.")
    does_what = models.CharField(max_length=300, blank=True, help_text="What they do differently.")
    by_how_much = models.CharField(max_length=160, blank=True)
    by_when = models.DateField(null=True, blank=True)
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="bets")
    unit = models.CharField(max_length=120, blank=True, help_text="What it reaches: account, country …")
    predicted_low = models.FloatField(null=True, blank=True)
    predicted_high = models.FloatField(null=True, blank=True)
    predicted_level = models.FloatField(
        default=0.8, validators=[MinValueValidator(0.5), MaxValueValidator(0.99)]
    )
    predicted_relative = models.BooleanField(default=False)
    predicted_on = models.DateField(null=True, blank=True)
    guardrails = models.JSONField(
        default=list, blank=True, help_text="Names of metrics that must not be hurt."
    )
    kill_when = models.TextField(blank=True, help_text="What would make us take it back.")
    goal = models.CharField(max_length=160, blank=True, help_text="The name of a goal.")
    objective = models.CharField(max_length=160, blank=True)
    team_name = models.CharField("team", max_length=120, blank=True)
    product = models.CharField(max_length=120, blank=True)
    horizon = models.CharField(max_length=10, choices=Horizon.choices, default=Horizon.GROW)
    risk = models.CharField(max_length=5, choices=Risk.choices, default=Risk.SAFE)
    money_metric = models.ForeignKey(
        Metric, on_delete=models.PROTECT, null=True, blank=True, related_name="paid_by_bets"
    )
    money_counted = models.CharField(max_length=8, choices=Counted.choices, default=Counted.FLOW)
    life_months = models.PositiveSmallIntegerField(default=12, validators=[MinValueValidator(1)])
    discount_rate = models.FloatField(
        default=0.1, validators=[not_negative, MaxValueValidator(1.0)], help_text="A year: 0.1 is 10 %."
    )
    reach = models.CharField(max_length=20, default="treated")
    design = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REGISTERED)
    launched_on = models.DateField(null=True, blank=True)
    locked_at = models.DateTimeField(null=True, blank=True, editable=False)
    locked = models.JSONField(
        default=dict, blank=True, editable=False, encoder=DjangoJSONEncoder, help_text="What was locked."
    )
    ending = models.CharField(max_length=4, choices=Ending.choices, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    ended_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-launched_on", "name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(predicted_low__isnull=True)
                | models.Q(predicted_low__lt=models.F("predicted_high")),
                name="bet_predicts_a_range",
                violation_error_message="The predicted range has two ends, the lower one first.",
            ),
            models.CheckConstraint(
                condition=models.Q(state="registered") | models.Q(launched_on__isnull=False),
                name="launched_bet_has_a_day",
                violation_error_message="A launched bet has the day of its launch.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return the outcome statement, or the hypothesis."""
        said = f"{self.who} {self.does_what}".strip()
        return f"{said}, {self.by_how_much}".strip(", ") or self.hypothesis[:200]

    def findable(self) -> str:
        """Return everything it may be looked for by."""
        return " ".join(
            [
                self.key,
                self.hypothesis,
                self.team_name,
                self.product,
                self.objective,
                self.goal,
                self.metric.label,
            ]
        )

    def url(self) -> str:
        """Return the bet's page."""
        return f"/impact/bets/{self.key}"

    def card(self) -> Card:
        """Return the card, with the state."""
        made = super().card()
        return Card(
            made.kind,
            made.id,
            made.noun,
            made.title,
            made.summary,
            made.url,
            state=self.get_state_display(),
        )

    @property
    def predicted(self) -> tuple[float, float] | None:
        """Return the predicted range, or nothing where none was recorded."""
        if self.predicted_low is None or self.predicted_high is None:
            return None
        return self.predicted_low, self.predicted_high

    @property
    def predicted_before(self) -> bool | None:
        """Return whether the range was recorded before the launch; None without a range or a launch."""
        if self.predicted is None or self.launched_on is None or self.predicted_on is None:
            return None
        return self.predicted_on <= self.launched_on


class Observation(Record):
    """What a bet did to a metric by a day after launch, as it was found then. Stored and never changed."""

    bet = models.ForeignKey(Bet, on_delete=models.CASCADE, related_name="observations")
    metric = models.ForeignKey(Metric, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(
        max_length=10, choices=[("outcome", "Outcome"), ("guardrail", "Guardrail")], default="outcome"
    )
    age = models.PositiveIntegerField(help_text="Days after launch.")
    start = models.DateField()
    end = models.DateField(help_text="The last day looked at.")
    estimate = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    error = models.FloatField(null=True, blank=True)
    level = models.FloatField(null=True, blank=True)
    p_value = models.FloatField(null=True, blank=True)
    baseline = models.FloatField(null=True, blank=True, help_text="What it would have been.")
    per = models.CharField(
        max_length=120, blank=True, help_text="What one unit of the effect is an effect on."
    )
    factor = models.FloatField(
        null=True, blank=True, help_text="How many of these make the effect on the whole metric per period."
    )
    whole_per = models.CharField(max_length=120, blank=True)
    units = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many units or segments it reached."
    )
    method = models.CharField(max_length=200, blank=True)
    evidence = models.CharField(max_length=20, blank=True)
    checks = models.JSONField(default=list, blank=True, encoder=DjangoJSONEncoder)
    placebos = models.JSONField(default=list, blank=True, encoder=DjangoJSONEncoder)
    passed_over = models.JSONField(default=list, blank=True, encoder=DjangoJSONEncoder)
    refusal = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    figures = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    receipt = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        ordering: ClassVar[list[str]] = ["-end", "-created_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["bet", "role", "age"], name="observations_of_a_bet")
        ]

    def __str__(self) -> str:
        return f"{self.bet} after {self.age} days"

    def url(self) -> str:
        """Return its place on the bet's page."""
        return f"{self.bet.url()}#observation-{self.pk}"

    def clean(self) -> None:
        """Refuse to change an observation that was made."""
        if not self._state.adding:
            raise Conflict(
                "An observation is never changed.", mend="Observe the bet again; both stay in its history."
            )

    @property
    def told(self) -> bool:
        """Return whether there is a number."""
        return self.estimate is not None and not self.refusal
