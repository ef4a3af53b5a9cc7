"""Which method can a design carry? The strongest is taken, and those passed over say why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from potager.engines.answers import CannotTell
from potager.engines.causal.interrupted import FEWEST_BEFORE as SERIES_BEFORE
from potager.engines.causal.results import Check, EvidenceClass
from potager.engines.causal.synthetic import FEWEST_BEFORE as MIX_BEFORE
from potager.engines.causal.synthetic import FEWEST_CONTROLS

Method = Literal[
    "experiment",
    "holdout",
    "staggered_adoption",
    "difference_in_differences",
    "synthetic_did",
    "interrupted_series",
    "tree_elasticity",
    "belief",
]

_FEW_PER_SIDE = 3
_FEW_PER_ARM = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What there is to go by; what is not known stays at its default.

    ``assignment_log``: units were assigned at random and who got what is on record. ``split_as_planned``: the result
    of :func:`~potager.engines.causal.experiment.sample_ratio_check` (None: not looked at). ``holdout``: a random part
    was kept back. ``arm_units`` and ``holdout_units``: the smaller arm of each. ``treated_units``,
    ``untreated_units``, ``treated_too``: units (or markets, accounts) that got it, never did, and controls found to
    have got it as well. ``starts``: number of different first treated periods. ``smallest_group``: fewest units that
    started together. ``periods_before``, ``periods_after``: regular periods of the outcome. ``moved_alike``: whether
    treated and controls moved alike before the start (None: not looked at). ``series``: the outcome is known as one
    series. ``season``: periods per season. ``redefined``: the metric was measured in another way on the way.
    ``tree_edge``: an estimated edge of the metric tree leads from what moved to the outcome. ``belief``: somebody
    gave a range.
    """

    assignment_log: bool = False
    split_as_planned: bool | None = None
    arm_units: int = 0
    holdout: bool = False
    holdout_units: int = 0
    treated_units: int = 0
    untreated_units: int = 0
    treated_too: int = 0
    starts: int = 0
    smallest_group: int = 0
    periods_before: int = 0
    periods_after: int = 0
    moved_alike: bool | None = None
    series: bool = False
    season: int = 1
    redefined: bool = False
    tree_edge: bool = False
    belief: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The strongest method at hand and its evidence class; ``passed_over``: why each stronger one was not taken."""

    method: Method
    evidence: EvidenceClass
    passed_over: tuple[Check, ...]


def choose_method(design: Design) -> Choice | CannotTell:
    """Name the strongest method that a design carries, with a sentence for every stronger one that it does not.

    In this order: experiment, holdout, staggered adoption, difference-in-differences, synthetic
    difference-in-differences (which needs less than a synthetic control and stands in for it), interrupted series,
    tree elasticity, belief. Refuses where there is nothing to go by, not even a belief. Raises :class:`ValueError` on
    negative counts.
    """
    counts = (
        design.arm_units,
        design.holdout_units,
        design.treated_units,
        design.untreated_units,
        design.treated_too,
        design.starts,
        design.smallest_group,
        design.periods_before,
        design.periods_after,
    )
    if min(counts) < 0 or design.season < 1:
        raise ValueError("Counts are 0 or more, and a season has one period or more.")
    passed_over: list[Check] = []
    for method, evidence, missing in _LADDER:
        why = missing(design)
        if why is None:
            return Choice(method, evidence, tuple(passed_over))
        passed_over.append(Check(method, False, f"No {method.replace('_', ' ')}: {why}"))
    return CannotTell(
        "not_identified",
        "Nothing says what would have happened otherwise: "
        + " ".join(check.sentence for check in passed_over),
        "Keep some units back at random, or record who got the change and when.",
    )


def _no_experiment(design: Design) -> str | None:
    if not design.assignment_log:
        return "no random assignment is on record."
    if design.split_as_planned is False:
        return "the split of units is not the planned one, so some were lost."
    return _common(design) or _few(design.arm_units, "the smaller arm")


def _no_holdout(design: Design) -> str | None:
    if not design.holdout:
        return "no random part was kept back."
    return _common(design) or _few(design.holdout_units, "the holdout")


def _few(units: int, what: str) -> str | None:
    return None if units >= _FEW_PER_ARM else f"{what} holds {units} units of the {_FEW_PER_ARM} it takes."


def _common(design: Design) -> str | None:
    return "the metric was redefined on the way." if design.redefined else None


def _no_panel(design: Design, before: int) -> str | None:
    if not design.treated_units:
        return "no treated units are known."
    if design.treated_too:
        return f"{design.treated_too} of the controls were treated too; leave them out first."
    if design.periods_before < before:
        return f"there are {design.periods_before} periods before the start of the {before} it takes."
    return "there is no period after the start yet." if not design.periods_after else _common(design)


def _no_staggered(design: Design) -> str | None:
    if design.starts < 2:
        return "all units started together."
    if design.smallest_group < _FEW_PER_SIDE:
        return f"some groups that started together have under {_FEW_PER_SIDE} units."
    if design.untreated_units < _FEW_PER_SIDE:
        return "there are too few units that never started, so the last have no clean control."
    return _no_panel(design, 1)


def _no_did(design: Design) -> str | None:
    if design.starts > 1:
        return "units started at different times."
    if min(design.treated_units, design.untreated_units) < _FEW_PER_SIDE:
        return f"it takes {_FEW_PER_SIDE} units on each side."
    if design.moved_alike is False:
        return "both sides already moved apart before the start."
    return _no_panel(design, 1)


def _no_mix(design: Design) -> str | None:
    if design.starts > 1:
        return "units started at different times."
    needed = max(FEWEST_CONTROLS, 2 * design.treated_units)
    if design.untreated_units < needed:
        return f"there are {design.untreated_units} untreated units of the {needed} it takes."
    return _no_panel(design, MIX_BEFORE)


def _no_series(design: Design) -> str | None:
    if not design.series:
        return "the outcome is not known as a regular series."
    needed = max(SERIES_BEFORE, 2 * design.season + 2)
    if design.periods_before < needed:
        return f"there are {design.periods_before} periods before the start of the {needed} it takes."
    return "there is no period after the start yet." if not design.periods_after else _common(design)


def _no_elasticity(design: Design) -> str | None:
    return None if design.tree_edge else "no estimated edge of the tree leads to the outcome."


def _no_belief(design: Design) -> str | None:
    return None if design.belief else "nobody gave a range."


_LADDER: tuple[tuple[Method, EvidenceClass, Callable[[Design], str | None]], ...] = (
    ("experiment", "experiment", _no_experiment),
    ("holdout", "holdout", _no_holdout),
    ("staggered_adoption", "quasi_experiment", _no_staggered),
    ("difference_in_differences", "quasi_experiment", _no_did),
    ("synthetic_did", "quasi_experiment", _no_mix),
    ("interrupted_series", "quasi_experiment", _no_series),
    ("tree_elasticity", "elasticity", _no_elasticity),
    ("belief", "belief", _no_belief),
)
