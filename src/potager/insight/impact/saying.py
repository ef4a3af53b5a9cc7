"""What the ledger says, in sentences: for pages, answers, the command line and assistants alike."""

from __future__ import annotations

from collections.abc import Sequence

from potager.engines.answers import CannotTell
from potager.engines.causal import Calibration, ChainEffect
from potager.insight.impact.ledger import Ledger, Sum
from potager.insight.impact.lines import Line, Range
from potager.insight.impact.models import Bet, Observation
from potager.insight.impact.settling import Movement
from potager.insight.impact.to_money import Worth
from potager.insight.metrics.models import Metric
from potager.kit import words

EVIDENCE = {
    "arithmetic": "arithmetic",
    "experiment": "experiment",
    "holdout": "holdout",
    "quasi_experiment": "quasi-experiment",
    "elasticity": "edge of the tree",
    "belief": "belief",
    "": "nothing yet",
}
# Where a class of evidence stands among the five that links and answers show.
RANK = {
    "arithmetic": 5,
    "experiment": 5,
    "holdout": 5,
    "quasi_experiment": 4,
    "elasticity": 3,
    "belief": 1,
    "": 1,
}


def money(span: Range | None, unit: str) -> str:
    """Return an estimate with its range: ``€1.2m (between €0.4m and €2m)``."""
    if span is None:
        return words.UNKNOWN
    return f"{words.human(span[0], unit)} ({words.between(span[1], span[2], unit)})"


def span_of(effect: ChainEffect) -> Range:
    """Return an effect as estimate, low and high."""
    return (effect.estimate, effect.low, effect.high)


def verdict(observation: Observation | None, metric: Metric) -> str:
    """Return what an observation comes to: yes, no, at risk (either way), or cannot tell."""
    if observation is None or not observation.told or observation.evidence == "belief":
        return "cannot_tell"
    low = observation.low if observation.low is not None else float("-inf")
    high = observation.high if observation.high is not None else float("inf")
    if metric.direction == "down":
        low, high = -high, -low
    return "yes" if low > 0.0 else "no" if high < 0.0 else "at_risk"


def of_effect(observation: Observation, metric: Metric) -> str:
    """Return what was observed in one sentence."""
    if not observation.told or observation.estimate is None:
        return f"What it did to {words.in_sentence(metric.label)} cannot be told: {_because(observation)}"
    amount = amount_of(observation.estimate, metric)
    span = between(observation.low, observation.high, metric)
    up = observation.estimate >= 0.0
    moved = "raised" if up else "lowered"
    per = f" for {observation.per}" if observation.per.startswith("one ") else ""
    label, days = words.in_sentence(metric.label), words.counted(observation.age, "days")
    return f"It {moved} {label} by {amount}{per} ({span}), {days} after launch."


def amount_of(value: float, metric: Metric) -> str:
    """Return the size of an effect in the metric's unit; of shares, in percentage points."""
    return (
        words.human(abs(value) * 100, "pp")
        if metric.unit == "share"
        else words.human(abs(value), metric.unit)
    )


def between(low: float | None, high: float | None, metric: Metric) -> str:
    """Return a range in the metric's unit; of shares, in percentage points; open ends are said."""
    scale, unit = (100.0, "pp") if metric.unit == "share" else (1.0, metric.unit)
    if low is None and high is None:
        return "no range"
    if low is None:
        return f"at most {words.signed((high or 0.0) * scale, unit)}"
    if high is None:
        return f"at least {words.signed(low * scale, unit)}"
    return words.between(low * scale, high * scale, unit)


def _because(observation: Observation) -> str:
    said = str(observation.refusal.get("because", "there is no number."))
    return words.in_sentence(said)


def of_bet(line: Line) -> str:
    """Return what a bet did, in money where that can be told."""
    bet, seen = line.bet, line.observation
    if seen is None:
        return f"{bet.name} was not observed yet."
    if isinstance(line.worth, CannotTell):
        if not seen.told:
            return f"What {bet.name} did cannot be told: {_because(seen)}"
        return (
            f"{of_effect(seen, bet.metric).replace('It ', f'{bet.name} ', 1)} What that is in money cannot be told: "
            f"{words.in_sentence(line.worth.because)}"
        )
    if not line.measured:
        return f"What {bet.name} did cannot be told. {line.because}"
    return f"{on_money(line)} {paid_back(line)}".strip()


