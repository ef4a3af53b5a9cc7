"""Small worlds with planted effects: an app with accounts in eight countries, and California's cigarettes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from potager.ground.access.actors import Actor
from potager.ground.lake.service import lake
from potager.insight.impact import actions as impact
from potager.insight.impact.models import Bet
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.models import Metric

FIRST, LAUNCH, LAST = date(2024, 1, 1), date(2024, 7, 1), date(2024, 12, 29)
COUNTRIES = ("AT", "CH", "DE", "DK", "ES", "FR", "IT", "NL", "PL", "PT", "SE", "UK")
ACCOUNTS = 1_200
PLANTED = 1.5
"""Euros more per treated account and week."""
APP = """\
semantic_models:
  - name: orders
    model: ref('orders')
    defaults: {agg_time_dimension: ordered_on}
    primary_entity: order_line
    entities:
      - {name: account, type: foreign, expr: account}
    dimensions:
      - {name: ordered_on, type: time, type_params: {time_granularity: day}}
      - {name: country, type: categorical}
      - {name: arm, type: categorical}
    measures:
      - {name: revenue, agg: sum, expr: amount}
      - {name: orders, agg: sum, expr: orders}
      - {name: returns, agg: sum, expr: returned}
metrics:
  - {name: revenue, label: Revenue, type: simple, type_params: {measure: revenue}}
  - {name: orders, label: Orders, type: simple, type_params: {measure: orders}}
  - {name: returns, label: Returns, type: simple, type_params: {measure: returns}}
  - {name: order_value, label: Order value, type: ratio, type_params: {numerator: revenue, denominator: orders}}
  - {name: return_share, label: Return share, type: ratio, type_params: {numerator: returns, denominator: orders}}
"""


def orders(seed: int, *, planted: float = PLANTED, treated: str = "account") -> tuple[pa.Table, pa.Table]:
    """Return a row per account and week, and who was assigned: from the launch on the treated spend more."""
    random = np.random.default_rng(seed)
    weeks = (LAST - FIRST).days // 7 + 1
    level = random.gamma(8.0, 2.0, ACCOUNTS)
    country = random.integers(0, len(COUNTRIES), ACCOUNTS)
    arm = random.random(ACCOUNTS) < 0.5
    got = arm if treated == "account" else np.isin(country, [2])
    start = (LAUNCH - FIRST).days // 7
    shape = (ACCOUNTS, weeks)
    amount = level[:, None] + random.normal(0.0, 3.0, shape)
    amount += planted * (got[:, None] & (np.arange(weeks) >= start)[None, :])
    days = [FIRST + timedelta(days=7 * week + 6) for week in range(weeks)]
    count = random.integers(1, 4, shape)
    names = np.array([f"acct-{n:05}" for n in range(ACCOUNTS)])
    words = np.where(arm, "treatment", "control")
    table = pa.table(
        {
            "account": np.repeat(names, weeks),
            "country": np.repeat(np.array(COUNTRIES)[country], weeks),
            "arm": np.repeat(words, weeks),
            "ordered_on": pa.array(days * ACCOUNTS, type=pa.date32()),
            "amount": amount.ravel(),
            "orders": count.ravel(),
            "returned": (random.random(shape) < 0.1).astype(np.int64).ravel(),
        }
    )
    assigned = pa.table(
        {
            "experiment": ["guided"] * ACCOUNTS,
            "account": names,
            "arm": words,
            "assigned_on": pa.array([LAUNCH] * ACCOUNTS, type=pa.date32()),
        }
    )
    return table, assigned


@dataclass
class App:
    """The app and who owns it."""

    actor: Actor

    def metric(self, name: str) -> Metric:
        return Metric.objects.get(name=name)

    def register(self, **given: Any) -> Bet:
        """Register a bet on revenue, with what is given in place of the usual."""
        values: dict[str, Any] = {
            "key": "guided",
            "name": "Guided setup",
            "metric": "revenue",
            "unit": "account",
            "predicted": {"low": 0.5, "high": 3.0, "on": FIRST},
            "team": "Onboarding",
            "product": "App",
            "design": ASSIGNED,
            **given,
        }
        return impact.register_bet(actor=self.actor, values=values)

    def launched(self, **given: Any) -> Bet:
        """Register a bet and launch it."""
        return impact.launch(actor=self.actor, bet=self.register(**given), on=LAUNCH)


ASSIGNED = {
    "assignment": {"table": "app.assignments", "unit": "account", "on": "assigned_on",
                   "where": {"experiment": "guided"}},
}  # fmt: skip


def build_app(actor: Actor, seed: int = 1, **given: Any) -> App:
    """Put the app into the lake, publish its metrics and draw its tree."""
    table, assigned = orders(seed, **given)
    lake().overwrite("app.orders", table, load_id=f"orders-{seed}")
    lake().overwrite("app.assignments", assigned, load_id=f"assignments-{seed}")
    made = App(actor)
    metrics.publish(actor=actor, name="app.yml", namespace="app", text=APP)
    for name, values in {
        "revenue": {"unit": "EUR", "level": "strategic", "grain": "week"},
        "order_value": {"unit": "EUR", "grain": "week"},
        "orders": {"unit": "orders", "grain": "week"},
        "returns": {"unit": "returns", "grain": "week", "direction": "down"},
        "return_share": {"unit": "share", "grain": "week", "direction": "down"},
    }.items():
        metrics.govern(actor=actor, metric=made.metric(name), values=values)
    metrics.set_formula(actor=actor, metric=made.metric("revenue"), formula="orders * order_value")
    return made
