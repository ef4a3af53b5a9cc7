"""Why a figure is not another, as pages: by another policy, as it was said on another day, without what is canceled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.dateparse import parse_date

from potager.engines.finance import PolicyDifference, Restatement
from potager.ground.serving.pictures import pictured, served
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.revenue import queries, why, why_pictures, why_restated
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policies, policy_named
from potager.kit.charts.chart import Chart
from potager.kit.currencies import amount
from potager.kit.errors import Invalid, Problem
from potager.kit.files import csv_lines

PAGE = 25


def _choices() -> list[tuple[str, str]]:
    return [(name, why_pictures.named(name)) for name in policies()]


def _date(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


class PoliciesForm(forms.Form):
    """Which policies, and at the end of which day."""

    first = forms.ChoiceField(label="MRR by", choices=_choices)
    second = forms.ChoiceField(label="against MRR by", choices=_choices)
    on = _date("at the end of")
    stated = forms.CharField(
        label="whose own page shows",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text="In the book's currency; what no rule explains is then told.",
    )


class DaysForm(forms.Form):
    """Which figure, as known on which two days."""

    as_of = _date("MRR at the end of")
    then = _date("as it was told on")
    now = _date("and is told on")
    policy = forms.ChoiceField(label="by", choices=_choices)


def _day(request: HttpRequest, name: str) -> date | None:
    given = request.GET.get(name, "").strip()
    if not given:
        return None
    try:
        found = parse_date(given)
    except ValueError:
        found = None
    if found is None:
        raise Invalid(f"'{given[:40]}' is not a day.", mend="Write it as 2024-09-30.")
    return found


def _policy(request: HttpRequest, book: Book) -> str:
    return policy_named(request.GET.get("policy", "") or book.policy).name


def _stated(request: HttpRequest, book: Book) -> int | None:
    """Return what another system's page shows, in minor units."""
    given = request.GET.get("stated", "").strip()
    return why.minor(given, book.currency) if given else None


def _difference(request: HttpRequest, book: Book) -> PolicyDifference:
    first, second = why.pair(book, request.GET.get("first", ""), request.GET.get("second", ""))
    return why.difference(book, first, second, _day(request, "on"))


def _restated(request: HttpRequest, book: Book) -> tuple[Restatement, date]:
    days = why_restated.days_of(book, _day(request, "then"), _day(request, "as_of"), _day(request, "now"))
    policy = _policy(request, book)
    return why_restated.restated(book, policy, days.then, days.as_of, days.now), days.as_of


def _committed(request: HttpRequest, book: Book) -> why.Committed:
    return why.committed(book, _policy(request, book), PAGE)


