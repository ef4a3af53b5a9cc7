"""The forms of a bet."""

from __future__ import annotations

from typing import Any

import yaml
from django import forms

from potager.insight.impact.models import Bet, Ending, Horizon, Risk
from potager.insight.impact.writing import LOCKED
from potager.insight.metrics.models import Metric


def _day(**given: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **given)


EXAMPLE = """\
assignment:
  table: product.assignments
  unit: account
  arm: arm
  where: {experiment: guided_setup}
  treated: treatment
  control: control
"""


def _metrics() -> list[tuple[str, str]]:
    rows = Metric.objects.filter(archived_at=None).order_by("label")
    return [("", "Choose a metric"), *((one.name, one.label) for one in rows)]


def _money() -> list[tuple[str, str]]:
    return [("", "The one the tree leads to"), *_metrics()[1:]]


class DesignField(forms.CharField):
    """A design as YAML."""

    def __init__(self, **given: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}), **given)

    def clean(self, value: Any) -> Any:
        """Return the design as a mapping."""
        text = super().clean(value)
        try:
            found = yaml.safe_load(text) if text else {}
        except yaml.YAMLError as error:
            raise forms.ValidationError("Write YAML, such as the example.") from error
        if not isinstance(found, dict):
            raise forms.ValidationError("A design has parts with names, such as the example.")
        return found


class BetForm(forms.Form):
    """A bet: what is believed, by which metric it is judged, and the range that is predicted."""

    name = forms.CharField(max_length=160)
    key = forms.SlugField(max_length=60, label="Key", help_text="For addresses and questions: guided-setup.")
    hypothesis = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Why it should work."
    )
    who = forms.CharField(required=False, max_length=160, label="Who", help_text="Whose behavior changes.")
    does_what = forms.CharField(required=False, max_length=300, label="Does what")
    by_how_much = forms.CharField(required=False, max_length=160, label="By how much")
    by_when = _day(required=False, label="By when")
    metric = forms.ChoiceField(choices=_metrics, label="Measured by")
    unit = forms.CharField(
        required=False, max_length=120, label="What it reaches", help_text="An entity of the metric: account."
    )
    reach = forms.CharField(
        required=False,
        max_length=20,
        initial="treated",
        label="How far it reaches",
        help_text="treated, everybody, or how many units (a ratio: which share) it gets to.",
    )
    low = forms.FloatField(required=False, label="Predicted, low end")
    high = forms.FloatField(
        required=False,
        label="Predicted, high end",
        help_text="Of the metric, for one unit and one period of it; a share as 0.05. Locked at launch.",
    )
    level = forms.FloatField(
        required=False,
        initial=0.8,
        min_value=0.5,
        max_value=0.99,
        label="How sure",
        help_text="0.8: four of five.",
    )
    relative = forms.BooleanField(required=False, label="As a share of what it would have been")
    guardrails = forms.CharField(
        required=False,
        max_length=600,
        help_text="Names of metrics that it must not hurt, with commas between.",
    )
    kill_when = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 2}), label="We take it back when"
    )
    team = forms.CharField(required=False, max_length=120)
    product = forms.CharField(required=False, max_length=120)
    objective = forms.CharField(required=False, max_length=160)
    goal = forms.CharField(required=False, max_length=160, help_text="The name of a goal.")
    horizon = forms.ChoiceField(choices=Horizon.choices, initial=Horizon.GROW)
    risk = forms.ChoiceField(choices=Risk.choices, initial=Risk.SAFE)
    money_metric = forms.ChoiceField(required=False, choices=_money, label="In money")
    life_months = forms.IntegerField(
        required=False, min_value=1, initial=12, label="Counted for, in months", help_text="At most."
    )
    rate = forms.FloatField(
        required=False, min_value=0.0, max_value=1.0, initial=0.1, label="Discount rate a year"
    )

    def values(self) -> dict[str, Any]:
        """Return the bet as it is registered."""
        given = dict(self.cleaned_data)
        low, high = given.pop("low", None), given.pop("high", None)
        level, relative = given.pop("level", None), given.pop("relative", False)
        money = {
            "metric": given.pop("money_metric", "") or None,
            "life_months": given.pop("life_months", None),
            "rate": given.pop("rate", None),
        }
        made = {name: value for name, value in given.items() if name != "guardrails"}
        if "guardrails" in given:
            made["guardrails"] = [one.strip() for one in given["guardrails"].split(",") if one.strip()]
        if low is not None or high is not None:
            made["predicted"] = {"low": low, "high": high, "level": level or 0.8, "relative": relative}
        if not made.get("reach"):
            made.pop("reach", None)
        made["money"] = {name: value for name, value in money.items() if value is not None}
        return made


class ChangeForm(BetForm):
    """A bet that is there: its key stands, and after the launch so does what was predicted."""

    def __init__(self, data: Any = None, *, bet: Bet) -> None:
        initial = {
            **{name: getattr(bet, name) for name in self.base_fields if hasattr(bet, name)},
            "metric": bet.metric.name,
            "team": bet.team_name,
            "low": bet.predicted_low,
            "high": bet.predicted_high,
            "level": bet.predicted_level,
            "relative": bet.predicted_relative,
            "guardrails": ", ".join(bet.guardrails),
            "money_metric": bet.money_metric.name if bet.money_metric else "",
            "rate": bet.discount_rate,
        }
        super().__init__(data, initial=initial)
        del self.fields["key"]
        if bet.launched_on is not None:
            for name in (*LOCKED, "low", "high", "level", "relative"):
                self.fields.pop(name, None)

    def values(self) -> dict[str, Any]:
        """Return what is changed."""
        made = super().values()
        if "low" not in self.fields:
            made.pop("predicted", None)
        return made


class DesignForm(forms.Form):
    """What there is to judge a bet by."""

    design = DesignField(
        label="Design",
        help_text="YAML with the parts there are: assignment, holdout, panel, series, elasticity, belief.",
    )


class LaunchForm(forms.Form):
    """When it was launched."""

    on = _day(label="Launched on")


class ObserveForm(forms.Form):
    """How long after the launch to look."""

    age = forms.IntegerField(
        required=False,
        min_value=1,
        label="Days after launch",
        help_text="As far as the data goes where empty.",
    )


class CloseForm(forms.Form):
    """What becomes of it, and why."""

    ending = forms.ChoiceField(choices=Ending.choices, label="What becomes of it")
    because = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), label="Why")
