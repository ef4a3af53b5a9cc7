"""The forms of metrics: what surrounds them, their targets, their arithmetic, influences, definitions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from django import forms

from potager.insight.metrics.models import (
    Direction,
    Evidence,
    Grain,
    Kind,
    Level,
    Maturity,
    Metric,
    name_rule,
)
from potager.insight.metrics.periods import Period, parse_period
from potager.kit.errors import Problem


class Number(forms.Field):
    """A number as people type it: with thousands separated, in a text field that keeps what was typed."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> float | None:
        """Return the number; commas and spaces between thousands are not part of it."""
        if value in self.empty_values:
            return None
        try:
            found = float(str(value).replace(",", "").replace("\u00a0", "").replace(" ", ""))
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise forms.ValidationError("Write a number, such as 1200000 or 0.25.")
        return found


class GovernanceForm(forms.Form):
    """What surrounds a metric. The definition itself is in its source."""

    label = forms.CharField(max_length=160)
    description = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="What it counts, in one sentence."
    )
    level = forms.ChoiceField(choices=Level.choices, help_text="How near to strategy it is.")
    purpose = forms.ChoiceField(choices=Kind.choices, label="Kind")
    unit = forms.CharField(
        max_length=30,
        required=False,
        help_text="GBP, orders, days, GBP per order … share for a fraction that is said in percent.",
    )
    direction = forms.ChoiceField(choices=Direction.choices, label="Which way is good")
    grain = forms.ChoiceField(choices=Grain.choices, label="Usually read by")
    owner_role = forms.CharField(
        max_length=120, required=False, label="Owner", help_text="A role, not a name."
    )
    freshness_days = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=3650,
        label="Freshness promise, in days",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="The data is no older than so many days; empty for no promise.",
    )
    maturity = forms.ChoiceField(choices=Maturity.choices, help_text="Certifying takes a maintainer.")
    pitfalls = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What misleads those who read it for the first time.",
    )
    synonyms = forms.CharField(
        required=False, help_text="Other words that people ask with, separated by commas: sales, turnover."
    )
    benchmark_value = Number(required=False, label="Benchmark")
    benchmark_source = forms.CharField(
        required=False,
        max_length=300,
        label="Source of the benchmark",
        help_text="Who measured it, and when.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, metric: Metric, **given: Any) -> None:
        benchmark = metric.benchmark or {}
        plain = (
            "label", "description", "level", "purpose", "unit", "direction", "grain", "owner_role",
            "freshness_days", "maturity", "pitfalls", "version",
        )  # fmt: skip
        initial = {name: getattr(metric, name) for name in plain}
        initial |= {
            "synonyms": ", ".join(metric.synonyms),
            "benchmark_value": benchmark.get("value"),
            "benchmark_source": benchmark.get("source", ""),
        }
        given["initial"] = initial
        super().__init__(*args, **given)
        self.metric = metric
        for name, reader in {
            "label": "everyone, in every answer",
            "owner_role": "whoever has a question about it",
            "pitfalls": "whoever opens the metric",
            "synonyms": "the ask box",
        }.items():
            self.fields[name].reader = reader  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what the action takes: only what was changed, so that nothing else is overwritten."""
        given = dict(self.cleaned_data)
        given.pop("version")
        said = given.pop("synonyms").split(",")
        given["synonyms"] = list(dict.fromkeys(word.strip() for word in said if word.strip()))
        benchmark = {**(self.metric.benchmark or {})}
        for key in ("value", "source"):
            found = given.pop(f"benchmark_{key}")
            benchmark.pop(key, None)
            if found not in (None, ""):
                benchmark[key] = found
        given["benchmark"] = benchmark
        return {name: value for name, value in given.items() if value != getattr(self.metric, name)}


class TargetForm(forms.Form):
    """What a metric should be in a period, and the range that would do."""

    period = forms.CharField(
        max_length=60, help_text="2011-11, 2011-Q4, 2011, or two days: 2011-12-01..2011-12-24."
    )
    value = Number(label="Target")
    low = Number(required=False, label="At least", help_text="Below the target but not a miss: at risk.")
    high = Number(required=False, label="At most")
    note = forms.CharField(max_length=300, required=False, help_text="Where the target comes from.")

    def clean_period(self) -> Period:
        """Return the period."""
        try:
            return parse_period(self.cleaned_data["period"])
        except Problem as problem:
            raise forms.ValidationError(f"{problem.detail} {problem.mend}") from None

    def values(self) -> dict[str, Any]:
        """Return what the action takes."""
        given = dict(self.cleaned_data)
        period = given.pop("period")
        return {**given, "start": period.start, "end": period.end}


class FormulaForm(forms.Form):
    """The arithmetic of a metric."""

    formula = forms.CharField(
        required=False,
        max_length=500,
        help_text="Names of metrics with + − * / and brackets, such as invoices * revenue_per_invoice. "
        "Empty makes the metric a leaf of the tree.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_formula(self) -> str:
        """Return the formula with the signs that the parser reads."""
        text: str = self.cleaned_data["formula"]
        return text.translate(str.maketrans("×÷−·", "*/-*")).strip()


class InfluenceForm(forms.Form):
    """One metric is believed to move another."""

    driver = forms.ChoiceField(label="What moves")
    outcome = forms.ChoiceField(label="What is moved")
    sign = forms.TypedChoiceField(
        label="Direction",
        coerce=int,
        choices=[(1, "the more, the more"), (-1, "the more, the less")],
    )
    lag = forms.IntegerField(
        label="After how many periods",
        min_value=0,
        max_value=60,
        initial=0,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    grain = forms.ChoiceField(label="Periods are", choices=Grain.choices, initial=Grain.MONTH)
    evidence = forms.ChoiceField(
        choices=Evidence.choices, help_text="What it is believed on, the weakest first."
    )
    because = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why you believe it: an experiment, a study, an observation.",
    )

    def __init__(self, *args: Any, metrics: Iterable[Metric], **given: Any) -> None:
        super().__init__(*args, **given)
        choices = [(metric.name, metric.label) for metric in metrics]
        for name in ("driver", "outcome"):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = choices
        self.fields["because"].reader = "whoever doubts the tree"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a metric that would drive itself."""
        given = super().clean() or {}
        if given.get("driver") and given.get("driver") == given.get("outcome"):
            self.add_error("outcome", "A metric does not drive itself. Choose another.")
        return given


class DefinitionForm(forms.Form):
    """A definition document."""

    name = forms.CharField(max_length=120, label="File name", help_text="Such as orders.yml.")
    namespace = forms.CharField(
        max_length=60, validators=[name_rule], help_text="The lake namespace that ref('table') means."
    )
    text = forms.CharField(
        label="Definitions",
        max_length=2_000_000,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 30,
                "class": "source-text",
                "spellcheck": "false",
                "wrap": "off",
                "autocomplete": "off",
            }
        ),
    )
    note = forms.CharField(
        max_length=300, required=False, label="What changed", help_text="One sentence for the history."
    )
    number = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, fixed: bool = False, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["note"].reader = "whoever asks why a number changed"  # type: ignore[attr-defined]
        for name in ("name", "namespace"):
            self.fields[name].disabled = fixed

    def clean_text(self) -> str:
        """Return the text with the line ends that files have."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")
