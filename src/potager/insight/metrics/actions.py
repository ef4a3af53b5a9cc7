"""Publishing definitions, governing metrics, setting targets, drawing the tree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from potager.ground.access.actors import Actor
from potager.ground.acting.action import action
from potager.ground.events.bus import announce
from potager.ground.records.checks import keep
from potager.insight.metrics import compiling, trees
from potager.insight.metrics.events import DefinitionChanged
from potager.insight.metrics.models import (
    Component,
    Evidence,
    Influence,
    Maturity,
    Metric,
    Source,
    SourceVersion,
    Target,
)
from potager.insight.metrics.semantics.findings import errors
from potager.kit.clock import now
from potager.kit.errors import FieldProblem, Invalid, NotFound

INFLUENCE_LIVES = timedelta(days=180)
GOVERNED = (
    "label", "description", "level", "purpose", "unit", "direction", "grain", "owner_role", "freshness_days",
    "maturity", "pitfalls", "benchmark", "synonyms",
)  # fmt: skip


@action("metrics.edit")
def publish(*, actor: Actor, name: str, namespace: str, text: str, note: str = "") -> Source:
    """Publish a definition document: its metrics can be asked from now on, and every version is kept."""
    return _publish(actor, namespace, {name: text}, note)[0]


@action("metrics.edit")
def publish_together(
    *, actor: Actor, namespace: str, texts: Mapping[str, str], note: str = ""
) -> list[Source]:
    """Publish several definition documents that may rest on each other: all of them or none."""
    return _publish(actor, namespace, texts, note)


def _publish(actor: Actor, namespace: str, texts: Mapping[str, str], note: str) -> list[Source]:
    for name in texts:
        if not name.isprintable():
            problem = FieldProblem("name", "The name holds a control or null character.", "Remove it.")
            raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    wrong = errors(compiling.check(namespace, texts))
    if wrong:
        problems = [finding.field_problem() for finding in wrong]
        sentence = " ".join(f"{problem.where}: {problem.problem}" for problem in problems[:5])
        raise Invalid(f"The definitions cannot be used. {sentence}", mend=problems[0].mend, errors=problems)
    found = [_version(actor, name, namespace, text, note) for name, text in texts.items()]
    for source, changed in found:
        if changed:
            _sync(actor, source)
    return [source for source, _ in found]


def _version(actor: Actor, name: str, namespace: str, text: str, note: str) -> tuple[Source, bool]:
    """Return the source of a name with this text, and whether that made a new version."""
    source = Source.objects.select_for_update().filter(name=name).first()
    if source is None:
        source = Source(name=name, namespace=namespace, text=text, owner_id=actor.user_id)
    elif (source.text, source.namespace) == (text, namespace) and source.archived_at is None:
        return source, False
    else:
        source.number += 1
        source.text, source.namespace, source.archived_at = text, namespace, None
    keep(source)
    SourceVersion.objects.create(
        source=source,
        number=source.number,
        namespace=namespace,
        text=text,
        note=note[:300],
        by_id=actor.user_id,
    )
    return source, True


def _sync(actor: Actor, source: Source) -> None:
    """Let there be one governed metric for every definition of the source; those it lost are retired."""
    layer = compiling.layer(source.namespace)
    defined = {info.name: info for info in layer.metrics() if info.source == source.name}
    for name, info in defined.items():
        digest = layer.definition_hash(name)
        metric = Metric.objects.filter(name=name).first()
        if metric is not None and metric.source_id not in (None, source.pk):
            other = Source.objects.get(pk=metric.source_id)
            if other.archived_at is None and other.namespace != source.namespace:
                problem = FieldProblem(name, f"The metric {name} is defined in {other.name} already.")
                raise Invalid(problem.problem, mend="Give it another name.", errors=[problem])
        if metric is None:
            metric = Metric(
                name=name, label=info.label or name, description=info.description, owner_id=actor.user_id
            )
            metric.synonyms = list(info.synonyms)
        elif metric.definition_digest != digest:
            metric.defined_at = now()
            announce(DefinitionChanged(actor=actor.name, metric=name))
        if (metric.definition_digest, metric.source_id, metric.archived_at) != (digest, source.pk, None):
            metric.definition_digest, metric.source, metric.definition_type = digest, source, info.kind
            metric.archived_at = None
            keep(metric)
    for metric in Metric.objects.filter(source=source, archived_at=None).exclude(name__in=defined):
        metric.archived_at, metric.maturity = now(), Maturity.RETIRED
        keep(metric)
        announce(DefinitionChanged(actor=actor.name, metric=metric.name))


@action("metrics.edit", on="source")
def withdraw(*, actor: Actor, source: Source) -> Source:
    """Take a definition document away; its metrics are retired, its versions stay."""
    source.archived_at = now()
    keep(source)
    for metric in Metric.objects.filter(source=source, archived_at=None):
        metric.archived_at, metric.maturity = now(), Maturity.RETIRED
        keep(metric)
    return source


@action("metrics.edit", on="metric")
def govern(*, actor: Actor, metric: Metric, values: Mapping[str, Any]) -> Metric:
    """Say what surrounds a metric: level, owner, unit, direction, freshness promise, pitfalls, benchmark."""
    unknown = sorted(set(values) - set(GOVERNED))
    if unknown:
        problems = [FieldProblem(name, f"A metric has no field {name}.") for name in unknown]
        raise Invalid(problems[0].problem, mend=f"The fields are {', '.join(GOVERNED)}.", errors=problems)
    if values.get("maturity") == Maturity.CERTIFIED and metric.maturity != Maturity.CERTIFIED:
        from potager.ground.access.actors import require

        require(actor, "metrics.certify", metric)
    for name, value in values.items():
        setattr(metric, name, value)
    return keep(metric)


@action("metrics.edit", on="metric")
def set_target(
    *,
    actor: Actor,
    metric: Metric,
    value: float,
    start: date,
    end: date,
    low: float | None = None,
    high: float | None = None,
    note: str = "",
) -> Target:
    """Set a metric's target for a period; one for the same period takes its place."""
    for name, number in (("value", value), ("low", low), ("high", high)):
        if number is not None and not math.isfinite(number):
            problem = FieldProblem(name, f"A target cannot be {number}.", "Give a number, such as 1200000.")
            raise Invalid(problem.problem, mend=problem.mend, errors=[problem])
    for former in Target.objects.filter(metric=metric, start=start, end=end, archived_at=None):
        former.archived_at = now()
        keep(former)
    target = Target(metric=metric, value=value, low=low, high=high, start=start, end=end, note=note)
    target.owner_id = actor.user_id
    return keep(target)


