"""What MRR was said to be on one day and is known to be on another, and the causes between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import duckdb

from potager.engines.finance import FinanceError, Restatement, restatement
from potager.ground.lake.service import lake, warehouse
from potager.insight.revenue import sources
from potager.insight.revenue.models import Book
from potager.insight.revenue.policies import policy_named
from potager.kit import clock
from potager.kit.errors import Invalid, NotFound

if TYPE_CHECKING:
    import pyarrow as pa

MONTH = 30


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
            pa.concat_tables(versions), policy_named(policy), known_then=known_then, known_now=now_day,
            as_of=[as_of], rates=now.rates,
        )  # fmt: skip
    except FinanceError as error:
        raise Invalid(error.detail, mend=error.mend) from error


@dataclass(frozen=True)
class Days:
    """MRR at the end of ``as_of``, as it was told at the end of ``then`` and is told at the end of ``now``."""

    then: date
    as_of: date
    now: date


def days_of(book: Book, then: date | None = None, as_of: date | None = None, now: date | None = None) -> Days:
    """Return the days of a restatement: those asked for, else what was told a month ago of the month before.

    Invalid where nothing was known on ``then``, or where ``as_of`` lies after it: nobody could say it yet.
    """
    last = now or clock.today()
    first = first_known(book)
    told = then or max(last - timedelta(days=MONTH), min(first, last))
    if told < first:
        raise Invalid(
            f"Nothing of {book.terms_table} was known on {told}; its first row was on {first}.",
            mend="Take that day or a later one, or load terms with a column known_at.",
        )
    of = as_of or (told.replace(day=1) - timedelta(days=1))
    if of > told:
        raise Invalid(
            f"What MRR would be on {of} could not be said on {told} yet.", mend="Take an earlier day for MRR."
        )
    return Days(told, of, last)


def first_known(book: Book) -> date:
    """Return the first day on which anything of a book's terms was known. NotFound where there is no table."""
    tables = warehouse().tables()
    if book.terms_table not in tables:
        raise NotFound(
            f"There is no table {book.terms_table} in the lake.",
            mend="Import its data, or name another table.",
        )
    if "known_at" in tables[book.terms_table].schema.names:
        told = warehouse().query(
            f"SELECT CAST(min(known_at) AS DATE) AS day FROM {book.terms_table}"  # noqa: S608 - a name by rule
        )
        day = told.table["day"][0].as_py()
        if isinstance(day, date):
            return day
    return min(one.at for one in lake().history(book.terms_table)).date()


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


def said_and_known(found: Restatement, currency: str) -> tuple[int, int]:
    """Return the figure as it was said then and as it is known now; nothing known is nothing paid."""
    for figure in found.figures:
        if figure.currency == currency:
            return figure.said_then, figure.known_now
    return 0, 0


def causes(found: Restatement, currency: str) -> list[tuple[str, int, int]]:
    """Return each cause with the number of its customers and its part of the difference; the largest first."""
    with duckdb.connect(":memory:") as connection:
        connection.register("differing", found.table)
        rows = connection.sql(
            "SELECT cause, count(DISTINCT customer), CAST(sum(second - first) AS BIGINT) AS cents FROM differing "
            "WHERE currency = $currency GROUP BY cause ORDER BY abs(cents) DESC, cause",
            params={"currency": currency},
        ).fetchall()
    return [(str(cause), int(customers), int(cents)) for cause, customers, cents in rows]
