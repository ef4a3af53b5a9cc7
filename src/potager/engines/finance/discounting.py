"""Money over time: net present value, the internal rate of return where there is exactly one, and payback."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from potager.engines.answers import CannotTell

FURTHEST_APART = 10**100
Polynomial = list[Fraction]
"""Coefficients, the constant first."""


@dataclass(frozen=True, slots=True)
class Payback:
    """When the money is back: ``periods`` from the first flow, with the last one in part, at a discount ``rate``.

    ``lasting`` is False where a later flow takes the sum below nothing again.
    """

    periods: float
    rate: float
    lasting: bool


def net_present_value(
    rate: float, flows: Sequence[float], times: Sequence[float] | None = None
) -> float | CannotTell:
    """Return Σ flow ÷ (1 + rate)^time, in the flows' unit; the first flow is at time 0.

    ``times`` (as many as flows) are counted in the rate's periods and are 0, 1, 2 … where not given. Raises
    :class:`ValueError` where the two are not equally many.
    """
    if not math.isfinite(rate) or rate <= -1.0 or not all(math.isfinite(flow) for flow in flows):
        return CannotTell(
            "undefined",
            "A rate of −100 % or below, or a flow that is not a number, has no present value.",
            "Check it.",
        )
    when = range(len(flows)) if times is None else times
    return math.fsum(flow * (1.0 + rate) ** -time for flow, time in zip(flows, when, strict=True))


def internal_rate_of_return(flows: Sequence[float]) -> float | CannotTell:
    """Return the one rate per period at which flows at times 0, 1, 2 … are worth nothing today.

    With x = 1 ÷ (1 + rate) it is the positive root of Σ flow × x^time. How many there are is counted exactly, by
    Sturm's theorem in whole numbers, before one is sought; the root is then closed in by halving, so no start value
    can lead astray. No root, and more than one, are refusals: with several rates none of them is the return (Lorie &
    Savage 1955).
    """
    if not all(math.isfinite(flow) for flow in flows):
        return CannotTell("undefined", "A flow is not a finite number.", "Mend the data.")
    polynomial = _trimmed([Fraction(flow) for flow in flows])
    if not any(flow < 0 for flow in polynomial) or not any(flow > 0 for flow in polynomial):
        return CannotTell(
            "undefined",
            "There is no rate of return: the flows are all gains, all costs, or none.",
            "Give what was paid and what came back; compare by net present value meanwhile.",
        )
    sizes = [abs(flow) for flow in polynomial if flow]
    if max(sizes) > FURTHEST_APART * min(sizes):
        return CannotTell(
            "undefined", "The flows are too far apart in size for a rate to be told.", "Check their units."
        )
    while polynomial[0] == 0:  # a late start shifts every flow alike and moves no root
        polynomial = polynomial[1:]
    chain = _sturm_chain(polynomial)
    top = 1 + max(abs(coefficient / polynomial[-1]) for coefficient in polynomial[:-1])  # Cauchy's bound
    roots = _changes(chain, Fraction(0)) - _changes(chain, top)
    if roots == 0:
        return CannotTell(
            "undefined",
            "There is no rate of return: at no rate are these flows worth nothing.",
            "Compare by net present value at your own rate.",
        )
    if roots > 1:
        return CannotTell(
            "ambiguous",
            f"These flows turn more than once and have {roots} rates of return, so none of them is the return.",
            "Compare by net present value at your own rate.",
        )
    return float(1 / _root(chain[0], top) - 1)


def payback(flows: Sequence[float], rate: float = 0.0) -> Payback | CannotTell:
    """Return the periods until the flows at times 0, 1, 2 …, discounted at ``rate``, have paid back what went out.

    The period in which the sum reaches nothing counts in part, as if its flow came evenly.
    """
    if not math.isfinite(rate) or rate <= -1.0 or not all(math.isfinite(flow) for flow in flows):
        return CannotTell(
            "undefined", "A rate of −100 % or below, or a flow that is not a number.", "Check it."
        )
    present = [flow * (1.0 + rate) ** -time for time, flow in enumerate(flows)]
    sums = list(accumulate(present))
    out = next((at for at, total in enumerate(sums) if total < 0), None)
    if out is None:
        return CannotTell(
            "undefined", "Nothing was paid out, so there is nothing to pay back.", "Give the cost too."
        )
    back = next((at for at in range(out + 1, len(sums)) if sums[at] >= 0), None)
    if back is None:
        return CannotTell(
            "undefined",
            f"The money is not back after {len(flows) - 1} periods; {-sums[-1]:,.2f} is still missing.",
            "Take a longer horizon, or take it that it does not come back.",
        )
    part = -sums[back - 1] / present[back]
    return Payback(back - 1 + part, rate, all(total >= 0 for total in sums[back:]))


def _trimmed(polynomial: Polynomial) -> Polynomial:
    while polynomial and polynomial[-1] == 0:
        polynomial = polynomial[:-1]
    return polynomial


def _sturm_chain(polynomial: Polynomial) -> list[Polynomial]:
    """Return Sturm's chain: the polynomial, its derivative, and each negated remainder, scaled to whole numbers.

    Where the polynomial touches zero in a repeated root, the chain is that of the one with each root once.
    """
    slope = [power * coefficient for power, coefficient in enumerate(polynomial)][1:]
    chain = [_primitive(polynomial), _primitive(slope)]
    while rest := _divided(chain[-2], chain[-1])[1]:
        chain.append(_primitive([-coefficient for coefficient in rest]))
    if len(chain[-1]) > 1:
        return _sturm_chain(_divided(polynomial, chain[-1])[0])
    return chain


def _primitive(polynomial: Polynomial) -> Polynomial:
    """Return the polynomial times a positive number that makes its coefficients whole and without common divisor."""
    common = math.lcm(*(coefficient.denominator for coefficient in polynomial))
    numbers = [int(coefficient * common) for coefficient in polynomial]
    divisor = math.gcd(*numbers)
    return [Fraction(number // divisor) for number in numbers]


def _divided(dividend: Polynomial, divisor: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Return the quotient and the remainder of two polynomials; no remainder is empty."""
    rest, quotient = list(dividend), [Fraction(0)] * max(len(dividend) - len(divisor) + 1, 1)
    while len(rest) >= len(divisor):
        factor, shift = rest[-1] / divisor[-1], len(rest) - len(divisor)
        quotient[shift] = factor
        for at, coefficient in enumerate(divisor):
            rest[at + shift] -= factor * coefficient
        rest = _trimmed(rest)
    return quotient, rest


def _changes(chain: list[Polynomial], at: Fraction) -> int:
    """Return how often the sign changes along the chain at a point."""
    signs = [value > 0 for polynomial in chain if (value := _value(polynomial, at)) != 0]
    return sum(one != other for one, other in pairwise(signs))


def _value(polynomial: Polynomial, at: Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in reversed(polynomial):
        total = total * at + coefficient
    return total


def _root(polynomial: Polynomial, top: Fraction) -> Fraction:
    """Return the one root in (0, top) of a polynomial whose roots are simple, as near as floating point can tell.

    The sign at the ends differs, as there is one simple root between them; values are exact, so no halving goes astray.
    """
    low, high = Fraction(0), top
    rises = _value(polynomial, high) > 0
    while low < (middle := Fraction(float((low + high) / 2))) < high:
        if (_value(polynomial, middle) > 0) == rises:
            high = middle
        else:
            low = middle
    return high
