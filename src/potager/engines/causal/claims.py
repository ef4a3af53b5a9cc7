"""Claims on one movement: what bets claim, what came from outside, and what nobody can explain add up to what
happened.

Two bets cannot claim the same euro. Where claims exceed the movement they are capped, the least precise giving up the
most, and the ledger says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from potager.engines.causal.results import Check, EvidenceClass, check_level, two_sided_z, weakest

# Claims that exceed by no more than this share of themselves do so by the rounding of sums.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Claim:
    """What a bet says it did to a metric, in the metric's unit, with its standard error (≥ 0) and evidence class."""

    name: str
    estimate: float
    error: float
    evidence: EvidenceClass

    def __post_init__(self) -> None:
        if not math.isfinite(self.estimate) or not 0.0 <= self.error < math.inf:
            raise ValueError(f"The claim of “{self.name}” is a finite number with an error of 0 or more.")


@dataclass(frozen=True, slots=True)
class Settled:
    """A claim as granted: ``granted`` with ``low`` to ``high``, and ``given_up`` = claimed − granted."""

    claim: Claim
    granted: float
    low: float
    high: float
    given_up: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """Granted claims + outside + unexplained = observed, to the last digit that doubles carry.

    ``outside`` and ``unexplained`` are in the unit of the metric; ``unexplained_low`` and ``unexplained_high`` carry
    the errors of the claims and of the outside part. ``capped`` tells whether any claim was cut, ``sentences`` why,
    in the words of the page. ``evidence`` is that of the weakest claim (None without claims).
    """

    observed: float
    settled: tuple[Settled, ...]
    outside: float
    unexplained: float
    unexplained_low: float
    unexplained_high: float
    level: float
    capped: bool
    sentences: tuple[str, ...]
    checks: tuple[Check, ...]
    evidence: EvidenceClass | None

    @property
    def claimed(self) -> float:
        """Return the sum of what was granted."""
        return math.fsum(part.granted for part in self.settled)


def settle_claims(
    observed: float,
    claims: Sequence[Claim],
    *,
    outside: float = 0.0,
    outside_error: float = 0.0,
    better: Literal["up", "down"] = "up",
    level: float = 0.95,
) -> Ledger:
    """Settle claims on one observed movement: granted + ``outside`` + unexplained = ``observed``.

    ``outside``: what is known to have come from elsewhere (season, market, price of money), with its error.
    ``better``: the direction that is good. What is left after the outside part can be claimed once:

    - good effects add up to no more than what is left, plus the harm that other claims admit (harm makes room, since
      the rest moved that much more);
    - where what is left is against the good direction, harm adds up to no more than it, plus the good granted. Where
      it is with the good direction, harm stands: a rise is no proof that nothing hurt.

    Where claims exceed, they are cut in proportion to their squared errors (the least-squares adjustment of
    measurements to a known sum), none beyond 0; claims without any error last, and in proportion to their size. Raises
    :class:`ValueError` on values that are not finite, on bets that claim twice, and on a bad level.
    """
    z = two_sided_z(level)
    check_level(level)
    if not all(math.isfinite(value) for value in (observed, outside)) or not 0.0 <= outside_error < math.inf:
        raise ValueError("The movement and its outside part are finite numbers, and errors 0 or more.")
    names = [claim.name for claim in claims]
    if len(set(names)) != len(names):
        raise ValueError("A bet claims once on a movement; add its parts first.")
    sign = 1.0 if better == "up" else -1.0
    left = sign * (observed - outside)
    signed = [sign * claim.estimate for claim in claims]
    errors = [claim.error for claim in claims]
    good = [max(value, 0.0) for value in signed]
    harm = [max(-value, 0.0) for value in signed]
    good_room = max(left, 0.0) + math.fsum(harm)
    granted_good = _cut(good, errors, good_room)
    harm_room = math.inf if left >= 0.0 else -left + math.fsum(granted_good)
    granted_harm = _cut(harm, errors, harm_room)
    settled = tuple(
        _settled(claim, sign * (gain - loss), z, capped=gain + loss < abs(claim.estimate))
        for claim, gain, loss in zip(claims, granted_good, granted_harm, strict=True)
    )
    unexplained = observed - outside - math.fsum(part.granted for part in settled)
    reach = z * math.sqrt(math.fsum([outside_error**2, *(part.claim.error**2 for part in settled)]))
    sentences = _sentences(settled, observed, outside, left)
    return Ledger(
        observed=observed,
        settled=settled,
        outside=outside,
        unexplained=unexplained,
        unexplained_low=unexplained - reach,
        unexplained_high=unexplained + reach,
        level=level,
        capped=any(part.given_up != 0.0 for part in settled),
        sentences=sentences,
        checks=(_within(settled, observed, outside), _explained(observed, unexplained)),
        evidence=weakest(claim.evidence for claim in claims) if claims else None,
    )


