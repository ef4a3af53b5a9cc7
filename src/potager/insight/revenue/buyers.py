"""Revenue without subscriptions: from a table of purchases in the lake to cohorts of buyers by their first month.

A *purchase* is an order whose lines add up to more than 0; without a column of orders, what a customer bought on a day
is one. Negative amounts are cancellations: they take off revenue and are no purchase. A buyer's cohort is the month of
the first purchase the table knows of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal

from potager.engines.behavior.events import identifier
from potager.ground.lake.service import warehouse
from potager.insight.revenue.readings import plus_months
from potager.kit import clock
from potager.kit.errors import FieldProblem, Invalid

if TYPE_CHECKING:
    import pyarrow as pa

MOST_COHORTS = 36
State = Literal["whole", "partial", "unknown"]
# In the order of preference; compared without case and without what joins their words.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "customer": (
        "customerid", "customer", "buyerid", "buyer", "clientid", "client", "userid", "memberid", "email",
    ),
    "at": (
        "purchasedat", "orderedat", "orderdate", "invoicedate", "paidat", "createdat", "occurredat", "timestamp",
        "datetime", "date", "day", "time",
    ),
    "amount": (
        "amount", "total", "totalamount", "netamount", "revenue", "ordertotal", "totalprice", "linetotal", "value",
        "unitprice", "price",
    ),
    "times": ("quantity", "qty"),
    "order": ("orderid", "orderno", "ordernumber", "invoiceno", "invoiceid", "invoice", "transactionid", "order"),
}  # fmt: skip
_PRICES = ("unitprice", "price")


@dataclass(frozen=True)
class Purchases:
    """A table of the lake, and which of its columns says what; ``times`` (a quantity) multiplies the amount."""

    table: str
    customer: str
    at: str
    amount: str
    times: str = ""
    order: str = ""


@dataclass(frozen=True)
class Reach:
    """What a table of purchases tells of: its days, and what of it names nobody."""

    first: date | None
    last: date | None
    buyers: int
    unnamed_rows: int
    rows: int

    @property
    def whole_until(self) -> date | None:
        """The first day after the last month that is over in the data."""
        return None if self.last is None else (self.last + timedelta(days=1)).replace(day=1)


@dataclass(frozen=True)
class BuyersCell:
    """A cohort in a month of its life. *unknown* has no numbers: the data do not reach it, which is not zero."""

    age: int
    state: State
    buyers: int | None
    amount: float | None


@dataclass(frozen=True)
class BuyersCohort:
    """Those who first bought in one month; ``amount`` is their net revenue in it, after the first purchase began."""

    month: date
    buyers: int
    amount: float
    cells: tuple[BuyersCell, ...]


@dataclass(frozen=True)
class BuyersGrid:
    """Cohorts in rows, months since the first in columns."""

    reach: Reach
    cohorts: tuple[BuyersCohort, ...]
    sql: str


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fits(what: str, kind: pa.DataType) -> bool:
    from pyarrow import types

    if what == "at":
        return bool(types.is_timestamp(kind) or types.is_date(kind))
    if what in {"amount", "times"}:
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
    return not types.is_nested(kind)


def guessed(table: str) -> dict[str, str]:
    """Return the columns of a table as far as their names and types tell what they are."""
    schema = warehouse().tables()[table].schema
    free = {_folded(field.name): field for field in schema}
    found: dict[str, str] = {"table": table}
    for what, names in _NAMES.items():
        for name in names:
            if name in free and _fits(what, free[name].type):
                found[what] = free.pop(name).name
                break
    # A total is not multiplied; a price of one piece is.
    if "times" in found and _folded(found.get("amount", "")) not in _PRICES:
        del found["times"]
    return found


def readable() -> list[dict[str, Any]]:
    """Return the tables that hold a customer, a time and an amount, each with its columns as guessed; largest first."""
    found = []
    for name, info in warehouse().tables().items():
        one = guessed(name)
        if {"customer", "at", "amount"} <= one.keys():
            found.append({"rows": info.rows, "columns": one})
    return sorted(found, key=lambda one: (-(one["rows"] or 0), one["columns"]["table"]))


def columns_for(what: str, table: str) -> list[str]:
    """Return the columns of a table whose type fits what they are to say."""
    return [field.name for field in warehouse().tables()[table].schema if _fits(what, field.type)]


def checked(given: Mapping[str, str]) -> Purchases:
    """Return a table of purchases whose every name is in the lake, guessing columns that are not given.

    Raises Invalid with a problem for each name that is not there or cannot be read so: no other name reaches SQL.
    """
    table = given.get("table", "")
    tables = warehouse().tables()
    if table not in tables:
        raise _refused([FieldProblem("table", f"There is no table {table[:120] or 'without a name'} in the lake.",
                                     "Import its data first, or name another.")])  # fmt: skip
    own = {field.name: field.type for field in tables[table].schema}
    known = guessed(table)
    chosen: dict[str, str] = {"table": table}
    problems = []
    for field in fields(Purchases)[1:]:
        what = field.name
        name = (
            given[what]
            if given.get(what)
            else ""
            if what in given and not _needed(what)
            else known.get(what, "")
        )
        if name and name not in own:
            problems.append(
                FieldProblem(what, f"{table} has no column {name[:120]}.", f"It has {', '.join(own)}.")
            )
        elif name and not _fits(what, own[name]):
            mend = {"at": "Name a date or a time.", "amount": "Name a number.", "times": "Name a number."}
            problems.append(
                FieldProblem(what, f"{name} is {own[name]}.", mend.get(what, "Name a plain column."))
            )
        elif not name and _needed(what):
            problems.append(FieldProblem(what, f"No column of {table} says the {_SAID[what]}.", "Name it."))
        chosen[what] = name
    if problems:
        raise _refused(problems)
    return Purchases(**chosen)


_SAID = {"customer": "customer", "at": "time of a purchase", "amount": "amount"}


def _needed(what: str) -> bool:
    return what in _SAID


def _refused(problems: list[FieldProblem]) -> Invalid:
    first = problems[0]
    return Invalid(first.problem, mend=first.mend, errors=problems)


def purchases_sql(given: Purchases) -> str:
    """Return common table expressions: lines, orders (customer, moment, amount), buyers (customer, began)."""
    at = identifier(given.at)
    kind = warehouse().tables()[given.table].schema.field(given.at).type
    if getattr(kind, "tz", None):
        at = f"timezone('UTC', {at})"
    amount = f"CAST({identifier(given.amount)} AS DOUBLE)"
    if given.times:
        amount += f" * {identifier(given.times)}"
    order = (
        f"CAST({identifier(given.order)} AS VARCHAR)"
        if given.order
        else f"CAST(CAST({at} AS DATE) AS VARCHAR)"
    )
    limit = (clock.now().date() + timedelta(days=1)).isoformat()
    # What is not finite says no amount; a sum is rounded, so that what cancels out in cents is no purchase in binary.
    return (
        f"WITH lines AS (SELECT CAST({identifier(given.customer)} AS VARCHAR) AS customer, "
        f"CAST({at} AS TIMESTAMP) AS moment, {order} AS code, "
        f"CASE WHEN isfinite({amount}) THEN {amount} END AS amount\nFROM {given.table}\n"
        f"WHERE {identifier(given.at)} IS NOT NULL AND CAST({at} AS TIMESTAMP) < TIMESTAMP '{limit} 00:00:00'),\n"
        "orders AS (SELECT customer, code, min(moment) AS moment, round(coalesce(sum(amount), 0), 6) AS amount\n"
        "FROM lines\nWHERE customer IS NOT NULL AND customer <> ''\nGROUP BY customer, code),\n"
        "buyers AS (SELECT customer, min(moment) AS began\nFROM orders\nWHERE amount > 0\nGROUP BY customer)"
    )


def reach(given: Purchases) -> Reach:
    """Return which days a table of purchases tells of, and how many rows name nobody."""
    sql = (
        f"{purchases_sql(given)}\nSELECT CAST(min(moment) AS DATE) AS first_day, "  # noqa: S608 - quoted
        "CAST(max(moment) AS DATE) AS last_day, (SELECT count(*) FROM buyers) AS buyers, "
        "count(*) FILTER (WHERE customer IS NULL OR customer = '') AS unnamed_rows, count(*) AS all_rows\nFROM lines"
    )
    row = warehouse().query(sql).table.to_pylist()[0]
    return Reach(row["first_day"], row["last_day"], row["buyers"], row["unnamed_rows"], row["all_rows"])


def months_from(first: date, last: date) -> int:
    """Return how many months a month is after another."""
    return (last.year - first.year) * 12 + last.month - first.month


def grid(given: Purchases, most: int = MOST_COHORTS) -> BuyersGrid:
    """Return the latest ``most`` cohorts by the month of their first purchase.

    A cell that the data do not reach is *unknown*; the last month, where it is not over, is *partial*. Cancellations
    before a buyer's first purchase are left out.
    """
    if not 1 <= most <= MOST_COHORTS:
        raise Invalid(f"{most} cohorts cannot be shown.", mend=f"Ask for 1 to {MOST_COHORTS}.")
    told = reach(given)
    sql = (
        f"{purchases_sql(given)}\nSELECT CAST(date_trunc('month', began) AS DATE) AS month, "
        "CAST(date_diff('month', date_trunc('month', began), date_trunc('month', moment)) AS INTEGER) AS age, "
        "count(DISTINCT CASE WHEN amount > 0 THEN orders.customer END) AS buyers, sum(amount) AS amount\n"
        "FROM orders\nJOIN buyers ON orders.customer = buyers.customer\n"
        "WHERE moment >= began\nGROUP BY 1, 2\nORDER BY 1, 2"
    )
    rows = warehouse().query(sql).table.to_pylist()
    if not rows or told.last is None:
        return BuyersGrid(told, (), sql)
    found: dict[date, dict[int, tuple[int, float]]] = {}
    for row in rows:
        found.setdefault(row["month"], {})[row["age"]] = (row["buyers"], row["amount"])
    # A month in which nobody began has no cohort; one in which nobody of a cohort bought is a known 0.
    months = sorted(found)[-most:]
    longest = months_from(months[0], told.last)
    return BuyersGrid(
        told,
        tuple(_cohort(month, found[month], longest, told) for month in months),
        sql,
    )


def _cohort(month: date, ages: Mapping[int, tuple[int, float]], longest: int, told: Reach) -> BuyersCohort:
    buyers, amount = ages[0]
    cells = []
    for age in range(longest + 1):
        state = _state(plus_months(month, age), told)
        counted = ages.get(age, (0, 0.0)) if state != "unknown" else (None, None)
        cells.append(BuyersCell(age, state, *counted))
    return BuyersCohort(month, buyers, amount, tuple(cells))


def _state(month: date, told: Reach) -> State:
    assert told.last is not None
    assert told.whole_until is not None
    if month < told.whole_until:
        return "whole"
    return "partial" if month <= told.last else "unknown"


def pooled(cohorts: Iterable[BuyersCohort], age: int) -> tuple[int, int] | None:
    """Return how many of several cohorts bought at an age, of how many; None where one is not wholly known."""
    bought = whole = 0
    for one in cohorts:
        if age >= len(one.cells) or one.cells[age].state != "whole":
            return None
        bought += one.cells[age].buyers or 0
        whole += one.buyers
    return bought, whole
