"""Definitions and their versions, metrics with what surrounds them, targets, and the edges of the tree."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from potager.ground.access.models import User
from potager.ground.records.models import Record
from potager.kit.clock import now

name_rule = RegexValidator(
    r"^[a-z][a-z0-9_]*$", "Use lower-case letters, digits and underscores, a letter first."
)


class Level(models.TextChoices):
    """How near to strategy a metric is."""

    STRATEGIC = "strategic", "Strategic"
    DRIVER = "driver", "Driver"
    INPUT = "input", "Input"
    OPERATIONAL = "operational", "Operational"


class Kind(models.TextChoices):
    """What a metric is for."""

    OUTCOME = "outcome", "Outcome"
    OUTPUT = "output", "Output"
    GUARDRAIL = "guardrail", "Guardrail"
    HEALTH = "health", "Health"
    COST = "cost", "Cost"


class Direction(models.TextChoices):
    """Which way is good."""

    UP = "up", "Higher is better"
    DOWN = "down", "Lower is better"
    RANGE = "range", "Inside its range"


class Grain(models.TextChoices):
    """The period a metric is usually read by."""

    DAY = "day", "Day"
    WEEK = "week", "Week"
    MONTH = "month", "Month"
    QUARTER = "quarter", "Quarter"
    YEAR = "year", "Year"


class Maturity(models.TextChoices):
    """How far a metric can be relied on."""

    DRAFT = "draft", "Draft"
    VALIDATED = "validated", "Validated"
    CERTIFIED = "certified", "Certified"
    DEGRADED = "degraded", "Degraded"
    RETIRED = "retired", "Retired"


class Evidence(models.TextChoices):
    """What an influence is believed on, weakest first."""

    ASSERTED = "asserted", "Asserted"
    CORRELATED = "correlated", "Correlated"
    PREDICTIVE = "predictive", "Predictive"
    QUASI_EXPERIMENTAL = "quasi_experimental", "Quasi-experimental"
    EXPERIMENTAL = "experimental", "Experimental"


class Source(Record):
    """A definition document: semantic models and metrics in YAML, over the tables of one lake namespace."""

    name = models.CharField(max_length=120, unique=True, help_text="A file name, such as orders.yml.")
    namespace = models.CharField(
        max_length=60, validators=[name_rule], help_text="The lake namespace that ref('table') means."
    )
    text = models.TextField()
    number = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]
        verbose_name = "definition source"

    def __str__(self) -> str:
        return self.name

    def summary(self) -> str:
        """Return which tables it defines and which version it is at."""
        return f"Version {self.number}, over {self.namespace}"

    def url(self) -> str:
        """Return the source's page."""
        return f"/metrics/sources/{self.pk}"

    @property
    def digest(self) -> str:
        """Return the hash of the text, which answers carry in their receipt."""
        return hashlib.sha256(f"{self.namespace}\n{self.text}".encode()).hexdigest()


class SourceVersion(models.Model):
    """One version of a source's text. Every version is kept."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    namespace = models.CharField(max_length=60)
    text = models.TextField()
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=now, editable=False)
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "number"], name="one_text_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.source} version {self.number}"


class Metric(Record):
    """A governed metric: the definition compiles from its source, the rest is said here."""

    name = models.CharField(max_length=120, unique=True, validators=[name_rule], editable=False)
    label = models.CharField(max_length=160)
    description = models.TextField(blank=True)
    source = models.ForeignKey(
        Source, on_delete=models.SET_NULL, null=True, related_name="metrics", editable=False
    )
    definition_type = models.CharField(max_length=20, editable=False, default="simple")
    definition_digest = models.CharField(max_length=64, editable=False, blank=True)
    defined_at = models.DateTimeField(default=now, editable=False)
    level = models.CharField(max_length=12, choices=Level.choices, default=Level.OPERATIONAL)
    purpose = models.CharField(max_length=12, choices=Kind.choices, default=Kind.OUTCOME)
    unit = models.CharField(
        max_length=30, blank=True, help_text="GBP, %, orders, days … A share is shown in percent."
    )
    direction = models.CharField(max_length=6, choices=Direction.choices, default=Direction.UP)
    grain = models.CharField(max_length=8, choices=Grain.choices, default=Grain.MONTH)
    owner_role = models.CharField(max_length=120, blank=True, help_text="Who answers for it.")
    freshness_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The data promises to be no older than so many days."
    )
    maturity = models.CharField(max_length=10, choices=Maturity.choices, default=Maturity.DRAFT)
    pitfalls = models.TextField(blank=True)
    benchmark = models.JSONField(default=dict, blank=True)
    synonyms = models.JSONField(default=list, blank=True)
    counter_metric = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="counters"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.label

    def summary(self) -> str:
        """Return the first line of the description, or its place in the hierarchy."""
        return self.description.partition("\n")[0] or f"A {self.get_level_display().lower()} metric"

    def findable(self) -> str:
        """Return name, synonyms and pitfalls."""
        return " ".join([self.name, self.description, *self.synonyms, self.pitfalls])

    def url(self) -> str:
        """Return the metric's page."""
        return f"/metrics/{self.name}"


