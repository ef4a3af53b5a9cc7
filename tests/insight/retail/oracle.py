"""The wholesaler's metrics a second time, naively: one plain sentence of SQL each, straight over the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

_KIND = "left(invoice_no, 1)"
_MISTAKE = "abs(quantity) >= 50000"
_ORDER = f"{_KIND} NOT IN ('C', 'A')"
_SOLD = f"{_ORDER} AND NOT {_MISTAKE}"
_WORTH = "quantity * unit_price"


def _sum(what: str, where: str) -> str:
    return f"coalesce(sum({what}) FILTER (WHERE {where}), 0)"


def _different(what: str, where: str) -> str:
    return f"count(DISTINCT {what}) FILTER (WHERE {where})"


REVENUE = f"sum({_WORTH})"
GROSS = _sum(_WORTH, _SOLD)
CANCELLED = _sum(f"-({_WORTH})", f"{_KIND} = 'C' AND NOT {_MISTAKE}")
ORDERS = _different("invoice_no", _ORDER)
CANCELLATIONS = _different("invoice_no", f"{_KIND} = 'C'")
ITEMS = _sum("quantity", f"{_SOLD} AND unit_price > 0")
CUSTOMERS = _different("customer_id", _ORDER)
CUSTOMER_ORDERS = _different("invoice_no", f"{_ORDER} AND customer_id IS NOT NULL")
CUSTOMER_REVENUE = _sum(_WORTH, "customer_id IS NOT NULL")
NAMELESS = _sum(_WORTH, "customer_id IS NULL")

NAIVE: dict[str, str] = {
    "revenue": REVENUE,
    "gross_revenue": GROSS,
    "cancelled_value": CANCELLED,
    "adjustments": _sum(_WORTH, f"{_KIND} = 'A'"),
    "voided_orders": _sum(_WORTH, _MISTAKE),
    "return_share": f"{CANCELLED} / nullif({GROSS}, 0)",
    "orders": ORDERS,
    "cancellations": CANCELLATIONS,
    "value_per_cancellation": f"{CANCELLED} / nullif({CANCELLATIONS}, 0)",
    "items": ITEMS,
    "average_order_value": f"{GROSS} / nullif({ORDERS}, 0)",
    "items_per_order": f"{ITEMS} / nullif({ORDERS}, 0)",
    "average_unit_price": f"{GROSS} / nullif({ITEMS}, 0)",
    "customers": CUSTOMERS,
    "customer_orders": CUSTOMER_ORDERS,
    "anonymous_orders": f"{ORDERS} - {CUSTOMER_ORDERS}",
    "orders_per_customer": f"{CUSTOMER_ORDERS} / nullif({CUSTOMERS}, 0)",
    "customer_revenue": CUSTOMER_REVENUE,
    "revenue_per_customer": f"{CUSTOMER_REVENUE} / nullif({CUSTOMERS}, 0)",
    "revenue_without_customer": NAMELESS,
    "share_without_customer": f"{NAMELESS} / nullif({REVENUE}, 0)",
}
REVENUE_ABROAD = _sum(_WORTH, "country <> 'United Kingdom'")
ABROAD: dict[str, str] = {
    "revenue_abroad": REVENUE_ABROAD,
    "share_abroad": f"{REVENUE_ABROAD} / nullif({REVENUE}, 0)",
}


class Oracle:
    """The file, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._file = duckdb.connect()
        self._file.execute(f"CREATE VIEW lines AS FROM '{path}'")

    def rows(self, sql: str, given: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of one query."""
        return self._file.execute(sql, given).fetchall()

    def between(self, name: str, first: date, last: date, where: str = "true") -> float:
        """Return one metric over whole days."""
        formula = {**NAIVE, **ABROAD}[name]
        sql = f"SELECT {formula} FROM lines WHERE invoice_date::DATE BETWEEN ? AND ? AND {where}"
        return float(self.rows(sql, [first, last])[0][0])

    def by(self, key: str, formulas: dict[str, str]) -> dict[Any, dict[str, float | None]]:
        """Return metrics by an expression."""
        columns = ", ".join(f"{formula} AS {name}" for name, formula in formulas.items())
        found = self.rows(f"SELECT {key} AS key, {columns} FROM lines GROUP BY 1 ORDER BY 1")
        return {row[0]: dict(zip(formulas, row[1:], strict=True)) for row in found}
