"""The columns of the Online Retail file, and the names and types they have in the lake.

The file comes as Excel, as CSV (in several encodings and with several ways to write a date) and as Parquet; the names
differ only in how they are written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from potager.connectors.files import FileShape, ReadPlan, plan_from
from potager.kit.errors import FieldProblem, Invalid

TABLE = "retail.order_lines"

COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "InvoiceNo": ("invoice_no", "text"),
        "StockCode": ("stock_code", "text"),
        "Description": ("description", "text"),
        "Quantity": ("quantity", "integer"),
        "InvoiceDate": ("invoice_date", "timestamp"),
        "UnitPrice": ("unit_price", "number"),
        "CustomerID": ("customer_id", "integer"),
        "Country": ("country", "text"),
    }
)
"""What the file calls a column: its name and its type in the lake."""

ALSO_CALLED: Mapping[str, str] = MappingProxyType(
    {"Invoice": "InvoiceNo", "Price": "UnitPrice", "Customer ID": "CustomerID"}
)
"""Names in "Online Retail II", the later edition of the same shop's file."""


def plan_for(shape: FileShape) -> ReadPlan:
    """Return the plan that reads a file of this shape into ``TABLE``; further columns are left out.

    How dates and numbers are written is taken from the file. Raises :class:`Invalid` naming missing columns.
    """
    plan = plan_from(shape)
    wanted = {_bare(name): name for name in COLUMNS}
    wanted |= {_bare(other): name for other, name in ALSO_CALLED.items()}
    found: dict[str, str] = {}
    for column in shape.columns:
        name = wanted.get(_bare(column.source_name))
        if name is not None and name not in found:
            found[name] = column.source_name
    missing = [name for name in COLUMNS if name not in found]
    if missing:
        raise Invalid(
            f"This is not the Online Retail file: it has no {' and no '.join(missing)}.",
            mend='Download "Online Retail" from the UCI Machine Learning Repository, and give that file.',
            errors=[FieldProblem(name, f"The file has no column {name}.") for name in missing],
        )
    # First make room: a column that is left out must not hold a name that another one is given.
    for planned in plan.columns:
        if planned.source not in found.values():
            plan = plan.with_column(planned.source, include=False)
    for name, source in found.items():
        target, type_ = COLUMNS[name]
        plan = plan.with_column(source, name=target, type=type_)
    return plan


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
