r"""Shapley values of an arithmetic formula whose inputs move from *before* to *after*.

The players are the inputs; a coalition's worth is the formula with the coalition's inputs at *after* and all others
at *before* (Shapley 1953; Shorrocks 2013, "Decomposition procedures for distributional analysis", J. Econ.
Inequality 11; for products the same as Das Gupta 1993, "Standardization and decomposition of rates", US Census
P23-186).

**Exact, and cheap where the formula is.** Owen (1972, "Multilinear extensions of games", Management Science 18)
writes the value as an integral: if every other player joins independently with probability *t*,

.. math:: \phi_i = \int_0^1 E_t[v(S \cup i) - v(S \setminus i)] \, dt .

An input in which the formula is affine (it is never divided by, nor multiplied with itself) can be replaced by its
expectation *b + t(a - b)*, and its marginal is its change times a slope. Only the *curved* inputs need their
2^q coalitions written out. The integrand is a polynomial in *t*, so a Gauss-Legendre rule of enough nodes is exact
to rounding. A tree of sums and products over any number of leaves thus has no coalitions at all, and every additive
sub-tree is linear for free. Inputs that do not move contribute 0 and are left out.

**Sampled** when more than ``MOST_CURVED`` curved inputs move: random orders in antithetic pairs (an order and its
reverse; Mitchell et al. 2022, "Sampling permutations for Shapley value estimation", JMLR 23) from a fixed seed.
Each order's marginals telescope, so the estimates still add up exactly; the error of each is returned.

**One input in several places.** A *slot* is one occurrence of an input. An input's slots move together as one player;
its value is divided among them by the Shapley value of the game inside the player (Owen 1977, "Values of games with a
priori unions"), so the slots of an input always add up to the input's own plain Shapley value.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from potager.engines.attribution.steps import FloatArray, Step, degrees, run, slopes

MOST_CURVED = 12
"""Curved inputs whose coalitions are written out in full (2^12 of them)."""
MOST_STATES = 2**14
"""Coalitions times states inside one player, at most, before sampling takes over."""
PAIRS = 2_000
"""Antithetic pairs of orders in a sampled answer."""
SEED = 20_240_229
_CELLS = 4_000_000
"""Numbers held at once, about; bounds the memory of a block of wholes (8 bytes each)."""


@dataclass(frozen=True, slots=True)
class Game:
    """A formula as a game: ``player_of_slot`` says which player each of the steps' input slots belongs to."""

    steps: tuple[Step, ...]
    player_of_slot: tuple[int, ...]
    players: int


@dataclass(frozen=True, slots=True)
class Values:
    """Contributions of groups of slots, shape (groups, wholes).

    ``slopes`` (slots, wholes) are the mean slopes of the formula in each slot over the game, None when sampled;
    ``errors`` are None when exact.
    """

    contributions: FloatArray
    errors: FloatArray | None
    slopes: FloatArray | None


def shapley(game: Game, before: FloatArray, after: FloatArray, groups: FloatArray) -> Values:
    """Return what each group of slots contributes to the change.

    ``before`` and ``after`` have the shape (players, wholes), ``groups`` (groups, slots) with 1 for a member. A whole
    for which some coalition has no value comes out as nan.
    """
    moved = np.asarray((before != after).any(axis=1), dtype=np.bool_)
    curved = _curved(game, moved)
    copies = [game.player_of_slot.count(player) for player in curved]
    states = max((2 ** (len(curved) - 1 + count) for count in copies if count > 1), default=0)
    if len(curved) <= MOST_CURVED and states <= MOST_STATES:
        by_slot, mean_slopes = _exact(game, before, after, moved, curved)
        return Values(groups @ by_slot, None, mean_slopes)
    contributions, errors = _sampled(game, before, after, moved, groups)
    return Values(contributions, errors, None)


