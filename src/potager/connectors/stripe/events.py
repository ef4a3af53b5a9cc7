"""Events of subscriptions turned into their history: what held from each event's day to the next one's.

The days are those of the events in UTC, so of several events on one day the last one holds for it. Events may come in
any order and more than once. ``previous_attributes`` of the first event that is known say what was before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

from potager.connectors.stripe.agreed import Agreed
from potager.connectors.stripe.objects import agreed_of
from potager.connectors.stripe.records import Record
from potager.connectors.stripe.stretches import Rejects, Row, Rows, names_of, rows_between
from potager.connectors.stripe.units import RefusedError, time_at

SUBSCRIPTION, DISCOUNT = "customer.subscription.", "customer.discount."
_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("subscription", pa.string()), ("created", pa.timestamp("us", tz="UTC")), ("rank", pa.int8()),
    ("place", pa.int64()), ("event", pa.string()), ("kind", pa.string()), ("text", pa.string()),
    ("where", pa.string()),
]  # fmt: skip
_KEPT = pa.schema(_COLUMNS)
_ORDER = ("subscription", "created", "rank", "place")
_BATCH = 5_000
# What of an object is read; the rest (metadata, invoices, settings) would only be carried along.
_READ = frozenset({
    "id", "object", "customer", "status", "start_date", "created", "start", "items", "currency", "plan", "quantity",
    "discount", "discounts", "trial_start", "trial_end", "billing_cycle_anchor", "pause_collection", "cancel_at",
    "cancel_at_period_end", "canceled_at", "ended_at", "cancellation_details", "current_period_start",
    "current_period_end",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What held from a day on, when that was said, and where it stands."""

    day: date
    agreed: Agreed
    at: datetime
    where: str


class History:
    """Histories being rebuilt: ``terms`` as they are known now, ``words`` as they were known at each time."""

    def __init__(self, rejects: Rejects) -> None:
        self.terms, self.words = Rows(), Rows()
        self.counts = {"read": 0, "used": 0, "repeated": 0, "passed_over": 0, "rejected": 0}
        self.without_beginning = self.subscriptions = 0
        self._rejects = rejects

    def read(self, found: Iterable[Record]) -> None:
        """Read all events, put them in order, and rebuild each subscription."""
        table = pa.Table.from_batches(self._kept(found), _KEPT)
        table = table.sort_by([(name, "ascending") for name in _ORDER])
        rows = (row for batch in table.to_batches(max_chunksize=_BATCH) for row in batch.to_pylist())
        for whose, events in groupby(rows, key=lambda row: str(row["subscription"])):
            self._rebuild(whose, list(events))

    def _kept(self, found: Iterable[Record]) -> Iterator[pa.RecordBatch]:
        seen: set[str] = set()
        held: list[dict[str, Any]] = []
        for place, record in enumerate(found):
            self.counts["read"] += 1
            try:
                row = _slim(record)
            except RefusedError as error:
                self.counts["rejected"] += 1
                self._rejects.add(record.where, _name(record.value), error.because, error.mend)
                continue
            if row is None:
                self.counts["passed_over"] += 1
            elif row["event"] in seen:
                self.counts["repeated"] += 1
            else:
                seen.add(row["event"])
                held.append({**row, "place": place})
            if len(held) >= _BATCH:
                yield pa.RecordBatch.from_pylist(held, schema=_KEPT)
                held = []
        yield pa.RecordBatch.from_pylist(held, schema=_KEPT)

    def _rebuild(self, whose: str, events: list[dict[str, Any]]) -> None:
        discounts: dict[str, Mapping[str, Any]] = {}
        own = []
        for event in events:
            if event["kind"].startswith(DISCOUNT):
                held = json.loads(event["text"])["object"]
                discounts[str(held.get("id"))] = held
            else:
                own.append(event)
        if not own:
            self.counts["passed_over"] += len(events)
            return
        where = own[0]["where"]
        try:
            said: list[Said] = []
            for event in own:
                where = event["where"]
                said += self._said(event, discounts, first=not said)
        except RefusedError as error:
            self.counts["rejected"] += len(events)
            more = f" Its other {len(own) - 1} events are set aside with it." if len(own) > 1 else ""
            self._rejects.add(where, whose, error.because + more, error.mend)
            return
        self.counts["used"] += len(events)
        self.subscriptions += 1
        self._write(settled(said))

    def _said(
        self, event: Mapping[str, Any], discounts: Mapping[str, Mapping[str, Any]], *, first: bool
    ) -> list[Said]:
        """Return what an event says, and before it, where it is the first one, what it says of the time before."""
        held = json.loads(event["text"])
        at: datetime = event["created"]
        agreed = agreed_of(held["object"], discounts)
        now = Said(at.date(), agreed, at, event["where"])
        if not first:
            return [now]
        if event["kind"] == f"{SUBSCRIPTION}created":
            return [replace(now, day=min(agreed.starts, now.day))]
        self.without_beginning += 1
        if held["before"]:
            before = agreed_of(_overlaid(held["object"], held["before"]), discounts)
        else:
            before = _taken_back(agreed)
        return [Said(min(before.starts, now.day), before, at, event["where"]), now]

    def _write(self, said: list[Said]) -> None:
        names = names_of(one.agreed for one in said)
        done: dict[tuple[str, date], tuple[Row, Said]] = {}
        open_: dict[tuple[str, date], Row] = {}
        for before, one in zip([None, *said], said, strict=False):
            closing = {} if before is None else _keyed(_closed(before, one, names))
            tail = {} if one.agreed.ended else _keyed(rows_between(one.agreed, one.day, None, names))
            now = closing | tail
            for key, row in open_.items():
                if key not in now:  # it was expected and did not come: it holds no day
                    done.pop(key, None)
                    self.words.add({**row, "ends": row["starts"], "paid_until": None}, one.at, one.where)
            for key, row in now.items():
                if open_.get(key) != row:
                    self.words.add(row, one.at, one.where)
                    done[key] = (row, one)
            open_ = tail
        for row, one in done.values():
            self.terms.add(row, one.at, one.where)


