"""What attribution answers with: frozen records, each with an Arrow table of the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from potager.engines.attribution.steps import FloatArray

Method = Literal["additive", "product", "shapley_exact", "shapley_sampled", "within_mix", "own_change"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one input, node or segment contributes to a change, in the unit of the whole.

    ``standard_error`` is None where the figure is exact. ``note`` says what a reader must know beside the number.
    """

    name: str
    before: float | None
    after: float | None
    contribution: float
    standard_error: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Attribution:
    """A change taken apart: the parts' contributions and ``unexplained`` add up to ``total``.

    ``before`` and ``after`` are the values of the whole (the observed ones where they were given), ``parts`` its
    inputs (of a tree: its leaves), ``nodes`` the inner nodes of a tree, whose contributions are those of the leaves
    under them and so must not be added to ``parts``. ``unexplained`` is the observed change less the computed one.
    """

    total: float
    parts: tuple[Part, ...]
    unexplained: float
    method: Method
    before: float
    after: float
    nodes: tuple[Part, ...] = ()

    @property
    def explained(self) -> float:
        """The change that the parts account for together."""
        return float(sum(part.contribution for part in self.parts))

    def part(self, name: str) -> Part:
        """Return the part, or else the inner node, of this name; raises :class:`KeyError`."""
        for part in (*self.parts, *self.nodes):
            if part.name == name:
                return part
        raise KeyError(name)

    def table(self) -> pa.Table:
        """Return one row for each part, each inner node and what is unexplained.

        Columns: ``role`` (part, node or unexplained; only parts and unexplained add up to the total), ``name``,
        ``before``, ``after``, ``contribution``, ``share`` (of the total; null when the total is 0),
        ``standard_error``, ``note``.
        """
        rest = Part("unexplained", None, None, self.unexplained)
        rows = [*self.parts, *self.nodes, rest]
        roles = ["part"] * len(self.parts) + ["node"] * len(self.nodes) + ["unexplained"]
        return pa.table(
            {
                "role": pa.array(roles, pa.string()),
                "name": pa.array([row.name for row in rows], pa.string()),
                "before": pa.array([row.before for row in rows], pa.float64()),
                "after": pa.array([row.after for row in rows], pa.float64()),
                "contribution": pa.array([row.contribution for row in rows], pa.float64()),
                "share": pa.array([share_of(row.contribution, self.total) for row in rows], pa.float64()),
                "standard_error": pa.array([row.standard_error for row in rows], pa.float64()),
                "note": pa.array([row.note for row in rows], pa.string()),
            }
        )


@dataclass(frozen=True, slots=True)
class ArrayAttribution:
    """The changes of many wholes at once, each taken apart by the same formula.

    ``contributions`` and ``standard_errors`` (None when exact) have the shape (names, wholes); ``before`` and
    ``after`` the shape (wholes,). Where ``undefined`` is true there is no answer for that whole (a division by zero
    somewhere between before and after, or an input that is not finite) and its numbers are nan.
    """

    names: tuple[str, ...]
    contributions: FloatArray
    standard_errors: FloatArray | None
    before: FloatArray
    after: FloatArray
    undefined: NDArray[np.bool_]
    method: Method

    def table(self) -> pa.Table:
        """Return one row a whole: ``before``, ``after`` and a column a name; null where undefined."""
        columns = {"before": self.before, "after": self.after}
        columns |= dict(zip(self.names, self.contributions, strict=True))
        return pa.table({name: pa.array(column, mask=self.undefined) for name, column in columns.items()})


