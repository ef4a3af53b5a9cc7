"""Attribution by segment, and by component and segment at once. No loop runs over segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from potager.engines.answers import CannotTell
from potager.engines.attribution.attribute import (
    formula_game,
    method_of,
    missing_value,
    mixed_state,
    no_value,
)
from potager.engines.attribution.formula import Formula
from potager.engines.attribution.results import ComponentSegmentAttribution, SegmentAttribution
from potager.engines.attribution.shapley import ends, shapley
from potager.engines.attribution.steps import FloatArray

_MEASURES = ("numerator", "denominator")


def attribute_segments(
    kind: Literal["sum", "ratio"], before: pa.Table, after: pa.Table
) -> SegmentAttribution | CannotTell:
    """Take the change of a sum, or of a ratio of sums, apart by segment.

    Both tables have the columns ``segment`` (any type, each value once; null is a segment like others) and
    ``numerator``, for a ratio also ``denominator``. A segment with no row on a side has nothing there: its sums are
    0. A measure that is null is unknown, and then there is no answer.

    With w a segment's share of the denominator and r its ratio, a bar for the mean of before and after, R for the
    whole, and d for after less before::

        within = mean(w) * d(r)        mix = d(w) * (mean(r) - mean(R))

    which adds up to d(R) exactly (Kitagawa 1955, J. Am. Stat. Assoc. 50; the mix is centered on the overall mean, so
    that a segment that grows without differing from the whole contributes nothing). Both together are
    ``d(w * r) - d(w) * mean(R)``, which needs no r: a segment without a denominator on one side has no change within,
    and all it contributes is mix.
    """
    for table, side in ((before, "before"), (after, "after")):
        refusal = _check(kind, table, side)
        if refusal:
            return refusal
    labels = _labels(before), _labels(after)
    if labels[0].type != labels[1].type:
        labels = labels[0], labels[1].cast(labels[0].type)
    segments = pc.unique(pa.concat_arrays(labels))
    present = [_places(label, segments) for label in labels]
    sums = {
        name: [
            _spread(table, name, at, len(segments))
            for table, at in zip((before, after), present, strict=True)
        ]
        for name in _MEASURES[: 1 if kind == "sum" else 2]
    }
    here = [np.zeros(len(segments), dtype=np.bool_) for _ in present]
    for flags, at in zip(here, present, strict=True):
        flags[at] = True
    if kind == "sum":
        first, last = sums["numerator"]
        own = last - first
        return SegmentAttribution(
            kind=kind,
            segments=segments,
            before=first,
            after=last,
            contributions=own,
            within=own,
            mix=np.zeros_like(own),
            appeared=here[1] & ~here[0],
            vanished=here[0] & ~here[1],
            total=float(last.sum() - first.sum()),
            total_before=float(first.sum()),
            total_after=float(last.sum()),
        )
    return _ratio(segments, sums["numerator"], sums["denominator"])


def _ratio(
    segments: pa.Array[Any], numerators: list[FloatArray], denominators: list[FloatArray]
) -> SegmentAttribution | CannotTell:
    overall: list[float] = []
    for numerator, denominator, side in zip(numerators, denominators, ("before", "after"), strict=True):
        if denominator.sum() == 0:
            return CannotTell(
                "undefined",
                f"The denominators of all segments add up to 0 {side}, so the ratio has no value.",
                "Compare periods in which something was counted.",
            )
        overall.append(float(numerator.sum() / denominator.sum()))
    contributions = ratio_contributions(numerators, denominators)
    rates = [quotients(top, below) for top, below in zip(numerators, denominators, strict=True)]
    weights = [below / below.sum() for below in denominators]
    within = np.nan_to_num((weights[0] + weights[1]) / 2 * (rates[1] - rates[0]), nan=0.0)
    return SegmentAttribution(
        kind="ratio",
        segments=segments,
        before=rates[0],
        after=rates[1],
        contributions=contributions,
        within=within,
        mix=contributions - within,
        appeared=(denominators[0] == 0) & (denominators[1] != 0),
        vanished=(denominators[0] != 0) & (denominators[1] == 0),
        total=overall[1] - overall[0],
        total_before=overall[0],
        total_after=overall[1],
    )


def quotients(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; nan where there is no denominator, or one so small that the quotient is no number."""
    with np.errstate(all="ignore"):
        found = numerator / np.where(denominator == 0, np.nan, denominator)
    return np.where(np.isfinite(found), found, np.nan)


