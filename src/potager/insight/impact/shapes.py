"""The ledger as plain data: the same for the API, the command line, assistants and answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.causal import Calibration, ChainEffect, Shrinkage
from potager.engines.causal import Ledger as Settlement
from potager.insight.impact import saying
from potager.insight.impact.forecasting import Cell, Judged, Scenario
from potager.insight.impact.ledger import Ledger, Sum
from potager.insight.impact.lines import Line, Range
from potager.insight.impact.settling import Movement
from potager.insight.impact.to_money import Worth


def span(found: Range | None) -> dict[str, float] | None:
    """Return a range as data."""
    return None if found is None else {"estimate": found[0], "low": found[1], "high": found[2]}


def effect(found: ChainEffect) -> dict[str, float]:
    """Return an effect as data."""
    return {"estimate": found.estimate, "low": found.low, "high": found.high}


def refusal(found: object) -> dict[str, str] | None:
    """Return a refusal as data, or None."""
    return asdict(found) if isinstance(found, CannotTell) else None


def line(found: Line) -> dict[str, Any]:
    """Return one bet of the ledger."""
    worth = found.worth
    made: dict[str, Any] = {
        "key": found.bet.key,
        "name": found.bet.name,
        "url": found.bet.url(),
        "team": found.bet.team_name,
        "launched_on": found.bet.launched_on,
        "says": saying.of_bet(found),
        "cost": span(found.cost),
        "returned": span(found.returned),
        "expected": span(found.expected),
        "predicted": effect(found.predicted.over_life) if isinstance(found.predicted, Worth) else None,
        "predicted_before_launch": found.bet.predicted_before,
        "granted": span(found.granted),
        "corrected": span(found.corrected),
        "given_up": found.given_up,
        "ratio": found.ratio,
        "evidence": found.evidence,
        "refusal": refusal(worth),
        "chain": None,
    }
    if isinstance(worth, Worth):
        made["chain"] = chain(worth)
    return made


def chain(worth: Worth) -> dict[str, Any]:
    """Return the way from an effect to money, hop by hop."""
    made = worth.on_metric
    return {
        "metric": worth.metric.name,
        "unit": worth.metric.unit,
        "claimed": effect(made),
        "weakest": made.weakest,
        "why_weakest": made.why_weakest,
        "least_certain": made.least_certain,
        "probability_positive": made.probability_positive,
        "months": worth.months,
        "life_months": worth.life,
        "hops": [
            {
                "name": part.hop.name,
                "estimate": part.hop.estimate,
                "low": part.hop.low,
                "high": part.hop.high,
                "evidence": part.hop.evidence,
                "share": part.share,
            }
            for part in made.hops
        ],
        "checks": [asdict(check) for check in made.checks],
    }


def rolled(found: Sum) -> dict[str, Any]:
    """Return several bets together."""
    return {
        "name": found.name,
        "bets": found.bets,
        "told": found.told,
        "cost": span(found.cost),
        "cost_told": span(found.cost_told),
        "returned": span(found.returned),
        "expected": span(found.expected),
        "predicted": span(found.predicted),
        "predicted_bets": found.predicted_bets,
        "evidence": found.evidence,
        "keys": list(found.keys),
    }


def movement(found: Movement) -> dict[str, Any]:
    """Return the account of one movement: claims, outside, unexplained."""
    made: dict[str, Any] = {
        "metric": found.metric.name,
        "unit": found.metric.unit,
        "start": found.start,
        "end": found.end,
        "before": found.before,
        "after": found.after,
        "says": found.says,
        "refusal": refusal(found.ledger),
        "observed": None,
        "outside": None,
        "unexplained": None,
        "capped": False,
        "claims": [],
        "sentences": [],
    }
    if isinstance(found.ledger, Settlement):
        keys = {part.name: part.key for part in found.parts}
        made |= {
            "observed": found.ledger.observed,
            "outside": found.ledger.outside,
            "unexplained": found.ledger.unexplained,
            "capped": found.ledger.capped,
            "sentences": list(found.ledger.sentences),
            "claims": [
                {
                    "key": keys[one.claim.name],
                    "name": one.claim.name,
                    "claimed": one.claim.estimate,
                    "granted": one.granted,
                    "low": one.low,
                    "high": one.high,
                    "given_up": one.given_up,
                    "evidence": one.claim.evidence,
                }
                for one in found.ledger.settled
            ],
        }
    return made


def whole(found: Ledger, says: str) -> dict[str, Any]:
    """Return the ledger."""
    return {
        "says": says,
        "currency": found.currency,
        "total": rolled(found.total),
        "lines": [line(one) for one in found.lines],
        "movements": [movement(one) for one in found.movements],
        "winners_curse": [
            {
                "metric": name,
                "mean": one.mean if isinstance(one, Shrinkage) else None,
                "spread": one.spread if isinstance(one, Shrinkage) else None,
                "refusal": refusal(one),
            }
            for name, one in found.shrinkage.items()
        ],
        "notes": list(found.notes),
    }


def calibration(made: Calibration | CannotTell, rows: list[Judged]) -> dict[str, Any]:
    """Return predictions as a group, and each beside what came."""
    return {
        "says": saying.of_calibration(made),
        "result": None if isinstance(made, CannotTell) else asdict(made),
        "refusal": refusal(made),
        "predictions": [
            {
                "key": row.bet.key,
                "name": row.bet.name,
                "low": row.low,
                "high": row.high,
                "level": row.bet.predicted_level,
                "observed": row.observed,
                "held": row.held,
                "why_not": row.why_not,
            }
            for row in rows
        ],
    }


def cell(found: Cell) -> dict[str, Any]:
    """Return one cell of the portfolio."""
    return {
        "horizon": found.horizon,
        "risk": found.risk,
        "bets": found.bets,
        "told": found.told,
        "cost": found.cost,
        "people_months": found.people_months,
        "returned": span(found.returned),
        "ratio": found.ratio,
    }


def scenario(found: Scenario | CannotTell) -> dict[str, Any]:
    """Return what moving people would have changed, or why it cannot be told."""
    if isinstance(found, CannotTell):
        return {"says": str(found), "refusal": refusal(found), "change": None, "people_months": None}
    return {
        "says": found.sentence,
        "refusal": None,
        "change": {"estimate": found.change, "low": found.low, "high": found.high},
        "people_months": found.people_months,
    }
