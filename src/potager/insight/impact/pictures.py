"""Pictures of bets and of the ledger."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from potager.engines.causal import Ledger as Settlement
from potager.engines.causal.results import two_sided_z
from potager.insight.impact.forecasting import Judged
from potager.insight.impact.ledger import Ledger, Sum
from potager.insight.impact.lines import Line
from potager.insight.impact.models import Bet, Observation
from potager.insight.impact.saying import amount_of, of_effect
from potager.insight.impact.settling import Movement
from potager.insight.impact.to_money import Worth
from potager.insight.metrics.models import Metric
from potager.kit import words
from potager.kit.charts.bars import Bar, Estimate, compared, ranked_bars
from potager.kit.charts.chart import Chart
from potager.kit.charts.series import Happening, Series, time_series
from potager.kit.charts.waterfall import End, waterfall
from potager.kit.charts.waterfall import Movement as Step

FAR = 250.0  # percent of a range around its middle; what lies further is cut, and said to be


def unit_of(metric: Metric) -> tuple[float, str]:
    """Return by what an effect is multiplied and in which unit it is drawn: shares in percentage points."""
    return (100.0, "pp") if metric.unit == "share" else (1.0, metric.unit)


def before_after(observation: Observation, bet: Bet, shipped: Sequence[tuple[date, str]]) -> Chart | None:
    """Draw what was beside what would have been, with the launch and what was shipped marked."""
    figures = observation.figures
    if figures.get("kind") != "before_after":
        return None
    starts = tuple(date.fromisoformat(day) for day in figures["periods"])
    observed = Series("observed", starts, tuple(figures["observed"]))
    given: dict[str, Any] = {}
    if figures.get("low"):
        given = {"low": tuple(figures["low"]), "high": tuple(figures["high"])}
    expected = Series("without it", starts, tuple(figures["expected"]), **given)
    assert bet.launched_on is not None
    marks = [Happening(bet.launched_on, "launch", "shipped")]
    marks += [Happening(day, name, "shipped") for day, name in shipped if day != bet.launched_on][:4]
    return time_series(
        [observed, expected],
        title=of_effect(observation, observation.metric).replace("It ", f"{bet.name} ", 1),
        unit=observation.metric.unit,
        grain=figures["grain"],
        happenings=marks,
        subtitle=f"{observation.metric.label}, {observation.per}",
    )


def arms(observation: Observation, bet: Bet) -> Chart | None:
    """Draw both arms of an experiment."""
    figures = observation.figures
    if figures.get("kind") != "arms":
        return None
    metric = observation.metric
    level = observation.level or 0.95
    z = two_sided_z(level)
    rows = []
    for name, value, count, error in zip(
        ("treated", "not treated"),
        (figures["treated"], figures["control"]),
        figures["units"],
        figures["errors"],
        strict=True,
    ):
        kept = math.sqrt(figures.get("variance_kept") or 1.0)
        reach = None if error is None else z * error * kept
        rows.append(
            Estimate(
                name,
                value,
                None if reach is None else value - reach,
                None if reach is None else value + reach,
                count=count,
            )
        )
    return compared(
        rows,
        title=of_effect(observation, metric).replace("It ", f"{bet.name} ", 1),
        unit=metric.unit,
        what=metric.label,
        counted=f"{bet.unit or 'unit'}s",
        subtitle=f"{metric.label} by {bet.unit or 'unit'} over {words.counted(observation.age, 'days')}"
        + (", adjusted for what they did before" if figures.get("covariate") else ""),
        interval=f"{level:.0%} interval",
    )


def event_study(observation: Observation, bet: Bet) -> Chart | None:
    """Draw the effect by age since each unit's start."""
    figures = observation.figures
    if figures.get("kind") != "event_study":
        return None
    scale, unit = unit_of(observation.metric)
    rows = [
        Estimate(
            f"{figures['grain']} {one['age']}",
            one["estimate"] * scale,
            one["low"] * scale,
            one["high"] * scale,
        )
        for one in figures["by_age"][:26]
    ]
    if not rows:
        return None
    return compared(
        rows,
        title=of_effect(observation, observation.metric).replace("It ", f"{bet.name} ", 1),
        unit=unit,
        what="effect",
        subtitle=f"Effect on {observation.metric.label}, {observation.per}, by {figures['grain']}s since its start",
        reference=0.0,
        reference_label="no effect",
    )


def effect(observation: Observation, bet: Bet, shipped: Sequence[tuple[date, str]] = ()) -> Chart | None:
    """Return the telling picture of an observation."""
    return before_after(observation, bet, shipped) or arms(observation, bet) or event_study(observation, bet)


def against_prediction(observation: Observation | None, row: Judged) -> Chart | None:
    """Draw the predicted range beside what was observed."""
    metric = row.bet.metric
    scale, unit = unit_of(metric)
    rows = []
    if row.low is not None and row.high is not None:
        level = f"{row.bet.predicted_level:.0%}"
        rows.append(
            Estimate(
                f"predicted ({level})", (row.low + row.high) / 2.0 * scale, row.low * scale, row.high * scale
            )
        )
    if observation is not None and observation.told and observation.estimate is not None:
        low, high = observation.low, observation.high
        rows.append(
            Estimate(
                f"observed ({observation.level or 0.95:.0%})",
                observation.estimate * scale,
                None if low is None else low * scale,
                None if high is None else high * scale,
            )
        )
    if not rows:
        return None
    if row.held is None:
        title = "What was predicted" if len(rows) == 1 and row.low is not None else "What was observed"
    else:
        title = (
            "The predicted range held what came" if row.held else "The predicted range did not hold what came"
        )
    return compared(
        rows,
        title=title,
        unit=unit,
        what=f"effect on {words.in_sentence(metric.label)}",
        subtitle=f"Effect on {words.in_sentence(metric.label)}"
        + (f", {observation.per}" if observation is not None and observation.per.startswith("one") else ""),
        interval="range",
        reference=0.0,
        reference_label="no effect",
    )


