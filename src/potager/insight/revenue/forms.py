"""The form of a book."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from potager.insight.revenue.actions import WRITTEN
from potager.insight.revenue.policies import policies


class BookForm(forms.Form):
    """Which tables a book is counted from, and how."""

    name = forms.CharField(max_length=120, help_text="What people call it, such as Main.")
    terms_table = forms.ChoiceField(
        label="Terms", help_text="A row for each stretch of days in which a subscription stays the same."
    )
    columns = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where the table calls a column otherwise: a line each, such as customer = client_id, or "
        "amount = monthly_price. What it does not have holds for all: monthly, active, one of it, no discount.",
    )
    rates_table = forms.ChoiceField(
        label="Rates",
        required=False,
        help_text="day, currency, rate; empty where every price is in the book's currency.",
    )
    currency = forms.CharField(max_length=3, initial="EUR", help_text="Three letters, such as EUR.")
    policy = forms.ChoiceField(
        label="Counted by",
        help_text="Tools count differently: whose rules are yours? They are named after them.",
    )
    compared = forms.MultipleChoiceField(
        label="Compared with", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, tables: Iterable[str], **given: Any) -> None:
        super().__init__(*args, **given)
        named = [(name, name) for name in sorted(tables)]
        counted = [(name, name.replace("_", " ")) for name in policies()]
        choices = {
            "terms_table": named, "rates_table": [("", "–"), *named], "policy": counted, "compared": counted,
        }  # fmt: skip
        for name, several in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = several

    def clean_columns(self) -> dict[str, str]:
        """Return the columns by line. Refuses a line that names no column."""
        lines = [line for line in str(self.cleaned_data["columns"]).splitlines() if line.strip()]
        found = {}
        for line in lines:
            ours, _, theirs = (part.strip() for part in line.partition("="))
            if not ours or not theirs:
                raise forms.ValidationError(
                    f"Write ours = theirs, such as customer = client_id; not {line[:60]}."
                )
            found[ours] = theirs
        return found

    def values(self) -> dict[str, Any]:
        """Return what the action takes."""
        return {name: self.cleaned_data[name] for name in WRITTEN}
