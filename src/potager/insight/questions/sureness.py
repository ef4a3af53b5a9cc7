"""How sure an answer is: the parts of its confidence, in words; the engine grades them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from potager.engines.statistics import Part, confidence
from potager.engines.statistics.quality import PartName, State
from potager.insight.metrics.models import Metric
from potager.insight.metrics.reading import Freshness
from potager.kit import words

LABELS: Mapping[PartName, str] = MappingProxyType(
    {
        "completeness": "Completeness",
        "freshness": "Freshness",
        "sample_size": "Sample",
        "interval_width": "Range",
        "identification": "Method",
        "stability": "Definition",
        "agreement": "Agreement",
    }
)


def grade(parts: Sequence[Part]) -> str:
    """Return A to D, as :func:`potager.engines.statistics.confidence` grades; nothing where nothing was looked at."""
    return confidence(parts, applicable=()).letter if parts else ""


def kept(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return the parts as they are kept with an answer."""
    return [{"name": LABELS[part.name], "state": part.state, "says": part.sentence} for part in parts]


def of_data(metric: Metric, found: Freshness, as_of: date) -> list[Part]:
    """Return the parts that rest on the data: completeness, freshness, how long the definition has stood."""
    parts = []
    if found.null_shares:
        column, share = max(found.null_shares.items(), key=lambda item: item[1])
        state: State = "good" if share < 0.02 else "fair" if share < 0.15 else "poor"
        says = (
            f"{share:.0%} of the rows name no {column.removesuffix('_id').replace('_', ' ')}."
            if share
            else "Every row has what the metric needs."
        )
        parts.append(Part("completeness", state, says))
    through = found.complete_through
    if through is None:
        parts.append(Part("freshness", "poor", "There is no data."))
    else:
        late = (as_of - through).days
        promise = metric.freshness_days
        said = f"The data goes to {through.day} {through:%B %Y}"
        if promise is None:
            parts.append(Part("freshness", "unknown", f"{said}; nothing is promised for it."))
        else:
            state = "good" if late <= promise else "poor"
            parts.append(
                Part(
                    "freshness",
                    state,
                    f"{said}; it may be {words.counted(promise, 'days')} old, and is {max(late, 0)}.",
                )
            )
    stands = metric.maturity in {"validated", "certified"}
    state = "good" if stands else "fair"
    parts.append(Part("stability", state, f"The definition is {metric.get_maturity_display().lower()}."))
    return parts


def of_units(count: int, noun: str = "units") -> Part:
    """Return the part for the number of things measured."""
    state: State = "good" if count >= 400 else "fair" if count >= 50 else "poor"
    return Part("sample_size", state, f"It rests on {count:,} {noun}.")


def of_interval(low: float, high: float, value: float) -> Part:
    """Return the part for the width of the interval against the value."""
    width = (high - low) / abs(value) if value else float("inf")
    state: State = "good" if width < 0.15 else "fair" if width < 0.5 else "poor"
    says = (
        f"The range is {width:.0%} of the value wide."
        if width != float("inf")
        else "The range holds nothing."
    )
    return Part("interval_width", state, says)


def of_back_test(coverage: float | None, judged: int, level: float) -> Part:
    """Return the part for how the forecast's ranges held in the past."""
    if coverage is None or not judged:
        return Part("identification", "unknown", "The series is too short to test the range on its own past.")
    state: State = "good" if coverage >= level - 0.1 else "fair" if coverage >= level - 0.25 else "poor"
    says = f"On this very series, such ranges held {coverage:.0%} of {judged:,} times ({level:.0%} are meant to)."
    return Part("identification", state, says)
