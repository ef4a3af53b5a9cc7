"""What is drawn of an effect by segments or of one series: numbers by period, ready for a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from potager.engines.causal import Effect, InterruptedEffect, StaggeredEffect, SyntheticEffect
from potager.insight.impact.reading_panels import PanelRead, SeriesRead


def panel_figures(read: PanelRead, found: Effect) -> dict[str, Any]:
    """Return what a page draws of a panel: the event study, or the treated beside what was to be expected."""
    if isinstance(found, StaggeredEffect):
        return {
            "kind": "event_study",
            "grain": read.grain,
            "by_age": [
                {"age": one.key, "estimate": one.estimate, "low": one.low, "high": one.high,
                 "error": one.standard_error}
                for one in found.by_age
            ],
            "before": [
                {"age": cell.time - cell.group, "estimate": cell.estimate}
                for cell in found.cells
                if cell.time < cell.group
            ],
            "groups": len(found.by_group),
            "segments": [len(read.treated), len(read.controls)],
        }  # fmt: skip
    treated = read.panel.rows(read.treated).mean(axis=0)
    start = read.start
    if isinstance(found, SyntheticEffect):
        gap = found.gap - float(found.time_weights @ found.gap[:start])
        expected = treated - gap
        weights = [{"unit": one.unit, "weight": one.weight} for one in found.weights[:10]]
    else:
        others = read.panel.rows(read.controls).mean(axis=0)
        expected = float(treated[:start].mean()) + others - float(others[:start].mean())
        weights = []
    return {
        "kind": "before_after",
        "grain": read.grain,
        "periods": [str(period.start) for period in read.periods],
        "start": start,
        "observed": treated.tolist(),
        "expected": expected.tolist(),
        "weights": weights,
        "segments": [len(read.treated), len(read.controls)],
    }


def series_figures(read: SeriesRead, found: InterruptedEffect) -> dict[str, Any]:
    """Return what a page draws of a series: what happened beside what was to be expected, and the effect summed up."""
    return {
        "kind": "before_after",
        "grain": read.grain,
        "periods": [str(period.start) for period in read.periods],
        "start": read.start,
        "observed": [None if np.isnan(value) else float(value) for value in read.values],
        "expected": [None] * read.start + found.expected.tolist(),
        "low": [None] * read.start + found.expected_low.tolist(),
        "high": [None] * read.start + found.expected_high.tolist(),
        "cumulative": [
            float(found.cumulative[-1]),
            float(found.cumulative_low[-1]),
            float(found.cumulative_high[-1]),
        ],
    }
