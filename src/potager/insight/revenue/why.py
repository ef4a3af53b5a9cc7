"""Why a figure is not another: between policies, between two days' knowledge, between current and committed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Any

import duckdb

from potager.engines.finance import (
    FinanceError,
    Policy,
    PolicyDifference,
    Restatement,
    policy_difference,
)
from potager.insight.revenue import sources
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policies, policy_named
from potager.kit.currencies import minor_in
from potager.kit.errors import Conflict, Invalid

KNOBS_SAY = {
    "weeks_a_month": "how many weeks a month has",
    "days_a_month": "how many days a month has",
    "discounts": "which discounts lower a price",
    "trials": "whether trials count",
    "past_due": "whether past-due subscriptions count",
    "unpaid": "whether unpaid subscriptions count",
    "paused": "whether paused subscriptions count",
    "metered": "whether usage-based prices count",
    "churn_dated": "on which day a cancellation counts",
    "free_customers_stay": "whether a customer who comes to pay nothing has left",
    "brief_signups": "whether customers who are gone within their first month count",
    "currency": "at which rate other currencies count",
    "unexplained": "what no rule explains",
}
# A page and its picture ask for the same difference, which counts every subscription once a knob; snapshots never
# change, so the last few are kept.
MOST_KEPT = 8
_KEPT: dict[tuple[Any, ...], PolicyDifference] = {}
_KEEPING = Lock()
_AMOUNT = re.compile(r"[^\d\s.,-]?\s?(\d[\d,]{0,14}(?:\.\d{1,4})?)\s?([km]?)", re.IGNORECASE)


@dataclass(frozen=True)
class Leaving:
    """A customer whose cancellation or reduction is asked for and has not happened yet, in minor units."""

    customer: str
    current: int
    committed: int
    ends: date | None


@dataclass(frozen=True)
class Committed:
    """MRR as it is billed now, and without what was canceled and still runs.

    ``leaving`` are those with most to lose; ``customers`` counts all of them.
    """

    on: date
    current: int
    committed: int
    customers: int
    leaving: tuple[Leaving, ...]


def difference(
    book: Book, first: str, second: str, on: date | None = None, at: Mapping[str, str] | None = None
) -> PolicyDifference:
    """Return why MRR by one policy is not MRR by another at the end of a day; the load's last day where none is given.

    Both are counted from the snapshots of the last load, so they are the figures that were published; ``at`` gives
    others, for receipts that are run again. The same question on the same snapshots is computed once.
    """
    return _between(book, policy_named(first), policy_named(second), on, at)


def pair(book: Book, first: str = "", second: str = "") -> tuple[str, str]:
    """Return two policies to compare: those asked for, else the book's own and the next it is compared with."""
    one = policy_named(first or book.policy).name
    others = [name for name in (*book.policies, *policies()) if name != one]
    return one, policy_named(second or others[0]).name


def _between(
    book: Book, first: Policy, second: Policy, on: date | None, at: Mapping[str, str] | None = None
) -> PolicyDifference:
    day = day_of(book, on)
    pinned = {**book.snapshots, **{name: pin for name, pin in (at or {}).items() if name in book.snapshots}}
    key = (
        book.terms_table,
        book.rates_table,
        book.currency,
        tuple(sorted(pinned.items())),
        first,
        second,
        day,
    )
    with _KEEPING:
        kept = _KEPT.get(key)
    if kept is None:
        kept = _counted(book, pinned, first, second, day)
        with _KEEPING:
            _KEPT[key] = kept
            while len(_KEPT) > MOST_KEPT:
                del _KEPT[next(iter(_KEPT))]
    return kept


def _counted(
    book: Book, pinned: Mapping[str, str], first: Policy, second: Policy, day: date
) -> PolicyDifference:
    read = sources.read(book, at=pinned)
    try:
        return policy_difference(read.terms, first, second, on=day, rates=read.rates)
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error


def day_of(book: Book, on: date | None) -> date:
    """Return the day asked for, the load's last where none is. Invalid for a day that the load does not tell of."""
    if book.through is None:
        raise Conflict(f"{book.name} was not loaded yet.", mend="Load it first.")
    if on is not None and on > book.through:
        raise Invalid(
            f"{book.name} tells of days up to {book.through}.", mend="Ask for that day or one before."
        )
    return on or book.through


def minor(given: str, currency: str) -> int:
    """Return an amount as people write it, ``€12,345.60`` or ``12.3k``, in minor units. Invalid for what is none."""
    found = _AMOUNT.fullmatch(given.strip())
    if found is None:
        raise Invalid(f"'{given[:40]}' is not an amount.", mend="Write it as 12345.60.")
    scale = {"k": 1_000, "m": 1_000_000}.get(found.group(2).lower(), 1)
    return int((Decimal(found.group(1).replace(",", "")) * scale * minor_in(currency)).to_integral_value())


def knob_says(part: str) -> str:
    """Return a knob in plain words: ``which discounts lower a price``."""
    return KNOBS_SAY.get(part, part.replace("_", " "))


