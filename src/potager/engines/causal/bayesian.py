"""Two shares, the Bayesian way: how likely is the treated arm better, and what is lost if that is wrong?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.causal.arms import Arm
from potager.engines.causal.experiment import MISMATCH, RandomizedEvidence, sample_ratio_check
from potager.engines.causal.results import Check, Effect, FloatArray, check_level

_NODES = 400
_TAIL = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianEffect(Effect):
    """The posterior mean of treated less control, with the central credible interval.

    ``probability_better``: that the treated share is above that of the control. ``loss_if_taken`` and
    ``loss_if_left``: by how much the share is expected to be lower than it could be if the treatment is taken, or
    left.
    """

    probability_better: float
    loss_if_taken: float
    loss_if_left: float


def compare_shares_bayesian(
    treated: Arm,
    control: Arm,
    *,
    prior: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
    treated_share: float | None = 0.5,
    evidence: RandomizedEvidence = "experiment",
) -> BayesianEffect | CannotTell:
    """Return the difference of two shares with independent beta posteriors (Gelman et al. 2013, §2.4).

    ``prior``: the successes and failures the prior is worth in each arm, above 0. Everything is computed by
    Gauss–Legendre quadrature, without chance. Refuses where the split of units is not the planned one. Raises
    :class:`ValueError` on arms that are no shares, and on a bad prior or level.
    """
    from scipy.optimize import brentq

    check_level(level)
    if min(prior) <= 0.0:
        raise ValueError("A beta prior is worth more than 0 successes and failures.")
    if any(arm.columns != ("y",) or arm.y != arm.yy for arm in (treated, control)):
        raise ValueError("A share is a sum of zeros and ones, without denominator or covariate.")
    checks: tuple[Check, ...] = ()
    if treated_share is not None:
        split = sample_ratio_check(
            {"treated": treated.n, "control": control.n},
            {"treated": treated_share, "control": 1.0 - treated_share},
        )
        if split.passed is False:
            return CannotTell(
                "not_identified", split.sentence, f"Find where units were lost (threshold {MISMATCH})."
            )
        checks = (split,)
    shapes = [(prior[0] + arm.y, prior[1] + arm.n - arm.y) for arm in (treated, control)]
    nodes, weights = _control_nodes(*shapes[1])
    below = _beta_below(*shapes[0], nodes)
    better = float(weights @ (1.0 - below))
    estimate = shapes[0][0] / sum(shapes[0]) - shapes[1][0] / sum(shapes[1])
    gain = _expected_gain(shapes[0], nodes, weights)

    def share_below(difference: float) -> float:
        return float(weights @ _beta_below(*shapes[0], nodes + difference))

    low, high = (
        float(brentq(lambda value, share=share: share_below(value) - share, -1.0, 1.0, xtol=1e-10))
        for share in (0.5 - level / 2.0, 0.5 + level / 2.0)
    )
    return BayesianEffect(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        method="beta-binomial difference of shares",
        evidence=evidence,
        checks=checks,
        probability_better=better,
        loss_if_taken=gain - estimate,
        loss_if_left=gain,
    )


def _control_nodes(a: float, b: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes where the control's posterior lies and their weights, which add up to 1."""
    from scipy.special import betaincinv, betaln, xlog1py, xlogy

    first, last = float(betaincinv(a, b, _TAIL)), float(betaincinv(a, b, 1.0 - _TAIL))
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    nodes = (first + last) / 2.0 + (last - first) / 2.0 * points
    density = np.exp(xlogy(a - 1.0, nodes) + xlog1py(b - 1.0, -nodes) - betaln(a, b))
    mass = weights * density
    return nodes, mass / mass.sum()


def _beta_below(a: float, b: float, values: FloatArray) -> FloatArray:
    from scipy.special import betainc

    below: FloatArray = betainc(a, b, np.clip(values, 0.0, 1.0))
    return below


def _expected_gain(shape: tuple[float, float], nodes: FloatArray, weights: FloatArray) -> float:
    """Return E[max(treated − control, 0)]; within a node in closed form: E[T; T > c] − c · P(T > c)."""
    a, b = shape
    above = 1.0 - _beta_below(a, b, nodes)
    mean_above = a / (a + b) * (1.0 - _beta_below(a + 1.0, b, nodes))
    return float(weights @ (mean_above - nodes * above))
