"""From a design to an effect: what is read is put to the method chosen, and stronger ones that refuse are named."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.causal import (
    Check,
    Choice,
    Design,
    Effect,
    choose_method,
    compare_anytime,
    compare_arms,
    difference_in_differences,
    interrupted_series,
    sample_ratio_check,
    staggered_effect,
    synthetic_control,
    synthetic_did,
)
from potager.engines.causal.experiment import FEWEST_UNITS
from potager.insight.impact.designing import Assignment, Plan
from potager.insight.impact.method_figures import panel_figures, series_figures
from potager.insight.impact.reading_arms import Arms, read_arms
from potager.insight.impact.reading_panels import PanelRead, SeriesRead, read_panel, read_series
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import Ran
from potager.kit.errors import Invalid, NotFound

LEVEL = 0.95
SEED = 20_240_229
CAUSAL = (
    "experiment", "holdout", "staggered_adoption", "difference_in_differences", "synthetic_did",
    "interrupted_series",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at: the launch, the last day, the first and last day with data, the receipt's snapshots."""

    launched: date
    end: date
    first: date | None
    at: Mapping[str, str] | None = None

    @property
    def days(self) -> int:
        """Return how many days from the launch on are looked at."""
        return (self.end - self.launched).days + 1


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read for a design, or why it could not be: nothing is read twice."""

    assignment: Arms | CannotTell | None = None
    holdout: Arms | CannotTell | None = None
    panel: PanelRead | CannotTell | None = None
    series: SeriesRead | CannotTell | None = None

    @property
    def ran(self) -> tuple[Ran, ...]:
        """Return every query that was run."""
        every = (self.assignment, self.holdout, self.panel, self.series)
        return tuple(
            run for one in every if one is not None and not isinstance(one, CannotTell) for run in one.ran
        )


@dataclass(frozen=True, slots=True)
class Told:
    """An effect with the design part it came from, the stronger methods passed over, and what was looked at."""

    effect: Effect
    method: str
    source: Arms | PanelRead | SeriesRead
    passed_over: tuple[Check, ...]
    checks: tuple[Check, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Untold:
    """Why there is no number, and the methods that were passed over on the way to saying so."""

    refusal: CannotTell
    passed_over: tuple[Check, ...] = ()


def read_sources(
    metric: Metric, unit: str, plan: Plan, window: Window, controls: Mapping[str, Metric]
) -> Sources:
    """Read what a design names. What the metric does not know is a refusal of that part, with its sentence."""

    def tried(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (Invalid, NotFound) as problem:
            return CannotTell("undefined", problem.detail, problem.mend)

    def arms(part: Assignment | None) -> Any:
        if part is None:
            return None
        return tried(lambda: read_arms(metric, unit, part, window.launched, window.end, window.at))

    panel, series = plan.panel, plan.series
    return Sources(
        assignment=arms(plan.assignment),
        holdout=arms(plan.holdout),
        panel=None
        if panel is None
        else tried(lambda: read_panel(metric, panel, window.launched, window.end, window.first, window.at)),
        series=None
        if series is None
        else tried(
            lambda: read_series(
                metric, series, controls, window.launched, window.end, window.first, window.at
            )
        ),
    )


def design_of(plan: Plan, sources: Sources) -> Design:
    """Return what there is to identify an effect by, in the words of the engine."""
    made = Design()
    if isinstance(sources.assignment, Arms) and plan.assignment:
        arms = sources.assignment
        made = replace(
            made,
            assignment_log=True,
            arm_units=min(arms.treated.n, arms.control.n),
            split_as_planned=_split(arms, plan.assignment),
        )
    if isinstance(sources.holdout, Arms):
        made = replace(
            made, holdout=True, holdout_units=min(sources.holdout.treated.n, sources.holdout.control.n)
        )
    if isinstance(sources.panel, PanelRead):
        read = sources.panel
        made = replace(
            made,
            treated_units=len(read.treated),
            untreated_units=len(read.controls),
            treated_too=len(read.treated_too),
            starts=read.starts,
            smallest_group=read.smallest_group,
            periods_before=read.start,
            periods_after=len(read.periods) - read.start,
        )
    if isinstance(sources.series, SeriesRead):
        series = sources.series
        made = replace(
            made,
            series=True,
            season=plan.series.season if plan.series else 1,
            periods_before=max(made.periods_before, series.start),
            periods_after=max(made.periods_after, len(series.periods) - series.start),
        )
    return made


def _split(arms: Arms, plan: Assignment) -> bool | None:
    if plan.share is None:
        return None
    counts = {"treated": arms.treated.n, "control": arms.control.n}
    return sample_ratio_check(counts, {"treated": plan.share, "control": 1.0 - plan.share}).passed


def told_by(plan: Plan, sources: Sources, design: Design) -> Told | Untold:
    """Return the effect by the strongest causal method that the design carries and that does not refuse.

    A stronger method that refuses is named among those passed over. Elasticity and belief are never put in the place
    of a causal method that refused: the refusal is the answer then.
    """
    refusals = [
        source
        for source in (sources.assignment, sources.holdout, sources.panel, sources.series)
        if isinstance(source, CannotTell)
    ]
    if isinstance(sources.panel, PanelRead) and sources.panel.treated_too:
        refusals.append(_treated_too(sources.panel))
    if plan.panel and plan.panel.method and isinstance(sources.panel, PanelRead):
        found = _run_panel(plan, sources.panel, plan.panel.method, ())
        return found if isinstance(found, Told) else Untold(found)
    passed: list[Check] = []
    while True:
        # A belief closes the ladder, so that every rung says why it was passed over.
        choice = choose_method(replace(design, tree_edge=False, belief=True))
        if isinstance(choice, CannotTell) or choice.method not in CAUSAL:
            over = _merged(passed, () if isinstance(choice, CannotTell) else choice.passed_over)
            return Untold(refusals[-1] if refusals else _nothing_carries(plan, over), over)
        tried = _run(plan, sources, choice, _merged(passed, choice.passed_over))
        if isinstance(tried, Told):
            return tried
        refusals.append(tried)
        passed.append(Check(choice.method, False, str(tried)))
        design = _without(design, choice)


def _merged(tried: Sequence[Check], passed: Sequence[Check]) -> tuple[Check, ...]:
    """Return why each stronger method was not taken; what a method itself said goes before what the design said."""
    names = {check.name for check in tried}
    return (*tried, *(check for check in passed if check.name not in names))


def _treated_too(read: PanelRead) -> CannotTell:
    return CannotTell(
        "not_identified",
        f"These controls were treated too: {', '.join(read.treated_too)}. What they show is not what would have "
        "happened without it.",
        "Leave them out of the controls, or give each the day of its start.",
    )


def _nothing_carries(plan: Plan, passed: Sequence[Check]) -> CannotTell:
    """Return a refusal that names what stands in the way of the methods that the design was meant for."""
    meant = {
        "experiment": plan.assignment,
        "holdout": plan.holdout,
        "staggered_adoption": plan.panel and (plan.panel.starts or plan.panel.starts_in),
        "difference_in_differences": plan.panel,
        "synthetic_did": plan.panel,
        "interrupted_series": plan.series,
    }
    why = " ".join(check.sentence for check in passed if meant.get(check.name))
    return CannotTell(
        "not_identified",
        f"Nothing says what would have happened otherwise. {why}".strip(),
        "Keep some units back at random, or record who got the change and when.",
    )


def _without(design: Design, choice: Choice) -> Design:
    """Return the design without the method that refused, so that the next one is looked at."""
    if choice.method == "experiment":
        return replace(design, assignment_log=False)
    if choice.method == "holdout":
        return replace(design, holdout=False)
    if choice.method == "difference_in_differences":
        return replace(design, moved_alike=False)
    if choice.method == "interrupted_series":
        return replace(design, series=False)
    return replace(design, treated_units=0, untreated_units=0)


def _run(plan: Plan, sources: Sources, choice: Choice, passed: tuple[Check, ...]) -> Told | CannotTell:
    if choice.method == "experiment" and plan.assignment and isinstance(sources.assignment, Arms):
        return run_arms(plan.assignment, sources.assignment, "experiment", passed)
    if choice.method == "holdout" and plan.holdout and isinstance(sources.holdout, Arms):
        return run_arms(plan.holdout, sources.holdout, "holdout", passed)
    if choice.method == "interrupted_series" and isinstance(sources.series, SeriesRead):
        return _run_series(plan, sources.series, passed)
    if isinstance(sources.panel, PanelRead):
        return _run_panel(plan, sources.panel, choice.method, passed)
    raise AssertionError(f"{choice.method} was chosen without anything to run it on.")


def run_arms(part: Assignment, arms: Arms, evidence: Any, passed: tuple[Check, ...]) -> Told | CannotTell:
    """Compare two arms; ``evidence`` is experiment or holdout, ``passed`` the stronger methods passed over."""
    given: dict[str, Any] = {
        "level": LEVEL, "treated_share": part.share, "evidence": evidence, "sides": part.sides,
        "fewest": FEWEST_UNITS,
    }  # fmt: skip
    if part.planned_units:
        found = compare_anytime(arms.treated, arms.control, planned_units=part.planned_units, **given)
    else:
        found = compare_arms(arms.treated, arms.control, **given)
    if isinstance(found, CannotTell):
        return found
    checks = []
    if arms.crossed:
        total = arms.treated.n + arms.control.n + arms.crossed
        share = arms.crossed / total
        checks.append(
            Check(
                "one_arm_each",
                share < 0.01,
                f"{arms.crossed:,} of {total:,} units are on record in both arms and were left out ({share:.1%}).",
            )
        )
    relative = found.relative
    figures: dict[str, Any] = {
        "kind": "arms",
        "treated": found.treated,
        "control": found.control,
        "units": [arms.treated.n, arms.control.n],
        "variance_kept": found.variance_kept,
        "covariate": arms.covariate,
        "errors": [_arm_error(arms, True), _arm_error(arms, False)],
    }
    if not isinstance(relative, CannotTell):
        figures["relative"] = [relative.estimate, relative.low, relative.high]
    return Told(found, evidence, arms, passed, tuple(checks), figures)


def _arm_error(arms: Arms, treated: bool) -> float | None:
    """Return the standard error of one arm's plain mean; None for ratios, whose error is the engine's."""
    arm = arms.treated if treated else arms.control
    if arm.d is not None or arm.n < 2:
        return None
    return math.sqrt(max(arm.yy - arm.y**2 / arm.n, 0.0) / (arm.n - 1) / arm.n)


def _run_panel(plan: Plan, read: PanelRead, method: str, passed: tuple[Check, ...]) -> Told | CannotTell:
    controls = read.controls
    runs: Mapping[str, Callable[[], Effect | CannotTell]] = {
        "staggered_adoption": lambda: staggered_effect(read.panel, level=LEVEL),
        "difference_in_differences": lambda: difference_in_differences(
            read.panel, read.treated, controls, read.start, level=LEVEL, seed=SEED
        ),
        "synthetic_control": lambda: synthetic_control(
            read.panel, read.treated, controls, read.start, level=LEVEL, seed=SEED
        ),
        "synthetic_did": lambda: synthetic_did(
            read.panel, read.treated, controls, read.start, level=LEVEL, seed=SEED
        ),
    }
    found = runs[method]()
    if isinstance(found, CannotTell):
        return found
    return Told(found, method, read, passed, read.checks, panel_figures(read, found))


def _run_series(plan: Plan, read: SeriesRead, passed: tuple[Check, ...]) -> Told | CannotTell:
    assert plan.series is not None
    found = interrupted_series(
        [float(value) for value in read.values],
        read.start,
        controls={name: [float(one) for one in values] for name, values in read.controls.items()},
        treated_controls=plan.series.treated_controls,
        season=plan.series.season,
        trend=plan.series.trend,
        level=LEVEL,
    )
    if isinstance(found, CannotTell):
        return found
    return Told(found, "interrupted_series", read, passed, (), series_figures(read, found))