def _cut(amounts: Sequence[float], errors: Sequence[float], room: float) -> list[float]:
    """Return amounts ≥ 0 that add up to at most ``room`` ≥ 0, cut in proportion to squared errors, none below 0.

    One claim after the other is used up: what a claim cannot give beyond its amount is spread over the rest.
    """
    left = list(amounts)
    excess = math.fsum(left) - room
    if excess <= _ROUNDING * math.fsum(left):
        return left
    for weights in ([error**2 for error in errors], list(amounts)):
        while excess > 0.0:
            giving = [i for i, amount in enumerate(left) if amount > 0.0 and weights[i] > 0.0]
            whole = math.fsum(weights[i] for i in giving)
            if not giving or whole <= 0.0:
                break
            emptied = [i for i in giving if excess * (weights[i] / whole) >= left[i]]
            if not emptied:
                for i in giving:
                    left[i] -= excess * (weights[i] / whole)
                excess = 0.0
                break
            for i in emptied:
                left[i] = 0.0
            excess = math.fsum(left) - room
    total = math.fsum(left)
    return [amount * (room / total) for amount in left] if total > room else left


def _settled(claim: Claim, granted: float, z: float, *, capped: bool) -> Settled:
    """A claim that was cut keeps the width of its interval: the cut moves it, and makes it no more certain."""
    value = granted if capped else claim.estimate
    low, high = value - z * claim.error, value + z * claim.error
    return Settled(claim, value, low, high, claim.estimate - value)


def _sentences(settled: Sequence[Settled], observed: float, outside: float, left: float) -> tuple[str, ...]:
    cut = [part for part in settled if part.given_up != 0.0]
    if not cut:
        return ()
    asked = math.fsum(part.claim.estimate for part in settled)
    first = (
        f"The claims add up to {asked:,.4g}, and {observed - outside:,.4g} of the movement of {observed:,.4g} is left "
        f"to claim once {outside:,.4g} from outside is taken off; what exceeds it was cut, the least precise claims "
        "giving up the most."
    )
    against = (
        ()
        if left >= 0.0
        else ("The metric moved the wrong way: name what pushed it as outside movement to grant more.",)
    )
    each = tuple(
        f"“{part.claim.name}” claimed {part.claim.estimate:,.4g} and is granted {part.granted:,.4g}."
        for part in cut
    )
    return (first, *against, *each)


def _within(settled: Sequence[Settled], observed: float, outside: float) -> Check:
    cut = [part for part in settled if part.given_up != 0.0]
    if not cut:
        return Check("claims_within_movement", True, "The claims fit into the movement without a cut.")
    return Check(
        "claims_within_movement",
        False,
        f"{len(cut)} of {len(settled)} claims exceed the {observed - outside:,.4g} there was to claim, and were cut.",
    )


def _explained(observed: float, unexplained: float) -> Check:
    passed = abs(unexplained) <= 0.5 * abs(observed)
    words = "less than half" if passed else "more than half"
    return Check(
        "explained", passed, f"Unexplained is {unexplained:,.4g}, {words} of the movement of {observed:,.4g}."
    )
