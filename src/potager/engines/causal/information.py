"""Is a test worth its price? The value of knowing before deciding, for a normal effect and a threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass

from potager.engines.answers import CannotTell
from potager.engines.causal.results import normal_below, normal_density


@dataclass(frozen=True, slots=True)
class ValueOfTesting:
    """What a test is worth, in money.

    ``evpi``: what knowing the effect for certain would be worth, the most that any test may cost. ``evsi``: what this
    test is worth before its price, ``net`` after it. ``act_now``: what is best without a test. ``chance_to_change``:
    how likely the test changes that. ``sentence`` says whether to run it.
    """

    evpi: float
    evsi: float
    net: float
    act_now: bool
    chance_to_change: float
    sentence: str


def unit_normal_loss(u: float) -> float:
    """Return E[max(Z − u, 0)] for a standard normal Z: φ(u) − u·(1 − Φ(u)) (Raiffa & Schlaifer 1961, §5.3)."""
    return max(normal_density(u) - u * normal_below(-u), 0.0)


def value_of_testing(
    *,
    mean: float,
    spread: float,
    threshold: float,
    worth: float,
    test_error: float,
    cost: float = 0.0,
) -> ValueOfTesting | CannotTell:
    """Return the value of a test of an effect believed normal (``mean``, ``spread``), acted on above ``threshold``.

    Each unit of effect beyond the threshold is ``worth`` > 0 in money; ``test_error`` ≥ 0 is the standard error the
    test will have, ``cost`` ≥ 0 its price, delay within. Linear loss, normal prior and normal error (Raiffa &
    Schlaifer 1961): EVPI = worth · σ · L(|mean − threshold|/σ), and EVSI the same with σ replaced by σ²/√(σ² +
    error²), the standard deviation of what will be believed afterwards. Refuses a belief without spread: what is
    certain needs no test. Raises :class:`ValueError` on values that do not fit.
    """
    if not all(math.isfinite(value) for value in (mean, spread, threshold, worth, cost)) or math.isnan(
        test_error
    ):
        raise ValueError("A belief, a threshold, a worth and a cost are finite numbers.")
    if worth <= 0.0 or spread < 0.0 or test_error < 0.0 or cost < 0.0:
        raise ValueError("The worth of an effect is above 0; spreads, errors and costs are 0 or more.")
    if spread == 0.0:
        return CannotTell(
            "undefined",
            "The effect is taken as certain, so no test could change what is done.",
            "Give the belief as a range.",
        )
    distance = abs(mean - threshold)
    learned = 0.0 if math.isinf(test_error) else spread**2 / math.hypot(spread, test_error)
    evpi = worth * spread * unit_normal_loss(distance / spread)
    evsi = worth * learned * unit_normal_loss(distance / learned) if learned > 0.0 else 0.0
    change = normal_below(-distance / learned) if learned > 0.0 else 0.0
    act, net = mean > threshold, evsi - cost
    advice = "run it" if net > 0.0 else f"do without and {'go ahead' if act else 'leave it'}"
    return ValueOfTesting(
        evpi,
        evsi,
        net,
        act,
        change,
        f"The test is worth {evsi:,.4g} and costs {cost:,.4g}; it would change the decision in {change:.0%} of cases: "
        f"{advice}.",
    )