class Target(Record):
    """What a metric should be in a period: a value, and the range that would do."""

    metric = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="targets")
    value = models.FloatField()
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    start = models.DateField()
    end = models.DateField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-end"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(end__gte=models.F("start")),
                name="target_ends_after_it_starts",
                violation_error_message="The period must not end before it starts.",
            ),
            models.CheckConstraint(
                condition=models.Q(low__isnull=True) | models.Q(low__lte=models.F("value")),
                name="target_low_is_not_above_value",
                violation_error_message="The lower end of the range must not be above the target.",
            ),
            models.CheckConstraint(
                condition=models.Q(high__isnull=True) | models.Q(high__gte=models.F("value")),
                name="target_high_is_not_below_value",
                violation_error_message="The upper end of the range must not be below the target.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.value:g} by {self.end}"

    def url(self) -> str:
        """Return the metric's page."""
        return f"{self.metric.url()}#targets"


class Component(Record):
    """An arithmetic edge: the parent is this formula of other metrics."""

    metric = models.OneToOneField(Metric, on_delete=models.CASCADE, related_name="component")
    formula = models.CharField(max_length=500)

    class Meta:
        verbose_name = "component formula"

    def __str__(self) -> str:
        return f"{self.metric.name} = {self.formula}"


class Influence(Record):
    """A believed edge: one metric moves another, in a direction, after a lag, on some evidence, until a day."""

    driver = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="influences")
    outcome = models.ForeignKey(Metric, on_delete=models.CASCADE, related_name="influenced_by")
    sign = models.SmallIntegerField(choices=[(1, "same direction"), (-1, "opposite direction")], default=1)
    lag = models.PositiveSmallIntegerField(default=0, help_text="In periods of the grain.")
    grain = models.CharField(max_length=8, choices=Grain.choices, default=Grain.MONTH)
    evidence = models.CharField(max_length=20, choices=Evidence.choices, default=Evidence.ASSERTED)
    because = models.TextField(blank=True)
    estimate = models.FloatField(null=True, blank=True, editable=False)
    low = models.FloatField(null=True, blank=True, editable=False)
    high = models.FloatField(null=True, blank=True, editable=False)
    periods = models.PositiveIntegerField(
        null=True, blank=True, editable=False, validators=[MinValueValidator(1)]
    )
    method = models.CharField(max_length=200, blank=True, editable=False)
    back_test = models.JSONField(default=dict, blank=True, editable=False)
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["driver", "outcome"],
                condition=models.Q(archived_at__isnull=True),
                name="one_influence_per_pair",
                violation_error_message="This influence is in the tree already.",
            ),
            models.CheckConstraint(
                condition=~models.Q(driver=models.F("outcome")),
                name="no_influence_on_itself",
                violation_error_message="A metric does not drive itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.driver} drives {self.outcome}"

    @property
    def expired(self) -> bool:
        """Return whether the edge has to be tested again."""
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def present_evidence(self) -> str:
        """Return the evidence class, decayed to asserted once expired."""
        return Evidence.ASSERTED if self.expired else self.evidence
