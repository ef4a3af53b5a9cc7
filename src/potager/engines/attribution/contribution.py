"""Contribution analysis: which segments, over many dimensions at once, moved more than their size predicts.

Sources and what is taken from each:

- BigQuery's contribution analysis (``ML.GET_INSIGHTS``): the contract (a control and a test sum for every combination
  of dimension values, a minimum support, redundant insights pruned, the difference set against an expected one). Its
  expectation comes from the segment's complement; the ranking here uses the segment's share of the whole before, and
  the complement comes in where found segments are taken out (below).
- Adtributor (Bhagwan et al. 2014, "Adtributor: revenue debugging in advertising systems", NSDI): explanatory power
  (here ``share``, the part of the whole change) and surprise (the Jensen-Shannon term of the segment's shares before
  and after). It looks at one dimension at a time; here combinations compete with their parents.
- The contribution to a change of a ratio is linear in the segment's sums
  (:func:`~potager.engines.attribution.segments.ratio_contributions`), so ratios need no method of their own.

How redundant segments are pruned: :mod:`potager.engines.attribution.pruning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from potager.engines.answers import CannotTell
from potager.engines.attribution.grouping import GroupedSums, read_grouped
from potager.engines.attribution.pruning import Figures, Search, union_of
from potager.engines.attribution.results import share_of
from potager.engines.attribution.segments import quotients, ratio_contributions
from potager.engines.attribution.steps import FloatArray

_COLUMNS = (
    "before",
    "after",
    "change",
    "relative_change",
    "contribution",
    "expected",
    "excess",
    "share",
    "support",
    "surprise",
    "times_noise",
)


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """A segment that moved more, or less, than its size predicts.

    ``before`` and ``after`` are the metric in the segment (None for a ratio without a denominator), ``change`` and
    ``relative_change`` (None where before is 0) its own change. ``contribution`` is the segment's part of the change
    of the whole (for a sum the same as ``change``), ``expected`` what its share of the whole before would have made
    it, ``excess`` the difference, ``share`` the contribution over the change of the whole (None when that is 0).
    ``support`` is the larger of its shares of the whole before and after; ``surprise`` is None for ratios and for
    negative sums. ``times_noise`` is how many times the scatter that is typical of segments of its size it stands out
    (None when there are too few segments, or no scatter, to tell).
    """

    conditions: tuple[tuple[str, Any], ...]
    before: float | None
    after: float | None
    change: float | None
    relative_change: float | None
    contribution: float
    expected: float
    excess: float
    share: float | None
    support: float
    surprise: float | None
    times_noise: float | None
    appeared: bool
    vanished: bool

    @property
    def label(self) -> str:
        """The segment in words, such as ``country = DE, plan unknown``."""
        return ", ".join(
            f"{name} unknown" if value is None else f"{name} = {value}" for name, value in self.conditions
        )


@dataclass(frozen=True, slots=True)
class ContributionAnalysis:
    """The segments found, largest excess first, and how much of the change they cover together.

    ``covered`` is the contribution of the rows that lie in any listed segment, each row counted once;
    ``covered_share`` its part of ``change`` (None when that is 0). ``uncounted`` listed segments overlap others in
    ways that the grouping is too shallow to show; they are not in ``covered``. ``considered`` segments had enough
    support, ``redundant`` of them stood out and were dropped because chosen ones account for them, and ``noise`` of
    those chosen were given up because chance alone makes some of so many segments stand out as much.
    """

    kind: Literal["sum", "ratio"]
    before: float
    after: float
    change: float
    segments: tuple[SegmentFinding, ...]
    covered: float
    covered_share: float | None
    uncounted: int
    considered: int
    redundant: int
    noise: int

    @property
    def statement(self) -> str:
        """What the list covers, in a sentence."""
        if not self.segments:
            beyond = " beyond what chance makes some do" if self.noise else ""
            return f"No segment moved differently from what its size predicts{beyond}."
        count = len(self.segments) - self.uncounted
        who = "The segment listed holds" if count == 1 else f"The {count} segments listed hold"
        rest = f"{self.change - self.covered:,.6g}"
        share = "" if self.covered_share is None else f" ({self.covered_share:.0%})"
        sentence = (
            f"{who} {self.covered:,.6g} of a change of {self.change:,.6g}{share}; all else moved by {rest}."
        )
        if self.uncounted:
            sentence += (
                f" {self.uncounted} more listed overlap these in ways that the grouping is too shallow to show, "
                "and are not counted."
            )
        return sentence

    def table(self) -> pa.Table:
        """Return one row a segment: its label, its dimensions and values (as text), and every figure."""
        rows = self.segments
        columns: dict[str, pa.Array[Any]] = {
            "segment": pa.array([row.label for row in rows], pa.string()),
            "dimensions": pa.array(
                [[name for name, _ in row.conditions] for row in rows], pa.list_(pa.string())
            ),
            "values": pa.array(
                [[None if value is None else str(value) for _, value in row.conditions] for row in rows],
                pa.list_(pa.string()),
            ),
        }
        for name in _COLUMNS:
            columns[name] = pa.array([getattr(row, name) for row in rows], pa.float64())
        for name in ("appeared", "vanished"):
            columns[name] = pa.array([getattr(row, name) for row in rows], pa.bool_())
        return pa.table(columns)


def analyze_contributions(
    table: pa.Table,
    dimensions: Sequence[str],
    kind: Literal["sum", "ratio"] = "sum",
    *,
    limit: int = 10,
    minimum_support: float = 0.01,
    minimum_excess: float = 0.05,
    redundancy: float = 0.3,
    above_noise: float = 1.25,
) -> ContributionAnalysis | CannotTell:
    """Find the segments that moved more than their size predicts, in a table grouped by many dimensions at once.

    ``table`` follows the contract of :mod:`potager.engines.attribution.grouping`. ``minimum_support`` is the least
    share of the whole, before or after. A segment is listed while the excess that listed ones do not account for is
    at least ``minimum_excess`` of the largest excess and ``redundancy`` of its own, and if it stands out by at least
    ``above_noise`` times what the largest of so many would by chance (0 lists all).

    Cannot tell when the whole before is 0 (no segment has a share of it), when a denominator of the whole is 0, when
    a value is unknown, or when the table has no row for the whole or two for a segment.
    """
    measures = ("before", "after") + (("before_denominator", "after_denominator") if kind == "ratio" else ())
    grouped = read_grouped(table, dimensions, measures)
    if isinstance(grouped, CannotTell):
        return grouped
    figures = _ratio_figures(grouped) if kind == "ratio" else _sum_figures(grouped)
    if isinstance(figures, CannotTell):
        return figures
    pool = np.flatnonzero((grouped.depth > 0) & (figures.support >= minimum_support))
    pool = pool[np.argsort(grouped.depth[pool], kind="stable")]
    search = Search(grouped, figures, pool, minimum_excess, redundancy, above_noise)
    chosen = search.choose(limit)
    largest = max((abs(figures.excess[row]) for row in chosen), default=1.0)
    # Rounded, so that equal ones stay in the order in which they were chosen.
    ranked = sorted(chosen, key=lambda row: -round(float(abs(figures.excess[row]) / largest), 9))
    covered, uncounted = union_of(grouped, figures.contribution, ranked)
    change = float(figures.contribution[grouped.whole])
    return ContributionAnalysis(
        kind=kind,
        before=float(figures.before[grouped.whole]),
        after=float(figures.after[grouped.whole]),
        change=change,
        segments=tuple(_finding(grouped, figures, row, change, chosen[row]) for row in ranked),
        covered=covered,
        covered_share=share_of(covered, change),
        uncounted=uncounted,
        considered=len(pool),
        redundant=search.redundant,
        noise=search.noise,
    )


def _figures(
    before: FloatArray,
    after: FloatArray,
    contribution: FloatArray,
    bases: tuple[FloatArray, FloatArray],
    whole: int,
    surprise: bool,
) -> Figures:
    shares = [base / base[whole] if base[whole] else np.zeros_like(base) for base in bases]
    both = np.abs(shares)
    weight = [float(bool(base[whole])) for base in bases]
    with np.errstate(all="ignore"):
        half = sum(share * np.log(2 * share / (shares[0] + shares[1])) for share in shares) / 2
        one_sided = (shares[0] + shares[1]) / 2 * np.log(2)
    surprises = np.where((shares[0] == 0) | (shares[1] == 0), one_sided, half)
    known = surprise and all(weight)
    return Figures(
        before=before,
        after=after,
        contribution=contribution,
        share_before=shares[0],
        size=(both[0] + both[1]) / sum(weight),
        support=np.maximum(both[0], both[1]),
        surprise=np.where((shares[0] >= 0) & (shares[1] >= 0) & known, surprises, np.nan),
        appeared=(bases[0] == 0) & (bases[1] != 0),
        vanished=(bases[0] != 0) & (bases[1] == 0),
        excess=contribution - shares[0] * contribution[whole],
    )


def _sum_figures(grouped: GroupedSums) -> Figures | CannotTell:
    before, after = grouped.measures["before"], grouped.measures["after"]
    if before[grouped.whole] == 0:
        return CannotTell(
            "undefined",
            "The whole was 0 before, so no segment has a share of it that would predict its change.",
            "Compare with a period in which there was something.",
        )
    return _figures(before, after, after - before, (before, after), grouped.whole, surprise=True)


def _ratio_figures(grouped: GroupedSums) -> Figures | CannotTell:
    whole = grouped.whole
    tops = [grouped.measures["before"], grouped.measures["after"]]
    belows = [grouped.measures["before_denominator"], grouped.measures["after_denominator"]]
    for below, side in zip(belows, ("before", "after"), strict=True):
        if below[whole] == 0:
            return CannotTell(
                "undefined",
                f"The denominator of the whole is 0 {side}, so the ratio has no value.",
                "Compare periods in which something was counted.",
            )
    rates = [quotients(top, below) for top, below in zip(tops, belows, strict=True)]
    totals = ((tops[0][whole], belows[0][whole]), (tops[1][whole], belows[1][whole]))
    contribution = ratio_contributions(tops, belows, totals)
    return _figures(rates[0], rates[1], contribution, (belows[0], belows[1]), whole, surprise=False)


def _finding(
    grouped: GroupedSums, figures: Figures, row: int, change: float, times_noise: float | None
) -> SegmentFinding:
    before, after = _known(figures.before[row]), _known(figures.after[row])
    own = None if before is None or after is None else after - before
    contribution = float(figures.contribution[row])
    excess = float(figures.excess[row])
    return SegmentFinding(
        conditions=grouped.conditions(row),
        before=before,
        after=after,
        change=own,
        relative_change=own / abs(before) if own is not None and before else None,
        contribution=contribution,
        expected=contribution - excess,
        excess=excess,
        share=share_of(contribution, change),
        support=float(figures.support[row]),
        surprise=_known(figures.surprise[row]),
        times_noise=times_noise,
        appeared=bool(figures.appeared[row]),
        vanished=bool(figures.vanished[row]),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
