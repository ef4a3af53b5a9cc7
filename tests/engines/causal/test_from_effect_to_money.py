"""The whole way: a planted effect, its method, money, and the ledger."""

from __future__ import annotations

import numpy as np
import pytest

from potager.engines.causal import (
    Claim,
    Design,
    Effect,
    Hop,
    Panel,
    chain_to_money,
    choose_method,
    decay_factors,
    difference_in_differences,
    settle_claims,
    shrink,
)


def market(seed: int, effect: float) -> Panel:
    """Return 12 treated and 24 untreated accounts over 20 weeks; usage per week wanders and rises for all alike."""
    rng = np.random.default_rng(seed)
    outcomes = (
        50 + rng.normal(0, 8, (36, 1)) + np.linspace(0, 3, 20) + rng.normal(0, 0.6, (36, 20)).cumsum(axis=1)
    )
    outcomes[:12, 10:] += effect
    units = tuple(f"account {i}" for i in range(36))
    return Panel(units, tuple(f"week {i}" for i in range(20)), outcomes, dict.fromkeys(units[:12], 10))


def test_a_planted_effect_reaches_the_ledger_within_its_range():
    panel = market(1, effect=4.0)
    treated, controls = sorted(panel.adopted), panel.never_treated()
    facts = Design(
        treated_units=12, untreated_units=24, starts=1, periods_before=10, periods_after=10, series=True
    )
    choice = choose_method(facts)
    assert choice.method == "difference_in_differences"
    assert [check.name for check in choice.passed_over] == ["experiment", "holdout", "staggered_adoption"]

    effect = difference_in_differences(panel, treated, controls, 10)
    assert isinstance(effect, Effect) and effect.low <= 4.0 <= effect.high and not effect.failed

    money = chain_to_money(
        [
            Hop("usage per account", effect.estimate, effect.low, effect.high, effect.evidence),
            Hop("accounts", 12.0, 12.0, 12.0, "arithmetic"),
            Hop("euro per unit of usage", 5.0, 3.0, 7.0, "elasticity"),
        ],
        decay_factors(0.1, 4),
        seed=1,
    )
    truth = 4.0 * 12 * 5 * sum(decay_factors(0.1, 4))
    assert money.low <= truth <= money.high
    assert money.weakest == "euro per unit of usage" and money.evidence == "elasticity"

    claims = [
        Claim("onboarding", money.estimate, money.standard_error, money.evidence),
        Claim("pricing", 0.8 * truth, money.standard_error * 3, "belief"),
    ]
    ledger = settle_claims(truth + 100.0, claims, outside=100.0)
    assert ledger.capped and ledger.claimed == pytest.approx(truth)
    assert ledger.settled[1].given_up == pytest.approx(9 * ledger.settled[0].given_up)
    assert ledger.evidence == "belief"


def test_six_bets_with_known_truth_are_held_by_their_ranges():
    """Two do nothing, one hurts, one is large: over many seeds the intervals hold 95 % of the truths."""
    truths = (0.0, 0.0, -2.0, 1.5, 1.5, 5.0)
    held, corrected = [], []
    for seed in range(60):
        made = []
        for index, truth in enumerate(truths):
            panel = market(1000 * seed + index, truth)
            effect = difference_in_differences(
                panel, sorted(panel.adopted), panel.never_treated(), 10, placebos=False
            )
            if isinstance(effect, Effect):
                held.append(effect.low <= truth <= effect.high)
                made.append((effect.estimate, effect.standard_error, truth))
        bets = shrink([e for e, _, _ in made], [s for _, s, _ in made]).bets
        corrected.extend(bet.low <= truth <= bet.high for bet, (_, _, truth) in zip(bets, made, strict=True))
    assert np.mean(held) >= 0.93
    assert np.mean(corrected) >= 0.93