def of_cap(found: Movement) -> str:
    """Return what was cut of the claims on a movement, and why; nothing where nothing was."""
    if isinstance(found.ledger, CannotTell) or not found.ledger.capped:
        return ""
    unit, made = found.metric.unit, found.ledger
    asked = sum(one.claim.estimate for one in made.settled)
    cut = words.listing(
        [f"{one.claim.name} {words.human(abs(one.given_up), unit)}" for one in made.settled if one.given_up]
    )
    return (
        f"Bets claim {words.human(asked, unit)} of {words.in_sentence(found.metric.label)} where "
        f"{words.human(made.observed - made.outside, unit)} was left to claim, so claims were cut, the least precise "
        f"giving up the most: {cut}."
    )


def on_money(line: Line) -> str:
    """Return what a bet did to its money metric, as granted."""
    assert isinstance(line.worth, Worth)
    span = line.granted or span_of(line.worth.on_metric)
    goal = line.worth.metric
    moved = "raised" if span[0] >= 0.0 else "lowered"
    label = words.in_sentence(goal.label)
    sure = "" if span[1] > 0.0 or span[2] < 0.0 else ", which leaves room for no effect at all"
    return (
        f"{line.bet.name} {moved} {label} by {words.human(abs(span[0]), goal.unit)} "
        f"({words.between(span[1], span[2], goal.unit)}){sure}."
    )


def paid_back(line: Line) -> str:
    """Return what came back for what was paid."""
    if line.returned is None or not isinstance(line.worth, Worth):
        return ""
    unit = line.worth.metric.unit
    paid = words.human(line.cost[0], unit) if line.cost[0] else "an unrecorded cost"
    months = words.counted(line.worth.months, "months")
    return f"For {paid} it has returned {money(line.returned, unit)} in {months}."


def of_sum(one: Sum, currency: str, *, over: str = "") -> str:
    """Return what investments returned, in one sentence."""
    paid = words.human(one.cost[0], currency)
    told = f"{one.told} of {words.counted(one.bets, 'bets')} can be told"
    when = f" {over}" if over else ""
    if one.returned is None:
        return f"Product investments of {paid}{when}: what they returned cannot be told yet; {told}."
    return f"Product investments of {paid} returned {money(one.returned, currency)}{when}; {told}."


def of_ledger(found: Ledger) -> str:
    """Return the ledger's headline."""
    launched = [line.bet.launched_on for line in found.lines if line.bet.launched_on]
    if not launched:
        return "No bet was launched yet."
    return of_sum(
        found.total, found.currency, over=f"from {words.day(min(launched))} to {words.day(found.through)}"
    )


def of_calibration(made: Calibration | CannotTell) -> str:
    """Return how good the predictions are, in one sentence."""
    if isinstance(made, CannotTell):
        return str(made)
    verdicts = {
        "too_sure": "we are too sure of ourselves",
        "too_wary": "we are warier than we need be",
        "fits": "about as often as they claimed",
        "cannot_tell": "too few to tell how good we are",
    }
    held = round(made.coverage * made.n)
    return (
        f"{held} of {made.n} predicted ranges held what came, where {words.human(made.claimed, 'share')} was claimed: "
        f"{verdicts[made.verdict]}."
    )


def weakest_sentence(lines: Sequence[Line]) -> str:
    """Return which claim is the weakest, and why."""
    if not lines:
        return "No bet claims anything that could be weak."
    line = lines[0]
    assert isinstance(line.worth, Worth)
    unit = line.worth.metric.unit
    worth = line.expected[0] if line.expected else line.worth.over_life.estimate
    return (
        f"The weakest claim is that of {line.bet.name}, {words.human(worth, unit)} over its life: "
        f"{words.in_sentence(line.worth.on_metric.why_weakest)}"
    )


def of_prediction(bet: Bet) -> str:
    """Return the predicted range in words."""
    if bet.predicted is None:
        return "nothing was predicted"
    low, high = bet.predicted
    if bet.predicted_relative:
        return f"{words.between(low * 100, high * 100, '%')} of what it would have been"
    return between(low, high, bet.metric)