def placebos(observation: Observation) -> Chart | None:
    """Draw the effect beside the size of those that the same method found where nothing happened."""
    if not observation.placebos or observation.estimate is None:
        return None
    scale, unit = unit_of(observation.metric)
    rows = [
        Estimate(
            "this bet",
            observation.estimate * scale,
            None if observation.low is None else observation.low * scale,
            None if observation.high is None else observation.high * scale,
        )
    ]
    said = []
    for run in observation.placebos:
        name = "fake dates" if run["kind"] == "time" else "fake units"
        rows.append(Estimate(name, 0.0, -run["typical"] * scale, run["typical"] * scale, count=run["runs"]))
        said.append(f"{run['covered']} of {run['runs']} {name}")
    return compared(
        rows,
        title=f"Where nothing happened the method said so for {words.listing(said)}",
        unit=unit,
        what="effect",
        counted="runs",
        subtitle="The effect, and how large the typical effect is that the same method finds of nothing",
        interval="interval, or typical size",
        reference=0.0,
        reference_label="no effect",
    )


def returns(found: Ledger) -> Chart | None:
    """Draw what each bet returned over its life, with its range."""
    lines = [line for line in found.lines if line.expected is not None]
    if not lines:
        return None
    lines.sort(key=lambda line: -(line.expected[0] if line.expected else 0.0))
    rows = [
        Estimate(_named(line, lines), line.expected[0], line.expected[1], line.expected[2])
        for line in lines[:20]
        if line.expected
    ]
    best = lines[0]
    assert best.expected is not None
    most = words.human(best.expected[0], found.currency)
    return compared(
        rows,
        title=f"{best.bet.name} is expected to return most, {most} over its life",
        unit=found.currency,
        what="expected return",
        subtitle="Present value over each bet's life, as granted",
        reference=0.0,
        reference_label="nothing",
    )


def _named(line: Line, lines: Sequence[Line]) -> str:
    twins = sum(one.bet.name == line.bet.name for one in lines)
    return line.bet.name if twins == 1 else f"{line.bet.name} ({line.bet.key})"


def movement(found: Movement) -> Chart | None:
    """Draw how a metric moved, and who is granted what of it."""
    if not isinstance(found.ledger, Settlement) or found.before is None or found.after is None:
        return None
    good = found.metric.direction != "down"
    steps = [
        Step(settled.claim.name, settled.granted, good=(settled.granted > 0.0) == good)
        for settled in found.ledger.settled
        if settled.granted
    ]
    steps += [Step(name, amount, good=None) for name, amount in found.outside]
    return waterfall(
        End(str(found.before_period), found.before),
        steps,
        End(str(found.after_period), found.after),
        title=f"{found.metric.label} moved by {words.signed(found.ledger.observed, found.metric.unit)}",
        unit=found.metric.unit,
        subtitle="What is granted to each bet, what came from outside, and what nobody can explain",
    )


def calibration(rows: Sequence[Judged]) -> Chart | None:
    """Draw where what came lay in each predicted range: 0 is its low end, 100 its high end."""
    drawn = []
    for row in rows:
        if row.why_not or row.low is None or row.high is None or row.observed is None:
            continue
        width = row.high - row.low
        seen = row.observation
        place = [(value - row.low) / width * 100.0 if value is not None else None for value in (
            row.observed, seen.low if seen else None, seen.high if seen else None,
        )]  # fmt: skip
        far = any(one is not None and not -FAR <= one - 50.0 <= FAR for one in place)
        inside = [None if one is None else min(max(one, 50.0 - FAR), 50.0 + FAR) for one in place]
        name = f"{row.bet.name} (beyond the picture)" if far else row.bet.name
        drawn.append(Estimate(name, inside[0], inside[1], inside[2]))
    names = [one.name for one in drawn]
    if not drawn or len(set(names)) != len(names):
        return None
    held = sum(bool(row.held) for row in rows)
    return compared(
        drawn[:20],
        title=f"{held} of {len(drawn)} came within their range",
        unit="%",
        what="place in the range",
        subtitle="Where what was observed lies in the predicted range: 0 % is its low end, 100 % its high end",
        interval="95 % interval of what was observed",
        reference=50.0,
        reference_label="middle of the range",
    )


def shares(sums: Sequence[Sum], currency: str, what: str) -> Chart | None:
    """Draw where the money went."""
    paid = [one for one in sums if one.cost[0] > 0.0]
    if not paid:
        return None
    most = paid[0]
    total = sum(one.cost[0] for one in paid)
    return ranked_bars(
        [
            Bar(
                one.name,
                one.cost[0],
                note=f"returned {words.human(one.returned[0], currency)}" if one.returned else "",
            )
            for one in paid
        ],
        title=f"{words.human(most.cost[0] / total, 'share')} of what was paid went into {most.name}",
        unit=currency,
        what=f"invested by {what}",
        subtitle=f"Invested by {what}, and what has come back so far",
    )


def effect_words(observation: Observation) -> str:
    """Return an effect's size in words."""
    if observation.estimate is None:
        return words.UNKNOWN
    sign = "+" if observation.estimate >= 0.0 else words.MINUS
    return f"{sign}{amount_of(observation.estimate, observation.metric)}"


def worth_of(line: Line) -> Worth | None:
    """Return a line's worth where it can be told."""
    return line.worth if isinstance(line.worth, Worth) else None
