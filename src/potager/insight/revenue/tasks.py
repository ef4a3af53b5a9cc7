"""The work of revenue: counting a book anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from potager.ground.jobs.work import Canceled, Work, job_kind
from potager.ground.lake.service import warehouse
from potager.insight.revenue import actions, counting, sources, writing
from potager.insight.revenue.models import Book, LoadState
from potager.kit.clock import now, today
from potager.kit.errors import Conflict, Invalid, Problem


@job_kind(actions.LOAD)
def run_load(work: Work, *, book_id: str) -> dict[str, Any]:
    """Read a book's terms, set bad rows aside, count movements and months by each policy, write and check them."""
    book = Book.objects.get(pk=UUID(book_id))
    try:
        with writing.one_writer():
            outcome = _load(work, book)
    except Canceled:
        raise
    except Exception as error:
        note = (
            f"{error.detail} {error.mend}"
            if isinstance(error, Problem)
            else f"It stopped unexpectedly: {error}"
        )
        actions.end_load(
            actor=work.actor, book=book, state=LoadState.FAILED, outcome={"note": note.strip()[:500]}
        )
        raise
    changed = outcome.pop("changed")
    actions.end_load(actor=work.actor, book=book, state=LoadState.DONE, outcome=outcome)
    return {name: outcome[name] for name in ("rows", "movements", "rejected")} | {"changed": changed}


def _load(work: Work, book: Book) -> dict[str, Any]:
    import pyarrow as pa

    through = today()
    steps_to_do = len(book.policies) + 2
    work.progress(0, steps_to_do, f"Reading {book.terms_table}")
    read = sources.read(book)
    writing.keep_rejected(book, read.rejected)
    if not read.terms.num_rows:
        raise Invalid(
            f"{book.terms_table} has no row that can be counted; {read.rejected.num_rows} were set aside.",
            mend="Look at what was set aside, mend the table, and load the book again.",
        )
    steps, moved, months = {}, [], []
    for place, policy in enumerate(book.policies, 1):
        work.progress(place, steps_to_do, f"Counting by {policy}")
        steps[policy] = counting.steps_of(book, read, policy, through)
        told, kept = counting.movements_of(book, read, policy, steps[policy])
        moved.append(kept)
        months.append(counting.months_of(book, read, policy, told, through))
    work.progress(steps_to_do - 1, steps_to_do, "Writing")
    rows = pa.concat_tables(moved)
    changed = writing.rewrite(book, writing.MOVEMENTS, rows)
    changed = writing.rewrite(book, writing.MONTHS, pa.concat_tables(months)) or changed
    for policy in book.policies:
        _check(book, policy, steps[policy])
    return {
        "changed": changed,
        "loaded_at": now(),
        "through": through,
        "snapshots": read.snapshots,
        "rows": read.terms.num_rows,
        "movements": rows.num_rows,
        "rejected": read.rejected.num_rows,
        "note": "",
    }


def _check(book: Book, policy: str, steps: Any) -> None:
    """Check what was written against the steps, in SQL: a second way to the same balance."""
    written = warehouse().query(
        f"SELECT customer, currency, day AS date, cents FROM {writing.MOVEMENTS} "  # noqa: S608
        f"WHERE book = {writing.quoted(book.name)} AND policy = {writing.quoted(policy)}"
    )
    wrong = counting.out_of_balance(steps, written.table)
    if wrong:
        first = wrong[0]
        raise Conflict(
            f"By {policy}, the movements of {first['customer']} add up to {first['moved']} on {first['date']}, and "
            f"the terms say {first['stated']}.",
            mend="Load the book again; if it stays, the tables were changed by hand.",
        )
