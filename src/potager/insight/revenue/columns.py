"""Which columns of a table are the terms' own: by the same name, by what a book says, or what holds where none is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from potager.engines.finance import SCHEMA
from potager.kit.currencies import minor_in

# What holds of a table that says nothing else: one monthly subscription a customer, active, at its price, not canceled.
_DEFAULTS: Mapping[str, str] = {
    "ends": "NULL",
    "quantity": "1",
    "interval_count": "1",
    "interval_unit": "'month'",
    "forever_off": "0",
    "repeating_off": "0",
    "once_off": "0",
    "state": "'active'",
    "kind": "'recurring'",
    "canceled_on": "NULL",
    "paid_until": "NULL",
}
BESIDE = ("plan", "known_at")
AMOUNT = "amount"
"""A price in the currency's unit, in the place of ``unit_cents``."""
NAMES: tuple[str, ...] = (*SCHEMA.names, AMOUNT, *BESIDE)


def column_of(name: str, names: Collection[str], said: Mapping[str, str]) -> str | None:
    """Return the column that is one of :data:`NAMES`: the one a book says, or the one called so; None where none is."""
    chosen = said.get(name, name)
    return chosen if chosen in names else None


def missing(names: Collection[str], said: Mapping[str, str]) -> list[str]:
    """Return what a table needs and does not have."""
    absent = [name for name in ("customer", "starts") if column_of(name, names, said) is None]
    if column_of("unit_cents", names, said) is None and column_of(AMOUNT, names, said) is None:
        absent.append(f"unit_cents (or {AMOUNT})")
    return absent


def standing(names: Collection[str], said: Mapping[str, str], currency: str) -> dict[str, str]:
    """Return SQL for every one of the terms' own columns, plan and (where known) known_at, over a table's columns."""
    found = {}
    for name in (*SCHEMA.names, *BESIDE):
        column = column_of(name, names, said)
        if column is not None:
            found[name] = f'"{column}"'
        elif name in _DEFAULTS:
            found[name] = _DEFAULTS[name]
    amount = column_of(AMOUNT, names, said)
    if "unit_cents" not in found and amount is not None:
        found["unit_cents"] = f'round(TRY_CAST("{amount}" AS DECIMAL(38, 9)) * {minor_in(currency)})'
    found.setdefault("subscription", found["customer"])
    found.setdefault("currency", f"'{currency}'")
    return found
