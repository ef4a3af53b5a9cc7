"""A lake of its own with a small shop in it: ninety days, two countries, sums anybody can do by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from potager.ground.access.actors import Actor
from potager.insight.metrics import actions
from potager.insight.metrics.models import Metric

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 20)
SHOP = """\
semantic_models:
  - name: sales
    model: ref('sales')
    defaults: {agg_time_dimension: sold_on}
    primary_entity: sale
    entities:
      - {name: buyer, type: foreign, expr: buyer}
    dimensions:
      - {name: sold_on, type: time, type_params: {time_granularity: day}}
      - {name: country, type: categorical}
    measures:
      - {name: revenue, agg: sum, expr: amount}
      - {name: lines, agg: sum, expr: '1'}
metrics:
  - name: revenue
    label: Revenue
    type: simple
    type_params: {measure: revenue}
    config: {meta: {synonyms: [turnover]}}
  - {name: lines, label: Order lines, type: simple, type_params: {measure: lines}}
  - {name: line_value, label: Line value, type: ratio, type_params: {numerator: revenue, denominator: lines}}
"""


def amount(day: date, number: int) -> float:
    """What the line ``number`` of a day is worth: a little more every month, Germany twice France."""
    return float(10 * day.month + day.weekday()) * (2 if number % 2 else 1)


def sales(first: date, last: date) -> pa.Table:
    """Ten lines a day, the odd ones in Germany."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [(day, number) for day in days for number in range(10)]
    return pa.table(
        {
            "sold_on": [day for day, _ in rows],
            "country": ["Germany" if number % 2 else "France" for _, number in rows],
            "buyer": [f"b{number}-{day.day % 14}" for day, number in rows],
            "amount": [amount(day, number) for day, number in rows],
        }
    )


def total(first: date, last: date, country: str = "") -> float:
    """The revenue of some days, added up the slow way."""
    whole = 0.0
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        for number in range(10):
            if not country or country == ("Germany" if number % 2 else "France"):
                whole += amount(day, number)
    return whole


@dataclass
class Shop:
    """The shop and who owns it."""

    actor: Actor

    def metric(self, name: str) -> Metric:
        return Metric.objects.get(name=name)

    def govern(self, name: str, **values: Any) -> None:
        actions.govern(actor=self.actor, metric=self.metric(name), values=values)

    def target(self, name: str, value: float, start: date, end: date, **values: Any) -> None:
        metric = self.metric(name)
        actions.set_target(actor=self.actor, metric=metric, value=value, start=start, end=end, **values)

    def append(self, first: date, last: date) -> None:
        from potager.ground.lake.service import lake

        lake().append("shop.sales", sales(first, last), load_id=f"{first}-{last}")

    def ask(self, recipe: str, as_of: date | None = LAST, **slots: Any) -> Any:
        from potager.insight.questions.actions import ask_once

        return ask_once(actor=self.actor, recipe=recipe, slots=slots, as_of=as_of)
