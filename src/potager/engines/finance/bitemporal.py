"""What was said then against what is known now: figures *as known on* one day, *as of* another, and why they changed.

A *versioned* table of terms has two more columns, ``known_from`` and ``known_until`` (date32; null is "still"): the
days on which the row was believed. A correction ends one row's belief and begins another's; nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from potager.engines.finance.arrow import day_number, days, flags, up_to
from potager.engines.finance.currency import RateTable
from potager.engines.finance.difference import (
    MovementDifference,
    differences_between,
    movement_differences,
    totals,
)
from potager.engines.finance.money import FinanceError
from potager.engines.finance.pipeline import movements_under
from potager.engines.finance.policies import Policy
from potager.engines.finance.terms import SCHEMA

Cause = Literal["came later", "withdrawn", "corrected"]


@dataclass(frozen=True, slots=True)
class Restated:
    """The monthly value at the end of a day, as known on the two days, in one currency's minor units."""

    on: date
    currency: str
    said_then: int
    known_now: int

    @property
    def difference(self) -> int:
        """Known now − said then."""
        return self.known_now - self.said_then


@dataclass(frozen=True, slots=True)
class RestatedMovement:
    """A movement that one of the two days' knowledge tells otherwise, and why.

    *came later*: nothing was known of the customer then; *withdrawn*: nothing is known of them now; *corrected*: both,
    and they differ.
    """

    movement: MovementDifference
    cause: Cause


@dataclass(frozen=True, slots=True, eq=False)
class Restatement:
    """Two days' knowledge compared: the figure at each day asked for, and every movement behind the differences.

    ``table``: customer, currency, date, kind, first (said then), second (known now), by_restated, cause.
    """

    policy: str
    known_then: date
    known_now: date
    figures: tuple[Restated, ...]
    table: pa.Table

    def movements(self, most: int | None = None) -> tuple[RestatedMovement, ...]:
        """Return the movements told otherwise, by date; with ``most``, only so many, those that differ most."""
        causes: dict[Any, Any] = dict(
            zip(self.table["customer"].to_pylist(), self.table["cause"].to_pylist(), strict=True)
        )
        return tuple(
            RestatedMovement(movement, causes[movement.customer])
            for movement in movement_differences(self.table, most)
        )


def as_known_on(versions: pa.Table, known_on: date) -> pa.Table:
    """Return the table of terms as it was believed at the end of a day.

    Raises :class:`FinanceError` where the table has no ``known_from`` and ``known_until``, or a row's knowledge ended
    before it began.
    """
    for name in ("known_from", "known_until"):
        if name not in versions.column_names:
            raise FinanceError(
                f"The terms have no column '{name}', so what was known when is lost.", "Load versions."
            )
    begins, stops = days(versions["known_from"]), days(versions["known_until"])
    if (stops < begins).any():
        raise FinanceError("A row stopped being known before it was known.", "Check the two days.")
    day = day_number(known_on)
    return versions.filter(pa.array((begins <= day) & (day < stops))).select(SCHEMA.names)


def restatement(
    versions: pa.Table,
    policy: Policy,
    *,
    known_then: date,
    known_now: date,
    as_of: Sequence[date],
    rates: RateTable | None = None,
) -> Restatement:
    """Return how the figures at the end of each day in ``as_of`` differ between two days' knowledge, and why.

    The movements are those up to the last of these days, and their differences add up to the last figure's in each
    currency. Raises :class:`FinanceError` for no day to tell of, for bad terms, and as :func:`as_known_on`.
    """
    if not as_of or known_now < known_then:
        raise FinanceError(
            "A restatement needs a day to tell of, and two days of knowledge in order.", "Give them."
        )
    tables = [as_known_on(versions, known) for known in (known_then, known_now)]
    moved = [movements_under(policy, table, rates=rates, through=max(as_of)) for table in tables]
    figures = []
    for day in sorted(set(as_of)):
        said, known = (totals(up_to(table, day)) for table in moved)
        figures += [
            Restated(day, currency, said.get(currency, 0), known.get(currency, 0))
            for currency in sorted({*said, *known})
        ]
    found = differences_between(moved, ["restated"])
    then, now = (pc.is_in(found["customer"], value_set=table["customer"].unique()) for table in tables)
    cause = np.where(~flags(then), "came later", np.where(flags(now), "corrected", "withdrawn"))
    return Restatement(
        policy.name,
        known_then,
        known_now,
        tuple(figures),
        found.append_column("cause", pa.array(cause, pa.string())),
    )