def committed(book: Book, policy: str, most: int = 20) -> Committed:
    """Return MRR with and without what was canceled and still runs, and the customers behind the difference."""
    own = policy_named(policy)
    current = replace(own, name=f"{policy}, current", churn_dated="end")
    found = _between(book, current, own.committed(), None)
    read = sources.read(book, at=book.snapshots)
    with duckdb.connect(":memory:") as connection:
        connection.register("differing", found.table)
        connection.register("terms", read.terms)
        rows = connection.sql(
            """
            WITH sums AS (
              SELECT customer, CAST(sum(first) AS BIGINT) AS first, CAST(sum(second) AS BIGINT) AS second
              FROM differing GROUP BY customer HAVING sum(first) <> sum(second)
            ), ending AS (
              SELECT customer, min(ends) AS ends FROM terms
              WHERE canceled_on <= $day AND ends > $day GROUP BY customer
            )
            SELECT customer, second - first AS change, ends, count(*) OVER () AS customers
            FROM sums LEFT JOIN ending USING (customer) ORDER BY change, customer
            LIMIT $most
            """,
            params={"day": found.on, "most": most},
        ).fetchall()
    levels = _levels(current, [str(row[0]) for row in rows], read, found.on)
    leaving = tuple(
        Leaving(str(who), levels.get(str(who), 0), levels.get(str(who), 0) + int(change), ends)
        for who, change, ends, _ in rows
    )
    return Committed(
        found.on,
        found.first.get(book.currency, 0),
        found.second.get(book.currency, 0),
        int(rows[0][3]) if rows else 0,
        leaving,
    )


def _levels(current: Policy, customers: list[str], read: sources.Sources, on: date) -> dict[str, int]:
    """Return what these customers are worth now, counting cancellations when billing ends them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from potager.engines.finance import movements_under

    if not customers:
        return {}
    chosen = read.terms.filter(pc.is_in(read.terms["customer"], value_set=pa.array(customers)))
    moved = movements_under(current, chosen, rates=read.rates, through=on)
    summed = moved.group_by("customer").aggregate([("cents", "sum")])
    return {str(row["customer"]): int(row["cents_sum"]) for row in summed.to_pylist()}


def amounts_by_knob(found: PolicyDifference, currency: str) -> list[tuple[str, str, int]]:
    """Return each knob that tells, in words, with its part in minor units; the largest first."""
    parts = [(part, knob_says(part), cents) for money, part, cents in found.by_knob if money == currency]
    return sorted(parts, key=lambda one: (-abs(one[2]), one[0]))


def rows_of(
    found: PolicyDifference | Restatement, limit: int, offset: int = 0, customer: str = ""
) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the movements that differ, of all customers or of one, and how many there are.

    First the customers whose figures are farthest apart in the end: a movement that another policy only tells on
    another day has its counterpart, and the two of them make no difference. Rows have customer, date, kind,
    first, second, parts (by knob), and cause where it is a restatement.
    """
    table = found.table
    if customer:
        import pyarrow as pa
        import pyarrow.compute as pc

        table = table.filter(pc.equal(table["customer"], pa.scalar(customer)))
    with duckdb.connect(":memory:") as connection:
        connection.register("differing", table)
        rows = connection.sql(
            "SELECT * FROM differing ORDER BY abs(sum(second - first) OVER (PARTITION BY customer, currency)) DESC, "
            "customer, currency, abs(second - first) DESC, date, kind LIMIT $limit OFFSET $offset",
            params={"limit": limit, "offset": offset},
        ).to_arrow_table()
    shown = []
    for row in rows.to_pylist():
        parts = {
            name.removeprefix("by_"): int(value)
            for name, value in row.items()
            if name.startswith("by_") and value
        }
        shown.append(
            {name: value for name, value in row.items() if not name.startswith("by_")} | {"parts": parts}
        )
    return shown, table.num_rows


@dataclass(frozen=True)
class Apart:
    """A customer whose figures differ at the end, in minor units, and the difference by knob."""

    customer: str
    difference: int
    parts: dict[str, int]


def customers_apart(
    found: PolicyDifference | Restatement, currency: str, most: int = 10
) -> tuple[tuple[Apart, ...], int]:
    """Return the customers whose figures are farthest apart at the end of the day, and how many there are."""
    names = [name for name in found.table.column_names if name.startswith("by_")]
    sums = "".join(f'CAST(sum("{name}") AS BIGINT) AS "{name}", ' for name in names)
    with duckdb.connect(":memory:") as connection:
        connection.register("differing", found.table)
        rows = connection.sql(
            f"SELECT customer, CAST(sum(second - first) AS BIGINT) AS difference, {sums}"  # noqa: S608 - columns of ours
            "count(*) OVER () AS total FROM differing WHERE currency = $currency GROUP BY customer "
            "HAVING sum(second - first) <> 0 ORDER BY abs(difference) DESC, customer LIMIT $most",
            params={"currency": currency, "most": most},
        ).to_arrow_table()
    told = rows.to_pylist()
    apart = tuple(
        Apart(
            str(row["customer"]),
            row["difference"],
            {name.removeprefix("by_"): row[name] for name in names if row[name]},
        )
        for row in told
    )
    return apart, int(told[0]["total"]) if told else 0
