"""What is read and given: the kinds of files, the columns of terms and of what was set aside, and a reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from potager.engines.finance import SCHEMA

TERMS_SCHEMA = pa.schema(
    [*SCHEMA, pa.field("plan", pa.string()), pa.field("known_at", pa.timestamp("us", tz="UTC"))]
)
REJECTS_SCHEMA = pa.schema([(name, pa.string()) for name in ("where", "id", "because", "mend")])


class Kind(StrEnum):
    """What a file holds: objects of Stripe's API, its events, its Dashboard's export, any table, or rates."""

    API = "api"
    EVENTS = "events"
    DASHBOARD = "dashboard"
    PLAIN = "plain"
    RATES = "rates"

    @property
    def described(self) -> str:
        """The kind in words, for sentences."""
        return _DESCRIBED[self]


_DESCRIBED = {
    Kind.API: "subscriptions as Stripe's API answers them (JSON or JSON Lines)",
    Kind.EVENTS: "events of Stripe named customer.subscription.… (JSON or JSON Lines)",
    Kind.DASHBOARD: "the subscriptions export of Stripe's Dashboard (CSV)",
    Kind.PLAIN: "a table of subscriptions with a header (CSV)",
    Kind.RATES: "a table of currency rates (CSV: day, currency, rate, or the European Central Bank's history)",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave.

    ``terms`` has the columns of :data:`TERMS_SCHEMA` in the order customer, subscription, starts; ``history`` has them
    too and every word on each stretch as it became known, for a lake that answers what was known on a day (``terms`` is
    its last word on each stretch; a stretch that was expected and did not come has no days there); ``rejected`` has
    those of :data:`REJECTS_SCHEMA`; ``counts`` says how many records were read, used, repeated, rejected and passed
    over; ``notes`` are sentences on what was assumed; ``mapping`` is the column each role was read from (CSV only).
    """

    kind: Kind
    terms: pa.Table
    rejected: pa.Table
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    history: pa.Table = field(default_factory=TERMS_SCHEMA.empty_table)
