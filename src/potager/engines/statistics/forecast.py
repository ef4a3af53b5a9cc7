"""Forecast one regular series, with a range that has been back-tested on this very series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from potager.engines.answers import CannotTell
from potager.engines.statistics.backtest import BackTest, CandidateScore, back_test, tiers
from potager.engines.statistics.distributions import check_level
from potager.engines.statistics.series import FloatArray, Prepared, Series, prepare
from potager.engines.statistics.sums import Estimate

_LONGEST_HISTORY = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What the next ``horizon`` periods will likely bring, in the unit of the series.

    ``values``, ``low``, ``high`` (H,): each step with its range at ``level``. ``total``: the sum over all steps, whose
    range is back-tested as a sum (adding up ``low`` and ``high`` would be far too wide); its ``n`` counts back-test
    origins and its ``standard_error`` is the width of one standard deviation. ``method`` is the one of ``candidates``
    with the smallest back-test error. ``coverage`` is the share of truths that fell into the ranges which would have
    been given at the time, of ``judged`` truths (None when under 10, which tell nothing),
    ``coverage_total`` the same for totals. ``origins``: how many past moments were forecast from;
    ``distinct_horizons``: how many of those stretches do not overlap. ``season`` is the one used, 1 where the
    series was too short to learn the one given.
    """

    values: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    total: Estimate
    method: str
    candidates: tuple[CandidateScore, ...]
    season: int
    n: int
    origins: int
    distinct_horizons: float
    coverage: float | None
    judged: int
    coverage_total: float | None
    judged_totals: int
    interpolated_share: float
    notes: tuple[str, ...]
    tested: BackTest

    @property
    def horizon(self) -> int:
        """How many periods ahead this forecast reaches."""
        return int(self.values.size)


def forecast(
    series: Series,
    horizon: int,
    season: int = 1,
    level: float = 0.8,
    max_missing: float = 0.1,
) -> Forecast | CannotTell:
    """Forecast a regular series (n,), oldest first, nan where missing, ``horizon`` ≥ 1 periods beyond its end.

    Candidates: seasonal naive with and without drift, recent median, theta (Assimakopoulos & Nikolopoulos 2000), damped
    exponential smoothing (Gardner & McKenzie 1985), both also on logarithms, and their mean; without a season, or
    before one was seen twice, the simple ones. Chosen by rolling-origin back-test on the horizon asked (Tashman
    2000), on single steps: choosing on totals, of which few are distinct, gave worse totals. Ranges come from the
    errors of that back-test (see :class:`~potager.engines.statistics.spread.ErrorSpread`), in units of how much the
    series changed lately.

    Deterministic. Only the latest 4,000 values are used. Refuses a series that is too short to back-test this horizon
    (the minimum is said), that never changes, or that has more than ``max_missing`` (a share) missing or a missing end.
    Raises :class:`ValueError` on a bad horizon, season or level, and on infinite values.
    """
    check_level(level)
    if horizon < 1:
        raise ValueError(f"A horizon is a number of periods from 1, not {horizon!r}.")
    prepared = prepare(series, season, max_missing)
    if isinstance(prepared, CannotTell):
        return prepared
    prepared = Prepared(prepared.values[-_LONGEST_HISTORY:], prepared.filled[-_LONGEST_HISTORY:])
    values = prepared.values
    choices = tiers(season)
    tier = next((one for one in choices if values.size >= one.needs(horizon)), None)
    if tier is None:
        least = choices[-1].needs(horizon)
        more = least - values.size
        return CannotTell(
            "too_few",
            f"A forecast of {horizon:,} period{'s' * (horizon > 1)} needs at least {least:,} values to be tested on; "
            f"there are {values.size:,}.",
            f"Ask for a shorter horizon, or wait for {more:,} more period{'s' * (more > 1)}.",
        )
    if float(np.ptp(values)) == 0.0:
        return CannotTell(
            "undefined",
            f"All {values.size} values are the same, so nothing says how far the next may be off.",
            "Check that the metric is still being measured.",
        )
    tested = back_test(prepared, tier, horizon, level)
    values_ahead, reach = tested.forecast, tested.steps.half_width(level)
    floor = 0.0 if float(values.min()) >= 0.0 else -np.inf
    total = float(values_ahead.sum())
    total_reach = float(tested.totals.half_width(level)[-1])
    notes = _notes(tier.season, season, prepared.interpolated_share, tested, level)
    return Forecast(
        values_ahead,
        np.maximum(values_ahead - reach, floor),
        values_ahead + reach,
        level,
        Estimate(
            total,
            max(total - total_reach, floor),
            total + total_reach,
            level,
            tested.origins,
            f"back_tested_{tested.method}",
            float(tested.totals.half_width(0.6827)[-1]),
        ),
        tested.method,
        tested.scores,
        tier.season,
        int(values.size),
        tested.origins,
        float(tested.totals.distinct[-1]),
        tested.coverage,
        tested.judged,
        tested.coverage_total,
        tested.judged_totals,
        prepared.interpolated_share,
        notes,
        tested,
    )


def _notes(used: int, asked: int, interpolated: float, tested: BackTest, level: float) -> tuple[str, ...]:
    """Return what a reader must know beside the numbers."""
    notes = []
    if used != asked:
        notes.append(f"The series is too short to learn a season of {asked} periods, so none was used.")
    if interpolated:
        notes.append(
            f"{interpolated:.1%} of the values were missing and were filled in from their neighbors."
        )
    if tested.coverage is None:
        notes.append("The series is too short to check the ranges themselves.")
    elif tested.coverage < level - 0.1:
        notes.append(
            f"Ranges given earlier held {tested.coverage:.0%} of what came, not {level:.0%}: "
            "the series became harder to forecast, so read this range as too narrow."
        )
    return tuple(notes)
