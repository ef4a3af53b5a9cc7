"""Why a metric moved: down its tree to the leaves, by segment, and over many dimensions at once. All adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.attribution import (
    Attribution,
    ContributionAnalysis,
    Reconciliation,
    SegmentAttribution,
    Tree,
    analyze_contributions,
    attribute_segments,
    attribute_tree,
    grouping_sets,
)
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Metric
from potager.insight.metrics.periods import Period
from potager.insight.metrics.reading import Ran, Where, pins, values
from potager.insight.metrics.semantics import Sums, Window
from potager.insight.metrics.trees import Forest, checks, needs

if TYPE_CHECKING:
    import pyarrow as pa

DEEPEST = 2  # combinations of at most two dimensions: more are too small to act on, and too many to read
MOST_SEGMENTS = 12


@dataclass(frozen=True)
class Explanation:
    """A change taken apart. Whatever cannot be is a :class:`CannotTell` in its place."""

    metric: Metric
    period: Period
    against: Period
    before: float
    after: float
    tree: Attribution | CannotTell
    values_before: Mapping[str, float]
    values_after: Mapping[str, float]
    checks: Sequence[Reconciliation]
    segments: Mapping[str, SegmentAttribution | CannotTell] = field(default_factory=dict)
    findings: ContributionAnalysis | CannotTell | None = None
    ran: tuple[Ran, ...] = ()

    @property
    def change(self) -> float:
        """Return after less before."""
        return self.after - self.before

    @property
    def relative(self) -> float | None:
        """Return the change as a share of before; None where before is nothing."""
        return self.change / abs(self.before) if self.before and np.isfinite(self.change) else None


def explain(
    metric: Metric,
    forest: Forest,
    period: Period,
    against: Period,
    *,
    by: Sequence[str] = (),
    where: Where = (),
    at: Mapping[str, str] | None = None,
) -> Explanation:
    """Take the change of ``metric`` from ``against`` to ``period`` apart.

    Values of the whole tree are two queries, one for each period; all dimensions in ``by`` are one more.
    """
    by = list(dict.fromkeys(by))
    tree = forest.tree(metric.name)
    nodes = [forest.metrics[name] for name in needs(tree)]
    before, ran_before = values(nodes, against, where, at=at)
    after, ran_after = values(nodes, period, where, at=at)
    ran = [ran_before, ran_after]
    observed = before[metric.name], after[metric.name]
    found = _of_tree(tree, before, after)
    segments: dict[str, SegmentAttribution | CannotTell] = {}
    findings: ContributionAnalysis | CannotTell | None = None
    if by:
        sums = _sums(metric, by, against, period, where, at)
        if isinstance(sums, CannotTell):
            segments, findings = dict.fromkeys(by, sums), sums
        else:
            ran.append(
                Ran(f"{metric.name} by {', '.join(by)}", sums.sql, sums.snapshots, sums.engine, sums.seconds)
            )
            segments = {
                name: _of_segments(metric, sums, dimension)
                for name, dimension in zip(by, sums.dimensions, strict=True)
            }
            findings = analyze_contributions(
                _grouped(sums), sums.dimensions, _kind(sums), limit=MOST_SEGMENTS
            )
    return Explanation(
        metric,
        period,
        against,
        *observed,
        found,
        before,
        after,
        checks(tree, after),
        segments,
        findings,
        tuple(ran),
    )


def _of_tree(tree: Tree, before: Mapping[str, float], after: Mapping[str, float]) -> Attribution | CannotTell:
    sides = [{name: side[name] for name in tree.leaves} for side in (before, after)]
    return attribute_tree(tree, sides[0], sides[1], before[tree.root], after[tree.root])


def _sums(
    metric: Metric,
    by: Sequence[str],
    before: Period,
    after: Period,
    where: Where,
    at: Mapping[str, str] | None,
) -> Sums | CannotTell:
    layer = layer_of(metric)
    return layer.component_sums(
        metric.name,
        by,
        Window(before.start, before.end),
        Window(after.start, after.end),
        where=where,
        sets=grouping_sets(by, DEEPEST),
        at=pins(layer, (metric.name,), at),
    )


def _kind(sums: Sums) -> Any:
    return "ratio" if "denominator_before" in sums.table.column_names else "sum"


def _of_segments(metric: Metric, sums: Sums, dimension: str) -> SegmentAttribution | CannotTell:
    kind = _kind(sums)
    parts = ["numerator"] if kind == "sum" else ["numerator", "denominator"]
    distinct = [part for part in parts if not sums.adds_up(part, dimension)]
    if distinct:
        return CannotTell(
            "not_identified",
            f"The segments of {metric.label} by {dimension} overlap, so they do not add up.",
            "Ask by another dimension, or for a metric that counts each thing once.",
        )
    cells = sums.cells(dimension)
    return attribute_segments(kind, *(_side(cells, dimension, parts, side) for side in ("before", "after")))


def _side(cells: pa.Table, dimension: str, parts: Sequence[str], side: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows: Any = cells[f"rows_{side}"]
    there = cells.filter(pc.greater(rows, pa.scalar(0)))
    columns: dict[str, Any] = {
        "segment": there[dimension],
        **{part: _filled(there[f"{part}_{side}"]) for part in parts},
    }
    return pa.table(columns)


def _filled(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(column, 0.0)  # rows are there, and none of them counts


def _grouped(sums: Sums) -> pa.Table:
    """Return the sums as contribution analysis reads them: ``grouping`` as SQL's GROUPING gives it."""
    import pyarrow as pa

    count = len(sums.dimensions)
    in_set = np.asarray(sums.table["grouping_set"].to_numpy(), dtype=np.int64)
    grouping = np.zeros_like(in_set)
    for place in range(count):
        grouping |= (1 - (in_set >> place & 1)) << (count - 1 - place)
    columns: dict[str, Any] = {name: sums.table[name] for name in sums.dimensions}
    columns["grouping"] = pa.chunked_array([grouping])
    names = {"before": "numerator_before", "after": "numerator_after"}
    if _kind(sums) == "ratio":
        names |= {"before_denominator": "denominator_before", "after_denominator": "denominator_after"}
    return pa.table({**columns, **{name: _filled(sums.table[source]) for name, source in names.items()}})
