"""The form of a webhook."""

from __future__ import annotations

from django import forms


class EndpointForm(forms.Form):
    """An address to be told."""

    name = forms.CharField(max_length=120)
    address = forms.URLField(label="URL", max_length=500, assume_scheme="https")
    events = forms.CharField(
        required=False,
        help_text="Names or beginnings of names, one per line; empty for all.",
        widget=forms.Textarea,
    )

    def clean_events(self) -> list[str]:
        """Return the lines."""
        return [line.strip() for line in self.cleaned_data["events"].splitlines() if line.strip()]