@dataclass(frozen=True, slots=True)
class SegmentAttribution:
    """A change of a sum or a ratio, taken apart by segment; ``contributions`` add up to ``total``.

    Every array has one entry a segment. ``before`` and ``after`` are the segment's own values; of a ratio they are
    nan (null in the table) where the segment has no denominator. For a sum ``within`` equals the contribution and
    ``mix`` is 0.
    """

    kind: Literal["sum", "ratio"]
    segments: pa.Array[Any]
    before: FloatArray
    after: FloatArray
    contributions: FloatArray
    within: FloatArray
    mix: FloatArray
    appeared: NDArray[np.bool_]
    vanished: NDArray[np.bool_]
    total: float
    total_before: float
    total_after: float

    def table(self) -> pa.Table:
        """Return one row a segment, in the order given, with all figures and flags, and ``share`` of the total."""
        share = self.contributions / self.total if self.total else np.full(len(self.segments), np.nan)
        return pa.table(
            {
                "segment": self.segments,
                "before": pa.array(self.before, from_pandas=True),
                "after": pa.array(self.after, from_pandas=True),
                "contribution": pa.array(self.contributions),
                "share": pa.array(share, from_pandas=True),
                "within": pa.array(self.within),
                "mix": pa.array(self.mix),
                "appeared": pa.array(self.appeared),
                "vanished": pa.array(self.vanished),
            }
        )

    def attribution(self) -> Attribution:
        """Return the same figures as parts named by their segment."""
        columns = self.table().to_pydict()
        parts = tuple(
            Part(
                "" if segment is None else str(segment),
                before,
                after,
                contribution,
                note="appeared" if appeared else "vanished" if vanished else "",
            )
            for segment, before, after, contribution, appeared, vanished in zip(
                columns["segment"],
                columns["before"],
                columns["after"],
                columns["contribution"],
                columns["appeared"],
                columns["vanished"],
                strict=True,
            )
        )
        method: Method = "own_change" if self.kind == "sum" else "within_mix"
        rest = self.total - float(self.contributions.sum())
        return Attribution(self.total, parts, rest, method, self.total_before, self.total_after)


@dataclass(frozen=True, slots=True)
class ComponentSegmentAttribution:
    """Which factor moved in which segment: ``contributions`` has the shape (components, segments).

    Its sum is ``total``, its row sums ``by_component``, its column sums ``by_segment``. ``before`` and ``after`` are
    the parent's value in each segment where the parent is a sum over segments, else the parent's own (one entry).
    """

    components: tuple[str, ...]
    contributions: FloatArray
    before: FloatArray
    after: FloatArray
    total: float
    method: Method

    @property
    def by_component(self) -> FloatArray:
        """What each component contributes over all segments."""
        return np.asarray(self.contributions.sum(axis=1))

    @property
    def by_segment(self) -> FloatArray:
        """What each segment contributes through all components."""
        return np.asarray(self.contributions.sum(axis=0))

    def table(self, segments: pa.Array[Any]) -> pa.Table:
        """Return one row a segment: its label, a column a component, and ``total``."""
        columns = {name: pa.array(row) for name, row in zip(self.components, self.contributions, strict=True)}
        return pa.table({"segment": segments, **columns, "total": pa.array(self.by_segment)})


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whether a parent's observed value equals its formula over its children's observed values.

    ``computed``, ``difference`` (observed less computed) and ``holds`` are None where ``note`` says why it cannot be
    checked.
    """

    parent: str
    observed: float
    computed: float | None
    difference: float | None
    holds: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A changed assumption carried up a tree: every node's value as it is and as it would be."""

    before: Mapping[str, float] = field(hash=False)
    after: Mapping[str, float] = field(hash=False)
    attribution: Attribution

    def table(self) -> pa.Table:
        """Return one row a node: ``name``, ``before``, ``after``, ``change``."""
        names = list(self.before)
        before, after = (np.array([side[name] for name in names]) for side in (self.before, self.after))
        return pa.table(
            {
                "name": pa.array(names, pa.string()),
                "before": pa.array(before, from_pandas=True),
                "after": pa.array(after, from_pandas=True),
                "change": pa.array(after - before, from_pandas=True),
            }
        )


def share_of(part: float, whole: float) -> float | None:
    """Return the part's share, or None when the whole is 0 and no part has one."""
    return part / whole if whole else None
