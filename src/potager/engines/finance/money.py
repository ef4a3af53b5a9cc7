"""Whole minor units: the rounding rule, the split that loses no cent, and a discount shared over an invoice's lines.

Money is an integer of the currency's minor unit (cents for USD and EUR, yen for JPY) everywhere in this engine. The one
rounding rule is *half away from zero, once, at the end of the arithmetic*; sums are sums of rounded figures, so every
total is the total of what is shown. Numbers that must not be rounded in between are exact fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
MOST_CENTS = 2**62


class FinanceError(ValueError):
    """Data that no figure may be made of. ``detail`` says what is wrong and where, ``mend`` how to mend it."""

    def __init__(self, detail: str, mend: str = "") -> None:
        super().__init__(f"{detail} {mend}".strip())
        self.detail = detail
        self.mend = mend


def nearest(amount: Fraction) -> int:
    """Return the whole number nearest to ``amount``, halves away from zero (2.5 → 3, −2.5 → −3)."""
    whole = (2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    return whole if amount >= 0 else -whole


def scaled(cents: Whole, numerator: Whole | int, denominator: Whole | int) -> Whole:
    """Return ``cents × numerator ÷ denominator`` of each row, rounded as :func:`nearest`; shape (rows,).

    ``numerator`` is not negative and ``denominator`` is positive. The product is exact: where it would not fit 64 bits
    the rows are computed with Python's integers. Raises :class:`FinanceError` where a result does not fit.
    """
    shape = np.shape(cents)
    top = np.broadcast_to(np.asarray(numerator, dtype=np.int64), shape)
    below = np.broadcast_to(np.asarray(denominator, dtype=np.int64), shape)
    if not cents.size:
        return cents.astype(np.int64)
    size: Whole = np.abs(cents)
    whole: Whole
    if int(size.max()) * int(top.max()) * 2 + int(below.max()) < MOST_CENTS:
        whole = (2 * size * top + below) // (2 * below)
    else:
        exact = [
            (2 * amount * up + down) // (2 * down)
            for amount, up, down in zip(size.tolist(), top.tolist(), below.tolist(), strict=True)
        ]
        if max(exact) >= MOST_CENTS:
            raise FinanceError(
                "An amount is too large to be counted in 64 bits.", "Check the price and the quantity."
            )
        whole = np.array(exact, dtype=np.int64)
    return np.where(cents < 0, -whole, whole)


def allocate(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split ``total`` cents by ``weights`` so that the shares add up to it exactly (largest remainder).

    Every share is first rounded toward zero; the cents left over go to the largest remainders, equal ones to the first
    (Hamilton's method of apportionment). No share is further than one cent from its exact value. Raises
    :class:`FinanceError` where the weights are negative or all zero.
    """
    if not weights or min(weights) < 0 or not any(weights):
        raise FinanceError(
            "An amount cannot be split: the weights are negative, all zero, or none.",
            "Give one positive weight.",
        )
    whole = sum(weights)
    sign = -1 if total < 0 else 1
    shares = [abs(total) * weight // whole for weight in weights]
    remainders = [abs(total) * weight % whole for weight in weights]
    left = abs(total) - sum(shares)
    for at in sorted(range(len(weights)), key=lambda at: -remainders[at])[:left]:
        shares[at] += 1
    return tuple(sign * share for share in shares)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice: ``quantity`` times ``unit_cents`` in ``currency``."""

    subscription: str
    unit_cents: int
    quantity: int
    currency: str

    @property
    def cents(self) -> int:
        """The line before any discount of the invoice."""
        return self.unit_cents * self.quantity


def share_discount(lines: Sequence[InvoiceLine], discount_cents: int) -> tuple[int, ...]:
    """Return what is left of each line after a discount on the whole invoice, shared in proportion to the lines.

    The results add up to the invoice to the cent. Raises :class:`FinanceError` for an invoice without lines, one in two
    currencies, a negative quantity, price or discount, and a discount above the price.
    """
    if not lines:
        raise FinanceError("The invoice has no lines.", "Load its lines with it.")
    currencies = sorted({line.currency for line in lines})
    if len(currencies) > 1:
        raise FinanceError(
            f"One invoice holds two currencies, {' and '.join(currencies)}.",
            "Split it into one invoice a currency; amounts of two currencies are never added.",
        )
    for line in lines:
        if line.quantity < 0:
            raise FinanceError(
                f"A line of '{line.subscription}' has a negative quantity, {line.quantity}.",
                "Write a refund or a credit as its own line with a positive quantity, not as a negative sale.",
            )
        if line.unit_cents < 0:
            raise FinanceError(
                f"A line of '{line.subscription}' has a negative price, {line.unit_cents}.",
                "Write what is taken off as a discount.",
            )
    total = sum(line.cents for line in lines)
    if discount_cents < 0:
        raise FinanceError(
            f"The discount is negative, {discount_cents}.", "Write a surcharge as a line of its own."
        )
    if discount_cents > total:
        raise FinanceError(
            f"The discount of {discount_cents} is above the price of {total}.",
            "Cap the discount at the price; a customer who pays nothing is on a free plan, not owed money.",
        )
    if not discount_cents:
        return tuple(line.cents for line in lines)
    shares = allocate(discount_cents, [line.cents for line in lines])
    return tuple(line.cents - share for line, share in zip(lines, shares, strict=True))


def sums_by(groups: Whole, values: Whole, count: int) -> Whole:
    """Return the exact sum of ``values`` in each of ``count`` groups, shape (count,), not by way of floats."""
    result: Whole = np.zeros(count, dtype=np.int64)
    np.add.at(result, groups, values)
    return result
