"""Currencies by their codes: how many minor units one unit has, so that cents become amounts and amounts cents."""

from __future__ import annotations

# ISO 4217 (2024), the currencies whose minor unit is not a hundredth.
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
         "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip


def digits(currency: str) -> int:
    """Return how many digits of the currency are minor: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217)."""
    return _DIGITS.get(currency.upper(), 2)


def minor_in(currency: str) -> int:
    """Return how many minor units one unit of the currency has: 100 for EUR."""
    return int(10 ** digits(currency))


def amount(cents: int, currency: str) -> float:
    """Return minor units as an amount in the currency's unit."""
    return cents / minor_in(currency)