def ratio_contributions(
    numerators: list[FloatArray],
    denominators: list[FloatArray],
    totals: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> FloatArray:
    """Return within and mix together, ``d(N_s / D) - d(D_s / D) * mean(N / D)``, for every segment.

    It is linear in the segment's own sums, so that a segment contributes what its sub-segments contribute together.
    ``totals`` are the whole's (N, D) before and after where the arrays are not a partition of it.
    """
    if totals is None:
        pairs = [
            (float(top.sum()), float(below.sum()))
            for top, below in zip(numerators, denominators, strict=True)
        ]
        totals = (pairs[0], pairs[1])
    mean = sum(top / below for top, below in totals) / 2
    tops = [sums / whole[1] for sums, whole in zip(numerators, totals, strict=True)]
    shares = [sums / whole[1] for sums, whole in zip(denominators, totals, strict=True)]
    return np.asarray((tops[1] - tops[0]) - (shares[1] - shares[0]) * mean, dtype=np.float64)


def attribute_components_by_segment(
    formula: Formula,
    before: Mapping[str, FloatArray],
    after: Mapping[str, FloatArray],
    parent: Literal["sum_of_formula", "formula_of_sums"] = "sum_of_formula",
) -> ComponentSegmentAttribution | CannotTell:
    """Say which component moved in which segment; both margins are exact. Arrays have one entry a segment.

    *sum_of_formula*: the parent is the formula of each segment, added up (revenue = sum of orders * order value).
    Every segment's own change is taken apart. A segment that does not exist on a side (an input is nan there and no
    other is anything but 0) has the value 0 there; its change then has no components and stands in a row of its own,
    ``appeared`` or ``vanished``.

    *formula_of_sums*: the parent is the formula of the sums over segments (a ratio: revenue / orders). Each name's
    Shapley value is divided among segments in proportion to their change of that name: the formula sees only the
    sum. Here nan means no rows, a sum of 0.
    """
    for name in formula.names:
        for side, word in ((before, "before"), (after, "after")):
            if name not in side:
                return missing_value(name, word)
    sides = [
        np.array([np.asarray(side[name], dtype=np.float64) for name in formula.names])
        for side in (before, after)
    ]
    if sides[0].ndim != 2 or sides[0].shape != sides[1].shape:
        raise ValueError(
            "Give every name one array with an entry a segment, before and after, all of one length."
        )
    absent = [np.isnan(side).any(axis=0) & (np.isnan(side) | (side == 0)).all(axis=0) for side in sides]
    for values, gone, word in zip(sides, absent, ("before", "after"), strict=True):
        if not np.isfinite(values[:, ~gone]).all():
            return CannotTell(
                "incomplete",
                f"Some segments have only a part of their inputs {word}, or inputs that are not finite.",
                "Load what is missing, or leave these segments out.",
            )
        values[:, gone] = 0
    if parent == "formula_of_sums":
        return _formula_of_sums(formula, sides[0], sides[1])
    return _sum_of_formula(formula, (sides[0], sides[1]), (absent[0], absent[1]))


def _sum_of_formula(
    formula: Formula,
    sides: tuple[FloatArray, FloatArray],
    absent: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> ComponentSegmentAttribution | CannotTell:
    game = formula_game(formula)
    both = ~(absent[0] | absent[1])
    matrix = np.zeros((len(formula.names) + 2, len(both)))
    first, last = (np.where(gone, 0.0, value) for gone, value in zip(absent, ends(game, *sides), strict=True))
    if not (np.isfinite(first) & np.isfinite(last)).all():
        return CannotTell(
            "undefined",
            f"'{formula.text}' has no finite value in some segments, so their sum has none.",
            "Mark a segment that does not exist on a side with nan, or use the formula of the sums.",
        )
    names = formula.names
    found = shapley(game, sides[0][:, both], sides[1][:, both], np.eye(len(names)))
    if not np.isfinite(found.contributions).all():
        return mixed_state(formula.text)
    matrix[: len(names), both] = found.contributions
    matrix[-2] = np.where(absent[0] & ~absent[1], last, 0.0)
    matrix[-1] = np.where(absent[1] & ~absent[0], -first, 0.0)
    rows = [*range(len(names))]
    labels = list(names)
    for at, label, flags in (
        (-2, "appeared", absent[0] & ~absent[1]),
        (-1, "vanished", absent[1] & ~absent[0]),
    ):
        if flags.any():
            rows.append(at)
            labels.append(label)
    total = float(last.sum() - first.sum())
    method = method_of(formula, found)
    return ComponentSegmentAttribution(tuple(labels), matrix[rows], first, last, total, method)


def _formula_of_sums(
    formula: Formula, before: FloatArray, after: FloatArray
) -> ComponentSegmentAttribution | CannotTell:
    game = formula_game(formula)
    sums = [side.sum(axis=1, keepdims=True) for side in (before, after)]
    first, last = ends(game, sums[0], sums[1])
    refusal = no_value(formula.text, float(first[0]), float(last[0]))
    if refusal:
        return refusal
    found = shapley(game, sums[0], sums[1], np.eye(len(formula.names)))
    moved = sums[1] - sums[0]
    # A name whose sum stands still contributes nothing in total, but its segments may have moved against each other:
    # each then counts with the mean slope, which is what contribution / change tends to.
    slope = found.slopes if found.slopes is not None else np.zeros_like(moved)
    stands_still = np.abs(moved) <= 1e-9 * np.abs(after - before).sum(axis=1, keepdims=True)
    each = np.divide(found.contributions, moved, out=slope.copy(), where=~stands_still)
    matrix = each * (after - before)
    if not np.isfinite(matrix).all():
        return mixed_state(formula.text)
    method = method_of(formula, found)
    return ComponentSegmentAttribution(formula.names, matrix, first, last, float(last[0] - first[0]), method)


def _check(kind: str, table: pa.Table, side: str) -> CannotTell | None:
    for name in ("segment", *_MEASURES[: 1 if kind == "sum" else 2]):
        if name not in table.column_names:
            raise ValueError(f"The table {side} has no column '{name}'.")
    if len(pc.unique(table["segment"])) != len(table):
        return CannotTell(
            "ambiguous", f"A segment stands in more than one row {side}.", "Group the table by segment first."
        )
    for name in _MEASURES[: 1 if kind == "sum" else 2]:
        column = table[name]
        if column.null_count:
            return CannotTell(
                "incomplete", f"The {name} of some segments is unknown {side}.", "Load it, or leave them out."
            )
        if not np.isfinite(_numbers(column)).all():
            return CannotTell(
                "undefined", f"The {name} of some segments is not a finite number {side}.", "Mend the data."
            )
    return None


def _labels(table: pa.Table) -> pa.Array[Any]:
    column = table["segment"]
    if isinstance(column.type, pa.DictionaryType):
        column = column.cast(column.type.value_type)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _places(labels: pa.Array[Any], segments: pa.Array[Any]) -> NDArray[np.int64]:
    found = pc.index_in(labels, value_set=segments, skip_nulls=False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _spread(table: pa.Table, name: str, places: NDArray[np.int64], length: int) -> FloatArray:
    """Return the column laid out over all segments, 0 where the segment has no row."""
    spread = np.zeros(length)
    spread[places] = _numbers(table[name])
    return spread


def _numbers(column: pa.ChunkedArray[Any]) -> FloatArray:
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
