"""What several recipes do: find the metric, look at its data, word numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from potager.engines.answers import CannotTell
from potager.insight.metrics.models import Metric
from potager.insight.metrics.queries import metric as find_metric
from potager.insight.metrics.reading import Freshness, freshness
from potager.insight.questions.recipes.draft import Asked, Check, moment
from potager.kit import words
from potager.kit.errors import FieldProblem, Invalid


def metric_of(asked: Asked) -> Metric:
    """Return the metric that the question is about."""
    return find_metric(asked.actor, str(slot(asked, "metric")))


def slot(asked: Asked, name: str) -> Any:
    """Return a slot that the recipe needs, or say that it is missing."""
    value = asked.slots.get(name)
    if value in (None, ""):
        problem = FieldProblem(name, f"The question does not say which {name.replace('_', ' ')}.")
        raise Invalid(problem.problem, mend=f"Give the slot '{name}'.", errors=[problem])
    return value


def listed(slots: Mapping[str, Any], name: str) -> list[str]:
    """Return a slot that holds one text or several; say so where it holds anything else."""
    given = slots.get(name)
    if given in (None, ""):
        return []
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
        mend = f"Give the slot '{name}' a text, or a list of texts."
        problem = FieldProblem(name, f"'{given}' cannot be read as a list of texts.", mend)
        raise Invalid(problem.problem, mend=mend, errors=[problem])
    return several


def number(asked: Asked, name: str, given: Any) -> float:
    """Return a slot that holds a number, as it is written in forms and in JSON; say so where it holds none."""
    try:
        found = float(str(given).replace(",", ""))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        mend = f"Give the slot '{name}' a number, such as 1200000."
        problem = FieldProblem(name, f"'{given}' is not a number.", mend)
        raise Invalid(problem.problem, mend=mend, errors=[problem])
    return found


def look(asked: Asked, metric: Metric) -> tuple[Freshness, list[Check]]:
    """Return how far the metric's data goes, and the checks on it."""
    found = freshness(metric, at=asked.at)
    through, promise = found.complete_through, metric.freshness_days
    checks = []
    if through is not None and promise is not None:
        late = (asked.as_of - through).days
        fresh = late <= promise
        promised = words.counted(promise, "days")
        says = f"The data goes to {moment(through)}; it may be {promised} old, and is {max(late, 0)}."
        checks.append(Check("freshness", fresh, says))
    return found, checks


def last_day(found: Freshness, asked: Asked) -> date | None:
    """Return the last day that may be looked at: where the data ends, or the day the question is asked as of."""
    through = found.complete_through
    return None if through is None else min(through, asked.as_of)


def no_data(metric: Metric) -> CannotTell:
    """Refuse because there is no data."""
    return CannotTell("incomplete", f"There is no data for {metric.label}.", "Import some, then ask again.")


def stale(metric: Metric, found: Freshness, asked: Asked) -> CannotTell | None:
    """Refuse where the data is older than was promised."""
    through, promise = found.complete_through, metric.freshness_days
    if through is None or promise is None or (asked.as_of - through).days <= promise:
        return None
    late = (asked.as_of - through).days - promise
    return CannotTell(
        "stale",
        f"The data behind {metric.label} ends on {moment(through)}, {late} days later than was promised.",
        "Load the missing days, then ask again.",
    )


def say(number: float | None, unit: str) -> str:
    """Return a number as people say it."""
    return words.human(number, unit)


def say_change(amount: float, unit: str) -> str:
    """Return a signed amount; of shares, in percentage points."""
    return words.signed(amount * 100, "pp") if unit == "share" else words.signed(amount, unit)


def say_distance(amount: float, unit: str) -> str:
    """Return how far two values are apart; of shares, in percentage points."""
    return words.human(abs(amount) * 100, "pp") if unit == "share" else words.human(abs(amount), unit)


def say_relative(relative: float | None) -> str:
    """Return a relative change without its direction, such as ``37 %``."""
    if relative is None:
        return ""
    share = abs(relative) * 100
    return f"{share:.0f} %" if share >= 9.5 else f"{share:.1f} %"
