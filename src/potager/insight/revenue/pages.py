"""Revenue, as pages: the books, a book's form, and a book's page, which answers first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from potager.engines.finance.movements import KINDS
from potager.ground.access.actors import Actor, may, require
from potager.ground.jobs.pages import shape as job_shape
from potager.ground.lake.service import warehouse
from potager.ground.links.margin import margin
from potager.ground.serving.pictures import check_form, pictured, served
from potager.ground.serving.rendering import Command, NavItem, problems_on, render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.revenue import (
    actions,
    buyers_pages,
    outlook_pages,
    pictures,
    queries,
    readings,
    why_pages,
)
from potager.insight.revenue.downloads import rejected_lines
from potager.insight.revenue.forms import BookForm
from potager.insight.revenue.models import Book
from potager.kit.charts.chart import Chart
from potager.kit.currencies import amount
from potager.kit.errors import Problem

PAGE = 25
nav = (NavItem("Revenue", "revenue", "revenue", "revenue.read"),)
commands = (
    Command("See recurring revenue", "revenue", "revenue.read", "MRR, ARR, churn, NRR"),
    Command("Describe a book of revenue", "revenue-book-new", "revenue.edit"),
    *buyers_pages.commands,
)


def _sentence(book: Book) -> str:
    if book.loaded_at is None:
        return f"{book.name} was not loaded yet."
    return pictures.sentence(readings.months(book, book.policy, 1)[0])


@signed_in
def listing(request: HttpRequest) -> HttpResponse:
    """Show the books, each with its answer."""
    who = actor(request)
    cards = []
    for book in queries.books(who):
        try:
            cards.append({"book": book, "sentence": _sentence(book)})
        except Problem as problem:
            cards.append({"book": book, "problem": f"{problem.detail} {problem.mend}"})
    shown = {
        "page_title": "Revenue",
        "page_about": "What customers pay each month, how it moved, and by whose rules it is counted.",
        "cards": cards,
        "edits": may(who, "revenue.edit"),
        "unread": queries.tables_without_a_book(who),
    }
    return render(request, "revenue/home.html", shown)


def _trail(book: Book | None = None) -> list[dict[str, str]]:
    trail = [{"title": "Revenue", "url": reverse("revenue")}]
    return trail + ([{"title": book.name, "url": book.url()}] if book else [])


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """Describe a book."""
    require(actor(request), "revenue.edit")
    return _form(request, None)


@signed_in
def edit(request: HttpRequest, key: UUID) -> HttpResponse:
    """Change a book."""
    book = queries.book(actor(request), key)
    require(actor(request), "revenue.edit", book)
    return _form(request, book)


def _form(request: HttpRequest, book: Book | None) -> HttpResponse:
    who = actor(request)
    initial = {name: getattr(book, name) for name in actions.WRITTEN} if book else {}
    if book is None and request.GET.get("table"):
        table = request.GET["table"]
        rates = f"{table.partition('.')[0]}.rates"
        initial = {"terms_table": table, "rates_table": rates if rates in warehouse().tables() else ""}
    if book:
        initial["columns"] = "\n".join(f"{ours} = {theirs}" for ours, theirs in book.columns.items())
    form = BookForm(request.POST or None, initial=initial, tables=warehouse().tables())
    if form.is_valid():
        try:
            if book is None:
                made = actions.describe_book(actor=who, values=form.values())
            else:
                made = actions.change_book(actor=who, book=book, values=form.values())
        except Problem as problem:
            problems_on(form, problem)
        else:
            return redirect(made.url())
    shown = {
        "page_title": f"How {book.name} is counted" if book else "Describe a book of revenue",
        "crumbs": _trail(book),
        "form": form,
        "cancel_url": book.url() if book else reverse("revenue"),
    }
    return render(request, "form.html", shown, status=422 if form.errors else 200)


@signed_in
def one(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one book: the answer, how the last month moved, ratios, cohorts, movements."""
    who = actor(request)
    book = queries.book(who, key)
    shown: dict[str, Any] = {
        "page_title": book.name,
        "crumbs": [_trail()[0]],
        "book": book,
        "edits": may(who, "revenue.edit"),
        "loads": may(who, "revenue.load"),
        "job": job_shape(book.job) if book.job and book.loading else None,
        "policies": book.policies,
        **margin(who, book),
    }
    if book.loaded_at is not None:
        try:
            policy = queries.policy_of(book, request.GET.get("policy", ""))
            shown |= _told(request, book, policy)
        except Problem as problem:
            shown["problem"] = problem
    return render(request, "revenue/book.html", shown)


