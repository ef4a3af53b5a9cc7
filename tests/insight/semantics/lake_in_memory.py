"""A warehouse over an in-memory DuckDB, of the shape that the semantic layer asks for, and small definitions."""

from __future__ import annotations

import time
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from potager.ground.lake.warehouse import Result, TableInfo
from potager.insight.metrics.semantics import SemanticLayer, parse


class MemoryWarehouse:
    """Tables in schemas of one in-memory DuckDB. Remembers the SQL it was asked."""

    engine = "duckdb"
    dialect = "duckdb"

    def __init__(self, *statements: str) -> None:
        self.connection = duckdb.connect()
        self.asked: list[str] = []
        for statement in statements:
            self.connection.execute(statement)

    def tables(self) -> dict[str, TableInfo]:
        rows = self.connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
        ).fetchall()
        names = [f"{schema}.{name}" for schema, name in rows]
        return {
            name: TableInfo(name, self.rows(f"SELECT * FROM {name} LIMIT 0").schema, "1", None, None)
            for name in names
        }

    def rows(self, sql: str) -> pa.Table:
        return self.connection.cursor().sql(sql).to_arrow_table()

    def query(self, sql: str, *, at: Mapping[str, str] | None = None) -> Result:
        self.asked.append(sql)
        started = time.perf_counter()
        return Result(self.rows(sql), sql, dict(at or {}), self.engine, time.perf_counter() - started)

    def stream(self, sql: str, *, at: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
        return self.query(sql, at=at).table.to_reader()

    def explain(self, sql: str, *, at: Mapping[str, str] | None = None) -> str:
        return str(self.connection.cursor().sql(f"EXPLAIN {sql}").fetchall())


SHOP = """\
semantic_models:
  - name: lines
    model: ref('lines')
    defaults:
      agg_time_dimension: sold_on
    primary_entity: line
    entities:
      - name: buyer
        type: foreign
        expr: buyer_id
    dimensions:
      - name: sold_on
        type: time
        type_params:
          time_granularity: day
      - name: country
        type: categorical
      - name: is_return
        type: categorical
        expr: quantity < 0
    measures:
      - name: revenue
        agg: sum
        expr: quantity * price
      - name: line_count
        agg: count
        expr: '1'
      - name: buyers
        agg: count_distinct
        expr: buyer_id
      - name: mean_price
        agg: average
        expr: price
      - name: top_price
        agg: max
        expr: price
  - name: buyers
    model: ref('buyers')
    entities:
      - name: buyer
        type: primary
        expr: buyer_id
    dimensions:
      - name: segment
        type: categorical

metrics:
  - name: revenue
    label: Revenue
    description: What was sold, less what came back
    type: simple
    type_params:
      measure: revenue
    config:
      meta:
        synonyms: [sales, turnover]
        owner: finance
  - name: line_count
    label: Lines
    type: simple
    type_params: {measure: line_count}
  - name: buyers
    label: Buyers
    type: simple
    type_params: {measure: buyers}
  - name: mean_price
    label: Mean price
    type: simple
    type_params: {measure: mean_price}
  - name: top_price
    label: Top price
    type: simple
    type_params: {measure: top_price}
  - name: returned
    label: Returned
    type: simple
    type_params: {measure: revenue}
    filter: "{{ Dimension('line__is_return') }}"
  - name: revenue_per_buyer
    label: Revenue per buyer
    type: ratio
    type_params: {numerator: revenue, denominator: buyers}
  - name: kept
    label: Kept
    type: derived
    type_params:
      expr: revenue - returned
      metrics: [revenue, returned]
  - name: return_rate
    label: Return rate
    type: derived
    type_params:
      expr: 100 * (0 - returned) / NULLIF(kept, 0)
      metrics: [returned, kept]
  - name: growth
    label: Growth
    type: derived
    type_params:
      expr: revenue - earlier
      metrics:
        - name: revenue
        - name: revenue
          alias: earlier
          offset_window: 1 month
  - name: active_buyers
    label: 28-day active buyers
    type: cumulative
    type_params:
      measure: buyers
      cumulative_type_params:
        window: 28 days
  - name: buyers_so_far
    label: Buyers so far
    type: cumulative
    type_params: {measure: buyers}
  - name: revenue_this_month
    label: Revenue this month
    type: cumulative
    type_params:
      measure: revenue
      cumulative_type_params:
        grain_to_date: month
        period_agg: last
  - name: revenue_per_active_buyer
    label: Revenue per active buyer
    type: ratio
    type_params: {numerator: revenue, denominator: active_buyers}
"""

# date, buyer, country, quantity, price
LINES = [
    ("2024-01-03", 1, "France", 2, 10.0),
    ("2024-01-03", 2, "France", 1, 5.0),
    ("2024-01-20", 1, "Spain", 4, 2.5),
    ("2024-02-02", 3, "Spain", 3, 10.0),
    ("2024-02-02", None, "Spain", 1, 7.0),
    ("2024-02-20", 1, "France", -1, 10.0),
    ("2024-03-15", 2, None, 6, 5.0),
    ("2024-03-31", 4, "France", 1, 100.0),
]


def shop_warehouse() -> MemoryWarehouse:
    """Return a shop of eight lines and four buyers."""
    warehouse = MemoryWarehouse(
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.lines (sold_on DATE, buyer_id INTEGER, country VARCHAR, quantity INTEGER, price DOUBLE)",
        "CREATE TABLE shop.buyers (buyer_id INTEGER, segment VARCHAR)",
        "INSERT INTO shop.buyers VALUES (1, 'big'), (2, 'small'), (3, 'small')",
    )
    warehouse.connection.executemany("INSERT INTO shop.lines VALUES (?, ?, ?, ?, ?)", LINES)
    return warehouse


def shop_layer(text: str = SHOP) -> SemanticLayer:
    """Return the layer of ``text`` over the shop."""
    return SemanticLayer([parse(text, "shop.yml")], shop_warehouse(), namespace="shop")