def settled(said: Iterable[Said]) -> list[Said]:
    """Return what held, one after the other: of several on one day the last, and what repeats the one before merged."""
    found: list[Said] = []
    for one in said:
        if found and one.day <= found[-1].day:
            found[-1] = replace(one, day=found[-1].day)
        elif found and _same(found[-1].agreed, one.agreed):
            found[-1] = replace(found[-1], agreed=one.agreed)  # the billing period moves on, no term changes
        else:
            found.append(one)
    return found


def _same(before: Agreed, after: Agreed) -> bool:
    """Return whether two agreements differ in nothing but the billing period they were said in."""

    def lasting(agreed: Agreed) -> Agreed:
        lines = tuple(replace(line, period_starts=None, period_ends=None) for line in agreed.lines)
        return replace(agreed, lines=lines)

    return lasting(before) == lasting(after)


def _closed(before: Said, after: Said, names: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows of what held until something else was said."""
    until = after.day
    held = replace(before.agreed, ends=None)
    if after.agreed.ended:
        until = max(before.day, min(until, after.agreed.ends or until))
        held = replace(held, canceled_on=held.canceled_on or after.agreed.canceled_on)
    return rows_between(held, before.day, until, names, last=after.agreed.ended)


def _keyed(rows: Iterable[Row]) -> dict[tuple[str, date], Row]:
    return {(row["subscription"], row["starts"]): row for row in rows}


def _taken_back(agreed: Agreed) -> Agreed:
    """Return what was before an event that does not say it: the same, before its end and after its trial."""
    state = "trialing" if agreed.state == "active" and agreed.trial_until else agreed.state
    if not agreed.ended:
        return replace(agreed, state=state)
    return replace(agreed, state=state, ends=None, canceled_on=None, ended=False)


def _overlaid(after: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with its previous attributes put back."""
    found = dict(after)
    for name, value in before.items():
        held = found.get(name)
        nested = isinstance(held, Mapping) and isinstance(value, Mapping)
        found[name] = _overlaid(held, value) if nested else value  # type: ignore[arg-type]
    inside = after.get("items")
    items = inside.get("data") if isinstance(inside, Mapping) else None
    told = {"quantity", "plan"} & set(before) and "items" not in before
    if told and isinstance(items, list) and len(items) == 1 and isinstance(items[0], Mapping):
        item = {**items[0], **{name: before[name] for name in ("quantity", "plan") if name in before}}
        if "plan" in before:
            item.pop("price", None)
        found["items"] = {**after["items"], "data": [item]}
    return found


def _name(value: Mapping[str, Any]) -> str:
    return str(value.get("id") or "")


def _slim(record: Record) -> dict[str, Any] | None:
    """Return what is kept of an event until all are read; None for one of another kind."""
    value = record.value
    if record.because:
        raise RefusedError(record.because, "Mend the line, or export it again.")
    kind, data = str(value.get("type") or ""), value.get("data")
    if value.get("object", "event") != "event" or not kind:
        raise RefusedError(
            f"It is a record of {value.get('object') or 'another kind'}, not an event.",
            "Give a file of events alone; objects of the API are read as their own kind.",
        )
    if not kind.startswith((SUBSCRIPTION, DISCOUNT)) or kind.startswith(f"{SUBSCRIPTION}pending_update"):
        return None
    held = data.get("object") if isinstance(data, Mapping) else None
    created = time_at(value.get("created"))
    if not isinstance(data, Mapping) or not isinstance(held, Mapping) or created is None or not _name(value):
        raise RefusedError(
            "The event has no id, no time or no data.object.", "Export it whole, as Stripe's API answers it."
        )
    if kind.startswith(DISCOUNT):
        whose = str(held.get("subscription") or "")
        if not whose:
            return None
        text = {"object": dict(held)}
    else:
        whose = _name(held)
        before = data.get("previous_attributes")
        text = {"object": _read(held), "before": _read(before) if isinstance(before, Mapping) else {}}
    rank = {f"{SUBSCRIPTION}created": 0, f"{SUBSCRIPTION}deleted": 2}.get(kind, 1)
    return {
        "subscription": whose, "created": created, "rank": rank, "event": _name(value), "kind": kind,
        "text": json.dumps(text), "where": record.where,
    }  # fmt: skip


def _read(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name in _READ}
