"""The forms of metrics' pages."""

from __future__ import annotations

from django import forms

from potager.insight.metrics.models import Metric


class Governance(forms.ModelForm):  # type: ignore[type-arg]
    """What surrounds a metric."""

    class Meta:
        model = Metric
        fields = (
            "label", "description", "level", "purpose", "unit", "direction", "grain", "owner_role", "freshness_days",
            "maturity", "pitfalls",
        )  # fmt: skip


class TargetForm(forms.Form):
    """A target to be set."""

    period = forms.CharField(max_length=60, help_text="2011-11, 2011-Q4, 2011.")
    value = forms.FloatField(widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    low = forms.FloatField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    high = forms.FloatField(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"}))


class FormulaForm(forms.Form):
    """The arithmetic of a metric."""

    formula = forms.CharField(
        max_length=500, required=False, help_text="Such as orders * average_order_value; empty for none."
    )


class SourceForm(forms.Form):
    """A definition document."""

    name = forms.CharField(max_length=120, help_text="A file name, such as orders.yml.")
    namespace = forms.CharField(max_length=60, help_text="The lake namespace that ref('table') means.")
    text = forms.CharField(
        label="Definitions", widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "false", "class": "code"})
    )
    note = forms.CharField(
        max_length=300, required=False, help_text="What changed, for those who read the versions."
    )
