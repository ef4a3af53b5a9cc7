"""The semantic layer over a warehouse: metrics by name, answered as Arrow tables with what a receipt needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from potager.engines.answers import CannotTell
from potager.insight.metrics.semantics import compiled as compiling
from potager.insight.metrics.semantics.checks import validate
from potager.insight.metrics.semantics.completeness import Completeness, completeness_query, read_completeness
from potager.insight.metrics.semantics.components import components_of
from potager.insight.metrics.semantics.conditions import containing, like
from potager.insight.metrics.semantics.describe import Lineage, lineage, metric_info
from potager.insight.metrics.semantics.documents import Document
from potager.insight.metrics.semantics.expressions import DIALECT
from potager.insight.metrics.semantics.findings import refuse
from potager.insight.metrics.semantics.query import MOST_ROWS, Statement, plan
from potager.insight.metrics.semantics.rows import row_query
from potager.insight.metrics.semantics.shapes import (
    Condition,
    DimensionInfo,
    MetricInfo,
    MetricQuery,
    MetricResult,
    Window,
)
from potager.insight.metrics.semantics.spine import TimeColumn
from potager.insight.metrics.semantics.statements import finest_grain, leaves, time_columns
from potager.insight.metrics.semantics.sums import (
    Sums,
    SumsStatement,
    UnitSums,
    sums_statement,
    unit_statement,
)
from potager.insight.metrics.semantics.vocabulary import dimensions_of, known_metric, resolve
from potager.kit.errors import Invalid

if TYPE_CHECKING:
    from potager.ground.lake.warehouse import Warehouse

Snapshots = Mapping[str, str]
BEFORE, AFTER = "before", "after"


class SemanticLayer:
    """Definitions over a warehouse.

    Definitions are checked and compiled once per content and process, whatever the number of layers made of them; a
    layer itself is cheap and may be shared between threads. Building it raises
    :class:`~potager.kit.errors.Invalid` naming every line that is wrong.
    """

    def __init__(
        self, documents: Sequence[Document], warehouse: Warehouse, *, namespace: str = "main"
    ) -> None:
        self.documents = tuple(documents)
        self.warehouse = warehouse
        tables = warehouse.tables()
        self._compiled = compiling.compile_documents(
            self.documents,
            namespace=namespace,
            tables=tuple(tables),
            before=lambda: refuse(validate(self.documents, tables, namespace=namespace)),
        )

    @property
    def hash(self) -> str:
        """Return a hash of all definitions and the tables they read."""
        return self._compiled.hash

    # What there is

    def metrics(self) -> list[MetricInfo]:
        """Return every metric, in the order of its name."""
        return [metric_info(self._compiled, name) for name in sorted(self._compiled.metrics)]

    def metric(self, name: str) -> MetricInfo:
        """Return one metric; raise :class:`~potager.kit.errors.NotFound` with the nearest names."""
        known_metric(self._compiled, name)
        return metric_info(self._compiled, name)

    def dimensions(self, *metrics: str) -> list[DimensionInfo]:
        """Return what all of ``metrics`` can be split and filtered by."""
        for name in metrics:
            known_metric(self._compiled, name)
        return list(dimensions_of(self._compiled, metrics).values())

    def dated_by(self, *metrics: str) -> str:
        """Return the coarsest grain that the rows of the metrics are dated by: ``hour``, ``day``, ``month`` …"""
        for name in metrics:
            known_metric(self._compiled, name)
        return finest_grain(self._compiled, metrics)

    def lineage(self) -> Lineage:
        """Return what uses what: tables, columns, measures, metrics."""
        return lineage(self._compiled)

    def definition_hash(self, *metrics: str) -> str:
        """Return a hash that changes exactly when what the metrics compute changes."""
        for name in metrics:
            known_metric(self._compiled, name)
        return compiling.definition_hash(self._compiled, metrics)

    # What it was

    def sql(self, query: MetricQuery) -> str:
        """Return the SQL that :meth:`query` would run, in DuckDB's dialect."""
        return self._text(self._statement(query, None).query)

    def query(self, query: MetricQuery, at: Snapshots | None = None) -> MetricResult:
        """Return the answer to ``query``, on the snapshots ``at`` (by table) or the latest ones.

        Raises :class:`NotFound` for unknown names and :class:`Invalid` for what cannot be asked.
        """
        statement = self._statement(query, at)
        sql = self._text(statement.query)
        result = self.warehouse.query(sql, at=at)
        return MetricResult(
            table=_plain_numbers(result.table),
            sql=sql,
            snapshots=result.snapshots,
            engine=result.engine,
            seconds=result.seconds,
            definition_hash=compiling.definition_hash(
                self._compiled, [name.lower() for name in query.metrics]
            ),
            notes=statement.notes,
        )

    def dimension_values(
        self,
        metric: str,
        dimension: str,
        *,
        limit: int = 100,
        search: str = "",
        at: Snapshots | None = None,
    ) -> pa.Table:
        """Return the values of a dimension among the rows of a metric, the most frequent first.

        Columns ``value`` and ``rows``. ``search`` keeps values that contain the text, whatever its case.
        """
        if not 0 < limit <= MOST_ROWS:
            raise Invalid(
                f"A limit of {limit} is not possible.", mend=f"Give a number from 1 to {MOST_ROWS:,}."
            )
        known_metric(self._compiled, metric)
        grouping = resolve(self._compiled, (metric,), dimension)
        simple = self._compiled.simple[leaves(self._compiled, [metric])[0]]
        row_input = self._compiled.simple[simple.row_input]
        rows = row_query(self._compiled, [row_input], [grouping]).query
        value = exp.column(grouping.column, quoted=True)
        counted = exp.Count(this=exp.Star())
        rows.set("expressions", [value.as_("value"), counted.as_("rows")])
        if search:
            rows = rows.where(like(value, containing(search)), copy=False)
        order = [
            exp.Ordered(this=exp.column("rows"), desc=True, nulls_first=False),
            exp.Ordered(this=exp.column("value"), nulls_first=False),
        ]
        rows = rows.group_by(value.copy()).order_by(*order).limit(limit)
        return self.warehouse.query(self._text(rows), at=at).table

    def completeness(
        self, metric: str, *, start: date | None = None, end: date | None = None, at: Snapshots | None = None
    ) -> Completeness:
        """Return until when the data behind a metric goes, which days and which values are missing."""
        known_metric(self._compiled, metric)
        result = self.warehouse.query(
            self._text(completeness_query(self._compiled, metric, start, end)), at=at
        )
        tables = read_completeness(self._compiled, metric, result.table)
        return Completeness(metric, tables, result.sql, result.snapshots)

    # What it is made of

    def component_sums(
        self,
        metric: str,
        dimensions: Sequence[str],
        before: Window,
        after: Window,
        *,
        where: Sequence[Condition] = (),
        sets: Sequence[Sequence[str]] | None = None,
        at: Snapshots | None = None,
    ) -> Sums | CannotTell:
        """Return the sums behind a metric in two windows, in total and by each dimension (or by ``sets`` of them).

        Columns ``numerator_before``, ``numerator_after``, and the same for ``denominator`` where the metric is a ratio.
        :class:`CannotTell` for metrics that no sums make up.
        """
        known_metric(self._compiled, metric)
        made = components_of(self._compiled, metric)
        if isinstance(made, CannotTell):
            return made
        statement = sums_statement(
            self._compiled,
            [metric],
            dimensions,
            {BEFORE: before, AFTER: after},
            where=where,
            sets=sets,
            name_parts=lambda _, part: part or "numerator",
        )
        return self._sums(statement, [metric], at)

    def leaf_sums(
        self,
        metrics: Sequence[str],
        dimensions: Sequence[str],
        windows: Mapping[str, Window],
        *,
        where: Sequence[Condition] = (),
        sets: Sequence[Sequence[str]] | None = None,
        at: Snapshots | None = None,
    ) -> Sums:
        """Return the sums behind several metrics in one query, scanning each table as few times as can be.

        Columns ``<metric>_<window>``, or ``<metric>_numerator_<window>`` and ``<metric>_denominator_<window>``. Metrics
        that no sums make up are in ``refused``; :class:`Invalid` when that is all of them.
        """
        statement = sums_statement(self._compiled, metrics, dimensions, windows, where=where, sets=sets)
        return self._sums(statement, metrics, at)

    def unit_sums(
        self,
        metric: str,
        unit: str,
        dimension: str | None,
        window: Window,
        *,
        where: Sequence[Condition] = (),
        at: Snapshots | None = None,
    ) -> UnitSums | CannotTell:
        """Return the moments of a metric over units (customers, accounts …), by segment, for intervals on sums."""
        statement = unit_statement(self._compiled, metric, unit, dimension, window, where=where)
        if isinstance(statement, CannotTell):
            return statement
        sql = self._text(statement.query)
        result = self.warehouse.query(sql, at=at)
        return UnitSums(
            table=_plain_numbers(result.table),
            segment=statement.segment,
            ratio=statement.ratio,
            sql=sql,
            snapshots=result.snapshots,
            engine=result.engine,
            seconds=result.seconds,
            definition_hash=compiling.definition_hash(self._compiled, [metric]),
        )

    # How

    def _sums(self, statement: SumsStatement, metrics: Sequence[str], at: Snapshots | None) -> Sums:
        sql = self._text(statement.query)
        result = self.warehouse.query(sql, at=at)
        return Sums(
            table=result.table,
            dimensions=statement.dimensions,
            windows=statement.windows,
            sets=statement.sets,
            parts=statement.parts,
            refused=statement.refused,
            sql=sql,
            snapshots=result.snapshots,
            engine=result.engine,
            seconds=result.seconds,
            definition_hash=compiling.definition_hash(self._compiled, list(metrics)),
        )

    def _statement(self, query: MetricQuery, at: Snapshots | None) -> Statement:
        def last_day() -> date | None:
            times = time_columns(self._compiled, [name.lower() for name in query.metrics])
            return self._last_day(times, at)

        return plan(self._compiled, query, last_day)

    def _last_day(self, times: Sequence[TimeColumn], at: Snapshots | None) -> date | None:
        days = []
        for time in times:
            moment = exp.cast(exp.func("MAX", exp.maybe_parse(time.expression, dialect=DIALECT)), "date")
            query = exp.select(moment.as_("day")).from_(exp.to_table(time.table, dialect=DIALECT))
            days.append(self.warehouse.query(self._text(query), at=at).table["day"][0].as_py())
        return max((day for day in days if day is not None), default=None)

    def _text(self, query: exp.Expr) -> str:
        return query.sql(DIALECT, pretty=True)


def _plain_numbers(table: pa.Table) -> pa.Table:
    """Return the table with whole numbers as int64 where they fit: DuckDB's sums of integers come as decimals."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        whole = pa.types.is_decimal(field.type) and field.type.scale == 0
        columns.append(_as_int(column) if whole else column)
    return pa.table(columns, names=table.column_names)


def _as_int(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:  # beyond 64 bits the exact decimal is kept
        return column
