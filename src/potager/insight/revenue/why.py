"""Why a figure is not another: between policies, between two days' knowledge, between current and committed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from potager.engines.finance import (
    POLICIES,
    FinanceError,
    Policy,
    PolicyDifference,
    Restatement,
    policy_difference,
    restatement,
)
from potager.ground.lake.service import lake, warehouse
from potager.insight.revenue import sources
from potager.insight.revenue.models import Book
from potager.kit import clock
from potager.kit.errors import Conflict, Invalid

if TYPE_CHECKING:
    import pyarrow as pa

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


def difference(book: Book, first: str, second: str, on: date | None = None) -> PolicyDifference:
    """Return why MRR by one policy is not MRR by another at the end of a day; the load's last day where none is given.

    Both are counted from the snapshots of the last load, so they are the figures that were published.
    """
    for name in (first, second):
        if name not in POLICIES:
            raise Invalid(f"There is no policy {name[:60]}.", mend=f"There are {', '.join(POLICIES)}.")
    return _between(book, POLICIES[first], POLICIES[second], on)


def _between(book: Book, first: Policy, second: Policy, on: date | None) -> PolicyDifference:
    day = day_of(book, on)
    read = sources.read(book, at=book.snapshots)
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


def knob_says(part: str) -> str:
    """Return a knob in plain words: ``which discounts lower a price``."""
    return KNOBS_SAY.get(part, part.replace("_", " "))


def committed(book: Book, policy: str, most: int = 20) -> Committed:
    """Return MRR with and without what was canceled and still runs, and the customers behind the difference."""
    current = replace(POLICIES[policy], name=f"{policy}, current", churn_dated="end")
    found = _between(book, current, POLICIES[policy].committed(), None)
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
    levels = _levels(book, current.name, policy, [str(row[0]) for row in rows], read, found.on)
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


def _levels(
    book: Book, name: str, policy: str, customers: list[str], read: sources.Sources, on: date
) -> dict[str, int]:
    """Return what these customers are worth now, counting cancellations when billing ends them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from potager.engines.finance import movements_under

    if not customers:
        return {}
    chosen = read.terms.filter(pc.is_in(read.terms["customer"], value_set=pa.array(customers)))
    moved = movements_under(
        replace(POLICIES[policy], name=name, churn_dated="end"), chosen, rates=read.rates, through=on
    )
    summed = moved.group_by("customer").aggregate([("cents", "sum")])
    return {str(row["customer"]): int(row["cents_sum"]) for row in summed.to_pylist()}


def restated(
    book: Book, policy: str, known_then: date, as_of: date, known_now: date | None = None
) -> Restatement:
    """Return how MRR at the end of ``as_of`` was told on one day and is told on another, and the movements behind it.

    What was known when is the terms' own column ``known_at``, or where they have none the snapshots of their table.
    Rates are those of today, so that only the terms make a difference. Invalid where nothing is known of that day.
    """
    now_day = known_now or clock.today()
    if now_day < known_then:
        raise Invalid(f"{known_then} comes after {now_day}.", mend="Swap the two days.")
    then, now = known(book, known_then), known(book, now_day)
    # Each day's knowledge as versions of its own: what was believed then ends where the new belief begins.
    begins = known_then + timedelta(days=1) if known_then < now_day else known_then
    versions = [_version(then.terms, known_then, begins), _version(now.terms, begins, None)]
    if known_then == now_day:
        versions = versions[1:]
    import pyarrow as pa

    try:
        return restatement(
            pa.concat_tables(versions), POLICIES[policy], known_then=known_then, known_now=now_day,
            as_of=[as_of], rates=now.rates,
        )  # fmt: skip
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error


def known(book: Book, day: date) -> sources.Sources:
    """Return a book's sources with the terms as they were known at the end of a day."""
    names = warehouse().tables()[book.terms_table].schema.names
    if "known_at" in names:
        return sources.read(book, known_on=day)
    end = datetime.combine(day + timedelta(days=1), time(), clock.now().tzinfo)
    before = [one for one in lake().history(book.terms_table) if one.at < end]
    if not before:
        raise Invalid(
            f"{book.terms_table} was not in the lake on {day}, so nothing is known of what was known then.",
            mend="Take a later day, or load terms with a column known_at.",
        )
    latest = max(before, key=lambda one: one.at)
    return sources.read(book, at={book.terms_table: latest.id})


def _version(terms: pa.Table, begins: date, stops: date | None) -> pa.Table:
    import pyarrow as pa

    length = terms.num_rows
    return terms.append_column("known_from", pa.array([begins] * length, pa.date32())).append_column(
        "known_until", pa.array([stops] * length, pa.date32())
    )


def amounts_by_knob(found: PolicyDifference, currency: str) -> list[tuple[str, str, int]]:
    """Return each knob that tells, in words, with its part in minor units; the largest first."""
    parts = [(part, knob_says(part), cents) for money, part, cents in found.by_knob if money == currency]
    return sorted(parts, key=lambda one: (-abs(one[2]), one[0]))


def rows_of(
    found: PolicyDifference | Restatement, limit: int, offset: int = 0
) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the movements that differ, those that differ most first, and how many there are.

    Rows have customer, date, kind, first, second, parts (by knob), and cause where it is a restatement.
    """
    table = found.table
    with duckdb.connect(":memory:") as connection:
        connection.register("differing", table)
        rows = connection.sql(
            "SELECT * FROM differing ORDER BY abs(second - first) DESC, date, customer, kind "
            "LIMIT $limit OFFSET $offset",
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
