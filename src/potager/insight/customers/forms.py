"""The forms of customers."""

from __future__ import annotations

from typing import Any

from django import forms

from potager.insight.customers.models import Account, Noun, Person, Segment
from potager.kit.errors import FieldProblem, Invalid

_LINES = forms.Textarea(attrs={"rows": 4})


class CustomerForm(forms.Form):
    """What accounts and people share."""

    key = forms.CharField(max_length=200, help_text="What it is called in every table: one text everywhere.")
    name = forms.CharField(max_length=300, required=False)

    def traits(self) -> dict[str, Any]:
        """Return the traits as they are kept; Invalid names the line that is none."""
        return traits_of(self.cleaned_data["traits_text"])


class _Traits(forms.Form):
    traits_text = forms.CharField(
        label="Traits", required=False, widget=_LINES, help_text="One a line, such as seats: 12"
    )
    internal = forms.BooleanField(label="One of ours: a team or a colleague", required=False)


class AccountForm(_Traits, CustomerForm):
    """An account."""

    domains = forms.CharField(
        required=False, help_text="Mail domains, with blanks between: acme.com acme.de. They find its people."
    )
    plan = forms.CharField(max_length=120, required=False)
    segment = forms.CharField(max_length=120, required=False, help_text="Such as small business.")
    tier = forms.CharField(max_length=120, required=False, help_text="Such as gold.")
    field_order = ("key", "name", "domains", "plan", "segment", "tier", "traits_text", "internal")

    @classmethod
    def initial_of(cls, account: Account) -> dict[str, Any]:
        """Return what the form shows of an account."""
        domains = [handle.value for handle in account.handles.all() if handle.origin == "domain"]
        names = ("key", "name", "plan", "segment", "tier", "internal")
        shown = {name: getattr(account, name) for name in names}
        return {**shown, "domains": " ".join(domains), "traits_text": traits_text(account.traits)}

    def values(self) -> dict[str, Any]:
        """Return what an action takes."""
        names = ("key", "name", "plan", "segment", "tier", "internal")
        found = {name: self.cleaned_data[name] for name in names}
        return {**found, "domains": self.cleaned_data["domains"].split(), "traits": self.traits()}


class PersonForm(_Traits, CustomerForm):
    """A person."""

    key = forms.CharField(
        max_length=200, required=False, help_text="Without one, the first address is the key."
    )
    emails = forms.CharField(label="E-mail", required=False, help_text="Addresses, with blanks between.")
    account_key = forms.CharField(
        label="Account",
        max_length=254,
        required=False,
        help_text="Its key or domain; else the address finds it.",
    )
    field_order = ("name", "emails", "account_key", "key", "traits_text", "internal")

    @classmethod
    def initial_of(cls, person: Person) -> dict[str, Any]:
        """Return what the form shows of a person."""
        shown = {name: getattr(person, name) for name in ("key", "name", "internal")}
        account = person.account.key if person.account else ""
        return {
            **shown,
            "emails": " ".join(person.emails),
            "account_key": account,
            "traits_text": traits_text(person.traits),
        }

    def values(self) -> dict[str, Any]:
        """Return what an action takes, the account still by its key."""
        found = {name: self.cleaned_data[name] for name in ("key", "name", "internal")}
        return {**found, "emails": self.cleaned_data["emails"].split(), "traits": self.traits()}


class SegmentForm(forms.Form):
    """A segment."""

    name = forms.CharField(max_length=120)
    noun = forms.ChoiceField(label="Of what", choices=Noun.choices, initial=Noun.ACCOUNTS)
    condition = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=(
            "One a line, all must hold: plan is pro · seats >= 10 · country is one of DE, AT · tier is not free · "
            "name contains bank · plan is unknown. What is no field is a trait."
        ),
    )
    keys = forms.CharField(
        label="Or a fixed list of keys",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text="One a line.",
    )
    about = forms.CharField(label="What it is for", required=False, widget=forms.Textarea(attrs={"rows": 2}))

    @classmethod
    def initial_of(cls, segment: Segment) -> dict[str, Any]:
        """Return what the form shows of a segment."""
        keys = "\n".join(segment.members.order_by("key").values_list("key", flat=True)[:5_000])
        return {
            "name": segment.name,
            "noun": segment.noun_kind,
            "condition": segment.condition,
            "keys": keys,
            "about": segment.about,
        }

    def values(self) -> dict[str, Any]:
        """Return what an action takes."""
        keys = self.cleaned_data["keys"].splitlines()
        found = {name: self.cleaned_data[name] for name in ("name", "condition", "about")}
        return {**found, "keys": keys if keys or not found["condition"].strip() else None}


class MergeForm(forms.Form):
    """Who is merged into whom."""

    merged = forms.CharField(
        label="Which other", max_length=254, help_text="Its key, a domain, an address or an id in a source."
    )
    reason = forms.CharField(max_length=500, required=False)


class SyncForm(forms.Form):
    """Which table brings what."""

    table = forms.ChoiceField()
    noun = forms.ChoiceField(label="Brings", choices=Noun.choices)

    def __init__(self, *args: Any, tables: list[str], **given: Any) -> None:
        super().__init__(*args, **given)
        field = self.fields["table"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in tables]


def traits_text(traits: dict[str, Any]) -> str:
    """Return traits as lines of text."""
    return "\n".join(f"{name}: {_said(value)}" for name, value in sorted(traits.items()))


def _said(value: Any) -> str:
    return (
        {True: "yes", False: "no", None: ""}.get(value, "")
        if value is None or isinstance(value, bool)
        else str(value)
    )


def traits_of(text: str) -> dict[str, Any]:
    """Return lines such as ``seats: 12`` as traits."""
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon:
            problem = FieldProblem("traits_text", f"Line {number} is no trait.", "Write it as seats: 12")
            raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> str | int | float | bool | None:
    if text.lower() in {"yes", "no"}:
        return text.lower() == "yes"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None
