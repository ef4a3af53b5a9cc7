"""Forms: a stream's description, a file of events, and the controls of a reading made from its parameters."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, Union, get_args, get_origin

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from potager.insight.usage.actions import WRITTEN
from potager.insight.usage.facts import Facts
from potager.insight.usage.models import WEEKDAYS, Stream
from potager.insight.usage.readings.base import Parameters, Reading, Shown, shown_of

MOST_CHOICES = 400
ANY = "any event"


class Repeated(forms.Widget):
    """Several controls of one name: what was given, and one more that is free."""

    def __init__(self, control: forms.Widget, *, least: int = 1, most: int = 12) -> None:
        super().__init__()
        self.control, self.least, self.most = control, least, most

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> list[str]:
        """Return what was given, in order."""
        several = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        return [one for one in several if one]

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """Return the controls below each other; each is named for a screen reader by its place."""
        given = list(value or [])
        count = min(max(self.least, len(given) + 1), self.most)
        base = (attrs or {}).get("id", f"id_{name}")
        rows = []
        for place in range(count):
            own = {**(attrs or {}), "id": base if place == 0 else f"{base}_{place}", "class": "control"}
            if place:
                own["aria-label"] = f"Number {place + 1}"
            rows.append(
                (self.control.render(name, given[place] if place < len(given) else "", own, renderer),)
            )
        return format_html_join("", "{}", rows)


class Several(forms.Field):
    """A field of several values, in order."""

    def clean(self, value: Any) -> list[str]:
        """Return the values; the reading's own parameters check them."""
        return list(value or [])


def controls(reading: Reading[Any], stream: Stream, facts: Facts, data: Any, given: Any = None) -> forms.Form:
    """Return the form of a reading: bound to the address's data where there is any, else to ``given`` parameters."""
    fields: dict[str, forms.Field] = {}
    folded = []
    common = list(Parameters.model_fields)
    ordered = sorted(reading.parameters.model_fields.items(), key=lambda one: one[0] in common)
    for name, field in ordered:
        said = shown_of(reading, name)
        made = _field(field, said, stream, facts)
        if made is None:
            continue
        made.label, made.help_text, made.required = said.label, _help(field, said), False
        fields[name] = made
        if said.fold:
            folded.append(name)
    kind = type("Controls", (forms.Form,), fields)
    initial = {
        name: (field.default if field.default is not None else "")
        for name, field in reading.parameters.model_fields.items()
    }
    if given is not None:
        initial |= given.model_dump(mode="json")
    made_form: forms.Form = kind(initial=initial, auto_id="id_%s")
    if data:
        made_form.initial = {
            **initial,
            **{name: _raw(made_form, name, data) for name in fields if name in data},
        }
    made_form.folded = folded  # type: ignore[attr-defined]
    return made_form


def _raw(form: forms.Form, name: str, data: Any) -> Any:
    return form.fields[name].widget.value_from_datadict(data, MultiValueDict(), name)


def _help(field: Any, said: Shown) -> str:
    return "" if field.description == said.label else str(field.description or "")


def _field(field: Any, said: Shown, stream: Stream, facts: Facts) -> forms.Field | None:
    widget = said.widget
    events = [("", ANY), *((one.name, one.name) for one in facts.names[:MOST_CHOICES])]
    if widget == "date":
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    if widget in {"event", "events", "steps"} and not stream.event:
        return None
    if widget == "event":
        return forms.ChoiceField(choices=events)
    if widget in {"events", "steps"}:
        least = 3 if widget == "steps" else 1
        choices = [("", "–"), *events[1:]]
        return Several(widget=Repeated(forms.Select(choices=choices), least=least))
    if widget == "property":
        names = properties_of(stream)
        if not names:
            return None
        return forms.ChoiceField(choices=[("", "–"), *((one, one) for one in names)])
    if widget == "unit":
        if not stream.account:
            return None
        return forms.ChoiceField(choices=_choices(field.annotation, said.words))
    if widget == "checks":
        choices = list(said.words.items())
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple)
    if widget == "list":
        return Several(widget=Repeated(forms.TextInput()))
    if widget == "weight" and not stream.revenue_table:
        return None
    literal = _literal(field.annotation)
    if literal:
        return forms.ChoiceField(choices=_choices(field.annotation, said.words))
    if field.annotation is bool:
        return forms.BooleanField()
    if field.annotation in (int, int | None):
        return forms.IntegerField(widget=forms.NumberInput(attrs={"inputmode": "numeric"}))
    return forms.CharField(max_length=300)


