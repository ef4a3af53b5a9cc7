"""Reading a table that was grouped by many combinations of dimensions at once.

The contract (what ``GROUP BY GROUPING SETS`` gives):

- one column a dimension, of any type; null where the dimension is rolled up, or where the value itself is unknown;
- ``grouping``, an integer as SQL's ``GROUPING(first, second, ...)`` returns it over the dimensions in the order given:
  the first dimension is the highest bit, and a bit is 1 where the dimension is rolled up. It tells the two nulls apart;
- ``before`` and ``after``, the sums to explain; for a ratio these are the numerators, and ``before_denominator`` and
  ``after_denominator`` come with them;
- one row, with every bit set, is the whole. Where a set of dimensions is in the table, a combination of values that is
  not there has no rows on either side.

In SQL, with ``coalesce`` because a sum over no rows is 0 here::

    SELECT country, plan, GROUPING(country, plan) AS grouping,
           coalesce(sum(revenue) FILTER (WHERE period = 'before'), 0) AS before,
           coalesce(sum(revenue) FILTER (WHERE period = 'after'), 0) AS after
    FROM lines GROUP BY GROUPING SETS ((), (country), (plan), (country, plan))
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from potager.engines.answers import CannotTell
from potager.engines.attribution.steps import FloatArray

Codes = NDArray[np.int32]
MOST_DIMENSIONS = 30


def grouping_sets(dimensions: Sequence[str], depth: int) -> list[tuple[str, ...]]:
    """Return every combination of at most ``depth`` dimensions, the empty one (the whole) first.

    Raises :class:`ValueError` for a dimension named twice or a negative depth.
    """
    if len(set(dimensions)) != len(dimensions):
        raise ValueError("A dimension is named twice.")
    if depth < 0:
        raise ValueError("The depth of the grouping cannot be negative.")
    return [
        chosen for size in range(min(depth, len(dimensions)) + 1) for chosen in combinations(dimensions, size)
    ]


class GroupedSums:
    """A grouped table as numbers: ``codes`` (rows, dimensions), 0 where rolled up, and the sums beside them."""

    def __init__(
        self,
        dimensions: Sequence[str],
        codes: Codes,
        values: list[pa.Array[Any]],
        measures: dict[str, FloatArray],
    ) -> None:
        self.dimensions = tuple(dimensions)
        self.codes = codes
        self.measures = measures
        self._values = values
        self.depth: NDArray[np.int64] = np.asarray((codes > 0).sum(axis=1), dtype=np.int64)
        self._keys = _keys(codes)
        self._sorted = np.argsort(self._keys, kind="stable")
        self._bits = 1 << np.arange(codes.shape[1], dtype=np.int64)
        self._sets = np.unique((codes > 0) @ self._bits)

    @property
    def whole(self) -> int:
        """The row of the whole."""
        return int(np.flatnonzero(self.depth == 0)[0])

    @property
    def repeated(self) -> bool:
        """Whether a combination of values stands in more than one row."""
        ordered = self._keys[self._sorted]
        return bool((ordered[1:] == ordered[:-1]).any())

    def find(self, codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return each combination's row (-1 where there is none) and whether its set of dimensions was grouped."""
        keys = _keys(codes)
        at = np.minimum(np.searchsorted(self._keys, keys, sorter=self._sorted), len(self._keys) - 1)
        rows = self._sorted[at]
        found = np.where(self._keys[rows] == keys, rows, -1)
        return found, np.isin((codes > 0) @ self._bits, self._sets)

    def conditions(self, row: int) -> tuple[tuple[str, Any], ...]:
        """Return the dimensions and values that make the row's segment."""
        return tuple(
            (name, self._values[at][int(code) - 1].as_py())
            for at, (name, code) in enumerate(zip(self.dimensions, self.codes[row], strict=True))
            if code
        )


def read_grouped(
    table: pa.Table, dimensions: Sequence[str], measures: Sequence[str]
) -> GroupedSums | CannotTell:
    """Read the table by the contract of this module. Raises :class:`ValueError` when a column is missing."""
    for name in (*dimensions, "grouping", *measures):
        if name not in table.column_names:
            raise ValueError(f"The grouped table has no column '{name}'.")
    if not 0 < len(dimensions) <= MOST_DIMENSIONS:
        raise ValueError(f"Give between 1 and {MOST_DIMENSIONS} dimensions.")
    sums: dict[str, FloatArray] = {}
    for name in measures:
        if table[name].null_count:
            return CannotTell(
                "incomplete",
                f"The column '{name}' has unknown values.",
                "Write 0 where a segment has no rows, and load what is missing.",
            )
        sums[name] = np.asarray(pc.cast(table[name], pa.float64(), safe=False).to_numpy(), dtype=np.float64)
        if not np.isfinite(sums[name]).all():
            return CannotTell(
                "undefined", f"The column '{name}' has values that are not finite numbers.", "Mend the data."
            )
    rolled = np.asarray(table["grouping"].to_numpy(), dtype=np.int64)
    codes = np.zeros((len(table), len(dimensions)), dtype=np.int32)
    values: list[pa.Array[Any]] = []
    for at, name in enumerate(dimensions):
        encoded = _encode(table[name])
        present = rolled >> (len(dimensions) - 1 - at) & 1 == 0
        codes[:, at] = np.where(present, encoded.indices.to_numpy(zero_copy_only=False) + 1, 0)
        values.append(encoded.dictionary)
    grouped = GroupedSums(dimensions, codes, values, sums)
    if not (grouped.depth == 0).any():
        return CannotTell(
            "incomplete", "The grouped table has no row for the whole.", "Add the empty grouping set ()."
        )
    if grouped.repeated:
        return CannotTell(
            "ambiguous", "A segment stands in more than one row.", "Group by each set of dimensions once."
        )
    return grouped


def _encode(column: pa.ChunkedArray[Any]) -> pa.DictionaryArray[Any, Any]:
    plain = column.cast(column.type.value_type) if isinstance(column.type, pa.DictionaryType) else column
    array = pa.concat_arrays(plain.chunks) if plain.num_chunks else pa.array([], plain.type)
    return array.dictionary_encode(null_encoding="encode")


def _keys(codes: Codes) -> NDArray[np.bytes_]:
    """Return one comparable key a row: its codes as big-endian bytes, which sort like the codes."""
    plain = np.ascontiguousarray(codes.astype(">i4"))
    return np.asarray(plain.view(f"S{plain.shape[1] * 4}")[:, 0])
