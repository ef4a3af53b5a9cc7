"""Why two policies disagree: movement by movement, by the knob that explains it, adding up to the cent.

The knobs on which the policies differ are turned one after another, in the order of
:data:`~potager.engines.finance.policies.KNOBS`, from the first policy toward the second, and what each turn changes in
a movement is that knob's part. The parts telescope, so they add up exactly; where two knobs act on the same movement,
the later one is told what the earlier left over, and the order is part of the answer.

Against figures from outside ("why is this not Stripe's number?") what no knob explains is named ``unexplained``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from potager.engines.finance.arrow import up_to, whole
from potager.engines.finance.currency import RateTable
from potager.engines.finance.movements import MovementKind
from potager.engines.finance.pipeline import movements_under
from potager.engines.finance.policies import Policy, knobs_between, turned
from potager.engines.finance.terms import Terms, read_terms

UNEXPLAINED = "unexplained"
_PART = "by_"


@dataclass(frozen=True, slots=True)
class MovementDifference:
    """One movement under both policies, in signed minor units, and its difference by knob.

    ``second`` − ``first`` = Σ ``parts``; ``parts`` names a knob, or ``unexplained``, and its cents.
    """

    customer: str
    currency: str
    on: date
    kind: MovementKind
    first: int
    second: int
    parts: tuple[tuple[str, int], ...]

    @property
    def difference(self) -> int:
        """Second − first."""
        return self.second - self.first


@dataclass(frozen=True, slots=True, eq=False)
class PolicyDifference:
    """The difference between two policies' figures on a day: totals by currency and knob, and the movements behind it.

    ``first`` and ``second`` are the monthly values at the end of ``on``; ``by_knob`` (currency, knob or
    ``unexplained``, cents) adds up to their difference in each currency. ``knobs`` is the order they were turned in.
    ``table`` has every movement that differs: customer, currency, date, kind, first, second, and ``by_…`` a part.
    """

    first_policy: str
    second_policy: str
    on: date
    knobs: tuple[str, ...]
    first: dict[str, int]
    second: dict[str, int]
    by_knob: tuple[tuple[str, str, int], ...]
    table: pa.Table

    @property
    def unexplained(self) -> dict[str, int]:
        """What no knob explains, by currency; nothing where both figures were computed here."""
        return {currency: cents for currency, part, cents in self.by_knob if part == UNEXPLAINED}

    def movements(self, most: int | None = None) -> tuple[MovementDifference, ...]:
        """Return the movements that differ, by date; with ``most``, only so many, those that differ most."""
        return movement_differences(self.table, most)

    def sentences(self) -> tuple[str, ...]:
        """Say each knob's part in words, the largest first, in minor units."""
        ranked = sorted(self.by_knob, key=lambda part: (-abs(part[2]), part))
        return tuple(
            f"{cents:+,} {currency} by what is not explained."
            if part == UNEXPLAINED
            else f"{cents:+,} {currency} by the knob '{part}'."
            for currency, part, cents in ranked
        )


def policy_difference(
    terms: pa.Table | Terms,
    first: Policy,
    second: Policy,
    *,
    on: date,
    rates: RateTable | None = None,
    stated: pa.Table | None = None,
) -> PolicyDifference:
    """Return why the figures of two policies differ at the end of day ``on``, over all movements up to it.

    ``stated``: a movement table from outside that is said to follow ``second``; it then takes the place of what is
    computed, and what is left between the two is ``unexplained``. Raises
    :class:`~potager.engines.finance.money.FinanceError` as
    :func:`~potager.engines.finance.pipeline.movements_under`.
    """
    knobs, terms = knobs_between(first, second), read_terms(terms)
    names, tables = list(knobs), [movements_under(first, terms, rates=rates, through=on)]
    policy = first
    for knob in knobs:
        policy = turned(policy, knob, second)
        tables.append(movements_under(policy, terms, rates=rates, through=on))
    if stated is not None:
        tables.append(up_to(stated, on))
        names.append(UNEXPLAINED)
    table = differences_between(tables, names)
    by_knob = [
        (str(row["currency"]), name, int(row[f"{_PART}{name}_sum"]))
        for row in table.group_by("currency")
        .aggregate([(f"{_PART}{name}", "sum") for name in names])
        .to_pylist()
        for name in names
        if row[f"{_PART}{name}_sum"]
    ]
    return PolicyDifference(
        first.name,
        second.name,
        on,
        knobs,
        totals(tables[0]),
        totals(tables[-1]),
        tuple(sorted(by_knob)),
        table,
    )


def differences_between(tables: list[pa.Table], names: list[str]) -> pa.Table:
    """Return every movement that is not the same in all tables, with what each step from one to the next changed.

    ``names`` has one name a step, one fewer than tables, and becomes a column ``by_…`` each (int64); second − first is
    their sum. In order of date, customer, currency and kind.
    """
    keys = ["customer", "currency", "date", "kind"]
    stacked = pa.concat_tables(
        [table.select([*keys, "cents"]) for table in tables], promote_options="permissive"
    )
    which = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    cents = whole(stacked["cents"])
    for at in range(len(tables)):
        stacked = stacked.append_column(f"at {at}", pa.array(np.where(which == at, cents, 0)))
    wide = stacked.group_by(keys).aggregate([(f"at {at}", "sum") for at in range(len(tables))])
    values = [whole(wide[f"at {at}_sum"]) for at in range(len(tables))]
    columns = {"first": values[0], "second": values[-1]}
    columns |= {f"{_PART}{name}": values[at + 1] - values[at] for at, name in enumerate(names)}
    found = wide.select(keys)
    for name, column in columns.items():
        found = found.append_column(name, pa.array(column))
    differs = np.logical_or.reduce([value != values[0] for value in values])
    return found.filter(pa.array(differs)).sort_by(
        [("date", "ascending"), ("customer", "ascending"), ("currency", "ascending"), ("kind", "ascending")]
    )


def movement_differences(table: pa.Table, most: int | None = None) -> tuple[MovementDifference, ...]:
    """Return a table of :func:`differences_between` as objects to show; ``most`` keeps those that differ most."""
    if most is not None and most < len(table):
        size = -np.abs(whole(table["second"]) - whole(table["first"]))
        chosen = np.zeros(len(table), dtype=np.bool_)
        chosen[np.argsort(size, kind="stable")[:most]] = True
        table = table.filter(pa.array(chosen))
    names = [name.removeprefix(_PART) for name in table.column_names if name.startswith(_PART)]
    return tuple(_movement(row, names) for row in table.to_pylist())


def _movement(row: dict[str, Any], names: list[str]) -> MovementDifference:
    return MovementDifference(
        customer=str(row["customer"]),
        currency=str(row["currency"]),
        on=row["date"],
        kind=row["kind"],
        first=row["first"],
        second=row["second"],
        parts=tuple((name, int(row[f"{_PART}{name}"])) for name in names if row[f"{_PART}{name}"]),
    )


def totals(moved: pa.Table) -> dict[str, int]:
    """Return the sum of all movements by currency, which is the value at their end."""
    summed = moved.group_by("currency").aggregate([("cents", "sum")])
    return {str(row["currency"]): int(row["cents_sum"]) for row in summed.sort_by("currency").to_pylist()}