@action("metrics.edit", on="target")
def drop_target(*, actor: Actor, target: Target) -> Target:
    """Take a target away."""
    target.archived_at = now()
    return keep(target)


@action("metrics.edit", on="metric")
def set_formula(*, actor: Actor, metric: Metric, formula: str) -> Component:
    """Say which arithmetic of other metrics a metric is; an empty formula makes it a leaf again."""
    known = {found.name: found for found in Metric.objects.filter(archived_at=None).select_related("source")}
    others = Component.objects.filter(archived_at=None).exclude(metric=metric).select_related("metric")
    component = Component.objects.filter(metric=metric).first() or Component(
        metric=metric, owner_id=actor.user_id
    )
    if not formula.strip():
        if component._state.adding:
            raise NotFound(f"{metric.label} has no formula.", mend="There is nothing to take away.")
        component.archived_at = now()
        return keep(component)
    trees.check_formula(metric.name, formula, {other.metric.name: other.formula for other in others}, known)
    component.formula, component.archived_at = formula.strip(), None
    return keep(component)


@action("metrics.edit")
def add_influence(
    *,
    actor: Actor,
    driver: Metric,
    outcome: Metric,
    sign: int = 1,
    lag: int = 0,
    grain: str = "month",
    evidence: str = Evidence.ASSERTED,
    because: str = "",
) -> Influence:
    """Draw an influence: one metric is believed to move another. Untested, it is a claim that expires."""
    influence = Influence(
        driver=driver, outcome=outcome, sign=sign, lag=lag, grain=grain, evidence=evidence, because=because
    )
    influence.owner_id, influence.expires_at = actor.user_id, now() + INFLUENCE_LIVES
    return keep(influence)


@action("metrics.edit", on="influence")
def keep_test(*, actor: Actor, influence: Influence, outcome: Mapping[str, Any]) -> Influence:
    """Keep what a test of an influence found: estimate, interval, method, back-test, and until when it counts."""
    for name, value in outcome.items():
        setattr(influence, name, value)
    influence.tested_at, influence.expires_at = now(), now() + INFLUENCE_LIVES
    return keep(influence)


@action("metrics.edit", on="influence")
def drop_influence(*, actor: Actor, influence: Influence) -> Influence:
    """Take an influence out of the tree."""
    influence.archived_at = now()
    return keep(influence)
