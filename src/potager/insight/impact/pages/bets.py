"""A bet's page: what was predicted, what came, how that is known, and what it is in money."""

from __future__ import annotations

from typing import Any

import yaml
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from potager.engines.answers import CannotTell
from potager.ground.access.actors import Actor, may
from potager.ground.links.margin import margin
from potager.ground.serving.pictures import pictured
from potager.ground.serving.rendering import render, signed_in
from potager.ground.serving.requests import actor
from potager.insight.impact import forecasting, queries, saying
from potager.insight.impact.designing import parse_design
from potager.insight.impact.ledger import ledger
from potager.insight.impact.lines import Line, cost_of
from potager.insight.impact.models import Bet, Observation
from potager.insight.impact.observing import redefined
from potager.insight.impact.pages import charts
from potager.insight.impact.to_money import Worth
from potager.kit import words
from potager.kit.clock import today


@signed_in
def one(request: HttpRequest, key: str) -> HttpResponse:
    """Show one bet."""
    who = actor(request)
    bet = queries.bet(who, key)
    history = list(queries.observations(who, bet, role="outcome").order_by("-end", "-created_at")[:40])
    seen = history[0] if history else None
    line = _line(who, bet)
    row = forecasting.judge(bet, seen)
    shown = {
        "page_title": bet.name,
        "crumbs": [{"title": "Impact", "url": reverse("impact")}],
        "bet": bet,
        "record": bet,
        "says": saying.of_bet(line) if line else _before(bet),
        "verdict": saying.verdict(seen, bet.metric) if seen else "",
        "seen": seen,
        "line": line,
        "worth": line.worth if line and isinstance(line.worth, Worth) else None,
        "money_refusal": line.worth
        if line and isinstance(line.worth, CannotTell) and seen and seen.told
        else None,
        "chain": chain(line) if line else None,
        "predicted_worth": _predicted(line),
        "waiting_cost": _waiting(line),
        "testing": _testing(who, bet),
        "predicted": saying.of_prediction(bet),
        "judged": row,
        "pictures": _pictures(who, bet, seen),
        "placebos": _chart(who, bet, "placebos", seen),
        "checks": _checks(bet, seen),
        "passed_over": seen.passed_over if seen else [],
        "guardrails": _guardrails(who, bet),
        "history": [_past(past, bet) for past in history],
        "costs": list(queries.investments(who, key=bet.key)),
        "cost": cost_of(queries.investments(who, key=bet.key)),
        "changes": list(queries.changes(who, key=bet.key)[:20]),
        "design_says": parse_design(bet.design).says if bet.design else [],
        "design_text": yaml.safe_dump(bet.design, sort_keys=False, allow_unicode=True) if bet.design else "",
        "design_changed": bool(bet.locked) and bet.locked.get("design") != bet.design,
        "redefined": redefined(bet),
        "decay": _decay(line),
        "sql": "\n\n".join(
            f"-- {query['for']}\n{query['sql']};"
            for query in (seen.receipt.get("queries", []) if seen else [])
        ),
        "receipt": _receipt(seen),
        "edits": may(who, "impact.edit", bet),
        **margin(who, bet),
    }
    return render(request, "impact/bet.html", shown)


def _line(who: Actor, bet: Bet) -> Line | None:
    if bet.launched_on is None:
        return None
    return next((line for line in ledger(who, today()).lines if line.bet.pk == bet.pk), None)


def _testing(who: Actor, bet: Bet) -> str:
    """Return whether to test a bet before it is rolled out; nothing once it is launched."""
    if bet.launched_on is not None or bet.predicted is None:
        return ""
    if bet.reach in {"treated", "everybody"}:
        return "Say as a number how many it will reach, and what a test is worth can be told."
    made = forecasting.worth_of_testing(who, bet, today(), reach=float(bet.reach))
    return str(made) if isinstance(made, CannotTell) else made.value.sentence


def _before(bet: Bet) -> str:
    if bet.predicted is None:
        return f"{bet.name} is not launched, and nothing is predicted yet."
    label = words.in_sentence(bet.metric.label)
    return f"{bet.name} is not launched. Predicted for {label}: {saying.of_prediction(bet)}."


