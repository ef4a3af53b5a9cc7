"""Buyers, as a page: who came back of those who began together, from any table of purchases in the lake."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from potager.engines.answers import CannotTell
from potager.ground.access.actors import require
from potager.ground.serving.pictures import pictured, served
from potager.ground.serving.rendering import Command, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.revenue import buyers, buyers_compare, buyers_pictures
from potager.insight.revenue.models import currency_rule
from potager.kit.errors import NotFound, Problem

COLUMNS = ("customer", "at", "amount", "times", "order")
commands = (
    Command(
        "See who buys again",
        "revenue-buyers",
        "revenue.read",
        "repeat purchases, cohorts, retention of buyers",
    ),
)


class BuyersForm(forms.Form):
    """Which columns say what, and which groups are compared."""

    table = forms.CharField(widget=forms.HiddenInput)
    customer = forms.ChoiceField(label="Customer")
    at = forms.ChoiceField(label="Time of the purchase")
    amount = forms.ChoiceField(label="Amount")
    times = forms.ChoiceField(label="Times a quantity", required=False)
    order = forms.ChoiceField(label="Order", required=False)
    first = forms.CharField(label="Buyers who began in", required=False, max_length=20)
    second = forms.CharField(label="against those of", required=False, max_length=20)
    horizon = forms.IntegerField(
        label="Days since the first purchase",
        required=False,
        min_value=1,
        max_value=buyers_compare.LONGEST_HORIZON,
    )
    currency = forms.CharField(
        label="Currency of the amount", required=False, max_length=3, validators=[currency_rule]
    )

    def __init__(self, given: Any, *, table: str) -> None:
        super().__init__({**_named(given), **buyers.guessed(table), **_given(given)})
        for what in COLUMNS:
            field = self.fields[what]
            assert isinstance(field, forms.ChoiceField)
            names = [(name, name) for name in buyers.columns_for(what, table)]
            field.choices = names if field.required else [("", "–"), *names]
        self.fields["horizon"].widget.attrs["placeholder"] = "as many as all were watched for"
        self.fields["first"].widget.attrs["placeholder"] = "2010-12"
        self.fields["second"].widget.attrs["placeholder"] = "2011-03..2011-05"


def _named(given: Any) -> dict[str, str]:
    return {name: given[name] for name in BuyersForm.base_fields if name in given}


def _given(given: Any) -> dict[str, str]:
    """Return the columns that were named, also those of which it was said that there is none."""
    return {name: given[name] for name in ("table", *COLUMNS) if name in given}


@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """Show the cohorts of a table of purchases, and two of its groups side by side."""
    require(actor(request), "revenue.read")
    tables = [
        {**one, "url": f"{reverse('revenue-buyers')}?{urlencode(one['columns'])}"}
        for one in buyers.readable()
    ]
    shown: dict[str, Any] = {
        "page_title": "Buyers who come back",
        "page_about": "Revenue without subscriptions: who buys again, by the month of the first purchase.",
        "crumbs": [{"title": "Revenue", "url": reverse("revenue")}],
        "tables": tables,
    }
    status = 200
    if request.GET.get("table"):
        try:
            given = buyers.checked(_given(request.GET))
        except Problem as problem:
            shown["problem"] = problem
            status = 422
        else:
            form = BuyersForm(request.GET, table=given.table)
            shown |= {"form": form, "given": given, **_told(given, form)}
    return render(request, "revenue/buyers.html", shown, status=status)


def _told(given: buyers.Purchases, form: BuyersForm) -> dict[str, Any]:
    asked = form.cleaned_data if form.is_valid() else {}
    grid = buyers.grid(given)
    query = urlencode(vars(given))
    charts = []
    for kind in buyers_pictures.KINDS:
        made = buyers_pictures.grid_chart(grid, kind)
        if made is not None:
            charts.append(pictured(made, f"{reverse('revenue-buyers-chart', args=[kind, 'FORM'])}?{query}"))
    told = {
        "grid": grid,
        "charts": charts,
        "cohorts": grid.cohorts,
        "ages_of_cohorts": [cell.age for cell in grid.cohorts[0].cells] if grid.cohorts else [],
        "currency": asked.get("currency") or "",
        "sql": [("Cohorts", grid.sql)],
    }
    if asked.get("first") and asked.get("second"):
        told |= _compared(given, form, asked)
    return told


def _compared(given: buyers.Purchases, form: BuyersForm, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        found = buyers_compare.compare_buyers(
            given,
            buyers_compare.months_of(asked["first"], "first"),
            buyers_compare.months_of(asked["second"], "second"),
            asked.get("horizon"),
        )
    except Problem as problem:
        problems_on(form, problem)
        return {}
    if isinstance(found, CannotTell):
        return {"refused": found}
    return {
        "compared": found,
        "sentence": buyers_pictures.sentence(found),
        "notes": buyers_pictures.notes(found, asked.get("currency") or ""),
        "groups": buyers_pictures.group_rows(found),
        "ages": buyers_pictures.age_rows(found),
        "sql": list(zip(("Cohorts", "Who came back", "What they spent"), found.sql, strict=True)),
    }


@signed_in
def chart(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """Serve the picture of a grid."""
    require(actor(request), "revenue.read")
    if name not in buyers_pictures.KINDS:
        raise NotFound("There is no such picture.", mend=f"Ask for {', '.join(buyers_pictures.KINDS)}.")
    grid = buyers.grid(buyers.checked(_given(request.GET)))
    return served(request, buyers_pictures.grid_chart(grid, name), form)


urlpatterns = [
    path("revenue/buyers", page, name="revenue-buyers"),
    path("revenue/buyers/<slug:name>.<str:form>", chart, name="revenue-buyers-chart"),
]
