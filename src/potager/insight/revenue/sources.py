"""What a book is counted from: its terms at one snapshot, bad rows set aside with their sentences, and its rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from potager.engines.finance import SCHEMA, FinanceError, Rate, RateTable, check_terms
from potager.ground.lake.service import lake, warehouse
from potager.insight.revenue.columns import standing
from potager.insight.revenue.models import Book
from potager.kit.currencies import digits
from potager.kit.errors import Invalid, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

_SQL = {"string": "VARCHAR", "date32[day]": "DATE", "int64": "BIGINT"}
_OPEN = ("ends", "canceled_on", "paid_until")
REJECTED = ("customer", "subscription", "starts", "because", "mend")


@dataclass(frozen=True)
class Sources:
    """Terms that can be counted, the plans of their customers, the rows set aside, the rates, and the snapshots read.

    ``terms`` has the columns of ``finance.SCHEMA``; ``plans`` has customer, starts, plan, once a customer and day;
    ``rejected`` has the columns of :data:`REJECTED`, all text.
    """

    terms: pa.Table
    plans: pa.Table
    rejected: pa.Table
    rates: RateTable
    snapshots: dict[str, str]


def read(book: Book, *, at: Mapping[str, str] | None = None, known_on: date | None = None) -> Sources:
    """Read a book's tables, at their present snapshots unless ``at`` pins them.

    ``known_on``: as the terms were known at the end of that day, by their column ``known_at``. Invalid for rates that
    cannot be used, NotFound for no table.
    """
    at = {
        name: (at or {}).get(name) or _snapshot(name) for name in (book.terms_table, book.rates_table) if name
    }
    table, snapshots = _terms(book, at, known_on)
    terms, rejected = _sorted_out(table)
    return Sources(
        terms.select(SCHEMA.names).cast(SCHEMA), _plans(terms), rejected, _rates(book, at), snapshots
    )


def _snapshot(table: str) -> str:
    current = lake().current(table)
    if current is None:
        raise NotFound(
            f"There is no table {table} in the lake.", mend="Import its data, or name another table."
        )
    return current.id


def _terms(book: Book, at: dict[str, str], known_on: date | None) -> tuple[pa.Table, dict[str, str]]:
    """Return the terms as last known, in order, with ``plan`` and the first column that could not be read."""
    own = standing(warehouse().tables()[book.terms_table].schema.names, book.columns, book.currency)
    read = {field.name: f'TRY_CAST("{field.name}" AS {_SQL[str(field.type)]})' for field in SCHEMA}
    told = {name: f' AND "{name}" IS NOT NULL' if name in _OPEN else "" for name in read}
    broken = {
        name: f' OR TRY_CAST("{name}" AS DOUBLE) <> {cast}' if cast.endswith("AS BIGINT)") else ""
        for name, cast in read.items()
    }
    unreadable = " ".join(
        f"WHEN ({cast} IS NULL{told[name]}){broken[name]} THEN '{name}'" for name, cast in read.items()
    )
    columns = ", ".join(f'{cast} AS "{name}"' for name, cast in read.items())
    plan = "coalesce(CAST(plan AS VARCHAR), '')" if "plan" in own else "''"
    known = (
        f" WHERE known_at < DATE '{known_on + timedelta(days=1)}'" if known_on and "known_at" in own else ""
    )
    # A later word on the same stretch of a subscription takes the place of an earlier one.
    latest = (
        " QUALIFY known_at IS NOT DISTINCT FROM max(known_at) OVER (PARTITION BY customer, subscription, starts)"
        if "known_at" in own
        else ""
    )
    given = ", ".join(f'{said} AS "{name}"' for name, said in own.items())
    sql = (
        f"SELECT {columns}, {plan} AS plan, CASE {unreadable} ELSE '' END AS unreadable "  # noqa: S608 - names of ours
        f"FROM (SELECT {given} FROM {book.terms_table}) AS terms{known}{latest} "
        "ORDER BY customer, subscription, starts, ends, unit_cents"
    )
    result = warehouse().query(sql, at={book.terms_table: at[book.terms_table]})
    return result.table, at


def _sorted_out(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the rows that figures may be made of, and those set aside with what is wrong and how to mend it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unread = pc.not_equal(table["unreadable"], pa.scalar(""))
    found: list[pa.Table] = []
    wrong = table.filter(unread)
    if wrong.num_rows:
        because = pa.array(
            [
                f"The subscription '{row['subscription'] or ''}' of '{row['customer'] or ''}' has no readable "
                f"{row['unreadable']}."
                for row in wrong.select(["subscription", "customer", "unreadable"]).to_pylist()
            ]
        )
        mend = pa.array(["Load what is missing, in the type the column has."] * wrong.num_rows)
        found.append(_rejects(wrong, because, mend))
    rest = table.filter(pc.invert(unread))
    # The check words some faults only once others are gone, so it is asked until it finds none.
    while bad := check_terms(rest):
        first = {one.row: one for one in reversed(bad)}
        rows = sorted(first)
        because = pa.array([first[row].because.removesuffix(f" (row {row + 1}).") + "." for row in rows])
        found.append(_rejects(rest.take(rows), because, pa.array([first[row].mend for row in rows])))
        keep = pc.invert(pc.is_in(pa.array(range(rest.num_rows)), value_set=pa.array(rows)))
        rest = rest.filter(keep)
    empty = pa.table({name: pa.array([], pa.string()) for name in REJECTED})
    return rest, pa.concat_tables([empty, *found])


def _rejects(rows: pa.Table, because: Any, mend: Any) -> pa.Table:
    import pyarrow as pa

    said = [rows[name].cast(pa.string()) for name in REJECTED[:3]]
    return pa.table([*said, because, mend], names=list(REJECTED))


def _plans(terms: pa.Table) -> pa.Table:
    """Return the plan that a customer took up on a day; of several on one day, the dearest."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.register("terms", terms)
        plans: pa.Table = connection.sql(
            "SELECT customer, starts, arg_max(plan, (unit_cents * quantity, plan)) AS plan FROM terms GROUP BY ALL"
        ).to_arrow_table()
    return plans


def _rates(book: Book, at: dict[str, str]) -> RateTable:
    """Return the rates into the book's currency, in minor units, each as last known."""
    if not book.rates_table:
        return RateTable(book.currency, ())
    names = warehouse().tables()[book.rates_table].schema.names
    known = "arg_max(rate, known_at)" if "known_at" in names else "any_value(rate)"
    several = "1" if "known_at" in names else "count(DISTINCT rate)"
    result = warehouse().query(
        f"SELECT CAST(day AS DATE) AS day, currency, {known} AS rate, {several} AS several "  # noqa: S608
        f"FROM {book.rates_table} WHERE currency <> '{book.currency}' GROUP BY ALL ORDER BY ALL",
        at={book.rates_table: at[book.rates_table]},
    )
    rates = []
    for row in result.table.to_pylist():
        if row["several"] > 1 or row["day"] is None or row["rate"] is None:
            raise Invalid(
                f"{book.rates_table} has no one rate of {row['currency']} on {row['day']}.",
                mend="Keep one rate a currency and day, or say when each became known in known_at.",
            )
        # From one minor unit of the currency to minor units of the book's, in the engine's nine places.
        scale = Decimal(10) ** (digits(book.currency) - digits(row["currency"]))
        value = (Decimal(repr(float(row["rate"]))) * scale).quantize(Decimal("1e-9"))
        rates.append(Rate(row["currency"], row["day"], value))
    try:
        return RateTable(book.currency, rates)
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error
