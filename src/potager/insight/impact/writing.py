"""A bet as it is written down, word by word, to the fields of its record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from potager.ground.access.actors import Actor
from potager.insight.impact.designing import parse_design
from potager.insight.impact.models import Bet, Counted
from potager.insight.impact.tree_paths import counted_as, is_money, money_above
from potager.insight.metrics.models import Metric
from potager.insight.metrics.queries import metric as find_metric
from potager.insight.metrics.trees import forest
from potager.kit.clock import today
from potager.kit.errors import FieldProblem, Invalid

PLAIN = (
    "name", "hypothesis", "who", "does_what", "by_how_much", "by_when", "unit", "kill_when", "goal", "objective",
    "product", "horizon", "risk",
)  # fmt: skip
WORDS = (*PLAIN, "key", "metric", "predicted", "guardrails", "team", "money", "reach", "design")
PREDICTED = ("low", "high", "level", "relative", "on")
MONEY = ("metric", "counted", "life_months", "rate")
MOST = 1e15  # beyond it no money and no metric is, and sums would overflow
# What was said before the launch stands after it.
LOCKED = ("metric", "unit", "predicted", "guardrails", "kill_when", "key")


def write(actor: Actor, bet: Bet, values: Mapping[str, Any]) -> None:
    """Put what was written down into a bet; raise :class:`Invalid` naming every word that cannot be."""
    problems = _unknown(values, WORDS, "")
    problems += _unknown(values.get("predicted"), PREDICTED, "predicted.")
    problems += _unknown(values.get("money"), MONEY, "money.")
    if problems:
        raise Invalid(problems[0].problem, mend=problems[0].mend, errors=problems)
    for name in PLAIN:
        if name in values:
            setattr(bet, name, _day(values[name], name) if name == "by_when" else values[name] or "")
    if "key" in values:
        bet.key = str(values["key"] or "")
    if "team" in values:
        bet.team_name = str(values["team"] or "")
    if values.get("metric"):
        bet.metric = find_metric(actor, str(values["metric"]))
    if "predicted" in values:
        _predict(bet, values["predicted"] or {})
    if "guardrails" in values:
        bet.guardrails = [find_metric(actor, str(name)).name for name in values["guardrails"] or []]
    if "reach" in values:
        bet.reach = _reach(values["reach"])
    if "design" in values:
        bet.design = plain(values["design"] or {})
        parse_design(bet.design)
    _money(actor, bet, values.get("money") or {})


def plain(value: Any) -> Any:
    """Return a value as JSON keeps it: days as text, lists as lists."""
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, date) else value


def _unknown(given: Any, names: tuple[str, ...], where: str) -> list[FieldProblem]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        what = where.rstrip(".") or "A bet"
        return [
            FieldProblem(where.rstrip("."), f"{what} has parts with names.", f"They are {', '.join(names)}.")
        ]
    return [
        FieldProblem(f"{where}{name}", f"A bet has no {where}{name}.", f"It has {', '.join(names)}.")
        for name in sorted(set(map(str, given)) - set(names))
    ]


def _predict(bet: Bet, given: Mapping[str, Any]) -> None:
    bet.predicted_low = _number(given.get("low"), "predicted.low")
    bet.predicted_high = _number(given.get("high"), "predicted.high")
    if (bet.predicted_low is None) != (bet.predicted_high is None):
        raise _wrong("predicted", "A predicted range has two ends.", "Give low and high.")
    if (
        bet.predicted_low is not None
        and bet.predicted_high is not None
        and not bet.predicted_low < bet.predicted_high
    ):
        raise _wrong("predicted", "The lower end of the range comes first.", "Swap low and high.")
    level = _number(given.get("level"), "predicted.level")
    bet.predicted_level = 0.8 if level is None else level
    bet.predicted_relative = bool(given.get("relative", False))
    on = _day(given.get("on"), "predicted.on")
    bet.predicted_on = (on or today()) if bet.predicted is not None else None
    if bet.predicted_on is not None and bet.predicted_on > today():
        raise _wrong(
            "predicted.on", "A range cannot have been recorded in the future.", "Give today or a day before."
        )


def _money(actor: Actor, bet: Bet, given: Mapping[str, Any]) -> None:
    if given.get("metric"):
        found = find_metric(actor, str(given["metric"]))
        if not is_money(found):
            raise _wrong(
                "money.metric",
                f"{found.label} is not counted in money.",
                "Say its currency as its unit, or name another.",
            )
        bet.money_metric = found
    elif bet.money_metric_id is None and bet.metric_id is not None:
        bet.money_metric = money_above(forest(actor), bet.metric)
    if given.get("counted"):
        if given["counted"] not in Counted.values:
            raise _wrong(
                "money.counted", f"There is no {given['counted']}.", f"Use {', '.join(Counted.values)}."
            )
        bet.money_counted = str(given["counted"])
    elif bet.money_metric is not None and (given.get("metric") or bet._state.adding):
        bet.money_counted = counted_as(bet.money_metric)
    months = _number(given.get("life_months"), "money.life_months")
    if months is not None:
        bet.life_months = int(months)
    rate = _number(given.get("rate"), "money.rate")
    if rate is not None:
        bet.discount_rate = rate


def _reach(given: Any) -> str:
    if given in {"treated", "everybody"}:
        return str(given)
    number = _number(given, "reach")
    if number is None or number <= 0.0:
        raise _wrong(
            "reach", f"'{given}' does not say how far it reaches.", "Use treated, everybody, or a number."
        )
    return f"{number:g}"


def _number(given: Any, where: str) -> float | None:
    if given is None or given == "":
        return None
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or abs(number) > MOST:
        raise _wrong(where, f"'{given}' is not a number.", "Such as 0.05.")
    return number


def _day(given: Any, where: str) -> date | None:
    if given is None or given == "":
        return None
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError:
        raise _wrong(where, f"'{given}' is no day.", "Write 2025-03-01.") from None


def _wrong(where: str, problem: str, mend: str) -> Invalid:
    return Invalid(problem, mend=mend, errors=[FieldProblem(where, problem, mend)])


def prediction_of(bet: Bet, definition: str) -> dict[str, Any]:
    """Return what is locked at launch."""
    metric: Metric = bet.metric
    made: dict[str, Any] = plain(
        {
            "metric": metric.name,
            "definition": definition,
            "unit": bet.unit,
            "predicted": {
                "low": bet.predicted_low,
                "high": bet.predicted_high,
                "level": bet.predicted_level,
                "relative": bet.predicted_relative,
                "on": bet.predicted_on,
            },
            "guardrails": bet.guardrails,
            "kill_when": bet.kill_when,
            "design": bet.design,
        }
    )
    return made
