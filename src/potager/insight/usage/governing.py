"""The governed metrics of a stream: published as YAML over its own tables, and what they are believed to move."""

from __future__ import annotations

import json
import re

from potager.ground.access.actors import Actor
from potager.insight.metrics import actions as metrics
from potager.insight.metrics.edges import examine
from potager.insight.metrics.models import Influence, Source
from potager.insight.metrics.queries import influences
from potager.insight.metrics.queries import metrics as all_metrics
from potager.insight.usage.healthmaking import AT_RISK, HEALTHY
from potager.insight.usage.models import Made, Stream
from potager.insight.usage.running import identifier, literal
from potager.kit.errors import Conflict

# What usage is believed to move, by the names that revenue publishes: driver, outcome, sign, why.
BELIEVED = (
    ("account_health", "logo_churn", -1, "Accounts that are used less are left sooner."),
    ("account_health", "net_revenue_retention", 1, "Accounts that are used more stay and grow."),
    ("weekly_active_people", "expansion_mrr", 1, "More people in an account are more seats."),
    ("weekly_active_accounts", "mrr", 1, "Accounts that use it keep paying."),
    ("stickiness", "gross_revenue_retention", 1, "Habit keeps accounts."),
)


def publish(actor: Actor, stream: Stream) -> Source:
    """Publish a stream's metrics, and those of its accounts' health where that was computed."""
    namespace = stream.table.partition(".")[0]
    made = metrics.publish(
        actor=actor,
        name=f"usage_{_slug(stream)}.yml",
        namespace=namespace,
        text=events_yaml(stream),
        note=f"Written for {stream.name}.",
    )
    if Made.objects.filter(stream=stream).exists():
        metrics.publish(
            actor=actor,
            name=f"usage_health_{_slug(stream)}.yml",
            namespace="usage",
            text=health_yaml(stream),
            note=f"Written for {stream.name}.",
        )
    return made


def _slug(stream: Stream) -> str:
    return re.sub(r"[^a-z0-9]+", "_", stream.table.lower())


def _prefix(stream: Stream) -> str:
    """Return nothing for the first stream; later ones have their table's name before each metric's."""
    first = Stream.objects.filter(archived_at=None).order_by("created_at", "pk").first()
    return "" if first is None or first.pk == stream.pk else f"{_slug(stream)}_"


def _quoted(text: str) -> str:
    # JSON's strings are YAML's.
    return json.dumps(text, ensure_ascii=False)


def events_yaml(stream: Stream) -> str:
    """Return the definitions over a stream's events: active people by day, week and month, and stickiness."""
    prefix, table = _prefix(stream), stream.table.partition(".")[2]
    person = identifier(stream.person)
    active = person
    if stream.active_event and stream.event:
        active = f"CASE WHEN {identifier(stream.event)} = {literal(stream.active_event)} THEN {person} END"
    means = f"did {stream.active_event}" if stream.active_event else "did anything"
    lines = [
        f"# The usage metrics of {stream.name}. Written from its description: change that, and publish again.",
        "semantic_models:",
        f"  - name: {prefix}usage_events",
        f"    description: {_quoted(f'One row per thing done, as {stream.name} describes it.')}",
        f"    model: ref('{table}')",
        "    defaults: {agg_time_dimension: done_at}",
        f"    primary_entity: {prefix}usage_event",
        "    dimensions:",
        f"      - {{name: done_at, type: time, expr: {_quoted(identifier(stream.time))},"
        " type_params: {time_granularity: day}}",
    ]
    if stream.event:
        lines.append(
            "      - {name: done, type: categorical, label: What was done,"
            f" expr: {_quoted(identifier(stream.event))}}}"
        )
    lines += [
        "    measures:",
        f"      - {{name: {prefix}active_people, agg: count_distinct, expr: {_quoted(active)}}}",
    ]
    if stream.account:
        account = active.replace(person, identifier(stream.account))
        lines.append(
            f"      - {{name: {prefix}active_usage_accounts, agg: count_distinct, expr: {_quoted(account)}}}"
        )
    lines.append("metrics:")
    for days, word, label in ((1, "daily", "day"), (7, "weekly", "7 days"), (28, "monthly", "28 days")):
        lines += _cumulative(
            f"{prefix}{word}_active_people",
            f"{word.capitalize()} active people",
            f"{prefix}active_people",
            days,
            f"People who {means} in the {label} up to a day.",
            {1: "DAU", 7: "WAU", 28: "MAU"}[days],
        )
        if stream.account and days == 7:
            lines += _cumulative(
                f"{prefix}weekly_active_accounts",
                "Weekly active accounts",
                f"{prefix}active_usage_accounts",
                7,
                f"Accounts in which anybody {means} in the 7 days up to a day.",
                "weekly active customers",
            )
    lines += [
        f"  - name: {prefix}stickiness",
        "    label: Stickiness",
        "    description: Of the people active in 28 days, the share who are active on a day.",
        "    type: ratio",
        f"    type_params: {{numerator: {prefix}daily_active_people, denominator: {prefix}monthly_active_people}}",
        "    config: {meta: {synonyms: [DAU/MAU]}}",
    ]
    return "\n".join(lines) + "\n"


