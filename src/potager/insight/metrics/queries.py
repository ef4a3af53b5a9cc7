"""Reading metrics, definitions, targets and the tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Case, Q, When

from potager.ground.access.actors import Actor
from potager.ground.records.models import RecordQuerySet
from potager.ground.records.queries import found_in
from potager.insight.metrics.models import Influence, Level, Metric, Source, SourceVersion, Target
from potager.insight.metrics.periods import Period
from potager.insight.metrics.semantics import Condition
from potager.kit.errors import FieldProblem, Invalid, NotFound


def metrics(actor: Actor, *, search: str = "", level: str = "") -> RecordQuerySet[Metric]:
    """Return the metrics in use that the actor may see."""
    rows: RecordQuerySet[Metric] = (
        Metric.objects.visible_to(actor).alive().select_related("source", "component")
    )
    if level:
        rows = rows.filter(level=level)
    for word in search.split():
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(label__icontains=word)
            | Q(description__icontains=word)
            | Q(synonyms__icontains=word)
        )
    return rows


def leading(actor: Actor, count: int) -> list[Metric]:
    """Return the few metrics to name as examples: the most strategic ones, the oldest of them first."""
    places = [When(level=level, then=place) for place, level in enumerate(Level.values)]
    rows: Any = Metric.objects.visible_to(actor).alive().annotate(place=Case(*places, default=len(places)))
    return list(rows.order_by("place", "created_at", "pk")[:count])


def metric(actor: Actor, name: str) -> Metric:
    """Return one metric by name, or say which are near it."""
    found = metrics(actor).filter(name=name).first()
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name, metrics(actor).values_list("name", flat=True), n=2)
        mend = f"Did you mean {' or '.join(near)}?" if near else "Look at the list of metrics."
        raise NotFound(f"There is no metric {name}.", mend=mend)
    return found


def sources(actor: Actor) -> RecordQuerySet[Source]:
    """Return the definition documents in use."""
    rows: RecordQuerySet[Source] = Source.objects.visible_to(actor).alive()
    return rows


def versions(actor: Actor, source: Source) -> Sequence[SourceVersion]:
    """Return every version of a definition document, newest first."""
    found = found_in(sources(actor), pk=source.pk)
    return list(found.versions.select_related("by"))


def targets(actor: Actor, found: Metric) -> RecordQuerySet[Target]:
    """Return a metric's targets, the latest period first."""
    rows: RecordQuerySet[Target] = Target.objects.visible_to(actor)
    return rows.alive().filter(metric=found)


def target_for(actor: Actor, found: Metric, period: Period) -> Target | None:
    """Return the target of exactly this period, or of the period that holds it."""
    near = targets(actor, found).filter(start__lte=period.start, end__gte=period.end)
    return min(near, key=lambda target: target.end - target.start, default=None)


def influences(actor: Actor) -> RecordQuerySet[Influence]:
    """Return the influences in the tree."""
    rows: RecordQuerySet[Influence] = Influence.objects.visible_to(actor)
    return rows.alive().select_related("driver", "outcome")


def conditions(said: Sequence[str]) -> tuple[Condition, ...]:
    """Return conditions from words such as ``country=Germany`` or ``country!=Germany,France``."""
    found = []
    for words in said:
        negated = "!=" in words
        name, sign, value = words.partition("!=" if negated else "=")
        if not sign or not name.strip():
            mend = "Write country=Germany, country=Germany,France, or country!=Germany."
            problem = FieldProblem("where", f"'{words}' is not a condition.", mend)
            raise Invalid(problem.problem, mend=mend, errors=[problem])
        values = tuple(None if part.strip() in {"", "unknown"} else part.strip() for part in value.split(","))
        found.append(Condition(name.strip(), "not_in" if negated else "in", values))
    return tuple(found)
