"""Names that a definition cannot give to anything."""

from __future__ import annotations

# The words DuckDB reserves: a name among them could not stand unquoted in the SQL that MetricFlow writes.
_SQL_WORDS = """
    all analyse analyze and any array as asc asymmetric both case cast check collate column constraint
    create  default deferrable desc describe distinct do else end except false fetch for foreign from
    group having in  initially intersect into lambda lateral leading limit not null offset on only or
    order pivot placing primary  qualify references returning select show some summarize symmetric table
    then to trailing true union unique  unpivot using variadic when where window with
"""
SQL_WORDS = frozenset(_SQL_WORDS.split())
# Names that Potager's own columns and queries use, and MetricFlow's words for time.
RESERVED = frozenset(
    {"metric_time", "rows", "units", "window", "before", "after"}
    | {"nanosecond", "microsecond", "millisecond", "second", "minute", "hour"}
    | {"day", "week", "month", "quarter", "year"}
)
