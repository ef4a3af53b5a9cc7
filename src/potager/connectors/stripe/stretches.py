"""Rows of the terms table: what was agreed, cut into stretches of days on which nothing of it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from potager.connectors.stripe.agreed import Agreed, Line
from potager.connectors.stripe.shapes import REJECTS_SCHEMA, TERMS_SCHEMA
from potager.engines.finance import check_terms

Row = dict[str, Any]
_BATCH = 20_000
_OWED_OR_FREE = ("trialing", "past_due", "unpaid")


def names_of(agreed: Iterable[Agreed]) -> dict[str, str]:
    """Return the name of each item's rows: the subscription's own where it only ever had one item."""
    several = list(agreed)
    items = {line.name for one in several for line in one.lines}
    whose = several[0].subscription
    return {item: whose if len(items) == 1 else f"{whose}/{item}" for item in sorted(items)}


def rows_between(
    agreed: Agreed, since: date, until: date | None, names: Mapping[str, str], *, last: bool = True
) -> Iterator[Row]:
    """Yield the rows of [``since``, ``until``) while the agreement stands; it ends on its own end at the latest.

    ``last`` says that nothing is known after it: its last row then says until when it was paid.
    """
    ends = agreed.ends if until is None else until if agreed.ends is None else min(until, agreed.ends)
    edges = sorted({since, *(day for day in agreed.cuts() if since < day and (ends is None or day < ends))})
    for starts, stops in zip(edges, [*edges[1:], ends], strict=True):
        state = agreed.state_on(starts)
        if state is None or (stops is not None and stops <= starts):
            continue
        for line, offs in zip(agreed.lines, agreed.taken_off(starts), strict=True):
            whole = line.unit.denominator == 1
            yield {
                "customer": agreed.customer,
                "subscription": names[line.name],
                "starts": starts,
                "ends": stops,
                "currency": agreed.currency,
                # A price of a fraction of a cent is counted as what all of them cost together.
                "unit_cents": int(line.unit) if whole else line.gross,
                "quantity": line.quantity if whole else min(line.quantity, 1),
                "interval_count": line.every.count,
                "interval_unit": line.every.unit,
                **{f"{duration}_off": cents for duration, cents in offs.items()},
                "state": state,
                "kind": line.kind,
                "canceled_on": agreed.canceled_on,
                "paid_until": paid_until(agreed, line, stops, state)
                if last and stops is not None and stops == ends
                else None,
                "plan": line.plan,
            }


def paid_until(agreed: Agreed, line: Line, ends: date, state: str) -> date:
    """Return the end of the period that was paid when the subscription ended; a trial and an owed one paid nothing."""
    if state in _OWED_OR_FREE or ends <= agreed.paid_from:
        return ends
    known = line.period_ends or line.every.renewal_after(agreed.counted_from, ends - timedelta(days=1))
    return max(known, ends)


def present_rows(agreed: Agreed) -> Iterator[Row]:
    """Yield the rows of a subscription of which only the present is known, with what that says of its past.

    Its price is taken to have been the same since its start. Before its present state it is taken to have been on trial
    until the trial's end, then active; what is owed or paused is so since the present billing period's start.
    """
    names = names_of([agreed])
    if agreed.state is None:
        return
    earlier = replace(agreed, paused=False)
    edges: list[tuple[date, Agreed]] = [(agreed.starts, replace(earlier, state="active"))]
    if agreed.trial_until is not None:
        trial_from = min(max(agreed.trial_from or agreed.starts, agreed.starts), agreed.trial_until)
        edges.append((trial_from, replace(earlier, state="trialing")))
        if agreed.state != "trialing":
            edges.append((agreed.trial_until, replace(earlier, state="active")))
    if agreed.state != "active" or agreed.paused:
        since = agreed.period_starts() if agreed.state != "paused" else None
        since = since or agreed.paid_from
        least = agreed.starts if agreed.state == "trialing" else agreed.paid_from
        edges.append((max(since, least), agreed))
    # Of several on one day the later in the list holds.
    held = dict(edges)
    days = sorted(held)
    for since, until in zip(days, [*days[1:], None], strict=True):
        if agreed.ends is None or since < agreed.ends:
            stops = until if until is None or agreed.ends is None or until < agreed.ends else None
            yield from rows_between(held[since], since, stops, names, last=stops is None)


class Rows:
    """Rows on their way into Arrow, a batch at a time, with the place each is from and what was set aside."""

    def __init__(self) -> None:
        self._held: list[Row] = []
        self._batches: list[pa.RecordBatch] = []
        self._schema = TERMS_SCHEMA.append(pa.field("where", pa.string()))

    def add(self, row: Row, known_at: datetime, where: str) -> None:
        """Add a row."""
        self._held.append({**row, "known_at": known_at, "where": where})
        if len(self._held) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._held, schema=self._schema))
        self._held = []

    def table(self) -> pa.Table:
        """Return all rows in the order customer, subscription, starts."""
        self._flush()
        table = pa.Table.from_batches(self._batches, self._schema)
        return table.sort_by(
            [(name, "ascending") for name in ("customer", "subscription", "starts", "known_at")]
        )


class Rejects:
    """Records that were set aside, each with its place, whose it is, why, and how to mend it."""

    def __init__(self) -> None:
        self._held: list[dict[str, str]] = []
        self._batches: list[pa.RecordBatch] = []

    def add(self, where: str, whose: str, because: str, mend: str) -> None:
        """Set a record aside."""
        self._held.append({"where": where, "id": whose, "because": because, "mend": mend})
        if len(self._held) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._held, schema=REJECTS_SCHEMA))
        self._held = []

    def table(self) -> pa.Table:
        """Return what was set aside, in the order in which it was."""
        self._flush()
        return pa.Table.from_batches(self._batches, REJECTS_SCHEMA)


def sound(table: pa.Table, rejects: Rejects) -> pa.Table:
    """Return the rows that the finance engine can count, in its columns; the others are set aside with its sentence."""
    # The check words some faults only once others are gone, so it is asked until it finds none.
    while bad := check_terms(table):
        first = {one.row: one for one in reversed(bad)}
        for row, one in sorted(first.items()):
            because = one.because.removesuffix(f" (row {row + 1}).").removesuffix(".") + "."
            rejects.add(str(table["where"][row]), one.subscription, because, one.mend)
        wrong = pc.is_in(pa.array(range(table.num_rows)), value_set=pa.array(sorted(first)))
        table = table.filter(pc.invert(wrong))
    return table.select(TERMS_SCHEMA.names)
