"""Revenue: a million changes of subscriptions to movements, retention and cohorts."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

from benchmarks.measure import Row, paired, seconds
from potager.engines.finance import (
    POLICIES,
    SCHEMA,
    CohortGrid,
    cohort_grid,
    gross_revenue_retention,
    levels_in_windows,
    movements,
    movements_sql,
    net_revenue_retention,
    read_terms,
    steps_under,
)

CHANGES, CUSTOMERS = 1_000_000, 200_000
EDGES = [date(2022 + month // 12, month % 12 + 1, 1) for month in range(37)]
THROUGH = date(2024, 12, 31)


def terms() -> pa.Table:
    """Return a million terms: five stretches a subscription, some with a gap, prices of their own."""
    query = f"""
    WITH stretch AS (
        SELECT i // 5 AS who, i % 5 AS nth, hash(i) AS luck, DATE '2021-12-01' + (hash(i // 5) % 700)::INT AS first
        FROM range({CHANGES}) AS r(i)
    )
    SELECT 'c' || who AS customer, 's' || who AS subscription,
        (first + (nth * 80)::INT)::DATE AS starts,
        CASE WHEN nth = 4 AND luck % 3 > 0 THEN NULL
             ELSE (first + (nth * 80 + CASE WHEN luck % 11 = 0 THEN 50 ELSE 80 END)::INT)::DATE END AS ends,
        'EUR' AS currency, (1000 + luck % 90 * 100)::BIGINT AS unit_cents, (1 + luck % 7)::BIGINT AS quantity,
        1::BIGINT AS interval_count, CASE WHEN who % 4 = 0 THEN 'year' ELSE 'month' END AS interval_unit,
        CASE WHEN luck % 9 = 0 THEN 500 ELSE 0 END::BIGINT AS forever_off, 0::BIGINT AS repeating_off,
        0::BIGINT AS once_off, 'active' AS state, 'recurring' AS kind,
        NULL::DATE AS canceled_on, NULL::DATE AS paid_until
    FROM stretch"""
    return duckdb.sql(query).to_arrow_table().cast(SCHEMA)


def whole(table: pa.Table) -> CohortGrid:
    """Go from terms to movements, twelve-month NRR and GRR at the end of 36 months, and the cohort grid."""
    steps = steps_under(POLICIES["stripe"], read_terms(table), through=THROUGH)
    movements(steps)
    ends = EDGES[1:]
    windows = [(max(end.replace(year=end.year - 1), EDGES[0]), end) for end in ends]
    for levels in levels_in_windows(steps, windows, "EUR"):
        net_revenue_retention(levels)
        gross_revenue_retention(levels)
    return cohort_grid(steps, EDGES, "EUR", through=THROUGH)


def rows() -> list[Row]:
    """Measure all of it."""
    table = terms()
    took = seconds(lambda: whole(table), runs=3)
    steps = steps_under(POLICIES["stripe"], read_terms(table), through=THROUGH)
    with duckdb.connect() as connection:
        connection.register("given", steps)
        connection.execute("CREATE TABLE steps AS SELECT * FROM given")
        sql = movements_sql("steps")
        ours, theirs, ratio = paired(
            lambda: movements(steps), lambda: connection.sql(sql).to_arrow_table(), runs=5
        )
    return [
        Row(
            f"{len(table):,} subscription changes to movements, 36 months of NRR and GRR, and cohorts",
            f"{took:.1f} s",
            "< 5 s",
            took < 5,
        ),
        Row(
            f"Movements of {len(steps):,} steps, against the window-function SQL in DuckDB",
            f"{ratio:.2f} × ({ours:.2f} s against {theirs:.2f} s)",
            "≤ 1 ×",
            ratio <= 1,
        ),
    ]
