"""MetricFlow's query parser, made to take days as they are asked for.

MetricFlow widens a time range to whole periods of the grain: 3 to 15 January by month becomes all of January, and
nothing says so. Where the metrics allow it the range is kept to the day.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@lru_cache(maxsize=1)
def _parser_class() -> Any:
    from metricflow_semantics.query.query_parser import MetricFlowQueryParser

    class ExactTimeParser(MetricFlowQueryParser):  # type: ignore[misc]
        keeps_days = False

        @contextmanager
        def keeping_days(self, keep: bool) -> Iterator[None]:
            """Keep ranges to the day inside the block; the caller holds the layer's lock."""
            self.keeps_days = keep
            try:
                yield
            finally:
                self.keeps_days = False

        def _adjust_time_constraint(
            self, resolution_dag: Any, time_dimension_specs_in_query: Any, time_constraint: Any
        ) -> Any:
            if self.keeps_days:
                return time_constraint
            return super()._adjust_time_constraint(
                resolution_dag=resolution_dag,
                time_dimension_specs_in_query=time_dimension_specs_in_query,
                time_constraint=time_constraint,
            )

    return ExactTimeParser


def exact_time_parser(lookup: Any) -> Any:
    """Return a query parser over ``lookup`` with a ``keeping_days(keep)`` context."""
    return _parser_class()(semantic_manifest_lookup=lookup)
