"""What is asked of the semantic layer and what comes back: plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
Operator = Literal[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not_in",
    "between",
    "contains",
    "starts_with",
    "is_null",
    "not_null",
]
Value = str | int | float | bool | Decimal | date | datetime | None
METRIC_TIME = "metric_time"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a dimension or entity, as data: values never become SQL by concatenation.

    ``=``, ``in``, ``!=`` and ``not_in`` treat a missing value as a value: ``("country", "=", (None,))`` finds rows
    without a country, and ``!=`` keeps them, so that a segment and its complement add up to the whole.
    ``contains`` and ``starts_with`` ignore case. ``between`` takes two values, both included.
    """

    dimension: str
    op: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days from ``start`` to ``end``, both included."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A question to the semantic layer.

    ``group_by`` names dimensions and entities, in full (``order_line__country``) or by their last part where that is
    clear; a time dimension may carry its grain (``order_line__shipped_at__month``). ``grain`` adds the column
    ``metric_time``. ``start`` and ``end`` are days, both included. ``order_by`` names result columns, ``-`` first for
    descending; without it rows come in the order of the group-by columns.
    """

    metrics: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    grain: Grain | None = None
    start: date | None = None
    end: date | None = None
    where: tuple[Condition, ...] = ()
    limit: int | None = None
    order_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricResult:
    """The answer to a :class:`MetricQuery`, with what a receipt needs.

    ``table`` has ``metric_time`` (a date) when a grain was asked for, one column per group-by, one per metric.
    ``notes`` are sentences a reader must see, such as a range that had to be widened to whole periods.
    """

    table: pa.Table
    sql: str
    snapshots: Mapping[str, str]
    engine: str
    seconds: float
    definition_hash: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DimensionInfo:
    """What a metric can be split or filtered by.

    ``name`` is unambiguous, ``short`` its last part. ``kind`` is categorical, time or entity; ``grain`` is the finest
    grain of a time dimension. ``model`` defines it, ``expression`` is its SQL over the model's table.
    """

    name: str
    short: str
    kind: Literal["categorical", "time", "entity"]
    label: str
    description: str
    model: str
    expression: str
    grain: str | None = None


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """A metric as the definitions describe it. ``inputs`` are metrics; ``measures`` and ``models`` what they rest on.

    ``meta`` is what the definition says under ``meta``; ``synonyms`` are taken from it. ``source`` and ``line`` say
    where it is written (line 0 when a measure made it). ``adds_up`` says whether the value of a stretch of time is the
    sum of its parts: so for sums and counts of rows, not for ratios, distinct values, balances or offsets.
    """

    name: str
    label: str
    description: str
    kind: str
    inputs: tuple[str, ...]
    measures: tuple[str, ...]
    models: tuple[str, ...]
    tables: tuple[str, ...]
    dimensions: tuple[str, ...]
    synonyms: tuple[str, ...]
    formula: str
    filters: tuple[str, ...]
    meta: Mapping[str, object]
    source: str
    line: int
    adds_up: bool