def _told(request: HttpRequest, book: Book, policy: str) -> dict[str, Any]:
    asked = request.GET.get("page", "")
    number = max(int(asked), 1) if asked.isdecimal() and len(asked) < 7 else 1
    kind = request.GET.get("kind", queries.MOVED)
    rows, total = queries.movements(
        book,
        policy,
        customer=request.GET.get("customer", ""),
        kind=kind,
        limit=PAGE,
        offset=PAGE * (number - 1),
    )
    months = readings.months(book, policy)
    made = {"waterfall": pictures.waterfall_of(months[-1]), "series": pictures.series_of(months)}
    made["cohorts"] = pictures.cohorts_of(readings.cohorts(book, policy))
    kept = request.GET.copy()
    kept.pop("page", None)
    return {
        "policy": policy,
        "sentence": pictures.sentence(months[-1]),
        "charts": [_drawn(book, policy, name, chart) for name, chart in made.items() if chart is not None],
        "ratios": pictures.said_ratios(readings.ratios(book, policy)),
        "since": months[0].starts,
        "rows": [{**row, "amount": amount(row["cents"], row["currency"])} for row in rows],
        "total": total,
        "first": PAGE * (number - 1) + 1,
        "last": PAGE * (number - 1) + len(rows),
        "earlier": number - 1 if number > 1 else None,
        "later": number + 1 if PAGE * number < total else None,
        "kept": f"{kept.urlencode()}&" if kept else "",
        "kinds": KINDS,
        "kind": kind,
        "customer": request.GET.get("customer", ""),
    }


def _drawn(book: Book, policy: str, name: str, made: Chart | None) -> dict[str, str] | None:
    return pictured(made, f"{reverse('revenue-chart', args=[book.pk, name, 'FORM'])}?policy={policy}")


@signed_in
def chart(request: HttpRequest, key: UUID, name: str, form: str) -> HttpResponse:
    """Serve a picture of a book."""
    check_form(form)
    book = queries.book(actor(request), key)
    policy = queries.policy_of(book, request.GET.get("policy", ""))
    match name:
        case "waterfall":
            made = pictures.waterfall_of(readings.months(book, policy, 1)[0])
        case "series":
            made = pictures.series_of(readings.months(book, policy))
        case "cohorts":
            made = pictures.cohorts_of(readings.cohorts(book, policy))
        case _:
            made = None
    return served(request, made, form)


@signed_in
def load(request: HttpRequest, key: UUID) -> HttpResponse:
    """Load a book, in the background."""
    who = actor(request)
    book = queries.book(who, key)
    if request.method == "POST":
        try:
            return redirect(actions.load_book(actor=who, book=book).url())
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.mend}")
    return redirect(book.url())


@signed_in
def publish(request: HttpRequest, key: UUID) -> HttpResponse:
    """Publish the governed metrics of a book."""
    who = actor(request)
    book = queries.book(who, key)
    if request.method == "POST":
        try:
            made = actions.publish_metrics(actor=who, book=book)
        except Problem as problem:
            messages.error(request, f"{problem.detail} {problem.mend}")
        else:
            messages.success(request, f"Published as version {made.number} of {made.name}.")
            return redirect(made.url())
    return redirect(book.url())


@signed_in
def archive(request: HttpRequest, key: UUID) -> HttpResponse:
    """Put a book away."""
    who = actor(request)
    book = queries.book(who, key)
    if request.method == "POST":
        actions.archive_book(actor=who, book=book)
        messages.success(request, f"{book.name} was put away; what it wrote stays.")
        return redirect("revenue")
    return redirect(book.url())


@signed_in
def rejected(request: HttpRequest, key: UUID) -> HttpResponseBase:
    """Serve what the last load set aside."""
    lines = rejected_lines(queries.book(actor(request), key))
    disposition = {"Content-Disposition": 'attachment; filename="set-aside.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=disposition)


def alive(who: Actor) -> list[dict[str, Any]]:
    """Return what home shows of revenue: a line a book."""
    lines = []
    for book in queries.books(who)[:3]:
        try:
            said = _sentence(book)
        except Problem as problem:
            said = f"{book.name}: {problem.detail}"
        lines.append(
            {"context": "Revenue", "context_url": reverse("revenue"), "text": said, "url": book.url()}
        )
    return lines


urlpatterns = [
    path("revenue/", listing, name="revenue"),
    path("revenue/new", new, name="revenue-book-new"),
    path("revenue/<uuid:key>", one, name="revenue-book"),
    path("revenue/<uuid:key>/edit", edit, name="revenue-book-edit"),
    path("revenue/<uuid:key>/load", load, name="revenue-book-load"),
    path("revenue/<uuid:key>/metrics", publish, name="revenue-book-metrics"),
    path("revenue/<uuid:key>/archive", archive, name="revenue-book-archive"),
    path("revenue/<uuid:key>/rejected.csv", rejected, name="revenue-book-rejected"),
    path("revenue/<uuid:key>/<slug:name>/chart.<str:form>", chart, name="revenue-chart"),
]
urlpatterns += outlook_pages.urlpatterns + buyers_pages.urlpatterns
urlpatterns += why_pages.urlpatterns
