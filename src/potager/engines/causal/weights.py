"""Weights that mix controls: least squares on the simplex, solved exactly."""

from __future__ import annotations

import numpy as np

from potager.engines.causal.results import FloatArray


def simplex_weights(
    target: FloatArray, mix: FloatArray, *, intercept: bool = False, ridge: float = 0.0
) -> FloatArray:
    """Return weights w ≥ 0 with Σw = 1 that minimize ‖target − mix·w − c‖² + ridge·‖w‖².

    ``target`` (t,), ``mix`` (t, k), w (k,); c is a free constant with ``intercept`` and 0 without; ``ridge`` ≥ 0 is in
    squared units of the outcome. With Σw = 1 the objective is f(w) = ‖A·w‖² for A = mix − target, so that minimizing
    ‖A·u‖² + (Σu − 1)² over u ≥ 0 gives u proportional to w: with u = s·w the best s leaves f/(1 + f), which rises
    with f. That is one non-negative least-squares problem (Lawson & Hanson 1974), exact without steps or tolerances.
    A is scaled first: on raw units solvers have been seen to return uniform weights without a word.
    """
    from scipy.optimize import nnls

    count = mix.shape[1]
    if count == 1:
        return np.ones(1)
    difference = mix - target[:, None]
    if intercept:
        difference = difference - difference.mean(axis=0)
    stacked = np.vstack([difference, np.sqrt(max(ridge, 0.0)) * np.eye(count)]) if ridge > 0.0 else difference
    scale = float(np.sqrt(np.mean(np.square(stacked).sum(axis=0))))
    if scale == 0.0:
        return np.full(
            count, 1.0 / count
        )  # every control equals the target: no weight is better than another
    system = np.vstack([stacked / scale, np.ones(count)])
    found, _ = nnls(system, np.concatenate([np.zeros(len(stacked)), [1.0]]), maxiter=50 * max(count, 10))
    weights: FloatArray = found / found.sum()
    return weights