def _cumulative(name: str, label: str, measure: str, days: int, description: str, synonym: str) -> list[str]:
    return [
        f"  - name: {name}",
        f"    label: {label}",
        f"    description: {_quoted(description)}",
        "    type: cumulative",
        "    type_params:",
        f"      measure: {measure}",
        f"      cumulative_type_params: {{window: {days} days, period_agg: {'average' if days == 1 else 'last'}}}",
        f"    config: {{meta: {{synonyms: [{synonym}]}}}}",
    ]


def health_yaml(stream: Stream) -> str:
    """Return the definitions over the table of the accounts' health."""
    prefix = _prefix(stream)
    own = f"WHEN stream = {literal(str(stream.pk))}"
    lines = [
        f"# The health of the accounts of {stream.name}: how the score is made is said on the stream's page.",
        "semantic_models:",
        f"  - name: {prefix}account_health",
        "    description: One row per account and week; a score from 0 to 100.",
        "    model: ref('health')",
        "    defaults: {agg_time_dimension: scored_on}",
        f"    primary_entity: {prefix}account_week",
        "    entities:",
        "      - {name: account, type: foreign, expr: account}",
        "    dimensions:",
        "      - {name: scored_on, type: time, expr: day, type_params: {time_granularity: day}}",
        "    measures:",
        f"      - {{name: {prefix}health_score, agg: average, expr: {_quoted(f'CASE {own} THEN score END')}}}",
        f"      - {{name: {prefix}scored_weeks, agg: sum, expr: {_quoted(f'CASE {own} THEN 1 ELSE 0 END')}}}",
        f"      - {{name: {prefix}healthy_weeks, agg: sum, expr: "
        f"{_quoted(f'CASE {own} AND score >= {HEALTHY} THEN 1 ELSE 0 END')}}}",
        f"      - {{name: {prefix}risky_weeks, agg: sum, expr: "
        f"{_quoted(f'CASE {own} AND score < {AT_RISK} THEN 1 ELSE 0 END')}}}",
        "metrics:",
        f"  - name: {prefix}account_health",
        "    label: Account health",
        "    description: The mean score of accounts, 0 to 100; how well it foretells churn is on the stream's page.",
        "    type: simple",
        f"    type_params: {{measure: {prefix}health_score}}",
        "    config: {meta: {synonyms: [customer health, health score]}}",
    ]
    for name, label, measure, words in (
        (
            "healthy_accounts_share",
            "Share of healthy accounts",
            "healthy_weeks",
            f"a score of {HEALTHY} or more",
        ),
        (
            "risky_accounts_share",
            "Share of accounts in poor health",
            "risky_weeks",
            f"a score below {AT_RISK}",
        ),
    ):
        lines += [
            f"  - name: {prefix}{name}",
            f"    label: {label}",
            f"    description: The share of account weeks with {words}.",
            "    type: ratio",
            f"    type_params: {{numerator: {prefix}{measure}, denominator: {prefix}scored_weeks}}",
        ]
    return "\n".join(_with_parts(lines, prefix)) + "\n"


def _with_parts(lines: list[str], prefix: str) -> list[str]:
    """Return the lines with a simple metric for each measure that a ratio is made of."""
    parts = []
    for measure, label in (
        ("scored_weeks", "Scored account weeks"),
        ("healthy_weeks", "Healthy account weeks"),
        ("risky_weeks", "Account weeks in poor health"),
    ):
        parts += [
            f"  - {{name: {prefix}{measure}, label: {label}, type: simple,"
            f" type_params: {{measure: {prefix}{measure}}}}}"
        ]
    return lines + parts


def propose(actor: Actor, stream: Stream) -> list[Influence]:
    """Draw the believed influences of usage on revenue that are not drawn yet, and keep what a test of each finds.

    Whatever the data says is kept with the edge: estimate, interval, date, and the day it expires.
    """
    known = {metric.name: metric for metric in all_metrics(actor)}
    drawn = {(edge.driver_id, edge.outcome_id) for edge in influences(actor)}
    prefix = _prefix(stream)
    made = []
    possible = 0
    for driver_name, outcome_name, sign, because in BELIEVED:
        driver, outcome = known.get(prefix + driver_name), known.get(outcome_name)
        if driver is None or outcome is None:
            continue
        possible += 1
        if (driver.pk, outcome.pk) in drawn:
            continue
        edge = metrics.add_influence(
            actor=actor,
            driver=driver,
            outcome=outcome,
            sign=sign,
            grain="month",
            because=f"{because} Seen beside each other in {stream.name}.",
        )
        made.append(metrics.keep_test(actor=actor, influence=edge, outcome=examine(edge)))
    if not possible:
        raise Conflict(
            "There is nothing to connect yet: usage or revenue has no governed metrics.",
            mend="Publish the stream's metrics, compute account health, and load a book of revenue.",
        )
    return made
