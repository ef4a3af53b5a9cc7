"""Figures with their ranges: estimates, comparisons, forecasts, changes, influence, quality and whether they matter.

Everything runs on sufficient statistics or on one regular series, needs no clock and no chance, and answers with a
:class:`~potager.engines.answers.CannotTell` where the data do not carry a number. Scipy is imported when first needed.
"""

from potager.engines.statistics.backtest import CandidateScore
from potager.engines.statistics.change import StepChange, Unusual, step_change, unusual, usual_change
from potager.engines.statistics.compare import (
    MINIMUM_UNITS,
    Comparison,
    SegmentComparison,
    compare,
    compare_each_with_rest,
    newcombe,
)
from potager.engines.statistics.decision import CouldChange, could_change
from potager.engines.statistics.forecast import Forecast, forecast
from potager.engines.statistics.influence import (
    EdgeBackTest,
    InfluenceEstimate,
    back_test_edge,
    estimate_influence,
)
from potager.engines.statistics.mix import Standardization, StratumPart, standardize
from potager.engines.statistics.multiplicity import benjamini_hochberg, holm
from potager.engines.statistics.periods import (
    ComparableWindows,
    Granularity,
    Partial,
    Window,
    comparable_windows,
    last_complete_period,
    last_whole_day,
    partial,
    period_before,
    period_of,
    periods_between,
)
from potager.engines.statistics.quality import (
    PART_NAMES,
    Completeness,
    Grade,
    Part,
    agreement_part,
    completeness,
    completeness_part,
    confidence,
    freshness_part,
    interval_part,
    sample_part,
)
from potager.engines.statistics.reach import (
    Reach,
    date_known,
    probability_of_reaching,
    reach,
    when_known_index,
)
from potager.engines.statistics.sums import Estimate, MeanSums, RatioSums, ShareSums, Sums

__all__ = [
    "MINIMUM_UNITS",
    "PART_NAMES",
    "CandidateScore",
    "ComparableWindows",
    "Comparison",
    "Completeness",
    "CouldChange",
    "EdgeBackTest",
    "Estimate",
    "Forecast",
    "Grade",
    "Granularity",
    "InfluenceEstimate",
    "MeanSums",
    "Part",
    "Partial",
    "RatioSums",
    "Reach",
    "SegmentComparison",
    "ShareSums",
    "Standardization",
    "StepChange",
    "StratumPart",
    "Sums",
    "Unusual",
    "Window",
    "agreement_part",
    "back_test_edge",
    "benjamini_hochberg",
    "comparable_windows",
    "compare",
    "compare_each_with_rest",
    "completeness",
    "completeness_part",
    "confidence",
    "could_change",
    "date_known",
    "estimate_influence",
    "forecast",
    "freshness_part",
    "holm",
    "interval_part",
    "last_complete_period",
    "last_whole_day",
    "newcombe",
    "partial",
    "period_before",
    "period_of",
    "periods_between",
    "probability_of_reaching",
    "reach",
    "sample_part",
    "standardize",
    "step_change",
    "unusual",
    "usual_change",
    "when_known_index",
]
