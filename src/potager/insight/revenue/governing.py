"""The governed metrics of a book, published as YAML over the months it wrote, by its own policy."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from potager.ground.access.actors import Actor
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.models import Direction, Metric, Source
from potager.insight.revenue.models import Book
from potager.insight.revenue.money import minor_in
from potager.insight.revenue.writing import quoted

NAMESPACE = "revenue"
COUNTED = {"paying_customers": "customers"}
LOSSES = ("contraction_mrr", "churned_mrr")


def publish(actor: Actor, book: Book) -> Source:
    """Publish the metrics of a book, with unit and direction. The same definitions again make no new version."""
    source = metrics.publish(
        actor=actor,
        name=f"revenue_{_slug(book)}.yml",
        namespace=NAMESPACE,
        text=definitions(book),
        note=f"Written for {book.name}, by the policy {book.policy}.",
    )
    # What people have said of a metric since stays as they said it.
    for metric in Metric.objects.filter(source=source, archived_at=None, unit=""):
        name = metric.name.removeprefix(prefix(book))
        metrics.govern(
            actor=actor,
            metric=metric,
            values={
                "unit": COUNTED.get(name, book.currency),
                "direction": Direction.DOWN if name in LOSSES else Direction.UP,
            },
        )
    return source


def prefix(book: Book) -> str:
    """Return nothing for the first book; later ones have their name before each metric's."""
    first = Book.objects.filter(archived_at=None).order_by("created_at", "pk").first()
    return "" if first is None or first.pk == book.pk else f"{_slug(book)}_"


def _slug(book: Book) -> str:
    found = re.sub(r"[^a-z0-9]+", "_", book.name.lower()).strip("_")
    return found if found[:1].isalpha() else f"book_{found or book.pk.hex[:8]}"


def definitions(book: Book) -> str:
    """Return the definitions in dbt's YAML: the template of this context, filled in for the book."""
    own = f"CASE WHEN book = {quoted(book.name)} AND policy = {quoted(book.policy)}"
    said = {
        "NAME": " ".join(book.name.split()),
        "PREFIX": prefix(book),
        "CURRENCY": book.currency,
        "POLICY": book.policy,
    }
    text = (files(__package__) / "metrics.yml").read_text(encoding="utf-8")
    for name, value in said.items():
        text = text.replace(f"__{name}__", value)

    def amount(match: re.Match[str]) -> str:
        # JSON's strings are YAML's.
        return json.dumps(f"{own} THEN ({match[1]}) / {minor_in(book.currency)}.0 END", ensure_ascii=False)

    def counted(match: re.Match[str]) -> str:
        return json.dumps(f"{own} AND {match[1]} THEN customer END", ensure_ascii=False)

    text = re.sub(r"__AMOUNT\((.*?)\)__", amount, text)
    return re.sub(r"__CUSTOMER\((.*?)\)__", counted, text)
