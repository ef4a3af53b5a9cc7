"""Describing books of revenue, loading them, publishing what they measure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.jobs.models import Job
from potager.ground.jobs.work import enqueue
from potager.ground.lake.service import warehouse
from potager.ground.records.checks import keep
from potager.insight.metrics.models import Source
from potager.insight.revenue import governing
from potager.insight.revenue.columns import NAMES, missing
from potager.insight.revenue.models import Book, LoadState
from potager.kit.clock import now
from potager.kit.errors import Conflict, FieldProblem, Invalid

LOAD = "revenue.load"
WRITTEN = ("name", "terms_table", "columns", "rates_table", "currency", "policy", "compared")
RATES = ("day", "currency", "rate")


@action("revenue.edit")
def describe_book(*, actor: Actor, values: Mapping[str, Any]) -> Book:
    """Say which table of the lake holds subscription terms, and how they are counted."""
    return _written(Book(owner_id=actor.user_id), values)


@action("revenue.edit", on="book")
def change_book(*, actor: Actor, book: Book, values: Mapping[str, Any]) -> Book:
    """Change a book: its tables, currency or policies. Load it again for the figures to follow."""
    if book.loaded_at and values.get("name", book.name) != book.name:
        sentence = f"{book.name} was loaded: tables and metrics know it by that name."
        mend = "Keep the name, or describe another book."
        raise Conflict(sentence, mend=mend, errors=[FieldProblem("name", sentence, mend)])
    return _written(book, values)


@action("revenue.edit", on="book")
def archive_book(*, actor: Actor, book: Book) -> Book:
    """Put a book away. What it wrote stays in the lake."""
    book.archived_at = now()
    return keep(book)


def _written(book: Book, values: Mapping[str, Any]) -> Book:
    unknown = sorted(set(values) - set(WRITTEN))
    if unknown:
        problems = [FieldProblem(name, f"A book has no field {name}.") for name in unknown]
        raise Invalid(problems[0].problem, mend=f"It has {', '.join(WRITTEN)}.", errors=problems)
    for name, value in values.items():
        setattr(book, name, value)
    problems = list(_missing(book))
    if problems:
        sentence = " ".join(problem.problem for problem in problems)
        raise Invalid(sentence, mend=problems[0].mend, errors=problems)
    return keep(book)


def _missing(book: Book) -> Iterable[FieldProblem]:
    """Yield what the book names and the lake does not have."""
    tables = warehouse().tables()
    for what in ("terms_table", "rates_table"):
        table = getattr(book, what)
        if not table:
            continue
        if table not in tables:
            yield FieldProblem(what, f"There is no table {table} in the lake.", "Import its data first.")
            continue
        names = tables[table].schema.names
        if what == "terms_table":
            yield from _unknown_columns(book, names)
            absent = missing(names, book.columns)
            mend = "Say which column it is, as in customer = client_id."
        else:
            absent, mend = [name for name in RATES if name not in names], f"It needs {', '.join(RATES)}."
        if absent:
            yield FieldProblem(what, f"{table} has no column {', '.join(absent)}.", mend)


def _unknown_columns(book: Book, names: Collection[str]) -> Iterable[FieldProblem]:
    """Yield what the book says of columns that are none."""
    for ours, theirs in book.columns.items():
        if ours not in NAMES:
            yield FieldProblem("columns", f"Terms have no {ours[:60]}.", f"They have {', '.join(NAMES)}.")
        elif theirs not in names:
            sentence = f"{book.terms_table} has no column {str(theirs)[:60]}."
            yield FieldProblem("columns", sentence, f"It has {', '.join(names)}.")


@action("revenue.load", on="book")
def load_book(*, actor: Actor, book: Book) -> Job:
    """Count a book anew from its tables as they are now, in the background."""
    if book.loading:
        raise Conflict(f"{book.name} is being loaded.", mend="Wait for it to end, or cancel its job.")
    problems = list(_missing(book))
    if problems:
        raise Invalid(problems[0].problem, mend=problems[0].mend, errors=problems)
    job = enqueue(actor, LOAD, f"Loading {book.name}", book_id=str(book.pk))
    Book.objects.filter(pk=book.pk).update(job=job)
    return job


@action("revenue.load", on="book")
def end_load(*, actor: Actor, book: Book, state: LoadState, outcome: Mapping[str, Any]) -> Book:
    """Keep what came of a load."""
    book.state = state
    for name, value in outcome.items():
        setattr(book, name, value)
    return keep(book)


@action("revenue.edit", on="book")
def publish_metrics(*, actor: Actor, book: Book) -> Source:
    """Publish the governed metrics of a book, by its own policy: MRR, its movements, customers, ARPA."""
    if book.loaded_at is None:
        raise Conflict(
            f"{book.name} was not loaded yet, so there is nothing to measure.", mend="Load it first."
        )
    return governing.publish(actor, book)