def ends(game: Game, before: FloatArray, after: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the formula's value before and after, each of the shape (wholes,)."""
    first, last = (
        np.broadcast_to(run(game.steps, [side[player] for player in game.player_of_slot])[-1], side.shape[1:])
        for side in (before, after)
    )
    return np.array(first), np.array(last)


def _curved(game: Game, moved: NDArray[np.bool_]) -> list[int]:
    """Return the moving players in which the formula is not affine."""
    variables = [player if moved[player] else -1 for player in game.player_of_slot]
    degree = degrees(game.steps, variables, game.players)[-1]
    return [int(player) for player in np.flatnonzero(degree > 1)]


def _degree(game: Game, straight: set[int]) -> int:
    """Return the total degree of the formula in the straight players."""
    variables = [0 if player in straight else -1 for player in game.player_of_slot]
    return int(degrees(game.steps, variables, 1)[-1][0])


def _exact(
    game: Game, before: FloatArray, after: FloatArray, moved: NDArray[np.bool_], curved: list[int]
) -> tuple[FloatArray, FloatArray]:
    straight = {int(player) for player in np.flatnonzero(moved)} - set(curved)
    wholes = before.shape[1]
    by_slot = np.zeros((len(game.player_of_slot), wholes))
    mean_slopes = np.zeros_like(by_slot)
    # Slopes and marginals have at most this degree in t, and a rule of k nodes is exact to degree 2k - 1.
    degree = _degree(game, straight) + len(curved)
    points, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    block = max(1, _CELLS // (2 ** len(curved) * len(game.steps)))
    for start in range(0, wholes, block):
        part = slice(start, start + block)
        quadrature = _Quadrature(game, before[:, part], after[:, part], straight, curved)
        for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
            quadrature.add(float(point), float(weight), by_slot[:, part], mean_slopes[:, part])
    return by_slot, mean_slopes


class _Quadrature:
    """One block of wholes; ``add`` adds one node of the rule to the running sums."""

    def __init__(
        self, game: Game, before: FloatArray, after: FloatArray, straight: set[int], curved: list[int]
    ) -> None:
        self._game, self._before, self._after = game, before, after
        self._straight, self._curved = straight, curved
        self._joined = _subsets(len(curved))
        self._slots = [
            [slot for slot, owner in enumerate(game.player_of_slot) if owner == player] for player in curved
        ]

    def add(self, time: float, weight: float, by_slot: FloatArray, mean_slopes: FloatArray) -> None:
        expected = self._before + time * (self._after - self._before)
        q = len(self._curved)
        inputs = [self._input(player, expected) for player in self._game.player_of_slot]
        values = run(self._game.steps, inputs)
        chance = weight * _chance(self._joined, time)
        wholes = self._before.shape[1]
        for slot, slope in enumerate(slopes(self._game.steps, values, len(inputs))):
            mean = chance @ np.broadcast_to(slope, (2**q, wholes))
            mean_slopes[slot] += mean
            player = self._game.player_of_slot[slot]
            if player in self._straight:
                by_slot[slot] += mean * (self._after[player] - self._before[player])
        worth = np.broadcast_to(values[-1], (2**q, wholes))
        for at, slots in enumerate(self._slots):
            if len(slots) == 1:
                with_it = self._joined[:, at]
                others = np.delete(self._joined[~with_it], at, axis=1)
                marginal = worth[with_it] - worth[~with_it]
                by_slot[slots[0]] += weight * (_chance(others, time) @ marginal)
            else:
                self._divide(at, expected, time, weight, by_slot)

    def _input(self, player: int, expected: FloatArray) -> FloatArray:
        """Return the player's value in every coalition, shape (coalitions or 1, wholes)."""
        if player in self._curved:
            joined = self._joined[:, self._curved.index(player), None]
            return np.asarray(np.where(joined, self._after[player], self._before[player]))
        side = expected if player in self._straight else self._before
        return np.asarray(side[player][None])

    def _divide(self, at: int, expected: FloatArray, time: float, weight: float, by_slot: FloatArray) -> None:
        """Divide a curved player's value among its slots: all states of its slots within each coalition."""
        player, slots = self._curved[at], self._slots[at]
        others = np.delete(self._joined[~self._joined[:, at]], at, axis=1)
        inside = _subsets(len(slots))
        inputs = []
        for slot, owner in enumerate(self._game.player_of_slot):
            if owner == player:
                joined = inside[:, slots.index(slot)][None, :, None]
                inputs.append(np.where(joined, self._after[owner], self._before[owner]))
            elif owner in self._curved:
                joined = self._joined[~self._joined[:, at], self._curved.index(owner)][:, None, None]
                inputs.append(np.where(joined, self._after[owner], self._before[owner]))
            else:
                inputs.append((expected if owner in self._straight else self._before)[owner][None, None])
        wholes = self._before.shape[1]
        worth = np.broadcast_to(run(self._game.steps, inputs)[-1], (len(others), len(inside), wholes))
        mean = np.tensordot(_chance(others, time), worth, axes=1)  # (states inside, wholes)
        for place, slot in enumerate(slots):
            with_it = inside[:, place]
            size = np.delete(inside[~with_it], place, axis=1).sum(axis=1)
            order = np.array([1 / (len(slots) * comb(len(slots) - 1, int(k))) for k in size])
            by_slot[slot] += weight * (order @ (mean[with_it] - mean[~with_it]))


def _subsets(players: int) -> NDArray[np.bool_]:
    """Return all subsets, shape (2^players, players), so that deleting a player keeps the order of the rest."""
    return (np.arange(2**players)[:, None] >> np.arange(players)[None, :] & 1).astype(np.bool_)


def _chance(joined: NDArray[np.bool_], time: float) -> FloatArray:
    """Return each coalition's probability when every player has joined with probability ``time``."""
    size = joined.sum(axis=1)
    return np.asarray(time**size * (1 - time) ** (joined.shape[1] - size), dtype=np.float64)


def _sampled(
    game: Game, before: FloatArray, after: FloatArray, moved: NDArray[np.bool_], groups: FloatArray
) -> tuple[FloatArray, FloatArray]:
    slots = [slot for slot, player in enumerate(game.player_of_slot) if moved[player]]
    owners = np.array([game.player_of_slot[slot] for slot in slots])
    wholes = before.shape[1]
    total = np.zeros((len(groups), wholes))
    squares = np.zeros_like(total)
    center = np.zeros_like(total)  # near the mean, so that the squares of large equal numbers do not cancel
    randomness = np.random.default_rng(SEED)
    batch = max(1, min(PAIRS, _CELLS // (len(slots) * len(game.steps) * 4)))
    for start in range(0, PAIRS, batch):
        pairs = min(batch, PAIRS - start)
        # Slots of one player move one after another, in an order of their own.
        keys = randomness.permuted(np.tile(np.arange(game.players), (pairs, 1)), axis=1)[:, owners]
        order = np.argsort(keys + randomness.random((pairs, len(slots))), axis=1)
        ranks = np.argsort(order, axis=1)
        block = max(1, _CELLS // (pairs * len(slots) * len(game.steps) * 2))
        for first in range(0, wholes, block):
            part = slice(first, first + block)
            means = np.zeros((pairs, len(slots), before[:, part].shape[1]))
            for ranking in (ranks, len(slots) - 1 - ranks):
                means += _marginals(game, before[:, part], after[:, part], slots, ranking) / 2
            by_group = np.einsum("gs,psw->pgw", groups[:, slots], means)
            if start == 0:
                center[:, part] = by_group[0]
            by_group -= center[:, part]
            total[:, part] += by_group.sum(axis=0)
            squares[:, part] += (by_group**2).sum(axis=0)
    mean = total / PAIRS
    spread = np.maximum(squares / PAIRS - mean**2, 0) * PAIRS / (PAIRS - 1)
    return center + mean, np.sqrt(spread / PAIRS)


def _marginals(
    game: Game, before: FloatArray, after: FloatArray, slots: list[int], ranks: NDArray[np.intp]
) -> FloatArray:
    """Return each slot's marginal in each order, shape (orders, slots, wholes)."""
    orders, count = ranks.shape
    moment = np.arange(count + 1)[None, :, None]
    place = {slot: at for at, slot in enumerate(slots)}
    inputs: list[FloatArray] = []
    for slot, player in enumerate(game.player_of_slot):
        if slot in place:
            moved = ranks[:, place[slot], None, None] < moment
            inputs.append(np.where(moved, after[player], before[player]))
        else:
            inputs.append(before[player][None, None])
    worth = np.broadcast_to(run(game.steps, inputs)[-1], (orders, count + 1, before.shape[1]))
    gains = np.diff(worth, axis=1)
    return np.take_along_axis(gains, ranks[:, :, None], axis=1)
