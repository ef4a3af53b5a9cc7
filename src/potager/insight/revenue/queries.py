"""Reading books, and the rows they wrote."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from potager.engines.finance import SCHEMA
from potager.ground.access.actors import Actor
from potager.ground.lake.service import warehouse
from potager.ground.records.models import RecordQuerySet
from potager.ground.records.queries import found_in
from potager.insight.revenue.models import Book
from potager.insight.revenue.writing import MONTHS, MOVEMENTS, quoted
from potager.kit.errors import Conflict, Invalid

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 500
MOVED = "moved"  # what customers did; rates aside
MONTH_SUMS = ("start", "new", "expansion", "reactivation", "contraction", "churn", "currency", "end")


def books(actor: Actor) -> RecordQuerySet[Book]:
    """Return the books in use that the actor may see, by name."""
    rows: RecordQuerySet[Book] = Book.objects.visible_to(actor)
    return rows.alive().select_related("job").order_by("name")


def book(actor: Actor, key: UUID | str) -> Book:
    """Return one book."""
    return found_in(books(actor), pk=key)


def tables_without_a_book(actor: Actor) -> list[str]:
    """Return the tables of the lake that hold terms, and that no book the actor may see is counted from."""
    counted = set(books(actor).values_list("terms_table", flat=True))
    tables = warehouse().tables().values()
    return sorted(
        one.name for one in tables if one.name not in counted and set(SCHEMA.names) <= set(one.schema.names)
    )


def policy_of(found: Book, named: str = "") -> str:
    """Return the policy asked for, the book's own where none is. Invalid for one the book is not counted by."""
    policy = named or found.policy
    if policy not in found.policies:
        raise Invalid(
            f"{found.name} is not counted by {policy[:60]}.", mend=f"Ask for {', '.join(found.policies)}."
        )
    return policy


def _own(found: Book, policy: str, table: str = MOVEMENTS) -> str:
    if found.loaded_at is None:
        raise Conflict(f"{found.name} was not loaded yet.", mend="Load it first.")
    return f"FROM {table} WHERE book = {quoted(found.name)} AND policy = {quoted(policy)}"


def month_sums(found: Book, policy: str, since: date, before: date) -> dict[date, dict[str, int]]:
    """Return the sums of each month with money in it, by its first day, without ``_cents`` in their names."""
    sums = ", ".join(f"CAST(sum({name}_cents) AS BIGINT) AS {name}" for name in MONTH_SUMS)
    sql = (
        f"SELECT month, {sums} {_own(found, policy, MONTHS)} AND month >= DATE '{since.isoformat()}' "
        f"AND month < DATE '{before.isoformat()}' GROUP BY month ORDER BY month"
    )
    return {row.pop("month"): row for row in warehouse().query(sql).table.to_pylist()}


def moved(found: Book, policy: str) -> pa.Table:
    """Return the movement table of a book by a policy, as the engine reads it."""
    sql = f"SELECT customer, currency, day AS date, kind, cents {_own(found, policy)}"
    return warehouse().query(f"{sql} ORDER BY customer, currency, date, kind").table


def steps(found: Book, policy: str) -> pa.Table:
    """Return the step table that a book's movements lead through: customer, currency, date, cents."""
    sql = (
        "SELECT customer, currency, day AS date, CAST(sum(sum(cents)) OVER (PARTITION BY customer, currency "
        f"ORDER BY day) AS BIGINT) AS cents {_own(found, policy)} GROUP BY customer, currency, day "
        "ORDER BY customer, currency, date"
    )
    return warehouse().query(sql).table


def movements(
    found: Book,
    policy: str,
    *,
    customer: str = "",
    kind: str = "",
    since: date | None = None,
    until: date | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[dict[str, Any]], int]:
    """Return a page of movements, newest first, and how many there are; both days are in it.

    ``kind`` is one of the engine's, or ``moved`` for all but what exchange rates did.
    """
    where = _own(found, policy)
    if customer:
        where += f" AND customer = {quoted(customer)}"
    if kind == MOVED:
        where += " AND kind <> 'currency'"
    elif kind:
        where += f" AND kind = {quoted(kind)}"
    if since is not None:
        where += f" AND day >= DATE '{since.isoformat()}'"
    if until is not None:
        where += f" AND day <= DATE '{until.isoformat()}'"
    sql = (
        f"SELECT customer, plan, currency, day, kind, cents, count(*) OVER () AS total {where} "
        f"ORDER BY day DESC, customer, kind LIMIT {min(max(limit, 1), MOST_ROWS)} OFFSET {max(offset, 0)}"
    )
    rows: list[dict[str, Any]] = warehouse().query(sql).table.to_pylist()
    if rows:
        return rows, int(rows[0]["total"])
    count = warehouse().query(f"SELECT count(*) AS total {where}").table["total"][0].as_py()
    return [], int(count)
