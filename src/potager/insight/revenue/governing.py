"""The governed metrics of a book, published as YAML over the months it wrote, by its own policy."""

from __future__ import annotations

import json
import re
from importlib.resources import files

from potager.ground.access.actors import Actor
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.models import Component, Direction, Level, Metric, Source
from potager.insight.revenue.models import Book
from potager.insight.revenue.writing import quoted
from potager.kit.currencies import minor_in

NAMESPACE = "revenue"
LOSSES = ("contraction_mrr", "churned_mrr", "mrr_lost", "customers_lost", "logo_churn")
SHARES = ("net_revenue_retention", "gross_revenue_retention", "logo_churn")
LEVELS = {
    Level.STRATEGIC: ("mrr", "arr", "net_revenue_retention"),
    Level.DRIVER: (
        "net_new_mrr",
        "gross_revenue_retention",
        "paying_customers",
        "arpa",
        "logo_churn",
        "quick_ratio",
    ),
    Level.INPUT: ("new_mrr", "expansion_mrr", "reactivation_mrr", "contraction_mrr", "churned_mrr"),
}
# The arithmetic by which they hang together, checked against the data like any formula.
FORMULAS = {
    "arr": "{p}mrr * 12",
    "mrr": "{p}paying_customers * {p}arpa",
    "net_new_mrr": "{p}mrr_gained - {p}mrr_lost",
    "mrr_gained": "{p}new_mrr + {p}expansion_mrr + {p}reactivation_mrr",
    "mrr_lost": "{p}contraction_mrr + {p}churned_mrr",
    "net_revenue_retention": "{p}year_held_mrr / {p}year_start_mrr",
    "gross_revenue_retention": "{p}year_kept_mrr / {p}year_start_mrr",
    "logo_churn": "{p}customers_lost / {p}customers_at_start",
    "quick_ratio": "{p}mrr_gained / {p}mrr_lost",
}


def publish(actor: Actor, book: Book) -> Source:
    """Publish the metrics of a book with unit, direction, level and arithmetic. The same again makes no new version."""
    source = metrics.publish(
        actor=actor,
        name=f"revenue_{_slug(book)}.yml",
        namespace=NAMESPACE,
        text=definitions(book),
        note=f"Written for {book.name}, by the policy {book.policy}.",
    )
    known = {
        metric.name.removeprefix(prefix(book)): metric
        for metric in Metric.objects.filter(source=source, archived_at=None)
    }
    # What people have said of a metric since stays as they said it.
    for name, metric in known.items():
        if not metric.unit:
            metrics.govern(actor=actor, metric=metric, values=_governed(name, book))
    drawn = set(Component.objects.filter(metric__in=known.values()).values_list("metric_id", flat=True))
    for name, formula in FORMULAS.items():
        if known[name].pk not in drawn:
            metrics.set_formula(actor=actor, metric=known[name], formula=formula.format(p=prefix(book)))
    return source


def _governed(name: str, book: Book) -> dict[str, str]:
    unit = book.currency
    if name in SHARES:
        unit = "share"
    elif "customers" in name:
        unit = "customers"
    elif "ratio" in name:
        unit = "times"
    level = next((level for level, names in LEVELS.items() if name in names), Level.OPERATIONAL)
    return {"unit": unit, "direction": Direction.DOWN if name in LOSSES else Direction.UP, "level": level}


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
