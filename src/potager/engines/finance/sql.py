"""The same movements as SQL, for tables that live in a warehouse: one pass over one window.

Written in DuckDB's dialect with double-quoted names, to be turned into others by the caller. The figures are those of
:func:`potager.engines.finance.movements.movements` to the cent.
"""

from __future__ import annotations

from potager.engines.finance.money import FinanceError


def name(*parts: str) -> str:
    """Return a name quoted for SQL, its parts joined by dots. Raises :class:`FinanceError` for an empty part."""
    if not parts or not all(parts) or any("\x00" in part for part in parts):
        raise FinanceError(
            "A name in SQL is empty or holds a zero byte.", "Give the table's or column's name."
        )
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def movements_sql(
    table: str,
    *,
    customer: str = "customer",
    date: str = "date",
    cents: str = "cents",
    currency: str = "currency",
    active: str | None = None,
    revaluation: str | None = None,
    free_customers_stay: bool = False,
) -> str:
    """Return SQL for the movement table of a step table: customer, currency, date, kind, cents.

    ``table`` may be dotted (schema.table). ``active`` and ``revaluation`` name those columns where the table has them;
    ``free_customers_stay`` needs ``active``. Raises :class:`FinanceError` where it is not given, or for an empty name.
    """
    if free_customers_stay and active is None:
        raise FinanceError(
            "Whether free customers stay cannot be told without 'active'.", "Name that column."
        )
    revalued = f"coalesce({name(revaluation)}, 0)" if revaluation else "0"
    living = name(active) if active else f"({name(cents)} > 0)"
    stays, stayed = ("active", "was_active") if free_customers_stay else ("FALSE", "FALSE")
    rates = (
        "\nUNION ALL\nSELECT customer, currency, date, 'currency' AS kind, revaluation AS cents FROM steps"
        "\nWHERE revaluation <> 0"
        if revaluation
        else ""
    )
    history = f"PARTITION BY {name(customer)}, {name(currency)} ORDER BY {name(date)}"
    return f"""WITH steps AS (
  SELECT {name(customer)} AS customer, {name(currency)} AS currency, {name(date)} AS date, {name(cents)} AS after,
         coalesce(lag({name(cents)}) OVER ({history}), 0) + {revalued} AS before, {revalued} AS revaluation,
         {living} AS active, coalesce(lag({living}) OVER ({history}), FALSE) AS was_active,
         coalesce(max({name(cents)}) OVER ({history} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS paid
  FROM {name(*table.split("."))}
)
SELECT customer, currency, date,
       CASE WHEN before <= 0 AND NOT paid THEN 'new'
            WHEN before <= 0 AND {stayed} THEN 'expansion'
            WHEN before <= 0 THEN 'reactivation'
            WHEN after = 0 AND NOT {stays} THEN 'churn'
            WHEN after > before THEN 'expansion'
            ELSE 'contraction' END AS kind,
       after - before AS cents
FROM steps
WHERE after <> before{rates}"""  # noqa: S608 - every name is quoted


def balance_sql(
    steps: str,
    moved: str,
    *,
    customer: str = "customer",
    date: str = "date",
    cents: str = "cents",
    currency: str = "currency",
) -> str:
    """Return SQL that finds where movements do not lead from step to step; no rows means that they balance.

    Columns: customer, currency, date, stated, moved; the first place first. ``steps`` and ``moved`` are tables whose
    columns have these names in both.
    """
    history = "PARTITION BY customer, currency ORDER BY date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    keys = f"{name(customer)} AS customer, {name(currency)} AS currency, {name(date)} AS date"
    return f"""WITH entries AS (
  SELECT {keys}, {name(cents)} AS stated, 0 AS moved FROM {name(*steps.split("."))}
  UNION ALL
  SELECT {keys}, NULL AS stated, {name(cents)} AS moved FROM {name(*moved.split("."))}
), daily AS (
  SELECT customer, currency, date, max(stated) AS stated, sum(moved) AS moved FROM entries
  GROUP BY customer, currency, date
), histories AS (
  SELECT customer, currency, date,
         coalesce(last_value(stated IGNORE NULLS) OVER ({history}), 0) AS stated, sum(moved) OVER ({history}) AS moved
  FROM daily
)
SELECT customer, currency, date, stated, moved FROM histories WHERE stated <> moved
ORDER BY date, customer, currency"""  # noqa: S608 - every name is quoted
