"""A book's outlook, as a page: where MRR is going, what a change would make of it, what a customer is worth."""

from __future__ import annotations

from fractions import Fraction
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from potager.engines.answers import CannotTell
from potager.engines.finance.projection import CHANGEABLE
from potager.ground.serving.pictures import pictured, served
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.revenue import outlook, outlook_pictures, queries
from potager.insight.revenue.models import Book
from potager.kit.charts.chart import Chart
from potager.kit.errors import Problem


def _percent(label: str, note: str = "", least: int = -100, most: int = 1000) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=least, max_value=most, max_digits=8, decimal_places=3,
        help_text=note, widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )  # fmt: skip


class ScenarioForm(forms.Form):
    """What if some rates were others from next month on."""

    new = _percent("New MRR, change in %")
    churn = _percent("Churn, change in %")
    expansion = _percent("Expansion, change in %")
    contraction = _percent("Contraction, change in %")
    basis = forms.IntegerField(
        label="Months averaged",
        required=False,
        min_value=1,
        max_value=36,
        widget=forms.NumberInput(attrs={"placeholder": outlook.BASIS}),
    )

    def changes(self) -> dict[str, Fraction]:
        """Return the changes that were given, in percent."""
        given = {name: self.cleaned_data.get(name) for name in CHANGEABLE}
        return {name: Fraction(value) for name, value in given.items() if value}


class EconomicsForm(forms.Form):
    """What the book does not hold."""

    gross_margin = _percent("Gross margin, %", most=100)
    spend = forms.DecimalField(
        label="Sales and marketing spend", required=False, min_value=0, max_digits=15, decimal_places=3
    )
    operating_margin = _percent("Operating margin, %", least=-1000, most=100)

    def inputs(self, currency: str) -> outlook.Inputs:
        """Return them as the reading takes them."""
        return outlook.inputs_of(currency, **{name: self.cleaned_data.get(name) for name in self.fields})


def _scenario(book: Book, policy: str, form: ScenarioForm) -> outlook.Scenario | CannotTell:
    changes = form.changes() if form.is_valid() else {}
    basis = (form.cleaned_data.get("basis") if form.is_valid() else None) or outlook.BASIS
    return outlook.scenario_of(book, policy, changes, basis)


def _others(request: HttpRequest, form: forms.Form) -> list[tuple[str, str]]:
    """Return the parameters of the page that a form does not hold, so that sending it forgets none."""
    return [(name, str(value)) for name, value in request.GET.items() if name not in form.fields and value]


@signed_in
def page(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show a book's outlook."""
    book = queries.book(actor(request), key)
    scenario_form = ScenarioForm(
        request.GET if any(name in request.GET for name in ScenarioForm.base_fields) else None
    )
    economics_form = EconomicsForm(
        request.GET if any(name in request.GET for name in EconomicsForm.base_fields) else None
    )
    shown: dict[str, Any] = {
        "page_title": "Outlook",
        "page_about": "Where MRR is going, what a change would make of it, and what a customer is worth.",
        "crumbs": [
            {"title": "Revenue", "url": reverse("revenue")},
            {"title": book.name, "url": book.url()},
        ],
        "book": book,
        "policies": book.policies,
        "scenario_form": scenario_form,
        "economics_form": economics_form,
        "scenario_others": _others(request, scenario_form),
        "economics_others": _others(request, economics_form),
    }
    try:
        policy = queries.policy_of(book, request.GET.get("policy", ""))
        shown |= {
            "policy": policy,
            **_forecast(book, policy, _ahead(request)),
            **_changed(request, book, policy, scenario_form),
        }
        shown |= _worth(book, policy, economics_form)
    except Problem as problem:
        shown["problem"] = problem
    return render(request, "revenue/outlook.html", shown)


def _ahead(request: HttpRequest) -> int:
    """Return how many months ahead are asked for; the usual count where that is no number."""
    asked = request.GET.get("ahead", "")
    return int(asked) if asked.isdecimal() and len(asked) < 4 else outlook.AHEAD


def _forecast(book: Book, policy: str, ahead: int) -> dict[str, Any]:
    told = outlook.forecast_of(book, policy, ahead)
    made = outlook_pictures.forecast_chart(told)
    refused = told.found if isinstance(told.found, CannotTell) else None
    short = refused is not None and refused.reason == "too_few"
    return {
        "shorter": outlook.longest_tested(len(told.history)) if short else 0,
        "forecast_sentence": outlook_pictures.said_forecast(told),
        "forecast_refused": refused,
        "forecast_chart": pictured(
            made, _at(book, "forecast", urlencode({"policy": policy, "ahead": ahead}))
        ),
        "tested": [] if isinstance(told.found, CannotTell) else outlook_pictures.tested(told.found),
    }


def _changed(request: HttpRequest, book: Book, policy: str, form: ScenarioForm) -> dict[str, Any]:
    try:
        found = _scenario(book, policy, form)
    except Problem as problem:
        form.add_error(None, f"{problem.detail} {problem.mend}".strip())
        found = outlook.scenario_of(book, policy, {})
    if isinstance(found, CannotTell):
        return {"scenario_refused": found}
    kept = request.GET.copy()
    kept["policy"] = policy
    return {
        "scenario": found,
        "scenario_sentence": outlook_pictures.said_scenario(found),
        "scenario_chart": pictured(
            outlook_pictures.scenario_chart(found), _at(book, "scenario", kept.urlencode())
        ),
        "rates": outlook_pictures.said_rates(found),
        "months": outlook_pictures.said_months(found),
    }


def _worth(book: Book, policy: str, form: EconomicsForm) -> dict[str, Any]:
    given = form.inputs(book.currency) if form.is_valid() else outlook.Inputs()
    found = outlook.economics_of(book, policy, given)
    return {"economics": found, "figures": outlook_pictures.said_economics(found)}


def _at(book: Book, name: str, query: str) -> str:
    return f"{reverse('revenue-outlook-chart', args=[book.pk, name, 'FORM'])}?{query}"


@signed_in
def chart(request: HttpRequest, key: UUID, name: str, form: str) -> HttpResponse:
    """Serve the picture of a forecast or of a scenario."""
    book = queries.book(actor(request), key)
    policy = queries.policy_of(book, request.GET.get("policy", ""))
    made: Chart | None = None
    if name == "forecast":
        made = outlook_pictures.forecast_chart(outlook.forecast_of(book, policy, _ahead(request)))
    elif name == "scenario":
        found = _scenario(book, policy, ScenarioForm(request.GET))
        made = None if isinstance(found, CannotTell) else outlook_pictures.scenario_chart(found)
    return served(request, made, form)


urlpatterns = [
    path("revenue/<uuid:key>/outlook", page, name="revenue-outlook"),
    path("revenue/<uuid:key>/outlook/<slug:name>.<str:form>", chart, name="revenue-outlook-chart"),
]
