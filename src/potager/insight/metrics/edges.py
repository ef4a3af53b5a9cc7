"""Testing influences: what the data says of a believed edge, and whether it would have predicted the last quarter."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from potager.engines.answers import CannotTell
from potager.engines.statistics import back_test_edge, estimate_influence
from potager.insight.metrics.compiling import layer_of
from potager.insight.metrics.models import Evidence, Influence
from potager.insight.metrics.periods import GRAINS, Grain, period_of
from potager.insight.metrics.reading import freshness, series

HISTORY = timedelta(days=3 * 366)
LONGEST_LAG = {"day": 28, "week": 8, "month": 3, "quarter": 2, "year": 1}
SEASONS = {"day": 7, "week": 1, "month": 1, "quarter": 1, "year": 1}
# Months are too few to learn from and to test on: an edge believed by the month is tested by the week.
TESTED_BY = {"month": "week", "quarter": "week", "year": "month"}
LAST_QUARTER = {"day": 91, "week": 13, "month": 3}


def examined_by(influence: Influence) -> Grain:
    """Return the grain an edge is tested by: never finer than the rows of either metric are dated by.

    Rows that are months have no weeks of their own: most weeks would be read as zero.
    """
    wanted = TESTED_BY.get(influence.grain, influence.grain)
    dated = [layer_of(metric).dated_by(metric.name) for metric in (influence.driver, influence.outcome)]
    return max((grain for grain in GRAINS if grain == wanted or grain in dated), key=GRAINS.index)


def examine(influence: Influence) -> dict[str, Any]:
    """Return what a test of an influence found, as :func:`actions.keep_test` keeps it; refusals included.

    The edge is estimated on all whole periods and back-tested by fitting it until a quarter before the end.
    """
    grain = examined_by(influence)
    ends = [freshness(metric).complete_through for metric in (influence.driver, influence.outcome)]
    known = [end for end in ends if end is not None]
    if len(known) < 2:
        return _refused("There is no data for one of the two.")
    last = period_of(min(known), grain)
    last = last if last.end <= min(known) else last.previous()
    start = last.start - HISTORY
    driver, outcome = (
        series(metric, grain, start, last.end).values for metric in (influence.driver, influence.outcome)
    )
    found = estimate_influence(driver, outcome, LONGEST_LAG[grain], SEASONS[grain])
    if isinstance(found, CannotTell):
        return _refused(str(found))
    tested = back_test_edge(
        driver, outcome, found.lag, len(driver) - LAST_QUARTER.get(grain, 3), SEASONS[grain]
    )
    evidence = Evidence.CORRELATED if found.found else Evidence.ASSERTED
    if found.found and not isinstance(tested, CannotTell) and tested.verdict == "predictive":
        evidence = Evidence.PREDICTIVE
    return {
        "estimate": found.effect,
        "low": found.low,
        "high": found.high,
        "lag": found.lag,
        "grain": grain,
        "periods": found.n,
        "method": f"{found.method}; {found.note}"[:200],
        "evidence": evidence,
        "back_test": {"refused": str(tested)} if isinstance(tested, CannotTell) else asdict(tested),
    }


def _refused(because: str) -> dict[str, Any]:
    return {
        "estimate": None,
        "low": None,
        "high": None,
        "method": "",
        "evidence": Evidence.ASSERTED,
        "back_test": {"refused": because},
    }
