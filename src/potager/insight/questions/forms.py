"""The form of a question."""

from __future__ import annotations

from typing import Any

import yaml
from django import forms

from potager.insight.questions.models import Cadence, Verdict
from potager.insight.questions.recipes.registry import kinds


class QuestionForm(forms.Form):
    """A strategic question: what is asked, who decides what with it, and what follows from each answer."""

    words = forms.CharField(label="The question", max_length=300)
    recipe = forms.ChoiceField(
        label="What kind of question it is", choices=lambda: [(one.name, one.title) for one in kinds()]
    )
    slots = forms.CharField(
        label="What it asks about",
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One per line, such as metric: revenue, period: 2011-11, against: year, by: [country].",
    )
    decider = forms.CharField(label="Who decides with it", max_length=120, required=False)
    decision = forms.CharField(label="The decision it feeds", max_length=500, required=False)
    cadence = forms.ChoiceField(
        label="How often it is asked", choices=Cadence.choices, initial=Cadence.MONTHLY
    )
    deadline = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    rule_yes = forms.CharField(label="The answer is yes when", required=False, max_length=200)
    rule_at_risk = forms.CharField(label="It is at risk when", required=False, max_length=200)
    action_yes = forms.CharField(label="If yes, we", required=False, max_length=300)
    action_at_risk = forms.CharField(label="If at risk, we", required=False, max_length=300)
    action_no = forms.CharField(label="If no, we", required=False, max_length=300)
    action_cannot_tell = forms.CharField(label="If we cannot tell, we", required=False, max_length=300)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        known = "; ".join(f"{one.name}: {', '.join(one.variables)}" for one in kinds() if one.variables)
        self.fields["rule_yes"].help_text = f"A threshold such as probability >= 0.8. {known}."
        for name in ("decider", "decision"):
            self.fields[name].reader = "whoever reads the answer"  # type: ignore[attr-defined]

    def clean_slots(self) -> dict[str, Any]:
        """Return the slots as a dictionary."""
        try:
            found = yaml.safe_load(self.cleaned_data["slots"])
        except yaml.YAMLError as error:
            raise forms.ValidationError(
                "Write one 'name: value' per line, such as metric: revenue."
            ) from error
        if not isinstance(found, dict):
            raise forms.ValidationError("Write one 'name: value' per line, such as metric: revenue.")
        return {
            str(name): value if isinstance(value, (list, int, float)) else str(value)
            for name, value in found.items()
        }

    def values(self) -> dict[str, Any]:
        """Return what the action takes."""
        given = self.cleaned_data
        rule = {name: given[f"rule_{name}"] for name in ("yes", "at_risk") if given[f"rule_{name}"]}
        agreed = {name: given[f"action_{name}"] for name in Verdict.values if given[f"action_{name}"]}
        plain = ("words", "recipe", "slots", "decider", "decision", "cadence", "deadline")
        return {**{name: given[name] for name in plain}, "rule": rule, "actions": agreed}