def _asked(request: HttpRequest, initial: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows: what was asked for, so that a slip can be mended where it was made."""
    return {**initial, **{name: value for name, value in request.GET.items() if value}}


def _frame(book: Book, title: str, about: str) -> dict[str, Any]:
    return {
        "page_title": title,
        "page_about": about,
        "crumbs": [
            {"title": "Revenue", "url": reverse("revenue")},
            {"title": book.name, "url": book.url()},
        ],
        "book": book,
        "currency": book.currency,
    }


def _place(request: HttpRequest) -> int:
    asked = request.GET.get("page", "")
    return max(int(asked), 1) if asked.isdecimal() and len(asked) < 7 else 1


def _rows(request: HttpRequest, book: Book, found: PolicyDifference | Restatement) -> dict[str, Any]:
    """Return a page of the movements that differ, and the way to the others."""
    number = _place(request)
    apart, customers = why.customers_apart(found, book.currency)
    customer = request.GET.get("customer", "")
    rows, total = why.rows_of(found, PAGE, PAGE * (number - 1), customer)
    kept = request.GET.copy()
    kept.pop("page", None)
    wide = kept.copy()
    wide.pop("customer", None)
    return {
        "customer": customer,
        "wide": f"{wide.urlencode()}&" if wide else "",
        "rows": [
            {
                **row,
                "before": amount(row["first"], book.currency),
                "after": amount(row["second"], book.currency),
                "difference": why_pictures.change(row["second"] - row["first"], book.currency),
                "because": why_pictures.said_parts(row["parts"], book.currency),
            }
            for row in rows
        ],
        "apart": [
            {
                "customer": one.customer,
                "difference": why_pictures.change(one.difference, book.currency),
                "because": why_pictures.said_parts(one.parts, book.currency),
            }
            for one in apart
        ],
        "customers": customers,
        "total": total,
        "start": PAGE * (number - 1) + 1,
        "end": PAGE * (number - 1) + len(rows),
        "earlier": number - 1 if number > 1 else None,
        "later": number + 1 if PAGE * number < total else None,
        "kept": f"{kept.urlencode()}&" if kept else "",
        "query": kept.urlencode(),
    }


def _drawn(request: HttpRequest, book: Book, name: str, made: Chart | None) -> dict[str, str] | None:
    """Return a picture at the addresses that repeat the page's question."""
    if made is None:
        return None
    kept = request.GET.copy()
    kept.pop("page", None)
    return pictured(made, f"{reverse('revenue-why-chart', args=[book.pk, name, 'FORM'])}?{kept.urlencode()}")


@signed_in
def page(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show why MRR by one policy is not MRR by another."""
    book = queries.book(actor(request), key)
    shown = _frame(
        book,
        "Why it is not the same by other rules",
        "Every cent between two policies, by the rule behind it.",
    )
    initial = {"first": book.policy, "second": why.pair(book)[1], "on": book.through}
    try:
        found, stated = _difference(request, book), _stated(request, book)
        initial = {"first": found.first_policy, "second": found.second_policy, "on": found.on}
        shown |= {
            "found": found,
            "first_name": why_pictures.named(found.first_policy),
            "second_name": why_pictures.named(found.second_policy),
            "sentence": why_pictures.sentence(found, book.currency, stated),
            "chart": _drawn(request, book, "why", why_pictures.bridge(found, book.currency, stated)),
            "knobs": why_pictures.knobs(found, book.currency),
            **_rows(request, book, found),
        }
    except Problem as problem:
        shown["problem"] = problem
    return render(
        request, "revenue/why.html", {**shown, "form": PoliciesForm(initial=_asked(request, initial))}
    )


@signed_in
def restated(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show what was said of MRR on one day, what is known on another, and why they differ."""
    book = queries.book(actor(request), key)
    shown = _frame(
        book,
        "What was said then",
        "What MRR was said to be on a day, what is known of it now, and why they differ.",
    )
    initial: dict[str, Any] = {"policy": book.policy}
    try:
        found, as_of = _restated(request, book)
        initial = {"then": found.known_then, "now": found.known_now, "as_of": as_of, "policy": found.policy}
        shown |= {
            "found": found,
            "as_of": as_of,
            "sentence": why_pictures.restated_sentence(found, book.currency, as_of),
            "chart": _drawn(request, book, "restated", why_pictures.restated_bridge(found, book.currency)),
            "causes": [
                {"cause": cause, "customers": customers, "said": why_pictures.change(cents, book.currency)}
                for cause, customers, cents in why_restated.causes(found, book.currency)
            ],
            **_rows(request, book, found),
        }
    except Problem as problem:
        shown["problem"] = problem
    return render(
        request, "revenue/restated.html", {**shown, "form": DaysForm(initial=_asked(request, initial))}
    )


@signed_in
def committed(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show MRR with and without what was canceled and still runs, and who leaves when."""
    book = queries.book(actor(request), key)
    shown = _frame(book, "Committed MRR", "What is billed now, and what of it was canceled and still runs.")
    shown["policies"] = _choices()
    try:
        found = _committed(request, book)
        shown |= {
            "found": found,
            "policy": _policy(request, book),
            "sentence": why_pictures.committed_sentence(found, book.currency),
            "chart": _drawn(request, book, "committed", why_pictures.committed_bridge(found, book.currency)),
            "leaving": [
                {
                    "customer": one.customer,
                    "current": amount(one.current, book.currency),
                    "committed": amount(one.committed, book.currency),
                    "ends": one.ends,
                }
                for one in found.leaving
            ],
        }
    except Problem as problem:
        shown["problem"] = problem
    return render(request, "revenue/committed.html", shown)


@signed_in
def chart(request: HttpRequest, key: UUID, name: str, form: str) -> HttpResponse:
    """Serve the picture of one of these pages; it takes the page's own parameters."""
    book = queries.book(actor(request), key)
    made: Chart | None = None
    if name == "why":
        made = why_pictures.bridge(_difference(request, book), book.currency, _stated(request, book))
    elif name == "restated":
        made = why_pictures.restated_bridge(_restated(request, book)[0], book.currency)
    elif name == "committed":
        made = why_pictures.committed_bridge(_committed(request, book), book.currency)
    return served(request, made, form)


def _as_csv(found: PolicyDifference | Restatement, name: str) -> HttpResponseBase:
    """Return every movement that differs, in minor units, as a file that no spreadsheet takes for formulas."""
    names = found.table.column_names

    def rows() -> Iterator[list[Any]]:
        for batch in found.table.to_batches(max_chunksize=5_000):
            yield from ([row[column] for column in names] for row in batch.to_pylist())

    response = StreamingHttpResponse(csv_lines(names, rows()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@signed_in
def as_csv(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Serve all movements that differ between two policies."""
    found = _difference(request, queries.book(actor(request), key))
    return _as_csv(found, f"{found.first_policy}-{found.second_policy}-{found.on}.csv")


@signed_in
def restated_csv(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Serve all movements that two days tell differently."""
    found, as_of = _restated(request, queries.book(actor(request), key))
    return _as_csv(found, f"restated-{as_of}.csv")


urlpatterns = [
    path("revenue/<uuid:key>/why", page, name="revenue-why"),
    path("revenue/<uuid:key>/why.csv", as_csv, name="revenue-why-csv"),
    path("revenue/<uuid:key>/restated", restated, name="revenue-restated"),
    path("revenue/<uuid:key>/restated.csv", restated_csv, name="revenue-restated-csv"),
    path("revenue/<uuid:key>/committed", committed, name="revenue-committed"),
    path("revenue/<uuid:key>/difference/<slug:name>.<str:form>", chart, name="revenue-why-chart"),
]
