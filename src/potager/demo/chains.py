"""What stands around Harbor's metrics: its customers, what they do, and what its teams bet on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files

import yaml

from potager.ground.access.actors import Actor
from potager.ground.jobs.work import run_job
from potager.insight.customers import actions as customers
from potager.insight.impact import actions as impact
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.periods import period_of
from potager.insight.metrics.queries import metrics as metrics_of
from potager.insight.metrics.reading import value
from potager.insight.revenue import actions as revenue
from potager.insight.usage import actions as usage
from potager.kit.errors import Unavailable

Says = Callable[[str], None]
MRR_GROWS = 1.8  # a year, as Harbor's leaders would have it
_DAYS = re.compile(r"\{days_(\d+)\}")


def customers_of_harbor(actor: Actor, says: Says) -> None:
    """Bring Harbor's accounts in as customers."""
    says("Bringing 8,000 accounts in as customers …")
    mapping = {
        "key": "account_id", "name": "name", "plan": "plan", "segment": "size_band",
        "traits": {name: name for name in ("industry", "country", "region", "channel")},
    }  # fmt: skip
    sync = customers.sync_accounts(actor=actor, table="harbor.accounts", mapping=mapping)
    run_job.call(str(sync.job_id))
    sync.refresh_from_db()
    if sync.state != "done":
        raise Unavailable(sync.note, mend="Build the demonstration again in an empty data folder.")


def revenue_of_harbor(actor: Actor, through: date, says: Says) -> None:
    """Count the revenue of Harbor's plans at its simulated exchange rates, publish its metrics, and set targets."""
    says("Counting what plans bring, other currencies at simulated rates …")
    book = revenue.describe_book(
        actor=actor,
        values={
            "name": "Plans",
            "terms_table": "harbor.terms",
            "rates_table": "harbor.rates",
            "currency": "EUR",
            "policy": "stripe",
            "compared": ["chartmogul"],
        },
    )
    job = revenue.load_book(actor=actor, book=book)
    run_job.call(str(job.pk))
    book.refresh_from_db()
    revenue.publish_metrics(actor=actor, book=book)
    known = {metric.name: metric for metric in metrics_of(actor)}
    running = period_of(through, "month")
    for month in (running.previous(), running):
        before, _ = value(known["mrr"], month.year_before())
        for name, goal in (("mrr", float(f"{before * MRR_GROWS:.2g}")), ("net_revenue_retention", 1.02)):
            metrics.set_target(
                actor=actor, metric=known[name], value=goal, low=goal * 0.95, start=month.start, end=month.end
            )


def usage_of_harbor(actor: Actor, says: Says) -> None:
    """Describe Harbor's events, and publish the metrics of their use."""
    says("Describing what people do …")
    stream = usage.describe_stream(
        actor=actor,
        values={
            "name": "Harbor's app",
            "table": "harbor.events",
            "person": "user_id",
            "account": "account_id",
            "event": "event",
            "time": "occurred_at",
            "properties": ["platform", "app_version"],
            "accounts_table": "harbor.accounts",
            "accounts_key": "account_id",
            "revenue_table": "revenue.months",
            "book": "Plans",
            "policy": "stripe",
        },
    )
    usage.publish_metrics(actor=actor, stream=stream)
    usage.propose_influences(actor=actor, stream=stream)


def bets_of_harbor(actor: Actor, through: date, says: Says) -> None:
    """Register, launch and observe Harbor's bets, as they would have been on their days."""
    text = files("potager.demo").joinpath("harbor", "bets.yml").read_text("utf-8")
    dated = _DAYS.sub(lambda found: (through - timedelta(days=int(found[1]) - 1)).isoformat(), text)
    bets = yaml.safe_load(dated)
    says(f"Looking at what {len(bets)} bets did …")
    impact.load_bets(actor=actor, bets=bets)