def chain(line: Line) -> dict[str, Any] | None:
    """Return the way to money as a table: every hop with its range, evidence and share of the uncertainty."""
    if not isinstance(line.worth, Worth):
        return None
    made = line.worth.on_metric
    return {
        "hops": [
            {
                "name": part.hop.name,
                "estimate": part.hop.estimate,
                "low": part.hop.low,
                "high": part.hop.high,
                "exact": part.hop.evidence == "arithmetic",
                "evidence": saying.RANK[part.hop.evidence],
                "how": saying.EVIDENCE[part.hop.evidence],
                "share": part.share,
                "weakest": part.hop.name == made.weakest,
            }
            for part in made.hops
        ],
        "claimed": (made.estimate, made.low, made.high),
        "why": made.why_weakest,
        "checks": made.checks,
        "positive": made.probability_positive,
        "metric": line.worth.metric,
    }


def _predicted(line: Line | None) -> Worth | None:
    return line.predicted if line and isinstance(line.predicted, Worth) else None


def _waiting(line: Line | None) -> str:
    if line is None or not isinstance(line.worth, Worth):
        return ""
    made = forecasting.cost_of_waiting(line)
    if isinstance(made, CannotTell):
        return ""
    return f"A month without it costs {saying.money(made, line.worth.metric.unit)}."


def _decay(line: Line | None) -> str:
    if line is None or line.decay is None:
        return "Whether the effect wears off is not known; it is taken to last for its life."
    if isinstance(line.decay, CannotTell):
        return str(line.decay)
    if line.decay.low <= 0.0:
        return "That the effect lasts cannot be ruled out, so it is taken to last for its life."
    return f"The effect halves in {line.decay.half_life:.1f} months, and is counted so."


def _pictures(who: Actor, bet: Bet, seen: Observation | None) -> list[dict[str, Any]]:
    made = [_chart(who, bet, name, seen) for name in ("effect", "prediction")]
    return [one for one in made if one is not None]


def _chart(who: Actor, bet: Bet, name: str, seen: Observation | None) -> dict[str, Any] | None:
    return pictured(charts.bet_chart(who, bet, name, seen), charts.of_bet(bet, name, seen))


def _checks(bet: Bet, seen: Observation | None) -> list[dict[str, Any]]:
    if seen is None:
        return []
    made = [*seen.checks, *(run["check"] for run in seen.placebos)]
    if bet.predicted is not None and bet.predicted_before is not None:
        before = bet.predicted_before
        said = (
            "The range was recorded before the launch."
            if before
            else "The range was recorded after the launch."
        )
        made.append({"name": "predicted_before_launch", "passed": before, "sentence": said})
    return [{**check, "title": check["name"].replace("_", " ")} for check in made]


def _guardrails(who: Actor, bet: Bet) -> list[dict[str, Any]]:
    latest: dict[str, Observation] = {}
    for seen in queries.observations(who, bet, role="guardrail").order_by("end", "created_at"):
        latest[seen.metric.name] = seen
    made: list[dict[str, Any]] = []
    for name in bet.guardrails:
        found = latest.get(name)
        if found is None:
            made.append({"name": name, "says": "It was not looked at yet.", "verdict": "cannot_tell"})
            continue
        verdict = saying.verdict(found, found.metric)
        made.append(
            {
                "name": found.metric.label,
                "url": found.metric.url(),
                "says": saying.of_effect(found, found.metric),
                # Not hurt is what is asked of a guardrail: room for either way is no alarm, but no proof.
                "verdict": verdict,
                "words": {"yes": "Better", "no": "Hurt", "at_risk": "Not shown to be hurt"}.get(verdict, ""),
            }
        )
    return made


def _past(past: Observation, bet: Bet) -> dict[str, Any]:
    return {
        "record": past,
        "verdict": saying.verdict(past, bet.metric),
        "says": saying.of_effect(past, bet.metric),
    }


def _receipt(seen: Observation | None) -> list[dict[str, str]]:
    if seen is None:
        return []
    given = seen.receipt
    pairs = [
        ("Looked at", " to ".join(given.get("window", []))),
        ("Definition", f"{given.get('metric')} {str(given.get('definition'))[:12]}"),
        ("Snapshots", ", ".join(f"{table} @ {pin}" for table, pin in given.get("snapshots", {}).items())),
        ("Engine", given.get("engine", "")),
        ("Seed", str(given.get("seed", ""))),
        ("Potager", given.get("potager", "")),
    ]
    return [{"key": key, "value": value} for key, value in pairs if value]