def properties_of(stream: Stream) -> list[str]:
    """Return what a stream's events can be split by."""
    return [str(name) for name in stream.properties]


def _literal(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return next((found for part in get_args(annotation) if (found := _literal(part))), ())
    return ()


def _choices(annotation: Any, words: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(str(one), words.get(str(one), str(one).replace("_", " "))) for one in _literal(annotation)]


class EventFileForm(forms.Form):
    """A file of events to bring in."""

    file = forms.FileField(
        help_text="What Segment, PostHog or Snowplow export, or any CSV, JSON Lines or Parquet with one event a row. "
        "Nothing is imported before you have seen it."
    )


class StreamForm(forms.Form):
    """What the columns of a table of events mean."""

    name = forms.CharField(max_length=120, help_text="What people call these events, such as Mobile app.")
    table = forms.CharField(label="Events table", max_length=120)
    person = forms.ChoiceField(label="Who did it")
    event = forms.ChoiceField(
        label="What was done", required=False, help_text="Empty where every row is the same event."
    )
    time = forms.ChoiceField(label="When")
    account = forms.ChoiceField(
        label="For which account", required=False, help_text="Empty where people have no accounts."
    )
    event_id = forms.ChoiceField(
        label="What tells one event from another", required=False, help_text="Repeats of it count once."
    )
    properties = forms.MultipleChoiceField(
        label="What to filter and split by", required=False, widget=forms.CheckboxSelectMultiple
    )
    zone = forms.CharField(
        label="Time zone", initial="UTC", help_text="Such as Europe/Berlin. Days begin there."
    )
    week_starts = forms.TypedChoiceField(
        label="Weeks start on", coerce=int, choices=list(enumerate(WEEKDAYS, 1)), initial=1
    )
    active_event = forms.CharField(
        label="Active means", required=False, help_text="The event that makes somebody active; empty for any."
    )
    identities_table = forms.ChoiceField(
        label="Merged identities", required=False, help_text="A table with the columns alias and person."
    )
    accounts_table = forms.ChoiceField(
        label="Accounts", required=False, help_text="A table with a row per account: plan, seats, size."
    )
    accounts_key = forms.CharField(label="The account's key in it", required=False)
    seats = forms.CharField(label="The seats paid for in it", required=False)
    revenue_table = forms.ChoiceField(
        label="Revenue by month", required=False, help_text="To weigh by what accounts pay: revenue.months."
    )
    book = forms.CharField(label="Which book of it", required=False)
    policy = forms.CharField(label="Which policy of it", required=False)

    def __init__(self, *args: Any, columns: Sequence[str], tables: Iterable[str], **given: Any) -> None:
        super().__init__(*args, **given)
        free = [("", "–"), *((name, name) for name in columns)]
        for name in ("person", "time"):
            self._choices(name, free[1:])
        for name in ("event", "account", "event_id"):
            self._choices(name, free)
        self._choices("properties", free[1:])
        named = [("", "–"), *((name, name) for name in sorted(tables))]
        for name in ("identities_table", "accounts_table", "revenue_table"):
            self._choices(name, named)

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def values(self) -> dict[str, Any]:
        """Return what the action takes."""
        return {name: self.cleaned_data[name] for name in WRITTEN if name in self.cleaned_data}


def in_words(start: date, end: date) -> str:
    """Return a range of days as people write it."""
    from potager.kit import words

    return words.period(start, end)
