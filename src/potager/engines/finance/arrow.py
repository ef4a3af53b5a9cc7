"""Columns between Arrow and numpy: whole numbers, days, words and names as codes, without a loop over rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from potager.engines.finance.money import Flags, Whole

EPOCH = date(1970, 1, 1)
OPEN = int(np.iinfo(np.int32).max)
"""The day number that stands for "not ended"."""


def whole(column: Any) -> Whole:
    """Return an Arrow column without nulls as 64-bit integers."""
    return np.asarray(column.to_numpy(), dtype=np.int64)


def flags(column: Any) -> Flags:
    """Return an Arrow column of truth values as numpy's; null is false."""
    return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def codes(column: Any) -> tuple[Whole, Any]:
    """Return each row's place among the column's sorted distinct values, and those values. Nulls are not allowed."""
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    if isinstance(chunked.type, pa.DictionaryType):
        chunked = chunked.cast(chunked.type.value_type)
    if not len(chunked):
        return np.zeros(0, dtype=np.int64), pa.array([], chunked.type)
    encoded: Any = pa.concat_arrays(chunked.chunks).dictionary_encode()
    order = whole(pc.array_sort_indices(encoded.dictionary))
    place: Whole = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[whole(encoded.indices)], taken(encoded.dictionary, order)


def taken(values: Any, at: Whole) -> Any:
    """Return the values at these places as an Arrow array."""
    return values.take(pa.array(at, pa.int64()))


def places(column: Any, words: tuple[str, ...]) -> Whole:
    """Return the place of each row's word among ``words``; −1 where it is none of them."""
    found: Any = pc.index_in(column, value_set=pa.array(words))
    return whole(found.fill_null(-1))


def day_number(day: date) -> int:
    """Return the days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """Return the date of a day number."""
    return date.fromordinal(number + EPOCH.toordinal())


def days(column: Any) -> Whole:
    """Return dates as days since 1970-01-01; null is :data:`OPEN`."""
    return whole(column.cast(pa.date32()).cast(pa.int32()).fill_null(OPEN))


def dates(numbers: Whole) -> Any:
    """Return days since 1970-01-01 as Arrow dates."""
    return pa.array(numbers.astype(np.int32), pa.int32()).cast(pa.date32())


def up_to(table: pa.Table, on: date) -> pa.Table:
    """Return the rows of a table with a ``date`` whose date is not after a day."""
    return table.filter(pa.array(days(table["date"]) <= day_number(on)))
