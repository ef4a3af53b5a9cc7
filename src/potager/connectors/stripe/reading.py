"""Reading a file of subscriptions of any kind into terms, with what was set aside and what was assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from potager.connectors.stripe.agreed import Agreed
from potager.connectors.stripe.columns import mapped, mapping_notes
from potager.connectors.stripe.delimited import CsvFile, CsvRow, csv_file
from potager.connectors.stripe.events import History
from potager.connectors.stripe.objects import agreed_of
from potager.connectors.stripe.recognizing import described, looked_into
from potager.connectors.stripe.records import Record, has_more_pages, records
from potager.connectors.stripe.rejected import write
from potager.connectors.stripe.shapes import Kind, Reading
from potager.connectors.stripe.stretches import Rejects, Rows, present_rows, sound
from potager.connectors.stripe.tables import RowReader
from potager.connectors.stripe.units import RefusedError
from potager.kit import clock
from potager.kit.errors import Invalid

_MEND_LINE = "Mend the line, or export it again."
_DAYS = "Days are those of UTC."
_PRESENT = (
    "The file says what holds now and has no history of earlier prices: each subscription is taken to have had its "
    "present price, quantity and discounts since its start. Load the events for its history."
)
_STATES = (
    "What is past due, unpaid or paused now is taken to be so since its present billing period began, and to have been "
    "active before."
)
_TRIALS = "A trial that runs is taken to become paid on the day it ends."
_METERED = "Usage is not in subscriptions: metered prices have a quantity of 0 and are worth nothing under any policy."
_MORE_PAGES = "The list in the file says that Stripe has more pages of it: what is on those is missing here."
_TELL_EVERY = 5_000
_Found = tuple[str, str, Agreed | RefusedError]
_Seen = Callable[[int], None] | None
_T = TypeVar("_T")


def read(
    path: Path | str,
    *,
    kind: Kind | str | None = None,
    mapping: Mapping[str, str] | None = None,
    rejects_to: Path | str | None = None,
    known_at: datetime | None = None,
    seen: Callable[[int], None] | None = None,
) -> Reading:
    """Read a file of subscriptions into the finance engine's terms.

    ``kind`` is recognized where it is not given. ``mapping`` (role → column, or ``=EUR`` for one value of all rows)
    goes before what is guessed, for CSV. ``known_at``, UTC where it has no zone, is when a file that does not say it
    was known, now where it is not given; events are known when they were created. ``rejects_to`` is a CSV file that
    what is set aside is written to. ``seen`` hears how many records were read, now and then, and may stop the reading.

    Raises :class:`Invalid` for an empty file, one of another kind, and columns that are needed and not found.
    """
    path = Path(path)
    found, file = looked_into(path)
    wanted = _wanted(path, kind, found)
    at = known_at or clock.now()
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if wanted == Kind.EVENTS:
        result = _events(path, seen)
    elif wanted == Kind.API:
        result = _api(path, at, seen)
    else:
        file = file or csv_file(path, expected=wanted.described)
        result = _table(file, wanted, mapping, at, seen)
    if rejects_to is not None:
        write(Path(rejects_to), result.rejected)
    return result


def _wanted(path: Path, kind: Kind | str | None, found: Kind | None) -> Kind:
    """Return the kind to read as. Raises :class:`Invalid` with what was expected where the file is none of it."""
    try:
        wanted = found if kind is None else Kind(kind)
    except ValueError as error:
        raise Invalid(f"'{kind}' is no kind of file.", mend=f"Write one of {', '.join(Kind)}.") from error
    if wanted == Kind.RATES:
        raise Invalid(
            f"{path.name} holds currency rates, no subscriptions.", mend="Load it as the book's rates."
        )
    readable = [one for one in Kind if one != Kind.RATES]
    if wanted is None:
        expected = "; ".join(one.described for one in readable)
        raise Invalid(
            f"{path.name} is {described(path)}, no file of subscriptions that is known.",
            mend=f"Give one of these: {expected}; or say which column is which.",
        )
    of_json = (Kind.API, Kind.EVENTS)
    fits = found == wanted or (wanted == Kind.PLAIN and found not in of_json)
    if not fits:
        raise Invalid(
            f"{path.name} is {found.described if found else described(path)}; expected were {wanted.described}.",
            mend=f"Give {wanted.described}" + (", or read it as what it is." if found else "."),
        )
    return wanted


def _watched(records: Iterable[_T], seen: _Seen) -> Iterator[_T]:
    """Yield the records, telling how many there were now and then."""
    for number, record in enumerate(records, 1):
        if seen is not None and number % _TELL_EVERY == 0:
            seen(number)
        yield record


def _events(path: Path, seen: _Seen) -> Reading:
    rejects = Rejects()
    history = History(rejects)
    history.read(_watched(records(path), seen))
    before = history.counts["rejected"]
    table = history.terms.table()
    terms = sound(table, rejects)
    notes = [
        _DAYS + " Of several events on one day the last holds for it.",
        "A stretch is known since its last word: the event that opened it, or the one that closed it.",
        *_notes(terms),
        *_pages(path),
    ]
    if history.without_beginning:
        notes.append(
            f"Of {history.without_beginning} subscriptions the file does not hold the beginning: what their first "
            "event says of the time before it is taken to have held since their start."
        )
    counts = {
        **history.counts, "subscriptions": history.subscriptions, "terms": terms.num_rows,
        "rejected": before, "rejected_terms": table.num_rows - terms.num_rows,
    }  # fmt: skip
    words = history.words.table()
    return Reading(
        Kind.EVENTS, terms, rejects.table(), counts, tuple(notes), history=words.select(terms.column_names)
    )


def _api(path: Path, at: datetime, seen: _Seen) -> Reading:
    found = (
        (record.where, str(record.value.get("id") or ""), _of_record(record))
        for record in _watched(records(path), seen)
    )
    return _present(Kind.API, found, at, [_PRESENT, _DAYS, _STATES, *_pages(path)], once=True)


def _of_record(record: Record) -> Agreed | RefusedError:
    """Return what a record of the API says, or why it is set aside."""
    if record.because:
        return RefusedError(record.because, _MEND_LINE)
    named = record.value.get("object", "subscription")
    if named != "subscription":
        return RefusedError(
            f"It is a record of another kind, {named}, not a subscription.",
            "Give a file of subscriptions alone; events are read as their own kind.",
        )
    try:
        return agreed_of(record.value)
    except RefusedError as error:
        return error


def _table(
    file: CsvFile, kind: Kind, mapping: Mapping[str, str] | None, at: datetime, seen: _Seen
) -> Reading:
    roles = mapped(file.headers, mapping, dashboard=kind == Kind.DASHBOARD)
    reader = RowReader(file, roles)
    found = (_of_row(row, reader) for row in _watched(file.rows(), seen))
    notes = [_DAYS, *mapping_notes(roles)]
    if kind == Kind.DASHBOARD:
        notes = [_PRESENT, *notes, _STATES]
    return _present(kind, found, at, notes, mapping=roles)


def _of_row(row: CsvRow, reader: RowReader) -> _Found:
    """Return where a row stands, whose it is, and what it says or why it is set aside."""
    where = f"line {row.line}"
    if row.because:
        return where, "", RefusedError(row.because, "Give each line a cell for every column.")
    try:
        return where, reader.name(row.cells), reader.agreed(row.cells)
    except RefusedError as error:
        return where, reader.name(row.cells), error


def _present(
    kind: Kind,
    found: Iterable[_Found],
    at: datetime,
    notes: list[str],
    *,
    once: bool = False,
    mapping: Mapping[str, str] | None = None,
) -> Reading:
    """Return the reading of records that each say what holds now; ``once`` a subscription, where its id repeats."""
    rows, rejects, seen = Rows(), Rejects(), set[str]()
    counts = dict.fromkeys(("read", "used", "repeated", "passed_over", "rejected"), 0)
    for where, whose, agreed in found:
        counts["read"] += 1
        if isinstance(agreed, RefusedError):
            counts["rejected"] += 1
            rejects.add(where, whose, agreed.because, agreed.mend)
        elif once and whose in seen:
            counts["repeated"] += 1
        elif agreed.state is None:
            counts["passed_over"] += 1
        else:
            counts["used"] += 1
            if once:
                seen.add(whose)
            for row in present_rows(agreed):
                rows.add(row, at, where)
    table = rows.table()
    terms = sound(table, rejects)
    counts |= {"terms": terms.num_rows, "rejected_terms": table.num_rows - terms.num_rows}
    notes += _notes(terms)
    if counts["repeated"]:
        notes.append(f"{counts['repeated']} records repeat a subscription; the first one of each was read.")
    if counts["passed_over"]:
        notes.append(f"{counts['passed_over']} subscriptions never began (incomplete); they make no terms.")
    return Reading(kind, terms, rejects.table(), counts, tuple(notes), mapping=mapping or {}, history=terms)


def _pages(path: Path) -> list[str]:
    return [_MORE_PAGES] if has_more_pages(path) else []


def _notes(terms: pa.Table) -> list[str]:
    """Return what is to be said of the rows that there are."""
    states, kinds = set(terms["state"].unique().to_pylist()), set(terms["kind"].unique().to_pylist())
    notes = []
    if "trialing" in states:
        notes.append(_TRIALS)
    if "metered" in kinds:
        notes.append(_METERED)
    return notes
