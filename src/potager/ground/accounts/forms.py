"""The forms of people's pages."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms

from potager.ground.access.roles import Role


class NewPerson(forms.Form):
    """Who comes in."""

    name = forms.CharField(label="Your name", max_length=120)
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least ten characters.",
    )


class Owner(NewPerson):
    """The first owner."""

    email = forms.EmailField(label="Your e-mail address")
    field_order = ("email", "name", "password")


class Invite(forms.Form):
    """Somebody to be invited."""

    email = forms.EmailField(label="E-mail address")
    role = forms.TypedChoiceField(choices=Role.choices(), coerce=int, initial=Role.VIEWER.value)


class Profile(forms.Form):
    """One's own name and time zone."""

    name = forms.CharField(max_length=120)
    time_zone = forms.ChoiceField(choices=[(zone, zone) for zone in sorted(available_timezones())])


class Token(forms.Form):
    """A token to be made."""

    name = forms.CharField(label="What will use it", max_length=120)
    scope = forms.ChoiceField(
        choices=[("read", "Read"), ("write", "Read and write, all that my role allows")]
    )
    days = forms.IntegerField(label="Days until it expires", min_value=1, max_value=365, initial=90)
