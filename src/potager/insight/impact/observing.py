"""What did a bet do by a day after launch?

Its design is read from the lake, and the strongest method is run, or it is said why none can be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from potager import __version__
from potager.engines.answers import CannotTell
from potager.engines.causal import Check, Effect, Hop, chain_to_money
from potager.ground.access.actors import Actor
from potager.insight.impact.designing import Belief, Plan, parse_design
from potager.insight.impact.methods import (
    LEVEL,
    SEED,
    Sources,
    Told,
    Window,
    design_of,
    read_sources,
    run_arms,
    told_by,
)
from potager.insight.impact.models import Bet
from potager.insight.impact.reading_arms import Arms, read_arms
from potager.insight.impact.scaling import DAYS_IN, scaled, whole_per
from potager.insight.impact.tree_paths import edge_hop, influence_between
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import period_of
from potager.insight.metrics.queries import metric as find_metric
from potager.insight.metrics.reading import Ran, additive, freshness, pins, series
from potager.kit import words
from potager.kit.errors import NotFound

CHECKPOINTS = (30, 90, 180)
SHORTEST_TO_SPLIT = 60


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation before it is kept. ``factor`` times the effect is the effect on the whole metric per period."""

    metric: Metric
    role: str
    age: int
    start: date
    end: date
    effect: Effect | None
    refusal: CannotTell | None
    method: str = ""
    baseline: float | None = None
    per: str = ""
    factor: float | None = None
    whole_per: str = ""
    units: int | None = None
    checks: tuple[Check, ...] = ()
    passed_over: tuple[Check, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    ran: tuple[Ran, ...] = ()

    def values(self, bet: Bet) -> dict[str, Any]:
        """Return the fields of the record."""
        effect, refusal = self.effect, self.refusal
        return {
            "bet": bet,
            "metric": self.metric,
            "role": self.role,
            "age": self.age,
            "start": self.start,
            "end": self.end,
            "estimate": _finite(effect.estimate) if effect else None,
            "low": _finite(effect.low) if effect else None,
            "high": _finite(effect.high) if effect else None,
            "error": _finite(effect.standard_error) if effect else None,
            "level": effect.level if effect else None,
            "p_value": _finite(effect.p_value) if effect else None,
            "baseline": _finite(self.baseline),
            "per": self.per,
            "factor": _finite(self.factor),
            "whole_per": self.whole_per,
            "units": self.units,
            "method": effect.method if effect else "",
            "evidence": effect.evidence if effect else "",
            "checks": [asdict(check) for check in self.checks],
            "placebos": [_clean(asdict(run)) for run in effect.placebos] if effect else [],
            "passed_over": [asdict(check) for check in self.passed_over],
            "refusal": asdict(refusal) if refusal else {},
            "figures": _clean(self.figures),
            "receipt": self.receipt(bet),
        }

    def receipt(self, bet: Bet) -> dict[str, Any]:
        """Return what it takes to make the observation again."""
        snapshots: dict[str, str] = {}
        for run in self.ran:
            snapshots.update(run.snapshots)
        return {
            "potager": __version__,
            "metric": self.metric.name,
            "definition": layer_of(self.metric).definition_hash(self.metric.name),
            "design": bet.design,
            "window": [str(self.start), str(self.end)],
            "seed": SEED,
            "snapshots": snapshots,
            "engine": self.ran[0].engine if self.ran else "",
            "queries": [{"for": run.role, "sql": run.sql} for run in self.ran],
        }


def _clean(value: Any) -> Any:
    """Return a value as JSON can keep it in every database: what is no finite number is none at all."""
    if isinstance(value, Mapping):
        return {str(name): _clean(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def observe_outcome(
    actor: Actor, bet: Bet, age: int | None, as_of: date, at: Mapping[str, str] | None = None
) -> Observed:
    """Return what the bet did to its own metric by ``age`` days after launch (None: as far as the data goes)."""
    plan = parse_design(bet.design)
    window = _window(bet, bet.metric, age, as_of, at)
    if isinstance(window, CannotTell):
        return _refused(bet, bet.metric, "outcome", age or 0, window)
    if refusal := redefined(bet):
        return _refused(bet, bet.metric, "outcome", window.days, refusal, window)
    sources = read_sources(bet.metric, bet.unit, plan, window, _controls(actor, plan))
    found = told_by(plan, sources, design_of(plan, sources))
    if isinstance(found, Told):
        return _observed(bet, bet.metric, "outcome", window, found, sources)
    causal = plan.assignment or plan.holdout or plan.panel or plan.series
    if causal is None and plan.elasticity is not None:
        return _by_elasticity(actor, bet, plan.elasticity.driver, window)
    if causal is None and plan.belief is not None:
        return _by_belief(bet, plan.belief, window)
    return _refused(
        bet, bet.metric, "outcome", window.days, found.refusal, window, sources, found.passed_over
    )


def observe_guardrail(
    actor: Actor, bet: Bet, name: str, age: int | None, as_of: date, at: Mapping[str, str] | None = None
) -> Observed:
    """Return what the bet did to a metric that it must not hurt, by the same design."""
    plan = parse_design(bet.design)
    metric = find_metric(actor, name)
    window = _window(bet, metric, age, as_of, at)
    if isinstance(window, CannotTell):
        return _refused(bet, metric, "guardrail", age or 0, window)
    sources = read_sources(metric, bet.unit, plan, window, _controls(actor, plan))
    found = told_by(plan, sources, design_of(plan, sources))
    if isinstance(found, Told):
        return _observed(bet, metric, "guardrail", window, found, sources)
    return _refused(bet, metric, "guardrail", window.days, found.refusal, window, sources, found.passed_over)


def redefined(bet: Bet) -> CannotTell | None:
    """Return why the metric is not the one that the bet was launched on, or None."""
    said = bet.locked.get("definition")
    if not said or said == layer_of(bet.metric).definition_hash(bet.metric.name):
        return None
    since = words.day(bet.metric.defined_at.date())
    return CannotTell(
        "definition_changed",
        f"{bet.metric.label} was redefined on {since}, after the bet was launched on it: what was predicted is not "
        "what is measured now.",
        "Publish the old definition under a name of its own and judge the bet by it, or register the bet anew.",
    )


def _controls(actor: Actor, plan: Plan) -> dict[str, Metric]:
    names = plan.series.controls if plan.series else ()
    found = {}
    for name in names:
        try:
            found[name] = find_metric(actor, name)
        except NotFound:
            raise NotFound(
                f"The design names the control {name}, which is no metric.", mend="Change the design."
            ) from None
    return found


def _window(
    bet: Bet, metric: Metric, age: int | None, as_of: date, at: Mapping[str, str] | None
) -> Window | CannotTell:
    assert bet.launched_on is not None
    fresh = freshness(metric, at=at)
    through = fresh.complete_through
    if through is None:
        return CannotTell("incomplete", f"There is no data for {metric.label}.", "Import some, then observe.")
    last = min(through, as_of)
    end = bet.launched_on + timedelta(days=age - 1) if age else last
    if end > last or end < bet.launched_on:
        return CannotTell(
            "incomplete",
            f"The data behind {metric.label} ends on {words.day(last)}, and it takes until {words.day(end)} to look at "
            f"{words.counted(age or 1, 'days')} from the launch on.",
            "Observe again when the days are there.",
        )
    pinned = pins(layer_of(metric), (metric.name,), at)
    return Window(bet.launched_on, end, fresh.first, pinned)


def _refused(
    bet: Bet,
    metric: Metric,
    role: str,
    age: int,
    refusal: CannotTell,
    window: Window | None = None,
    sources: Sources | None = None,
    passed_over: tuple[Check, ...] = (),
) -> Observed:
    assert bet.launched_on is not None
    return Observed(
        metric=metric,
        role=role,
        age=age,
        start=bet.launched_on,
        end=window.end if window else bet.launched_on + timedelta(days=max(age - 1, 0)),
        effect=None,
        refusal=refusal,
        passed_over=passed_over,
        ran=sources.ran if sources else (),
    )


def _observed(bet: Bet, metric: Metric, role: str, window: Window, told: Told, sources: Sources) -> Observed:
    made = scaled(bet, metric, window, told)
    figures = dict(told.figures)
    if role == "outcome" and isinstance(told.source, Arms):
        figures |= _by_age(bet, window, told)
    return Observed(
        metric=metric,
        role=role,
        age=window.days,
        start=window.launched,
        end=window.end,
        effect=made.effect,
        refusal=None,
        method=told.method,
        baseline=made.baseline,
        per=made.per,
        factor=made.factor,
        whole_per=whole_per(metric),
        units=made.units,
        checks=(*told.checks, *told.effect.checks),
        passed_over=told.passed_over,
        figures=figures,
        ran=sources.ran,
    )


def _by_age(bet: Bet, window: Window, told: Told) -> dict[str, Any]:
    """Return the effect of an experiment in each third of the window, so that wearing off can be seen."""
    plan = parse_design(bet.design)
    part = plan.assignment if told.method == "experiment" else plan.holdout
    if part is None or window.days < SHORTEST_TO_SPLIT:
        return {}
    edges = [window.launched + timedelta(days=round(window.days * third / 3)) for third in range(4)]
    made = []
    for start, after in pairwise(edges):
        end = after - timedelta(days=1)
        arms = read_arms(bet.metric, bet.unit, part, start, end, window.at, launched=window.launched)
        found = arms if isinstance(arms, CannotTell) else run_arms(part, arms, told.method, ())
        if isinstance(found, CannotTell):
            return {}
        days = (after - start).days
        periods = (
            days / DAYS_IN[bet.metric.grain]
            if isinstance(found.source, Arms) and found.source.adds_up
            else 1.0
        )
        age = ((start - window.launched).days + days / 2.0) / DAYS_IN[bet.metric.grain]
        error = found.effect.standard_error
        made.append(
            {
                "age": age,
                "estimate": found.effect.estimate / periods,
                "error": None if error is None else error / periods,
            }
        )
    return {"by_age": made, "grain": bet.metric.grain}


def _by_elasticity(actor: Actor, bet: Bet, driver_name: str, window: Window) -> Observed:
    """Return what the driver's change comes to by its estimated edge: a correlation carried on, and no more."""
    driver = find_metric(actor, driver_name)
    edge = influence_between(actor, driver, bet.metric)
    hop = edge if isinstance(edge, CannotTell) else edge_hop(edge, window.end)
    if isinstance(hop, CannotTell):
        return _refused(bet, bet.metric, "outcome", window.days, hop, window)
    grain: Any = driver.grain if DAYS_IN[driver.grain] * 3 <= window.days else "week"
    first = period_of(window.launched - timedelta(days=window.days), grain)
    read = series(driver, grain, first.start, window.end, at=window.at)
    whole = [
        (period, value)
        for period, value in zip(read.periods, read.values, strict=True)
        if period.end <= window.end
    ]
    before = np.array([value for period, value in whole if period.end < window.launched])
    after = np.array([value for period, value in whole if period.start >= window.launched])
    if min(len(before), len(after)) < 3 or not np.isfinite([*before, *after]).all():
        refusal = CannotTell(
            "too_few",
            f"{driver.label} is known for {len(before)} periods before the launch and {len(after)} after it; it takes "
            "three of each.",
            "Observe again later, or take a finer grain.",
        )
        return _refused(bet, bet.metric, "outcome", window.days, refusal, window)
    moved = float(after.mean() - before.mean())
    error = math.sqrt(float(after.var(ddof=1) / len(after) + before.var(ddof=1) / len(before)))
    first_hop = Hop(driver.label, moved, moved - 1.96 * error, moved + 1.96 * error, "elasticity")
    chain = chain_to_money([first_hop, hop], level=LEVEL, seed=SEED)
    if isinstance(chain, CannotTell):
        return _refused(bet, bet.metric, "outcome", window.days, chain, window)
    adds_up = additive(bet.metric)
    factor = DAYS_IN[bet.metric.grain] / DAYS_IN[grain] if adds_up else 1.0
    check = Check(
        "not_identified",
        None,
        f"{driver.label} moved by {words.signed(moved, driver.unit)} from before the launch to after it, whatever the "
        "reason; that the bet moved it, and that the edge is a cause, is assumed.",
    )
    return Observed(
        metric=bet.metric,
        role="outcome",
        age=window.days,
        start=window.launched,
        end=window.end,
        effect=chain,
        refusal=None,
        method="tree_elasticity",
        per=f"the whole and {grain}" if adds_up else "the whole",
        factor=factor,
        whole_per=whole_per(bet.metric),
        checks=(check, *chain.checks),
        ran=(read.ran,),
    )


def _by_belief(bet: Bet, belief: Belief, window: Window) -> Observed:
    middle = (belief.low + belief.high) / 2.0
    effect = Effect(
        estimate=middle,
        low=belief.low,
        high=belief.high,
        level=belief.level,
        method=f"belief of {belief.by or 'somebody'}",
        evidence="belief",
        checks=(Check("measured", False, "Nothing was measured: this is what somebody believes."),),
    )
    return Observed(
        metric=bet.metric,
        role="outcome",
        age=window.days,
        start=window.launched,
        end=window.end,
        effect=effect,
        refusal=None,
        method="belief",
        per="the whole",
        factor=float(bet.reach) if bet.reach not in {"treated", "everybody"} else 1.0,
        whole_per=whole_per(bet.metric),
        checks=effect.checks,
    )
