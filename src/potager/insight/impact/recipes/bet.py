"""What did this bet do? On its own metric, in money, or on any metric that the tree leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.causal import ChainEffect, chain_to_money
from potager.engines.statistics import Part
from potager.insight.impact import queries, saying
from potager.insight.impact.forecasting import judge
from potager.insight.impact.ledger import Ledger, ledger
from potager.insight.impact.lines import Line, Range
from potager.insight.impact.methods import SEED
from potager.insight.impact.models import Bet
from potager.insight.impact.pictures import unit_of
from potager.insight.impact.to_money import Worth, hops_to, whole_effect
from potager.insight.metrics.models import Metric
from potager.insight.metrics.queries import metric as find_metric
from potager.insight.metrics.reading import freshness
from potager.insight.questions.models import Answer
from potager.insight.questions.recipes.common import slot
from potager.insight.questions.recipes.draft import Asked, Check, Draft
from potager.kit import words
from potager.kit.charts.bars import Bar, Estimate, compared, ranked_bars
from potager.kit.charts.chart import Chart


def answer_impact(asked: Asked) -> Draft:
    """Answer what a bet did: on its own metric, on the money metric or on any metric the tree leads to.

    Slots: ``bet`` (its key), ``metric`` (a metric further up the tree; the money metric where not given).
    """
    bet = queries.bet(asked.actor, str(slot(asked, "bet")))
    metrics = [bet.metric]
    draft = Draft(
        "cannot_tell", "", metrics, unit=bet.metric.unit, freshness=freshness(bet.metric, at=asked.at)
    )
    if bet.launched_on is None or bet.launched_on > asked.as_of:
        return draft.refused(
            CannotTell("incomplete", f"{bet.name} is not launched.", "Launch it, then observe it.")
        )
    found = ledger(asked.actor, asked.as_of, at=asked.at)
    line = next(one for one in found.lines if one.bet.pk == bet.pk)
    draft = replace(draft, checks=_checks(line), parts=_parts(line), next_questions=_next(found, bet))
    if line.observation is None:
        return draft.refused(
            CannotTell("incomplete", f"{bet.name} was not observed yet.", "Observe it on its page.")
        )
    goal = _goal(asked, bet)
    if goal is not None and goal.name == bet.metric.name and goal != bet.money_metric:
        return _on_own(draft, line)
    if goal is not None and (bet.money_metric is None or goal.name != bet.money_metric.name):
        return _on_other(asked, draft, line, goal)
    if isinstance(line.worth, CannotTell):
        return draft.refused(line.worth) if not line.observation.told else _on_own(draft, line)
    if not line.measured:
        return draft.refused(_believed(line))
    return _on_money(draft, line)


def _goal(asked: Asked, bet: Bet) -> Metric | None:
    name = asked.slots.get("metric")
    return find_metric(asked.actor, str(name)) if name else bet.money_metric


def _on_money(draft: Draft, line: Line) -> Draft:
    worth = line.worth
    assert isinstance(worth, Worth) and line.granted is not None
    span = line.granted
    return replace(
        draft,
        verdict=_verdict(span, worth.metric),
        statement=f"{saying.on_money(line)} {saying.paid_back(line)}".strip(),
        metrics=[*draft.metrics, *([worth.metric] if worth.metric.pk != line.bet.metric.pk else [])],
        estimate=span[0],
        low=span[1],
        high=span[2],
        level=0.95,
        unit=worth.metric.unit,
        evidence_class=saying.EVIDENCE[line.evidence],
        would_change=_would_change(line),
        figures=_figures(line, worth.on_metric, worth.metric),
    )


def _on_own(draft: Draft, line: Line) -> Draft:
    seen = line.observation
    assert seen is not None
    if not seen.told:
        refusal = seen.refusal
        return draft.refused(CannotTell("not_identified", refusal["because"], refusal.get("mend", "")))
    if not line.measured:
        return draft.refused(_believed(line))
    return replace(
        draft,
        verdict=saying.verdict(seen, line.bet.metric),
        statement=saying.of_effect(seen, line.bet.metric).replace("It ", f"{line.bet.name} ", 1),
        estimate=seen.estimate,
        low=seen.low,
        high=seen.high,
        level=seen.level,
        evidence_class=saying.EVIDENCE[seen.evidence],
        would_change=_would_change(line),
        figures=_own_figures(line),
    )


def _believed(line: Line) -> CannotTell:
    because = line.because or "Nothing was measured, there is only what somebody believes."
    return CannotTell(
        "not_identified",
        because,
        "Keep some units back at random next time, or look at a design that can tell.",
    )


def _on_other(asked: Asked, draft: Draft, line: Line, goal: Metric) -> Draft:
    assert line.observation is not None
    draft = replace(draft, metrics=[*draft.metrics, goal], unit=goal.unit)
    first = whole_effect(line.observation)
    if isinstance(first, CannotTell):
        return draft.refused(first)
    hops = hops_to(asked.actor, line.bet.metric, goal, first, asked.as_of, at=asked.at)
    if isinstance(hops, CannotTell):
        return draft.refused(hops)
    made = chain_to_money(hops, seed=SEED)
    if isinstance(made, CannotTell):
        return draft.refused(made)
    moved = "raised" if made.estimate >= 0.0 else "lowered"
    per = f" per {goal.grain}" if goal.grain else ""
    return replace(
        draft,
        verdict=_verdict(saying.span_of(made), goal),
        statement=f"{line.bet.name} {moved} {words.in_sentence(goal.label)} by "
        f"{words.human(abs(made.estimate), goal.unit)}{per} ({words.between(made.low, made.high, goal.unit)}), before "
        f"claims are settled. {made.why_weakest}",
        estimate=made.estimate,
        low=made.low,
        high=made.high,
        level=made.level,
        evidence_class=saying.EVIDENCE[made.evidence],
        figures=_figures(line, made, goal),
    )


def _verdict(span: Range, metric: Metric) -> str:
    low, high = (-span[2], -span[1]) if metric.direction == "down" else (span[1], span[2])
    return "yes" if low > 0.0 else "no" if high < 0.0 else "at_risk"


def _own_figures(line: Line) -> dict[str, Any]:
    """Return what was predicted and what came, in the bet's own metric; shares in percentage points."""
    seen, row = line.observation, judge(line.bet, line.observation)
    assert seen is not None
    scale, unit = unit_of(line.bet.metric)

    def scaled(*values: float | None) -> list[float | None]:
        return [None if value is None else value * scale for value in values]

    return {
        "bet": line.bet.key,
        "label": line.bet.metric.label,
        "own_unit": unit,
        "per": seen.per,
        "predicted": None if row.low is None else scaled(row.low, row.high),
        "predicted_level": line.bet.predicted_level,
        "observed": scaled(seen.estimate, seen.low, seen.high),
        "pictures": ["prediction"],
    }


