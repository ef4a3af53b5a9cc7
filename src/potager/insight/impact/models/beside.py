"""What stands beside bets: what was paid, what was shipped, and what came from outside."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from potager.ground.records.models import Record
from potager.insight.impact.models.bets import Bet
from potager.insight.metrics.models import Metric
from potager.kit import words

currency_rule = RegexValidator(r"^[A-Z]{3}$", "Use a currency code of three letters, such as EUR.")
not_negative = MinValueValidator(0.0)
believable = MaxValueValidator(1e12, "No such sum was ever paid.")


def _known_bet(key: str) -> None:
    if key and not Bet.objects.filter(key=key).exists():
        raise ValidationError({"bet": f"There is no bet {key}. Leave it empty, or register the bet first."})


class Investment(Record):
    """What was paid in a period: people's time at a loaded rate, tools, cloud, vendors; as a range."""

    name = models.CharField(max_length=160, blank=True, help_text="What for.")
    bet = models.CharField(
        max_length=60,
        blank=True,
        db_index=True,
        help_text="The key of a bet; empty for the rest of the work.",
    )
    team_name = models.CharField("team", max_length=120, blank=True)
    start = models.DateField()
    end = models.DateField()
    people_months = models.FloatField(default=0.0, validators=[not_negative, believable])
    rate_low = models.FloatField("loaded rate, low", default=0.0, validators=[not_negative, believable])
    rate = models.FloatField(
        "loaded rate",
        default=0.0,
        validators=[not_negative, believable],
        help_text="Cost of one person for one month.",
    )
    rate_high = models.FloatField("loaded rate, high", default=0.0, validators=[not_negative, believable])
    tools = models.FloatField(default=0.0, validators=[not_negative, believable])
    cloud = models.FloatField(default=0.0, validators=[not_negative, believable])
    vendors = models.FloatField(default=0.0, validators=[not_negative, believable])
    other_spread = models.FloatField(
        "uncertainty of tools, cloud and vendors",
        default=0.0,
        validators=[not_negative, MaxValueValidator(1.0)],
        help_text="As a share: 0.1 is 10 % up or down.",
    )
    currency = models.CharField(max_length=3, default="EUR", validators=[currency_rule])

    class Meta:
        ordering: ClassVar[list[str]] = ["-start"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")),
                name="investment_ends_after_it_starts",
                violation_error_message="The period must not end before it starts.",
            ),
            models.CheckConstraint(
                condition=models.Q(rate_low__lte=models.F("rate"), rate__lte=models.F("rate_high")),
                name="investment_rate_is_a_range",
                violation_error_message="The rate lies between its low and its high end.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.team_name or 'Work'} from {self.start}"

    def summary(self) -> str:
        """Return what it comes to."""
        return words.human(self.likely, self.currency)

    def url(self) -> str:
        """Return its page."""
        return f"/impact/investment/{self.pk}"

    def clean(self) -> None:
        """Take one rate for all three where only one is given, and know the bet."""
        if self.rate and not self.rate_low:
            self.rate_low = self.rate
        if self.rate and not self.rate_high:
            self.rate_high = self.rate
        _known_bet(self.bet)

    @property
    def _other(self) -> float:
        return self.tools + self.cloud + self.vendors

    @property
    def low(self) -> float:
        """Return the low end of the cost."""
        return self.people_months * self.rate_low + self._other * (1.0 - self.other_spread)

    @property
    def likely(self) -> float:
        """Return the likely cost."""
        return self.people_months * self.rate + self._other

    @property
    def high(self) -> float:
        """Return the high end of the cost."""
        return self.people_months * self.rate_high + self._other * (1.0 + self.other_spread)


class Change(Record):
    """Something that was shipped: a release, a tag, a flag, or what somebody wrote down."""

    name = models.CharField(max_length=200)
    shipped_at = models.DateField()
    shipped_as = models.CharField(
        max_length=8,
        choices=[
            ("release", "Release"),
            ("tag", "Tag"),
            ("commit", "Commit"),
            ("flag", "Feature flag"),
            ("hand", "By hand"),
        ],
        default="hand",
    )
    reference = models.CharField(max_length=200, blank=True, help_text="A tag, a commit, the name of a flag.")
    repository = models.CharField(max_length=300, blank=True)
    author = models.CharField(max_length=160, blank=True)
    note = models.TextField(blank=True)
    bet = models.CharField(
        max_length=60, blank=True, db_index=True, help_text="The key of the bet it was shipped for."
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["-shipped_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["repository", "reference", "shipped_as"],
                condition=~models.Q(reference="") & ~models.Q(repository=""),
                name="one_change_per_reference",
                violation_error_message="This reference of the repository is here already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return how and when it was shipped."""
        return f"{self.get_shipped_as_display()}, {words.day(self.shipped_at)}"

    def url(self) -> str:
        """Return its page."""
        return f"/impact/change/{self.pk}"

    def clean(self) -> None:
        """Know the bet."""
        _known_bet(self.bet)


class Outside(Record):
    """A movement of a metric that is known to have come from elsewhere: season, market, the price of money."""

    name = models.CharField(max_length=160, help_text="What it was.")
    metric = models.CharField(max_length=120, help_text="The name of a metric.")
    start = models.DateField()
    end = models.DateField()
    amount = models.FloatField(help_text="By how much it moved the metric, in the metric's unit.")
    error = models.FloatField(default=0.0, validators=[not_negative], help_text="Its standard error.")
    because = models.TextField(blank=True, help_text="How that is known.")

    class Meta:
        ordering: ClassVar[list[str]] = ["-end"]
        verbose_name = "outside movement"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")),
                name="outside_ends_after_it_starts",
                violation_error_message="The period must not end before it starts.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return how much it was."""
        return words.signed(self.amount, "")

    def url(self) -> str:
        """Return its page."""
        return f"/impact/outside/{self.pk}"

    def clean(self) -> None:
        """Know the metric."""
        if not Metric.objects.filter(name=self.metric).exists():
            raise ValidationError({"metric": f"There is no metric {self.metric}."})
