"""Counting a book: movements by each policy, checked to balance, and the months they make."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import duckdb

from potager.engines.finance import (
    FinanceError,
    balance,
    balance_sql,
    movements,
    read_terms,
    steps_under,
)
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policy_named
from potager.insight.revenue.sources import Sources
from potager.kit.errors import Invalid

if TYPE_CHECKING:
    import pyarrow as pa

MOVED_COLUMNS = ("book", "policy", "customer", "plan", "currency", "day", "kind", "cents")
MONTH_COLUMNS = (
    "book", "policy", "customer", "plan", "currency", "month", "start_cents", "new_cents", "expansion_cents",
    "reactivation_cents", "contraction_cents", "churn_cents", "currency_cents", "end_cents", "year_start_cents",
    "year_held_cents", "year_kept_cents", "over",
)  # fmt: skip

# The plan a customer has is the one that was taken up last; before the first it is none.
_MOVED = """
SELECT ? AS book, ? AS policy, m.customer, coalesce(p.plan, '') AS plan, m.currency, m.date AS day, m.kind,
  CAST(m.cents AS BIGINT) AS cents
FROM moved AS m ASOF LEFT JOIN plans AS p ON m.customer = p.customer AND m.date >= p.starts
ORDER BY m.customer, m.date, m.kind
"""
_MONTHS = """
WITH sums AS (
  SELECT customer, currency, CAST(date_trunc('month', date) AS DATE) AS month,
    coalesce(sum(cents) FILTER (kind = 'new'), 0) AS new_cents,
    coalesce(sum(cents) FILTER (kind = 'expansion'), 0) AS expansion_cents,
    coalesce(sum(cents) FILTER (kind = 'reactivation'), 0) AS reactivation_cents,
    -coalesce(sum(cents) FILTER (kind = 'contraction'), 0) AS contraction_cents,
    -coalesce(sum(cents) FILTER (kind = 'churn'), 0) AS churn_cents,
    coalesce(sum(cents) FILTER (kind = 'currency'), 0) AS currency_cents,
    sum(cents) AS net
  FROM moved GROUP BY ALL
), grid AS (
  SELECT customer, currency, CAST(unnest(generate_series(min(month), CAST($through AS DATE), INTERVAL 1 MONTH)) AS DATE)
    AS month
  FROM sums GROUP BY customer, currency
), filled AS (
  SELECT g.customer, g.currency, g.month, s.new_cents, s.expansion_cents, s.reactivation_cents, s.contraction_cents,
    s.churn_cents, s.currency_cents, coalesce(s.net, 0) AS net,
    sum(coalesce(s.net, 0)) OVER (PARTITION BY g.customer, g.currency ORDER BY g.month) AS end_cents
  FROM grid AS g LEFT JOIN sums AS s ON s.customer = g.customer AND s.currency = g.currency AND s.month = g.month
), aged AS (
  SELECT *, coalesce(lag(end_cents, 12) OVER (PARTITION BY customer, currency ORDER BY month), 0) AS year_start_cents
  FROM filled
)
SELECT $book AS book, $policy AS policy, f.customer, coalesce(p.plan, '') AS plan, f.currency, f.month,
  CAST(f.end_cents - f.net AS BIGINT) AS start_cents,
  COLUMNS(lambda c: c IN ('new_cents', 'expansion_cents', 'reactivation_cents', 'contraction_cents', 'churn_cents',
    'currency_cents')),
  f.end_cents, f.year_start_cents,
  CASE WHEN f.year_start_cents > 0 THEN f.end_cents END AS year_held_cents,
  CASE WHEN f.year_start_cents > 0 THEN least(f.end_cents, f.year_start_cents) END AS year_kept_cents,
  last_day(f.month) <= CAST($through AS DATE) AS over
FROM aged AS f ASOF LEFT JOIN plans AS p
  ON f.customer = p.customer AND least(last_day(f.month), CAST($through AS DATE)) >= p.starts
WHERE f.end_cents <> 0 OR f.net <> 0 OR f.new_cents IS NOT NULL OR f.year_start_cents <> 0
ORDER BY f.month, f.customer
"""


def steps_of(book: Book, sources: Sources, policy: str, through: date) -> pa.Table:
    """Return the step table by a policy, in the book's currency. Invalid where a rate is missing."""
    try:
        return steps_under(
            policy_named(policy), read_terms(sources.terms), rates=sources.rates, through=through
        )
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error


def movements_of(book: Book, sources: Sources, policy: str, steps: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the engine's movements of steps, balanced, and the same as the lake keeps them.

    Raises ``OutOfBalanceError`` at the first place where they do not lead from step to step.
    """
    moved = movements(steps, free_customers_stay=policy_named(policy).free_customers_stay)
    balance(steps, moved)
    with duckdb.connect(":memory:") as connection:
        connection.register("moved", moved)
        connection.register("plans", sources.plans)
        return moved, connection.sql(_MOVED, params=[book.name, policy]).to_arrow_table()


def months_of(book: Book, sources: Sources, policy: str, moved: pa.Table, through: date) -> pa.Table:
    """Return a row for each customer and month with money in it or a year before: the month's bridge, losses positive.

    ``year_start_cents`` is what the customer was worth twelve months earlier, ``year_held_cents`` what such a customer
    is worth now, ``year_kept_cents`` that without growth: their sums make NRR and GRR, customer by customer.
    ``over`` says whether the load tells of the whole month.
    """
    columns = [
        f"CAST(coalesce({name}, 0) AS BIGINT) AS {name}" if name.endswith("_cents") else name
        for name in MONTH_COLUMNS
    ]
    with duckdb.connect(":memory:") as connection:
        connection.register("moved", moved)
        connection.register("plans", sources.plans)
        months: pa.Table = connection.sql(
            f"SELECT {', '.join(columns)} FROM ({_MONTHS}) AS months",  # noqa: S608 - names of ours
            params={"book": book.name, "policy": policy, "through": through},
        ).to_arrow_table()
    return months


def out_of_balance(steps: pa.Table, written: pa.Table) -> list[dict[str, object]]:
    """Return the first places where written movements (customer, currency, date, cents) miss the steps."""
    with duckdb.connect(":memory:") as connection:
        connection.register("steps", steps)
        connection.register("written", written)
        found = connection.sql(balance_sql("steps", "written")).limit(5).to_arrow_table()
    rows: list[dict[str, object]] = found.to_pylist()
    return rows