def _figures(line: Line, made: ChainEffect, goal: Metric) -> dict[str, Any]:
    """Return those of the bet's own metric, and where the uncertainty of the chain comes from."""
    own = _own_figures(line)
    hops = [
        {
            "name": part.hop.name,
            "estimate": part.hop.estimate,
            "share": part.share,
            "evidence": saying.EVIDENCE[part.hop.evidence],
        }
        for part in made.hops
    ]
    pictures = ["prediction", "hops"] if len(hops) > 1 else ["prediction"]
    return {**own, "hops": hops, "weakest": made.weakest, "goal": goal.label, "pictures": pictures}


def _checks(line: Line) -> list[Check]:
    seen = line.observation
    if seen is None:
        return []
    every = [*seen.checks, *(run["check"] for run in seen.placebos)]
    made = [
        Check(one["name"].replace("_", " "), bool(one["passed"]), one["sentence"])
        for one in every
        if one["passed"] is not None
    ]
    if line.given_up:
        made.append(
            Check(
                "claims_within_movement",
                False,
                "It claimed more of the movement than there was, and was cut.",
            )
        )
    return made


def _parts(line: Line) -> list[Part]:
    seen = line.observation
    if seen is None or not seen.told:
        return []
    rank = saying.RANK[seen.evidence]
    state: Any = "good" if rank == 5 else "fair" if rank == 4 else "poor"
    parts = [
        Part("identification", state, f"How it is known: {saying.EVIDENCE[seen.evidence]}, {seen.method}.")
    ]
    failed = [one for one in _checks(line) if not one.passed]
    agreed: Any = "good" if not failed else "fair" if len(failed) == 1 else "poor"
    said = (
        "Every check was passed."
        if not failed
        else f"{words.counted(len(failed), 'checks')} failed: {failed[0].says}"
    )
    parts.append(Part("agreement", agreed, said))
    if seen.estimate and seen.low is not None and seen.high is not None:
        width = (seen.high - seen.low) / abs(seen.estimate)
        wide: Any = "good" if width < 0.5 else "fair" if width < 1.5 else "poor"
        parts.append(Part("interval_width", wide, f"The range is {width:.0%} of the effect wide."))
    return parts


def _would_change(line: Line) -> list[str]:
    lines = []
    if isinstance(line.worth, Worth):
        lines.append(f"A better proof of the weakest hop: {line.worth.on_metric.why_weakest}")
    if line.bet.kill_when:
        lines.append(f"What was agreed beforehand: {line.bet.kill_when}")
    return lines


def _next(found: Ledger, bet: Bet) -> list[str]:
    other = next((line.bet for line in found.lines if line.bet.pk != bet.pk and line.told), None)
    asked = ["What did product investments return?", "Which of our claims are weakest?"]
    return [f"What did {other.name} do?", *asked] if other else asked


def prediction_picture(answer: Answer) -> Chart:
    """Draw what was predicted beside what came, in the bet's own metric."""
    figures = answer.figures
    rows = []
    if figures["predicted"]:
        low, high = figures["predicted"]
        rows.append(Estimate(f"predicted ({figures['predicted_level']:.0%})", (low + high) / 2.0, low, high))
    estimate, low, high = figures["observed"]
    rows.append(Estimate("observed", estimate, low, high))
    label = words.in_sentence(figures["label"])
    per = f", {figures['per']}" if str(figures["per"]).startswith("one ") else ""
    return compared(
        rows,
        title=f"The effect on {label}, as predicted and as observed"
        if len(rows) > 1
        else f"The effect on {label}",
        unit=figures["own_unit"],
        what=f"effect on {label}",
        subtitle=f"Effect on {label}{per}",
        interval="range",
        reference=0.0,
        reference_label="no effect",
    )


def hops_picture(answer: Answer) -> Chart:
    """Draw where the uncertainty of a chain comes from."""
    hops = answer.figures["hops"]
    weak = answer.figures["weakest"]
    return ranked_bars(
        [
            Bar(hop["name"], hop["share"] * 100.0, note=hop["evidence"], strong=hop["name"] == weak)
            for hop in hops
        ],
        title=f"The weakest hop is “{weak}”",
        unit="%",
        what="share of the uncertainty",
        subtitle=f"Where the uncertainty of the effect on {words.in_sentence(answer.figures['goal'])} comes from",
        ranked=False,
    )
